// SPDX-License-Identifier: Apache-2.0
//! What the data of a manifest must be beyond its form: names, versions, ranges, defaults.

use std::collections::{BTreeMap, BTreeSet};

use super::entry::{Column, Entry, Kind, Parameter, Value};
use super::manifest::{API, Dependency, Manifest, Pack};
use super::units;
use crate::error::{Error, Result};

/// Whether a name will do for a pack or a command: lower-case letters, digits, `-` and `_`, a letter first.
pub fn is_name(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    name.len() <= 64 && name.starts_with(|c: char| c.is_ascii_lowercase()) && name.chars().all(fits)
}

/// Whether a path stays below the folder it is relative to.
pub fn stays_inside(path: &str) -> bool {
    use std::path::{Component, Path};
    let inside = |part: Component<'_>| matches!(part, Component::Normal(_) | Component::CurDir);
    !path.is_empty() && Path::new(path).components().all(inside)
}

/// The rules for `pack.toml`.
pub fn manifest(manifest: &Manifest, file: &str) -> Result<()> {
    pack(&manifest.pack, file)?;
    dependencies(&manifest.dependencies, file)?;
    for (name, entry) in &manifest.entries {
        if !is_name(name) {
            return Err(bad(file, format!("`{name}` is no name for a command"), NAMES));
        }
        if !stays_inside(entry.file()) {
            return Err(bad(file, format!("the file `{}` of `{name}` is outside of the pack", entry.file()), ""));
        }
        if let Some(entry) = entry.entry() {
            self::entry(&entry, &format!("{file}: {name}"))?;
        }
    }
    Ok(())
}

/// The rules for the head of a Lua file.
pub fn head(pack: Option<&Pack>, entry: &Entry, file: &str) -> Result<()> {
    pack.map_or(Ok(()), |pack| self::pack(pack, file))?;
    self::entry(entry, file)
}

/// The rules for the packs that one needs.
pub fn dependencies(dependencies: &BTreeMap<String, Dependency>, file: &str) -> Result<()> {
    for (name, dependency) in dependencies {
        if !is_name(name) {
            return Err(bad(file, format!("the dependency `{name}` is no name for a pack"), NAMES));
        }
        let versions = dependency.versions();
        if let Err(error) = semver::VersionReq::parse(versions) {
            let why = format!("`{versions}` are no versions of the dependency `{name}`: {error}");
            return Err(bad(file, why, "such as ^1.2, ~1.2.3, >=1.0, <3"));
        }
    }
    Ok(())
}

/// What a name consists of, as a hint.
pub const NAMES: &str = "lower-case letters, digits, `-` and `_`, a letter first";

fn bad(file: &str, why: String, hint: &str) -> Error {
    let error = Error::script(format!("cannot use `{file}`"), why);
    if hint.is_empty() { error } else { error.with_hint(hint) }
}

fn pack(pack: &Pack, file: &str) -> Result<()> {
    if !is_name(&pack.name) {
        return Err(bad(file, format!("`{}` is no name for a pack", pack.name), NAMES));
    }
    if let Err(error) = semver::Version::parse(&pack.version) {
        return Err(bad(file, format!("`{}` is no version: {error}", pack.version), "such as 1.0.0"));
    }
    if pack.api != API {
        let why = format!("it is written for API {}, and this bpflua has API {API}", pack.api);
        return Err(bad(file, why, ""));
    }
    Ok(())
}

fn entry(entry: &Entry, file: &str) -> Result<()> {
    let mut names = BTreeSet::new();
    let mut flags = BTreeSet::new();
    for parameter in &entry.parameters {
        let complain = |why: &str| bad(file, format!("parameter `{}` {why}", parameter.name), "");
        if !is_lua_name(&parameter.name) {
            return Err(complain("is no name in Lua"));
        }
        if !names.insert(&parameter.name) {
            return Err(complain("is there twice"));
        }
        for flag in parameter.flags.iter().flat_map(|flags| flags.split_whitespace()) {
            if !flag.starts_with('-') || flag.len() < 2 {
                return Err(complain(&format!("has the flag `{flag}`, which does not begin with `-`")));
            }
            if !flags.insert(flag) {
                return Err(complain(&format!("has the flag `{flag}` of another")));
            }
        }
        self::parameter(parameter).map_err(|why| complain(&why))?;
    }
    let outputs = entry.outputs.iter().map(|(name, output)| (name.as_str(), &output.columns));
    for (name, list) in outputs.chain([("", &entry.columns)]) {
        columns(name, list, &names, file)?;
    }
    Ok(())
}

