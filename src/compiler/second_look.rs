// SPDX-License-Identifier: Apache-2.0
//! Names that only clang sees, because macros of the text put them together: `TRACEPOINT_PROBE(syscalls, sys_enter_##CALL)`.
//!
//! What a text needs of the kernel is found by reading it, without a preprocessor. Where that is not all, clang's errors say what
//! is missing: what the kernel has of it is taken as if the text had named it, and clang runs again.

use std::collections::HashSet;

use super::diagnostic::Diagnostic;
use super::dictionary::Dictionary;
use super::{Options, tracepoints};
use crate::error::Result;
use crate::kernel::btf::{Btf, Kind};

/// What clang says of a name that nobody declares, or of a record that nobody defines.
const UNKNOWN: [&str; 4] =
    ["incomplete", "unknown type name", "use of undeclared identifier", "call to undeclared function"];

/// The kinds of what BTF has under a name, apart from enumerators.
const KINDS: [Kind; 5] = [Kind::Struct, Kind::Union, Kind::Enum, Kind::Typedef, Kind::Func];

/// What the errors so far led to.
#[derive(Debug, Default)]
pub struct SecondLook {
    tried: HashSet<String>,
    /// Statements of C that have the names in them.
    statements: String,
    /// The records of tracepoints, as C.
    pub records: String,
}

impl SecondLook {
    /// Takes up what these errors lack and the kernel has; whether that is anything new.
    ///
    /// # Errors
    /// Those of asking the kernel for a tracepoint's record.
    pub fn learn<'d>(&mut self, errors: impl Iterator<Item = &'d Diagnostic>, options: &Options<'_>) -> Result<bool> {
        let before = self.statements.len() + self.records.len();
        for error in errors {
            if let Some(member) = options.btf.and_then(|btf| missing_member(&error.message, btf)) {
                self.note(member, || format!("__bpflua_at->{member};"));
            }
            for words in unknown_in(&error.message) {
                let name = name_of(words);
                if name.starts_with("tracepoint__") {
                    if self.tried.insert(name.to_owned()) {
                        self.records += &tracepoints::structs(&[format!("struct {name}")], options.tracepoint_struct)?;
                    }
                } else if is_known(name, options) {
                    self.note(words, || statement(words, name, &error.message));
                }
            }
        }
        Ok(self.statements.len() + self.records.len() > before)
    }

    fn note(&mut self, what: &str, statement: impl FnOnce() -> String) {
        if self.tried.insert(what.to_owned()) {
            self.statements += &statement();
        }
    }

    /// A text that names them, for those who look for names.
    pub fn mentions(&self) -> String {
        match self.statements.as_str() {
            "" => String::new(),
            statements => format!("void __bpflua_mentions(void) {{ {statements} }}\n"),
        }
    }
}

/// The types and names that a message is about, as it has them in quotes.
pub fn unknown_in(message: &str) -> Vec<&str> {
    let is_about = UNKNOWN.iter().any(|words| message.contains(words));
    if is_about { quoted(message) } else { Vec::new() }
}

/// The name in `const struct file *`; of an array, its element's.
pub fn name_of(words: &str) -> &str {
    words.split([' ', '*', '[']).rfind(|word| !word.is_empty() && !word.ends_with(']')).unwrap_or_default()
}

/// What a message of clang's puts in quotes.
pub fn quoted(message: &str) -> Vec<&str> {
    message.split('\'').skip(1).step_by(2).collect()
}

/// A member that the kernel's record has and that was left out of it, because the text does not seem to use it.
fn missing_member<'m>(message: &'m str, btf: &Btf) -> Option<&'m str> {
    let rest = message.strip_prefix("no member named '")?;
    let (member, rest) = rest.split_once("' in '")?;
    let record = name_of(rest.split('\'').next()?);
    let id = [Kind::Struct, Kind::Union].into_iter().find_map(|kind| btf.find(kind, record))?;
    btf.field(id, member).map(|_| member)
}

/// A use of a name like the one that clang did not understand.
fn statement(words: &str, name: &str, message: &str) -> String {
    match words {
        _ if message.starts_with("variable has") => format!("{words} __bpflua_at;"),
        _ if message.starts_with("call to") => format!("{name}();"),
        _ if words == name => format!("({name});"),
        _ => format!("{words} *__bpflua_at;"),
    }
}

fn is_known(name: &str, options: &Options<'_>) -> bool {
    let of_kernel =
        |btf: &Btf| btf.enumerator(name).is_some() || KINDS.iter().any(|kind| btf.find(*kind, name).is_some());
    options.btf.is_some_and(of_kernel) || Dictionary::of(options.headers).has(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_behind_words() {
        assert_eq!(name_of("const struct file *"), "file");
        assert_eq!(name_of("struct file *[4]"), "file");
        assert_eq!(name_of("EPERM"), "EPERM");
        assert_eq!(unknown_in("incomplete definition of type 'struct bpf_iter__task'"), ["struct bpf_iter__task"]);
        assert_eq!(unknown_in("expected ';' after 'x'"), Vec::<&str>::new());
    }
}
