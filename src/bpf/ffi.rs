// SPDX-License-Identifier: Apache-2.0
//! Map operations for LuaJIT's FFI: plain C types, no panic and no Lua across the line.
//!
//! All return 0 or a count, or `-errno`. Pointers must be good for the sizes that the map has; a null `key` stands for
//! "before the first" where a walk begins, and for "no key" in queues. The C declarations, for `ffi.cdef`, are [`CDEF`];
//! the addresses, for `ffi.cast`, are [`functions`].

use std::ffi::{c_int, c_uint, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

/// The C declarations of this file's types and of the types of its functions.
pub const CDEF: &str = "\
typedef struct {
  int fd;               /* the map */
  uint32_t key_size;    /* bytes of a key */
  uint32_t value_size;  /* bytes of one lookup: all CPUs' values in a per-CPU map */
  uint32_t state;       /* 0 before the first call */
  void *token;          /* max(key_size, 8) bytes that live as long as the cursor */
} bpflua_cursor;
typedef int (*bpflua_map_lookup_t)(int fd, const void *key, void *value);
typedef int (*bpflua_map_lookup_and_delete_t)(int fd, const void *key, void *value);
typedef int (*bpflua_map_update_t)(int fd, const void *key, const void *value, uint64_t flags);
typedef int (*bpflua_map_delete_t)(int fd, const void *key);
typedef int (*bpflua_map_next_key_t)(int fd, const void *key, void *next_key);
typedef int (*bpflua_map_read_t)(bpflua_cursor *cursor, void *keys, void *values, uint32_t count);
typedef int (*bpflua_map_drain_t)(bpflua_cursor *cursor, void *keys, void *values, uint32_t count);
typedef int (*bpflua_map_update_batch_t)(const bpflua_cursor *map, const void *keys, const void *values, uint32_t *count, uint64_t flags);
typedef int (*bpflua_map_delete_batch_t)(const bpflua_cursor *map, const void *keys, uint32_t count);
";

/// The functions by the name of their C type without `_t`, with their addresses.
pub fn functions() -> [(&'static str, *const c_void); 9] {
    [
        ("bpflua_map_lookup", bpflua_map_lookup as *const c_void),
        ("bpflua_map_lookup_and_delete", bpflua_map_lookup_and_delete as *const c_void),
        ("bpflua_map_update", bpflua_map_update as *const c_void),
        ("bpflua_map_delete", bpflua_map_delete as *const c_void),
        ("bpflua_map_next_key", bpflua_map_next_key as *const c_void),
        ("bpflua_map_read", bpflua_map_read as *const c_void),
        ("bpflua_map_drain", bpflua_map_drain as *const c_void),
        ("bpflua_map_update_batch", bpflua_map_update_batch as *const c_void),
        ("bpflua_map_delete_batch", bpflua_map_delete_batch as *const c_void),
    ]
}

/// Where a walk over a map stands; zeroed but for the sizes, the descriptor and the token before the first call.
#[repr(C)]
#[derive(Debug)]
pub struct Cursor {
    /// The map.
    pub fd: c_int,
    /// Bytes of a key.
    pub key_size: u32,
    /// Bytes of one lookup.
    pub value_size: u32,
    /// One of the `STATE_` values.
    pub state: u32,
    /// `max(key_size, 8)` bytes that live as long as the cursor: where the kernel's batch, or our walk, stands.
    pub token: *mut c_void,
}

const STATE_START: u32 = 0;
/// In the middle of the kernel's batch.
const STATE_BATCH: u32 = 1;
/// Walking key by key, since the kernel has no batches for this map.
const STATE_KEYS: u32 = 2;
const STATE_END: u32 = 3;

/// A panic must not cross into C.
fn guarded(operation: impl FnOnce() -> c_int) -> c_int {
    catch_unwind(AssertUnwindSafe(operation)).unwrap_or(-libc::EIO)
}

/// Copies the value of `*key` to `*value`; `-ENOENT` when there is none. A null `key` peeks into a queue or stack.
///
/// # Safety
/// `key` and `value` must be good for the sizes that the map has.
pub unsafe extern "C" fn bpflua_map_lookup(fd: c_int, key: *const c_void, value: *mut c_void) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { libbpf_sys::bpf_map_lookup_elem(fd, key, value) }
}

/// The same, and takes the key out of the map. A null `key` pops from a queue or stack.
///
/// # Safety
/// As [`bpflua_map_lookup`].
pub unsafe extern "C" fn bpflua_map_lookup_and_delete(fd: c_int, key: *const c_void, value: *mut c_void) -> c_int {
    // SAFETY: the caller's promise.
    let ret = unsafe { libbpf_sys::bpf_map_lookup_and_delete_elem(fd, key, value) };
    // Hashes have it since 5.14 only; queues always.
    if !lacks(ret) || key.is_null() {
        return ret;
    }
    // SAFETY: the caller's promise.
    match unsafe { libbpf_sys::bpf_map_lookup_elem(fd, key, value) } {
        // SAFETY: the caller's promise.
        0 => unsafe { libbpf_sys::bpf_map_delete_elem(fd, key) },
        ret => ret,
    }
}

