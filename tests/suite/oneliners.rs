// SPDX-License-Identifier: Apache-2.0
//! One-liners from the shell: they run until Ctrl-C, and print what they found.

use super::harness::{Need, bpflua, missing};

/// What a text given to `-e` prints when it runs until it ends by itself.
fn printed(text: &str) -> String {
    bpflua(["-e", text]).run().expect(0).stdout
}

const TRACEPOINT: &str = "tracepoint:syscalls:sys_enter_openat";

#[test]
fn root_a_count_is_printed_when_its_time_is_over() {
    if missing(&[Need::Root, Need::Tracefs]) {
        return;
    }
    let text = printed(&format!("count('{TRACEPOINT}', 'comm', {{seconds = 0.1, filter = 'comm == \"nobody\"'}})"));
    assert_eq!(text, format!("{TRACEPOINT}: nothing was counted\n"));
}

#[test]
fn root_ctrl_c_ends_it_and_the_result_is_printed() {
    if missing(&[Need::Root, Need::Tracefs]) {
        return;
    }
    let text = "local ffi = require 'ffi'; ffi.cdef 'int getpid(void); int kill(int, int); int getpgid(int);'
        count('tracepoint:syscalls:sys_enter_getpgid', 'comm', {pid = ffi.C.getpid()})
        BPF.after(0.05, function() ffi.C.getpgid(0); ffi.C.getpgid(0); ffi.C.kill(ffi.C.getpid(), 2) end)";
    assert_eq!(printed(text), "COMM   COUNT\nbpflua     2\n");
}

#[test]
fn root_json_lines() {
    if missing(&[Need::Root, Need::Tracefs]) {
        return;
    }
    let text = "local ffi = require 'ffi'; ffi.cdef 'int getpid(void); int getpgid(int);'
        count('tracepoint:syscalls:sys_enter_getpgid', 'comm', {pid = ffi.C.getpid(), seconds = 0.1})
        ffi.C.getpgid(0)";
    let line = bpflua(["--json", "-e", text]).run().expect(0).stdout;
    let value: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!((&value["values"]["comm"], &value["count"]), (&"bpflua".into(), &1.into()), "{line}");
}

#[test]
fn root_events_as_json_have_the_names_that_were_asked_for() {
    if missing(&[Need::Root, Need::Tracefs]) {
        return;
    }
    let text = "local ffi = require 'ffi'; ffi.cdef 'int getpid(void); int open(const char *, int);'
        trace('tracepoint:syscalls:sys_enter_openat', 'filename', {pid = ffi.C.getpid(), seconds = 0.2})
        ffi.C.open('/no/such/file', 0)";
    let lines = bpflua(["--json", "-e", text]).run().expect(0).stdout;
    let events = lines.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    assert!(events.into_iter().any(|line| line["event"]["filename"] == "/no/such/file"), "{lines}");
}

#[test]
fn words_are_globals_of_a_command_line_only() {
    assert_eq!(
        printed("print(type(count), type(hist), type(stacks), type(trace), type(latency))"),
        "function\t".repeat(4) + "function\n"
    );
    let ended = bpflua(["-"]).input("print(count)").run().expect(1);
    assert!(ended.stderr.contains("undeclared variable `count`"), "{}", ended.stderr);
}
