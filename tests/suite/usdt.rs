// SPDX-License-Identifier: Apache-2.0
//! USDT: what programs say of their own arguments is compared with what they print.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use bpflua::symbolize::usdt::UsdtFile;

use super::harness::{Bpflua, Need, Running, bpflua, missing, root_folder, scratch, vm_series};

/// What tests with a program of their own need.
pub const NEEDS: [Need; 4] = [Need::Root, Need::Uprobes, Need::X86, Need::Tool("gcc")];

/// Builds a fixture; gives the path of what came out.
pub fn build(folder: &Path, name: &str, flags: &[&str]) -> PathBuf {
    let output = folder.join(name);
    let stem = name.split('.').next().unwrap();
    let source = root_folder().join("tests/fixtures/usdt").join(stem).with_extension("c");
    let mut command = Command::new("gcc");
    command.arg("-Wall").arg(source).args(flags).arg("-o").arg(&output);
    let built = command.output().unwrap();
    assert!(built.status.success(), "{command:?}: {}", String::from_utf8_lossy(&built.stderr));
    output
}

fn run(script: &str, args: &[&Path]) -> String {
    let script = format!("tests/runtime/usdt/{script}.lua");
    args.iter().fold(bpflua([script]), Bpflua::arg).run().expect(0).stdout
}

#[test]
fn root_usdt_arguments_are_what_the_program_prints() {
    if missing(&NEEDS) {
        return;
    }
    let folder = scratch("usdt-values");
    let flavours = [
        (&["-pie", "-fPIE"][..], "contexts"),
        (&["-no-pie", "-fno-pie"], "attach"),
        (&["-O2", "-static"], "section"),
        (&["-O2", "-pie", "-fPIE", "-fomit-frame-pointer"], "attach"),
    ];
    // Detaching from a user program takes an emulated kernel long.
    let count = if vm_series().is_some() { 2 } else { flavours.len() };
    for (flags, how) in &flavours[..count] {
        let program = build(&folder, "values", flags);
        let seen = run("values", &[&program, Path::new(how)]);
        assert!(seen.contains("many_arguments 1 -2 3"), "{flags:?}: {seen}");
    }
}

#[test]
fn root_usdt_probes_with_thousands_of_locations() {
    if missing(&NEEDS) {
        return;
    }
    // Where each location is attached by itself, and loads a program of its own, fewer must do.
    let count = if vm_series().is_some() { "-DCOUNT=100" } else { "-DCOUNT=5000" };
    let program = build(&scratch("usdt-many"), "many", &[count, "-pthread"]);
    run("many", &[&program]);
    // Of one process, whichever of its threads comes by, and not of another.
    let mut traced = Server::start(&mut Command::new(&program));
    let mut other = Server::start(&mut Command::new(&program));
    let script = ["tests/runtime/usdt/many.lua", program.to_str().unwrap(), &traced.pid()];
    let mut watching = bpflua(script).start();
    watching.until("it is ready", |output| output.contains("ready\n").then_some(()));
    other.ask(1);
    let aside = program.with_extension("aside");
    std::fs::write(&aside, traced.ask(1)).unwrap();
    std::fs::rename(&aside, program.with_extension("answer")).unwrap();
    watching.end().expect(0);
}

/// A server of the fixtures.
pub struct Server {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Server {
    pub fn start(command: &mut Command) -> Server {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (input, output) = (child.stdin.take(), BufReader::new(child.stdout.take().unwrap()));
        let mut server = Server { child, input, output };
        // The answer tells that it has its libraries loaded.
        assert!(!server.ask(0).is_empty());
        server
    }

    pub fn pid(&self) -> String {
        self.child.id().to_string()
    }

