// SPDX-License-Identifier: Apache-2.0
//! Turns the user's functions into programs.
//!
//! `int f(struct pt_regs *ctx, struct file *file, size_t count)` is a function of three parameters; the kernel calls
//! programs with one, the context. The parameters become reads of the registers that carry them. All other functions
//! are inlined into the programs, unless the user asked otherwise.

use std::collections::HashMap;

use super::late;
use super::program::{Kind, context_record, kind_of_function, kind_of_section};
use super::slots::hoist_slots;
use crate::compiler::arch::Registers;
use crate::compiler::diagnostic::Diagnostic;
use crate::compiler::ir::{Builder, Context, Module, Opcode, Type, Value};
use crate::compiler::shim::clone_function;
use crate::kernel::syscalls;

/// The record that the kernel keeps registers in.
const REGISTERS: &str = "pt_regs";

/// What a section starts with that the kernel takes no program from.
const NO_PROGRAM: &[&str] = &[".text", ""];

/// Sections that programs are put in: their names are symbols of the object, which a function would have to share.
const SECTIONS: &[&str] = &[
    "kprobe",
    "uprobe",
    "fentry",
    "fexit",
    "raw_tracepoint",
    "tracepoint",
    "perf_event",
    "xdp",
    "socket",
    "sockops",
    "sk_msg",
    "sk_lookup",
    "sk_reuseport",
    "netfilter",
    "license",
];

/// The kinds of the programs by name; functions with a section of the user's keep it.
#[derive(Debug, Default)]
pub struct Entries {
    /// The kind of each program.
    pub kinds: HashMap<String, Kind>,
    /// The programs whose section the user wrote.
    pub fixed: Vec<String>,
}

/// Makes programs of the user's functions and hides all others.
pub fn make(module: &Module<'_>, context: &Context, registers: &Registers, file: &str) -> Result<Entries, Diagnostic> {
    let mut entries = Entries::default();
    for function in module.functions() {
        let name = function.name();
        let section = function.section();
        if !NO_PROGRAM.contains(&section.as_str()) {
            let kind = kind_of_section(&section);
            copy_for_callers(function);
            if !has_own_signature(&section) {
                take_context(module, context, function, kind, registers, file)?.set_section(&section);
            }
            entries.kinds.insert(name.clone(), kind);
            entries.fixed.push(name);
            continue;
        }
        let params = function.params();
        let record = context_record(function, context);
        // A function of its own, verified apart (`__noinline`, `__weak`), is called by programs and is none.
        let stands_alone = function.has_attribute("noinline") || function.is_weak();
        let is_program =
            function.is_external() && !stands_alone && params.first().is_none_or(|first| first.ty().is_pointer());
        if is_program && SECTIONS.contains(&name.as_str()) {
            let line = function.definition_line().unwrap_or(0);
            let message =
                format!("a program cannot be called `{name}`: that is the name of a section; call it otherwise");
            return Err(Diagnostic::error(file, line, 0, message));
        }
        match kind_of_function(&name, record.as_deref(), params.len()).filter(|_| is_program) {
            Some((kind, section)) => {
                let kind = of_system_call(function, context, &name).unwrap_or(kind);
                if let Err(refusal) = check_params(&name, function, kind, registers, file) {
                    // One that no kernel could call is a function of the text's own, if anything calls it.
                    if !is_called(function) {
                        return Err(refusal);
                    }
                    hide(function);
                    continue;
                }
                copy_for_callers(function);
                let program = take_context(module, context, function, kind, registers, file)?;
                program.set_section(&section);
                entries.kinds.insert(name, kind);
            }
            None => hide(function),
        }
    }
    Ok(entries)
}

/// Whether functions in a section have the signature of something in the kernel: the program that they replace, or the
/// member of a struct of functions.
fn has_own_signature(section: &str) -> bool {
    let section = section.trim_start_matches('?');
    section.starts_with("freplace") || section.starts_with("struct_ops")
}

/// The kind of a program on registers that is named after a system call, whichever kernel's name it is: its parameters are the
/// call's, which lie in a second `struct pt_regs`, unless the text takes those registers by itself.
fn of_system_call(program: Value<'_>, context: &Context, name: &str) -> Option<Kind> {
    let pointees = program.param_pointees(context);
    let is_registers = |index: usize| pointees.get(index).is_some_and(|record| record.as_deref() == Some(REGISTERS));
    let is_named = || name.starts_with("syscall__") || name.strip_prefix("kprobe__").is_some_and(serves_programs);
    let kind = if is_registers(1) { Kind::Kprobe } else { Kind::Syscall };
    (is_registers(0) && is_named()).then_some(kind)
}

/// Whether a function of the kernel's serves a system call of the machine's own calling convention.
fn serves_programs(function: &str) -> bool {
    syscalls::parse_function_name(function).is_some_and(|served| !served.compat)
}

fn is_called(function: Value<'_>) -> bool {
    function.users().iter().any(|user| user.callee() == Some(function))
}

/// Lets the functions that call a program call a copy of it: a program has a context, and its caller no other.
fn copy_for_callers(program: Value<'_>) {
    if !is_called(program) {
        return;
    }
    let calls = |user: &Value<'_>| user.callee() == Some(program);
    let copy = clone_function(program);
    copy.set_name(&format!("{}.called", program.name()));
    copy.set_section("");
    for call in program.users().into_iter().filter(calls) {
        call.set_callee(copy);
    }
    copy.make_internal();
    if !copy.has_attribute("noinline") {
        copy.add_attribute("alwaysinline");
    }
}

