// SPDX-License-Identifier: Apache-2.0
//! `bpflua pack list`, `info` and `search`.

use serde_json::json;

use super::catalog;
use crate::cli::exit;
use crate::error::{Error, Result};
use crate::packs::catalog::{Catalog, EMBEDDED, embedded_contents};
use crate::packs::contents::{Command, Contents};
use crate::packs::entry::{Entry, Parameter};
use crate::packs::fetched::fetch;
use crate::packs::installed::Installed;
use crate::packs::is_name;
use crate::packs::open;
use crate::packs::record::Record;
use crate::packs::source::Source;

/// A pack as the commands here see it.
struct Listed {
    contents: Contents,
    /// Where it is from, in words.
    from: String,
    installed: Option<Installed>,
}

/// The pack that is a part of bpflua, and all that are installed; those that cannot be read are told of.
fn all(catalog: &Catalog) -> Result<Vec<Listed>> {
    let mut listed = Vec::new();
    match embedded_contents() {
        Ok((contents, errors)) => {
            errors.iter().for_each(left_out);
            listed.push(Listed { contents, from: "a part of bpflua".to_owned(), installed: None });
        }
        Err(error) => left_out(&error),
    }
    for installed in catalog.all()? {
        match open::listed(&installed, &catalog.limits) {
            Ok((contents, errors)) => {
                errors.iter().for_each(left_out);
                listed.push(Listed { contents, from: origin(&installed), installed: Some(installed) });
            }
            Err(error) => exit::notice(&format!("`{}` is left out: {error}", installed.folder.display())),
        }
    }
    listed.sort_by(|one, other| one.contents.name().cmp(other.contents.name()));
    Ok(listed)
}

/// Tells of a tool that cannot be read; the others are listed all the same.
fn left_out(error: &Error) {
    exit::notice(&format!("a tool is left out: {error}"));
}

fn origin(installed: &Installed) -> String {
    let Some(record) = &installed.record else {
        return format!("{} (not installed by bpflua)", installed.folder.display());
    };
    let pin = record.pin.as_deref().map(|pin| format!(" at {}", short(pin))).unwrap_or_default();
    let why = if record.requested { "" } else { " (needed by others)" };
    format!("{}{pin}{why}", record.source)
}

/// The first of a long hash.
fn short(pin: &str) -> &str {
    let at = pin.find(':').map_or(0, |colon| colon + 1) + 12;
    pin.get(..at).unwrap_or(pin)
}

/// Prints the packs that there are.
pub fn list(as_json: bool) -> Result<()> {
    let listed = all(&catalog())?;
    if as_json {
        listed.iter().for_each(|pack| exit::print(&format!("{}\n", json_of(pack))));
        return Ok(());
    }
    let rows = listed.iter().map(|pack| {
        let pack_facts = &pack.contents.manifest.pack;
        [
            pack_facts.name.clone(),
            pack_facts.version.clone(),
            pack.contents.commands.len().to_string(),
            pack.from.clone(),
        ]
    });
    let head = ["PACK", "VERSION", "TOOLS", "FROM"].map(str::to_owned);
    exit::print(&columns(&std::iter::once(head).chain(rows).collect::<Vec<_>>()));
    Ok(())
}

fn json_of(pack: &Listed) -> serde_json::Value {
    let record = pack.installed.as_ref().and_then(|installed| installed.record.as_ref());
    let facts = &pack.contents.manifest.pack;
    json!({
        "name": facts.name, "version": facts.version, "summary": facts.summary, "license": facts.license,
        "tools": pack.contents.commands.iter().map(|command| command.name.as_str()).collect::<Vec<_>>(),
        "folder": pack.installed.as_ref().map(|installed| installed.folder.display().to_string()),
        "source": record.map(|record| record.source.as_str()), "pin": record.and_then(|record| record.pin.as_deref()),
        "digest": record.map(|record| record.digest.as_str()), "requested": record.map(|record| record.requested),
    })
}

/// Rows with aligned columns; the last is as long as it is.
fn columns<const N: usize>(rows: &[[String; N]]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..N).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let line: String = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}  ")).collect();
        text += line.trim_end();
        text.push('\n');
    }
    text
}

