// SPDX-License-Identifier: Apache-2.0
//! Probes of maps.

use super::insns::{R0, R1, exit, map_value, set, store_u32};
use super::programs::{SOCKET_FILTER, load};
use super::support::{Step, Support, answer};
use crate::kernel::sys::bpf::{self, Map};
use crate::kernel::sys::os;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

const HASH: u32 = 1;
const ARRAY: u32 = 2;
const PERF_EVENT_ARRAY: u32 = 4;
const RINGBUF: u32 = 27;

/// `BPF_F_MMAPABLE`
const MMAPABLE: u32 = 1 << 10;

fn create(what: &str, map: &Map) -> Step<OwnedFd> {
    bpf::create_map(map).map_err(|err| Support::refused(format!("BPF_MAP_CREATE of {what}"), &err))
}

pub(super) fn ring_buffer() -> Support {
    let map = Map { map_type: RINGBUF, key_size: 0, value_size: 0, max_entries: os::page_size(), flags: 0 };
    answer(create("a ring buffer", &map).map(drop))
}

pub(super) fn mmapable_array() -> Support {
    let map = Map { map_type: ARRAY, key_size: 4, value_size: 8, max_entries: 1, flags: MMAPABLE };
    answer(create("an array with BPF_F_MMAPABLE", &map).map(drop))
}

pub(super) fn perf_event_array() -> Step<OwnedFd> {
    let map = Map { map_type: PERF_EVENT_ARRAY, key_size: 4, value_size: 4, max_entries: 1, flags: 0 };
    create("a perf event array", &map)
}

pub(super) fn batch() -> Support {
    let map = Map { map_type: HASH, key_size: 4, value_size: 4, max_entries: 2, flags: 0 };
    answer(create("a hash", &map).and_then(|map| {
        bpf::update_batch(map.as_fd(), &[0, 0, 0, 0, 1, 0, 0, 0], &[0; 8], 2)
            .map_err(|err| Support::refused("BPF_MAP_UPDATE_BATCH on a hash", &err))
    }))
}

pub(super) fn global_data() -> Support {
    let map = Map { map_type: ARRAY, key_size: 4, value_size: 4, max_entries: 1, flags: 0 };
    answer(create("an array", &map).and_then(|map| {
        let [first, second] = map_value(R1, map.as_raw_fd());
        let insns = [first, second, store_u32(R1, 42), set(R0, 0), exit()];
        load("a program that writes a global variable", &SOCKET_FILTER, &insns).map(drop)
    }))
}