/// Inlines a function everywhere and drops its name, unless it is to stay a function.
fn hide(function: Value<'_>) {
    if !function.has_attribute("noinline") && !function.is_weak() {
        function.add_attribute("alwaysinline");
        function.make_internal();
    }
}

/// Rebuilds a function as one of its context alone; returns it as it is when it already is.
fn take_context<'c>(
    module: &Module<'c>,
    context: &'c Context,
    function: Value<'c>,
    kind: Kind,
    registers: &Registers,
    file: &str,
) -> Result<Value<'c>, Diagnostic> {
    let params = function.params();
    let result = function.value_type().return_type();
    if params.len() == 1 && !result.is_void() {
        return Ok(function);
    }
    let name = function.name();
    check_params(&name, function, kind, registers, file)?;
    let result = if result.is_void() { module.int_type(32) } else { result };
    let program = module.add_function("", module.function_type(result, &[module.pointer_type()]));
    program.copy_attributes(function);
    program.take_subprogram(function);
    let entry = module.append_block(program, "entry");
    let mut last = entry;
    let body = function.blocks();
    for block in &body {
        block.move_after(last);
        last = *block;
    }
    let ctx = program.params()[0];
    let builder = Builder::at_end(context, entry);
    if let Some(first) = body[0].instructions().into_iter().find(|i| i.place().is_some()) {
        builder.locate_as(first);
    }
    for (index, param) in params.iter().enumerate() {
        let value = match index {
            0 => ctx,
            _ if param.users().is_empty() => continue,
            _ => read_param(&builder, module, ctx, kind, registers, index - 1, param.ty()),
        };
        param.replace_uses_with(value);
    }
    builder.branch(body[0]);
    return_zero(program, context, result);
    hoist_slots(program, entry);
    function.replace_uses_with(program);
    function.delete_function();
    program.set_name(&name);
    Ok(program)
}

/// The most arguments that a context of 64-bit words has (`MAX_BPF_FUNC_ARGS`).
const MOST_WORDS: usize = 12;

fn check_params(
    name: &str,
    function: Value<'_>,
    kind: Kind,
    registers: &Registers,
    file: &str,
) -> Result<(), Diagnostic> {
    let line = function.definition_line().unwrap_or(0);
    let extra = function.params().len().saturating_sub(1);
    let available = match kind {
        Kind::Syscall => registers.syscall_params.len(),
        Kind::Kprobe | Kind::Uprobe => registers.params.len(),
        Kind::Btf | Kind::RawTracepoint | Kind::WritableTracepoint => MOST_WORDS,
        _ => 0,
    };
    if extra > available {
        let behind = match extra {
            1 => format!("`{name}` takes a parameter behind its context"),
            _ => format!("`{name}` takes {extra} parameters behind its context"),
        };
        let message = match available {
            0 => format!("{behind}; this kind of program has none"),
            MOST_WORDS => format!("{behind}; no function of the kernel has so many"),
            _ => format!("{behind}; only the first {available} of a function are in registers"),
        };
        return Err(Diagnostic::error(file, line, 0, message));
    }
    let unsuited = function.params().into_iter().enumerate().skip(1).find_map(|(i, param)| Some((i, unsuited(param)?)));
    match unsuited {
        Some((index, why)) => {
            Err(Diagnostic::error(file, line, 0, format!("parameter {} of `{name}` is {why}", index + 1)))
        }
        None => Ok(()),
    }
}

/// Why no register holds a parameter.
fn unsuited(param: Value<'_>) -> Option<&'static str> {
    let ty = param.ty();
    let by_value = "a struct by value, which does not arrive in a register";
    match ty.int_bits() {
        // A large struct is the address of a copy.
        None if ty.is_pointer() => param.held_type().map(|_| by_value),
        None if ty.element().is_some() => Some(by_value),
        None => Some("a number with fractions, which arrives in a register that probes do not see"),
        Some(bits) if bits > 64 => Some("an integer of more than 64 bits, which does not arrive in one register"),
        Some(_) => None,
    }
}

/// The value of the probed function's parameter `index`, from 0.
fn read_param<'c>(
    builder: &Builder<'c>,
    module: &Module<'c>,
    ctx: Value<'c>,
    kind: Kind,
    registers: &Registers,
    index: usize,
    ty: Type<'c>,
) -> Value<'c> {
    let word = module.int_type(64);
    let value = match kind {
        Kind::Syscall => {
            let first = builder.load(word, builder.offset(ctx, registers.params[0].into()));
            let inner = builder.cast_word(first, module.pointer_type());
            let read = builder.load(word, builder.offset(inner, registers.syscall_params[index].into()));
            read.mark(late::ARGUMENT);
            read
        }
        Kind::Kprobe | Kind::Uprobe => builder.load(word, builder.offset(ctx, registers.params[index].into())),
        _ => builder.load(word, builder.offset(ctx, index as i64 * 8)),
    };
    builder.cast_word(value, ty)
}

/// A program has to return a number; a C function may return nothing.
fn return_zero<'c>(program: Value<'c>, context: &'c Context, result: Type<'c>) {
    for instruction in program.instructions() {
        if instruction.opcode() == Some(Opcode::LLVMRet) && instruction.operands().is_empty() {
            Builder::before(context, instruction).ret(result.zero());
            instruction.erase();
        }
    }
}
