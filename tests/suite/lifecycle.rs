// SPDX-License-Identifier: Apache-2.0
//! How tracers end: nothing of them stays in the kernel, nothing that they saw goes missing without being counted.

use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use super::harness::{Bpflua, Ended, Need, bpflua, deadline, missing, root_folder, thread_id};

const TRACER: [Need; 2] = [Need::Root, Need::Btf];

fn script(name: &str) -> String {
    format!("tests/runtime/lifecycle/{name}.lua")
}

/// `script` with the calls of this thread as its workload.
fn watching_this_thread(name: &str) -> Bpflua {
    bpflua(["-D", &format!("THREAD={}", thread_id()), &script(name)])
}

fn call(count: u64) {
    for _ in 0..count {
        // SAFETY: takes no pointers.
        unsafe { libc::getpgid(0) };
    }
}

/// What `bpftool KIND show` lists of our own: objects whose names begin so, and links to programs that do.
fn in_kernel(kind: &str, prefix: &str, programs: &[u64]) -> Vec<u64> {
    let output = Command::new("bpftool").args(["-j", kind, "show"]).output().unwrap();
    assert!(output.status.success(), "bpftool: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let found = objects(&text).into_iter().filter(|object| match kind {
        "link" => number(object, "prog_id").is_some_and(|id| programs.contains(&id)),
        _ => object.contains(&format!("\"name\":\"{prefix}")),
    });
    found.map(|object| number(&object, "id").unwrap()).collect()
}

/// The members of a JSON list of objects, as they are written.
fn objects(list: &str) -> Vec<String> {
    let (mut depth, mut found) = (0, Vec::new());
    for char in list.chars() {
        depth -= i32::from(char == '}');
        if char == '{' && depth == 0 {
            found.push(String::new());
        } else if depth == 1 || (depth > 1 && char != '{') {
            found.last_mut().unwrap().push(char);
        }
        depth += i32::from(char == '{');
    }
    found
}

fn number(object: &str, field: &str) -> Option<u64> {
    let value = &object[object.find(&format!("\"{field}\":"))? + field.len() + 3..];
    value.split(|char: char| !char.is_ascii_digit()).next()?.parse().ok()
}

