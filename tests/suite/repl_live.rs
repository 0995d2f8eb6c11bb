// SPDX-License-Identifier: Apache-2.0
//! The prompt's commands about what is live: probes, maps, a view of one, histograms, costs, searching, sources.

use super::harness::{Need, Terminal, missing, on_terminal};

const TEXT: &str = "\
b = BPF{text = [[
BPF_HASH(counts, u32);
BPF_HISTOGRAM(sizes);
BPF_HASH(tiny, u32, u32, 1);
RAW_TRACEPOINT_PROBE(sys_enter)
{
    return 0;
}
int twice(void *ctx) { return 2; }
]]}";

/// A prompt with an object of some maps and functions, and one probe.
fn with_object(test: &str, columns: u16) -> Terminal {
    let mut terminal = on_terminal(test, [""; 0]).size(columns, 40).start();
    terminal.see_last("bpflua 1>");
    terminal.statement(TEXT, 2);
    terminal
}

/// Runs a command, which does not count as a statement, on an empty screen; gives what it answered.
#[track_caller]
fn command(terminal: &mut Terminal, line: &str, number: u32) -> String {
    let (asked, last) = (format!("bpflua {number}> {line}\n"), format!("bpflua {number}>"));
    // Ctrl-L: nothing is left of an earlier answer.
    terminal.keys("\x0c");
    terminal.until("an empty screen", |screen| (screen.trim_end() == last).then_some(()));
    terminal.lines(line);
    terminal.until(line, |screen| {
        let (_, answer) = screen.rsplit_once(&asked)?;
        answer.trim_end().ends_with(&last).then(|| answer.to_owned())
    })
}

/// Leaves although a probe is attached.
#[track_caller]
fn leave(mut terminal: Terminal) {
    terminal.keys("\x04");
    terminal.see("Detach and leave? [y/N]");
    terminal.lines("y");
    assert_eq!(terminal.end().0, 0);
}

#[test]
fn root_probes_are_listed_and_detached() {
    if missing(&[Need::Root, Need::Btf]) {
        return;
    }
    let mut terminal = with_object("live-probes", 100);
    let listed = command(&mut terminal, ":probes", 2);
    assert!(listed.contains("1  raw_tracepoint  sys_enter  raw_tracepoint__sys_enter  raw_tracepoint"), "{listed}");
    let wrong = command(&mut terminal, ":detach raw_tracepoint:sys_entre", 2);
    assert!(wrong.contains("`:detach` finds no probe `raw_tracepoint:sys_entre`"), "{wrong}");
    assert!(wrong.contains("did you mean `raw_tracepoint:sys_enter`"), "{wrong}");
    let wrong = command(&mut terminal, ":detach", 2);
    assert!(wrong.contains("`:detach` needs to know which probes"), "{wrong}");
    // A word that means nothing changes nothing.
    command(&mut terminal, ":detach 1 nothing", 2);
    assert!(command(&mut terminal, ":probes", 2).contains("sys_enter"));
    let detached = command(&mut terminal, ":detach raw*:sys_*", 2);
    assert!(detached.contains("detached raw_tracepoint sys_enter → raw_tracepoint__sys_enter"), "{detached}");
    assert!(command(&mut terminal, ":probes", 2).contains("nothing is attached"));
    let wrong = command(&mut terminal, ":cost", 2);
    assert!(wrong.contains("`:cost` has nothing to measure: no probe is attached"), "{wrong}");
    terminal.leave();
}

#[test]
fn root_the_whole_system_is_listed() {
    if missing(&[Need::Root, Need::Btf]) {
        return;
    }
    let mut terminal = with_object("live-system", 160);
    let pid = terminal.pid();
    let programs = command(&mut terminal, ":probes -a", 2);
    let holder = format!("bpflua {pid}");
    let own = programs.lines().find(|line| line.contains(&holder)).unwrap_or_else(|| panic!("{programs}"));
    assert!(own.contains("raw_tracepoint") && own.contains("sys_enter"), "{own}");
    let maps = command(&mut terminal, ":maps -a", 2);
    let own = maps.lines().find(|line| line.contains("counts") && line.contains(&holder));
    assert!(own.is_some_and(|line| line.contains("hash") && line.contains("10,240")), "{maps}");
    let wrong = command(&mut terminal, ":maps -x", 2);
    assert!(wrong.contains("`:maps` has no option `-x`") && wrong.contains("the options are -a"), "{wrong}");
    leave(terminal);
}

