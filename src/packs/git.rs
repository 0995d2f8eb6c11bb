// SPDX-License-Identifier: Apache-2.0
//! Packs in git repositories, by the `git` command. Nothing of a repository is checked out: its files come as an archive of one
//! commit, so that no hook, filter or submodule of it is ever run, and a link in it is refused like any other.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use super::limits::Limits;
use super::tree::Tree;
use super::{archive, disk};
use crate::error::{Error, Result};

/// Options of every call: only protocols that do not run commands of the address, no hooks, no prompts.
const SAFE: [&str; 12] = [
    "protocol.allow=never",
    "protocol.https.allow=always",
    "protocol.ssh.allow=always",
    "protocol.file.allow=always",
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.symlinks=false",
    "fetch.recurseSubmodules=false",
    "fetch.writeCommitGraph=false",
    "transfer.fsckObjects=true",
    "gc.auto=0",
    "advice.detachedHead=false",
];

fn git(folder: Option<&Path>) -> Command {
    let mut command = Command::new("git");
    for option in SAFE {
        command.args(["-c", option]);
    }
    if let Some(folder) = folder {
        command.arg("--git-dir").arg(folder);
    }
    for variable in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_EXTERNAL_DIFF", "GIT_ALLOW_PROTOCOL"] {
        command.env_remove(variable);
    }
    command.env("GIT_TERMINAL_PROMPT", "0").env("GIT_PROTOCOL_FROM_USER", "0").env("LC_ALL", "C.UTF-8");
    // Not where we are: a repository there would have its say.
    command.stdin(Stdio::null()).current_dir("/");
    command
}

fn run(command: &mut Command, url: &str) -> Result<Output> {
    command.output().map_err(|error| {
        let error = Error::io(format!("cannot run `git` for `{url}`"), &error);
        error.with_hint("install git, or install the pack from a folder or a `.tar.zst` file")
    })
}

fn failed(url: &str, what: &str, output: &Output) -> Error {
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    let mut lines: Vec<_> = told.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines.truncate(4);
    let error = Error::script(format!("cannot fetch from `{url}`"), what);
    lines.iter().fold(error, |error, line| error.with_evidence(format!("git: {line}")))
}

/// The names of a repository's tags.
pub fn tags(url: &str) -> Result<Vec<String>> {
    let output = run(git(None).args(["ls-remote", "--tags", "--refs", "--", url]), url)?;
    if !output.status.success() {
        return Err(failed(url, "git cannot list its tags", &output));
    }
    let lines = String::from_utf8_lossy(&output.stdout).into_owned();
    let names = lines.lines().filter_map(|line| line.split_once("refs/tags/")).map(|(_, name)| name.to_owned());
    Ok(names.collect())
}

/// The files of one commit, below `folder` of the repository, and the commit's name.
pub fn fetch(url: &str, reference: Option<&str>, folder: &str, limits: &Limits) -> Result<(Tree, String)> {
    let scratch = Scratch::new()?;
    let output = run(git(None).args(["init", "--quiet", "--bare", "--"]).arg(&scratch.0), url)?;
    if !output.status.success() {
        return Err(failed(url, "git cannot make a repository", &output));
    }
    let commit = fetch_commit(&scratch.0, url, reference.unwrap_or("HEAD"))?;
    let shown = if folder.is_empty() { url.to_owned() } else { format!("{url}:{folder}") };
    let tree = read_commit(&scratch.0, &commit, folder, &shown, limits)?;
    Ok((tree, commit))
}

/// Fetches one commit without its history; where the server gives no commits by their names, all branches and tags.
fn fetch_commit(folder: &Path, url: &str, reference: &str) -> Result<String> {
    let fetch = |more: &[&str]| {
        run(git(Some(folder)).args(["fetch", "--quiet", "--no-tags", "--no-write-fetch-head"]).args(more), url)
    };
    let into = format!("+{reference}:refs/bpflua/wanted");
    let mut output = fetch(&["--depth=1", "--", url, &into])?;
    let is_commit = reference.len() >= 7 && reference.chars().all(|c| c.is_ascii_hexdigit());
    if !output.status.success() && is_commit {
        output = fetch(&["--", url, "+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"])?;
    }
    if !output.status.success() {
        return Err(failed(url, &format!("git does not get `{reference}`"), &output));
    }
    for name in ["refs/bpflua/wanted", reference] {
        let name = format!("{name}^{{commit}}");
        let output = run(git(Some(folder)).args(["rev-parse", "--quiet", "--verify", "--end-of-options", &name]), url)?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
        }
    }
    Err(Error::script(format!("cannot fetch from `{url}`"), format!("it has no commit `{reference}`")))
}

fn read_commit(git_folder: &Path, commit: &str, folder: &str, shown: &str, limits: &Limits) -> Result<Tree> {
    let what = if folder.is_empty() { commit.to_owned() } else { format!("{commit}:{folder}") };
    let mut command = git(Some(git_folder));
    command.args(["archive", "--format=tar", &what]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| Error::io("cannot run `git archive`", &error))?;
    let read = child.stdout.take().map(|stdout| archive::read_tar(stdout, shown, limits));
    let mut told = Vec::new();
    // A tree that was refused leaves git writing to nobody; it ends by that.
    if let Some(mut stderr) = child.stderr.take() {
        let _ = stderr.read_to_end(&mut told);
    }
    let status = child.wait().map_err(|error| Error::io("cannot wait for `git archive`", &error))?;
    match read {
        Some(Ok(tree)) if status.success() => Ok(tree),
        Some(Err(error)) if told.is_empty() => Err(error),
        _ => Err(failed(shown, "git does not give its files", &Output { status, stdout: Vec::new(), stderr: told })),
    }
}

/// A folder of this process alone, gone with the value.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Result<Scratch> {
        use std::sync::atomic::{AtomicU32, Ordering};
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("bpflua-git-{}-{count}", std::process::id()));
        disk::make_private(&path)?;
        Ok(Scratch(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
