// SPDX-License-Identifier: Apache-2.0
//! Programs whose functions' addresses are known because they tell them.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::harness::{deadline, root_folder, scratch};
use bpflua::symbolize::Symbols;
use bpflua::symbolize::symbol::{Style, Symbolized, text};

/// A fixture.
pub fn source(name: &str) -> PathBuf {
    root_folder().join("tests/fixtures/symbolize").join(name)
}

/// Runs a command that must succeed.
pub fn run(program: &str, args: &[&str]) {
    let output = Command::new(program).args(args).output().unwrap_or_else(|error| panic!("{program}: {error}"));
    assert!(output.status.success(), "{program} {args:?}\n{}", String::from_utf8_lossy(&output.stderr));
}

/// A folder of the test's own with a program in it.
pub struct Built {
    pub folder: PathBuf,
    pub path: PathBuf,
}

impl Built {
    /// Compiles a fixture: C and C++ with the arguments given, Rust without optimisation.
    pub fn new(test: &str, fixture: &str, args: &[&str]) -> Built {
        let folder = scratch(&format!("symbolize-{test}"));
        let path = folder.join("target");
        let (source, output) = (source(fixture), path.to_str().unwrap());
        let compiler = match source.extension().and_then(|end| end.to_str()) {
            Some("cpp") => "g++",
            Some("rs") => "rustc",
            _ => "gcc",
        };
        let mut all = vec![source.to_str().unwrap(), "-o", output];
        if compiler != "rustc" {
            all.extend(["-O1", "-fno-omit-frame-pointer", "-fno-optimize-sibling-calls"]);
        }
        all.extend(args);
        run(compiler, &all);
        Built { folder, path }
    }

    /// A file's path in the folder.
    pub fn at(&self, name: &str) -> String {
        self.folder.join(name).to_str().unwrap().to_owned()
    }

    /// The program's path.
    pub fn name(&self) -> &str {
        self.path.to_str().unwrap()
    }

    /// Runs a shell script in the folder; it must succeed.
    pub fn sh(&self, script: &str) {
        run("sh", &["-ec", &format!("cd '{}'\n{script}", self.folder.display())]);
    }

    /// A library beside it.
    pub fn library(&self) -> String {
        let path = self.at("libtarget.so");
        run("gcc", &["-shared", "-fPIC", "-O1", source("library.c").to_str().unwrap(), "-o", &path]);
        path
    }

    pub fn start(&self) -> Target {
        Target::start(Command::new(&self.path))
    }
}

/// A program that runs. Dropping it ends it.
pub struct Target {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    /// What it told: addresses and source lines by name.
    pub functions: BTreeMap<String, (u64, u32)>,
    /// The number that it knows itself by.
    pub own_pid: u32,
}

impl Target {
    pub fn start(mut command: Command) -> Target {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().unwrap());
        let mut target = Target { child, input, output, functions: BTreeMap::new(), own_pid: 0 };
        target.listen();
        target
    }

    fn listen(&mut self) {
        let mut line = String::new();
        loop {
            line.clear();
            assert_ne!(self.output.read_line(&mut line).unwrap(), 0, "the program ended");
            let mut words = line.split_whitespace();
            let (name, value) = (words.next().unwrap(), words.next().unwrap());
            if name == "ready" {
                self.own_pid = value.parse().unwrap();
                return;
            }
            let address = u64::from_str_radix(value.trim_start_matches("0x"), 16).unwrap();
            self.functions.insert(name.to_owned(), (address, words.next().unwrap().parse().unwrap()));
        }
    }

    /// Says a line to it and takes its answer.
    pub fn say(&mut self, line: &str) {
        writeln!(self.input.as_mut().unwrap(), "{line}").unwrap();
        self.listen();
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn address(&self, name: &str) -> u64 {
        self.functions[name].0
    }

    /// Ends it and waits for that.
    pub fn end(&mut self) {
        self.input = None;
        let _ = self.child.kill();
        self.child.wait().unwrap();
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        self.end();
    }
}

/// What the room says of an address of a process.
pub fn ask(symbols: &Symbols, pid: u32, address: u64) -> Symbolized {
    symbols.process(pid).unwrap().symbolize(address)
}

/// The same as text with everything in it.
pub fn whole(symbols: &Symbols, pid: u32, address: u64) -> String {
    text(&ask(symbols, pid, address), Style { show_module: true, show_offset: true, demangle: true })
}

/// Asks again until there is a name: looking anew may take a part of the time only.
pub fn eventually(symbols: &Symbols, pid: u32, address: u64) -> String {
    let limit = Instant::now() + deadline();
    while ask(symbols, pid, address).is_err() && Instant::now() < limit {
        thread::sleep(Duration::from_millis(10));
    }
    whole(symbols, pid, address)
}
