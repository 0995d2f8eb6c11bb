// SPDX-License-Identifier: Apache-2.0
//! The list of features, and the answers kept.

use super::support::Support;
use super::{maps, perf, programs};
use std::sync::OnceLock;

/// Something that a kernel may or may not be able to do. The comments say when Linux got it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Feature {
    /// A kprobe as a perf event, which is how libbpf attaches them. Added in 4.17 by e12f03d7031a.
    KprobePmu,
    /// A uprobe as a perf event. Added in 4.17 by 33ea4b24277b.
    UprobePmu,
    /// A program on the entry of a function through a BPF trampoline. Added in 5.5.
    Fentry,
    /// A program that stands in for a function's result (`fmod_ret`). Added in 5.7.
    FmodRet,
    /// One link for many kprobes, on top of fprobe. Added in 5.18.
    KprobeMulti,
    /// One link for many uprobes. Added in 6.6.
    UprobeMulti,
    /// A program on a raw tracepoint (tried on `sys_enter`). Added in 4.17.
    RawTracepoint,
    /// A program on a raw tracepoint of a kernel module. Added in 5.0.
    RawTracepointInModule,
    /// A program on a hook of the kernel's security modules. Added in 5.7.
    Lsm,
    /// A program that walks the kernel's objects (tried on tasks). Added in 5.8.
    Iterator,
    /// The ring buffer map. Added in 5.8.
    RingBuffer,
    /// Programs that write to perf's buffers, and the events to read them. Added in 4.4.
    PerfBuffer,
    /// Array maps that user space can map into its memory. Added in 5.5.
    MmapableArray,
    /// Many entries of a map in one system call. Added in 5.6.
    MapBatch,
    /// Global variables in BPF programs. Added in 5.2.
    GlobalData,
    /// Reading kernel memory by the helper that reads nothing else. Added in 5.5; refused under lockdown=confidentiality.
    ProbeReadKernel,
    /// A number of the user's that a program can ask for at its attach point. Added in 5.15.
    BpfCookie,
    /// BPF memory charged to the memory cgroup instead of counting as locked memory. Added in 5.11.
    MemcgAccounting,
    /// The count of lost samples when a perf event is read. Added in 6.0; 5.10 and 6.1 have it in their stable versions.
    PerfFormatLost,
}

impl Feature {
    /// All of them, in the order in which a report lists them.
    pub const ALL: [Feature; 19] = [
        Feature::KprobePmu,
        Feature::KprobeMulti,
        Feature::Fentry,
        Feature::FmodRet,
        Feature::RawTracepoint,
        Feature::RawTracepointInModule,
        Feature::UprobePmu,
        Feature::UprobeMulti,
        Feature::Lsm,
        Feature::Iterator,
        Feature::PerfBuffer,
        Feature::PerfFormatLost,
        Feature::RingBuffer,
        Feature::MmapableArray,
        Feature::MapBatch,
        Feature::GlobalData,
        Feature::ProbeReadKernel,
        Feature::BpfCookie,
        Feature::MemcgAccounting,
    ];

    /// Its name, as bpflua speaks of it.
    pub fn name(self) -> &'static str {
        match self {
            Feature::KprobePmu => "kprobe",
            Feature::UprobePmu => "uprobe",
            Feature::Fentry => "fentry",
            Feature::FmodRet => "fmod_ret",
            Feature::KprobeMulti => "kprobe-multi",
            Feature::UprobeMulti => "uprobe-multi",
            Feature::RawTracepoint => "raw tracepoint",
            Feature::RawTracepointInModule => "raw tracepoint of a kernel module",
            Feature::Lsm => "LSM program",
            Feature::Iterator => "iterator",
            Feature::RingBuffer => "ring buffer",
            Feature::PerfBuffer => "perf buffer",
            Feature::MmapableArray => "mapped array",
            Feature::MapBatch => "batched map access",
            Feature::GlobalData => "global variables",
            Feature::ProbeReadKernel => "bpf_probe_read_kernel",
            Feature::BpfCookie => "attach cookie",
            Feature::MemcgAccounting => "memory without RLIMIT_MEMLOCK",
            Feature::PerfFormatLost => "perf loss counts",
        }
    }

    /// Tries it, without looking at answers kept.
    fn probe(self) -> Support {
        match self {
            Feature::KprobePmu => perf::kprobe(),
            Feature::UprobePmu => perf::uprobe(),
            Feature::PerfFormatLost => perf::format_lost(),
            Feature::PerfBuffer => perf::buffer(),
            Feature::Fentry => programs::fentry(),
            Feature::FmodRet => programs::fmod_ret(),
            Feature::KprobeMulti => programs::kprobe_multi(),
            Feature::UprobeMulti => programs::uprobe_multi(),
            Feature::RawTracepoint => programs::raw_tracepoint(),
            Feature::RawTracepointInModule => programs::raw_tracepoint_in_module(),
            Feature::Lsm => programs::lsm(),
            Feature::Iterator => programs::iterator(),
            Feature::ProbeReadKernel => programs::probe_read_kernel(),
            Feature::BpfCookie => programs::attach_cookie(),
            Feature::MemcgAccounting => programs::memcg_accounting(),
            Feature::RingBuffer => maps::ring_buffer(),
            Feature::MmapableArray => maps::mmapable_array(),
            Feature::MapBatch => maps::batch(),
            Feature::GlobalData => maps::global_data(),
        }
    }
}

/// Whether this kernel has the feature and lets this process use it. Tried on the first call, kept from then on.
pub fn supports(feature: Feature) -> &'static Support {
    static ANSWERS: [OnceLock<Support>; Feature::ALL.len()] = [const { OnceLock::new() }; Feature::ALL.len()];
    ANSWERS[feature as usize].get_or_init(|| feature.probe())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_feature_is_listed_once() {
        let mut seen = [false; Feature::ALL.len()];
        for feature in Feature::ALL {
            assert!(!std::mem::replace(&mut seen[feature as usize], true), "{feature:?}");
        }
    }

    #[test]
    fn root_answers_are_kept_and_say_where() {
        for feature in Feature::ALL {
            let support = supports(feature);
            println!("{}: {support}", feature.name());
            assert!(std::ptr::eq(support, supports(feature)));
            if let Support::Unsupported { why, .. } = support {
                assert!(!why.is_empty());
            }
        }
    }
}
