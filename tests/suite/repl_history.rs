// SPDX-License-Identifier: Apache-2.0
//! What was typed in earlier sessions: kept by statement, searched, nobody else's to read.

use std::os::unix::fs::PermissionsExt as _;

use super::harness::{OnTerminal, Terminal, scratch};

fn prompt(home: &std::path::Path) -> Terminal {
    let mut terminal = OnTerminal::program(env!("CARGO_BIN_EXE_bpflua"), home).start();
    terminal.see_last("bpflua 1>");
    terminal
}

#[test]
fn statements_come_back_in_the_next_session() {
    let home = scratch("repl-history");
    let mut terminal = prompt(&home);
    terminal.statement("first = 'needle'", 2);
    terminal.statement("for i = 1, 2 do\n  last = i\nend", 3);
    terminal.statement("wrong(", 3);
    terminal.keys("\x03");
    terminal.statement("'\\\\ and \\n'", 4);
    terminal.leave();

    let file = home.join("bpflua/history");
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(file.parent().unwrap().metadata().unwrap().permissions().mode() & 0o777, 0o700);

    let mut terminal = prompt(&home);
    terminal.keys("\x1b[A");
    terminal.see_last("bpflua 1> '\\\\ and \\n'");
    // The statement of three lines is one entry.
    terminal.keys("\x1b[A");
    terminal.see("bpflua 1> for i = 1, 2 do\n  last = i\nend");
    terminal.keys("\x03");
    terminal.see_last("bpflua 1>");
    // Ctrl-R finds what lies further back.
    terminal.keys("\x12need");
    terminal.see("(reverse-i-search)`need': first = 'needle'");
    terminal.keys("\r");
    terminal.see_last("bpflua 2>");
    terminal.statement("first", 3);
    terminal.see("first\n\"needle\"");
    terminal.leave();
}

#[test]
fn two_sessions_at_a_time_lose_nothing() {
    let home = scratch("repl-history-two");
    let (mut one, mut other) = (prompt(&home), prompt(&home));
    one.statement("from_one = 1", 2);
    other.statement("from_other = 1", 2);
    one.statement("again_from_one = 1", 3);
    one.leave();
    other.leave();
    let text = std::fs::read_to_string(home.join("bpflua/history")).unwrap();
    for statement in ["from_one = 1", "from_other = 1", "again_from_one = 1"] {
        assert!(text.contains(statement), "{text}");
    }
}

#[test]
fn a_history_that_cannot_be_kept_is_no_obstacle() {
    let home = scratch("repl-history-none");
    std::fs::write(home.join("bpflua"), "a file where the folder should be").unwrap();
    let mut terminal = prompt(&home);
    terminal.statement("1 + 1", 2);
    terminal.leave();
}
