// SPDX-License-Identifier: Apache-2.0
//! The error of a program that the kernel did not load.

use super::causes::Cause;
use super::lines::{LineTable, SourceLine};
use super::log::VerifierLog;
use crate::error::{Error, Location, errno_words};

/// Verdicts of more lines than this are cut at the front.
const SHOWN_LINES: usize = 3;

/// What is known of a load that failed.
#[derive(Debug)]
pub struct Rejected<'a> {
    /// The user's function.
    pub function: &'a str,
    /// What it was loaded as: `kprobe`, `fentry`, a section.
    pub kind: &'a str,
    /// Instructions of the program.
    pub instructions: usize,
    /// The errno of the load.
    pub errno: i32,
    /// The verifier's log; empty when it wrote none.
    pub log: String,
    /// Where instructions come from.
    pub lines: &'a LineTable<'a>,
    /// What the program needs of the kernel and the kernel lacks, when that is known to be the cause.
    pub missing: Option<String>,
}

/// What libbpf puts in place of an instruction whose relocation it could not resolve: a call of this helper.
const UNRESOLVED: &str = "invalid func unknown#195896080";

impl VerifierLog {
    /// Whether the verdict is about a type or member that libbpf did not find in the kernel.
    pub fn is_about_relocation(&self) -> bool {
        self.verdict.iter().any(|line| line.contains(UNRESOLVED))
    }
}

impl Rejected<'_> {
    /// The error in the user's words.
    pub fn into_error(self) -> Error {
        let log = VerifierLog::parse(&self.log);
        if log.verdict.is_empty() {
            return self.without_verdict();
        }
        let cause = Cause::find(&log.verdict);
        let source = self.source(&log);
        let what = format!(
            "the kernel rejected program `{}` ({}, {} instruction{})",
            self.function,
            self.kind,
            self.instructions,
            if self.instructions == 1 { "" } else { "s" }
        );
        let meaning = match (&self.missing, cause) {
            (Some(missing), _) => format!("it uses `{missing}`, which this kernel does not have"),
            (None, Some(cause)) => cause.meaning.to_owned(),
            (None, None) => last_words(&log),
        };
        let mut error = Error::script(what, meaning).with_errno(self.errno);
        if let Some(source) = &source {
            let place = Location::new(&source.file, source.line, 0);
            error = error.with_location(place.with_message(&source.text));
        }
        let shown = &log.verdict[log.verdict.len().saturating_sub(SHOWN_LINES)..];
        for line in shown {
            error = error.with_evidence(format!("verifier: {line}"));
        }
        if let Some(hint) = cause.map(|cause| cause.hint).filter(|hint| !hint.is_empty()) {
            error = error.with_hint(fill_in(hint, source.as_ref()));
        }
        if log.line_count > shown.len() {
            let of = log.line_count;
            error =
                error.with_note(format!("{} of {of} log lines matter; see them with `--verifier-log`", shown.len()));
        }
        error.with_log(self.log)
    }

    fn source(&self, log: &VerifierLog) -> Option<SourceLine> {
        let known = log.insn.and_then(|insn| self.lines.find(insn));
        known.or_else(|| log.annotation.as_deref().and_then(parse_annotation))
    }

    /// The kernel refused before the verifier said anything about the program.
    fn without_verdict(self) -> Error {
        let what = format!("cannot load program `{}` ({})", self.function, self.kind);
        let why = match self.errno {
            libc::EPERM => "this kernel refuses programs of this kind".to_owned(),
            libc::EINVAL => "this kernel does not know programs of this kind".to_owned(),
            libc::E2BIG => format!("{} instructions are more than the kernel takes", self.instructions),
            errno => errno_words(errno),
        };
        let error = Error::machine(what, why).with_errno(self.errno);
        if self.log.is_empty() { error } else { error.with_log(self.log) }
    }
}

fn last_words(log: &VerifierLog) -> String {
    log.verdict.last().cloned().unwrap_or_default()
}

