// SPDX-License-Identifier: Apache-2.0
//! What can come next on the command line, for shells: commands, tools, and what a tool says that it takes. Nothing of a pack is run.

use std::process::ExitCode;

use clap::CommandFactory as _;

use super::args::Args;
use super::{exit, pack};
use crate::packs::catalog::{Catalog, EMBEDDED, Tool, embedded_names};
use crate::packs::entry::{Entry, Kind, Parameter};

/// The function for bash; zsh takes it by its `bashcompinit`.
const BASH: &str = r#"# Completion of bpflua's command line: source <(bpflua completions)
# In zsh first: autoload -U bashcompinit && bashcompinit
_bpflua() {
    local IFS=$'\n'
    COMPREPLY=($(bpflua completions --at "$COMP_CWORD" -- "${COMP_WORDS[@]}" 2>/dev/null))
    [ ${#COMPREPLY[@]} -gt 0 ] || COMPREPLY=($(compgen -f -- "${COMP_WORDS[COMP_CWORD]}"))
}
complete -o filenames -F _bpflua bpflua
"#;

/// What all tools take.
const OF_ALL_TOOLS: [&str; 5] = ["--json", "--csv", "--html", "--help", "--version"];

/// Prints the shell's function, or what can stand at a place of a line: nothing where a file can.
pub fn main(at: Option<usize>, words: &[String]) -> ExitCode {
    match at {
        None => exit::print(BASH),
        Some(at) => {
            let (before, word) = (words.get(1..at).unwrap_or_default(), words.get(at).map_or("", String::as_str));
            for found in fitting(before, word, &pack::catalog()) {
                exit::print(&format!("{found}\n"));
            }
        }
    }
    ExitCode::SUCCESS
}

/// The words that can stand behind `before` and begin as `word` does.
fn fitting(before: &[String], word: &str, catalog: &Catalog) -> Vec<String> {
    let before: Vec<&str> = before.iter().map(String::as_str).collect();
    let mut all = match before.as_slice() {
        [] => commands(&[]).into_iter().chain(options_of(&[])).chain(tools(catalog)).collect(),
        ["run"] => packs_with_tools(catalog),
        ["run", tool, rest @ ..] => of_tool(find(tool, catalog).as_ref(), rest),
        ["pack"] => commands(&["pack"]),
        ["pack", "info" | "uninstall" | "update" | "export", ..] if !word.starts_with('-') => installed(catalog),
        ["pack", command, ..] => options_of(&["pack", command]),
        [command, ..] if commands(&[]).iter().any(|known| known == command) => options_of(&[command]),
        [tool, rest @ ..] => of_tool(find(tool, catalog).as_ref(), rest),
    };
    all.retain(|candidate| candidate.starts_with(word) && (!candidate.starts_with('-') || word.starts_with('-')));
    all.sort();
    all.dedup();
    all
}

/// The command that names lead to.
fn command_at(names: &[&str]) -> Option<clap::Command> {
    names.iter().try_fold(Args::command(), |command, name| command.find_subcommand(name).cloned())
}

fn commands(names: &[&str]) -> Vec<String> {
    let command = command_at(names);
    let visible = command.iter().flat_map(clap::Command::get_subcommands).filter(|command| !command.is_hide_set());
    visible.map(|command| command.get_name().to_owned()).collect()
}

fn options_of(names: &[&str]) -> Vec<String> {
    let command = command_at(names);
    let arguments = command.iter().flat_map(clap::Command::get_arguments).filter(|argument| !argument.is_hide_set());
    arguments.filter_map(|argument| argument.get_long().map(|long| format!("--{long}"))).collect()
}

fn installed(catalog: &Catalog) -> Vec<String> {
    catalog.all().unwrap_or_default().into_iter().map(|pack| pack.name).collect()
}

/// What tools are called by.
fn tools(catalog: &Catalog) -> Vec<String> {
    let packs = catalog.all().unwrap_or_default();
    packs.iter().flat_map(|pack| catalog.tools_of(pack)).chain(embedded_names()).collect()
}

/// `PACK/TOOL` of all tools.
fn packs_with_tools(catalog: &Catalog) -> Vec<String> {
    let packs = catalog.all().unwrap_or_default();
    let of_packs = packs.iter().flat_map(|pack| {
        catalog.tools_of(pack).into_iter().map(|tool| format!("{}/{tool}", pack.name)).collect::<Vec<_>>()
    });
    of_packs.chain(embedded_names().into_iter().map(|tool| format!("{EMBEDDED}/{tool}"))).collect()
}

fn find(word: &str, catalog: &Catalog) -> Option<Tool> {
    match word.split_once('/') {
        Some((pack, tool)) => catalog.tool_of(pack, tool).ok(),
        None => catalog.tool(word).ok().flatten(),
    }
}

/// What a tool takes behind the words that it has been given.
fn of_tool(tool: Option<&Tool>, given: &[&str]) -> Vec<String> {
    let Some(Tool { entry: Entry { parameters, .. }, .. }) = tool else { return Vec::new() };
    let named = |word: &str| parameters.iter().find(|parameter| flags_of(parameter).iter().any(|flag| flag == word));
    if let Some(parameter) = given.last().and_then(|last| named(last)).filter(|found| found.kind != Kind::Flag) {
        return values_of(parameter);
    }
    let flags = parameters.iter().flat_map(flags_of).chain(OF_ALL_TOOLS.map(str::to_owned));
    let places = parameters.iter().filter(|parameter| parameter.positional).flat_map(values_of);
    flags.chain(places).collect()
}

fn flags_of(parameter: &Parameter) -> Vec<String> {
    match &parameter.flags {
        _ if parameter.positional => Vec::new(),
        Some(flags) => flags.split_whitespace().map(str::to_owned).collect(),
        None => vec![format!("--{}", parameter.name.replace('_', "-"))],
    }
}

/// The values that a parameter can have, where they can be told.
fn values_of(parameter: &Parameter) -> Vec<String> {
    match parameter.kind {
        Kind::Choice => parameter.choices.clone(),
        Kind::Pid => processes(),
        _ => Vec::new(),
    }
}

fn processes() -> Vec<String> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    names.filter(|name| name.chars().all(|c| c.is_ascii_digit())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packs::limits::Limits;

    fn at(line: &str) -> Vec<String> {
        let catalog = Catalog { places: Vec::new(), uid: 0, limits: Limits::default() };
        let mut words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let word = words.pop().unwrap();
        fitting(&words, &word, &catalog)
    }

    #[test]
    fn what_comes_next_is_what_was_declared() {
        assert_eq!(at("execs"), ["execsnoop"]);
        assert!(at("").contains(&"doctor".to_owned()) && at("").contains(&"opensnoop".to_owned()));
        assert!(at("--mech").contains(&"--mechanism".to_owned()));
        assert_eq!(at("execsnoop --max"), ["--max-args"]);
        assert_eq!(at("filetop --sort r"), ["rbytes", "reads"]);
        assert_eq!(at("run tools/execsn"), ["tools/execsnoop"]);
        assert_eq!(at("run tools/execsnoop --quo"), ["--quote"]);
        assert_eq!(at("pack inst"), ["install"]);
        assert!(at("pack install --allow").contains(&"--allow-unsigned".to_owned()));
        assert!(
            at("execsnoop --ppid 1").iter().all(|pid| pid.starts_with('1'))
                && at("execsnoop --ppid ").contains(&"1".to_owned())
        );
        // A file, and what is no tool.
        assert!(at("execsnoop ").is_empty() && at("nothing --x").is_empty() && at("pack run-t").is_empty());
    }
}
