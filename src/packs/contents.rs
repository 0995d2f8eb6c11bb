// SPDX-License-Identifier: Apache-2.0
//! What a pack consists of, told by its files: the manifest, the commands with their heads, the tests.

use semver::Version;

use super::entry::{Entry, Requires};
use super::manifest::{Head, Manifest};
use super::tree::Tree;
use crate::error::{Error, Result};

/// The manifest of a pack that has a folder of its own.
pub const MANIFEST: &str = "pack.toml";
/// Where the tests are when the manifest names none.
const USUAL_TESTS: &str = "tests/*.lua";

/// A command of a pack.
#[derive(Clone, Debug, PartialEq)]
pub struct Command {
    /// What it is called by.
    pub name: String,
    /// Its Lua file, from the pack's folder.
    pub file: String,
    /// What it says of itself.
    pub entry: Entry,
}

/// What a pack consists of.
#[derive(Clone, Debug, PartialEq)]
pub struct Contents {
    /// `pack.toml`, or what the head of a pack of one file says.
    pub manifest: Manifest,
    /// Its version, which is one by the rules of semver.org.
    pub version: Version,
    /// Its commands, by name.
    pub commands: Vec<Command>,
    /// Its tests: Lua files, from the pack's folder.
    pub tests: Vec<String>,
}

impl Contents {
    /// Reads the manifest and the heads of a tree; `source` is what the pack is called in errors.
    pub fn of(tree: &Tree, source: &str) -> Result<Contents> {
        let (contents, errors) = Contents::readable(tree, source)?;
        errors.into_iter().next().map_or(Ok(contents), Err)
    }

    /// The same with those commands alone whose heads can be read, and the errors of the others.
    pub fn readable(tree: &Tree, source: &str) -> Result<(Contents, Vec<Error>)> {
        let manifest = match tree.text(MANIFEST) {
            Some(text) => Manifest::parse(&text, &format!("{source}/{MANIFEST}"))?,
            None => of_one_file(tree, source)?,
        };
        let version = version_of(&manifest)?;
        let (mut found, mut errors) = (Vec::new(), Vec::new());
        for command in commands(&manifest, tree, source) {
            command.map_or_else(|error| errors.push(error), |command| found.push(command));
        }
        let tests = tests(&manifest, tree, source)?;
        Ok((Contents { manifest, version, commands: found, tests }, errors))
    }

    /// The pack's name.
    pub fn name(&self) -> &str {
        &self.manifest.pack.name
    }

    /// The command of that name.
    pub fn command(&self, name: &str) -> Option<&Command> {
        self.commands.iter().find(|command| command.name == name)
    }

    /// All that its commands need and ask for, those of the whole pack first.
    pub fn requires(&self) -> Requires {
        let mut all = self.manifest.requires.clone();
        self.commands.iter().for_each(|command| merge_all(&mut all, &command.entry.requires));
        all
    }

    /// What one of its commands needs and asks for: what the whole pack does, and what it says itself.
    pub fn requires_of(&self, command: &Command) -> Requires {
        let mut all = self.manifest.requires.clone();
        merge_all(&mut all, &command.entry.requires);
        all
    }
}

fn merge_all(all: &mut Requires, more: &Requires) {
    merge(&mut all.features, &more.features);
    merge(&mut all.capabilities, &more.capabilities);
    merge(&mut all.attach, &more.attach);
    merge(&mut all.helpers, &more.helpers);
    merge(&mut all.lua, &more.lua);
}

fn merge(all: &mut Vec<String>, more: &[String]) {
    for one in more {
        if !all.contains(one) {
            all.push(one.clone());
        }
    }
}

fn version_of(manifest: &Manifest) -> Result<Version> {
    Version::parse(&manifest.pack.version)
        .map_err(|error| Error::bug(format!("cannot read the version of `{}`", manifest.pack.name), error.to_string()))
}

