// SPDX-License-Identifier: Apache-2.0
//! What an event costs its consumer: a Lua handler through `scripts/lib/loop.lua` against a C-like one through libbpf.
//!
//! `cargo bench --bench events` (as root). Buffers are filled first, by test runs of a program; then the consumer's CPU
//! time for emptying them is taken. The event has 40 bytes; the handler adds up one u64 field and counts by pid. Each
//! way runs in several processes by turns, because compiled Lua differs from process to process: the result is the
//! median of all rounds.

#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::expect_used, reason = "a benchmark, not the program")]

/// Stands in for the tests' harness, which the fixture tells of what it cannot do.
mod harness {
    pub(crate) fn skip(reason: &str) {
        println!("skipped: {reason}");
    }
}

#[path = "../tests/suite/events_fixture.rs"]
#[allow(dead_code, reason = "the tests use the rest")]
mod events_fixture;

use std::ffi::{c_int, c_void};
use std::os::fd::AsRawFd as _;
use std::process::Command;

use events_fixture::{EVENT_BYTES, Event, Fixture};
use mlua::{Function, Lua};

const EVENTS: u64 = 300_000;
const ROUNDS: usize = 5;
const PROCESSES: usize = 5;
/// Room for all events of a round.
const BUFFER_BYTES: u32 = 1 << 25;
const WAYS: [&str; 4] = ["perf, libbpf", "perf, Lua", "ring, libbpf", "ring, Lua"];

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    match arguments.get(1).map(String::as_str) {
        Some("--way") => println!("{:?}", rounds(&arguments[2])),
        Some("--idle") => println!("{}", idle()),
        Some("--live") => println!("{}", live(arguments[2].parse().unwrap())),
        _ => compare(),
    }
}

fn compare() {
    if Fixture::load().is_none() {
        return;
    }
    let mut times = vec![Vec::new(); WAYS.len()];
    for _ in 0..PROCESSES {
        for (way, times) in WAYS.iter().zip(&mut times) {
            let output = child(&["--way", way]);
            times.extend(output.trim_matches(['[', ']', '\n']).split(", ").map(|t| t.parse::<f64>().unwrap()));
        }
    }
    println!("ns per event, median (best) of {PROCESSES} processes x {ROUNDS} rounds x {EVENTS} events");
    for (pair, names) in times.chunks_mut(2).zip(WAYS.chunks(2)) {
        let medians: Vec<f64> = pair.iter_mut().map(|times| median(times)).collect();
        for (times, name) in pair.iter().zip(names) {
            println!(
                "{name:14} {:6.1} ({:.1})",
                median(&mut times.clone()),
                times.iter().copied().fold(f64::MAX, f64::min)
            );
        }
        println!("{:14} {:6.2}", "ratio", medians[1] / medians[0]);
    }
    println!("idle, 3 s: {}", child(&["--idle"]).trim());
    for wakeup_events in ["256", "1"] {
        println!("live, wake-up every {wakeup_events}: {}", child(&["--live", wakeup_events]).trim());
    }
}

fn child(arguments: &[&str]) -> String {
    let output = Command::new(std::env::current_exe().unwrap()).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn median(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// CPU time of this thread in nanoseconds.
fn cpu_ns() -> f64 {
    let mut ts = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: a valid timespec.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut ts) };
    ts.tv_sec as f64 * 1e9 + ts.tv_nsec as f64
}

fn rounds(way: &str) -> Vec<f64> {
    let fixture = Fixture::load_with(BUFFER_BYTES).expect("root");
    let (kind, by) = way.split_once(", ").unwrap();
    let program = fixture.program(&format!("{kind}_events"));
    let mut consume = if by == "Lua" { lua_consumer(&fixture, kind) } else { libbpf_consumer(&fixture, kind) };
    let round = |_| {
        assert_eq!(program.submit(0, EVENTS, 0, EVENT_BYTES), EVENTS);
        let before = cpu_ns();
        let sum = consume();
        let spent = cpu_ns() - before;
        assert_eq!(sum, EVENTS * (EVENTS - 1) / 2);
        spent / EVENTS as f64
    };
    (0..ROUNDS).map(round).collect()
}

// The C side.

struct Totals {
    sum: u64,
    by_pid: Vec<u64>,
}

fn count(totals: *mut c_void, data: *mut c_void) {
    // SAFETY: libbpf hands back our pointer, and the record it has just read.
    let (totals, event) = unsafe { (&mut *totals.cast::<Totals>(), data.cast::<Event>().read_unaligned()) };
    totals.sum += event.val;
    totals.by_pid[event.pid as usize & 0xffff] += 1;
}

extern "C" fn on_sample(totals: *mut c_void, _cpu: c_int, data: *mut c_void, _size: u32) {
    count(totals, data);
}

extern "C" fn on_record(totals: *mut c_void, data: *mut c_void, _size: libbpf_sys::size_t) -> c_int {
    count(totals, data);
    0
}

