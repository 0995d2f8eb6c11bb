// SPDX-License-Identifier: Apache-2.0
//! What a kernel without kprobes offers in place of one.

use super::functions::KernelFunction;
use crate::error::Error;
use crate::kernel::tracefs::Tracefs;
use crate::kernel::{config, kallsyms, syscalls};
use crate::suggest;

/// Words of a function's name that say nothing of what it does.
const EMPTY_WORDS: [&str; 13] =
    ["do", "sys", "enter", "exit", "x64", "arm64", "ksys", "vfs", "internal", "core", "common", "try", "slow"];

/// Functions that people probe, and the tracepoints that fire on the same occasion.
const SAME_OCCASION: [(&str, &[&str]); 14] = [
    ("finish_task_switch", &["sched:sched_switch"]),
    ("__schedule", &["sched:sched_switch"]),
    ("schedule", &["sched:sched_switch"]),
    ("update_rq_clock", &["sched:sched_switch", "sched:sched_stat_runtime"]),
    ("try_to_wake_up", &["sched:sched_waking", "sched:sched_wakeup"]),
    ("wake_up_new_task", &["sched:sched_wakeup_new"]),
    ("do_exit", &["sched:sched_process_exit"]),
    ("kernel_clone", &["sched:sched_process_fork"]),
    ("vfs_read", &["syscalls:sys_enter_read", "syscalls:sys_exit_read"]),
    ("vfs_write", &["syscalls:sys_enter_write", "syscalls:sys_exit_write"]),
    ("do_sys_openat2", &["syscalls:sys_enter_openat", "syscalls:sys_exit_openat"]),
    ("vfs_open", &["syscalls:sys_enter_openat", "syscalls:sys_exit_openat"]),
    ("submit_bio", &["block:block_bio_queue"]),
    ("tcp_set_state", &["sock:inet_sock_set_state"]),
];

/// Adds to the error of a kprobe on these functions why this kernel has none, and what works instead.
pub fn add(error: Error, functions: &[KernelFunction]) -> Error {
    let error = error.with_evidence(missing_part());
    let [only] = functions else { return error.with_note(OTHERS) };
    add_tracepoints(error, &only.name)
}

/// Adds to the error of a kernel function that cannot be traced the tracepoints that speak of what it does.
pub fn add_tracepoints(error: Error, function: &str) -> Error {
    let known = Tracefs::find().and_then(|tracefs| tracefs.tracepoints().ok()).unwrap_or_default();
    let near = similar(function, &known);
    let error = match near.is_empty() {
        true => error,
        false => error.with_hint(format!("tracepoints that may serve instead: {}", near.join(", "))),
    };
    error.with_note(OTHERS)
}

const OTHERS: &str = "tracepoints, raw tracepoints and uprobes need no kprobes";

fn missing_part() -> String {
    let unset = ["CONFIG_KPROBES", "CONFIG_KPROBE_EVENTS", "CONFIG_PERF_EVENTS"];
    let from_config = unset.iter().find_map(|option| config::evidence_unset(option));
    from_config.unwrap_or_else(|| match kallsyms::first_existing(&["register_kprobe"]) {
        Ok(None) => "it was built without them: there is no `register_kprobe` (CONFIG_KPROBES)".to_owned(),
        _ => "there is no `/sys/bus/event_source/devices/kprobe` (CONFIG_KPROBE_EVENTS)".to_owned(),
    })
}

/// Tracepoints that speak of what a function does: those of its system call, those of the same occasion, else those
/// whose names have all its words.
fn similar<'a>(function: &str, known: &'a [String]) -> Vec<&'a str> {
    let by_name = |wanted: String| known.iter().find(move |name| **name == wanted).map(String::as_str);
    if let Some(call) = syscalls::parse_function_name(function) {
        let both = ["enter", "exit"].map(|side| by_name(format!("syscalls:sys_{side}_{}", call.name)));
        return both.into_iter().flatten().collect();
    }
    let stem = function.split('.').next().unwrap_or(function);
    if let Some((_, same)) = SAME_OCCASION.iter().find(|(name, _)| *name == stem) {
        return same.iter().filter_map(|name| by_name((*name).to_owned())).collect();
    }
    let words: Vec<&str> = meaningful(stem).collect();
    let mut near: Vec<(usize, &str)> =
        known.iter().filter_map(|name| Some((closeness(name, &words)?, name.as_str()))).collect();
    near.sort_by_key(|(closeness, name)| (std::cmp::Reverse(*closeness), name.len()));
    near.into_iter().take(suggest::LIMIT).map(|(_, name)| name).collect()
}

/// How many percent of a tracepoint's words are among these; `None` when it is less than half.
fn closeness(tracepoint: &str, words: &[&str]) -> Option<usize> {
    let event = tracepoint.split_once(':').map_or(tracepoint, |(_, event)| event);
    let all = meaningful(event).count();
    let shared = meaningful(event).filter(|word| words.contains(word)).count();
    (shared > 0 && shared * 2 >= all).then(|| shared * 100 / all)
}

fn meaningful(name: &str) -> impl Iterator<Item = &str> {
    name.split('_').filter(|word| word.len() > 1 && !EMPTY_WORDS.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tracepoints_of_the_same_words() {
        let names =
            ["tcp:tcp_retransmit_skb", "sched:sched_switch", "syscalls:sys_enter_clone", "syscalls:sys_exit_clone"];
        let known: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(similar("tcp_retransmit_skb", &known), ["tcp:tcp_retransmit_skb"]);
        assert_eq!(similar("__tcp_retransmit_skb", &known), ["tcp:tcp_retransmit_skb"]);
        assert_eq!(similar("__x64_sys_clone", &known), ["syscalls:sys_enter_clone", "syscalls:sys_exit_clone"]);
        assert_eq!(similar("finish_task_switch", &known), ["sched:sched_switch"]);
        assert_eq!(similar("do_clone", &known), ["syscalls:sys_exit_clone", "syscalls:sys_enter_clone"]);
        assert!(similar("vfs_read", &known).is_empty());
    }
}
