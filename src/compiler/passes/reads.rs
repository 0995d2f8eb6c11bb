// SPDX-License-Identifier: Apache-2.0
//! Turns loads through kernel and user pointers into calls of `bpf_probe_read_kernel` and `bpf_probe_read_user`.
//!
//! bcc does this by rewriting the C text, and so misses what a macro hides. Here the whole program is one function in
//! LLVM's form: a load is a load, whatever it was in C.

use super::program::Kind;
use super::provenance::{Provenance, Provenances};
use crate::compiler::diagnostic::Diagnostic;
use crate::compiler::ir::{Builder, Context, Opcode, Value};

const PROBE_READ_USER: u32 = 112;
const PROBE_READ_KERNEL: u32 = 113;

/// Whether any load of the function goes through a pointer that the verifier does not follow.
pub fn needed(function: Value<'_>, kind: Kind) -> bool {
    let provenances = Provenances::of(kind);
    function.instructions().into_iter().any(|instruction| {
        read_address(instruction).is_some_and(|address| provenances.of_pointer(address) != Provenance::Direct)
    })
}

/// Converts the loads of `function`. A store through such a pointer is an error at the user's line.
pub fn convert<'c>(function: Value<'c>, kind: Kind, context: &'c Context, file: &str) -> Result<(), Diagnostic> {
    let provenances = Provenances::of(kind);
    let instructions = function.instructions();
    // Ask first, change afterwards: the questions follow the loads as the user wrote them.
    let mut reads = Vec::new();
    for &instruction in &instructions {
        if let Some(address) = written_address(instruction)
            && provenances.of_pointer(address) != Provenance::Direct
        {
            return Err(write_refused(instruction, provenances.of_pointer(address), file));
        }
        if let Some(address) = read_address(instruction) {
            match provenances.of_pointer(address) {
                Provenance::Direct => {}
                Provenance::Kernel => reads.push((instruction, PROBE_READ_KERNEL)),
                Provenance::User => reads.push((instruction, PROBE_READ_USER)),
            }
        }
    }
    let mut slot = Slot { function, context, value: None };
    for (instruction, helper) in reads {
        // The address may be a load converted a moment ago, so it is asked for again.
        let Some(address) = read_address(instruction) else { continue };
        if instruction.opcode() == Some(Opcode::LLVMLoad) {
            convert_load(instruction, address, helper, context, &mut slot);
        } else {
            convert_copy(instruction, address, helper, context);
        }
    }
    Ok(())
}

/// One stack slot for all scalar reads of a function: each value is taken out again at once.
struct Slot<'c> {
    function: Value<'c>,
    context: &'c Context,
    value: Option<Value<'c>>,
}

/// Bytes of the shared slot; wider loads do not come out of C but for `__int128`.
const SLOT_BYTES: u32 = 16;

impl<'c> Slot<'c> {
    fn get(&mut self) -> Option<Value<'c>> {
        if self.value.is_none() {
            let first = self.function.blocks().first()?.first()?;
            self.value = Some(Builder::before(self.context, first).stack_slot(SLOT_BYTES));
        }
        self.value
    }
}

fn convert_load<'c>(load: Value<'c>, address: Value<'c>, helper: u32, context: &'c Context, slot: &mut Slot<'c>) {
    let ty = load.ty();
    let (Some(slot), Some(bytes)) = (slot.get(), ty.scalar_bytes().filter(|&bytes| bytes <= SLOT_BYTES)) else {
        return;
    };
    let builder = Builder::before(context, load);
    read_into(&builder, helper, slot, bytes.into(), address);
    let value = builder.load(ty, slot);
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

fn read_into<'c>(builder: &Builder<'c>, helper: u32, target: Value<'c>, bytes: u64, address: Value<'c>) {
    let (word, half) = (builder.word(), builder.half());
    builder.call_helper(helper, word, &[target, half.constant(bytes), address]);
}

/// The address that an instruction reads memory at.
fn read_address(instruction: Value<'_>) -> Option<Value<'_>> {
    match instruction.opcode()? {
        Opcode::LLVMLoad => instruction.operand(0),
        Opcode::LLVMCall if is_memory_intrinsic(instruction, &["llvm.memcpy.", "llvm.memmove."]) => {
            instruction.call_args().get(1).copied()
        }
        _ => None,
    }
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

fn write_refused(instruction: Value<'_>, provenance: Provenance, file: &str) -> Diagnostic {
    let (memory, instead) = match provenance {
        Provenance::User => ("user", "`bpf_probe_write_user` is the one way to do it"),
        _ => ("kernel", "a program can only read it"),
    };
    let place = instruction.place();
    let (file, line, column) =
        place.as_ref().map_or((file, 0, 0), |place| (place.file.as_str(), place.line, place.column));
    Diagnostic::error(file, line, column, format!("cannot write through a pointer to {memory} memory: {instead}"))
}
