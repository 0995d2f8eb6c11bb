// SPDX-License-Identifier: Apache-2.0
//! Turns loads through kernel and user pointers into calls of `bpf_probe_read_kernel` and its sisters.
//!
//! bcc does this by rewriting the C text, and so misses what a macro hides. Here a load is a load, whatever it was in C.

use std::collections::HashSet;

use super::flow::{Flow, is_compared};
use super::helpers::{PROBE_READ, PROBE_READ_KERNEL, PROBE_READ_USER};
use super::objects::Loaded;
use super::pointees::{Pointee, Pointees};
use super::program::{Kind, Program};
use super::{copies, refusal};
use crate::compiler::diagnostic::Diagnostic;
use crate::compiler::ir::{Builder, Context, Module, Opcode, Value};

/// How memory is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// By a load: the verifier follows the pointer.
    Direct,
    /// By the helper of this number.
    Helper(u32),
}

/// Decides how the functions of a module read memory.
pub struct Reads<'f, 'c> {
    flow: &'f Flow<'f, 'c>,
    module: &'f Module<'c>,
    /// The functions that other programs than tracing ones run: those have no `bpf_probe_read`.
    untraced: HashSet<Value<'c>>,
    /// Those that members of structs of functions run: the kernel lets them write some members of its objects.
    in_struct_ops: HashSet<Value<'c>>,
}

