// SPDX-License-Identifier: Apache-2.0
//! Kernel functions: attaching to a thousand at once, and what a hit costs the traced program. In a virtual machine, where
//! the kernel of this one has no kprobes.

use std::fs;
use std::process::Command;
use std::time::Instant;

use super::model::Row;
use super::peers::{self, BPFLUA, BPFTRACE, LIBBPF, PYTHON};
use super::process::{self, Running};
use super::{rounds, vm};

const FUNCTIONS: usize = 1000;
const ROUNDS: usize = 5;
const READS: &str = "200000";

/// What the names of functions begin with that are safe to trace and many.
const BEGINNINGS: [&str; 16] = [
    "vfs_", "tcp_", "udp_", "ip_", "inet_", "sock_", "skb_", "ext4_", "proc_", "seq_", "kernfs_", "shmem_", "netdev_",
    "dev_", "fuse_", "nf_",
];

pub fn attach_rows() -> Vec<Row> {
    vm::rows("attach", "6.12", inside_attach)
}

pub fn hit_rows() -> Vec<Row> {
    vm::rows("hits", "6.12", inside_hits)
}

/// A thousand functions of this kernel, each there once.
fn functions() -> Result<Vec<String>, String> {
    let traceable = fs::read_to_string("/sys/kernel/tracing/available_filter_functions")
        .map_err(|error| format!("available_filter_functions: {error}"))?;
    let wanted = |name: &&str| {
        BEGINNINGS.iter().any(|beginning| name.starts_with(beginning)) && !name.contains('.') && !name.contains("trace")
    };
    let mut names: Vec<&str> =
        traceable.lines().filter(|line| !line.contains('[')).filter(wanted).map(str::trim).collect();
    names.sort_unstable();
    let once = names.chunk_by(|a, b| a == b).filter(|same| same.len() == 1).map(|same| same[0].to_owned());
    Ok(once.take(FUNCTIONS).collect())
}

fn inside_attach() -> Vec<Row> {
    let mut attach = Row::new("attach", "attach to 1,000 kernel functions by one pattern", "ms");
    let mut detach = Row::new("detach", "detach from the same", "ms");
    let names = match functions() {
        Ok(names) if names.len() == FUNCTIONS => names,
        Ok(names) => {
            attach.note(format!("There are only {} such functions.", names.len()));
            names
        }
        Err(why) => {
            attach.note(why);
            return vec![attach];
        }
    };
    let list = "/tmp/bpflua-bench-functions";
    fs::write(list, names.join("\n") + "\n").unwrap();
    // The emulated machine takes half a minute for bcc alone.
    for round in 0..rounds(ROUNDS).min(2) {
        let with = |mut command: Command| {
            command.arg(list);
            command
        };
        let sides = [(BPFLUA, with(peers::script("attach", &[]))), (PYTHON, with(peers::python("attach")))];
        for (who, mut command) in sides {
            match Running::start(&mut command).and_then(Running::rest) {
                Ok(text) => add(&mut attach, &mut detach, who, &text),
                Err(why) if round == 0 => attach.note(format!("{who} could not run: {why}")),
                Err(_) => (),
            }
        }
        if round > 0 {
            continue;
        }
        match bpftrace(&names) {
            Ok(millis) => attach.add(BPFTRACE, millis),
            Err(why) => attach.note(format!("bpftrace could not run: {why}")),
        }
    }
    attach.must_stay_below(BPFLUA, 1000.0);
    attach.must_beat(BPFLUA, PYTHON, 10.0);
    attach.note("bpftrace's time is that of its whole start, with a probe written for each function.");
    detach.must_stay_below(BPFLUA, 1000.0);
    detach.must_beat(BPFLUA, PYTHON, 10.0);
    vec![attach, detach]
}

fn add(attach: &mut Row, detach: &mut Row, who: &str, text: &str) {
    for (word, row) in [("attach ", attach), ("detach ", detach)] {
        if let Some(millis) = text.lines().find_map(|line| line.strip_prefix(word)?.parse().ok()) {
            row.add(who, millis);
        }
    }
}

fn bpftrace(names: &[String]) -> Result<f64, String> {
    let probes: Vec<String> = names.iter().map(|name| format!("kprobe:{name}")).collect();
    let ready = peers::work().join("peers/ready").display().to_string();
    let text = format!("{} {{ @ = count(); }}", probes.join(", "));
    let mut command = process::command(&["bpftrace", "-e", &text, "-c", &ready]);
    let start = Instant::now();
    let mut running = Running::start(command.env("BPFTRACE_MAX_PROBES", "2000"))?;
    running.ready()?;
    let millis = start.elapsed().as_secs_f64() * 1e3;
    running.kill();
    Ok(millis)
}

const KPROBE: &str = "bpflua, by kprobe";
const FREE: &str = "not traced";

fn inside_hits() -> Vec<Row> {
    let mut total = Row::new("hits-read", "a read of one byte while vfs_read is traced", "ns of processor time");
    let mut hit = Row::new("hits", "what a hit on vfs_read adds to it", "ns of processor time");
    let mut instructions = Row::new("instructions", "instructions of the program on vfs_read", "instructions");
    for round in 0..rounds(ROUNDS) {
        let free = reads();
        let Ok(free) = free else { continue };
        total.add(FREE, free);
        let sides = [
            (BPFLUA, peers::script("hits", &[])),
            (KPROBE, peers::script("hits", &["--mechanism=kprobe"])),
            (LIBBPF, peers::libbpf("hits")),
            (PYTHON, peers::python("hits")),
        ];
        for (who, mut command) in sides {
            let traced = Running::start(&mut command).and_then(|mut running| {
                running.ready()?;
                let nanos = reads()?;
                let size = xlated(running.pid());
                running.kill();
                Ok((nanos, size))
            });
            match traced {
                Ok((nanos, size)) => {
                    total.add(who, nanos);
                    hit.add(who, nanos - free);
                    size.into_iter().for_each(|size| instructions.add(who, size));
                }
                Err(why) if round == 0 => total.note(format!("{who} could not run: {why}")),
                Err(_) => (),
            }
        }
    }
    hit.must_beat(BPFLUA, PYTHON, 3.0);
    hit.note("By fentry, as bpflua chooses here, and C with libbpf by fentry, too; bcc-python by kprobe.");
    instructions.must_keep_up(BPFLUA, LIBBPF, 1.1);
    instructions.note("What the kernel runs after the verifier's changes, by `bpftool prog show` (bytes_xlated / 8).");
    vec![total, hit, instructions]
}

fn reads() -> Result<f64, String> {
    let output =
        process::command(&[peers::work().join("peers/reads").display().to_string(), READS.to_owned()]).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).map_err(|e| e.to_string())?;
    text.trim().parse().map_err(|_| format!("the reads said `{text}`"))
}

/// How many instructions the program `hit` of a process has in the kernel.
fn xlated(pid: i32) -> Option<f64> {
    let output = process::command(&["bpftool", "-j", "prog", "show", "name", "hit"]).output().ok()?;
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).ok()?;
    let list = found.as_array().cloned().unwrap_or_else(|| vec![found]);
    let is_its = |program: &&serde_json::Value| {
        program["pids"].as_array().is_none_or(|pids| pids.iter().any(|one| one["pid"].as_i64() == Some(pid.into())))
    };
    list.iter().find(is_its).and_then(|program| program["bytes_xlated"].as_f64()).map(|bytes| bytes / 8.0)
}