/// A pack of one file: the one at the top whose head says what the pack is.
fn of_one_file(tree: &Tree, source: &str) -> Result<Manifest> {
    let mut found = Vec::new();
    for (path, text) in lua_at_the_top(tree) {
        let head = Head::parse(&text, path)?;
        if let Some((pack, head)) = head.and_then(|head| Some((head.pack.clone()?, head))) {
            let entries = [(pack.name.clone(), super::manifest::EntryPoint::File(path.to_owned()))].into();
            found.push(Manifest { pack, dependencies: head.dependencies, entries, ..Manifest::default() });
        }
    }
    match (found.pop(), found.is_empty()) {
        (Some(manifest), true) => Ok(manifest),
        _ => Err(Error::script(
            format!("`{source}` is no pack"),
            "it has no `pack.toml`, and not one Lua file with a `[pack]` in its head",
        )
        .with_hint("`bpflua pack new NAME` makes a pack to begin with")),
    }
}

fn lua_at_the_top(tree: &Tree) -> impl Iterator<Item = (&str, String)> {
    let files = tree.files().filter(|(path, _)| path.ends_with(".lua") && !path.contains('/'));
    files.map(|(path, file)| (path, String::from_utf8_lossy(&file.bytes).into_owned()))
}

/// The commands that the manifest names; when it names none, each Lua file at the top that has a head.
fn commands(manifest: &Manifest, tree: &Tree, source: &str) -> Vec<Result<Command>> {
    if manifest.entries.is_empty() {
        let command = |(path, text): (&str, String)| {
            let head = Head::parse(&text, &format!("{source}/{path}")).transpose()?;
            let name = path.trim_end_matches(".lua").to_owned();
            Some(head.map(|head| Command { name, file: path.to_owned(), entry: head.entry }))
        };
        return lua_at_the_top(tree).filter_map(command).collect();
    }
    let command = |(name, point): (&String, &super::manifest::EntryPoint)| {
        let file = point.file().trim_start_matches("./").to_owned();
        let what = || format!("cannot use the command `{name}` of `{source}`");
        let Some(text) = tree.text(&file) else {
            return Err(Error::script(what(), format!("its file `{file}` is not there")));
        };
        let entry = match point.entry() {
            Some(entry) => entry,
            None => match Head::parse(&text, &format!("{source}/{file}"))? {
                Some(head) => head.entry,
                None => {
                    return Err(Error::script(what(), format!("`{file}` does not say what it takes")).with_hint(
                        "begin the file with a comment `--[==[ pack … ]==]` that has `summary` and `parameters`",
                    ));
                }
            },
        };
        Ok(Command { name: name.clone(), file, entry })
    };
    manifest.entries.iter().map(command).collect()
}

fn tests(manifest: &Manifest, tree: &Tree, source: &str) -> Result<Vec<String>> {
    let named = &manifest.tests.files;
    let usual = [USUAL_TESTS.to_owned()];
    let patterns = if named.is_empty() { &usual[..] } else { named };
    let mut found: Vec<String> = Vec::new();
    for pattern in patterns {
        let fits: Vec<_> = tree.files().map(|(path, _)| path).filter(|path| matches(pattern, path)).collect();
        if fits.is_empty() && !named.is_empty() {
            let what = format!("cannot use the tests of `{source}`");
            return Err(Error::script(what, format!("no file is called `{pattern}`, as `[tests]` says")));
        }
        found.extend(fits.into_iter().map(str::to_owned).filter(|path| !found.contains(path)).collect::<Vec<_>>());
    }
    Ok(found)
}

