// SPDX-License-Identifier: Apache-2.0
//! `tools/*.lua`.

use regex::Regex;

use super::work::{BACK_KB, SENT_KB, SLEEPER, Server, Sleeper};
use super::{Case, Launcher, Outcome};

pub const FOLDER: &str = "tools";

pub const CASES: [Case; 10] = [
    Case { script: "biosnoop.lua", arguments: "", run: biosnoop },
    Case { script: "stacksnoop.lua", arguments: "do_nanosleep", run: |launcher| stacksnoop(launcher, &[]) },
    Case {
        script: "stacksnoop.lua",
        arguments: "-v -s do_nanosleep",
        run: |launcher| stacksnoop(launcher, &["-v", "-s"]),
    },
    Case { script: "stacksnoop.lua", arguments: "-v -s -p TID do_nanosleep", run: stacksnoop_of_task },
    Case { script: "tcplife.lua", arguments: "", run: |launcher| tcplife(launcher, &[], "") },
    Case {
        script: "tcplife.lua",
        arguments: "-T -t",
        run: |launcher| tcplife(launcher, &["-T", "-t"], r"\d\d:\d\d:\d\d [\d.]+ +"),
    },
    Case { script: "tcplife.lua", arguments: "-w", run: tcplife_wide },
    Case { script: "tcplife.lua", arguments: "-s -D PORT", run: tcplife_to_port },
    Case { script: "tcplife.lua", arguments: "-L PORT", run: tcplife_at_port },
    Case { script: "tcplife.lua", arguments: "-p PID", run: tcplife_of_process },
];

fn biosnoop(launcher: &Launcher) -> Outcome {
    let file = std::env::temp_dir().join(format!("bpflua-test.{}", std::process::id()));
    let write = || {
        let written = std::fs::File::create(&file).and_then(|mut out| {
            std::io::Write::write_all(&mut out, &[1; 8192])?;
            out.sync_all()
        });
        written.unwrap();
    };
    let outcome = launcher.watch("biosnoop.lua", &[], write, |text| {
        let line = Regex::new(r"(?m)^[\d.]+ +\S+ +\d+ +\S+ +[RW] +\d+ +\d+ +[\d.]+$").unwrap();
        line.is_match(text).then(|| "what is read and written, with its time".to_owned())
    });
    let _ = std::fs::remove_file(&file);
    outcome
}

/// The frames of one event of a task, with or without what they are called from.
fn frames(text: &str, head: &str) -> Option<String> {
    let event = Regex::new(&format!(r"(?m)^{head}\n((?:\t[0-9a-f]+ +\S+\n)+)\n")).unwrap();
    let stacks = event.captures_iter(text).map(|found| found[1].to_owned());
    stacks.into_iter().find(|stack| stack.contains(" do_nanosleep") && stack.contains(" hrtimer_nanosleep"))
}

fn stacksnoop(launcher: &Launcher, args: &[&str]) -> Outcome {
    let sleeper = Sleeper::start();
    let args: Vec<&str> = args.iter().copied().chain(["do_nanosleep"]).collect();
    let is_verbose = args.contains(&"-v");
    launcher.watch(
        "stacksnoop.lua",
        &args,
        || {},
        |text| {
            let head = match is_verbose {
                true => format!(r"[\d.]+ +{SLEEPER} +{} +\d+ +do_nanosleep", sleeper.id),
                false => r"[\d.]+ +do_nanosleep".to_owned(),
            };
            let stack = frames(text, &head)?;
            let is_right = stack.contains("do_nanosleep+0x") == args.contains(&"-s");
            is_right.then(|| "the stack of each call of a kernel function".to_owned())
        },
    )
}

fn stacksnoop_of_task(launcher: &Launcher) -> Outcome {
    let (sleeper, _other) = (Sleeper::start(), Sleeper::start());
    let id = sleeper.id.to_string();
    launcher.watch(
        "stacksnoop.lua",
        &["-v", "-s", "-p", &id, "do_nanosleep"],
        || {},
        |text| {
            frames(text, &format!(r"[\d.]+ +{SLEEPER} +{id} +\d+ +do_nanosleep"))?;
            let event = Regex::new(&format!(r"(?m)^[\d.]+ +{SLEEPER} +(\d+) ")).unwrap();
            let is_right = event.captures_iter(text).all(|found| found[1] == id);
            is_right.then(|| "the stacks of one task alone".to_owned())
        },
    )
}