fn columns(output: &str, list: &[Column], parameters: &BTreeSet<&String>, file: &str) -> Result<()> {
    let mut names = BTreeSet::new();
    for column in list {
        let complain = |why: String| {
            let of = if output.is_empty() { String::new() } else { format!(" of output `{output}`") };
            bad(file, format!("column `{}`{of} {why}", column.name), "")
        };
        if !is_lua_name(&column.name) {
            return Err(complain("is no name in Lua".to_owned()));
        }
        if !names.insert(&column.name) {
            return Err(complain("is there twice".to_owned()));
        }
        for when in column.when.iter().flat_map(|when| when.split_whitespace()) {
            let name = when.strip_prefix('!').unwrap_or(when).to_owned();
            // An option that all tools have: a column for those who read the data.
            if !parameters.contains(&name) && name != "--json" {
                return Err(complain(format!("depends on `{name}`, which is no parameter")));
            }
        }
    }
    Ok(())
}

/// Why a parameter cannot be as it is written.
fn parameter(parameter: &Parameter) -> std::result::Result<(), String> {
    let Parameter { kind, range, choices, default, positional, required, many, flags, .. } = parameter;
    if (*kind == Kind::Choice) == choices.is_empty() {
        return Err("has `choices` and the type `choice`, or neither".to_owned());
    }
    if range.is_some_and(|(least, most)| !kind.is_number() || least > most) {
        return Err("has a range that no number is in".to_owned());
    }
    if *positional && (flags.is_some() || *kind == Kind::Flag) {
        return Err("is positional, so that it has no flags and a value".to_owned());
    }
    if *many && !positional && *kind == Kind::Flag {
        return Err("is a flag, which has no values".to_owned());
    }
    match default {
        Some(_) if *required => Err("is required, so that it has no default".to_owned()),
        Some(value) => units::check(parameter, value).map_err(|why| format!("has a default that does not fit: {why}")),
        None => Ok(()),
    }
}

fn is_lua_name(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_';
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && name.chars().all(fits)
}

impl Value {
    /// As it would be typed.
    pub fn text(&self) -> String {
        match self {
            Value::Flag(value) => value.to_string(),
            Value::Integer(value) => value.to_string(),
            Value::Number(value) => value.to_string(),
            Value::Text(value) => value.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::manifest::Head;
    use super::*;

    fn error(head: &str) -> String {
        Head::parse(&format!("--[[ pack\n{head}\n]]"), "x.lua").unwrap_err().to_string()
    }

    #[test]
    fn what_is_wrong_is_named() {
        let cases = [
            ("parameters = [{ name = \"a b\" }]", "parameter `a b` is no name in Lua"),
            ("parameters = [{ name = \"a\" }, { name = \"a\" }]", "parameter `a` is there twice"),
            ("parameters = [{ name = \"a\", flags = \"a\" }]", "has the flag `a`, which does not begin with `-`"),
            ("parameters = [{ name = \"a\", type = \"choice\" }]", "has `choices` and the type `choice`, or neither"),
            ("parameters = [{ name = \"a\", range = [2, 1], type = \"integer\" }]", "a range that no number is in"),
            (
                "parameters = [{ name = \"a\", type = \"integer\", range = [1, 9], default = 10 }]",
                "has a default that does not fit: 10 is not within 1 to 9",
            ),
            ("columns = [{ name = \"a\", when = \"b\" }]", "column `a` depends on `b`, which is no parameter"),
            ("dependencies = { base = \"?\" }", "`?` are no versions of the dependency `base`"),
            ("dependencies = { Base = \"1\" }", "the dependency `Base` is no name for a pack"),
            ("[pack]\nname = \"X\"\nversion = \"1.0.0\"\napi = 1", "`X` is no name for a pack"),
            ("[pack]\nname = \"x\"\nversion = \"1\"\napi = 1", "`1` is no version"),
            ("[pack]\nname = \"x\"\nversion = \"1.0.0\"\napi = 2", "written for API 2, and this bpflua has API 1"),
        ];
        for (head, expected) in cases {
            let told = error(head);
            assert!(told.contains(expected), "{told}");
        }
    }

    #[test]
    fn paths_stay_inside() {
        assert!(stays_inside("a/b.lua") && stays_inside("./b.lua"));
        assert!(
            !stays_inside("../b.lua") && !stays_inside("/b.lua") && !stays_inside("a/../../b") && !stays_inside("")
        );
    }
}
