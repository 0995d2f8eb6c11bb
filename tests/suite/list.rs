// SPDX-License-Identifier: Apache-2.0
//! `bpflua list`: what it finds of each kind, and what it says when there is nothing.

use std::process::{Command, Output};

fn bpflua(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_bpflua")).args(args).output().unwrap()
}

fn listed(args: &[&str]) -> Vec<String> {
    let output = bpflua(&[&["list"], args].concat());
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{args:?}: {errors}");
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

fn refused(pattern: &str) -> String {
    let output = bpflua(&["list", pattern]);
    assert!(matches!(output.status.code(), Some(1 | 3)), "{pattern}: {}", output.status);
    assert!(output.stdout.is_empty(), "{pattern}");
    String::from_utf8(output.stderr).unwrap()
}

fn has_types() -> bool {
    let has = bpflua::kernel::btf::Btf::kernel().is_ok();
    if !has {
        println!("skipped: this kernel has no types");
    }
    has
}

#[test]
fn kernel_functions_with_their_arguments() {
    if !has_types() {
        return;
    }
    let lines = listed(&["-v", "kprobe:vfs_read"]);
    let arguments = ["    struct file *file", "    char *buf", "    size_t count", "    loff_t *pos"];
    assert_eq!(lines[0], "kprobe:vfs_read");
    assert_eq!(lines[1..], arguments);
    assert_eq!(listed(&["-v", "fexit:vfs_read"]).last().map(String::as_str), Some("    ssize_t retval"));
    assert!(listed(&["kprobe:vfs_*"]).len() > 20);
    assert!(listed(&["-l", "kprobe:vfs_read"])[0].starts_with("kprobe:vfs_read"));
}

#[test]
fn root_tracepoints_with_their_fields() {
    let lines = listed(&["-v", "tracepoint:sched:sched_switch"]);
    assert_eq!(lines[0], "tracepoint:sched:sched_switch");
    assert!(lines.contains(&"    char prev_comm[16]".to_owned()), "{lines:?}");
    assert!(listed(&["sched_switch"]).contains(&"rawtracepoint:sched_switch".to_owned()));
    assert!(listed(&["*point:*sched_switch"]).contains(&"rawtracepoint:sched_switch".to_owned()));
    assert!(refused("tracepoint:sched:sched_swich").contains("similar: sched:sched_switch"));
}

#[test]
fn functions_of_programs_and_events_that_are_counted() {
    assert_eq!(listed(&["uprobe:c:getpid"]), ["uprobe:c:getpid"]);
    assert_eq!(listed(&["software:page*"]), ["software:page-faults"]);
    assert!(listed(&["hardware:"]).contains(&"hardware:cpu-cycles".to_owned()));
    assert!(refused("uprobe:/no/such:*").contains("/no/such"));
}

#[test]
fn a_typo_in_the_kind() {
    let report = refused("kprob:vfs_read");
    assert!(report.contains("there is no kind of probe `kprob`"), "{report}");
    assert!(report.contains("did you mean `kprobe`?"), "{report}");
}
