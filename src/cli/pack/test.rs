// SPDX-License-Identifier: Apache-2.0
//! `bpflua pack test`: each test file of a pack in a process of its own.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use super::catalog;
use crate::cli::args::Common;
use crate::cli::exit;
use crate::cli::settings::settings;
use crate::error::{Error, Result};
use crate::lua::{End, PackEntry, Script, Settings, Vm};
use crate::packs::open;

/// Runs the test files, and tells what they print. Status 0 when all ended so.
pub fn main(pack: &Path, only: &[String], timeout: u64, common: &Common) -> ExitCode {
    match run_all(pack, only, timeout) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => exit::failed(&error, common),
    }
}

fn run_all(pack: &Path, only: &[String], timeout: u64) -> Result<bool> {
    let catalog = catalog();
    let opened = open::folder(pack, &catalog.places, catalog.uid, &catalog.limits)?;
    let contents = &opened.contents;
    let what = || format!("cannot test the pack `{}`", contents.name());
    if let Some(unknown) = only.iter().find(|one| !contents.tests.contains(one)) {
        let known = contents.tests.join(", ");
        return Err(Error::script(what(), format!("`{unknown}` is none of its test files"))
            .with_hint(format!("they are: {known}")));
    }
    let files: Vec<_> = contents.tests.iter().filter(|file| only.is_empty() || only.contains(file)).collect();
    if files.is_empty() {
        return Err(Error::script(what(), "it has no test files")
            .with_hint("test files are `tests/*.lua`, or what `[tests]` in the manifest names"));
    }
    let (mut passed, count) = (0, files.len());
    for file in files {
        exit::print(&format!("{file}\n"));
        passed += usize::from(run_file(pack, file, timeout)?);
    }
    let failed = count - passed;
    exit::print(&format!(
        "{passed} of {count} test files passed{}\n",
        if failed > 0 { format!(", {failed} failed") } else { String::new() }
    ));
    Ok(failed == 0)
}

fn run_file(pack: &Path, file: &str, timeout: u64) -> Result<bool> {
    let executable = std::env::current_exe().map_err(|error| Error::io("cannot find this program", &error))?;
    let folder = std::path::absolute(pack).unwrap_or_else(|_| pack.to_owned());
    // What the tool's path is made of: the folder of a pack of one file is the file itself.
    let tools = if folder.is_file() { folder.parent().map(Path::to_owned).unwrap_or_default() } else { folder.clone() };
    let mut command = Command::new(&executable);
    command.args(["pack", "run-test"]).arg(&folder).arg(file);
    command.env("BPFLUA_TEST_EXECUTABLE", &executable).env("BPFLUA_TEST_PACK", tools);
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let child = child.map_err(|error| Error::io(format!("cannot run `{file}`"), &error))?;
    let (status, told) = watch(child, Duration::from_secs(timeout));
    told.lines().for_each(|line| exit::print(&format!("  {line}\n")));
    match status {
        Some(status) => Ok(status.success()),
        None => {
            exit::print(&format!("  failed: no end within {timeout} seconds\n"));
            Ok(false)
        }
    }
}

/// What a process prints, and how it ends; none when it had to be ended.
fn watch(mut child: Child, limit: Duration) -> (Option<ExitStatus>, String) {
    let outputs = [child.stdout.take().map(read), child.stderr.take().map(read)];
    let end = Instant::now() + limit;
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break Some(status),
            Ok(None) if Instant::now() < end => std::thread::sleep(Duration::from_millis(10)),
            _ => {
                let _ = child.kill();
                let _ = child.wait();
                break None;
            }
        }
    };
    let told = outputs.into_iter().flatten().filter_map(|reader| reader.join().ok());
    (status, told.collect())
}

fn read(mut pipe: impl Read + Send + 'static) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = pipe.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// Runs one test file in this process.
pub fn run_one(pack: &Path, file: &str, common: &Common) -> ExitCode {
    run_test(pack, file, common).map_or_else(|error| exit::failed(&error, common), exit::ended)
}

fn run_test(pack: &Path, file: &str, common: &Common) -> Result<End> {
    let catalog = catalog();
    let opened = open::folder(pack, &catalog.places, catalog.uid, &catalog.limits)?;
    let path: PathBuf = opened.folder.join(file);
    let script = Script::read_file(&path)?;
    let version = Some(opened.contents.version.to_string());
    let pack = opened.contents.name().to_owned();
    let entry = PackEntry { name: file.to_owned(), pack, version, packs: opened.roots(), ..PackEntry::default() };
    let settings = Settings { entry: Some(entry), ..settings(common) };
    Vm::new(settings)?.run(script, &[])
}
