// SPDX-License-Identifier: Apache-2.0
//! How many results a C function of Lua's gives, in a form that LuaJIT understands.
//!
//! LuaJIT's interpreter for x86-64 takes the count from all 64 bits of the register, of which a function that returns an
//! `int` owes it only 32: the rest may be anything (System V ABI, 3.2.1). rustc leaves parts of pointers there, as in mlua's
//! destructors once they are optimised, and the interpreter reads far beyond its stack. LuaJIT calls all C functions through
//! one of ours when asked to (`LUAJIT_MODE_WRAPCFUNC`), which passes the count on through memory. It costs a nanosecond of
//! each call; events come through the FFI, which calls none.

use std::ffi::c_int;
use std::hint::black_box;

use mlua::Lua;
use mlua::ffi::{self, lua_CFunction, lua_State};

/// `LUAJIT_MODE_WRAPCFUNC | LUAJIT_MODE_ON` of `luajit.h`.
const WRAP_C_FUNCTIONS: c_int = 0x10 | 0x0100;

unsafe extern "C-unwind" {
    fn luaJIT_setmode(state: *mut lua_State, index: c_int, mode: c_int) -> c_int;
}

/// Makes the counts of a VM's C functions whole, for as long as it lives.
pub fn make_whole(lua: &Lua) -> mlua::Result<()> {
    // SAFETY: the wrapper is a function of the form that this mode wants, as a light userdata on the top of the stack.
    unsafe {
        lua.exec_raw((), |state| {
            ffi::lua_pushlightuserdata(state, whole as *mut _);
            luaJIT_setmode(state, -1, WRAP_C_FUNCTIONS);
            ffi::lua_settop(state, -2);
        })
    }
}

/// Calls `function`; an error of Lua's may unwind through, as nothing here needs to be dropped.
unsafe extern "C-unwind" fn whole(state: *mut lua_State, function: lua_CFunction) -> c_int {
    // SAFETY: LuaJIT passes on what it was about to call.
    black_box(unsafe { function(state) })
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use mlua::StdLib;

    use super::*;

    core::arch::global_asm!(
        ".globl bpflua_test_two_and_more",
        "bpflua_test_two_and_more:",
        "movabs $0x7ffc123400000002, %rax",
        "ret",
        options(att_syntax)
    );

    unsafe extern "C-unwind" {
        fn bpflua_test_two_and_more(state: *mut lua_State) -> c_int;
    }

    #[test]
    fn the_upper_half_of_a_count_is_not_heeded() {
        // SAFETY: the VM runs nothing but what is here.
        let lua = unsafe { Lua::unsafe_new_with(StdLib::ALL, mlua::LuaOptions::default()) };
        make_whole(&lua).unwrap();
        // SAFETY: a function of the form that Lua wants; it gives the two values that it is called with.
        let function = unsafe { lua.create_c_function(bpflua_test_two_and_more) }.unwrap();
        assert_eq!(function.call::<(i64, i64)>((3, 4)).unwrap(), (3, 4));
    }
}