/// Prints the tools and packs in whose names, summaries and keywords all words are.
pub fn search(words: &[String]) -> Result<()> {
    let words: Vec<String> = words.iter().map(|word| word.to_lowercase()).collect();
    let mut rows = Vec::new();
    for pack in all(&catalog())? {
        let facts = &pack.contents.manifest.pack;
        let of_pack = format!("{} {} {}", facts.name, facts.summary, facts.keywords.join(" ")).to_lowercase();
        if words.iter().all(|word| of_pack.contains(word)) {
            rows.push([facts.name.clone(), facts.version.clone(), facts.summary.clone()]);
        }
        for command in &pack.contents.commands {
            let of_tool = format!("{} {}", command.name, command.entry.summary).to_lowercase();
            if words.iter().all(|word| of_tool.contains(word)) {
                rows.push([
                    format!("{}/{}", facts.name, command.name),
                    facts.version.clone(),
                    command.entry.summary.clone(),
                ]);
            }
        }
    }
    if rows.is_empty() {
        let what = format!("nothing is found for `{}`", words.join(" "));
        return Err(Error::script(what, "no installed pack or tool has all of that in its name, summary or keywords"));
    }
    exit::print(&columns(&rows));
    Ok(())
}

/// Prints all that a pack says of itself. A word is the name of an installed pack, all else a source.
pub fn info(pack: &str) -> Result<()> {
    let catalog = catalog();
    if pack == EMBEDDED {
        let (contents, errors) = embedded_contents()?;
        errors.iter().for_each(left_out);
        exit::print(&text_of(&contents, "a part of bpflua", None));
    } else if is_name(pack) {
        let opened = open::installed(&catalog.places, pack, catalog.uid, &catalog.limits)?;
        let opened = opened.ok_or_else(|| {
            catalog.no_pack(pack).with_hint(format!("the pack of a folder: `bpflua pack info ./{pack}`"))
        })?;
        let installed = Installed { name: pack.to_owned(), folder: opened.folder, record: opened.record };
        exit::print(&text_of(&opened.contents, &origin(&installed), installed.record.as_ref()));
    } else {
        for fetched in fetch(&Source::parse(pack)?, &catalog.limits)? {
            let record = fetched.record(true, None);
            exit::print(&text_of(&fetched.contents, &fetched.source.to_string(), Some(&record)));
        }
    }
    Ok(())
}

fn text_of(contents: &Contents, from: &str, record: Option<&Record>) -> String {
    let facts = &contents.manifest.pack;
    let mut text = format!("{} {}", facts.name, facts.version);
    if !facts.summary.is_empty() {
        text += &format!("  {}", facts.summary);
    }
    text.push('\n');
    let mut line = |name: &str, value: &str| {
        if !value.is_empty() {
            text += &format!("  {name:<13}{value}\n");
        }
    };
    line("from", from);
    line("license", &facts.license);
    line("authors", &facts.authors.join(", "));
    line("keywords", &facts.keywords.join(", "));
    if let Some(record) = record {
        line("commit", record.pin.as_deref().unwrap_or_default());
        line("content", &record.digest);
    }
    let dependencies = &contents.manifest.dependencies;
    let needs: Vec<_> =
        dependencies.iter().map(|(name, dependency)| format!("{name} {}", dependency.versions())).collect();
    line("needs packs", &needs.join(", "));
    let requires = contents.requires();
    line("needs kernel", &requires.features.join(", "));
    line("capabilities", &requires.capabilities.join(", "));
    line("attaches to", &requires.attach.join(", "));
    line("helpers", &requires.helpers.join(", "));
    line("Lua beyond", &requires.lua.join(", "));
    contents.commands.iter().for_each(|command| text += &command_text(command));
    text
}

fn command_text(command: &Command) -> String {
    let Entry { summary, parameters, .. } = &command.entry;
    let mut text = format!("\n{}  {summary}\n", command.name);
    let rows: Vec<[String; 2]> = parameters.iter().map(parameter_row).collect();
    text += &columns(&rows.into_iter().map(|[name, help]| [format!("  {name}"), help]).collect::<Vec<_>>());
    text
}

fn parameter_row(parameter: &Parameter) -> [String; 2] {
    let name = match (&parameter.flags, parameter.positional) {
        (_, true) => parameter.metavar.clone().unwrap_or_else(|| parameter.name.to_uppercase()),
        (Some(flags), _) => flags.clone(),
        (None, _) => format!("--{}", parameter.name.replace('_', "-")),
    };
    let mut help = parameter.help.clone();
    if let Some((least, most)) = parameter.range {
        help += &format!(" ({least} to {most})");
    }
    if let Some(default) = &parameter.default {
        help += &format!("; default {}", default.text());
    }
    [name, help]
}