#[test]
fn root_maps_and_histograms() {
    if missing(&[Need::Root, Need::Btf]) {
        return;
    }
    let mut terminal = with_object("live-maps", 100);
    terminal.statement("for i = 1, 3 do b.counts[i] = 10 ^ i b.sizes[i + 10] = i end", 3);
    let maps = command(&mut terminal, ":maps", 3);
    assert!(maps.contains("counts  hash       u32  u64           3   10,240"), "{maps}");
    assert!(maps.contains("sizes   histogram  int  u64"), "{maps}");
    let hist = command(&mut terminal, ":hist sizes bytes", 3);
    assert!(hist.contains("[4 KiB, 8 KiB) 3 █") && hist.contains("6 values: half < 4 KiB, 99 % < 8 KiB"), "{hist}");
    let wrong = command(&mut terminal, ":hist szies", 3);
    assert!(wrong.contains("`:hist` knows no map `szies`") && wrong.contains("did you mean `sizes`?"), "{wrong}");
    let wrong = command(&mut terminal, ":hist sizes us ms", 3);
    assert!(wrong.contains("`:hist` does not take `us` and `ms`: values have one unit"), "{wrong}");
    let wrong = command(&mut terminal, ":hist b", 3);
    assert!(wrong.contains("`:hist` needs a map: `b` is a table"), "{wrong}");
    // Results are printed in the same way, and as JSON when that is wanted.
    terminal.statement("b.counts", 4);
    terminal.see("key  value\n  3   1000\n  2    100\n  1     10\n");
    assert!(command(&mut terminal, ":json", 4).contains("results print as JSON"));
    terminal.statement("b.counts", 5);
    terminal.see("[{\"key\":");
    assert!(command(&mut terminal, ":maps", 5).contains("\"name\":\"counts\""));
    assert!(command(&mut terminal, ":json off", 5).contains("results print as text"));
    let wrong = command(&mut terminal, ":json maybe", 5);
    assert!(wrong.contains("`:json` does not take `maybe`: it takes `on`, `off` or nothing"), "{wrong}");
    leave(terminal);
}

#[test]
fn root_a_live_view_is_sorted_resized_and_left() {
    if missing(&[Need::Root, Need::Btf]) {
        return;
    }
    let mut terminal = with_object("live-watch", 60);
    terminal.statement("for i = 1, 50 do b.counts[i] = i end", 3);
    terminal.statement("BPF.interval(0.05, function() b.counts[7] = tonumber(b.counts[7]) + 1000 end)", 4);
    terminal.lines(":watch counts 0.1");
    // The one that grows is first, with what comes in a second; all of the screen is used.
    terminal.until("the map fills the screen", |screen| {
        let lines: Vec<&str> = screen.lines().collect();
        let first = lines.iter().find(|line| line.trim_start().starts_with("7 "))?;
        let is_first = lines.get(3) == Some(first) || lines.get(2) == Some(first);
        let fills = lines.first()?.starts_with("counts  every 0.1 s")
            && lines.len() == 40
            && lines.first()?.ends_with("q quits");
        (is_first && fills && screen.contains("per s") && lines.last()?.contains("more")).then_some(())
    });
    // A smaller terminal shows less, with nothing cut across lines.
    terminal.resize(30, 10);
    terminal.until("the view has the new size", |screen| {
        let lines: Vec<&str> = screen.lines().collect();
        (lines.len() == 10 && lines.last()?.contains("more") && lines.iter().all(|line| line.chars().count() <= 30))
            .then_some(())
    });
    terminal.keys(" ");
    terminal.see("counts  paused");
    terminal.keys("q");
    // The screen from before is back, with a prompt that works.
    terminal.see_last("bpflua 4>");
    assert!(!terminal.screen().contains("q quits"));
    terminal.resize(60, 40);
    terminal.statement("1 + 1", 5);
    // Ctrl-C leaves it, too, and detaches nothing.
    terminal.lines(":watch b.counts");
    terminal.see("b.counts  every 1 s");
    terminal.keys("\x03");
    terminal.see_last("bpflua 5>");
    let probes = command(&mut terminal, ":probes", 5);
    assert!(probes.contains("sys_enter"), "{probes}");
    let wrong = command(&mut terminal, ":watch cuonts", 5);
    assert!(wrong.contains("`:watch` knows no map `cuonts`") && wrong.contains("did you mean `counts`?"), "{wrong}");
    let wrong = command(&mut terminal, ":watch counts 0", 5);
    assert!(wrong.contains("it must be a number of seconds, from 0.05 to a day"), "{wrong}");
    leave(terminal);
}

