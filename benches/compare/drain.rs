// SPDX-License-Identifier: Apache-2.0
//! What an event costs the process that takes it, without wake-ups and without waiting for whoever submits it.
//!
//! The consumer is stopped, a program that is traced fires so many events, the consumer goes on until it says that it has
//! them all: what it ran in between is the cost. The sum that it tells is checked.

use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use super::model::{Row, Series};
use super::peers::{self, BPFLUA, BPFTRACE, LIBBPF, LUA, PYTHON};
use super::process::{self, Running, pinned};
use super::{processes, rounds};

const EVENTS: u64 = 10_000;
const ROUNDS: usize = 7;
/// Processes of bpflua's and bcc-lua's: what LuaJIT compiles differs from one to the next.
const PROCESSES: usize = 3;

/// One consumer, in the middle of its rounds.
struct Consumer {
    who: &'static str,
    running: Result<Running, String>,
    /// Nanoseconds for an event.
    samples: Vec<f64>,
}

impl Consumer {
    fn start(who: &'static str, mut command: Command) -> Consumer {
        let running = Running::start(pinned(&mut command, 0)).and_then(|mut running| {
            if who == BPFTRACE {
                until_idle(&running);
            } else {
                running.ready()?;
            }
            Ok(running)
        });
        Consumer { who, running, samples: Vec::new() }
    }

    fn round(&mut self, is_kept: bool) {
        let Ok(running) = &mut self.running else { return };
        match drain(running, self.who) {
            Ok(nanos) if is_kept => self.samples.push(nanos),
            Ok(_) => (),
            Err(why) => self.running = Err(why),
        }
    }
}

/// The program that fires the events of this consumer alone: a probe is on a file, so that each has a copy of its own.
fn fire(who: &str) -> String {
    let original = peers::work().join("peers/fire");
    let copy = peers::work().join(format!("peers/fire-{}", who.replace(' ', "-")));
    if !copy.exists() {
        std::fs::copy(original, &copy).unwrap();
    }
    copy.display().to_string()
}

/// Nanoseconds for an event, of one round.
fn drain(running: &mut Running, who: &str) -> Result<f64, String> {
    running.signal(libc::SIGSTOP);
    let mut traced = process::command(&[fire(who), EVENTS.to_string()]);
    pinned(&mut traced, 1).status().map_err(|error| error.to_string())?;
    let before = running.cpu_ns();
    running.signal(libc::SIGCONT);
    if who == BPFTRACE {
        until_idle(running);
    } else {
        let sum: u64 = running.line_of("round ")?.parse().map_err(|_| "no sum")?;
        if sum != EVENTS * (EVENTS - 1) / 2 {
            return Err(format!("lost events: the sum of {EVENTS} is {sum}"));
        }
        sleep(Duration::from_millis(5));
    }
    Ok((running.cpu_ns() - before) as f64 / EVENTS as f64)
}

/// What bpftrace runs between two looks at it when nothing happens.
const NOISE_NS: u64 = 300_000;

/// Waits until it has run no more for a while: bpftrace does not say when it is ready or has taken all events.
fn until_idle(running: &Running) {
    let (mut before, mut quiet) = (0, 0);
    while quiet < 5 {
        sleep(Duration::from_millis(60));
        let now = running.cpu_ns();
        quiet = if now - before < NOISE_NS { quiet + 1 } else { 0 };
        before = now;
    }
}

fn consumers(kind: &str, how: &str) -> Vec<Consumer> {
    let words = |who: &str, mut command: Command| {
        command.args([kind, how, &fire(who), &EVENTS.to_string()]);
        command
    };
    let mut list = vec![
        Consumer::start(BPFLUA, words(BPFLUA, peers::script("drain", &[]))),
        Consumer::start(LIBBPF, words(LIBBPF, peers::libbpf("drain"))),
        Consumer::start(PYTHON, words(PYTHON, peers::python("drain"))),
    ];
    if kind == "perf" {
        let mut lua = words(LUA, peers::bcc_lua("drain"));
        lua.env("TEXT", peers::file("texts/perf.c"));
        list.push(Consumer::start(LUA, lua));
    }
    if how == "text" {
        list.push(Consumer::start(BPFTRACE, bpftrace()));
    }
    list
}

fn bpftrace() -> Command {
    let traced = format!("uprobe:{}:fire {{ printf(\"%-8d %-16s %d\\n\", arg0 & 63, comm, nsecs); }}", fire(BPFTRACE));
    let mut command = Command::new("bpftrace");
    command.args(["-o", "/dev/null", "-e", &traced]).env("BPFTRACE_PERF_RB_PAGES", "512");
    command
}

fn measure(kind: &'static str, how: &str) -> Row {
    let title = match how {
        "text" => format!("an event of 40 bytes written as a line of text, {kind} buffer"),
        _ => format!("an event of 40 bytes summed and counted by pid, {kind} buffer"),
    };
    let mut row = Row::new(&format!("{kind}-{how}"), &title, "ns of processor time for an event");
    for process in 0..processes(PROCESSES) {
        let mut list = consumers(kind, how);
        for round in 0..=rounds(ROUNDS) {
            list.iter_mut().for_each(|consumer| consumer.round(round > 0));
        }
        for consumer in list {
            match consumer.running {
                Ok(running) => running.kill(),
                Err(why) if process == 0 => row.note(format!("{} could not run: {why}", consumer.who)),
                Err(_) => (),
            }
            match row.series.iter_mut().find(|series| series.who == consumer.who) {
                Some(series) => series.samples.extend(consumer.samples),
                None if consumer.samples.is_empty() => (),
                None => row.series.push(Series::new(consumer.who, consumer.samples)),
            }
        }
    }
    row.note(format!(
        "{EVENTS} events are waiting in the buffer when the consumer goes on; the sum of all is checked each time."
    ));
    row
}

pub fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for kind in ["perf", "ring"] {
        let mut row = measure(kind, "sum");
        row.must_beat(BPFLUA, PYTHON, 50.0);
        if kind == "perf" {
            row.must_beat(BPFLUA, LUA, 8.0);
        } else {
            row.note("bcc-lua has no ring buffers.");
        }
        row.must_keep_up(BPFLUA, LIBBPF, 3.0);
        rows.push(row);
        let mut row = measure(kind, "text");
        row.must_keep_up(BPFLUA, LIBBPF, 1.5);
        rows.push(row);
    }
    rows
}