fn libbpf_consumer(fixture: &Fixture, kind: &str) -> Box<dyn FnMut() -> u64> {
    let totals = Box::into_raw(Box::new(Totals { sum: 0, by_pid: vec![0; 1 << 16] }));
    let consume: Box<dyn Fn()> = if kind == "perf" {
        let (fd, pages) = (fixture.map("events").as_raw_fd(), BUFFER_BYTES as u64 / 4096);
        // SAFETY: the totals live to the end of the process.
        let buffer =
            unsafe { libbpf_sys::perf_buffer__new(fd, pages, Some(on_sample), None, totals.cast(), std::ptr::null()) };
        assert!(!buffer.is_null());
        // SAFETY: made above.
        Box::new(move || assert_eq!(unsafe { libbpf_sys::perf_buffer__consume(buffer) }, 0))
    } else {
        let fd = fixture.map("ring").as_raw_fd();
        // SAFETY: as above.
        let ring = unsafe { libbpf_sys::ring_buffer__new(fd, Some(on_record), totals.cast(), std::ptr::null()) };
        assert!(!ring.is_null());
        // SAFETY: made above.
        Box::new(move || assert_eq!(unsafe { libbpf_sys::ring_buffer__consume(ring) }, EVENTS as c_int))
    };
    Box::new(move || {
        consume();
        // SAFETY: nobody else holds a reference now.
        std::mem::take(unsafe { &mut (*totals).sum })
    })
}

// The Lua side.

fn lua_with_loop(fixture: &Fixture) -> Lua {
    let lua = events_fixture::lua_with_loop();
    let globals = lua.globals();
    globals.set("perf_fd", fixture.map("events").as_raw_fd()).unwrap();
    globals.set("ring_fd", fixture.map("ring").as_raw_fd()).unwrap();
    globals.set("pages", BUFFER_BYTES / 4096).unwrap();
    globals.set("total", EVENTS).unwrap();
    lua.load("loop = Loop.new(functions)").exec().unwrap();
    lua
}

fn lua_consumer(fixture: &Fixture, kind: &str) -> Box<dyn FnMut() -> u64> {
    let lua = lua_with_loop(fixture);
    let consume: Function = lua
        .load(
            r#"
            local kind = ...
            local sum, by_pid = 0, {}
            local function handler(ev)
                sum = sum + tonumber(ev.val)
                local pid = ev.pid
                by_pid[pid] = (by_pid[pid] or 0) + 1
            end
            if kind == "perf" then
                loop:add_perf({ fd = perf_fd, ctype = event, page_cnt = pages, handler = handler })
            else
                loop:add_ring({ fd = ring_fd, ctype = event, handler = handler })
            end
            return function()
                local n = 0
                while n < total do n = n + loop:poll(0) end
                local result = sum
                sum, by_pid = 0, {}
                return result
            end
            "#,
        )
        .call(kind)
        .unwrap();
    Box::new(move || {
        let _state = &lua;
        consume.call::<f64>(()).unwrap() as u64
    })
}

/// CPU time of a loop with perf buffers on which nothing happens.
fn idle() -> String {
    let fixture = Fixture::load().expect("root");
    let lua = lua_with_loop(&fixture);
    lua.load("loop:add_perf({ fd = perf_fd, ctype = event, handler = print })").exec().unwrap();
    let before = cpu_ns();
    lua.load("loop:run(3)").exec().unwrap();
    let spent = cpu_ns() - before;
    format!("{:.2} ms of CPU time, {:.3} %", spent / 1e6, spent / 3e9 * 100.0)
}

/// A million events from another thread as fast as it can, with the default pages.
fn live(wakeup_events: u32) -> String {
    const MILLION: u64 = 1_000_000;
    let fixture = Fixture::load().expect("root");
    let lua = lua_with_loop(&fixture);
    lua.globals().set("wakeup_events", wakeup_events).unwrap();
    lua.load(
        r#"
        local sum = 0
        source = loop:add_perf({ fd = perf_fd, ctype = event, wakeup_events = wakeup_events, lost = function() end,
            handler = function(ev) sum = sum + tonumber(ev.val) end })
        "#,
    )
    .exec()
    .unwrap();
    let program = fixture.program("perf_events");
    let cpu = *events_fixture::cpus().last().unwrap();
    let started = std::time::Instant::now();
    let before = cpu_ns();
    let producer = std::thread::spawn(move || {
        program.submit(cpu, MILLION, 0, EVENT_BYTES);
        started.elapsed().as_secs_f64()
    });
    lua.load("repeat loop:run(0.05) until source:delivered() + source:lost() >= 1e6").exec().unwrap();
    let seconds = producer.join().unwrap();
    let spent = cpu_ns() - before;
    let (delivered, lost) = lua.load("return source:delivered(), source:lost()").eval::<(u64, u64)>().unwrap();
    assert_eq!(delivered + lost, MILLION);
    format!(
        "{MILLION} events submitted in {seconds:.2} s ({:.2} M/s): {delivered} delivered + {lost} lost, {:.0} ns of CPU time each",
        MILLION as f64 / seconds / 1e6,
        spent / delivered as f64
    )
}
