// SPDX-License-Identifier: Apache-2.0
//! Walking and emptying maps.

use std::process::Command;

use super::model::{Row, Series};
use super::peers::{self, BPFLUA, LIBBPF, LUA, PYTHON};
use super::process::{Running, pinned};
use super::{processes, rounds};

const ENTRIES: &str = "10240";
const ROUNDS: usize = 15;
const PROCESSES: usize = 3;

/// The sides, each with the word of a script.
pub fn sides(entries: &str, rounds: usize) -> Vec<(&'static str, Command)> {
    let with = |mut command: Command| {
        command.args([entries, &rounds.to_string()]);
        command
    };
    let mut lua = with(peers::bcc_lua("maps"));
    lua.env("TEXT", peers::file("texts/maps.c"));
    vec![
        (BPFLUA, with(peers::script("maps", &[]))),
        (LIBBPF, with(peers::libbpf("maps"))),
        (PYTHON, with(peers::python("maps"))),
        (LUA, lua),
    ]
}

/// What a side prints of one kind of work.
pub fn figures(text: &str, work: &str) -> Vec<f64> {
    text.lines().filter_map(|line| line.strip_prefix(work)?.trim().parse().ok()).collect()
}

pub fn rows() -> Vec<Row> {
    let row = |work: &str, title: &str| Row::new(&format!("maps-{work}"), title, "ns of processor time for an entry");
    let mut all = [
        ("items", row("items", "`items()` over a hash of 10,240 entries, values summed")),
        ("percpu", row("percpu", "`items()` over a per-CPU hash of 10,240 entries, all CPUs' values summed")),
        ("clear", row("clear", "`clear()` of a hash of 10,240 entries")),
    ];
    for process in 0..processes(PROCESSES) {
        for (who, mut command) in sides(ENTRIES, rounds(ROUNDS)) {
            let told = Running::start(pinned(&mut command, 0)).and_then(Running::rest);
            let text = match told {
                Ok(text) => text,
                Err(why) if process == 0 => {
                    all[0].1.note(format!("{who} could not run: {why}"));
                    continue;
                }
                Err(_) => continue,
            };
            for (work, row) in &mut all {
                let found = figures(&text, work);
                match row.series.iter_mut().find(|series| series.who == who) {
                    Some(series) => series.samples.extend(found),
                    None if found.is_empty() => (),
                    None => row.series.push(Series::new(who, found)),
                }
            }
        }
    }
    for (work, row) in &mut all {
        row.must_keep_up(BPFLUA, LIBBPF, 2.0);
        row.must_beat(BPFLUA, PYTHON, 20.0);
        if *work == "items" {
            row.must_beat(BPFLUA, LUA, 20.0);
        } else {
            row.note("bcc-lua reads the value of one CPU of a per-CPU hash, and has no `clear`.");
        }
        row.note("libbpf's side reads, or reads and deletes, in batches.");
    }
    all.into_iter().map(|(_, row)| row).collect()
}
