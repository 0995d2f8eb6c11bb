// SPDX-License-Identifier: Apache-2.0
//! `:load`, `:save`, `:edit` and `!`: the prompt, files and other programs.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::harness::{Need, OnTerminal, Terminal, bpflua, missing, scratch};

const NEEDS: [Need; 3] = [Need::Root, Need::Btf, Need::Tracefs];

fn call() {
    // SAFETY: takes no pointers.
    unsafe { libc::getpgid(0) };
}

/// A prompt whose editor is a shell script that gets the file as `$1`.
fn prompt(home: &Path, editor: &str) -> Terminal {
    let file = home.join("editor");
    std::fs::write(&file, format!("#!/bin/sh\n{editor}\n")).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut terminal = OnTerminal::program(env!("CARGO_BIN_EXE_bpflua"), home).env("EDITOR", &file).start();
    terminal.see_last("bpflua 1>");
    terminal
}

#[test]
fn edit_runs_what_was_saved() {
    let home = scratch("repl-edit");
    let mut terminal = prompt(&home, "sed -i 's/wrong/right/' \"$1\"");
    terminal.statement("answer = 'wrong'", 2);
    terminal.statement(":edit", 3);
    terminal.statement("answer", 4);
    terminal.see("answer\n\"right\"\n");
    // By number; nothing to change.
    terminal.statement(":edit 3", 4);
    terminal.see("nothing was changed");
    // What was edited takes the place of what it was.
    terminal.statement(&format!(":save {}", home.join("saved.lua").display()), 4);
    terminal.leave();
    let saved = std::fs::read_to_string(home.join("saved.lua")).unwrap();
    assert!(saved.contains("answer = 'right'") && !saved.contains("wrong"), "{saved}");
    // Others may have anything in that folder, pipes that nobody writes to among it.
    let is_left = |entry: &std::fs::DirEntry| {
        let is_ours = entry.file_name().to_string_lossy().starts_with("bpflua-");
        let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
        is_ours && is_file && std::fs::read_to_string(entry.path()).is_ok_and(|text| text.contains("answer = 'right'"))
    };
    let left = std::fs::read_dir(std::env::temp_dir()).unwrap().flatten().filter(is_left).count();
    assert_eq!(left, 0, "the editor's file is left");
}

#[test]
fn an_editor_that_fails_is_told() {
    let home = scratch("repl-edit-fails");
    let mut terminal = prompt(&home, "exit 3");
    terminal.statement(":edit", 1);
    terminal.see("error: there is no statement yet");
    terminal.statement("1", 2);
    terminal.statement(":edit", 2);
    terminal.see("failed: status 3");
    terminal.leave();
}

/// The C text of an object: the new program takes the old one's place, handlers and all; a typo leaves the old one.
#[test]
fn root_edit_reloads_a_c_text() {
    if missing(&NEEDS) {
        return;
    }
    let home = scratch("repl-edit-c");
    let counter = home.join("count").display().to_string();
    let editor = format!(
        "case \"$1\" in *.c) ;; *) exit 9;; esac; n=$(cat {counter} 2>/dev/null || echo 1); echo $((n+1)) >{counter}
case $n in 1) sed -i 's/7777/8888/' \"$1\";; *) sed -i 's/8888/oops/' \"$1\";; esac"
    );
    let mut terminal = prompt(&home, &editor);
    terminal.statement(
        "local b = BPF{text = [[
BPF_PERF_OUTPUT(events);
TRACEPOINT_PROBE(syscalls, sys_enter_getpgid) {
    u64 value = 7777;
    events.perf_submit(args, &value, sizeof(value));
    return 0;
}
]]}",
        2,
    );
    terminal.statement("b.events:open_perf_buffer(function(_, value) last = tonumber(value) end)", 3);
    let ask = "BPF.after(0.2, function() print('last', last) end)";
    call();
    terminal.lines(ask);
    terminal.see("last    7777");
    terminal.lines(":edit b");
    terminal.see("again: b.events:open_perf_buffer");
    terminal.until("the prompt is back", |screen| screen.ends_with('>').then_some(()));
    call();
    terminal.lines(ask);
    terminal.see("last    8888");
    terminal.lines(":edit b");
    terminal.see("use of undeclared identifier 'oops'");
    terminal.see("what was attached before stays");
    terminal.lines("last = 0 #b:probes()");
    call();
    terminal.lines(ask);
    terminal.until("the old program is there", |screen| (screen.matches("last    8888").count() == 2).then_some(()));
}

