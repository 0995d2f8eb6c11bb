// SPDX-License-Identifier: Apache-2.0
//! The way from a text to an object, step by step.

use std::thread;

use super::diagnostic::{self, Diagnostic, Severity};
use super::frontend::{self, Front};
use super::includes::{self, Texts};
use super::ir::{Context, Module, Target, Value};
use super::modules;
use super::passes::flow::Flow;
use super::passes::objects::Objects;
use super::passes::program::{self, Program};
use super::passes::reads::Reads;
use super::passes::{
    assembly, bit_fields, division, entries, events, formats, late, packet, packet_fields, packet_headers, ranges,
    recursion, strings, tables, usdt, variants,
};
use super::prelude;
use super::shown::Shown;
use super::stage::Stage;
use super::{Options, Source, backend, explain, isolate, tracepoints};
use crate::error::{Error, Result};
use crate::kernel::btf::Btf;
use crate::timings::{self, Phase};

/// An object and what was said while it was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compiled {
    /// The ELF file, with BTF and CO-RE relocations.
    pub object: Vec<u8>,
    /// Warnings, ready to print, in clang's order.
    pub warnings: Vec<String>,
    /// Whether the cache had it.
    pub from_cache: bool,
    /// What the user wanted to see.
    pub shown: Shown,
    /// The kernel modules whose types it was compiled with. Such objects are not kept: modules come and go.
    pub modules: Vec<String>,
}

/// Compiles `source`, or takes the object from the cache.
///
/// # Errors
/// A text that does not compile is an error of the user's script, with the places and checked hints.
pub fn compile(source: &Source, options: &Options<'_>) -> Result<Compiled> {
    let texts = includes::read_texts(source, options);
    let records = tracepoints::structs(&texts.user, options.tracepoint_struct)?;
    let compile_apart = || isolate::run(source, options.limits, || compile_beside(source, options, &texts, &records));
    let Some(cache) = options.cache.filter(|_| !options.wanted.any()) else { return compile_apart() };
    let _phase = timings::enter(Phase::Cache);
    let key = cache.key(source, options, &texts.user, &records);
    if let Some(compiled) = cache.find(&key) {
        return Ok(compiled);
    }
    let compiled = compile_apart()?;
    if compiled.modules.is_empty() {
        cache.keep(&key, &compiled);
    }
    Ok(compiled)
}

/// Compiles while the kernel's types are indexed on another processor: what goes before the text takes as long as clang does.
fn compile_beside(source: &Source, options: &Options<'_>, texts: &Texts, records: &str) -> Result<Compiled> {
    let kernel = options.btf.filter(|_| options.kernel_headers.is_none());
    thread::scope(|scope| {
        scope.spawn(|| kernel.map(Btf::make_type_names));
        compile_now(source, options, texts, records)
    })
}

fn compile_now(source: &Source, options: &Options<'_>, texts: &Texts, records: &str) -> Result<Compiled> {
    let mut wanted = modules::functions(&texts.user, options.btf);
    let mut beside = if wanted.is_empty() { None } else { options.modules.types(&wanted) };
    loop {
        let (types, modules) = beside.take().map_or((None, Vec::new()), |(btf, modules)| (Some(btf), modules));
        let options = &options.with_types(types.as_ref().or(options.btf));
        let context = Context::new();
        let (module, mut diagnostics, preprocessed) =
            match frontend::run(source, options, texts, records, &context, &wanted)? {
                Front::Module(module, diagnostics, preprocessed) => (module, diagnostics, preprocessed),
                Front::OfModules(names) => {
                    wanted.extend(names);
                    beside = options.modules.types(&wanted);
                    continue;
                }
            };
        let object = lower(&module, &context, source, options, &mut diagnostics)?;
        let shown = Shown { ir: options.wanted.ir.then(|| module.to_text()), preprocessed };
        explain::explain(&mut diagnostics, source, options);
        let warnings =
            diagnostics.iter().filter(|d| d.severity == Severity::Warning).map(|d| d.render(source)).collect();
        return Ok(Compiled { object, warnings, from_cache: false, shown, modules });
    }
}

