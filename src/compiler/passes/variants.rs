// SPDX-License-Identifier: Apache-2.0
//! Copies a probe of a kernel function for the other mechanisms that can serve it.
//!
//! A kprobe's context is all registers; an fentry program gets the arguments alone, and a raw tracepoint on system calls
//! the registers of the call and its number. What a probe does with its context decides which can stand in. The body is
//! the same in all; only the reads of the context differ.
//!
//! Two values are known at attach time only, and stand as placeholders that the loader replaces: where an fexit program
//! finds the result (behind the last argument), and the number of the system call.

use super::helpers::{PROBE_READ_KERNEL, number_of};
use super::program::{Kind, Program};
use super::slots::hoist_slots;
use crate::compiler::arch::{Arch, Registers};
use crate::compiler::ir::{Block, Builder, Context, Module, Opcode, Value};
use crate::compiler::shim::clone_function;

/// The offset in an fexit program's context that the loader replaces by that of the result.
pub const RESULT_OFFSET: i64 = 0x7ff8;
/// The system call number that the loader replaces.
pub const SYSCALL_NUMBER: u64 = 0x7b9f_10a5;

const GET_FUNC_IP: u32 = 173;
const PERF_EVENT_OUTPUT: u64 = 25;
const GET_ATTACH_COOKIE: u64 = 174;
/// get_stackid and get_stack: the same frames only where the probe sits in the traced function itself.
const STACK_HELPERS: &[u64] = &[27, 67];

/// One use of the context in a program.
#[derive(Clone, Copy)]
enum Use<'c> {
    /// A load of `bytes` at this offset.
    Register { load: Value<'c>, offset: u32 },
    /// The context handed to a helper.
    Helper(u64),
    /// Anything else: only real registers will do.
    Other,
}

/// Adds the variants of `program`, and returns them. The program itself stays as it is.
///
/// `reads` tells whether it reads memory by helpers, which a probe of user space has others for.
pub fn add<'c>(
    module: &Module<'c>,
    context: &'c Context,
    program: &Program<'c>,
    arch: Arch,
    reads: bool,
) -> Vec<Program<'c>> {
    let mut variants = Vec::new();
    let mut keep = |function: Value<'c>, suffix: &str, section: &str, kind: Kind| {
        let name = format!("{}.{suffix}", program.name);
        function.set_name(&name);
        function.set_section(section);
        variants.push(Program { name, function, kind, fixed: false });
    };
    if program.kind == Kind::Kprobe && reads && !program.fixed {
        keep(clone_function(program.function), "uprobe", "uprobe", Kind::Uprobe);
    }
    let maker = Maker { module, context, registers: arch.registers(), arch };
    for &form in forms(program) {
        let (suffix, section) = match form {
            Form::Fentry => ("fentry", "fentry"),
            Form::Fexit => ("fexit", "fexit"),
            Form::SysEnter => ("sys_enter", "raw_tracepoint"),
            Form::SysExit => ("sys_exit", "raw_tracepoint"),
        };
        if maker.can_serve(form, &uses(program.function)) {
            let function = clone_function(program.function);
            maker.rewrite(form, function);
            keep(function, suffix, section, program.kind);
        }
    }
    variants
}

/// The stand-ins that a program may have: none but a probe of kernel functions does. A section of the user's that names
/// a function or a system call says whether the entry or the return is meant.
pub fn forms(program: &Program<'_>) -> &'static [Form] {
    const ALL: [Form; 4] = [Form::Fentry, Form::SysEnter, Form::Fexit, Form::SysExit];
    if !matches!(program.kind, Kind::Kprobe | Kind::Syscall) {
        return &[];
    }
    let section = program.function.section();
    let section = section.trim_start_matches('?');
    match section.split_once('/') {
        Some(("kprobe" | "ksyscall", _)) => &[Form::Fentry, Form::SysEnter],
        Some(("kretprobe" | "kretsyscall", _)) => &[Form::Fexit, Form::SysExit],
        // One link for many functions has no stand-in.
        _ if section.contains('.') => &[],
        _ => &ALL,
    }
}

/// What the context of a stand-in looks like.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `u64 args[]`.
    Fentry,
    /// `u64 args[]`, the result behind them.
    Fexit,
    /// `{ struct pt_regs *regs; long number; }`.
    SysEnter,
    /// `{ struct pt_regs *regs; long result; }`.
    SysExit,
}