/// `val->count++ @ script.lua:22`; kernels before 6.9 leave out what is behind the `@`.
fn parse_annotation(text: &str) -> Option<SourceLine> {
    let (text, place) = text.rsplit_once(" @ ")?;
    let (file, line) = place.rsplit_once(':')?;
    Some(SourceLine { file: file.to_owned(), line: line.parse().ok()?, column: 0, text: text.to_owned() })
}

fn fill_in(hint: &str, source: Option<&SourceLine>) -> String {
    let variable = source.and_then(|source| pointer_in(&source.text));
    let line = source.map_or_else(|| "its use".to_owned(), |source| format!("line {}", source.line));
    let hint = match variable {
        Some(variable) => hint.replace("{var}", variable),
        None => hint.replace("`{var}`", "its result"),
    };
    hint.replace("{line}", &line)
}

/// The variable that a line goes through: `val` in `val->count++`, `*val`, `(*val)++`, `val[1]`.
fn pointer_in(line: &str) -> Option<&str> {
    let arrow = line.find("->").map(|at| &line[..at]).and_then(last_name);
    let star = || line.match_indices('*').find_map(|(at, _)| first_name(&line[at + 1..]));
    let index = || line.find('[').map(|at| &line[..at]).and_then(last_name);
    arrow.or_else(star).or_else(index)
}

fn first_name(text: &str) -> Option<&str> {
    let text = text.trim_start();
    let end = text.find(|c: char| !is_name(c)).unwrap_or(text.len());
    Some(&text[..end]).filter(|name| starts_name(name))
}

fn last_name(text: &str) -> Option<&str> {
    let text = text.trim_end();
    let start = text.rfind(|c: char| !is_name(c)).map_or(0, |at| at + 1);
    text.get(start..).filter(|name| starts_name(name))
}

fn starts_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::path::Path;

    #[test]
    fn pointers_are_found_in_the_line() {
        assert_eq!(pointer_in("val->count++;"), Some("val"));
        assert_eq!(pointer_in("(*seen)++;"), Some("seen"));
        assert_eq!(pointer_in("u64 delta = now - *tsp;"), Some("tsp"));
        assert_eq!(pointer_in("slots[3] = 1;"), Some("slots"));
        assert_eq!(pointer_in("return 0;"), None);
    }

    #[test]
    fn annotations_of_new_kernels_name_the_place() {
        let line = parse_annotation("val->count++; @ a.lua:22").unwrap();
        assert_eq!((line.file.as_str(), line.line, line.text.as_str()), ("a.lua", 22, "val->count++;"));
        assert_eq!(parse_annotation("val->count++;"), None);
    }

    /// Every log of every kernel, rendered as beside it. `BPFLUA_WRITE_GOLDENS=1` writes them anew.
    #[test]
    fn real_logs_are_rendered_as_before() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/verifier");
        let write = std::env::var_os("BPFLUA_WRITE_GOLDENS").is_some();
        let mut seen = 0;
        for kernel in fs::read_dir(&root).unwrap().flatten().filter(|entry| entry.path().is_dir()) {
            for file in fs::read_dir(kernel.path()).unwrap().flatten().map(|entry| entry.path()) {
                if file.extension().is_some_and(|extension| extension == "log") {
                    seen += 1;
                    let report = render(&file);
                    let golden = file.with_extension("txt");
                    if write {
                        fs::write(&golden, &report).unwrap();
                    }
                    assert_eq!(report, fs::read_to_string(&golden).unwrap(), "{}", file.display());
                }
            }
        }
        assert!(seen > 20, "{seen}");
    }

    fn render(log: &Path) -> String {
        let function = log.file_stem().unwrap().to_string_lossy().into_owned();
        let log = fs::read_to_string(log).unwrap();
        let rejected = Rejected {
            function: &function,
            kind: "kprobe",
            instructions: 37,
            errno: libc::EACCES,
            log,
            lines: &LineTable::new(&[], &[]),
            missing: None,
        };
        rejected.into_error().report()
    }
}
