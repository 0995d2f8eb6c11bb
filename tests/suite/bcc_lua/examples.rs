// SPDX-License-Identifier: Apache-2.0
//! `examples/lua`: those that return `function(BPF, utils)`. The others need `require("bpf")`, a compiler from Lua to BPF.

use std::cell::RefCell;
use std::fs::OpenOptions;
use std::io::Write as _;

use regex::Regex;

use super::super::harness::{OneAtATime, ping_pong, scratch, thread_id};
use super::work::{FORGOTTEN, Pipes, SLEEPER, Sleeper, TEXT, Traced, type_into_bash};
use super::{Case, Launcher, Outcome};

pub const FOLDER: &str = "examples/lua";

pub const CASES: [Case; 11] = [
    Case { script: "bashreadline.lua", arguments: "", run: bashreadline },
    Case { script: "memleak.lua", arguments: "-p PID -i 1 -o 0", run: memleak_of_process },
    Case {
        script: "memleak.lua",
        arguments: "-p PID -i 1 -o 0 -a -z 2000 -Z 5000 -T 1",
        run: memleak_shows_allocations,
    },
    Case { script: "memleak.lua", arguments: "-p PID -t", run: memleak_traces },
    Case { script: "memleak.lua", arguments: "-i 1 -o 0", run: memleak_of_kernel },
    Case { script: "offcputime.lua", arguments: "-d 1", run: |launcher| offcputime(launcher, &["-d", "1"]) },
    Case { script: "offcputime.lua", arguments: "-u -d 1", run: |launcher| offcputime(launcher, &["-u", "-d", "1"]) },
    Case { script: "task_switch.lua", arguments: "", run: task_switch },
    Case { script: "strlen_count.lua", arguments: "", run: strlen_count_without_pid },
    Case { script: "strlen_count.lua", arguments: "PID", run: strlen_count },
    Case { script: "usdt_ruby.lua", arguments: "PID", run: usdt_ruby },
];

/// Whether a pattern is found; `{…}` of it replaced.
fn found<'a>(pattern: &str, text: &'a str) -> Option<regex::Captures<'a>> {
    Regex::new(pattern).unwrap().captures(text)
}

fn bashreadline(launcher: &Launcher) -> Outcome {
    let typed = format!("echo the-shell-is-$$ # typed by {}", thread_id());
    let said = RefCell::new(String::new());
    launcher.watch(
        "bashreadline.lua",
        &[],
        || said.replace(type_into_bash(&typed)).clear(),
        |text| {
            let line = format!(r"(?m)^\d\d:\d\d:\d\d +(\d+) +{}$", regex::escape(&typed));
            let pid = found(&line, text)?[1].to_owned();
            let is_right = said.borrow().contains(&format!("the-shell-is-{pid}\r"));
            is_right.then(|| "the line typed into a bash, with its process ID".to_owned())
        },
    )
}

fn memleak_of_process(launcher: &Launcher) -> Outcome {
    let traced = Traced::start();
    launcher.watch(
        "memleak.lua",
        &["-p", &traced.pid(), "-i", "1", "-o", "0"],
        || {},
        |text| {
            let stack =
                r"(?m)^\t(\d+) bytes in (\d+) allocations from stack\n\t\tforget_memory \([0-9a-f]+\)\n\t\tmain \(";
            let pattern = Regex::new(stack).unwrap();
            let last = pattern.captures_iter(text).last()?;
            let [bytes, count] = [1, 2].map(|cell| last[cell].parse::<u64>().unwrap());
            let is_right = count > 1 && bytes == count * FORGOTTEN;
            is_right
                .then(|| format!("each {FORGOTTEN} bytes that are never freed, with the functions that asked for them"))
        },
    )
}

fn memleak_shows_allocations(launcher: &Launcher) -> Outcome {
    let traced = Traced::start();
    let pid = traced.pid();
    let args = ["-p", &pid, "-i", "1", "-o", "0", "-a", "-z", "2000", "-Z", "5000", "-T", "1"];
    launcher.watch(
        "memleak.lua",
        &args,
        || {},
        |text| {
            // One report, from its head to that of the next.
            let reports: Vec<&str> = text.split("] Top 1 stacks with outstanding allocations:\n").collect();
            let whole = reports.iter().skip(1).rev().skip(1);
            whole.copied().find_map(|report| {
                let listed = Regex::new(r"(?m)^\taddr = [0-9a-f]+ size = 4321$").unwrap().find_iter(report).count();
                let stacks = report.matches(" allocations from stack").count();
                let counted = found(r"bytes in (\d+) allocations", report)?[1].parse::<usize>().unwrap();
                let is_right = counted > 1 && listed == counted && stacks == 1 && !report.contains("size = 1234");
                is_right.then(|| "one stack, and the address of each of its allocations".to_owned())
            })
        },
    )
}

fn memleak_traces(launcher: &Launcher) -> Outcome {
    let _alone = OneAtATime::trace_pipe();
    let traced = Traced::start();
    launcher.watch(
        "memleak.lua",
        &["-p", &traced.pid(), "-t"],
        || {},
        |text| {
            let prefix = format!(r"(?m)^traced\t{}\t\d+\t\S+\t[\d.]+\t", traced.pid());
            let said = |what: &str| found(&format!("{prefix}{what}"), text).is_some();
            let is_right = said("alloc entered, size = 4321$")
                && said("alloc exited, size = 4321, result = [0-9a-f]+$")
                && said("free entered, address = [0-9a-f]+, size = 1234$");
            is_right.then(|| "what is allocated and freed, as it happens".to_owned())
        },
    )
}

