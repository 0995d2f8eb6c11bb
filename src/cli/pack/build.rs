// SPDX-License-Identifier: Apache-2.0
//! `bpflua pack build`: compiles every C text of a pack ahead, for each architecture, so that it runs where there is no compiler.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::cli::args::Common;
use crate::cli::exit;
use crate::cli::settings::settings;
use crate::error::{Error, Result};
use crate::lua::compile::{self, Request};
use crate::lua::{End, PackEntry, Script, Settings, Task, Vm};
use crate::packs::archive;
use crate::packs::built::{self, ARCHITECTURES};
use crate::packs::contents::Command;
use crate::packs::entry::{Entry, Kind, Parameter};
use crate::packs::open::{self, Opened};
use crate::packs::tree::{SIGNATURE, Tree};

/// Builds the pack in a folder. `kernels` are files of type data for each of which the texts must compile.
pub fn main(folder: &Path, output: Option<&Path>, kernels: &[PathBuf], common: &Common) -> Result<()> {
    let catalog = super::catalog();
    let pack = open::folder(folder, &catalog.places, catalog.uid, &catalog.limits)?;
    let settings = Settings { cflags: Vec::new(), btf: None, task: Task::Check { load: false }, ..settings(common) };
    let texts = texts(&pack, &settings)?;
    check_kernels(&texts, kernels, &settings)?;
    let tree = with_objects(&pack.tree, &texts, &settings)?;
    let (name, version) = (pack.contents.name(), &pack.contents.version);
    let output = output.map_or_else(|| format!("{name}-{version}{}", archive::ENDING).into(), Path::to_owned);
    std::fs::write(&output, archive::pack(&tree)?)
        .map_err(|error| Error::io(format!("cannot write `{}`", output.display()), &error))?;
    let (count, places) = (texts.len(), ARCHITECTURES.join(" and "));
    exit::print(&format!("{}: C texts compiled for {places}: {count}\n{}\n", output.display(), tree.digest()));
    Ok(())
}

/// Fails when a text does not compile for one of the kernels.
fn check_kernels(texts: &BTreeMap<String, Request>, kernels: &[PathBuf], settings: &Settings) -> Result<()> {
    for kernel in kernels {
        let of_kernel = Settings { btf: Some(kernel.clone()), ..settings.clone() };
        for request in texts.values() {
            compile::compile(&Request { portable: true, ..request.clone() }, &of_kernel)
                .map_err(|error| error.with_note(format!("for the kernel of {}", kernel.display())))?;
        }
    }
    Ok(())
}

/// The C texts of all commands that compile, by what their objects are called.
///
/// What a command comes by when it is given nothing but what it needs has to compile. With arguments that are only samples it may
/// go wrong: texts that it makes of them then are left to the compiler.
fn texts(pack: &Opened, settings: &Settings) -> Result<BTreeMap<String, Request>> {
    let mut found = BTreeMap::new();
    for command in &pack.contents.commands {
        for (at, args) in samples(&command.entry).iter().enumerate() {
            let (requests, ended) = texts_of(pack, command, args, settings)?;
            let has_samples = at > 0 || !args.is_empty();
            if !has_samples {
                ended?;
            }
            for request in requests {
                let name = built::file_name(&request.text, &request.cflags, "");
                if found.contains_key(&name) {
                    continue;
                }
                match compile::compile(&Request { portable: true, ..request.clone() }, settings) {
                    Err(_) if has_samples => continue,
                    compiled => compiled?,
                };
                found.insert(name, request);
            }
        }
    }
    Ok(found)
}

/// The C texts that a command comes by with these arguments, and how it ended.
fn texts_of(
    pack: &Opened,
    command: &Command,
    args: &[OsString],
    settings: &Settings,
) -> Result<(Vec<Request>, Result<End>)> {
    let entry = PackEntry {
        name: command.name.clone(),
        pack: pack.contents.name().to_owned(),
        entry: command.entry.clone(),
        packs: pack.roots(),
        ..PackEntry::default()
    };
    let path = Some(pack.folder.join(&command.file));
    let script = Script { name: command.file.clone(), text: pack.text(command), path };
    Ok(Vm::new(Settings { entry: Some(entry), ..settings.clone() })?.texts(script, args))
}

/// Lists of arguments that lead through a command: what it must be given, and that with each of its other parameters.
fn samples(entry: &Entry) -> Vec<Vec<OsString>> {
    let (required, others): (Vec<_>, Vec<_>) = entry.parameters.iter().partition(|parameter| parameter.required);
    let base: Vec<OsString> =
        required.iter().flat_map(|parameter| given(parameter).into_iter().next()).flatten().collect();
    let more = others.iter().flat_map(|parameter| given(parameter)).map(|words| [words, base.clone()].concat());
    std::iter::once(base.clone()).chain(more).collect()
}

/// How a parameter may be given, each a list of words.
fn given(parameter: &Parameter) -> Vec<Vec<OsString>> {
    let value = |text: &str| -> Vec<OsString> {
        match parameter.positional {
            true => vec![text.into()],
            false => vec![flag(parameter).into(), text.into()],
        }
    };
    let least = parameter.range.map_or_else(|| "1".to_owned(), |(least, _)| least.max(1.0).to_string());
    match parameter.kind {
        Kind::Flag => vec![vec![flag(parameter).into()]],
        Kind::Choice => parameter.choices.iter().map(|choice| value(choice)).collect(),
        Kind::String => vec![value("x")],
        Kind::Path => vec![value("/")],
        Kind::Integer | Kind::Number | Kind::Duration | Kind::Size | Kind::Pid => vec![value(&least)],
    }
}

fn flag(parameter: &Parameter) -> String {
    let first = parameter.flags.as_deref().and_then(|flags| flags.split_whitespace().next());
    first.map_or_else(|| format!("--{}", parameter.name.replace('_', "-")), str::to_owned)
}

/// The pack's files with the objects in place of any that were there; the signature of the files before is none of these.
fn with_objects(source: &Tree, texts: &BTreeMap<String, Request>, settings: &Settings) -> Result<Tree> {
    let mut tree = Tree::default();
    let stale = format!("{}/", built::FOLDER);
    for (path, file) in source.files().filter(|(path, _)| *path != SIGNATURE && !path.starts_with(&stale)) {
        tree.add(path.to_owned(), file.clone());
    }
    for request in texts.values() {
        for arch in ARCHITECTURES {
            let request = Request { arch: Some(arch), portable: true, ..request.clone() };
            let compiled = compile::compile(&request, settings)?;
            let name = built::file_name(&request.text, &request.cflags, arch);
            tree.put(&format!("{stale}{name}"), compiled.object);
        }
    }
    Ok(tree)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_parameter_is_given_once() {
        let parameter = |name: &str, kind| Parameter { name: name.into(), kind, ..Parameter::default() };
        let entry = Entry {
            parameters: vec![
                Parameter { required: true, positional: true, ..parameter("pid", Kind::Pid) },
                parameter("max_args", Kind::Integer),
                Parameter { choices: vec!["a".into(), "b".into()], ..parameter("by", Kind::Choice) },
                Parameter { flags: Some("-x --fails".into()), ..parameter("fails", Kind::Flag) },
            ],
            ..Entry::default()
        };
        let expected =
            [vec!["1"], vec!["--max-args", "1", "1"], vec!["--by", "a", "1"], vec!["--by", "b", "1"], vec!["-x", "1"]];
        assert_eq!(samples(&entry), expected.map(|words| words.into_iter().map(OsString::from).collect::<Vec<_>>()));
    }
}