#[test]
fn root_a_live_view_is_sorted_by_the_column_that_keys_choose() {
    if missing(&[Need::Root, Need::Btf]) {
        return;
    }
    let mut terminal = with_object("live-sort", 80);
    terminal.statement("for i = 1, 9 do b.counts[i] = (i * 4) % 11 end", 3);
    terminal.lines(":watch counts 0.1");
    let keys_shown = |terminal: &mut Terminal, head: &str, keys: [&str; 3]| {
        terminal.until(head, |screen| {
            let lines: Vec<&str> = screen.lines().collect();
            let rows = lines.get(3..)?.iter().filter_map(|line| line.split_whitespace().next());
            (lines[0].starts_with(&format!("counts  {head}  ")) && rows.take(3).eq(keys)).then_some(())
        });
    };
    // By value: 8 has 10, 5 has 9, 2 has 8.
    keys_shown(&mut terminal, "every 0.1 s", ["8", "5", "2"]);
    assert!(terminal.screen().lines().next().unwrap().ends_with("s sorts, r reverses, space pauses, q quits"));
    terminal.keys("s");
    keys_shown(&mut terminal, "every 0.1 s, by key ▼", ["9", "8", "7"]);
    terminal.keys("r");
    keys_shown(&mut terminal, "every 0.1 s, by key ▲", ["1", "2", "3"]);
    terminal.keys("s");
    keys_shown(&mut terminal, "every 0.1 s, by value ▼", ["8", "5", "2"]);
    terminal.keys("rs");
    terminal.see("by per s ▼");
    terminal.keys("s");
    keys_shown(&mut terminal, "every 0.1 s", ["8", "5", "2"]);
    terminal.keys("q");
    terminal.see_last("bpflua 3>");
    // By what comes in a second, whichever elements are shown.
    terminal.statement("BPF.interval(0.05, function() b.counts[6] = tonumber(b.counts[6]) + 1 end)", 4);
    terminal.statement("for i = 100, 200 do b.counts[i] = 1000000 end", 5);
    terminal.lines(":watch counts 0.1");
    terminal.see("per s");
    terminal.keys("sss");
    terminal.until("the one that grows is first", |screen| {
        let row = screen.lines().nth(3)?;
        (screen.contains("by per s ▼") && row.trim_start().starts_with("6 ")).then_some(())
    });
    terminal.keys("q");
    terminal.see_last("bpflua 5>");
    leave(terminal);
}

#[test]
fn root_a_script_has_live_views_too() {
    if missing(&[Need::Root, Need::Btf]) {
        return;
    }
    let script = "b = BPF{text = 'BPF_HASH(counts, u32);'} for i = 1, 9 do b.counts[i] = i end BPF.live(b.counts) print('went on')";
    let mut terminal = on_terminal("live-script", ["-e", script]).size(60, 12).start();
    terminal.see("map counts (hash)  every 1 s");
    terminal.see("\n  9      9");
    terminal.keys("q");
    let (status, screen) = terminal.end();
    assert_eq!((status, screen.trim()), (0, "went on"));
}

#[test]
fn root_a_one_liner_is_watched() {
    if missing(&[Need::Root, Need::Btf, Need::Tracefs]) {
        return;
    }
    let mut terminal = on_terminal("live-oneliner", [""; 0]).size(80, 20).start();
    terminal.see_last("bpflua 1>");
    terminal.statement("c = count('rawtracepoint:sys_enter', 'comm')", 2);
    terminal.lines(":watch c 0.1");
    terminal.until("counts by comm", |screen| {
        let lines: Vec<&str> = screen.lines().collect();
        let counts: Vec<u64> =
            lines.get(2..)?.iter().filter_map(|line| line.rsplit(' ').next()?.parse().ok()).collect();
        let is_sorted = counts.windows(2).all(|pair| pair[0] >= pair[1]);
        (lines[0].starts_with("c  every 0.1 s") && lines[1].starts_with("comm") && !counts.is_empty() && is_sorted)
            .then_some(())
    });
    terminal.keys("q");
    terminal.see_last("bpflua 2>");
    leave(terminal);
}

