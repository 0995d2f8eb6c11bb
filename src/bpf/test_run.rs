// SPDX-License-Identifier: Apache-2.0
//! Running a program without attaching it, on data of our own (`BPF_PROG_TEST_RUN`).
//!
//! The kernel does it for programs on packets (XDP, traffic control, socket filters, cgroup_skb, sk_lookup,
//! flow_dissector, netfilter), for `syscall`, for raw tracepoints and for fentry, fexit and fmod_ret.

use std::io;
use std::os::fd::AsFd as _;

use super::program::Program;
use super::sys::test_run as sys;
use crate::error::{Error, Result};

/// Bytes of a packet that the kernel takes at most: a page less what goes around it; frames of jumbo size fit 64 KiB.
const OUTPUT_BYTES: usize = 64 << 10;
/// The kernel's own errno for what it does not do; C has no name for it.
const ENOTSUPP: i32 = 524;

/// What a program is run on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TestRun {
    /// The packet, from its Ethernet header (at least 14 bytes); empty for programs without one.
    pub data_in: Vec<u8>,
    /// The context, as the kind of program has it (`struct xdp_md`, `struct __sk_buff`, a raw tracepoint's `u64 args[]`,
    /// whatever a `syscall` program takes); empty for the kernel's own.
    pub ctx_in: Vec<u8>,
    /// How often to run it; 0 for once. Raw tracepoints and `syscall` run once only.
    pub repeat: u32,
    /// Run it on this CPU (raw tracepoints).
    pub cpu: Option<u32>,
    /// Run XDP on live frames (`BPF_F_TEST_XDP_LIVE_FRAMES`): what it passes goes to the network stack.
    pub live_frames: bool,
}

/// What came of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TestOutcome {
    /// What the program returned.
    pub retval: u32,
    /// The packet as the program left it; for flow_dissector, its `struct bpf_flow_keys`.
    pub data_out: Vec<u8>,
    /// The context as the program left it.
    pub ctx_out: Vec<u8>,
    /// Nanoseconds that one run took, on average.
    pub duration_ns: u32,
}

impl Program {
    /// Runs the program once, or as often as `run` says, without attaching it.
    pub fn test_run(&self, run: &TestRun) -> Result<TestOutcome> {
        let mut ctx_in = run.ctx_in.clone();
        let mut data_out = vec![0; if run.data_in.is_empty() || run.live_frames { 0 } else { OUTPUT_BYTES }];
        let gives_context = self.gives_context() && !run.live_frames;
        let mut ctx_out = vec![0; if gives_context { ctx_in.len() } else { 0 }];
        let mut request = sys::Request {
            data_in: &run.data_in,
            data_out: &mut data_out,
            ctx_in: &mut ctx_in,
            ctx_out: &mut ctx_out,
            repeat: run.repeat,
            flags: run.cpu.map_or(0, |_| libbpf_sys::BPF_F_TEST_RUN_ON_CPU)
                | if run.live_frames { libbpf_sys::BPF_F_TEST_XDP_LIVE_FRAMES } else { 0 },
            cpu: run.cpu.unwrap_or(0),
        };
        let outcome = sys::run(self.as_fd(), &mut request).map_err(|err| self.not_run(run, &err))?;
        data_out.truncate(outcome.data_size);
        ctx_out.truncate(outcome.ctx_size);
        let ctx_out = if gives_context { ctx_out } else { ctx_in };
        Ok(TestOutcome { retval: outcome.retval, data_out, ctx_out, duration_ns: outcome.duration_ns })
    }

    /// Whether the kernel writes the context apart from the one it was given.
    fn gives_context(&self) -> bool {
        const APART: &[u32] = &[
            libbpf_sys::BPF_PROG_TYPE_XDP,
            libbpf_sys::BPF_PROG_TYPE_SCHED_CLS,
            libbpf_sys::BPF_PROG_TYPE_SCHED_ACT,
            libbpf_sys::BPF_PROG_TYPE_SOCKET_FILTER,
            libbpf_sys::BPF_PROG_TYPE_CGROUP_SKB,
            libbpf_sys::BPF_PROG_TYPE_LWT_IN,
            libbpf_sys::BPF_PROG_TYPE_LWT_OUT,
            libbpf_sys::BPF_PROG_TYPE_LWT_XMIT,
            libbpf_sys::BPF_PROG_TYPE_SK_LOOKUP,
        ];
        APART.contains(&self.prog_type)
    }

    fn not_run(&self, run: &TestRun, err: &io::Error) -> Error {
        let what = format!("cannot run `{}` for a test", self.name);
        match err.raw_os_error() {
            Some(libc::EOPNOTSUPP | ENOTSUPP) => {
                let why = format!("this kernel runs no {} program without an event", self.kind);
                Error::machine(what, why).with_errno(libc::EOPNOTSUPP)
            }
            Some(libc::EINVAL) if run.data_in.is_empty() && self.takes_packet() => {
                let why = "a program on packets needs `data_in`, at least the 14 bytes of an Ethernet header";
                Error::script(what, why).with_errno(libc::EINVAL)
            }
            Some(libc::EINVAL) => {
                let given = format!(
                    "a {} program, {} bytes of data, {} bytes of context, {} runs",
                    self.kind,
                    run.data_in.len(),
                    run.ctx_in.len(),
                    run.repeat.max(1)
                );
                let why = "the kernel does not take these data or this context for this kind of program";
                Error::script(what, why).with_errno(libc::EINVAL).with_evidence(given)
            }
            _ => Error::io(what, err),
        }
    }

    fn takes_packet(&self) -> bool {
        const ON_PACKETS: &[u32] = &[
            libbpf_sys::BPF_PROG_TYPE_XDP,
            libbpf_sys::BPF_PROG_TYPE_SCHED_CLS,
            libbpf_sys::BPF_PROG_TYPE_SCHED_ACT,
            libbpf_sys::BPF_PROG_TYPE_SOCKET_FILTER,
            libbpf_sys::BPF_PROG_TYPE_CGROUP_SKB,
            libbpf_sys::BPF_PROG_TYPE_LWT_IN,
            libbpf_sys::BPF_PROG_TYPE_LWT_OUT,
            libbpf_sys::BPF_PROG_TYPE_LWT_XMIT,
            libbpf_sys::BPF_PROG_TYPE_FLOW_DISSECTOR,
        ];
        ON_PACKETS.contains(&self.prog_type)
    }
}
