// SPDX-License-Identifier: Apache-2.0
//! `docs/reference.md`: its headings are the functions there are, with their parameters, and its examples run and print
//! what they say.
//!
//! A line `print(x) --> 42` of an example says what is printed; `…` stands for anything. The examples of one section run
//! in one process, each a function of its own. One marked `alone` (it ends the script, or needs a fresh one), and one that
//! has words or output of its own (see `docs`), gets its own.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use regex::Regex;

use super::docs::{Block, blocks, first_missing, lacks_what_it_needs, run};
use super::harness::{Need, bpflua, missing, root_folder, scratch, vm_series};
use super::usdt;

const REFERENCE: &str = "docs/reference.md";

/// How the reference writes the functions of each class of the surface.
const WRITTEN: [(&str, &str); 22] = [
    ("_BPF:", "b:"),
    ("BPF.", "BPF."),
    ("_Map:", "map:"),
    ("_PerCpu:", "percpu:"),
    ("_Struct:", "value:"),
    ("_Iter:", "iter:"),
    ("_Function:", "fn:"),
    ("_SymbolCache:", "cache:"),
    ("_USDT:", "usdt:"),
    ("_USDTProbe:", "probe:"),
    ("USDT.", "USDT."),
    ("_argparse_Parser:", "parser:"),
    ("_Columns:", "columns:"),
    ("_Oneliner:", "oneliner:"),
    ("_Tool:", "tool:"),
    ("_ToolOutput:", "output:"),
    ("json.", "json."),
    ("_posix.", "posix."),
    ("_Pipe:", "pipe:"),
    ("_bcc_utils.", "utils."),
    ("_StrcmpRewrite.", "StrcmpRewrite."),
    ("_commands.", "exec."),
];

fn text() -> String {
    std::fs::read_to_string(root_folder().join(REFERENCE)).unwrap()
}

/// Every function of the surface as the reference writes it, and those whose class has no way to be written.
pub fn surface() -> (BTreeSet<String>, Vec<String>) {
    let stub = bpflua(["types"]).run().expect(0).stdout;
    let (mut known, mut unwritten) = (BTreeSet::new(), Vec::new());
    for line in stub.lines() {
        let Some(signature) = line.strip_prefix("function ").and_then(|rest| rest.strip_suffix(" end")) else {
            continue;
        };
        match WRITTEN.iter().find_map(|(class, written)| Some((written, signature.strip_prefix(class)?))) {
            Some((written, rest)) => {
                known.insert(format!("{written}{rest}"));
            }
            None => unwritten.push(signature.to_owned()),
        }
    }
    (known, unwritten)
}

/// The signatures in headings, with how often each stands there.
fn headings(text: &str) -> BTreeMap<String, usize> {
    let code = Regex::new(r"`([A-Za-z]+[:.]\w+\([^`]*\))`").unwrap();
    let mut found = BTreeMap::new();
    for line in text.lines().filter(|line| line.starts_with("###")) {
        for signature in code.captures_iter(line) {
            *found.entry(signature[1].to_owned()).or_default() += 1;
        }
    }
    found
}

#[test]
fn the_reference_has_every_function_and_no_other() {
    let (known, unwritten) = surface();
    let found = headings(&text());
    assert!(known.len() > 150, "the stub is not whole");
    let missing: Vec<&String> = known.iter().filter(|one| !found.contains_key(*one)).collect();
    let wrong: Vec<&String> = found.keys().filter(|one| !known.contains(*one)).collect();
    let twice: Vec<_> = found.iter().filter(|(_, count)| **count > 1).collect();
    assert!(
        missing.is_empty() && wrong.is_empty() && twice.is_empty() && unwritten.is_empty(),
        "{REFERENCE}\nhas no heading for {missing:#?}\nhas headings for what is not there: {wrong:#?}\n\
         has twice: {twice:#?}\nand cannot write: {unwritten:#?}"
    );
}

/// Each entry tells its errors, if only that it has none of its own.
#[test]
fn the_references_entries_tell_their_errors() {
    let text = text();
    let entries: Vec<&str> = text.split("\n#").filter(|entry| entry.starts_with("## `")).collect();
    assert!(entries.len() > 130, "only {} entries", entries.len());
    let headings = entries.iter().filter(|entry| !entry.contains("*Errors*")).filter_map(|entry| entry.lines().next());
    let lacking: Vec<&str> = headings.collect();
    assert!(lacking.is_empty(), "{REFERENCE} does not tell the errors of: {lacking:#?}");
}

/// Every option of the functions that take a table stands in their entry.
#[test]
fn the_reference_has_every_option() {
    let stub = bpflua(["types"]).run().expect(0).stdout;
    let text = text();
    let table = Regex::new(r"^---@param \w+\?? .*?(\{\w.*\})").unwrap();
    let option = Regex::new(r"[{,] ?(\w+)\??: ").unwrap();
    let (mut options, mut lacking, mut checked) = (Vec::new(), Vec::new(), 0);
    for line in stub.lines() {
        if let Some(found) = table.captures(line) {
            options.extend(option.captures_iter(&found[1]).map(|one| one[1].to_owned()));
        } else if let Some(signature) = line.strip_prefix("function ") {
            let written =
                WRITTEN.iter().find_map(|(class, to)| Some(format!("`{to}{}", signature.strip_prefix(class)?)));
            let heading = written.unwrap_or_default().replace(" end", "`");
            let entry =
                text.split("\n#").find(|entry| entry.lines().next().is_some_and(|line| line.contains(&heading)));
            for name in options.drain(..) {
                checked += 1;
                if !entry.is_some_and(|entry| entry.contains(&format!("`{name}`"))) {
                    lacking.push(format!("{heading}: {name}"));
                }
            }
        }
    }
    assert!(checked > 80, "only {checked} options found in the stub");
    assert!(lacking.is_empty(), "{REFERENCE} lacks options: {lacking:#?}");
}