/// A session's two ends, as lines of the tool's: what the client sent and got, and the reverse for the server.
/// The local port is not looked at: the tool shifts it out of 32 bits, and prints the remote one in its place.
fn ends_of(text: &str, before: &str, address: &str, port: u16) -> Option<()> {
    // Its addresses have zero bytes behind them.
    let pid = std::process::id();
    let [nul, sent, back] = ["\0*".to_owned(), SENT_KB.to_string(), BACK_KB.to_string()];
    let address = format!("{}{nul}", regex::escape(address));
    let line = |port: &str, tx: &str, rx: &str| {
        format!(r"(?m)^{before}{pid} +\S+ .*{address} *\d+ +{address} *{port} +{tx} +{rx} [\d.]+$")
    };
    let found = |pattern: &str| Regex::new(pattern).unwrap().is_match(text);
    (found(&line(&port.to_string(), &sent, &back)) && found(&line(r"\d+", &back, &sent))).then_some(())
}

fn tcplife(launcher: &Launcher, args: &[&str], before: &str) -> Outcome {
    let server = Server::ipv4();
    launcher.watch(
        "tcplife.lua",
        args,
        || server.connect_once(),
        |text| {
            let ends = ends_of(text, before, "127.0.0.1", server.port);
            ends.map(|()| "both ends of a session, with the bytes sent and received".to_owned())
        },
    )
}

fn tcplife_wide(launcher: &Launcher) -> Outcome {
    let (server4, server6) = (Server::ipv4(), Server::ipv6());
    let connect = || {
        server4.connect_once();
        server6.connect_once();
    };
    launcher.watch("tcplife.lua", &["-w"], connect, |text| {
        ends_of(text, "", "127.0.0.1", server4.port)?;
        ends_of(text, "", "::1", server6.port).map(|()| "sessions of both versions of IP".to_owned())
    })
}

/// As comma-separated values, of one end alone.
fn tcplife_to_port(launcher: &Launcher) -> Outcome {
    let (server, other) = (Server::ipv4(), Server::ipv4());
    let connect = || {
        other.connect_once();
        server.connect_once();
    };
    launcher.watch("tcplife.lua", &["-s", "-D", &server.port.to_string()], connect, |text| {
        let sessions =
            Regex::new(r"(?m)^\d+,[^,]*,4,127\.0\.0\.1\x00*,\d+,127\.0\.0\.1\x00*,(\d+),(\d+),(\d+),[\d.]+$").unwrap();
        let mut sessions = sessions.captures_iter(text).peekable();
        sessions.peek()?;
        let wanted = [server.port.to_string(), SENT_KB.to_string(), BACK_KB.to_string()];
        let is_right = sessions.all(|found| [&found[1], &found[2], &found[3]] == [&wanted[0], &wanted[1], &wanted[2]]);
        is_right.then(|| "the sessions to one port, as comma-separated values".to_owned())
    })
}

/// The tool compares a port of the host's byte order with one of the network's: right for ports that are the same in both.
fn tcplife_at_port(launcher: &Launcher) -> Outcome {
    let server = (0x21..0x7f).find_map(|byte: u16| Server::try_ipv4(byte << 8 | byte)).unwrap();
    launcher.watch(
        "tcplife.lua",
        &["-L", &server.port.to_string()],
        || server.connect_once(),
        |text| {
            let line = Regex::new(r"(?m)^\d+ +.* (\d+) +(\d+) [\d.]+$").unwrap();
            let mut sessions = line.captures_iter(text).peekable();
            sessions.peek()?;
            let is_right = sessions
                .all(|found| (&found[1], &found[2]) == (BACK_KB.to_string().as_str(), SENT_KB.to_string().as_str()));
            is_right.then(|| "the sessions at one local port".to_owned())
        },
    )
}

fn tcplife_of_process(launcher: &Launcher) -> Outcome {
    let server = Server::ipv4();
    let pid = std::process::id().to_string();
    launcher.watch(
        "tcplife.lua",
        &["-p", &pid],
        || server.connect_once(),
        |text| ends_of(text, "", "127.0.0.1", server.port).map(|()| "the sessions of one process".to_owned()),
    )
}
