// SPDX-License-Identifier: Apache-2.0
//! How long the prompt's completion takes, for each kind of thing that it completes.
//!
//! `cargo bench --bench complete` (as root). Each kind runs in processes of its own, by turns: the first Tab right after the
//! prompt came, the first one half a second later, when what is read ahead was read, and ten more with other words. What is told
//! is the median of the rounds, and the most.
//!
//! The second table is what a person waits for: from the Tab key that goes into a terminal to the screen that has what goes on,
//! with the prompt, the line editor and the drawing in between. `-- screen` behind the command measures it alone.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark, not the program")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

#[allow(dead_code, reason = "the tests need more of it")]
#[path = "../tests/suite/harness/terminal.rs"]
mod terminal;

use terminal::{Terminal, on_terminal};

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
    let output = Command::new(BPFLUA).env("LARGE_PROGRAM", large_program()).arg(script).args(args).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{args:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

/// A program with many symbols: what is measured has none, but the test build of it has.
fn large_program() -> PathBuf {
    let of_the_tests = root_folder().join("target/debug/bpflua");
    if of_the_tests.exists() { of_the_tests } else { BPFLUA.into() }
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

/// What `terminal.rs` takes from its neighbours.
mod running {
    use std::time::Duration;

    pub fn deadline() -> Duration {
        Duration::from_secs(30)
    }
}

fn root_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

fn scratch(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// What is typed at the prompt, another word for `%` each time, and what Tab then puts on the screen.
const ON_SCREEN: [(&str, &str, &str); 10] = [
    ("methods of BPF objects", "x% = b:attach_kp", "b:attach_kprobe"),
    ("methods of maps", "x% = b.counts:ite", "b.counts:items"),
    ("fields of keys", "x% = 1; for k in b.counts:keys() do print(k.com", "print(k.comm"),
    ("kernel functions", "x% = count('kprobe:vfs_readl", "kprobe:vfs_readlink"),
    ("kernel functions, by some letters", "x% = count('kprobe:tcpv4earlydemu", "kprobe:tcp_v4_early_demux"),
    ("tracepoints", "x% = count('tracepoint:sched:sched_switc", "sched:sched_switch"),
    ("arguments of kernel functions", "x% = count('kprobe:vfs_read', 'file.f_path.den", "'file.f_path.dentry"),
    ("functions of a large program", "x% = count('uprobe:{program}:mai", ":main"),
    ("files", "x% = BPF{src_file = '/proc/self/statu", "'/proc/self/status"),
    (
        "C: members of kernel structs",
        "x = [[ int f%(void *ctx) { struct task_struct *t = (void *)bpf_get_current_task(); t->tgi",
        "t->tgid",
    ),
];

const OBJECT: &str = "b = BPF{text = 'struct key_t { u32 pid; char comm[16]; }; BPF_HASH(counts, struct key_t, u64);'}";

/// From Tab to the screen, in milliseconds.
fn press(terminal: &mut Terminal, typed: &str, wanted: &str) -> f64 {
    terminal.keys(typed);
    let is_typed = |screen: &str| screen.replace('\n', "").contains(typed).then_some(());
    terminal.until("what was typed", is_typed);
    assert!(!terminal.screen().contains(wanted), "{wanted} is there before Tab");
    let start = Instant::now();
    terminal.keys("\t");
    while !terminal.screen().contains(wanted) {
        assert!(start.elapsed() < running::deadline(), "no {wanted}:\n{}", terminal.screen());
        std::thread::sleep(Duration::from_micros(100));
    }
    let took = start.elapsed().as_secs_f64() * 1e3;
    terminal.keys("\x03\x0c");
    terminal.until("an empty screen", |screen| (screen.trim() == "bpflua 2>").then_some(()));
    took
}

/// The first in a session, and the others.
fn on_screen(typed: &str, wanted: &str) -> (f64, Vec<f64>) {
    let mut terminal = on_terminal("bench-complete", [""; 0]).size(120, 40).start();
    terminal.see_last("bpflua 1>");
    terminal.statement(OBJECT, 2);
    terminal.keys("\x0c");
    terminal.until("an empty screen", |screen| (screen.trim() == "bpflua 2>").then_some(()));
    let typed = typed.replace("{program}", large_program().to_str().unwrap());
    let mut times = (0..=MORE).map(|number| press(&mut terminal, &typed.replace('%', &number.to_string()), wanted));
    let first = times.next().unwrap();
    let next = times.collect();
    terminal.leave();
    (first, next)
}

fn measure_screens() {
    println!("\nfrom the key to the screen, ms, median of {ROUNDS} rounds (most)");
    println!("{:38} {:>15} {:>15}", "", "first", "next");
    for (name, typed, wanted) in ON_SCREEN {
        let (mut first, mut next) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let (one, others) = on_screen(typed, wanted);
            first.push(one);
            next.extend(others);
        }
        println!("{name:38} {} {}", summary(&mut first), summary(&mut next));
    }
}

fn main() {
    if std::env::args().any(|argument| argument == "screen") {
        return measure_screens();
    }
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
    measure_screens();
}