/// Where a stand-in finds what a register holds.
enum Replacement {
    /// The 64-bit word at this offset of its context.
    Word(i64),
    /// The address of the probed function, by helper.
    FunctionAddress,
}

struct Maker<'a, 'c> {
    module: &'a Module<'c>,
    context: &'c Context,
    registers: &'static Registers,
    arch: Arch,
}

impl<'c> Maker<'_, 'c> {
    fn can_serve(&self, form: Form, uses: &[Use<'c>]) -> bool {
        uses.iter().all(|one| match one {
            Use::Register { offset, .. } => self.replacement(form, *offset).is_some(),
            Use::Helper(PERF_EVENT_OUTPUT | GET_ATTACH_COOKIE) => true,
            Use::Helper(number) => matches!(form, Form::SysEnter | Form::SysExit) && STACK_HELPERS.contains(number),
            Use::Other => false,
        })
    }

    /// Where `form` has the register that a kprobe has at `offset`. Reads of a part of a register count as the whole.
    fn replacement(&self, form: Form, offset: u32) -> Option<Replacement> {
        let register = offset & !7;
        let argument = self.registers.params.iter().position(|&param| param == register);
        let is_result = register == self.registers.result;
        match form {
            // Where one register carries both (arm64), a return probe means the result.
            Form::Fexit if is_result => Some(Replacement::Word(RESULT_OFFSET)),
            Form::SysExit if is_result => Some(Replacement::Word(8)),
            Form::Fentry if register == self.registers.instruction_pointer => Some(Replacement::FunctionAddress),
            Form::Fentry | Form::Fexit => argument.map(|index| Replacement::Word(index as i64 * 8)),
            // A system call's function has one parameter: the registers of the call.
            Form::SysEnter | Form::SysExit => (argument == Some(0)).then_some(Replacement::Word(0)),
        }
    }

    fn rewrite(&self, form: Form, function: Value<'c>) {
        for one in uses(function) {
            if let Use::Register { load, offset } = one {
                self.rewrite_load(form, function, load, offset);
            }
        }
        match form {
            Form::SysEnter | Form::SysExit => self.guard(form, function),
            Form::Fentry | Form::Fexit => {}
        }
    }

    fn rewrite_load(&self, form: Form, function: Value<'c>, load: Value<'c>, offset: u32) {
        let word = self.module.int_type(64);
        let builder = Builder::before(self.context, load);
        let ctx = function.params()[0];
        let whole = match self.replacement(form, offset) {
            Some(Replacement::Word(at)) => builder.load(word, builder.offset(ctx, at)),
            Some(Replacement::FunctionAddress) => builder.call_helper(GET_FUNC_IP, word, &[ctx]),
            None => return,
        };
        let part = match offset & 7 {
            0 => whole,
            bytes => builder.shift_right(whole, u64::from(bytes) * 8),
        };
        load.replace_uses_with(builder.cast_word(part, load.ty()));
        load.erase();
    }

    /// Ends a system call program at once unless this is the call it is for.
    fn guard(&self, form: Form, function: Value<'c>) {
        let body = function.blocks()[0];
        let (check, skip) = (self.module.append_block(function, "check"), self.module.append_block(function, "skip"));
        check.move_before(body);
        let word = self.module.int_type(64);
        let builder = Builder::at_end(self.context, check);
        if let Some(first) = function.instructions().into_iter().find(|i| i.place().is_some()) {
            builder.locate_as(first);
        }
        let ctx = function.params()[0];
        let regs = builder.load(word, ctx);
        let slot = builder.stack_slot(8);
        let number = match form {
            Form::SysEnter => builder.load(word, builder.offset(ctx, 8)),
            _ => self.read_register(&builder, slot, regs, self.registers.syscall_number),
        };
        let number = builder.cast_word(number, self.module.int_type(32));
        let wanted = self.module.int_type(32).constant(SYSCALL_NUMBER);
        let matches = builder.equal(number, wanted);
        let then = self.native_only(function, slot, regs, body, skip);
        builder.branch_if(matches, then, skip);
        self.end(function, skip);
        hoist_slots(function, check);
    }

    /// On x86-64, 32-bit programs make their calls by other numbers through the same tracepoint: the code segment tells.
    fn native_only(
        &self,
        function: Value<'c>,
        slot: Value<'c>,
        regs: Value<'c>,
        body: Block<'c>,
        skip: Block<'c>,
    ) -> Block<'c> {
        const CODE_SEGMENT_OFFSET: u32 = 136;
        const USER_64: u64 = 0x33;
        if self.arch != Arch::X86_64 {
            return body;
        }
        let block = self.module.append_block(function, "native");
        block.move_before(body);
        let builder = Builder::at_end(self.context, block);
        if let Some(first) = function.instructions().into_iter().find(|i| i.place().is_some()) {
            builder.locate_as(first);
        }
        let segment = self.read_register(&builder, slot, regs, CODE_SEGMENT_OFFSET);
        let native = builder.equal(segment, self.module.int_type(64).constant(USER_64));
        builder.branch_if(native, body, skip);
        block
    }

    fn read_register(&self, builder: &Builder<'c>, slot: Value<'c>, regs: Value<'c>, offset: u32) -> Value<'c> {
        let word = self.module.int_type(64);
        let address = builder.offset(builder.cast_word(regs, self.module.pointer_type()), offset.into());
        builder.call_helper(PROBE_READ_KERNEL, word, &[slot, self.module.int_type(32).constant(8), address]);
        builder.load(word, slot)
    }

    fn end(&self, function: Value<'c>, block: Block<'c>) {
        let result = function.value_type().return_type();
        Builder::at_end(self.context, block).ret(result.zero());
    }
}

