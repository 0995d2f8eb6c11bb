// SPDX-License-Identifier: Apache-2.0
//! Completion and help on a terminal. What completes in each kind of place is tested in `tests/lua/root_repl_complete.lua`.

use std::time::{Duration, Instant};

use super::harness::{Terminal, deadline, on_terminal};

/// Presses Tab until the screen has the text: while Lua is busy, or reads names for the first time, there is no answer.
fn complete(terminal: &mut Terminal, text: &str) {
    let limit = Instant::now() + deadline();
    while Instant::now() < limit {
        terminal.keys("\t");
        let look = Instant::now() + Duration::from_millis(500);
        while Instant::now() < look {
            if terminal.screen().contains(text) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
    panic!("no `{text}` on the screen:\n{}", terminal.screen());
}

#[test]
fn a_name_that_goes_on_one_way_is_filled_in() {
    let mut terminal = on_terminal("complete-one", [""; 0]).start();
    terminal.see_last("bpflua 1>");
    terminal.keys("BPF.kernel_str");
    complete(&mut terminal, "bpflua 1> BPF.kernel_struct_has_field");
    terminal.keys("\x03count(\"softw");
    complete(&mut terminal, "count(\"software:");
    terminal.keys("page");
    complete(&mut terminal, "count(\"software:page-faults");
    terminal.keys("\x03");
    terminal.leave();
}

#[test]
fn several_are_listed_with_what_they_are() {
    let mut terminal = on_terminal("complete-list", [""; 0]).size(120, 30).start();
    terminal.see_last("bpflua 1>");
    terminal.keys("BPF.ksy");
    complete(&mut terminal, "The address of a kernel symbol.");
    let screen = terminal.screen();
    assert!(screen.contains("ksymname  (name)"), "{screen}");
    // The beginning that they have in common is there.
    assert!(screen.trim_end().ends_with("bpflua 1> BPF.ksym"), "{screen}");
    terminal.keys("\x03");
    terminal.leave();
}

#[test]
#[cfg(feature = "compiler")]
fn c_texts_are_completed_by_the_compiler() {
    let mut terminal = on_terminal("complete-c", [""; 0]).size(120, 30).start();
    terminal.see_last("bpflua 1>");
    terminal.keys("x = [[ struct mine { int first, second; }; int f(void *ctx) { struct mine m; m.sec");
    complete(&mut terminal, "m.second");
    terminal.keys("\x03");
    terminal.leave();
}

#[test]
fn questions_are_answered() {
    let mut terminal = on_terminal("complete-help", [""; 0]).size(120, 40).start();
    terminal.see_last("bpflua 1>");
    terminal.lines("BPF.ksym?");
    terminal.see("The kernel function that an address lies in");
    terminal.lines("help()");
    terminal.see("Ctrl-C interrupts, Ctrl-D leaves.");
    terminal.lines("no_such_thing?");
    terminal.see("nothing is called `no_such_thing`");
    terminal.leave();
}