#[test]
fn root_errors_of_handlers_do_not_end_a_live_view() {
    if missing(&[Need::Root, Need::Btf]) {
        return;
    }
    let mut terminal = with_object("live-watch-errors", 80);
    terminal.statement("BPF.after(0.2, function() error('out of a timer') end)", 3);
    terminal.statement("BPF.after(0.4, function() b.counts[4700 + 11] = 1 end)", 4);
    terminal.lines(":watch counts 0.1");
    let view = terminal.until("the element", |screen| screen.contains("4711").then(|| screen.to_owned()));
    assert!(view.starts_with("counts  every 0.1 s") && !view.contains("out of a timer"), "{view}");
    terminal.keys("q");
    terminal.see("out of a timer");
    terminal.see_last("bpflua 4>");
    // A stop that is asked for ends the view and gives the terminal back.
    terminal.lines(":watch counts");
    terminal.see("counts  every 1 s");
    terminal.signal(libc::SIGTERM);
    let (_, screen) = terminal.end();
    assert!(!screen.contains("q quits"), "{screen}");
}

#[test]
fn root_costs_sources_and_instructions() {
    if missing(&[Need::Root, Need::Btf]) {
        return;
    }
    let mut terminal = with_object("live-cost", 120);
    let cost = command(&mut terminal, ":cost 0.2", 2);
    let row =
        cost.lines().find(|line| line.starts_with("raw_tracepoint sys_enter")).unwrap_or_else(|| panic!("{cost}"));
    let words: Vec<&str> = row.split_whitespace().collect();
    let number = |at: usize| words[at].replace(',', "").parse::<u64>().unwrap();
    assert!(words[2] == "raw_tracepoint__sys_enter" && number(3) > 0 && number(4) > 0 && number(5) > 0, "{row}");
    assert!(cost.contains("in 200 ms; together "), "{cost}");
    let wrong = command(&mut terminal, ":cost x", 2);
    assert!(wrong.contains("`:cost` does not take `x`: it must be a number of seconds"), "{wrong}");
    let src = command(&mut terminal, ":src raw_tracepoint__sys_enter", 2);
    assert!(src.contains("5  RAW_TRACEPOINT_PROBE(sys_enter)\n") && src.contains("7      return 0;\n"), "{src}");
    let asm = command(&mut terminal, ":asm twice", 2);
    assert!(asm.contains("; (repl):1:9: int twice(void *ctx) { return 2; }\n   0: (b7) r0 = 2\n"), "{asm}");
    let wrong = command(&mut terminal, ":src twcie", 2);
    assert!(wrong.contains("no C text has a function `twcie`") && wrong.contains("did you mean `twice`?"), "{wrong}");
    let wrong = command(&mut terminal, ":asm", 2);
    assert!(wrong.contains("`:asm` needs the name of a function"), "{wrong}");
    leave(terminal);
}

#[test]
fn root_probes_are_searched() {
    if missing(&[Need::Root, Need::Btf, Need::Tracefs]) {
        return;
    }
    let mut terminal = on_terminal("live-search", [""; 0]).size(100, 50).start();
    terminal.see_last("bpflua 1>");
    for (pattern, wanted) in [
        ("kprobe:vfs_rea*", "kprobe:vfs_read"),
        ("tracepoint:sched:sched_swi*", "tracepoint:sched:sched_switch"),
        ("rawtracepoint:sched_swi*", "rawtracepoint:sched_switch"),
        ("uprobe:c:getpp*", "uprobe:c:getppid"),
        ("kfunc:vfs_rea*", ":vfs_read"),
    ] {
        let found = command(&mut terminal, &format!(":search {pattern}"), 1);
        assert!(found.contains(wanted), "{pattern}: {found}");
    }
    let fields = command(&mut terminal, ":search -v tracepoint:sched:sched_switch", 1);
    assert!(fields.contains("prev_comm") && fields.contains("next_pid"), "{fields}");
    let wrong = command(&mut terminal, ":search kprobe:vfs_raed", 1);
    assert!(wrong.contains("no probe of this machine matches it") && wrong.contains("vfs_read"), "{wrong}");
    let wrong = command(&mut terminal, ":search", 1);
    assert!(wrong.contains("`:search` needs a pattern"), "{wrong}");
    terminal.leave();
}
