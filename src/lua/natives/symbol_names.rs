// SPDX-License-Identifier: Apache-2.0
//! Names of addresses as C functions for LuaJIT's FFI: handlers that ask for one per event stay compiled.

use std::cell::Cell;
use std::ffi::{c_char, c_void};
use std::sync::Arc;

use super::symbolize::State;
use crate::events::ctype::{c_struct, exports};
use crate::kernel::kallsyms::{self, Kallsyms};

c_struct! {
    /// A name. Its bytes are good until the next question.
    pub struct Name as "bpflua_name" {
        /// The first byte; there is no NUL behind the last.
        text: *const c_char,
        /// Bytes.
        len: u32,
    }
}

/// The C declarations that the functions need.
pub fn cdef() -> String {
    Name::cdef()
}

thread_local! {
    /// What the last answer points into.
    static ASKED: Cell<Option<Arc<Kallsyms>>> = const { Cell::new(None) };
}

fn find(address: u64) -> Option<Name> {
    let symbols = kallsyms::shared_with(address).ok()?;
    if symbols.addresses_hidden() {
        return None;
    }
    let name = symbols.locate(address)?.symbol.name;
    let name = Name { text: name.as_ptr().cast(), len: name.len() as u32 };
    ASKED.set(Some(symbols));
    Some(name)
}

exports! {
    /// Finds the kernel function that an address lies in. 0: there is none, or the kernel does not tell; `native.symbolize.text`
    /// says which.
    fn symbol_of_kernel(address: u64, found: *mut Name) -> i32, or 0; {
        match find(address) {
            Some(name) => {
                // SAFETY: `scripts/lib/symbols.lua` passes a structure of its own, of this layout.
                unsafe { found.write(name) };
                1
            }
            None => 0,
        }
    }

    /// Finds the function that an address of a process lies in. 0: there is none, or the process cannot be looked at, as above.
    fn symbol_of_process(state: *const c_void, pid: u32, address: u64, demangle: i32, found: *mut Name) -> i32, or 0; {
        // SAFETY: `scripts/lib/symbols.lua` passes what `native.symbolize.handle` gave it, which lives as long as its VM.
        let state = unsafe { &*state.cast::<State>() };
        match state.name_in(pid, address, demangle != 0) {
            Some((text, len)) => {
                // SAFETY: as above.
                unsafe { found.write(Name { text: text.cast(), len: len as u32 }) };
                1
            }
            None => 0,
        }
    }
}
