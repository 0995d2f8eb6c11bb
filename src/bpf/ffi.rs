// SPDX-License-Identifier: Apache-2.0
//! Map operations for LuaJIT's FFI: plain C types, no panic and no Lua across the line.
//!
//! All return 0 or a count, or `-errno`. Pointers must be good for the sizes that the map has; `next_key` takes a null
//! `key` for the first. The C declarations, for `ffi.cdef`, are [`CDEF`].

use std::ffi::{c_int, c_void};

/// The C declarations of this file.
pub const CDEF: &str = "\
int bpflua_map_lookup(int fd, const void *key, void *value);
int bpflua_map_update(int fd, const void *key, const void *value, uint64_t flags);
int bpflua_map_delete(int fd, const void *key);
int bpflua_map_next_key(int fd, const void *key, void *next_key);
int bpflua_map_lookup_and_delete(int fd, const void *key, void *value);
typedef struct {
  int fd;               /* the map */
  uint32_t key_size;    /* bytes of a key */
  uint32_t value_size;  /* bytes of one lookup: all CPUs' values in a per-CPU map */
  uint32_t state;       /* 0 before the first call */
  void *token;          /* max(key_size, 8) bytes that live as long as the cursor */
} bpflua_cursor;
int bpflua_map_read(bpflua_cursor *cursor, void *keys, void *values, uint32_t count);
int bpflua_map_drain(bpflua_cursor *cursor, void *keys, void *values, uint32_t count);
int bpflua_map_update_batch(int fd, const void *keys, const void *values, uint32_t key_size, uint32_t value_size, uint32_t count, uint64_t flags);
int bpflua_map_delete_batch(int fd, const void *keys, uint32_t key_size, uint32_t count);
";

/// Where a walk over a map stands. Zeroed but for the first three fields before the first call.
#[repr(C)]
#[derive(Debug)]
pub struct Cursor {
    /// The map.
    pub fd: c_int,
    /// Bytes of a key.
    pub key_size: u32,
    /// Bytes of one lookup.
    pub value_size: u32,
    /// 0 before the first call; ours from then on.
    pub state: u32,
    /// `max(key_size, 8)` bytes that live as long as the cursor.
    pub token: *mut c_void,
}

/// Copies the value of `*key` to `*value`; `-ENOENT` when there is none.
#[unsafe(no_mangle)]
pub extern "C" fn bpflua_map_lookup(_fd: c_int, _key: *const c_void, _value: *mut c_void) -> c_int {
    todo!()
}
