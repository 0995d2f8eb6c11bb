// SPDX-License-Identifier: Apache-2.0
//! The way from a text to an object, step by step.

use super::diagnostic::{self, Diagnostic, Severity};
use super::ir::{Context, Module, Target};
use super::passes::{entries, events, program, reads, variants};
use super::prelude::{self, Texts};
use super::shim::{self, Outcome};
use super::{Options, Source, backend, explain, tracepoints};
use crate::compiler::types;
use crate::error::{Error, Result};

/// An object and what was said while it was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compiled {
    /// The ELF file, with BTF and CO-RE relocations.
    pub object: Vec<u8>,
    /// Warnings, ready to print, in clang's order.
    pub warnings: Vec<String>,
    /// Whether the cache had it.
    pub from_cache: bool,
}

/// Compiles `source`, or takes the object from the cache.
///
/// # Errors
/// A text that does not compile is an error of the user's script, with the places and checked hints.
pub fn compile(source: &Source, options: &Options<'_>) -> Result<Compiled> {
    let texts = prelude::read_texts(source, options);
    let records = tracepoints::structs(&texts.user, options.tracepoint_struct);
    let Some(cache) = options.cache else { return compile_now(source, options, &texts, records) };
    let key = cache.key(source, options, &texts.user, &records);
    if let Some(compiled) = cache.find(&key) {
        return Ok(compiled);
    }
    let compiled = compile_now(source, options, &texts, records)?;
    cache.keep(&key, &compiled);
    Ok(compiled)
}

fn compile_now(source: &Source, options: &Options<'_>, texts: &Texts, records: String) -> Result<Compiled> {
    let mut declarations = match options.btf {
        Some(btf) => types::declarations(btf, &types::Request::new(&texts.user, options.headers)).text,
        None => String::new(),
    };
    declarations.push_str(&records);
    let files = prelude::files(source, options, texts, declarations);

    let context = Context::new();
    let (outcome, mut diagnostics) = shim::compile(&files, &prelude::arguments(source, options), &context);
    for diagnostic in &mut diagnostics {
        diagnostic.file = prelude::user_name(&diagnostic.file, source);
    }
    let module = match outcome {
        Outcome::Module(module) => module,
        Outcome::Failed => {
            let hints = explain::errors(&mut diagnostics, options);
            return Err(diagnostic::failure(source, &diagnostics, hints));
        }
        Outcome::Crashed => {
            return Err(Error::bug(format!("cannot compile the C text of `{}`", source.name), "clang crashed on it"));
        }
    };
    let object = lower(&module, &context, source, options)?;
    let warnings = diagnostics.iter().filter(|d| d.severity == Severity::Warning).map(|d| d.render(source)).collect();
    Ok(Compiled { object, warnings, from_cache: false })
}

/// LLVM's form of the text, as clang wrote it, to an object.
fn lower(module: &Module<'_>, context: &Context, source: &Source, options: &Options<'_>) -> Result<Vec<u8>> {
    let refused = |mut diagnostic: Diagnostic| {
        diagnostic.file = prelude::user_name(&diagnostic.file, source);
        diagnostic::failure(source, &[diagnostic], Vec::new())
    };
    let bug = |step: &str, words: String| {
        Error::bug(format!("cannot compile the C text of `{}`", source.name), format!("{step}: {words}"))
    };
    let path = prelude::text_path(&source.name);
    let target = Target::bpf().map_err(|words| bug("BPF target", words))?;

    if std::env::var_os("DEV_IR").is_some() { eprintln!("{}", module.print()); }
    let entries = entries::make(module, context, options.arch.registers(), &path).map_err(refused)?;
    module.run_passes("default<O2>", &target).map_err(|words| bug("optimising", words))?;
    events::record(module);

    let kinds = |name: &str| entries.kinds.get(name).copied();
    let fixed = |name: &str| entries.fixed.iter().any(|one| one == name);
    let programs = program::find(&module.functions(), &fixed, &kinds);
    let mut all = programs.clone();
    for program in programs.iter().filter(|p| !p.fixed && matches!(p.kind, program::Kind::Kprobe | program::Kind::Syscall)) {
        all.extend(variants::add(module, context, program, options.arch));
    }
    for program in &all {
        reads::convert(program.function, program.kind, context, &path).map_err(refused)?;
    }
    if std::env::var_os("DEV_IR").is_some() { eprintln!("{}", module.print()); }
    module.verify().map_err(|words| bug("passes", words))?;
    module.run_passes("function(instcombine<no-verify-fixpoint>,simplifycfg,dce),globaldce", &target).map_err(|words| bug("cleaning up", words))?;
    module.emit_object(&target).map_err(|messages| backend::failure(source, &messages))
}

#[cfg(test)]
mod dev {
    #[test]
    fn dev() {
        let Ok(file) = std::env::var("DEV_TEXT") else { return };
        let dir = std::env::var("DEV_INCLUDE").unwrap();
        let mut headers = Vec::new();
        fn walk(base: &std::path::Path, dir: &std::path::Path, out: &mut Vec<(String, String)>) {
            for e in std::fs::read_dir(dir).unwrap().flatten() {
                if e.path().is_dir() { walk(base, &e.path(), out) } else if e.path().extension().is_some_and(|x| x == "h") {
                    out.push((e.path().strip_prefix(base).unwrap().to_str().unwrap().into(), std::fs::read_to_string(e.path()).unwrap()));
                }
            }
        }
        walk(dir.as_ref(), dir.as_ref(), &mut headers);
        let refs: Vec<(&str, &str)> = headers.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        let t = std::time::Instant::now();
        let btf = crate::kernel::btf::Btf::kernel().unwrap();
        eprintln!("btf {:?}", t.elapsed());
        let options = super::Options { flags: vec![], headers: &refs, btf: Some(&btf), tracepoint_struct: &|_, _| None, kernel_version_code: 0x061200, online_cpus: 2, arch: super::super::arch::Arch::NATIVE, cache: None };
        let source = super::Source::file(file.clone(), std::fs::read_to_string(&file).unwrap());
        for _ in 0..2 {
        let t = std::time::Instant::now();
        match super::compile(&source, &options) {
            Ok(c) => { eprintln!("compile {:?}", t.elapsed()); for w in c.warnings { eprintln!("{w}"); } std::fs::write("/tmp/dev.o", c.object).unwrap(); }
            Err(e) => panic!("{}", e.report()),
        }
        }
    }
}
