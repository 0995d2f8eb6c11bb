// SPDX-License-Identifier: Apache-2.0
//! What is printed while a line is typed: above it, limited, and nothing is lost because of it.

use std::thread;
use std::time::{Duration, Instant};

use regex::Regex;

use super::harness::{Need, Terminal, deadline, missing, on_terminal, thread_id};

const NEEDS: [Need; 3] = [Need::Root, Need::Btf, Need::Tracefs];

/// Events of this thread's calls, counted where they are made.
const COUNTED: &str = "b = BPF{text = [[
struct event { u64 number; };
BPF_PERF_OUTPUT(events);
BPF_ARRAY(submitted, u64, 1);
TRACEPOINT_PROBE(syscalls, sys_enter_getpgid) {
    int zero = 0;
    u64 *count = submitted.lookup(&zero);
    if ((u32)bpf_get_current_pid_tgid() != THREAD || !count)
        return 0;
    struct event event = {.number = (*count)++};
    events.perf_submit(args, &event, sizeof(event));
    return 0;
}
]]}";

fn prompt(test: &str) -> Terminal {
    let mut terminal = on_terminal(test, ["-D", &format!("THREAD={}", thread_id())]).start();
    terminal.see_last("bpflua 1>");
    terminal.statement(COUNTED, 2);
    terminal
}

fn call(count: u64) {
    for _ in 0..count {
        // SAFETY: takes no pointers.
        unsafe { libc::getpgid(0) };
    }
}

/// Calls at 10,000 a second for three seconds, and types a letter now and then.
fn flood_and_type(terminal: &mut Terminal, text: &str) -> u64 {
    const CALLS: u64 = 30_000;
    let mut letters = text.chars();
    for number in 0..CALLS / 100 {
        call(100);
        if number % 6 == 0
            && let Some(letter) = letters.next()
        {
            terminal.keys(&letter.to_string());
        }
        thread::sleep(Duration::from_millis(10));
    }
    terminal.keys(&letters.collect::<String>());
    CALLS
}

#[test]
fn root_a_flood_above_the_line_is_limited_and_nothing_is_lost() {
    if missing(&NEEDS) {
        return;
    }
    let mut terminal = prompt("repl-flood");
    terminal.lines("local delivered, lost = 0, 0");
    terminal.see_last("bpflua 3>");
    let handler = "b.events:open_perf_buffer(function(_, event)
  delivered = delivered + 1
  print('event', event.number)
end, {lost_cb = function(count) lost = lost + count end})";
    terminal.statement(handler, 4);
    let limit = Instant::now() + deadline();
    let calls = flood_and_type(&mut terminal, "result = 6 * 7 -- typed while it floods");
    // The line is whole, below everything.
    terminal.see_last("bpflua 4> result = 6 * 7 -- typed while it floods");
    terminal.see(" lines held back\nbpflua 4> ");
    terminal.keys("\r");
    let counts = Regex::new(r"(?m)^counts\s+(\d+)\s+(\d+)\s+(\d+)\s+(\d+)$").unwrap();
    let held_back = Regex::new("… ([0-9,]+) lines? held back").unwrap();
    // A slow machine may still be at it. What was not shown was counted: every line of an event is either.
    let (shown, held) = loop {
        terminal.until_raw();
        terminal.lines("print('counts', result, delivered, lost, tonumber(b.submitted[0]))");
        let [result, delivered, lost, submitted] = terminal.until("the counts", |screen| {
            let found = counts.captures_iter(screen).last()?;
            Some([1, 2, 3, 4].map(|number| found[number].parse::<u64>().unwrap()))
        });
        assert_eq!((result, submitted), (42, calls));
        let written = terminal.written();
        let shown = written.matches("event\t").count() as u64;
        let held: u64 =
            held_back.captures_iter(&written).map(|found| found[1].replace(',', "").parse::<u64>().unwrap()).sum();
        if delivered + lost == submitted && shown + held == delivered {
            break (shown, held);
        }
        assert!(Instant::now() < limit, "{delivered} + {lost} of {submitted}; {shown} shown, {held} held back");
        thread::sleep(Duration::from_millis(200));
    };
    assert!(held > shown, "{shown} shown, {held} held back");
}