/// Waits until nothing is left: the kernel frees after a grace period.
fn expect_gone(kind: &str, prefix: &str, programs: &[u64]) {
    let limit = Instant::now() + deadline();
    loop {
        let left = in_kernel(kind, prefix, programs);
        if left.is_empty() {
            return;
        }
        assert!(Instant::now() < limit, "{kind}s {left:?} are left");
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn root_kill_leaves_no_program_link_or_map() {
    if missing(&[Need::Root, Need::Btf, Need::Uprobes, Need::Tracefs, Need::Tool("bpftool")]) {
        return;
    }
    let mut running = bpflua([&script("everything")]).start();
    running.until("everything is attached", |text| text.starts_with("ready\t6\n").then_some(()));
    let programs = in_kernel("prog", "left_", &[]);
    let tracepoints = ["tracepoint__", "raw_tracepoint_"].map(|prefix| in_kernel("prog", prefix, &[])).concat();
    let maps = in_kernel("map", "left_", &[]);
    let links = in_kernel("link", "", &[programs.clone(), tracepoints.clone()].concat());
    assert!(programs.len() >= 3, "programs {programs:?}");
    assert!(tracepoints.len() >= 2, "programs {tracepoints:?}");
    assert_eq!(maps.len(), 4, "maps {maps:?}");
    // Before Linux 5.15 tracepoints, kprobes and uprobes have no links, but perf events of the process's own.
    assert!(!links.is_empty(), "links {links:?}");
    running.signal(libc::SIGKILL);
    assert_eq!(running.end().signal, Some(libc::SIGKILL));
    expect_gone("prog", "left_", &[]);
    expect_gone("map", "left_", &[]);
    expect_gone("link", "", &[programs, tracepoints].concat());
}

#[test]
fn root_ctrl_c_runs_the_code_after_the_loop() {
    if missing(&TRACER) {
        return;
    }
    let mut running = bpflua([&script("after_the_loop")]).start();
    running.until("the loop runs", |text| text.contains("tick\ntick\n").then_some(()));
    let ended = running.interrupt().expect(0);
    assert!(ended.stdout.ends_with("tick\nafter the loop\n"), "{}", ended.stdout);
    assert_eq!(ended.stderr, "");
}

#[test]
fn root_a_second_ctrl_c_ends_the_code_after_the_loop() {
    if missing(&[Need::Root, Need::Btf, Need::Tool("bpftool")]) {
        return;
    }
    let mut running = bpflua([script("after_the_loop").as_str(), "spin"]).start();
    running.until("the loop runs", |text| text.contains("tick\n").then_some(()));
    running.signal(libc::SIGINT);
    running.until("the code after the loop runs", |text| text.ends_with("after the loop\n").then_some(()));
    let ended = running.interrupt();
    assert!(ended.status == Some(130) || ended.signal == Some(libc::SIGINT), "{ended:?}");
    expect_gone("prog", "after_call", &[]);
}

#[test]
fn root_an_error_in_a_handler_detaches_everything() {
    if missing(&[Need::Root, Need::Btf, Need::Tool("bpftool")]) {
        return;
    }
    let ended = bpflua(["tests/runtime/errors/handler.lua"]).run().expect(1);
    assert!(ended.stderr.contains("--> tests/runtime/errors/handler.lua:23\n"), "{}", ended.stderr);
    expect_gone("prog", "fails_on_call", &[]);
    expect_gone("map", "fails_events", &[]);
}

/// `bpflua … | head -n 1`: the reader goes, which is no error.
#[test]
fn root_a_reader_that_goes_away_ends_the_tracer_quietly() {
    if missing(&[Need::Root, Need::Btf, Need::Tool("bash")]) {
        return;
    }
    let pipeline = format!("\"$@\" {} | head -n 1; echo status ${{PIPESTATUS[0]}}", script("after_the_loop"));
    let ended = Bpflua::under(&["bash", "-c", &pipeline, "bash"], [""; 0]).run().expect(0);
    assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("tick\nstatus 0\n", ""));
}

/// Runs a script, has this thread make `calls`, then presses Ctrl-C.
fn storm(mut tracer: super::harness::Running, calls: u64) -> Ended {
    tracer.until("ready", |text| text.starts_with("ready\n").then_some(()));
    tracer.until_in_its_loop();
    call(calls);
    tracer.interrupt().expect(0)
}

/// The numbers that `accounting.lua` prints: delivered, lost, submitted.
fn account(pages: &str, calls: u64) -> [u64; 3] {
    let ended = storm(watching_this_thread("accounting").arg(pages).start(), calls);
    let line = regex::Regex::new(r"(?m)^delivered (\d+) lost (\d+) submitted (\d+) in order$").unwrap();
    let found = line.captures(&ended.stdout).unwrap_or_else(|| panic!("{}", ended.stdout));
    assert_eq!(ended.stderr, "");
    [1, 2, 3].map(|number| found[number].parse().unwrap())
}

#[test]
fn root_ctrl_c_delivers_what_is_left() {
    if missing(&TRACER) {
        return;
    }
    const CALLS: u64 = 500;
    // The buffer holds them all, and there is no time to see them before Ctrl-C.
    assert_eq!(account("64", CALLS), [CALLS, 0, CALLS]);
}

#[test]
fn root_delivered_and_lost_are_all_that_was_submitted() {
    if missing(&TRACER) {
        return;
    }
    const CALLS: u64 = 100_000;
    let [delivered, lost, submitted] = account("1", CALLS);
    assert_eq!(submitted, CALLS);
    assert!(delivered > 0 && lost > 0, "a buffer of one page: {delivered} + {lost}");
    assert_eq!(delivered + lost, submitted, "{delivered} + {lost}");
}

#[test]
fn root_losses_are_told() {
    if missing(&TRACER) {
        return;
    }
    const CALLS: u64 = 50_000;
    let ended = storm(watching_this_thread("losses").start(), CALLS);
    let line = regex::Regex::new(r"(?m)^.*lost (\d+) of (\d+) events of events in total$").unwrap();
    let found = line.captures(&ended.stderr).unwrap_or_else(|| panic!("{}", ended.stderr));
    assert_eq!(found[2].parse::<u64>().unwrap(), CALLS, "{}", ended.stderr);
}

/// What is left of one compilation in the process must not reach the next.
#[test]
fn root_several_texts_in_one_script() {
    if missing(&TRACER) {
        return;
    }
    let ended = bpflua(["--no-cache", &script("several_texts")]).run().expect(0);
    assert_eq!(ended.stdout, "1\ttrue\t1\n2\ttrue\t1\n3\ttrue\t1\n");
}

#[test]
fn scripts_have_names() {
    for entry in std::fs::read_dir(root_folder().join("tests/runtime/lifecycle")).unwrap().flatten() {
        let text = std::fs::read_to_string(entry.path()).unwrap();
        assert!(text.contains("\n-- NAME ") && text.contains("\n-- REQUIRES "), "{}", entry.path().display());
    }
}

/// As a signal comes between two lines of the end, which no test can time: the first try to end is interrupted.
#[test]
fn ctrl_c_at_the_very_end_is_no_fault() {
    let script = "local events, tries = require('bpflua.events'), 0\n\
                  local finish = events.finish\n\
                  function events.finish() tries = tries + 1 if tries == 1 then error('interrupted!', 0) end print(tries) finish() end\n\
                  if arg[1] then error('its own') end";
    let ended = bpflua(["-e", script]).run().expect(0);
    assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("2\n", ""));
    let ended = bpflua(["-e", script, "fail"]).run().expect(1);
    assert!(ended.stdout == "2\n" && ended.stderr.contains("its own"), "{}", ended.stderr);
}
