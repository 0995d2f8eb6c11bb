// SPDX-License-Identifier: Apache-2.0
//! The prompt and signals: Ctrl-C in each state, Ctrl-D, Ctrl-Z, and signals from elsewhere.

use super::harness::{Need, Terminal, missing, on_terminal, thread_id};

const CTRL_C: &str = "\x03";

fn prompt(test: &str) -> Terminal {
    let mut terminal = on_terminal(test, [""; 0]).start();
    terminal.see_last("bpflua 1>");
    terminal
}

/// A program that is attached. It sees the calls of this thread: other tests and other programs make them, too.
fn probe() -> String {
    format!(
        "b = BPF{{text = [[
BPF_PERF_OUTPUT(events);
TRACEPOINT_PROBE(syscalls, sys_enter_getpgid) {{
    if ((u32)bpf_get_current_pid_tgid() != {})
        return 0;
    u64 one = 1;
    events.perf_submit(args, &one, sizeof(one));
    return 0;
}}
]]}}",
        thread_id()
    )
}

fn call() {
    // SAFETY: takes no pointers.
    unsafe { libc::getpgid(0) };
}

#[test]
fn ctrl_c_clears_what_is_typed() {
    let mut terminal = prompt("repl-clear");
    terminal.keys("for i = 1, 2 do\rnothing(");
    terminal.see("nothing(");
    terminal.keys(CTRL_C);
    terminal.see_last("bpflua 1>");
    terminal.statement("'still here'", 2);
    terminal.leave();
}

#[test]
fn ctrl_c_interrupts_a_statement_that_runs_for_ever() {
    let mut terminal = prompt("repl-endless");
    for (number, endless) in
        ["while true do end", "repeat local x = {} until false", "local function f() return f() end f()"]
            .iter()
            .enumerate()
    {
        terminal.lines(&format!("print('runs {number}') {endless}"));
        terminal.see(&format!("\nruns {number}"));
        assert!(!terminal.is_raw());
        terminal.keys(CTRL_C);
        terminal.see_last(&format!("bpflua {}>", number + 2));
    }
    terminal.statement("1 + 1", 5);
    let screen = terminal.leave();
    assert_eq!(screen.matches("error: interrupted!\n  --> (repl):").count(), 3, "{screen}");
}

