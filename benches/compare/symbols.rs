// SPDX-License-Identifier: Apache-2.0
//! The names of addresses.

use super::maps::figures;
use super::model::Row;
use super::peers::{self, BPFLUA, PYTHON};
use super::process::{Running, pinned};
use super::rounds;

const COUNT: &str = "100000";
const ROUNDS: usize = 7;

pub fn rows() -> Vec<Row> {
    let title = |of: &str| format!("resolve 100,000 addresses of {of}");
    let unit = "ns of processor time for an address";
    let mut all = [
        ("kernel", Row::new("symbols-kernel", &title("the kernel"), unit)),
        ("user", Row::new("symbols-user", &title("a process"), unit)),
    ];
    for round in 0..rounds(ROUNDS) {
        for (who, mut command) in [(BPFLUA, peers::script("symbols", &[])), (PYTHON, peers::python("symbols"))] {
            command.arg(COUNT);
            match Running::start(pinned(&mut command, 0)).and_then(Running::rest) {
                Ok(text) => {
                    for (kind, row) in &mut all {
                        figures(&text, &format!("{kind} ")).into_iter().for_each(|figure| row.add(who, figure));
                        let known = text.lines().find_map(|line| line.strip_prefix(&format!("known {kind} ")));
                        if let Some(known) = known.filter(|_| round == 0) {
                            row.note(format!("{who} finds names for {known} addresses."));
                        }
                    }
                }
                Err(why) if round == 0 => all[0].1.note(format!("{who} could not run: {why}")),
                Err(_) => (),
            }
        }
    }
    for (_, row) in &mut all {
        row.must_beat(BPFLUA, PYTHON, 5.0);
        row.note("The reading of symbol tables is part of it.");
    }
    all.into_iter().map(|(_, row)| row).collect()
}