/// LLVM's form of the text, as clang wrote it, to an object. What is found besides goes to the warnings.
fn lower(
    module: &Module<'_>,
    context: &Context,
    source: &Source,
    options: &Options<'_>,
    warnings: &mut Vec<Diagnostic>,
) -> Result<Vec<u8>> {
    let refused = |mut diagnostic: Diagnostic| {
        diagnostic.file = prelude::user_name(&diagnostic.file, source);
        diagnostic::failure(source, &[diagnostic], Vec::new())
    };
    let bug = |step: &str, words: String| {
        Error::bug(format!("cannot compile the C text of `{}`", source.name), format!("{step}: {words}"))
    };
    let path = source.name.as_str();
    let target = Target::bpf().map_err(|words| bug("BPF target", words))?;

    if options.kernel_headers.is_some() {
        module.retarget(&target);
    }
    packet_fields::mark(module, context);
    let headers = packet_headers::mark(module, context);
    match options.relocates_bits() {
        true => bit_fields::relocate(module, context),
        false => bit_fields::settle(module, context),
    }
    let entries = entries::make(module, context, options.arch.registers(), path).map_err(refused)?;
    Stage::Optimiser.enter();
    module.run_passes("default<O2>", &target).map_err(|words| bug("optimising", words))?;
    if tables::settle(module) {
        module.run_passes("globaldce", &target).map_err(|words| bug("cleaning up", words))?;
    }
    Stage::Passes.enter();
    if options.kernel_headers.is_some() {
        let assembly = assembly::find(module, path);
        if !assembly.is_empty() {
            return Err(diagnostic::failure(source, &assembly, Vec::new()));
        }
    }
    recursion::check(module, path).map_err(refused)?;
    warnings.extend(events::record(module, context, path));
    warnings.extend(formats::check(module, path, options.btf));

    let objects = Objects::new(options.btf);
    let kinds = |name: &str| entries.kinds.get(name).copied();
    let fixed = |name: &str| entries.fixed.iter().any(|one| one == name);
    let mut programs = program::find(&module.functions(), &fixed, &kinds);
    usdt::recognise(module, &mut programs);
    packet::lower(module, context, &programs, &headers, path).map_err(refused)?;
    programs.iter().for_each(|program| late::sink_arguments(program.function));
    let all = with_variants(module, context, programs, &objects, options);
    let flow = Flow::of(module, context, &all, &objects, options.arch.registers());
    let reads = Reads::new(&flow, module, &all);
    for function in module.functions() {
        if function.section().is_empty() && function.is_external() && reads.takes_numbers(function) {
            function.make_hidden();
        }
        reads.convert(function, context, path).map_err(refused)?;
    }
    module.functions().into_iter().for_each(|function| division::lower(function, context));
    module.verify().map_err(|words| bug("passes", words))?;
    Stage::Optimiser.enter();
    module
        .run_passes("function(instcombine<no-verify-fixpoint>,simplifycfg,dce),globaldce", &target)
        .map_err(|words| bug("cleaning up", words))?;
    strings::refuse_undefined(module, path).map_err(refused)?;
    module.functions().into_iter().for_each(|function| ranges::keep(function, context));
    Stage::CodeGenerator.enter();
    module.emit_object(&target).map_err(|messages| {
        let line_of = |name: &str| module.function(name).and_then(Value::definition_line);
        backend::failure(source, &messages, &line_of)
    })
}

/// The programs, and the copies of them that other mechanisms run.
fn with_variants<'c>(
    module: &Module<'c>,
    context: &'c Context,
    programs: Vec<Program<'c>>,
    objects: &Objects<'_>,
    options: &Options<'_>,
) -> Vec<Program<'c>> {
    let copied = |program: &&Program<'c>| !variants::forms(program).is_empty();
    let read: Vec<bool> = {
        let flow = Flow::of(module, context, &programs, objects, options.arch.registers());
        let reads = Reads::new(&flow, module, &programs);
        programs.iter().filter(copied).map(|program| reads.needed(program.function)).collect()
    };
    let variants = programs
        .iter()
        .filter(copied)
        .zip(read)
        .flat_map(|(program, reads)| variants::add(module, context, program, options.arch, reads));
    let variants: Vec<Program<'c>> = variants.collect();
    programs.into_iter().chain(variants).collect()
}