#[test]
fn root_what_save_writes_runs() {
    if missing(&NEEDS) {
        return;
    }
    let home = scratch("repl-save");
    let mut terminal = prompt(&home, "true");
    terminal.statement("local b = BPF{text = [[\nBPF_ARRAY(seen, u64, 1);\nTRACEPOINT_PROBE(syscalls, sys_enter_getpgid) {\n    seen.increment(0);\n    return 0;\n}\n]]}", 2);
    terminal.statement("6 * 7", 3);
    terminal.statement("wrong()", 4);
    terminal.statement("kept = _ + _2", 5);
    terminal.statement("print('kept', kept)", 6);
    terminal.statement("#b:probes()", 7);
    terminal.statement("in_script = arg[1] == 'script' BPF.after(0.1, function() if in_script then print('seen', tonumber(b.seen[0]) >= 0) BPF.exit(0) end end)", 8);
    let file = home.join("saved.lua");
    terminal.lines(&format!(":save {}", file.display()));
    terminal.see("wrote 6 statements to");
    drop(terminal);
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(!text.contains("wrong") && text.contains("BPF.run()"), "{text}");
    let ended = bpflua([&file]).arg("script").start();
    (0..100).for_each(|_| call());
    let ended = ended.end().expect(0);
    assert!(ended.stdout.starts_with("kept\t84\n1\n"), "{}\n{text}", ended.stdout);
    assert!(ended.stdout.ends_with("seen\ttrue\n"), "{}", ended.stdout);
}

#[test]
fn load_runs_a_script_in_the_session() {
    let home = scratch("repl-load");
    std::fs::write(
        home.join("part.lua"),
        "#!/usr/bin/env bpflua\nlocal loaded = 5\nlocal function twice(x)\n  return 2 * x\nend\n",
    )
    .unwrap();
    std::fs::write(home.join("bad.lua"), "local x = 1\nlocal y = x.z.w\n").unwrap();
    let mut terminal = prompt(&home, "true");
    terminal.statement(":load ~/part.lua", 1);
    terminal.statement("twice(loaded)", 2);
    terminal.see("\n10\n");
    terminal.statement(":load ~/bad.lua", 2);
    terminal.see("bad.lua:2");
    terminal.see("2 > local y = x.z.w");
    terminal.statement(":load ~/none.lua", 2);
    terminal.see("none.lua`: No such file or directory");
    terminal.leave();
}

#[test]
fn commands_of_the_shell_run_with_the_terminal() {
    let home = scratch("repl-shell");
    let mut terminal = prompt(&home, "true");
    terminal.statement("!test -t 0 && test -t 1 && echo on a terminal", 1);
    terminal.see("\non a terminal\n");
    terminal.statement("!exit 4", 1);
    terminal.see("ended with status 4");
    // It can read.
    terminal.lines("!read line; echo \"got $line\"");
    terminal.until_cooked();
    terminal.keys("some words\r");
    terminal.see("\ngot some words\n");
    // Timers run meanwhile.
    terminal.statement("BPF.after(0.05, function() ticked = true print('tick') end)", 2);
    terminal.lines("!echo begins; while ! test -e $HOME/go; do sleep 0.05; done; echo ends");
    terminal.see("tick");
    std::fs::write(home.join("go"), "").unwrap();
    terminal.see("\nends\n");
    // Ctrl-C is the program's.
    terminal.lines("!echo sleeps; sleep 1000");
    terminal.see("\nsleeps");
    terminal.keys("\x03");
    terminal.see("was ended by signal 2");
    terminal.statement("ticked", 3);
    terminal.see("ticked\ntrue\n");
    terminal.leave();
}

#[test]
fn commands_in_the_background_are_told_of() {
    let home = scratch("repl-background");
    let mut terminal = prompt(&home, "true");
    terminal.lines("!while ! test -e $HOME/go; do sleep 0.05; done; echo done in the background; exit 5 &");
    terminal.see(" is process ");
    terminal.see_last("bpflua 1>");
    terminal.statement("type(_pid), io.open('/proc/' .. _pid .. '/stat') ~= nil", 2);
    terminal.see("\"number\"\ntrue\n");
    // It is out of Ctrl-C's reach.
    terminal.keys("\x03");
    std::fs::write(home.join("go"), "").unwrap();
    terminal.see("done in the background");
    terminal.see("ended with status 5");
    terminal.see_last("bpflua 2>");
    // `pid` is the same, until something of the user's own is called so.
    terminal.statement("pid == _pid and 'the same'", 3);
    terminal.see("\"the same\"\n");
    terminal.lines("!true");
    terminal.statement("pid == _pid and 'still the same'", 4);
    terminal.see("\"still the same\"\n");
    terminal.statement("pid = 'mine'", 5);
    terminal.lines("!true");
    terminal.statement("pid .. ', ' .. type(_pid)", 6);
    terminal.see("\"mine, number\"\n");
    terminal.leave();
}
