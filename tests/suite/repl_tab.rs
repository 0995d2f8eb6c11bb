// SPDX-License-Identifier: Apache-2.0
//! From the Tab key to the screen, for each kind of thing that is completed. Which candidates there are in each place is tested
//! in `tests/lua/root_repl_complete.lua`.

use std::fs;
use std::time::{Duration, Instant};

use super::harness::{Need, Terminal, deadline, missing, on_terminal, scratch};
use super::usdt;

/// What is typed, and what the screen then has: the one way to go on, or the notes of several.
const KINDS: [(&str, &str); 18] = [
    ("tonu", "bpflua 2> tonumber"),
    ("BPF.kernel_str", "BPF.kernel_struct_has_field"),
    ("b:attach_kp", "b:attach_kprobe"),
    ("b:attach_kprobe{event", "event_off"),
    ("b.cou", "b.counts"),
    ("b.counts:item", "Iterates over keys and values."),
    ("b.events:open_ring_buffer(function(cpu, e) print(e.tim", "print(e.time"),
    ("for k in b.counts:keys() do print(k.com", "print(k.comm"),
    ("b:attach_tracepoint{tp = 'x', fn_name = 'on_o", "fn_name = 'on_open"),
    ("count('kprobe:vfs_rea", "(struct file *file"),
    ("count('tracepoint:sched:sched_wak", "target_cpu"),
    ("count('tracepoint:sched:sched_switch', 'prev_c", "'prev_comm"),
    ("count('kprobe:vfs_read', 'file.f_path.den", "'file.f_path.dentry"),
    ("count('uprobe:c:getppi", "uprobe:c:getppid"),
    ("x = BPF{src_file = '/proc/self/statu", "'/proc/self/status"),
    ("require('of_a_tes", "require('of_a_test"),
    ("!true /proc/self/statu", "!true /proc/self/status"),
    (":prob", "bpflua 2> :probes"),
];

const TEXT: &str = "b = BPF{text = [[
struct key_t { u32 pid; char comm[16]; };
struct event_t { u64 time; u32 pid; };
BPF_HASH(counts, struct key_t, u64);
BPF_RINGBUF_OUTPUT(events, 8);
int on_open(struct tracepoint__syscalls__sys_enter_openat *args)
{
    struct key_t key = {};
    struct event_t event = {};
    counts.increment(key);
    events.ringbuf_output(&event, sizeof(event), 0);
    return 0;
}
]]}";

/// Types, presses Tab until the screen has the text (while Lua is busy, or reads names for the first time, there is no
/// answer), and clears line and screen.
fn press(terminal: &mut Terminal, typed: &str, wanted: &str) {
    terminal.keys(typed);
    terminal.see(typed);
    let limit = Instant::now() + deadline();
    while !terminal.screen().contains(wanted) {
        assert!(Instant::now() < limit, "`{typed}`: no `{wanted}` on the screen:\n{}", terminal.screen());
        terminal.keys("\t");
        let look = Instant::now() + Duration::from_millis(500);
        while Instant::now() < look && !terminal.screen().contains(wanted) {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
    terminal.keys("\x03\x0c");
    terminal.until("an empty screen", |screen| (screen.trim() == "bpflua 2>").then_some(()));
}

#[test]
fn root_the_candidates_of_each_kind_are_on_the_screen() {
    if missing(&[Need::Root, Need::Btf, Need::Tracefs]) {
        return;
    }
    let home = scratch("tab-data");
    fs::create_dir_all(home.join("bpflua/packs/of_a_test")).unwrap();
    let mut terminal = on_terminal("tab", [""; 0]).env("XDG_DATA_HOME", &home).size(150, 40).start();
    terminal.see_last("bpflua 1>");
    terminal.statement(TEXT, 2);
    terminal.keys("\x0c");
    for (typed, wanted) in KINDS {
        press(&mut terminal, typed, wanted);
    }
    terminal.leave();
}

#[test]
#[cfg(feature = "compiler")]
fn root_c_is_completed_with_the_kernels_types() {
    if missing(&[Need::Root, Need::Btf]) {
        return;
    }
    let mut terminal = on_terminal("tab-c", [""; 0]).size(150, 40).start();
    terminal.see_last("bpflua 1>");
    terminal.statement("x = 1", 2);
    terminal.keys("\x0c");
    let task = "x = [[ int f(void *ctx) { struct task_struct *t = (void *)bpf_get_current_task(); t->tgi";
    for (typed, wanted) in [
        (task, "t->tgid"),
        ("x = [[ BPF_HASH(h); int f(void *ctx) { h.incr", "h.increment"),
        ("x = [[ TRACEPOINT_PROBE(sched, sched_switch) { args->prev_com", "args->prev_comm"),
        ("x = [[ int f(void *ctx) { bpf_get_current_com", "bpf_get_current_comm"),
    ] {
        press(&mut terminal, typed, wanted);
    }
    terminal.leave();
}

#[test]
fn root_probes_of_a_program_are_completed() {
    if missing(&usdt::NEEDS) {
        return;
    }
    let folder = scratch("tab-usdt");
    let program = usdt::build(&folder, "values", &["-O1"]);
    let mut terminal = on_terminal("tab-usdt-home", [""; 0]).size(150, 40).start();
    terminal.see_last("bpflua 1>");
    terminal.statement("x = 1", 2);
    terminal.keys("\x0c");
    let head = format!("count('usdt:{}:", program.display());
    press(&mut terminal, &format!("{head}many_arg"), "many_arguments");
    press(&mut terminal, &format!("count('uprobe:{}:mai", program.display()), ":main");
    terminal.leave();
}
