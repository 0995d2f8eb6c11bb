// SPDX-License-Identifier: Apache-2.0
//! Maps as Rust and as LuaJIT's FFI use them.

use std::ffi::c_void;
use std::os::fd::{AsFd as _, AsRawFd as _};
use std::ptr;

use bpflua::bpf::ffi::{self, Cursor};
use bpflua::bpf::{Map, MapKind};

use super::bpf_objects::create;

#[test]
fn root_hash_elements() {
    let Some(object) = create("probes") else { return };
    let counts = object.map("counts").unwrap();
    assert_eq!((counts.kind, counts.key_size, counts.value_size), (MapKind::HASH, 8, 8));
    assert!(counts.key_type_id != 0 && counts.value_type_id != 0);
    assert_eq!(counts.lookup(&[1; 8]).unwrap(), None);
    counts.update(&[1; 8], &[7; 8], 1).unwrap();
    assert_eq!(counts.update(&[1; 8], &[7; 8], 1).unwrap_err().errno(), Some(libc::EEXIST));
    assert_eq!(counts.lookup(&[1; 8]).unwrap().unwrap(), [7; 8]);
    assert_eq!(counts.keys().unwrap(), [[1; 8]]);
    assert!(counts.delete(&[1; 8]).unwrap());
    assert!(!counts.delete(&[1; 8]).unwrap());
    let err = counts.lookup(&[1; 4]).unwrap_err();
    assert_eq!(err.to_string(), "cannot look up a key in map `counts`: 4 bytes given where the map has 8");
    for n in 0..1024_u64 {
        counts.update(&n.to_ne_bytes(), &[0; 8], 0).unwrap();
    }
    let full = counts.update(&2000_u64.to_ne_bytes(), &[0; 8], 0).unwrap_err();
    assert!(full.why().contains("full"), "{full}");
    counts.clear().unwrap();
    assert_eq!(counts.keys().unwrap().len(), 0);
}

#[test]
fn root_other_kinds_of_map() {
    let Some(object) = create("probes") else { return };
    let percpu = object.map("percpu").unwrap();
    assert!(percpu.is_per_cpu());
    let size = percpu.lookup_size().unwrap();
    assert!(size >= 8 && size % 8 == 0);
    let ones: Vec<u8> = std::iter::repeat_n(1_u64.to_ne_bytes(), size / 8).flatten().collect();
    percpu.update(&[0; 4], &ones, 0).unwrap();
    assert_eq!(percpu.lookup(&[0; 4]).unwrap().unwrap(), ones);
    percpu.clear().unwrap();
    assert_eq!(percpu.lookup(&[0; 4]).unwrap().unwrap(), vec![0; size]);
    let queue = object.map("queue").unwrap();
    assert_eq!(queue.pop().unwrap(), None);
    queue.push(&[3; 8], 0).unwrap();
    assert_eq!(queue.peek().unwrap().unwrap(), [3; 8]);
    assert_eq!(queue.pop().unwrap().unwrap(), [3; 8]);
    let shared = object.map("shared").unwrap();
    let memory = shared.memory().unwrap();
    shared.update(&1_u32.to_ne_bytes(), &[9; 8], 0).unwrap();
    // SAFETY: the mapping holds four values of 8 bytes.
    let second = unsafe { memory.as_ptr().cast::<u64>().add(1).read_volatile() };
    assert_eq!(second.to_ne_bytes(), [9; 8]);
    assert!(!object.map(".rodata").unwrap().memory().unwrap().is_writable());
    assert!(object.map("counts").unwrap().memory().unwrap_err().why().contains("BPF_F_MMAPABLE"));
    assert_eq!(object.map("events").unwrap().kind, MapKind::PERF_EVENT_ARRAY);
    assert!(object.map("events").unwrap().max_entries > 0);
}

/// Reads a whole map in pieces of `count`.
fn read_all(map: &Map, state: u32, count: u32, drain: bool) -> Vec<(u64, u64)> {
    let mut token = [u64::MAX; 2];
    let mut cursor = Cursor {
        fd: map.as_fd().as_raw_fd(),
        key_size: 8,
        value_size: 8,
        state,
        token: ptr::from_mut(&mut token).cast(),
    };
    let (mut keys, mut values) = (vec![0_u64; count as usize], vec![0_u64; count as usize]);
    let mut all = Vec::new();
    loop {
        let (to_keys, to_values) = (keys.as_mut_ptr().cast(), values.as_mut_ptr().cast());
        // SAFETY: the buffers hold `count` keys and values, and the token 16 bytes.
        let got = unsafe {
            match drain {
                true => ffi::bpflua_map_drain(&raw mut cursor, to_keys, to_values, count),
                false => ffi::bpflua_map_read(&raw mut cursor, to_keys, to_values, count),
            }
        };
        assert!(got >= 0, "{got}");
        if got == 0 {
            break;
        }
        all.extend((0..got as usize).map(|n| (keys[n], values[n])));
    }
    all.sort_unstable();
    all
}

#[test]
fn root_ffi_walks_with_and_without_batches() {
    const STATE_KEYS: u32 = 2;
    let Some(object) = create("probes") else { return };
    let counts = object.map("counts").unwrap();
    let wanted: Vec<(u64, u64)> = (0..500).map(|n| (n, n * 3)).collect();
    let keys: Vec<u64> = wanted.iter().map(|(key, _)| *key).collect();
    let values: Vec<u64> = wanted.iter().map(|(_, value)| *value).collect();
    let fd = counts.as_fd().as_raw_fd();
    let map = Cursor { fd, key_size: 8, value_size: 8, state: 0, token: ptr::null_mut() };
    let fill = || {
        let mut count = 500;
        let (from_keys, from_values) = (keys.as_ptr().cast(), values.as_ptr().cast());
        // SAFETY: both vectors hold 500 elements of 8 bytes.
        let ret = unsafe { ffi::bpflua_map_update_batch(&raw const map, from_keys, from_values, &raw mut count, 0) };
        assert_eq!(count, 500);
        ret
    };
    assert_eq!(fill(), 0);
    assert_eq!(read_all(counts, 0, 128, false), wanted);
    // A walk that the kernel has no batches for begins as one that goes on after a key that is not there.
    let walked = read_all(counts, STATE_KEYS, 128, false);
    assert_eq!(walked, wanted);
    assert_eq!(read_all(counts, 0, 1024, true), wanted);
    assert!(counts.keys().unwrap().is_empty());
    assert_eq!(fill(), 0);
    // SAFETY: the vector holds 500 keys.
    assert_eq!(unsafe { ffi::bpflua_map_delete_batch(&raw const map, keys.as_ptr().cast(), 500) }, 0);
    // SAFETY: as above; keys that are not there do not matter.
    assert_eq!(unsafe { ffi::bpflua_map_delete_batch(&raw const map, keys.as_ptr().cast(), 500) }, 0);
    let mut value = 0_u64;
    // SAFETY: the key and the value are of 8 bytes.
    let found = unsafe { ffi::bpflua_map_lookup(fd, keys.as_ptr().cast(), (&raw mut value).cast::<c_void>()) };
    assert_eq!(found, -libc::ENOENT);
}
