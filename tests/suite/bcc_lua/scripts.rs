// SPDX-License-Identifier: Apache-2.0
//! Where bcc's scripts are, and what runs them.
//!
//! `BPFLUA_BCC_CHECKOUT` names a checkout of bcc. Else `tests/conformance/fetch` has put what Debian has of bcc into the
//! cache: its source package, or at least the examples that are in the package of its tools.

use std::path::{Path, PathBuf};

use super::super::harness::{Bpflua, Ended, Running, bpflua, deadline, root_folder};
use super::outcome::{Outcome, reason};

/// A folder of bcc's with Lua scripts.
pub struct Scripts {
    /// The folder that the scripts' own is in, as in bcc's repository.
    pub root: PathBuf,
    /// The folder from there.
    pub folder: &'static str,
}

impl Scripts {
    pub fn find(folder: &'static str) -> Result<Scripts, String> {
        let has_scripts = |root: &PathBuf| root.join(folder).is_dir();
        if let Some(checkout) = std::env::var_os("BPFLUA_BCC_CHECKOUT") {
            let root = PathBuf::from(checkout);
            assert!(has_scripts(&root), "BPFLUA_BCC_CHECKOUT: there is no {}", root.join(folder).display());
            return Ok(Scripts { root, folder });
        }
        let cache = std::env::var_os("BPFLUA_VM_CACHE").map_or_else(|| root_folder().join(".vm-cache"), PathBuf::from);
        let versions = |name: &str| {
            let entries = std::fs::read_dir(cache.join("conformance").join(name)).into_iter().flatten().flatten();
            entries.map(|entry| entry.path()).collect::<Vec<PathBuf>>()
        };
        let of_package = versions("bpfcc-tools").into_iter().map(|root| root.join("usr/share/doc/bpfcc-tools"));
        let found = versions("bcc").into_iter().chain(of_package).find(has_scripts);
        found.map(|root| Scripts { root, folder }).ok_or_else(|| {
            format!("no scripts of bcc: {folder} is not in the cache (`tests/conformance/fetch`; or name a checkout of bcc in BPFLUA_BCC_CHECKOUT)")
        })
    }

    /// The names of the folder's Lua files.
    pub fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.root.join(self.folder)).unwrap().flatten();
        let mut names: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.retain(|name| name.ends_with(".lua"));
        names.sort();
        names
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.root.join(self.folder).join(name)
    }
}

/// What runs scripts of one folder.
pub struct Launcher<'a> {
    pub scripts: &'a Scripts,
    /// The words of another command than bpflua's.
    other: Option<Vec<String>>,
}

impl<'a> Launcher<'a> {
    pub fn bpflua(scripts: &'a Scripts) -> Launcher<'a> {
        Launcher { scripts, other: None }
    }

    pub fn other(scripts: &'a Scripts, words: Vec<String>) -> Launcher<'a> {
        Launcher { scripts, other: Some(words) }
    }

    /// Whether it is bpflua.
    pub fn is_ours(&self) -> bool {
        self.other.is_none()
    }

    /// The command that runs a script, from the folder that bcc's folders are in: what a script names is beside it.
    pub fn command(&self, script: &str, args: &[&str]) -> Bpflua {
        self.under(&[], script, args)
    }

    /// The same as arguments of another command.
    pub fn under(&self, wrapper: &[&str], script: &str, args: &[&str]) -> Bpflua {
        let script = Path::new(self.scripts.folder).join(script);
        let command = match &self.other {
            None if wrapper.is_empty() => bpflua([&script]),
            None => Bpflua::under(wrapper, [&script]),
            Some(words) => Bpflua::other(wrapper, words, [&script]),
        };
        args.iter().fold(command, Bpflua::arg).current_dir(&self.scripts.root)
    }

    /// Does work over a script until `judge` finds in its output what it should have printed; then Ctrl-C must end it.
    pub fn watch(
        &self,
        script: &str,
        args: &[&str],
        work: impl FnMut(),
        judge: impl Fn(&str) -> Option<String>,
    ) -> Outcome {
        self.watch_running(self.command(script, args).start(), work, judge)
    }

    /// The same over one that runs.
    pub fn watch_running(
        &self,
        mut running: Running,
        work: impl FnMut(),
        judge: impl Fn(&str) -> Option<String>,
    ) -> Outcome {
        let mut seen = None;
        let ended = running.work_until_end(work, |stdout, _| {
            seen = judge(stdout);
            seen.is_some()
        });
        if !ended {
            running.signal(libc::SIGINT);
        }
        let told = (running.stdout(), running.stderr());
        match (seen, running.end_in_time()) {
            (None, end) if !ended && !self.is_ours() => late(end.is_some()),
            (_, None) => Outcome::not("Ctrl-C does not end it"),
            (Some(seen), Some(end)) => self.in_order(&end, seen),
            (None, Some(end)) if ended => Outcome::Not(reason(&end.stderr, end.status)),
            (None, Some(_)) => Outcome::Not(nothing(&told.0, &told.1)),
        }
    }

    /// Runs a script that ends by itself, doing work meanwhile; `judge` is given all that it printed.
    pub fn whole(
        &self,
        script: &str,
        args: &[&str],
        work: impl FnMut(),
        judge: impl Fn(&str) -> Result<String, String>,
    ) -> Outcome {
        let mut running = self.command(script, args).start();
        if !running.work_until_end(work, |_, _| false) {
            return if self.is_ours() { Outcome::not("it does not end") } else { late(false) };
        }
        self.judged(&running.end(), judge)
    }

    /// Judges one that ended.
    pub fn judged(&self, end: &Ended, judge: impl Fn(&str) -> Result<String, String>) -> Outcome {
        match judge(&end.stdout) {
            Ok(seen) => self.in_order(end, seen),
            Err(why) if end.stderr.trim().is_empty() => Outcome::Not(why),
            Err(_) => Outcome::Not(reason(&end.stderr, end.status)),
        }
    }

    // bcc-lua's exit status is 0 whatever happened.
    fn in_order(&self, end: &Ended, seen: String) -> Outcome {
        match end.status {
            Some(0) => Outcome::Seen(seen),
            status => Outcome::Not(format!("{seen}; but it ends with status {status:?}")),
        }
    }
}

/// What may be the machine's fault: a compiler of bcc's takes long in an emulated machine.
fn late(ends: bool) -> Outcome {
    let still = if ends { "" } else { ", and Ctrl-C does not end it" };
    Outcome::Unknown(format!("shows nothing within {} s{still}", deadline().as_secs()))
}

fn nothing(stdout: &str, stderr: &str) -> String {
    match (stdout.trim(), stderr.trim()) {
        ("", "") => "it prints nothing of the work".to_owned(),
        (_, "") => "what it prints is not what the work was".to_owned(),
        (_, told) => reason(told, None),
    }
}
