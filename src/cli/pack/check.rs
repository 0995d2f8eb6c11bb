// SPDX-License-Identifier: Apache-2.0
//! `bpflua pack check`: all that can be told of a pack without attaching anything.

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use super::{able, catalog, settings_of};
use crate::cli::args::Common;
use crate::cli::exit;
use crate::cli::settings::settings;
use crate::error::{Error, Result};
use crate::lua::{Checked, Generated, Script, Settings, Task, Vm};
use crate::packs::catalog::Catalog;
use crate::packs::entry::{Entry, Kind, Parameter};
use crate::packs::open::{self, Opened};

/// Checks a pack, and tells all that is wrong. Status 0 when nothing is; else that of the gravest error.
pub fn main(pack: &Path, load: bool, common: &Common) -> ExitCode {
    let catalog = catalog();
    let settings = Settings { task: Task::Check { load }, ..settings(common) };
    let opened = match open::folder(pack, &catalog.places, catalog.uid, &catalog.limits) {
        Ok(opened) => opened,
        Err(error) => return exit::failed(&error, common),
    };
    let mut errors = remarks(&opened);
    let mut found = Counts::default();
    errors.extend(parse_lua(&opened, &settings));
    let needs = able::lines(&opened.contents.requires(), &mut errors);
    for command in &opened.contents.commands {
        match check_command(&catalog, pack, &command.name, &command.entry, &settings) {
            Ok(checked) => found.add(&command.file, checked, &mut errors),
            Err(error) => errors.push(error),
        }
    }
    errors.iter().for_each(|error| exit::report(error, common));
    found.generated.iter().chain(&needs).for_each(|line| exit::print(line));
    if errors.is_empty() {
        exit::print(&summary(&opened, &found));
    }
    ExitCode::from(errors.iter().map(|error| error.kind().exit_status()).max().unwrap_or(0))
}

#[derive(Default)]
struct Counts {
    texts: usize,
    generated: Vec<String>,
}

impl Counts {
    fn add(&mut self, file: &str, checked: Checked, errors: &mut Vec<Error>) {
        self.texts += checked.texts.len();
        self.generated.extend(checked.generated.iter().map(|generated| generated_line(file, generated)));
        errors.extend(checked.texts.into_iter().flatten());
    }
}

/// `opens.lua:12: this C text is made when the tool runs, so that it needs the compiler: int f(…`
fn generated_line(file: &str, generated: &Generated) -> String {
    let place = generated.line.map_or_else(|| file.to_owned(), |line| format!("{file}:{line}"));
    format!("{place}: a C text is made when the tool runs, which takes the compiler: `{}`\n", generated.first_line)
}

fn summary(opened: &Opened, found: &Counts) -> String {
    let contents = &opened.contents;
    let count = |number: usize, one: &str| format!("{number} {one}{}", if number == 1 { "" } else { "s" });
    format!(
        "`{}` {}: {}, {}, {}, {}; nothing is wrong\n",
        contents.name(),
        contents.version,
        count(contents.commands.len(), "tool"),
        count(found.texts, "C text"),
        count(opened.dependencies.len(), "dependency").replace("dependencys", "dependencies"),
        count(contents.tests.len(), "test file"),
    )
}

/// What the rules allow and a reader would miss.
fn remarks(opened: &Opened) -> Vec<Error> {
    let contents = &opened.contents;
    let mut errors = Vec::new();
    let mut miss = |what: String, why: &str| errors.push(Error::script(what, why));
    if contents.manifest.pack.summary.is_empty()
        && contents.commands.iter().all(|command| command.entry.summary.is_empty())
    {
        miss(format!("the pack `{}` does not say what it is for", contents.name()), "`summary` is empty");
    }
    for command in &contents.commands {
        if command.entry.summary.is_empty() {
            miss(format!("the tool `{}` does not say what it does", command.name), "`summary` is empty");
        }
        for parameter in command.entry.parameters.iter().filter(|parameter| parameter.help.is_empty()) {
            miss(
                format!("the parameter `{}` of `{}` does not say what it does", parameter.name, command.name),
                "`help` is empty",
            );
        }
    }
    errors
}

/// Parses every Lua file of the pack, also those that no tool is seen to use.
fn parse_lua(opened: &Opened, settings: &Settings) -> Vec<Error> {
    let Ok(vm) = Vm::new(settings.clone()) else { return Vec::new() };
    let is_command = |path: &str| opened.contents.commands.iter().any(|command| command.file == path);
    let files = opened.tree.files().filter(|(path, _)| path.ends_with(".lua") && !is_command(path));
    let scripts = files.map(|(path, file)| {
        let path = opened.folder.join(path);
        Script { name: path.display().to_string(), text: file.bytes.clone(), path: Some(path) }
    });
    scripts.filter_map(|script| vm.parse(&script).err()).collect()
}

fn check_command(catalog: &Catalog, pack: &Path, name: &str, entry: &Entry, settings: &Settings) -> Result<Checked> {
    let tool = catalog.tool_in(pack, Some(name))?;
    let (settings, script) = settings_of(tool, settings.clone());
    Vm::new(settings)?.check(script, &arguments(entry))
}

/// Arguments with which the tool can start: something for each parameter that has to be given.
fn arguments(entry: &Entry) -> Vec<OsString> {
    let mut all = Vec::new();
    for parameter in entry.parameters.iter().filter(|parameter| parameter.required) {
        if !parameter.positional {
            let long = format!("--{}", parameter.name.replace('_', "-"));
            let flags = parameter.flags.as_deref().and_then(|flags| flags.split_whitespace().last());
            all.push(flags.map_or(long, str::to_owned).into());
        }
        all.push(sample(parameter).into());
    }
    all
}

/// A value that fits a parameter.
fn sample(parameter: &Parameter) -> String {
    let least = parameter.range.map(|(least, _)| least);
    match parameter.kind {
        Kind::Choice => parameter.choices.first().cloned().unwrap_or_default(),
        Kind::Path => "/proc/self/exe".to_owned(),
        Kind::Pid => std::process::id().to_string(),
        Kind::String | Kind::Flag => "x".to_owned(),
        Kind::Integer | Kind::Number | Kind::Duration | Kind::Size => least.unwrap_or(1.0).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_to_be_given_is_given() {
        let parameter = |name: &str, kind, positional, required| Parameter {
            name: name.to_owned(),
            kind,
            positional,
            required,
            ..Parameter::default()
        };
        let entry = Entry {
            parameters: vec![
                parameter("top_n", Kind::Integer, false, true),
                parameter("verbose", Kind::Flag, false, false),
                Parameter {
                    flags: Some("-w --which".into()),
                    kind: Kind::Choice,
                    choices: vec!["a".into()],
                    ..parameter("w", Kind::Choice, false, true)
                },
                parameter("interval", Kind::Duration, true, true),
            ],
            ..Entry::default()
        };
        assert_eq!(arguments(&entry), ["--top-n", "1", "--which", "a", "1"]);
    }
}
