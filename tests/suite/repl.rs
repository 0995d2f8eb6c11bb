// SPDX-License-Identifier: Apache-2.0
//! The prompt on a terminal: statements, results, errors, several lines, the end.

use std::thread;
use std::time::{Duration, Instant};

use super::harness::{deadline, on_terminal};

#[test]
fn expressions_print_and_results_are_kept() {
    let mut terminal = on_terminal("repl-results", [""; 0]).start();
    terminal.see_last("bpflua 1>");
    terminal.statement("1 + 1", 2);
    terminal.statement("_ * 21", 3);
    terminal.statement("_1 + _2", 4);
    terminal.statement("'text', nil, 3", 5);
    terminal.statement("x = 1", 6);
    let screen = terminal.leave();
    let expected = "bpflua 1> 1 + 1\n2\nbpflua 2> _ * 21\n42\nbpflua 3> _1 + _2\n44\nbpflua 4> 'text', nil, 3\n";
    assert!(screen.starts_with(expected), "{screen}");
    assert!(screen.ends_with("nil\n3\nbpflua 5> x = 1\nbpflua 6>"), "{screen}");
}

#[test]
fn open_blocks_and_brackets_go_on() {
    let mut terminal = on_terminal("repl-multiline", [""; 0]).start();
    terminal.see_last("bpflua 1>");
    terminal.statement("for i = 1, 3 do\n  io.write(i, ' ')\nend", 2);
    terminal.statement("text = [[\nstruct x {\n};\n]]", 3);
    terminal.statement("#text", 4);
    // What is wrong is told at once, not waited for.
    terminal.statement("f = function() ] end", 5);
    let screen = terminal.leave();
    assert!(screen.contains("end\n1 2 3 \nbpflua 2>"), "{screen}");
    assert!(screen.contains("#text\n14\n"), "{screen}");
    assert!(screen.contains("unexpected symbol near ']'"), "{screen}");
}

#[test]
fn a_statement_of_several_lines_is_edited_as_one() {
    let mut terminal = on_terminal("repl-edit-lines", [""; 0]).start();
    terminal.see_last("bpflua 1>");
    terminal.keys("for i = 1, 2 do\rprunt(i)\rend");
    // Up into the line before, to its end, the typo out.
    terminal.keys("\x1b[A\x01\x1b[C\x1b[C\x1b[3~i\r");
    let screen = terminal.until("the loop ran", |screen| screen.contains("\n2\n").then(|| screen.to_owned()));
    assert!(screen.contains("print(i)\nend\n1\n2\n"), "{screen}");
    // It comes back whole.
    terminal.keys("\x1b[A");
    terminal.see("bpflua 2> for i = 1, 2 do\nprint(i)\nend");
    terminal.keys("\r");
    terminal.see_last("bpflua 3>");
    terminal.leave();
}

#[test]
fn locals_live_on_and_are_shared_with_functions() {
    let mut terminal = on_terminal("repl-locals", [""; 0]).start();
    terminal.see_last("bpflua 1>");
    terminal.statement("local n, unset = 0", 2);
    terminal.statement("local function inc() n = n + 1 end", 3);
    terminal.statement("inc() inc()", 4);
    terminal.statement("n", 5);
    terminal.statement("unset", 6);
    terminal.statement("do local inner = 1 end", 7);
    terminal.statement("inner", 8);
    let screen = terminal.leave();
    assert!(screen.contains("bpflua 4> n\n2\nbpflua 5> unset\nnil\n"), "{screen}");
    assert!(screen.contains("cannot read the undeclared variable `inner`"), "{screen}");
}

#[test]
fn errors_show_the_statements_line_and_end_nothing() {
    let mut terminal = on_terminal("repl-errors", [""; 0]).size(100, 40).start();
    terminal.see_last("bpflua 1>");
    terminal.statement("foo bar", 2);
    terminal.statement("do\n  prnt(1)\nend", 3);
    terminal.statement("error({})", 4);
    terminal.statement("BPF{txt = 'int x;'}", 5);
    terminal.statement("os.rename(nil)", 6);
    terminal.statement("({}).b.c -- not there", 7);
    insta::with_settings!({snapshot_path => "../repl", prepend_module_to_snapshot => false}, {
        insta::assert_snapshot!("errors", terminal.leave());
    });
}