    /// Has it fire its probes; gives whether the library's was traced.
    fn ask(&mut self, value: i32) -> String {
        writeln!(self.input.as_mut().unwrap(), "{value}").unwrap();
        let mut answer = String::new();
        self.output.read_line(&mut answer).unwrap();
        answer.trim().to_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.input.take();
        let _ = self.child.wait();
    }
}

/// The server and its library in a folder of their own.
pub fn build_server(name: &str) -> PathBuf {
    let folder = scratch(name);
    build(&folder, "library.so", &["-shared", "-fPIC"]);
    let library = folder.join("library.so");
    let runpath = format!("-Wl,-rpath,{}", folder.display());
    build(&folder, "server", &[library.to_str().unwrap(), &runpath])
}

/// Starts watching the server.
fn watch(pid: &str, path: &str) -> Running {
    let mut watching = bpflua(["tests/runtime/usdt/watch.lua", pid, path]).start();
    watching.until("it is ready", |output| output.contains("ready\n").then_some(()));
    watching
}

/// Waits for a line and gives all that was printed.
fn seen(watching: &mut Running, line: &str) -> String {
    watching.until(line, |output| output.contains(line).then(|| output.to_owned()))
}

#[test]
fn root_usdt_of_one_process() {
    if missing(&NEEDS) {
        return;
    }
    let program = build_server("usdt-process");
    let mut server = Server::start(&mut Command::new(&program));
    let mut other = Server::start(&mut Command::new(&program));
    let mut watching = watch(&server.pid(), "-");
    assert!(watching.stdout().contains("library:called [sema ADDRESS]\t1\tint32_t\t2\n"), "{}", watching.stdout());
    assert_eq!(other.ask(3), "0", "its semaphore stays down");
    assert_eq!(server.ask(5), "1", "its semaphore is up");
    assert_eq!(server.ask(-7), "1");
    let output = seen(&mut watching, "value -7 calls 0 cookie 2000");
    let pid = server.pid();
    for line in [
        "value 5 calls 2 cookie 1 count 2 size 0",
        "value -5 calls 0 cookie 1000 count 1 size 4",
        "value 5 calls 0 cookie 2000 count 1 size 4",
        "value -7 calls 3 cookie 1 count 2 size 0",
    ] {
        assert!(output.contains(&format!("{pid}: {line}\n")), "{line}: {output}");
    }
    assert!(!output.contains(&format!("{}: ", other.pid())), "the other process is not traced: {output}");
    watching.interrupt().expect(0);
    assert_eq!(server.ask(1), "0", "its semaphore is down again");
}

#[test]
fn root_usdt_of_every_process() {
    if missing(&NEEDS) {
        return;
    }
    let program = build_server("usdt-every");
    let library = program.with_file_name("library.so");
    let mut before = Server::start(&mut Command::new(&program));
    let mut watching = watch("-", library.to_str().unwrap());
    assert_eq!(before.ask(11), "1");
    // A process that starts later is traced from its first call.
    let mut command = Command::new(&program);
    let mut later = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    writeln!(later.stdin.take().unwrap(), "12").unwrap();
    let output = later.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "1");
    seen(&mut watching, "value -11 calls 0 cookie 1000 count 1 size 4");
    seen(&mut watching, "value 12 calls 1 cookie 1 count 2 size 0");
    watching.interrupt().expect(0);
    assert_eq!(before.ask(1), "0");
}

#[test]
fn root_usdt_contexts() {
    if missing(&NEEDS) {
        return;
    }
    let program = build_server("usdt-contexts");
    let values = build(program.parent().unwrap(), "values", &[]);
    let server = Server::start(&mut Command::new(&program));
    assert_eq!(run("contexts", &[&values, &program, Path::new(&server.pid())]), "all seen\n");
}

#[test]
fn root_usdt_errors() {
    if missing(&NEEDS) {
        return;
    }
    let program = build_server("usdt-errors");
    let folder = program.parent().unwrap();
    let values = build(folder, "values", &[]);
    let server = Server::start(&mut Command::new(&program));
    let seen = run("errors", &[&values, &program, Path::new(&server.pid())]);
    let mut seen = seen.replace(&format!("{}", folder.display()), "FOLDER").replace(&server.pid(), "PID");
    for (pattern, with) in [(r"at 0x[0-9a-f]+:", "at ADDRESS:"), (r"-4@%e..\b", "-4@%REGISTER")] {
        seen = regex::Regex::new(pattern).unwrap().replace_all(&seen, with).into_owned();
    }
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../runtime/usdt");
    settings.set_prepend_module_to_snapshot(false);
    settings.bind(|| insta::assert_snapshot!("errors", seen));
}

#[test]
fn root_usdt_in_one_liners() {
    if missing(&NEEDS) {
        return;
    }
    let program = build_server("usdt-oneliners");
    let library = program.with_file_name("library.so");
    let mut server = Server::start(&mut Command::new(&program));
    let (pid, program, library) = (server.pid(), program.display().to_string(), library.display().to_string());
    // What the text given to `-e` prints about what the server does meanwhile.
    let mut about = |text: &str, values: &[i32]| {
        // Said from the loop: Ctrl-C before it would end the program without a result.
        let text = format!("{text} BPF.after(0.01, function() print('ready') io.stdout:flush() end)");
        let mut running = bpflua(["-e", &text]).start();
        running.until("it is ready", |output| output.contains("ready\n").then_some(()));
        values.iter().for_each(|value| drop(server.ask(*value)));
        running.interrupt().expect(0).stdout.replace("ready\n", "")
    };
    let by_path = about(&format!("count('usdt:{program}:tick', 'arg0')"), &[3, 4, 4]);
    assert_eq!(by_path, "ARG0 COUNT\n   3     1\n   4     2\n");
    // Of all files of a process, the provider named where two have a probe of that name.
    let by_pid = about(&format!("count('usdt:*:library:tick', 'arg0', {{pid = {pid}}})"), &[7]);
    assert_eq!(by_pid, "ARG0 COUNT\n  -7     1\n");
    let of_both =
        about(&format!("count('usdt:{library}:*', 'probe', {{filter = 'arg0 == 5 || arg0 == -5'}})"), &[5, 6]);
    assert!(of_both.contains("library:called") && of_both.contains("library:tick"), "{of_both}");
    let traced = about(&format!("trace('usdt:{library}:library:called', 'arg0', {{pid = {pid}}})"), &[9]);
    let columns: Vec<&str> = traced.lines().last().unwrap().split_whitespace().skip(1).collect();
    assert_eq!(columns, [pid.as_str(), "server", "9"], "{traced}");
    let hist = about(&format!("hist('usdt:{program}:server:tick', 'arg0')"), &[2, 3, -1]);
    assert!(hist.contains("below 0 : 1") && hist.contains("2 -> 3          : 2"), "{hist}");
    // Addresses of user space have names although nobody asked for the process.
    let stacks = about(&format!("stacks('usdt:{program}:tick')"), &[1]);
    assert!(stacks.contains("    main") && stacks.contains(&format!("pid = {pid}, count = 1")), "{stacks}");
}