impl<'f, 'c> Reads<'f, 'c> {
    /// Over pointers that were followed.
    pub fn new(flow: &'f Flow<'f, 'c>, module: &'f Module<'c>, programs: &[Program<'c>]) -> Self {
        let of_struct =
            |program: &Program<'c>| program.function.section().trim_start_matches('?').starts_with("struct_ops");
        let untraced = run_by(programs, |program| program.kind == Kind::Packet || of_struct(program));
        let in_struct_ops = run_by(programs, of_struct);
        Reads { flow, module, untraced, in_struct_ops }
    }

    /// The module whose functions read.
    pub fn module(&self) -> &'f Module<'c> {
        self.module
    }

    /// Whether any load of the function goes through a pointer that the verifier does not follow.
    pub fn needed(&self, function: Value<'c>) -> bool {
        function.instructions().into_iter().any(|instruction| {
            self.read_by(instruction)
                .is_some_and(|(address, size)| self.reading(function, address, size, instruction) != Reading::Direct)
        })
    }

    /// Whether a function that is called gets a pointer that the verifier does not follow.
    ///
    /// Of a global function, checked by itself, the verifier demands that each pointer to a struct is one it follows.
    pub fn takes_numbers(&self, function: Value<'c>) -> bool {
        let is_number = |param: Value<'c>| !self.flow.pointees(param).iter().all(|p| self.is_direct(p, Some(1), None));
        function.params().into_iter().any(|param| param.ty().is_pointer() && is_number(param))
    }

    /// How the instruction `by` reads `size` bytes at `address`; `None` for a number of bytes that is not known.
    pub fn reading(&self, function: Value<'c>, address: Value<'c>, size: Option<u64>, by: Value<'c>) -> Reading {
        self.how(function, address, |pointee| self.is_direct(pointee, size, Some(by)))
    }

    /// How memory at `address` is read that a helper shall get. Helpers take no objects of the kernel's for memory.
    pub fn reading_for_helper(&self, function: Value<'c>, address: Value<'c>) -> Reading {
        self.how(function, address, |pointee| match pointee {
            Pointee::Object { .. } => false,
            Pointee::Context { program, .. } => self.is_fiction(program),
            _ => self.is_direct(pointee, None, None),
        })
    }

    fn how(&self, function: Value<'c>, address: Value<'c>, is_direct: impl Fn(Pointee<'c>) -> bool) -> Reading {
        let (mut direct, mut kernel, mut user, mut number) = (true, false, false, false);
        for pointee in self.flow.pointees(address).iter() {
            if is_direct(pointee) {
                kernel = true;
                continue;
            }
            direct = false;
            match pointee {
                Pointee::User => user = true,
                Pointee::Number | Pointee::Unknown => number = true,
                _ => kernel = true,
            }
        }
        let both = number || (user && kernel);
        match both {
            _ if direct => Reading::Direct,
            true if self.untraced.contains(&function) => Reading::Helper(PROBE_READ_KERNEL),
            true => Reading::Helper(PROBE_READ),
            false if user => Reading::Helper(PROBE_READ_USER),
            false => Reading::Helper(PROBE_READ_KERNEL),
        }
    }

    fn is_direct(&self, pointee: Pointee<'c>, size: Option<u64>, by: Option<Value<'c>>) -> bool {
        match pointee {
            Pointee::Memory | Pointee::Slot { .. } => true,
            Pointee::Context { offset: Some(_), .. } => true,
            Pointee::Context { program, offset: None } => self.is_fiction(program),
            Pointee::Object { record: None, offset } => offset.is_some(),
            Pointee::Object { record: Some(record), offset: Some(offset) } => {
                match size.map(|size| self.flow.objects.load(record, offset, size)) {
                    None | Some(Loaded::Refused) => false,
                    Some(Loaded::Perhaps(_)) => by.is_some_and(is_compared),
                    Some(_) => true,
                }
            }
            _ => false,
        }
    }

    /// Whether a program's context is a fiction of the verifier's: its memory holds something else.
    fn is_fiction(&self, program: usize) -> bool {
        matches!(self.flow.programs[program].kind, Kind::Packet | Kind::PerfEvent)
    }

    /// Converts the loads of `function`. A store through such a pointer is an error at the user's line.
    pub fn convert(&self, function: Value<'c>, context: &'c Context, file: &str) -> Result<(), Diagnostic> {
        // Ask first, change afterwards: the answers are about the loads as the user wrote them.
        let mut reads = Vec::new();
        for instruction in function.instructions() {
            if let Some(address) = written_address(instruction)
                && let Some(memory) = self.refused(function, &self.flow.pointees(address))
            {
                return Err(write_refused(instruction, memory, file));
            }
            if let Some((address, size)) = self.read_by(instruction)
                && let Reading::Helper(helper) = self.reading(function, address, size, instruction)
            {
                reads.push((instruction, helper));
            }
        }
        copies::make(self, function, context, file)?;
        let widest = reads.iter().filter_map(|&(instruction, _)| self.loaded_bytes(instruction)).max();
        let mut slot = Slot { function, context, bytes: widest.unwrap_or(0), value: None };
        for (instruction, helper) in reads {
            // The address may be a load converted a moment ago, so it is asked for again.
            let Some((address, size)) = self.read_by(instruction) else { continue };
            match (instruction.opcode(), size) {
                (Some(Opcode::LLVMLoad), Some(bytes)) => {
                    convert_load(instruction, address, helper, bytes, context, &mut slot);
                }
                (Some(Opcode::LLVMCall), _) => convert_copy(instruction, address, helper, context),
                _ => {}
            }
        }
        Ok(())
    }

    /// The address that an instruction reads memory at, and how many bytes.
    fn read_by(&self, instruction: Value<'c>) -> Option<(Value<'c>, Option<u64>)> {
        match instruction.opcode()? {
            Opcode::LLVMLoad => Some((instruction.operand(0)?, self.module.store_bytes(instruction.ty()))),
            Opcode::LLVMCall if is_memory_intrinsic(instruction, &["llvm.memcpy.", "llvm.memmove."]) => {
                // The code generator copies by words, over the bounds of members.
                Some((*instruction.call_args().get(1)?, None))
            }
            _ => None,
        }
    }

    /// How many bytes a load reads.
    fn loaded_bytes(&self, instruction: Value<'c>) -> Option<u64> {
        self.read_by(instruction).filter(|_| instruction.opcode() == Some(Opcode::LLVMLoad))?.1
    }

    /// The memory that a program may not write, when all that the address may be is such.
    fn refused(&self, function: Value<'c>, address: &Pointees<'c>) -> Option<&'static str> {
        let is_certain = |pointee| match pointee {
            Pointee::Kernel | Pointee::User | Pointee::Number | Pointee::Registers => true,
            Pointee::Object { record, .. } => record.is_some() && !self.in_struct_ops.contains(&function),
            _ => false,
        };
        if address.is_empty() || !address.iter().all(is_certain) {
            return None;
        }
        Some(if address.iter().all(|pointee| pointee == Pointee::User) { "user" } else { "kernel" })
    }
}