#[test]
fn pasted_statements_are_all_run() {
    let mut terminal = on_terminal("repl-paste", [""; 0]).start();
    terminal.see_last("bpflua 1>");
    // In one go, as a terminal without bracketed paste sends it.
    terminal.keys("a = 1\rb = 2\ra + b\r");
    terminal.see_last("bpflua 4>");
    // As a terminal with it does.
    terminal.keys("\x1b[200~for i = 8, 9 do\nprint(i)\nend\x1b[201~\r");
    terminal.see_last("bpflua 5>");
    let screen = terminal.leave();
    assert!(screen.contains("a + b\n3\n") && screen.contains("end\n8\n9\n"), "{screen}");
}

#[test]
fn ctrl_d_and_quit_leave() {
    let mut terminal = on_terminal("repl-quit", [""; 0]).start();
    terminal.see_last("bpflua 1>");
    terminal.lines(":quit");
    assert_eq!(terminal.end().0, 0);

    let mut terminal = on_terminal("repl-exit", [""; 0]).start();
    terminal.see_last("bpflua 1>");
    terminal.lines("os.exit(3)");
    assert_eq!(terminal.end().0, 3);
}

#[test]
fn the_terminals_new_width_is_used() {
    let mut terminal = on_terminal("repl-resize", [""; 0]).size(100, 30).start();
    terminal.see_last("bpflua 1>");
    terminal.keys("x = '0123456789012345678901234567890123456789012345678901234567890123456789'");
    terminal.see("789'");
    terminal.resize(40, 30);
    terminal.keys(" .. 'end'");
    terminal.see("'end'");
    // The keys may have come before the signal of the new size.
    let wanted = ["5678901234567890123456789012345678901234", "56789' .. 'end'"];
    let limit = Instant::now() + deadline();
    loop {
        let rows = terminal.rows();
        let first = rows.iter().position(|row| row.ends_with("bpflua 1> x = '0123456789012345678901234"));
        if first.is_some_and(|first| rows[first + 1..].iter().take(2).eq(wanted)) {
            break;
        }
        assert!(Instant::now() < limit, "{rows:#?}");
        thread::sleep(Duration::from_millis(20));
    }
    terminal.keys("\r#x\r");
    terminal.see("\n73\n");
    terminal.leave();
}

const RED_ERROR: &str = "\x1b[1;31merror:\x1b[0m ";

#[test]
fn prompts_and_errors_are_in_colour_where_a_terminal_has_it() {
    let mut terminal = on_terminal("repl-colour", [""; 0]).start();
    terminal.see_last("bpflua 1>");
    terminal.statement("nobody", 2);
    let written = terminal.written();
    assert!(written.contains("\x1b[1mbpflua 1> \x1b[0m"), "{written:?}");
    assert!(written.contains(RED_ERROR) && written.contains("\x1b[1;34m-->\x1b[0m (repl):1:1:1"), "{written:?}");
    // The screen has the words alone.
    assert!(terminal.screen().contains("error: cannot read the undeclared variable `nobody`\n  --> (repl):1:1:1\n"));
    terminal.leave();
    let (status, _) = on_terminal("repl-colour-script", ["-e", "error('x')"]).start().end();
    assert_eq!(status, 1);
}

#[test]
fn nobody_gets_colours_who_does_not_want_them() {
    for (name, value) in [("NO_COLOR", "1"), ("TERM", "dumb")] {
        let mut terminal = on_terminal("repl-no-colour", [""; 0]).env(name, value).start();
        terminal.see("bpflua 1>");
        terminal.lines("nobody");
        terminal.see("error: cannot read");
        terminal.see("bpflua 2>");
        let written = terminal.written();
        assert!(!written.contains("\x1b[1m") && !written.contains("\x1b[1;3"), "{name}: {written:?}");
        terminal.keys("\x04");
        assert_eq!(terminal.end().0, 0);
    }
    for (name, value, is_red) in [("NO_COLOR", "", true), ("NO_COLOR", "1", false), ("TERM", "dumb", false)] {
        let mut terminal = on_terminal("repl-colour-errors", ["-e", "error('x')"]).env(name, value).start();
        terminal.see("error: x");
        assert_eq!(terminal.written().contains(RED_ERROR), is_red, "{name}={value}");
        assert_eq!(terminal.end().0, 1);
    }
}
