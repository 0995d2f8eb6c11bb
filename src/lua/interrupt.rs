// SPDX-License-Identifier: Apache-2.0
//! Ctrl-C for a script that is in no event loop: a debug hook, armed by the signal handler, that raises an error.
//!
//! A loop sees the stop flag by itself, delivers what is left and returns, and the code after it runs. So the hook gives
//! way to a script that uses a loop: it raises only when the loop has not told the script within [`GRACE`]. LuaJIT is
//! built with `LUAJIT_ENABLE_CHECKHOOK`, without which a compiled loop would never see the hook.

use std::ffi::{CStr, c_int, c_void};
use std::time::{Duration, Instant};

use mlua::Lua;
use mlua::ffi::{self, lua_Debug, lua_State};

use crate::error::{Error, Result};
use crate::events::stop;

/// How long a loop may take to tell the script of the stop.
const GRACE: Duration = Duration::from_secs(2);
/// Instructions between two looks at the clock.
const LOOK_EVERY: c_int = 10_000;
/// What is raised; bcc-lua's scripts know this text.
const TEXT: &CStr = c"interrupted!";
/// The registry's name of the loop's table, with the fields `used` and `stop_told`.
pub const LOOP: &str = "bpflua.loop";
const LOOP_C: &CStr = c"bpflua.loop";

/// Signals reach this VM as long as this is alive.
#[derive(Debug)]
pub struct Interrupt(());

impl Interrupt {
    /// Takes SIGINT and SIGTERM for a VM. The VM must outlive the result.
    pub fn install(lua: &Lua) -> Result<Interrupt> {
        stop::rearm().map_err(|error| Error::io("cannot take Ctrl-C", &error))?;
        // SAFETY: the closure only looks at the pointer of the state.
        let state =
            unsafe { lua.exec_raw::<mlua::LightUserData>((), |state| ffi::lua_pushlightuserdata(state, state.cast())) };
        let state = state.map_err(|error| Error::bug("cannot take Ctrl-C", error.to_string()))?;
        // SAFETY: `arm` is async-signal-safe (LuaJIT says so of `lua_sethook`), and `Drop` takes it back before the VM ends.
        unsafe { stop::on_signal(Some(arm), state.0) };
        Ok(Interrupt(()))
    }
}

/// Takes back what the signal armed: what it was for has come to its end.
pub fn disarm(lua: &Lua) -> Result<()> {
    // SAFETY: the state is this thread's own, and between two instructions.
    let done = unsafe {
        lua.exec_raw::<()>((), |state| {
            ffi::lua_sethook(state, None, 0, 0);
        })
    };
    done.map_err(|error| Error::bug("cannot take Ctrl-C", error.to_string()))
}

impl Drop for Interrupt {
    fn drop(&mut self) {
        // SAFETY: nothing is called any more.
        unsafe { stop::on_signal(None, std::ptr::null_mut()) };
    }
}

extern "C" fn arm(state: *mut c_void) {
    // SAFETY: `Interrupt` keeps the state alive; `lua_sethook` may be called from a signal handler.
    unsafe {
        ffi::lua_sethook(state.cast(), Some(first), ffi::LUA_MASKCALL | ffi::LUA_MASKRET | ffi::LUA_MASKCOUNT, 1)
    };
}

/// The first look after the signal.
unsafe extern "C-unwind" fn first(state: *mut lua_State, _: *mut lua_Debug) {
    // SAFETY: a hook runs between two instructions of `state`, where its stack may be used.
    unsafe {
        // Code that was told of a stop by the loop and goes on has had its time.
        if !field(state, c"used") || field(state, c"stop_told") {
            raise(state);
        }
        ffi::lua_sethook(state, Some(again), ffi::LUA_MASKCOUNT, LOOK_EVERY);
    }
}

/// Every later look, while a loop is given its time.
unsafe extern "C-unwind" fn again(state: *mut lua_State, _: *mut lua_Debug) {
    thread_local! {
        static SINCE: std::cell::Cell<Option<Instant>> = const { std::cell::Cell::new(None) };
    }
    // SAFETY: as in `first`.
    unsafe {
        if field(state, c"stop_told") {
            ffi::lua_sethook(state, None, 0, 0);
            SINCE.set(None);
            return;
        }
        let since = SINCE.get().unwrap_or_else(Instant::now);
        SINCE.set(Some(since));
        if since.elapsed() > GRACE {
            SINCE.set(None);
            raise(state);
        }
    }
}

/// Whether a field of the loop's table is true.
///
/// # Safety
/// The state's stack may be used.
unsafe fn field(state: *mut lua_State, name: &CStr) -> bool {
    // SAFETY: raw access, three slots, given back.
    unsafe {
        let top = ffi::lua_gettop(state);
        if ffi::lua_checkstack(state, 3) == 0 {
            return false;
        }
        ffi::lua_pushstring(state, LOOP_C.as_ptr());
        ffi::lua_rawget(state, ffi::LUA_REGISTRYINDEX);
        let mut is_true = false;
        if ffi::lua_type(state, -1) == ffi::LUA_TTABLE {
            ffi::lua_pushstring(state, name.as_ptr());
            ffi::lua_rawget(state, -2);
            is_true = ffi::lua_toboolean(state, -1) != 0;
        }
        ffi::lua_settop(state, top);
        is_true
    }
}

/// Takes the hook back and raises the error; when Ctrl-C is pressed again and again, the next instruction raises it, too, so
/// that no `pcall` of the code stays in its way.
///
/// # Safety
/// Called from a hook.
unsafe fn raise(state: *mut lua_State) -> ! {
    // SAFETY: in a hook an error may be raised; no Rust value with a destructor is alive on the way.
    unsafe {
        match stop::presses() {
            0..=2 => ffi::lua_sethook(state, None, 0, 0),
            _ => ffi::lua_sethook(state, Some(first), ffi::LUA_MASKCOUNT, 1),
        };
        ffi::lua_pushstring(state, TEXT.as_ptr());
        ffi::lua_error(state)
    }
}