fn memleak_of_kernel(launcher: &Launcher) -> Outcome {
    let pipes = RefCell::new(Pipes::default());
    launcher.watch(
        "memleak.lua",
        &["-i", "1", "-o", "0"],
        || pipes.borrow_mut().open_more(),
        |text| {
            let stack =
                r"(?m)^\t(\d+) bytes in (\d+) allocations from stack\n\t\talloc_pipe_info \[kernel\] \(ffff[0-9a-f]+\)";
            let pattern = Regex::new(stack).unwrap();
            let last = pattern.captures_iter(text).last()?;
            let [bytes, count] = [1, 2].map(|cell| last[cell].parse::<u64>().unwrap());
            let open = pipes.borrow().count();
            // 16 buffers to a pipe.
            let is_right = count > 1 && count <= open && bytes == count * 16 * Pipes::BUFFER_BYTES;
            is_right.then(|| "the buffers of the pipes that are open, with the kernel's functions".to_owned())
        },
    )
}

/// The microseconds that the script says a task was off its processor, over all stacks; and whether a stack is a sleep's.
fn slept(text: &str) -> (u64, bool) {
    let block = Regex::new(&format!(r"(?m)((?:^    [0-9a-f]+ +\S+\n)*)^    - +{SLEEPER}\n        (\d+)$")).unwrap();
    let mut sum = (0, false);
    for stack in block.captures_iter(text) {
        sum.0 += stack[2].parse::<u64>().unwrap();
        sum.1 |= stack[1].contains(" do_nanosleep\n") && stack[1].contains("schedule\n");
    }
    sum
}

fn offcputime(launcher: &Launcher, args: &[&str]) -> Outcome {
    let _sleeper = Sleeper::start();
    launcher.whole(
        "offcputime.lua",
        args,
        || {},
        |text| {
            let (slept_us, is_sleep) = slept(text);
            match (200_000..60_000_000).contains(&slept_us) && is_sleep {
                true => Ok("the time that a task slept, with the functions it slept in".to_owned()),
                false if text.contains("Tracing...") => Err(format!("of a task that slept, it tells {slept_us} us")),
                false => Err("it prints nothing of the work".to_owned()),
            }
        },
    )
}

fn task_switch(launcher: &Launcher) -> Outcome {
    let folder = scratch(&format!("bcc-lua-key-{}", thread_id()));
    let key = folder.join("key");
    std::process::Command::new("mkfifo").arg(&key).status().unwrap();
    let with_key = format!("exec \"$@\" < {}", key.display());
    let mut running = launcher.under(&["sh", "-c", &with_key, "sh"], "task_switch.lua", &[]).start();
    let mut press = OpenOptions::new().read(true).write(true).open(&key).unwrap();
    // It waits for the key once it is attached: read(2), of standard input.
    let call = format!("/proc/{}/syscall", running.pid());
    let waits = || std::fs::read_to_string(&call).is_ok_and(|call| call.starts_with("0 0x0 "));
    let mut is_waiting = false;
    if running.work_until_end(|| is_waiting = waits(), |_, _| waits()) {
        return launcher.judged(&running.end(), |_| Err("it ends before a key is pressed".to_owned()));
    }
    let (a, b) = ping_pong(300);
    press.write_all(b"\n").unwrap();
    let Some(end) = running.end_in_time() else { return Outcome::not("a key does not end it") };
    launcher.judged(&end, |text| {
        let count = |from: u32, to: u32| {
            let line = found(&format!(r"(?m)^task_switch\[{from} -> {to}\] = (\d+)$"), text);
            line.map_or(0, |line| line[1].parse::<u32>().unwrap())
        };
        match count(a, b) > 100 && count(b, a) > 100 {
            true => Ok("how often two threads took turns".to_owned()),
            false => Err(format!("of 300 turns it counts {} and {}", count(a, b), count(b, a))),
        }
    })
}

fn strlen_count_without_pid(launcher: &Launcher) -> Outcome {
    let end = launcher.command("strlen_count.lua", &[]).run();
    match end.stderr.contains("usage: strlen_count PID") && (end.status != Some(0) || !launcher.is_ours()) {
        true => Outcome::Seen("its own word on how it is used".to_owned()),
        false => Outcome::Not(super::outcome::reason(&end.stderr, end.status)),
    }
}

fn strlen_count(launcher: &Launcher) -> Outcome {
    let _alone = OneAtATime::trace_pipe();
    let traced = Traced::start();
    launcher.watch(
        "strlen_count.lua",
        &[&traced.pid()],
        || {},
        |text| {
            let line = format!(r#"(?m)^[\d.]+ +traced +{} +strlen\("{TEXT}"\)$"#, traced.pid());
            found(&line, text).map(|_| "the texts that a process measures".to_owned())
        },
    )
}

fn usdt_ruby(launcher: &Launcher) -> Outcome {
    let _alone = OneAtATime::trace_pipe();
    let traced = Traced::start();
    launcher.watch(
        "usdt_ruby.lua",
        &[&traced.pid()],
        || {},
        |text| {
            let line = format!(r"(?m)^traced\t{}\t\d+\t\S+\t[\d.]+\tgreets_the_world\(\.\.\.\)$", traced.pid());
            found(&line, text).map(|_| "the methods that a process enters, by its USDT probe".to_owned())
        },
    )
}