/// Sets the value of `*key`; flags are `BPF_ANY` (0), `BPF_NOEXIST` (1), `BPF_EXIST` (2). A null `key` pushes.
///
/// # Safety
/// As [`bpflua_map_lookup`].
pub unsafe extern "C" fn bpflua_map_update(fd: c_int, key: *const c_void, value: *const c_void, flags: u64) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { libbpf_sys::bpf_map_update_elem(fd, key, value, flags) }
}

/// Deletes `*key`; `-ENOENT` when it was not there.
///
/// # Safety
/// As [`bpflua_map_lookup`].
pub unsafe extern "C" fn bpflua_map_delete(fd: c_int, key: *const c_void) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { libbpf_sys::bpf_map_delete_elem(fd, key) }
}

/// Writes the key after `*key`, or the first when `key` is null, to `*next_key`; `-ENOENT` after the last.
///
/// # Safety
/// `key` and `next_key` must be good for the map's key size.
pub unsafe extern "C" fn bpflua_map_next_key(fd: c_int, key: *const c_void, next_key: *mut c_void) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { libbpf_sys::bpf_map_get_next_key(fd, key, next_key) }
}

/// Copies up to `count` keys and values, and moves the cursor behind them. Returns how many; 0 at the end; `-ENOSPC` when
/// `count` is less than what the kernel hands out at once (call again with more room; the cursor has not moved).
///
/// # Safety
/// `keys` and `values` must be good for `count` keys and lookups of the cursor's sizes, and its token as it says.
pub unsafe extern "C" fn bpflua_map_read(
    cursor: *mut Cursor,
    keys: *mut c_void,
    values: *mut c_void,
    count: c_uint,
) -> c_int {
    // SAFETY: the caller's promise; the reference ends with this call.
    guarded(|| unsafe { read(&mut *cursor, keys.cast(), values.cast(), count, false) })
}

/// The same, and deletes what it copies.
///
/// # Safety
/// As [`bpflua_map_read`].
pub unsafe extern "C" fn bpflua_map_drain(
    cursor: *mut Cursor,
    keys: *mut c_void,
    values: *mut c_void,
    count: c_uint,
) -> c_int {
    // SAFETY: the caller's promise; the reference ends with this call.
    guarded(|| unsafe { read(&mut *cursor, keys.cast(), values.cast(), count, true) })
}

/// # Safety
/// As [`bpflua_map_read`].
unsafe fn read(cursor: &mut Cursor, keys: *mut u8, values: *mut u8, count: u32, delete: bool) -> c_int {
    if cursor.state == STATE_START || cursor.state == STATE_BATCH {
        // SAFETY: the caller's promise.
        let ret = unsafe { read_batch(cursor, keys, values, count, delete) };
        if !(lacks(ret) && cursor.state == STATE_START) {
            return ret;
        }
        cursor.state = STATE_KEYS;
        // SAFETY: the caller's promise.
        return unsafe { walk(cursor, ptr::null(), keys, values, count, delete) };
    }
    if cursor.state == STATE_END {
        return 0;
    }
    let last = cursor.token.cast::<u8>().cast_const();
    // SAFETY: the caller's promise; the token holds the last key. When that is no longer in the map, the kernel goes on
    // from the start.
    unsafe { walk(cursor, last, keys, values, count, delete) }
}

/// # Safety
/// As [`bpflua_map_read`].
unsafe fn read_batch(cursor: &mut Cursor, keys: *mut u8, values: *mut u8, count: u32, delete: bool) -> c_int {
    let opts = batch_opts(0);
    let mut done = count;
    let from = if cursor.state == STATE_BATCH { cursor.token } else { ptr::null_mut() };
    let (keys, values) = (keys.cast(), values.cast());
    // SAFETY: the caller's promise; the token is large enough for what the kernel notes there (a key, or 4 bytes).
    let ret = unsafe {
        match delete {
            false => libbpf_sys::bpf_map_lookup_batch(
                cursor.fd,
                from,
                cursor.token,
                keys,
                values,
                &mut done,
                &raw const opts,
            ),
            true => libbpf_sys::bpf_map_lookup_and_delete_batch(
                cursor.fd,
                from,
                cursor.token,
                keys,
                values,
                &mut done,
                &raw const opts,
            ),
        }
    };
    match ret {
        0 => cursor.state = STATE_BATCH,
        ret if ret == -libc::ENOENT => cursor.state = STATE_END,
        ret => return ret,
    }
    // `count` never exceeds what fits an int: the buffers are smaller.
    done as c_int
}