/// Code that catches every error does not keep Ctrl-C from ending it; it is pressed more than once then.
#[test]
fn ctrl_c_ends_code_that_catches_all_errors() {
    let mut terminal = prompt("repl-pcall");
    terminal.lines("print('runs') while true do pcall(function() while true do end end) end");
    terminal.see("\nruns");
    while !terminal.screen().ends_with("bpflua 2>") {
        terminal.keys(CTRL_C);
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    terminal.leave();
}

#[test]
fn root_ctrl_c_ends_a_loop_and_detaches_nothing() {
    if missing(&[Need::Root, Need::Btf, Need::Tracefs]) {
        return;
    }
    let mut terminal = prompt("repl-loop");
    terminal.statement(&probe(), 2);
    terminal.statement("seen = 0 b.events:open_perf_buffer(function() seen = seen + 1 end)", 3);
    terminal.lines("print('loops') print(BPF.run())");
    terminal.see("\nloops");
    terminal.keys(CTRL_C);
    terminal.see("\ninterrupted\nbpflua 4>");
    // In a loop of bcc's kind, which is told by an error.
    terminal.lines("print('polls') while true do b:perf_buffer_poll() end");
    terminal.see("\npolls");
    terminal.keys(CTRL_C);
    terminal.see_last("bpflua 5>");
    terminal.statement("#b:probes()", 6);
    call();
    // The handler runs at the prompt.
    terminal.lines("BPF.after(0.2, function() print(seen > 0 and 'seen' or 'not seen') end)");
    terminal.see("\nseen\n");
    terminal.keys("\x04");
    terminal.see("1 probe is attached. Detach and leave? [y/N]");
    terminal.keys("y\r");
    assert_eq!(terminal.end().0, 0);
}

#[test]
fn root_ctrl_c_interrupts_a_handler_that_runs_for_ever() {
    if missing(&[Need::Root, Need::Btf, Need::Tracefs]) {
        return;
    }
    let mut terminal = prompt("repl-handler");
    terminal.statement(&probe(), 2);
    terminal.statement("b.events:open_perf_buffer(function()\n  print('endless')\n  while true do end\nend)", 3);
    call();
    terminal.see("endless\nbpflua 3>");
    // Keys are read meanwhile; the line is cleared, the handler interrupted, nothing else.
    terminal.keys("half a line");
    terminal.see_last("bpflua 3> half a line");
    terminal.keys(CTRL_C);
    terminal.see("error: interrupted!\n  --> (repl):2:3\n   3 >   while true do end");
    terminal.statement("#b:probes()", 4);
    terminal.see("#b:probes()\n1\n");
}

#[test]
fn root_ctrl_d_with_live_probes_asks() {
    if missing(&[Need::Root, Need::Btf, Need::Tracefs]) {
        return;
    }
    let mut terminal = prompt("repl-ask");
    terminal.statement(&probe(), 2);
    for answer in ["n\r", "\r", CTRL_C] {
        terminal.keys("\x04");
        terminal.see_last("1 probe is attached. Detach and leave? [y/N]");
        terminal.keys(answer);
        terminal.see_last("bpflua 2>");
    }
    terminal.statement("b:cleanup()", 3);
    terminal.leave();
}

/// As in bash and IPython: what runs does not read it, and the prompt behind it is not left by it.
#[test]
fn ctrl_d_while_a_statement_runs_is_nobodys_and_what_is_typed_ahead_is_kept() {
    let mut terminal = prompt("repl-eof-ahead");
    terminal.lines("print('runs') BPF.sleep(0.7)");
    terminal.see("\nruns");
    terminal.until_cooked();
    terminal.keys("\x04");
    terminal.keys("6 * 7\r");
    terminal.see("\n42\n");
    terminal.see_last("bpflua 3>");
    // A program that reads gets it.
    terminal.lines("!cat; echo over");
    terminal.until_cooked();
    terminal.lines("to the program");
    terminal.see("to the program\nto the program");
    terminal.keys("\x04");
    terminal.see("\nover\n");
    terminal.see_last("bpflua 3>");
    terminal.leave();
}

#[test]
fn ctrl_z_stops_and_the_shell_goes_on() {
    let home = super::harness::scratch("repl-suspend");
    let mut terminal = super::harness::OnTerminal::program("/bin/bash", &home)
        .args(["--norc", "--noprofile", "-i"])
        .env("PS1", "shell$ ")
        .start();
    terminal.see_last("shell$");
    terminal.keys(&format!("{}\r", env!("CARGO_BIN_EXE_bpflua")));
    terminal.see_last("bpflua 1>");
    terminal.keys("kept = ");
    terminal.see_last("bpflua 1> kept =");
    terminal.keys("\x1a");
    terminal.until("the shell is back", |screen| screen.trim_end().ends_with("shell$").then_some(()));
    terminal.keys("echo from the shell\r");
    terminal.see("\nfrom the shell\n");
    terminal.keys("fg\r");
    terminal.see_last("bpflua 1> kept =");
    terminal.keys("7");
    // A stop that no key asked for.
    terminal.see_last("bpflua 1> kept = 7");
    let stopped =
        std::process::Command::new("pkill").args(["-TSTP", "-P", &terminal.pid().to_string()]).status().unwrap();
    assert!(stopped.success());
    terminal.until("the shell is back", |screen| screen.trim_end().ends_with("shell$").then_some(()));
    terminal.keys("fg\r");
    terminal.until("the line is back", |screen| screen.ends_with("bpflua 1> kept = 7").then_some(()));
    terminal.keys("\r");
    terminal.see_last("bpflua 2>");
    terminal.statement("kept", 3);
    terminal.see("kept\n7\n");
    terminal.keys("\x04");
    terminal.until("the shell is back", |screen| screen.trim_end().ends_with("shell$").then_some(()));
    terminal.keys("exit\r");
    assert_eq!(terminal.end().0, 0);
}

#[test]
fn sigterm_ends_cleanly_and_sigint_from_elsewhere_is_for_what_runs() {
    let mut terminal = prompt("repl-sigterm");
    terminal.signal(libc::SIGINT);
    terminal.statement("'alive'", 2);
    terminal.lines("print('runs') while true do end");
    terminal.see("\nruns");
    terminal.signal(libc::SIGINT);
    terminal.see_last("bpflua 3>");
    terminal.keys("half");
    terminal.see("half");
    assert!(terminal.is_raw());
    terminal.signal(libc::SIGTERM);
    terminal.until_cooked();
    assert_eq!(terminal.end().0, 0);
}