/// Options of `BPF{…}` and of the command line, by what bpflua itself lists.
#[test]
fn the_reference_has_the_options_of_objects_and_of_the_command_line() {
    let refused = bpflua(["-e", "BPF{no_such_option = 1}"]).run().expect(1).stderr;
    let listed = refused.split_once("the options are ").expect("a list of the options").1;
    let mut options: Vec<String> =
        listed.lines().next().unwrap().split(", ").map(|name| format!("\n| `{}` |", name.trim())).collect();
    assert!(options.len() > 10, "{options:?}");
    let help = bpflua(["--help"]).run().expect(0).stdout;
    let long = Regex::new(r"--([a-z]+-?[a-z]*)\b").unwrap();
    let short_too = ["help", "version", "verbose"];
    let flags =
        long.captures_iter(&help).map(|found| found[1].to_owned()).filter(|name| !short_too.contains(&name.as_str()));
    options.extend(flags.map(|name| format!("--{name}")));
    assert!(options.len() > 16, "{options:?}");
    let text = text();
    let lacking: Vec<&String> = options.iter().filter(|option| !text.contains(*option)).collect();
    assert!(lacking.is_empty(), "{REFERENCE} lacks {lacking:?}");
}

/// The text of an example's `--> …` comments, as expressions for the lines that must come.
fn expected(block: &Block) -> Vec<String> {
    let said = block.text.lines().filter_map(|line| line.split_once("--> "));
    said.map(|(_, text)| format!("^{}$", regex::escape(text.trim()).replace('…', ".*"))).collect()
}

fn is_alone(block: &Block) -> bool {
    !block.prints.is_empty() || ["alone", "file", "fails", "args"].iter().any(|name| block.word(name).is_some())
}

/// One script of many examples. Before the output of each stands a line with its number.
fn together(blocks: &[&Block]) -> String {
    let mut script = String::from(
        "local function example(line, run)\n    print('\\1' .. line)\n    local ok, why = xpcall(run, debug.traceback)\n    \
         if not ok then print('\\2' .. tostring(why)) end\n    BPF.cleanup()\nend\n",
    );
    for block in blocks {
        writeln!(script, "example({}, function()\n{}\nend)", block.line, block.script()).unwrap();
    }
    script
}

/// What went wrong with the examples of one section.
fn run_together(blocks: &[&Block], folder: &Path) -> Vec<String> {
    let file = folder.join("section.lua");
    std::fs::write(&file, together(blocks)).unwrap();
    let ended = bpflua([file.as_os_str()]).current_dir(folder).run();
    let outputs: BTreeMap<&str, &str> = ended.stdout.split('\u{1}').filter_map(|part| part.split_once('\n')).collect();
    let mut failed = Vec::new();
    for block in blocks {
        let Some(output) = outputs.get(block.line.to_string().as_str()) else {
            failed.push(format!("{REFERENCE}:{}: did not run\n{}", block.line, ended.stderr));
            break;
        };
        if let Some((_, why)) = output.split_once('\u{2}') {
            failed.push(format!("{REFERENCE}:{}: {why}", block.line));
        } else if let Some(line) = first_missing(&expected(block), output) {
            failed.push(format!("{REFERENCE}:{}: does not print {line}\n{output}", block.line));
        }
    }
    if failed.is_empty() && ended.status != Some(0) {
        failed.push(format!("{REFERENCE}: the section of line {} ends with\n{}", blocks[0].line, ended.stderr));
    }
    failed
}

#[test]
fn root_the_references_examples_run() {
    if missing(&[Need::Root, Need::Btf, Need::Tracefs]) {
        return;
    }
    let folder = scratch("docs-reference");
    if usdt::NEEDS.iter().all(|need| need.lacking().is_none()) {
        usdt::build(&folder, "values", &["-O1"]);
    }
    let (mut failed, mut sections) = (Vec::new(), BTreeMap::<usize, Vec<Block>>::new());
    for block in blocks(&text()) {
        // An emulated kernel is slow: there, what attaches is enough.
        let is_wanted = vm_series().is_none() || block.text.contains("attach_");
        if is_wanted && !lacks_what_it_needs(REFERENCE, &block) {
            sections.entry(block.section).or_default().push(block);
        }
    }
    for blocks in sections.values() {
        let (alone, others): (Vec<&Block>, Vec<&Block>) = blocks.iter().partition(|block| is_alone(block));
        if !others.is_empty() {
            failed.extend(run_together(&others, &folder));
        }
        for block in alone {
            let mut block = block.clone();
            block.prints.extend(expected(&block));
            let file = folder.join(block.word("file").filter(|name| !name.is_empty()).unwrap_or("block.lua"));
            failed.extend(run(&block, &file, &folder).err().map(|why| format!("{REFERENCE}:{}: {why}", block.line)));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
}

/// No parameter and no option is a type alone: each has its meaning, and what it is when it is left out.
#[test]
fn the_references_parameters_have_words() {
    let text = text();
    let bullet = Regex::new(r"^ *- `[^`]+`: `[^`]+`(, \*?optional\*?)?(.*)$").unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let (mut checked, mut bare) = (0, Vec::new());
    for (number, line) in lines.iter().enumerate() {
        let Some(found) = bullet.captures(line) else { continue };
        checked += 1;
        if found[2].trim().is_empty() {
            bare.push(format!("{}: {}", number + 1, line.trim()));
        }
    }
    assert!(checked > 280, "only {checked} parameters found");
    assert!(bare.is_empty(), "{REFERENCE} has no words for: {bare:#?}");
}