/// What a program does with its context.
fn uses<'c>(function: Value<'c>) -> Vec<Use<'c>> {
    let Some(&ctx) = function.params().first() else { return Vec::new() };
    let mut found = Vec::new();
    let mut pending = vec![(ctx, 0_i64)];
    while let Some((address, offset)) = pending.pop() {
        for user in address.users() {
            match user.opcode() {
                Some(Opcode::LLVMGetElementPtr) => match user.constant_gep_offset() {
                    Some(bytes) => pending.push((user, offset + bytes)),
                    None => found.push(Use::Other),
                },
                Some(Opcode::LLVMLoad) => found.push(register_use(user, offset)),
                Some(Opcode::LLVMCall) if offset == 0 => found.push(helper_use(user, ctx)),
                _ => found.push(Use::Other),
            }
        }
    }
    found
}

fn register_use(load: Value<'_>, offset: i64) -> Use<'_> {
    let fits = load.ty().scalar_bytes().is_some_and(|bytes| (offset & 7) + i64::from(bytes) <= 8);
    match u32::try_from(offset) {
        Ok(offset) if fits => Use::Register { load, offset },
        _ => Use::Other,
    }
}

fn helper_use<'c>(call: Value<'c>, ctx: Value<'c>) -> Use<'c> {
    let is_context = call.call_args().first() == Some(&ctx) && !call.call_args()[1..].contains(&ctx);
    match call.callee().and_then(number_of) {
        Some(number) if is_context => Use::Helper(number),
        _ => Use::Other,
    }
}
