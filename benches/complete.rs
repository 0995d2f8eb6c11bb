// SPDX-License-Identifier: Apache-2.0
//! How long the prompt's completion takes, for each kind of thing that it completes.
//!
//! `cargo bench --bench complete` (as root). Each kind runs in processes of its own, by turns: the first Tab right after the
//! prompt came, the first one half a second later, when what is read ahead was read, and ten more with other words. What is told
//! is the median of the rounds, and the most.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark, not the program")]

use std::path::Path;
use std::process::Command;

const ROUNDS: usize = 7;
const MORE: usize = 10;
const BPFLUA: &str = env!("CARGO_BIN_EXE_bpflua");

/// What was measured of one kind, in milliseconds.
#[derive(Default)]
struct Kind {
    name: String,
    at_once: Vec<f64>,
    first: Vec<f64>,
    next: Vec<f64>,
    candidates: String,
}

fn run(args: &[&str]) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/complete.lua");
    let output = Command::new(BPFLUA).arg(script).args(args).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{args:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

impl Kind {
    fn measure(&mut self) {
        let millis = |line: &str| line.split(' ').next().unwrap().parse::<f64>().unwrap();
        self.at_once.extend(run(&[&self.name, "0"]).lines().map(millis));
        let output = run(&[&self.name, "0.5", &(1 + MORE).to_string()]);
        let mut lines = output.lines();
        let first = lines.next().unwrap();
        self.candidates = first.split(' ').nth(1).unwrap().to_owned();
        self.first.push(millis(first));
        self.next.extend(lines.map(millis));
    }
}

/// The median and the most.
fn summary(millis: &mut [f64]) -> String {
    millis.sort_by(f64::total_cmp);
    format!("{:7.1} ({:5.1})", millis[millis.len() / 2], millis[millis.len() - 1])
}

fn main() {
    let listed = run(&[]);
    let mut kinds: Vec<Kind> = listed.lines().map(|name| Kind { name: name.to_owned(), ..Kind::default() }).collect();
    for _ in 0..ROUNDS {
        kinds.iter_mut().for_each(Kind::measure);
    }
    println!("ms, median of {ROUNDS} rounds (most)");
    println!("{:38} {:>15} {:>15} {:>15}  candidates", "", "at once", "first", "next");
    for mut kind in kinds {
        let (at_once, first) = (summary(&mut kind.at_once), summary(&mut kind.first));
        println!("{:38} {at_once} {first} {}  {}", kind.name, summary(&mut kind.next), kind.candidates);
    }
}