/// The functions that some of the programs run.
fn run_by<'c>(programs: &[Program<'c>], meant: impl Fn(&Program<'c>) -> bool) -> HashSet<Value<'c>> {
    let mut found = HashSet::new();
    let mut pending: Vec<Value<'c>> = programs.iter().filter(|p| meant(p)).map(|p| p.function).collect();
    while let Some(function) = pending.pop() {
        if !found.insert(function) {
            continue;
        }
        let called = function.instructions().into_iter().flat_map(Value::operands);
        pending.extend(called.filter(|value| value.is_function() && !found.contains(value)));
    }
    found
}

/// One stack slot for all reads of a function: each value is taken out again at once.
struct Slot<'c> {
    function: Value<'c>,
    context: &'c Context,
    /// Of the widest of these reads, which may be a run of packed bit fields that clang loads as one number: texts that
    /// fill the stack have no word to spare.
    bytes: u64,
    value: Option<Value<'c>>,
}

impl<'c> Slot<'c> {
    fn get(&mut self) -> Option<Value<'c>> {
        if self.value.is_none() {
            let first = self.function.blocks().first()?.first()?;
            self.value = Some(Builder::before(self.context, first).stack_slot(self.bytes as u32));
        }
        self.value
    }
}

fn convert_load<'c>(
    load: Value<'c>,
    address: Value<'c>,
    helper: u32,
    bytes: u64,
    context: &'c Context,
    slot: &mut Slot<'c>,
) {
    let Some(slot) = slot.get() else { return };
    let builder = Builder::before(context, load);
    read_into(&builder, helper, slot, bytes, address);
    let value = builder.load(load.ty(), slot);
    load.replace_uses_with(value);
    load.erase();
}

fn convert_copy<'c>(copy: Value<'c>, address: Value<'c>, helper: u32, context: &'c Context) {
    let args = copy.call_args();
    let builder = Builder::before(context, copy);
    match args[2].as_constant() {
        Some(bytes) => read_into(&builder, helper, args[0], bytes, address),
        None => {
            builder.call_helper(helper, args[2].ty(), &[args[0], args[2], address]);
        }
    }
    copy.erase();
}

pub(super) fn read_into<'c>(builder: &Builder<'c>, helper: u32, target: Value<'c>, bytes: u64, address: Value<'c>) {
    let (word, half) = (builder.word(), builder.half());
    builder.call_helper(helper, word, &[target, half.constant(bytes), address]);
}

/// The address that an instruction writes memory at.
fn written_address(instruction: Value<'_>) -> Option<Value<'_>> {
    match instruction.opcode()? {
        Opcode::LLVMStore => instruction.operand(1),
        Opcode::LLVMAtomicRMW | Opcode::LLVMAtomicCmpXchg => instruction.operand(0),
        Opcode::LLVMCall if is_memory_intrinsic(instruction, &["llvm.memcpy.", "llvm.memmove.", "llvm.memset."]) => {
            instruction.call_args().first().copied()
        }
        _ => None,
    }
}

fn is_memory_intrinsic(call: Value<'_>, names: &[&str]) -> bool {
    call.callee().filter(|callee| callee.is_function()).is_some_and(|callee| {
        let name = callee.name();
        names.iter().any(|prefix| name.starts_with(prefix))
    })
}

fn write_refused(instruction: Value<'_>, memory: &str, file: &str) -> Diagnostic {
    let instead = match memory {
        "user" => "`bpf_probe_write_user` is the one way to do it",
        _ => "a program can only read it",
    };
    refusal::at(instruction, file, format!("cannot write through a pointer to {memory} memory: {instead}"))
}
