// SPDX-License-Identifier: Apache-2.0
//! How often what comes without a wake-up is looked for.

/// How often while events come in.
pub const FLUSH_NS: u64 = 10_000_000;
/// How often after [`IDLE_LOOKS`] looks that found nothing.
pub const IDLE_FLUSH_NS: u64 = 20_000_000;
const IDLE_LOOKS: u32 = 50;

/// The nanoseconds until the next look, after so many in a row that found nothing.
pub fn flush_ns(idle_looks: u32) -> u64 {
    if idle_looks >= IDLE_LOOKS { IDLE_FLUSH_NS } else { FLUSH_NS }
}
