// SPDX-License-Identifier: Apache-2.0
//! clang's front end over the text and everything that it needs: from a text to LLVM's form.
//!
//! What the kernel lacks and the text asks about (`bpf_core_field_exists`) is found out by clang itself: its errors say
//! which member of which record is missing. Those that the text asks about are declared, and clang runs again; so it does
//! for names that macros put together, see [`super::second_look`].

use super::diagnostic::{self, Diagnostic, Severity};
use super::includes::Texts;
use super::ir::{Context, Module};
use super::prelude;
use super::second_look::{SecondLook, name_of, quoted, unknown_in};
use super::shim::{self, Outcome};
use super::stage::Stage;
use super::types::{ABSENT_PREFIX, Absent, Questions};
use super::{Options, Source, arguments, configured, explain, shown};
use crate::error::Result;

/// How often clang runs over one text: a member inside a member inside a member that is missing takes three.
const MAX_ROUNDS: u32 = 8;
/// What clang says where a made-up value meets a pointer: an error in any other place.
const CONVERSIONS: [&str; 2] =
    ["incompatible integer to pointer conversion", "incompatible pointer to integer conversion"];

/// What came of a run over a text that has no errors, as far as that can be said yet.
pub enum Front<'c> {
    /// LLVM's form of the text, not optimised yet, with clang's remarks; and the text behind the preprocessor, if wanted.
    Module(Module<'c>, Vec<Diagnostic>, Option<String>),
    /// Names in it are not the kernel's but its modules'.
    OfModules(Vec<String>),
}

/// Runs clang's front end over the text. `asked` are names that modules were asked for before.
pub fn run<'c>(
    source: &Source,
    options: &Options<'_>,
    texts: &Texts,
    records: &str,
    context: &'c Context,
    asked: &[String],
) -> Result<Front<'c>> {
    Stage::Declarations.enter();
    let user: Vec<&str> = texts.user.iter().map(String::as_str).collect();
    let mut look = SecondLook::default();
    let mut named = records.to_owned();
    let mut constants = prelude::constants(options, texts, &named);
    let questions = Questions::of(&user);
    let mut absent = Absent::default();
    let mut arguments = arguments::of(source, options, texts);
    let mut round = 0;
    let mut is_lenient = false;
    loop {
        round += 1;
        Stage::Declarations.enter();
        let mut declarations = prelude::declarations(options, texts, &named, &constants, &absent);
        declarations.push_str(records);
        declarations.push_str(&look.records);
        let files = prelude::files(source, options, texts, declarations, &constants);
        Stage::FrontEnd.enter();
        let (outcome, diagnostics) = shim::compile(&files, &arguments, context);
        Stage::Passes.enter();
        let mut diagnostics = diagnostic::forget_redefinitions(diagnostics, prelude::ROOT);
        if !absent.is_empty() {
            judge_conversions(&mut diagnostics);
        }
        let errors = || diagnostics.iter().filter(|d| d.severity == Severity::Error);
        if let (Outcome::Module(module), None) = (outcome, errors().next()) {
            name_files(&mut diagnostics, source);
            diagnostics.extend(configured::unknown(source, &texts.user, options));
            let text = options.wanted.preprocessed.then(|| shim::preprocess(&files, &arguments)).flatten();
            return Ok(Front::Module(module, diagnostics, text.map(|text| shown::users_lines(&text, source))));
        }
        if round < MAX_ROUNDS && look.learn(errors(), options)? {
            named = [records, &look.records, &look.mentions()].concat();
            constants = prelude::constants(options, texts, &named);
            continue;
        }
        let new = unknown_names(errors(), asked);
        if !new.is_empty() && options.modules.types(&new).is_some() {
            return Ok(Front::OfModules(new));
        }
        let more = errors().filter(|error| absent.add(&error.message, &quoted(&error.message), &questions)).count();
        if more == 0 || round == MAX_ROUNDS {
            name_files(&mut diagnostics, source);
            let hints = explain::explain(&mut diagnostics, source, options);
            return Err(diagnostic::failure(source, &diagnostics, hints));
        }
        if !is_lenient {
            is_lenient = true;
            arguments.insert(0, "-Wno-error=int-conversion".to_owned());
        }
    }
}

/// Of the conversions that only warn while there are made-up values, those of other values are errors, as ever.
fn judge_conversions(diagnostics: &mut Vec<Diagnostic>) {
    diagnostics.retain(|d| d.severity != Severity::Warning || !d.message.contains(ABSENT_PREFIX));
    for diagnostic in diagnostics.iter_mut().filter(|d| d.severity == Severity::Warning) {
        if CONVERSIONS.iter().any(|words| diagnostic.message.starts_with(words)) {
            diagnostic.severity = Severity::Error;
        }
    }
}

/// The names that errors are about and that were not asked for yet, without the words around them.
fn unknown_names<'d>(errors: impl Iterator<Item = &'d Diagnostic>, asked: &[String]) -> Vec<String> {
    let mut names: Vec<String> = errors
        .flat_map(|error| unknown_in(&error.message))
        .map(name_of)
        .filter(|name| !name.is_empty() && !asked.iter().any(|known| known == name))
        .map(str::to_owned)
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

fn name_files(diagnostics: &mut [Diagnostic], source: &Source) {
    for diagnostic in diagnostics {
        diagnostic.file = prelude::user_name(&diagnostic.file, source);
    }
}
