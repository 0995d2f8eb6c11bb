// SPDX-License-Identifier: Apache-2.0
//! Every program of `examples/` on the running kernel, judged by what it prints about work that we did.
//!
//! What probes kernel functions runs once by the mechanism that bpflua chooses, and again by each other one that this
//! kernel has. On a kernel with none, it must end with the error that says so.

use std::collections::HashSet;
use std::fs::File;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::harness::{
    Bpflua, Ended, Need, OneAtATime, Running, Spawner, bpflua, histogram, kernel_release, missing, ping_pong, record,
    thread_id, vm_series,
};

/// Far more than any test takes: programs are ended by Ctrl-C once they have shown what they can.
const SECONDS: &str = "600";

/// What an example probes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Probes {
    SystemCall,
    Function,
    /// Several functions by a regular expression.
    Functions,
    /// No kprobes at all.
    Else,
}

/// One run of an example.
struct Trial {
    example: &'static str,
    /// The mechanism forced on it, or `auto`.
    asked: &'static str,
}

impl Trial {
    fn command(&self) -> Bpflua {
        let script = format!("examples/{}.lua", self.example);
        bpflua(["-v", "--mechanism", self.asked, &script])
    }

    /// Starts it, to be ended by Ctrl-C.
    fn start(&self) -> Running {
        self.command().arg(SECONDS).start()
    }
}

/// Runs an example by every mechanism; `body` checks one run.
fn by_every_mechanism(example: &'static str, probes: Probes, body: impl Fn(&Trial) -> Ended) {
    let kprobes = !missing_quietly(Need::Kprobes);
    if probes != Probes::Else && !kprobes && is_refused(example, probes) {
        return;
    }
    let chosen = run(&Trial { example, asked: "auto" }, &body);
    check_choice(example, probes, &chosen);
    let mut others = Vec::new();
    if probes != Probes::Else && kprobes {
        others.push("kprobe");
        others.extend((!missing_quietly(Need::KprobeMulti)).then_some("kprobe_multi"));
        others.extend((probes == Probes::SystemCall).then_some("sys_enter"));
    }
    for asked in others {
        if chosen.iter().any(|mechanism| mechanism != asked) {
            let used = run(&Trial { example, asked }, &body);
            assert!(used.iter().all(|mechanism| mechanism == asked), "{example} by {asked}: {used:?}");
        }
    }
}

fn missing_quietly(need: Need) -> bool {
    need.lacking().is_some()
}

fn run(trial: &Trial, body: impl Fn(&Trial) -> Ended) -> Vec<String> {
    let ended = body(trial).expect(0);
    let mechanisms = ended.mechanisms();
    assert!(!mechanisms.is_empty(), "-v tells no mechanism:\n{}", ended.stderr);
    let distinct: HashSet<&str> = mechanisms.iter().map(String::as_str).collect();
    let mut distinct: Vec<&str> = distinct.into_iter().collect();
    distinct.sort_unstable();
    record(trial.example, trial.asked, &distinct.join(", "), "prints what it must");
    mechanisms
}

/// The mechanism that must be chosen on the kernels we know.
fn check_choice(example: &str, probes: Probes, chosen: &[String]) {
    let wanted = match (vm_series().as_deref(), probes, example) {
        (_, Probes::Else, "opens") => "tracepoint",
        (_, Probes::Else, _) => "uprobe",
        // Its function has no arguments, so that BTF leaves it out.
        (Some(_), _, "sync_timing") => "kprobe",
        (Some("5.10"), ..) => "fentry",
        // Their function was cloned by the compiler: it has a suffix, and BTF leaves it out, too.
        (Some(_), _, "hello" | "task_switch") => "kprobe",
        (Some(_), ..) => "fentry",
        (None, Probes::SystemCall, _) if missing_quietly(Need::Kprobes) => "sys_enter",
        (None, ..) => return,
    };
    assert!(chosen.iter().all(|mechanism| mechanism == wanted), "{example}: {chosen:?} in place of {wanted}");
}