/// Whether a path fits a pattern in which `*` stands for any characters but `/`.
fn matches(pattern: &str, path: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == path,
        Some((before, after)) => path.strip_prefix(before).is_some_and(|rest| {
            let end = rest.find('/').unwrap_or(rest.len());
            (0..=end).filter(|&at| rest.is_char_boundary(at)).any(|at| matches(after, &rest[at..]))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "--[==[ pack\nsummary = \"x\"\n]==]\n";
    const PACK: &str = "[pack]\nname = \"opens\"\nversion = \"1.2.0\"\napi = 1\n";

    fn tree(files: &[(&str, &str)]) -> Tree {
        let mut tree = Tree::default();
        files.iter().for_each(|(path, text)| tree.put(path, *text));
        tree
    }

    fn names(contents: &Contents) -> Vec<&str> {
        contents.commands.iter().map(|command| command.name.as_str()).collect()
    }

    #[test]
    fn commands_are_those_named_or_those_with_a_head() {
        let all =
            tree(&[("pack.toml", PACK), ("a.lua", HEAD), ("b.lua", HEAD), ("lib.lua", "return 1"), ("x/c.lua", HEAD)]);
        assert_eq!(names(&Contents::of(&all, "p").unwrap()), ["a", "b"]);
        let named = format!("{PACK}[entries]\nfirst = \"./x/c.lua\"\n");
        let one = tree(&[("pack.toml", &named), ("a.lua", HEAD), ("x/c.lua", HEAD), ("tests/t.lua", "")]);
        let contents = Contents::of(&one, "p").unwrap();
        assert_eq!((names(&contents), contents.commands[0].file.as_str()), (vec!["first"], "x/c.lua"));
        assert_eq!(contents.tests, ["tests/t.lua"]);
    }

    #[test]
    fn one_bad_head_is_told_and_leaves_the_others() {
        let bad = "--[==[ pack\nsumary = \"x\"\n]==]\n";
        let all = tree(&[("pack.toml", PACK), ("a.lua", HEAD), ("b.lua", bad), ("c.lua", HEAD)]);
        let (contents, errors) = Contents::readable(&all, "p").unwrap();
        assert_eq!((names(&contents), errors.len()), (vec!["a", "c"], 1));
        assert!(errors[0].to_string().contains("p/b.lua"), "{}", errors[0]);
        assert_eq!(Contents::of(&all, "p").unwrap_err().to_string(), errors[0].to_string());
    }

    #[test]
    fn one_file_is_a_pack_when_its_head_says_so() {
        let text = format!("--[==[ pack\nsummary = \"x\"\ndependencies = {{ base = \"1\" }}\n{PACK}]==]\n");
        let contents = Contents::of(&tree(&[("opens.lua", &text)]), "opens.lua").unwrap();
        assert_eq!((contents.name(), names(&contents)), ("opens", vec!["opens"]));
        assert_eq!(contents.manifest.dependencies["base"].versions(), "1");
        let error = Contents::of(&tree(&[("a.lua", HEAD)]), "dir").unwrap_err();
        assert!(error.to_string().starts_with("`dir` is no pack: it has no `pack.toml`"), "{error}");
    }

    #[test]
    fn what_the_manifest_names_is_there() {
        let missing = format!("{PACK}[entries]\nfirst = \"c.lua\"\n");
        let error = Contents::of(&tree(&[("pack.toml", &missing)]), "p").unwrap_err();
        assert_eq!(error.to_string(), "cannot use the command `first` of `p`: its file `c.lua` is not there");
        let error = Contents::of(&tree(&[("pack.toml", &missing), ("c.lua", "print(1)")]), "p").unwrap_err();
        assert_eq!(error.to_string(), "cannot use the command `first` of `p`: `c.lua` does not say what it takes");
        let tests = format!("{PACK}[tests]\nfiles = [\"t/*.lua\"]\n");
        let error = Contents::of(&tree(&[("pack.toml", &tests)]), "p").unwrap_err();
        assert!(error.to_string().ends_with("no file is called `t/*.lua`, as `[tests]` says"), "{error}");
    }

    #[test]
    fn patterns_do_not_cross_folders() {
        assert!(matches("tests/*.lua", "tests/a.lua") && matches("*", "a") && matches("t*/x*y", "tt/xzy"));
        assert!(!matches("tests/*.lua", "tests/a/b.lua") && !matches("*.lua", "a.c") && !matches("a", "ab"));
    }
}