#[test]
fn root_usdt_probes_are_completed_by_file_and_by_process() {
    if missing(&NEEDS) {
        return;
    }
    let program = build_server("usdt-complete");
    let server = Server::start(&mut Command::new(&program));
    let script = format!(
        "local complete = require('bpflua.repl.complete').complete
        local session = require('bpflua.repl.session').new()
        session:declare({{b = BPF{{text = 'int f(void *ctx) {{ return 0; }}'}}}})
        session:note_process({})
        for line in io.lines() do
            local at = line:find('|', 1, true)
            local start, found = complete(session, line:sub(1, at - 1) .. line:sub(at + 1), at - 1)
            for i, one in ipairs(found) do found[i] = one.text .. ' (' .. one.note .. ')' end
            print(line:sub(start + 1, at - 1), table.concat(found, '; '))
        end",
        server.pid()
    );
    let path = program.display();
    let places = format!(
        "count('usdt:{path}:|
count('usdt:*:|', {{pid = pid}})
count('usdt:*:tic|', 'arg0', {{pid = _pid}})
count('usdt:*:library:called', 'a|', {{pid = pid}})
b:attach_usdt{{pid = pid, probe = 'libr|
b:attach_usdt{{path = '{path}', probe = '|
count('usdt:*:tic|
"
    );
    let (tick, called) = ("tick (s32 arg0)", "library:called (s32 arg0, s32 arg1)");
    let wanted = format!(
        "\tserver:{tick}
\t{called}; library:{tick}; server:{tick}
tic\tserver:{tick}; library:{tick}
a\targ0 (s32 arg0); arg1 (s32 arg1)
libr\tlibrary:{tick}; {called}
\tserver:{tick}
tic\t
"
    );
    let seen = bpflua(["-e", &script]).input(&places).run().expect(0).stdout;
    // Names of every probe's values come behind a probe's own.
    let seen: Vec<&str> = seen.lines().map(|line| line.split("; args").next().unwrap()).collect();
    assert_eq!(seen.join("\n") + "\n", wanted);
}

/// The process has a file system of its own, in which its files have other names; or its files are gone.
#[test]
fn root_usdt_of_files_that_only_the_process_sees() {
    if missing(&NEEDS) || missing(&[Need::Tool("unshare")]) {
        return;
    }
    let program = build_server("usdt-container");
    let folder = program.parent().unwrap();
    let hidden = "mount -t tmpfs tmpfs /mnt && cp \"$0\" /mnt/server && exec /mnt/server";
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", hidden]).arg(&program);
    let mut contained = Server::start(&mut command);
    let copy = folder.join("gone");
    std::fs::copy(&program, &copy).unwrap();
    let mut gone = Server::start(&mut Command::new(&copy));
    std::fs::remove_file(&copy).unwrap();
    for server in [&mut contained, &mut gone] {
        let mut watching = watch(&server.pid(), "-");
        assert_eq!(server.ask(21), "1");
        seen(&mut watching, "value 21 calls 0 cookie 2000 count 1 size 4");
        watching.interrupt().expect(0);
    }
}

/// Whatever is damaged in a file, reading its probes ends, with fewer probes or an error.
#[test]
fn damaged_files_have_fewer_usdt_probes() {
    if missing(&[Need::X86, Need::Tool("gcc")]) {
        return;
    }
    let program = build(&scratch("usdt-damaged"), "values", &["-no-pie", "-nostartfiles", "-Wl,-e,main"]);
    let whole = std::fs::read(&program).unwrap();
    let count = |path: &Path| {
        let file = UsdtFile::open(path, "cannot read").ok()?;
        let arguments = file.notes.iter().map(|(_, _, location)| file.arguments(location).len());
        Some((file.notes.len(), arguments.sum::<usize>()))
    };
    let (notes, arguments) = count(&program).unwrap();
    assert_eq!((notes, arguments), (16, 64));
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    let damaged = program.with_extension("damaged");
    for round in 0..2000 {
        let mut bytes = whole.clone();
        for _ in 0..=next(8) {
            // The headers at the start, the tables at the end, and what lies between.
            let at = if round % 2 == 0 { next(0x400) } else { next(whole.len()) };
            bytes[at] = next(256) as u8;
        }
        if round % 10 == 0 {
            bytes.truncate(next(whole.len()));
        }
        std::fs::write(&damaged, &bytes).unwrap();
        if let Some((notes, _)) = count(&damaged) {
            assert!(notes <= 100, "round {round}: {notes} notes");
        }
    }
}
