// SPDX-License-Identifier: Apache-2.0
//! A prompt without a terminal, after a script, and inside one.

use super::harness::{bpflua, on_terminal, scratch};

#[test]
fn what_is_piped_in_is_a_script() {
    let ended = bpflua([""; 0]).input("local x = 1\nprint(x)\nreturn x + 1\n").run().expect(0);
    assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("1\n", ""));
    let ended = bpflua([""; 0]).input("print(1)\nerror('two')\nprint(3)\n").run().expect(1);
    assert_eq!(ended.stdout, "1\n");
    assert!(ended.stderr.contains("--> stdin:2\n"), "{}", ended.stderr);
}

#[test]
fn statements_are_read_one_by_one_when_that_is_wanted() {
    let text = "1 + 1\nfor i = 1, 2 do\n  print(i)\nend\nwrong(\n)\n_1 * 10\nio.read('*l')\nthis is read by the statement above\n:time x = 1\n'end'";
    let ended = bpflua(["-i"]).input(text).run().expect(0);
    let lines: Vec<&str> = ended.stdout.lines().filter(|line| !line.starts_with("took ")).collect();
    assert_eq!(lines, ["2", "1", "2", "20", "\"this is read by the statement above\"", "\"end\""], "{}", ended.stdout);
    assert!(ended.stderr.contains("cannot read the undeclared variable `wrong`"), "{}", ended.stderr);
    let ended = bpflua(["-i"]).input("BPF.exit(4)\nprint('not reached')\n").run().expect(4);
    assert_eq!(ended.stdout, "");
}

#[test]
fn a_terminal_that_can_do_nothing_is_read_plainly() {
    let mut terminal = on_terminal("repl-dumb", [""; 0]).env("TERM", "dumb").start();
    terminal.see_last("bpflua 1>");
    terminal.statement("6 * 7", 2);
    terminal.keys("\x04");
    let (status, screen) = terminal.end();
    assert_eq!(status, 0);
    assert!(screen.contains("6 * 7\n42\n"), "{screen}");
}

#[test]
fn a_script_is_gone_on_from_with_its_locals() {
    let home = scratch("repl-after");
    let script = home.join("script.lua");
    std::fs::write(&script, "local n = 1\nlocal function inc() n = n + 1 return n end\nprint('script', ...)\n")
        .unwrap();
    let mut terminal = on_terminal("repl-after-home", ["-i", script.to_str().unwrap(), "a"]).start();
    terminal.see_last("bpflua 1>");
    terminal.see("script  a");
    terminal.statement("inc()", 2);
    terminal.statement("n = 10", 3);
    terminal.statement("inc()", 4);
    terminal.see("inc()\n11\n");
    // What nobody declared is told as at any prompt.
    terminal.statement("nobody", 5);
    terminal.see("error: cannot read the undeclared variable `nobody`\n  --> (repl):4:1:1");
    terminal.leave();
    // One that fails: its locals are those it had.
    std::fs::write(&script, "local found = 5\nlocal function f(inner)\n  error('no')\nend\nf(7)\n").unwrap();
    let mut terminal = on_terminal("repl-after-home", ["-i", script.to_str().unwrap()]).start();
    terminal.see_last("bpflua 1>");
    terminal.see("script.lua:3");
    terminal.statement("found, inner", 2);
    terminal.see("found, inner\n5\n7\n");
    terminal.leave();
}

/// Where the script ended, or called `BPF.repl()`, says nothing of what is typed.
#[test]
fn errors_at_the_prompt_name_no_place_of_the_script() {
    let script = scratch("repl-errors-after").join("script.lua");
    let typed = "undeclared\nlocal function f()\n  return nothing.at_all\nend\nf()\nb = BPF{text = 'int x;'}\nb:no_such()\nof_the_script()\n";
    let mut seen = Vec::new();
    for (text, args) in [("", &["-i"][..]), ("local function f()\n  BPF.repl()\nend\nf()\n", &[])] {
        std::fs::write(&script, format!("function of_the_script()\n  error('in the script')\nend\n{text}")).unwrap();
        let args = args.iter().map(std::ffi::OsStr::new).chain([script.as_os_str()]);
        seen.push(bpflua(args).input(typed).run().expect(0).stderr.replace(script.to_str().unwrap(), "script.lua"));
    }
    assert_eq!(seen[0], seen[1]);
    insta::with_settings!({snapshot_path => "../repl", prepend_module_to_snapshot => false}, {
        insta::assert_snapshot!("errors_after_a_script", seen[0]);
    });
}

#[test]
fn a_script_in_its_loop_is_gone_on_from_after_ctrl_c() {
    let home = scratch("repl-after-loop");
    let script = home.join("script.lua");
    std::fs::write(&script, "local n = 0\nBPF.interval(0.02, function() n = n + 1 end)\nprint('loops')\nBPF.run()\n")
        .unwrap();
    let mut terminal = on_terminal("repl-after-loop-home", ["-i", script.to_str().unwrap()]).start();
    terminal.see("loops");
    terminal.keys("\x03");
    terminal.see_last("bpflua 1>");
    // The interval goes on at the prompt.
    terminal.statement("before = n", 2);
    terminal.lines("BPF.after(0.2, function() print(n > before and 'more' or 'as many') end)");
    terminal.see("more");
    terminal.leave();
}

#[test]
fn a_prompt_inside_a_script_shares_its_locals() {
    let home = scratch("repl-inside");
    let script = home.join("script.lua");
    std::fs::write(&script, "local up = 'up'\nlocal function f(argument)\n  local inner = up .. argument\n  BPF.repl()\n  return inner\nend\nprint('back with', f('!'))\n").unwrap();
    let mut terminal = on_terminal("repl-inside-home", [&script]).start();
    terminal.see_last("bpflua 1>");
    terminal.statement("inner, argument, up", 2);
    terminal.see("inner, argument, up\n\"up!\"\n\"!\"\n\"up\"\n");
    terminal.statement("inner = 'changed'", 3);
    terminal.statement("BPF.repl()", 4);
    terminal.see("there is one already");
    terminal.keys("\x04");
    let (status, screen) = terminal.end();
    assert_eq!(status, 0);
    assert!(screen.ends_with("back with       changed"), "{screen}");
    let ended = bpflua(["-e", "local a = 1 BPF.repl() print(a)"]).input("a = a + 1\na\n").run().expect(0);
    assert_eq!(ended.stdout, "2\n2\n");
}