/// Key by key, for maps and kernels without batches.
///
/// # Safety
/// As [`bpflua_map_read`]; `last` is null or the key to go on from, and may be the cursor's token.
unsafe fn walk(
    cursor: &mut Cursor,
    mut last: *const u8,
    keys: *mut u8,
    values: *mut u8,
    count: u32,
    delete: bool,
) -> c_int {
    let (key_size, value_size) = (cursor.key_size as usize, cursor.value_size as usize);
    let mut done = 0;
    while done < count as usize {
        // SAFETY: `done` is below `count`, for which the caller promises room; `last` is null, the token, or a key
        // that was written before.
        let (key, ret) = unsafe {
            let key = keys.add(done * key_size);
            (key, libbpf_sys::bpf_map_get_next_key(cursor.fd, last.cast(), key.cast()))
        };
        if ret == -libc::ENOENT {
            cursor.state = STATE_END;
            break;
        }
        if ret < 0 {
            return ret;
        }
        // SAFETY: as above.
        let found =
            unsafe { libbpf_sys::bpf_map_lookup_elem(cursor.fd, key.cast(), values.add(done * value_size).cast()) };
        // SAFETY: the token holds a key; both do not overlap, since the token is no part of `keys`.
        unsafe { ptr::copy_nonoverlapping(key, cursor.token.cast(), key_size) };
        last = cursor.token.cast::<u8>().cast_const();
        if found == -libc::ENOENT {
            // Deleted by someone between the two calls.
            continue;
        }
        if found < 0 {
            return found;
        }
        if delete {
            // SAFETY: `key` is a key that was written above. Somebody else may have been faster, which is as good.
            unsafe { libbpf_sys::bpf_map_delete_elem(cursor.fd, key.cast()) };
        }
        done += 1;
    }
    done as c_int
}

/// Sets `*count` values, and writes to it how many were set. Returns 0, or the first failure.
///
/// # Safety
/// `keys` and `values` must hold `*count` keys and lookups of the cursor's sizes; its state and token are not used.
pub unsafe extern "C" fn bpflua_map_update_batch(
    map: *const Cursor,
    keys: *const c_void,
    values: *const c_void,
    count: *mut c_uint,
    flags: u64,
) -> c_int {
    guarded(|| {
        let opts = batch_opts(flags);
        // SAFETY: the caller's promise; the references end with this call.
        let (map, count) = unsafe { (&*map, &mut *count) };
        let wanted = *count as usize;
        // SAFETY: the caller's promise.
        let ret = unsafe { libbpf_sys::bpf_map_update_batch(map.fd, keys, values, count, &raw const opts) };
        if !lacks(ret) {
            return ret;
        }
        let one = |index: usize| {
            let (key, value) = (index * map.key_size as usize, index * map.value_size as usize);
            // SAFETY: `index` is below what the caller promises room for.
            unsafe { libbpf_sys::bpf_map_update_elem(map.fd, keys.byte_add(key), values.byte_add(value), flags) }
        };
        let failure = (0..wanted).map(one).enumerate().find(|(_, ret)| *ret != 0);
        *count = failure.map_or(wanted, |(index, _)| index) as c_uint;
        failure.map_or(0, |(_, ret)| ret)
    })
}

/// Deletes `count` keys; keys that are not there do not matter. Returns 0, or the first failure.
///
/// # Safety
/// `keys` must hold `count` keys of the cursor's size; its other sizes, state and token are not used.
pub unsafe extern "C" fn bpflua_map_delete_batch(map: *const Cursor, keys: *const c_void, count: c_uint) -> c_int {
    guarded(|| {
        // SAFETY: the caller's promise; the reference ends with this call.
        let map = unsafe { &*map };
        // One by one from the start: a batch stops at the first key that is not there.
        let one = |index: usize| {
            // SAFETY: `index` is below `count`, for which the caller promises room.
            unsafe { libbpf_sys::bpf_map_delete_elem(map.fd, keys.byte_add(index * map.key_size as usize)) }
        };
        let failed = |ret: &c_int| *ret != 0 && *ret != -libc::ENOENT;
        let mut done = count;
        let opts = batch_opts(0);
        // SAFETY: the caller's promise.
        match unsafe { libbpf_sys::bpf_map_delete_batch(map.fd, keys, &mut done, &raw const opts) } {
            0 => 0,
            _ => (0..count as usize).map(one).find(failed).unwrap_or(0),
        }
    })
}

fn batch_opts(elem_flags: u64) -> libbpf_sys::bpf_map_batch_opts {
    libbpf_sys::bpf_map_batch_opts {
        sz: size_of::<libbpf_sys::bpf_map_batch_opts>() as _,
        elem_flags,
        ..Default::default()
    }
}

/// Whether the kernel says that this map does not do this (`ENOTSUPP` is 524, and has no name in C).
fn lacks(ret: c_int) -> bool {
    [-libc::EINVAL, -libc::EOPNOTSUPP, -524].contains(&ret)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_function_is_declared() {
        for (name, address) in functions() {
            assert!(CDEF.contains(&format!("(*{name}_t)")), "{name}");
            assert!(!address.is_null());
        }
        assert_eq!(CDEF.matches("_t)(").count(), functions().len());
    }

    #[test]
    fn panics_stay_here() {
        assert_eq!(guarded(|| panic!("a test's")), -libc::EIO);
    }
}
