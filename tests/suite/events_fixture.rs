// SPDX-License-Identifier: Apache-2.0
//! Programs that submit an exact number of events, run on a CPU of choice; and tests in a process of their own.

use std::ffi::c_void;
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, RawFd};
use std::process::{Child, Command, Stdio};

use bpflua::events::ffi;
use libbpf_rs::{MapCore as _, Object, ObjectBuilder};
use mlua::{Function, LightUserData, Lua, Table, Value};

use super::harness::skip;

const OBJECT: &[u8] = include_bytes!("../fixtures/events/events.bpf.o");
/// Events that one run of a program submits, at most.
pub const MOST_EVENTS: u64 = 256;
/// The same for `ring_reserved`.
pub const MOST_RESERVED: u64 = 64;

/// What the programs submit.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Event {
    pub pid: u32,
    pub tid: u32,
    pub ts: u64,
    pub val: u64,
    pub comm: [u8; 16],
}

/// The size of [`Event`].
pub const EVENT_BYTES: u64 = size_of::<Event>() as u64;

/// The loaded programs and their maps.
pub struct Fixture {
    object: Object,
}

impl Fixture {
    /// Loads the programs; says so and gives nothing when that needs root.
    pub fn load() -> Option<Self> {
        Self::load_with(1 << 16)
    }

    /// The same with a ring buffer of so many bytes.
    pub fn load_with(ring_bytes: u32) -> Option<Self> {
        // SAFETY: no preconditions.
        if unsafe { libc::geteuid() } != 0 {
            skip("it needs root");
            return None;
        }
        let mut object = ObjectBuilder::default().open_memory(OBJECT).unwrap();
        object.maps_mut().find(|map| map.name() == "ring").unwrap().set_max_entries(ring_bytes).unwrap();
        Some(Fixture { object: object.load().unwrap() })
    }

    /// The descriptor of a map.
    pub fn map(&self, name: &str) -> BorrowedFd<'_> {
        let map = self.object.maps().find(|map| map.name() == name).unwrap();
        // SAFETY: the object keeps the map open for as long as `self` lives.
        unsafe { BorrowedFd::borrow_raw(map.as_fd().as_raw_fd()) }
    }

    /// A program, good for as long as the fixture lives.
    pub fn program(&self, name: &str) -> Program {
        let program = self.object.progs().find(|program| program.name() == name).unwrap();
        Program {
            fd: program.as_fd().as_raw_fd(),
            most: if name == "ring_reserved" { MOST_RESERVED } else { MOST_EVENTS },
        }
    }

    /// Submits `count` events, numbered from `first`, on `cpu`; returns how many the kernel took.
    pub fn submit(&self, program: &str, cpu: u32, count: u64, first: u64, bytes: u64) -> u64 {
        self.program(program).submit(cpu, count, first, bytes)
    }
}

/// One of the fixture's programs.
#[derive(Clone, Copy)]
pub struct Program {
    fd: RawFd,
    most: u64,
}

impl Program {
    /// See [`Fixture::submit`].
    pub fn submit(self, cpu: u32, count: u64, first: u64, bytes: u64) -> u64 {
        let end = first + count;
        let runs = (first..end).step_by(self.most as usize);
        runs.map(|from| self.run(cpu, [(end - from).min(self.most), from, bytes, 0])).sum()
    }

    fn run(self, cpu: u32, arguments: [u64; 4]) -> u64 {
        let mut options = libbpf_sys::bpf_test_run_opts {
            sz: size_of::<libbpf_sys::bpf_test_run_opts>() as u64,
            ctx_in: arguments.as_ptr().cast(),
            ctx_size_in: size_of_val(&arguments) as u32,
            cpu,
            flags: libbpf_sys::BPF_F_TEST_RUN_ON_CPU,
            ..Default::default()
        };
        // SAFETY: the options are valid and point to the arguments, which live through the call.
        let result = unsafe { libbpf_sys::bpf_prog_test_run_opts(self.fd, &mut options) };
        assert_eq!(result, 0, "bpf_prog_test_run");
        u64::from(options.retval)
    }
}

/// The CPUs that are online.
pub fn cpus() -> Vec<u32> {
    // SAFETY: no preconditions.
    (0..unsafe { libc::sysconf(libc::_SC_NPROCESSORS_ONLN) } as u32).collect()
}

const CHILD: &str = "BPFLUA_TEST_CHILD";

/// Runs the rest of the test `name` in a process of its own, because it raises the stop flag or takes signals. Returns
/// that process, or nothing when this is it.
pub fn in_child(name: &str) -> Option<Child> {
    if std::env::var_os(CHILD).is_some_and(|value| value == name) {
        return None;
    }
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", name, "--nocapture", "--test-threads=1"]).env(CHILD, name);
    Some(command.stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap())
}

/// Waits for a child and fails if it failed.
pub fn expect_success(child: Child) {
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}: {}", output.status, String::from_utf8_lossy(&output.stdout));
}

/// Sends a signal to this process after some time.
pub fn signal_after(milliseconds: u64, signal: libc::c_int) {
    std::thread::spawn(move || {
        std::thread::sleep(std::time::Duration::from_millis(milliseconds));
        // SAFETY: our own process.
        unsafe { libc::kill(libc::getpid(), signal) };
    });
}

/// The files of the loop, the last of which requires the others.
const LOOP: [(&str, &str); 3] = [
    ("loop_buffers", include_str!("../../scripts/lib/loop_buffers.lua")),
    ("loop_trace", include_str!("../../scripts/lib/loop_trace.lua")),
    ("loop", include_str!("../../scripts/lib/loop.lua")),
];

/// A Lua state without the Lua room, with `Loop` (`scripts/lib/loop.lua`), the host's `functions`, `ffi`, and the C type
/// `event`.
pub fn lua_with_loop() -> Lua {
    // SAFETY: the chunks are ours.
    let lua = unsafe { Lua::unsafe_new() };
    let functions = lua.create_table().unwrap();
    lua.load("require('ffi').cdef(...)").call::<()>(ffi::cdef()).unwrap();
    let cast: Function = lua.load("return require('ffi').cast(...)").into_function().unwrap();
    for export in ffi::exports() {
        let address = LightUserData(export.address as *mut c_void);
        functions.set(export.name, cast.call::<Value>((export.ctype, address)).unwrap()).unwrap();
    }
    let loaded: Table = lua.load("return package.loaded").eval().unwrap();
    for (name, text) in LOOP {
        let module: Table = lua.load(text).set_name(format!("@scripts/lib/{name}.lua")).eval().unwrap();
        lua.globals().set("Loop", &module).unwrap();
        loaded.set(format!("bpflua.{name}"), module).unwrap();
    }
    lua.globals().set("functions", functions).unwrap();
    lua.load(
        r#"
        ffi = require("ffi")
        ffi.cdef("struct event { uint32_t pid, tid; uint64_t ts, val; char comm[16]; };")
        event = ffi.typeof("struct event")
        "#,
    )
    .exec()
    .unwrap();
    lua
}