/// On a kernel without kprobes: whether the example ends with the error that says so; it must, unless fentry serves.
fn is_refused(example: &'static str, probes: Probes) -> bool {
    if probes == Probes::SystemCall {
        return false;
    }
    let ended = bpflua([&format!("examples/{example}.lua"), "0.1"]).run();
    if ended.status == Some(0) {
        return false;
    }
    let ended = ended.expect(3);
    golden(example, &ended.stderr);
    record(example, "auto", "none", "says that this kernel has no kprobes, and what it has");
    true
}

/// Compares with `tests/runtime/examples/NAME.snap`.
fn golden(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../runtime/examples");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

/// The lines of a table's body, split at white space.
fn rows(text: &str) -> impl Iterator<Item = Vec<&str>> {
    text.lines().skip(1).map(|line| line.split_whitespace().collect())
}

#[test]
fn root_hello() {
    if missing(&[Need::Root, Need::Btf, Need::Tracefs]) {
        return;
    }
    let _alone = OneAtATime::trace_pipe();
    by_every_mechanism("hello", Probes::Function, |trial| {
        let mut running = trial.start();
        running
            .until("trace lines", |text| (text.matches("bpf_trace_printk: Hello, World!").count() > 2).then_some(()));
        running.interrupt()
    });
}

#[test]
fn root_hello_fields() {
    if missing(&[Need::Root, Need::Btf, Need::Tracefs]) {
        return;
    }
    let _alone = OneAtATime::trace_pipe();
    by_every_mechanism("hello_fields", Probes::SystemCall, |trial| {
        // Lines of earlier trials may still be in the trace pipe.
        let spawner = Spawner::new(&format!("by {}", trial.asked));
        let wanted = format!(" {:<16} {:<7} Hello, World!", spawner.comm, thread_id());
        let mut running = trial.start();
        running.until("the header", |text| {
            text.starts_with("TIME(s)            COMM             PID     MESSAGE\n").then_some(())
        });
        let time = running.work_until(
            "a line of our clone",
            || spawner.clone_once(),
            |text| text.lines().find_map(|line| line.strip_suffix(&wanted)).map(str::to_owned),
        );
        assert!(time.len() == 18 && time.trim().parse::<f64>().is_ok_and(|time| time > 0.0), "{time}");
        running.interrupt()
    });
}

#[test]
fn root_hello_perf_output() {
    if missing(&[Need::Root, Need::Btf]) {
        return;
    }
    by_every_mechanism("hello_perf_output", Probes::SystemCall, |trial| {
        let spawner = Spawner::new("perf-spawner");
        let wanted = [&spawner.comm, &std::process::id().to_string(), "Hello,", "perf_output!"].map(str::to_owned);
        let mut running = trial.start();
        running.until("the header", |text| {
            text.starts_with("TIME(s)            COMM             PID     MESSAGE\n").then_some(())
        });
        running.work_until(
            "events of our clones",
            || spawner.clone_once(),
            |text| (rows(text).filter(|row| row.len() == 5 && row[1..] == wanted).count() > 2).then_some(()),
        );
        let ended = running.interrupt();
        let times: Vec<f64> = rows(&ended.stdout).map(|row| row[0].parse().unwrap()).collect();
        assert!(times[0] == 0.0, "the first event is at 0: {times:?}");
        ended
    });
}

/// The main job as the README has it: ends by itself.
#[test]
fn root_hello_perf_output_ends_by_itself() {
    if missing(&[Need::Root, Need::Btf]) {
        return;
    }
    let ended = bpflua(["examples/hello_perf_output.lua", "0.5"]).run().expect(0);
    assert!(ended.stdout.starts_with("TIME(s)"), "{}", ended.stdout);
    assert_eq!(ended.stderr, "");
}

#[test]
fn root_sync_timing() {
    if missing(&[Need::Root, Need::Btf, Need::Tracefs]) {
        return;
    }
    let _alone = OneAtATime::trace_pipe();
    by_every_mechanism("sync_timing", Probes::SystemCall, |trial| {
        let mut running = trial.start();
        running
            .until("the header", |text| text.starts_with("Tracing for quick syncs... Ctrl-C ends it\n").then_some(()));
        let bounds = std::cell::Cell::new((0, 0));
        running.work_until(
            "the time between our two syncs",
            || bounds.set(sync_twice()),
            |text| {
                let line = regex::Regex::new(r"(?m)^At time \d+\.\d\d s: multiple syncs detected, last (\d+) ms ago$")
                    .unwrap();
                let (least, most) = bounds.get();
                let mut found = line.captures_iter(text).map(|found| found[1].parse::<u128>().unwrap());
                found.any(|ms| (least..=most).contains(&ms)).then_some(())
            },
        );
        running.interrupt()
    });
}

/// Calls sync(2) twice; the least and the most milliseconds that can be between the two.
fn sync_twice() -> (u128, u128) {
    let before = Instant::now();
    // SAFETY: no preconditions.
    unsafe { libc::sync() };
    let between = Instant::now();
    thread::sleep(Duration::from_millis(60));
    let least = between.elapsed().as_millis();
    // What happens between this line and the call is why the most is taken afterwards.
    // SAFETY: no preconditions.
    unsafe { libc::sync() };
    (least, before.elapsed().as_millis())
}

#[test]
fn root_task_switch() {
    if missing(&[Need::Root, Need::Btf]) {
        return;
    }
    by_every_mechanism("task_switch", Probes::Functions, |trial| {
        let mut running = trial.start();
        running.until_told("count_sched: by");
        let (a, b) = ping_pong(200);
        running.until_in_its_loop();
        let ended = running.interrupt();
        let line = regex::Regex::new(r"^task_switch\[ *(\d+)-> *(\d+)\]=(\d+)$").unwrap();
        let switches: Vec<[u64; 3]> = ended
            .stdout
            .lines()
            .map(|text| line.captures(text).unwrap_or_else(|| panic!("{text}")))
            .map(|found| [1, 2, 3].map(|cell| found[cell].parse().unwrap()))
            .collect();
        assert!(switches.is_sorted_by_key(|switch| std::cmp::Reverse(switch[2])), "sorted: {}", ended.stdout);
        let seen =
            |from: u32, to: u32| switches.iter().any(|[prev, curr, _]| (*prev, *curr) == (from.into(), to.into()));
        assert!(seen(a, b) && seen(b, a), "{a} and {b} took turns:\n{}", ended.stdout);
        ended
    });
}

#[test]
fn root_runqueue() {
    if missing(&[Need::Root, Need::Btf]) {
        return;
    }
    by_every_mechanism("runqueue", Probes::Function, |trial| {
        let ended = trial.command().start().end().expect(0);
        assert!(ended.stdout.starts_with(" CPU  RUNNING   OWN STRUCT     FROM BTF\n"), "{}", ended.stdout);
        assert!(ended.stdout.ends_with("both agree\n"), "{}", ended.stdout);
        let body: Vec<Vec<&str>> = rows(&ended.stdout).filter(|row| row.len() == 4).collect();
        assert!(!body.is_empty(), "{}", ended.stdout);
        for row in body {
            let [cpu, running, own, kernels] = row[..] else { unreachable!() };
            let (cpu, running): (u32, u32) = (cpu.parse().unwrap(), running.parse().unwrap());
            assert!(cpu < 4096 && running < 10_000 && own == kernels, "{row:?}");
        }
        ended
    });
}

#[test]
fn root_vfs_read_latency() {
    if missing(&[Need::Root, Need::Btf]) {
        return;
    }
    const READS: u64 = 300;
    by_every_mechanism("vfs_read_latency", Probes::Function, |trial| {
        let mut running = trial.start();
        running.until("the header", |text| text.starts_with("Tracing... Ctrl-C ends it\n").then_some(()));
        let mut zero = File::open("/dev/zero").unwrap();
        let mut byte = [0];
        (0..READS).for_each(|_| std::io::Read::read_exact(&mut zero, &mut byte).unwrap());
        running.until_in_its_loop();
        let ended = running.interrupt();
        let text =
            ended.stdout.strip_prefix("Tracing... Ctrl-C ends it\n\n").unwrap_or_else(|| panic!("{}", ended.stdout));
        let (wanted, total) = histogram(text, "usecs");
        // Return probes by kprobe-multi follow two calls per CPU at a time, those by kprobe on 5.10 one; readers that
        // wait for input take the places. Then nothing may be seen.
        let blind = trial.asked == "kprobe_multi" || trial.asked == "kprobe" && vm_series().as_deref() == Some("5.10");
        assert!(total >= READS || blind, "{READS} reads:\n{text}");
        assert!(text == wanted || blind && text.is_empty(), "bcc's layout:\n{text}");
        ended
    });
}

#[test]
fn root_bashreadline() {
    if missing(&[Need::Root, Need::Btf, Need::Uprobes, Need::Tool("bash"), Need::Tool("script")]) {
        return;
    }
    by_every_mechanism("bashreadline", Probes::Else, |trial| {
        let mut running = trial.start();
        running.until("the header", |text| text.starts_with("TIME      PID     COMMAND\n").then_some(()));
        let typed = format!("echo the-shell-is-$$ # typed by {}", thread_id());
        let said = std::cell::RefCell::new(String::new());
        running.work_until(
            "the line that we typed, with the shell's process ID",
            || said.replace(type_into_bash(&typed)).clear(),
            |text| {
                let line = regex::Regex::new(r"(?m)^\d\d:\d\d:\d\d +(\d+) +(.*)$").unwrap();
                let mut found = line.captures_iter(text).filter(|found| found[2] == typed);
                found.any(|found| said.borrow().contains(&format!("the-shell-is-{}\r", &found[1]))).then_some(())
            },
        );
        running.interrupt()
    });
}

/// Types a line into an interactive bash; gives what came on its terminal.
fn type_into_bash(line: &str) -> String {
    let mut terminal = Command::new("script");
    terminal.args(["-qec", "bash --norc --noprofile -i", "/dev/null"]).env("HISTFILE", "").env("TERM", "dumb");
    let mut terminal = terminal.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    terminal.stdin.take().unwrap().write_all(format!("{line}\nexit\n").as_bytes()).unwrap();
    String::from_utf8_lossy(&terminal.wait_with_output().unwrap().stdout).into_owned()
}

#[test]
fn root_opens() {
    if missing(&[Need::Root, Need::Btf, Need::Tracefs]) {
        return;
    }
    by_every_mechanism("opens", Probes::Else, |trial| {
        let spawner = Spawner::new("opens-opener");
        let file = format!("/tmp/no such file, opened by {}", thread_id());
        let wanted = format!("{:<7} {:<16} {file}", std::process::id(), spawner.comm);
        let mut running = trial.start();
        running.until("the header", |text| text.starts_with("PID     COMM             FILE\n").then_some(()));
        running.work_until(
            "the file that we opened",
            || assert!(File::open(&file).is_err()),
            |text| text.lines().any(|line| line == wanted).then_some(()),
        );
        running.interrupt()
    });
}

/// Every example has a test here.
#[test]
fn every_example_is_tested() {
    let tests = include_str!("examples.rs");
    for entry in std::fs::read_dir("examples").unwrap().flatten() {
        let name = entry.file_name().into_string().unwrap();
        let Some(name) = name.strip_suffix(".lua") else { continue };
        assert!(
            tests.contains(&format!("by_every_mechanism(\"{name}\"")),
            "examples/{name}.lua on {}",
            kernel_release()
        );
    }
}
