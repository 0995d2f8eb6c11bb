// SPDX-License-Identifier: Apache-2.0
//! Rows about how data gets out of the kernel.

use super::attaching::plain;
use super::facts::Facts;
use super::row::Row;
use crate::kernel::features::{Feature, Support};

pub(super) fn rows(facts: &Facts<'_>) -> Vec<Row> {
    vec![
        plain(facts, "perf buffers", Feature::PerfBuffer, &["PERF_EVENTS", "BPF_EVENTS"]),
        ring_buffers(facts),
        loss_counts(facts),
        or_slower(facts, "mapped arrays", Feature::MmapableArray, "arrays are read by system calls instead"),
        or_slower(facts, "batched map access", Feature::MapBatch, "maps are read entry by entry instead"),
        plain(facts, "global variables", Feature::GlobalData, &[]),
        kernel_reads(facts),
    ]
}

fn ring_buffers(facts: &Facts<'_>) -> Row {
    let instead = facts.works(Feature::PerfBuffer);
    plain(facts, "ring buffers", Feature::RingBuffer, &[]).advise_missing(instead, "use BPF_PERF_OUTPUT instead")
}

/// Losses are counted from the buffer's own records; the kernel's count when read is the second opinion.
fn loss_counts(facts: &Facts<'_>) -> Row {
    const TOPIC: &str = "perf loss counts";
    match (facts.support)(Feature::PerfFormatLost) {
        Support::Supported => Row::good(TOPIC, "exact, by the kernel"),
        refusal if facts.is_refused_for_rights(&refusal) => Row::missing(TOPIC, facts.why_not(&refusal, &[])),
        refusal => Row::limited(TOPIC, format!("from the buffer's own records only ({refusal})")),
    }
}

fn or_slower(facts: &Facts<'_>, topic: &'static str, feature: Feature, instead: &str) -> Row {
    match (facts.support)(feature) {
        Support::Supported => Row::good(topic, "work"),
        refusal if facts.is_refused_for_rights(&refusal) => Row::missing(topic, facts.why_not(&refusal, &[])),
        refusal => Row::limited(topic, facts.why_not(&refusal, &[])).advise(instead),
    }
}

fn kernel_reads(facts: &Facts<'_>) -> Row {
    const TOPIC: &str = "reads of kernel memory";
    match (facts.support)(Feature::ProbeReadKernel) {
        Support::Supported => Row::good(TOPIC, "by bpf_probe_read_kernel"),
        refusal => Row::missing(TOPIC, facts.why_not(&refusal, &["BPF_EVENTS"])),
    }
}

impl Row {
    /// Adds a line of advice to a row that is not good, if it holds.
    fn advise_missing(self, holds: bool, advice: &str) -> Self {
        let needed = self.verdict != super::row::Verdict::Good;
        self.advise_if(needed && holds, advice)
    }
}