#[test]
fn root_a_loop_in_a_statement_is_limited_and_what_follows_is_not() {
    if missing(&NEEDS) {
        return;
    }
    let mut terminal = prompt("repl-flood-statement");
    terminal.statement("b.events:open_perf_buffer(function(_, event) print('event', event.number) end)", 3);
    terminal.lines("print('loops') BPF.run() for i = 1, 1000 do print('summary', i) end");
    terminal.see("\nloops");
    call(20_000);
    terminal.until("the flood was cut", |screen| screen.contains("held back").then_some(()));
    terminal.keys("\x03");
    terminal.see_last("bpflua 4>");
    let written = terminal.written();
    assert_eq!(written.matches("summary\t").count(), 1000);
    assert!(written.matches("event\t").count() < 10_000);
    terminal.statement("b:cleanup()", 5);
    terminal.leave();
}

#[test]
fn output_of_timers_and_programs_appears_above_the_line() {
    let mut terminal = on_terminal("repl-above", [""; 0]).start();
    terminal.see_last("bpflua 1>");
    terminal
        .statement("ticks = 0 timer = BPF.interval(0.05, function() ticks = ticks + 1 print('tick', ticks) end)", 2);
    terminal.keys("typed between ticks");
    terminal.see("tick    5\n");
    terminal.see_last("bpflua 2> typed between ticks");
    terminal.keys("\x03");
    terminal.statement("BPF.cancel(timer)", 3);
    // A line without an end, and what another program prints.
    terminal.statement("BPF.after(0.05, function() io.write('no end') os.execute('echo from a program') end)", 4);
    terminal.see("from a program");
    terminal.see_last("bpflua 4>");
    let screen = terminal.leave();
    assert!(screen.contains("no end"), "{screen}");
}

#[test]
fn root_errors_of_handlers_are_told_once_and_counted() {
    if missing(&NEEDS) {
        return;
    }
    let mut terminal = prompt("repl-handler-errors");
    terminal.statement("seen, lost = 0, 0", 3);
    let handler = "b.events:open_perf_buffer(function(_, event)\n  seen = seen + 1\n  event.number.x = 1\nend, \
        {lost_cb = function(count) lost = lost + count end})";
    terminal.statement(handler, 4);
    let start = Instant::now();
    call(500);
    // A slow machine takes its time: then they are told in portions, one each second.
    let counts = Regex::new(r"(?m)^counts\s+(\d+)\s+(\d+)$").unwrap();
    let portions = Regex::new("… the same error ([0-9,]+) times? more").unwrap();
    let (told, repeated) = loop {
        terminal.lines("print('counts', seen, lost)");
        let [seen, lost] = terminal.until("the counts", |screen| {
            let found = counts.captures_iter(screen).last()?;
            Some([1, 2].map(|number| found[number].parse::<u64>().unwrap()))
        });
        let written = terminal.written();
        let told = written.matches("(repl):3:3").count() as u64;
        let repeated: u64 =
            portions.captures_iter(&written).map(|found| found[1].replace(',', "").parse::<u64>().unwrap()).sum();
        if seen + lost == 500 && told + repeated == seen {
            break (told, repeated);
        }
        assert!(start.elapsed() < deadline(), "{seen} seen + {lost} lost; told {told} times and {repeated} more");
        thread::sleep(Duration::from_millis(300));
        terminal.until_raw();
    };
    // Whole, it is told once in ten seconds.
    assert!(repeated > 0 && told <= 1 + start.elapsed().as_secs() / 10, "told {told} times, {repeated} more");
    terminal.until_raw();
    terminal.lines("b:cleanup()");
    terminal.lines("'detached'");
    terminal.see("\"detached\"");
    terminal.leave();
}

/// A C text that does not compile, one that the verifier refuses, and a handler that fails leave other probes alone.
#[test]
fn root_errors_disturb_no_other_probe() {
    if missing(&NEEDS) {
        return;
    }
    let mut terminal = prompt("repl-undisturbed");
    terminal.statement("seen = 0 b.events:open_perf_buffer(function() seen = seen + 1 end)", 3);
    terminal.statement("BPF{text = [[\nint f(void *ctx) {\n    return typo;\n}\n]]}", 4);
    terminal.see("--> (repl):3:3:12: use of undeclared identifier 'typo'");
    terminal.see("\n  3 >     return typo;\n    |            ^");
    terminal
        .statement("bad = BPF{text = [[\nTRACEPOINT_PROBE(syscalls, sys_enter_getpgid) {\n    for (;;) {}\n}\n]]}", 5);
    terminal.see("error: ");
    call(100);
    terminal.until("the events came", |screen| screen.ends_with("bpflua 5>").then_some(()));
    terminal.lines("BPF.after(0.3, function() print('seen', seen) end)");
    terminal.see("seen    100");
}
