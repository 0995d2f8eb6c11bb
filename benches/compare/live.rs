// SPDX-License-Identifier: Apache-2.0
//! Events at full rate: a program calls `getppid` on one processor as fast as it goes, the reader has another one.

use std::process::Command;

use super::model::{Row, Series, number};
use super::peers::{self, BPFLUA, BPFTRACE, LIBBPF, PYTHON};
use super::process::{self, Running, pinned};
use super::rounds;

const ROUNDS: usize = 5;
const SECONDS: &str = "1";

/// What came of one storm.
struct Outcome {
    /// Nanoseconds for a call of the traced program.
    call_ns: f64,
    /// Of a hundred events, how many were lost; none when the reader does not tell.
    lost_percent: Option<f64>,
    /// Whether delivered and lost add up to what was submitted.
    is_exact: bool,
    events_per_second: f64,
}

/// How long a call of the storm's takes, and how many there were.
fn storm() -> Result<(f64, f64), String> {
    let mut command = process::command(&[peers::work().join("peers/storm").display().to_string(), SECONDS.to_owned()]);
    let output = pinned(&mut command, 1).output().map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut words = text.split_whitespace().map(str::parse::<f64>);
    match (words.next(), words.next()) {
        (Some(Ok(calls)), Some(Ok(nanos))) => Ok((nanos / calls, calls / nanos * 1e9)),
        _ => Err(format!("the storm said `{}`", text.trim())),
    }
}

fn outcome(mut command: Command, is_silent: bool) -> Result<Outcome, String> {
    let mut running = Running::start(pinned(&mut command, 0))?;
    if is_silent {
        std::thread::sleep(std::time::Duration::from_secs(2));
    } else {
        running.ready()?;
    }
    let (call_ns, events_per_second) = storm()?;
    if is_silent {
        running.kill();
        return Ok(Outcome { call_ns, lost_percent: None, is_exact: false, events_per_second });
    }
    running.signal(libc::SIGINT);
    let told = running.line_of("told ")?;
    running.kill();
    let figures: Vec<f64> = told.split(' ').filter_map(|word| word.parse().ok()).collect();
    let [delivered, lost, hits] = figures[..] else { return Err(format!("it said `{told}`")) };
    let lost_percent = Some(100.0 * (hits - delivered) / hits.max(1.0));
    Ok(Outcome { call_ns, lost_percent, is_exact: delivered + lost == hits, events_per_second })
}

fn commands(kind: &str) -> Vec<(&'static str, Command)> {
    let with = |mut command: Command| {
        command.arg(kind);
        command
    };
    let mut list = vec![
        (BPFLUA, with(peers::script("live", &[]))),
        (LIBBPF, with(peers::libbpf("live"))),
        (PYTHON, with(peers::python("live"))),
    ];
    if kind == "perf" {
        let mut bpftrace = Command::new("bpftrace");
        let text = "tracepoint:syscalls:sys_enter_getppid { printf(\"%d %d %s\\n\", pid, nsecs, comm); }";
        bpftrace.args(["-o", "/dev/null", "-e", text]);
        list.push((BPFTRACE, bpftrace));
    }
    list
}

fn measure(kind: &str) -> Row {
    let mut row =
        Row::new(&format!("live-{kind}"), &format!("a traced call at full rate, {kind} buffer"), "ns for a call");
    let mut free = Vec::new();
    let mut exact = true;
    let mut said = Vec::new();
    for round in 0..rounds(ROUNDS) {
        free.extend(storm().map(|(nanos, _)| nanos));
        for (who, command) in commands(kind) {
            let outcome = match outcome(command, who == BPFTRACE) {
                Ok(outcome) => outcome,
                Err(why) if round == 0 => {
                    row.note(format!("{who} could not run: {why}"));
                    continue;
                }
                Err(_) => continue,
            };
            if who == BPFLUA {
                exact &= outcome.is_exact;
            }
            let lost =
                outcome.lost_percent.map_or("unknown losses".to_owned(), |lost| format!("{} % lost", number(lost)));
            said.push((who, outcome.lost_percent, format!("{}/s, {lost}", number(outcome.events_per_second))));
            match row.series.iter_mut().find(|series| series.who == who) {
                Some(series) => series.samples.push(outcome.call_ns),
                None => row.series.push(Series::new(who, vec![outcome.call_ns])),
            }
        }
    }
    row.series.push(Series::new("not traced", free));
    row.must_keep_up(BPFLUA, LIBBPF, 1.1);
    let of = |who: &str| said.iter().filter(|(whose, ..)| *whose == who).collect::<Vec<_>>();
    let worst = of(BPFLUA).iter().filter_map(|(_, lost, _)| *lost).fold(0.0, f64::max);
    row.must("no event lost", format!("{} % at worst", number(worst)), worst == 0.0 && !of(BPFLUA).is_empty());
    row.must("delivered and lost are what was submitted", if exact { "each time" } else { "not each time" }, exact);
    for who in [BPFLUA, LIBBPF, PYTHON, BPFTRACE] {
        let words: Vec<&str> = of(who).iter().map(|(.., words)| words.as_str()).collect();
        if !words.is_empty() {
            row.note(format!("{who}: {}.", words.join("; ")));
        }
    }
    row
}

pub fn rows() -> Vec<Row> {
    vec![measure("perf"), measure("ring")]
}
