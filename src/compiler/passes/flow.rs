// SPDX-License-Identifier: Apache-2.0
//! Follows pointers through the optimised module: what each value may point to, over branches, loops, stack slots, calls
//! and callbacks.
//!
//! The verifier follows few pointers itself: the stack, map values, the context, what some helpers return, and objects
//! that it knows the type of. Every other pointer is a number to it, and has to be read by a helper.

use std::collections::HashMap;

use super::objects::{Argument, Arguments, Loaded, Objects};
use super::pointees::{Pointee, Pointees};
use super::program::{Kind, Program};
use crate::compiler::arch::Registers;
use crate::compiler::ir::{Context, Module, Opcode, Value};
use crate::kernel::btf::TypeId;

/// What was stored in a stack slot, at this offset or, by calls, from it on.
pub(super) struct Stored<'c> {
    pub(super) offset: Option<i64>,
    pub(super) by_call: bool,
    pub(super) what: Pointees<'c>,
}

/// A program's context, as far as pointers come out of it.
pub(super) struct ProgramContext {
    pub(super) kind: Kind,
    arguments: Arguments,
}

/// What the values of a module point to.
pub struct Flow<'a, 'c> {
    module: &'a Module<'c>,
    context: &'c Context,
    pub(super) objects: &'a Objects<'a>,
    registers: &'static Registers,
    pub(super) programs: Vec<ProgramContext>,
    values: HashMap<Value<'c>, Pointees<'c>>,
    pub(super) slots: HashMap<Value<'c>, Vec<Stored<'c>>>,
    /// By function.
    pub(super) returns: HashMap<Value<'c>, Pointees<'c>>,
    /// Where the members are whose offsets LLVM's globals stand for.
    places: HashMap<Value<'c>, Option<(TypeId, i64)>>,
    changed: bool,
}

/// An instruction, read once.
struct Instruction<'c> {
    value: Value<'c>,
    function: Value<'c>,
    opcode: Opcode,
    operands: Vec<Value<'c>>,
}

/// Rounds over all instructions before the rest counts as followed; each round but the last adds something.
const ROUNDS: usize = 1_000;

impl<'a, 'c> Flow<'a, 'c> {
    /// Follows the pointers of `programs` and of all functions that they call.
    pub fn of(
        module: &'a Module<'c>,
        context: &'c Context,
        programs: &[Program<'c>],
        objects: &'a Objects<'a>,
        registers: &'static Registers,
    ) -> Self {
        let contexts = programs.iter().map(|program| {
            let section = program.function.section();
            let arguments = if program.kind == Kind::Btf { objects.arguments(&section) } else { Arguments::Unknown };
            ProgramContext { kind: program.kind, arguments }
        });
        let mut flow = Flow {
            module,
            context,
            objects,
            registers,
            programs: contexts.collect(),
            values: HashMap::new(),
            slots: HashMap::new(),
            returns: HashMap::new(),
            places: HashMap::new(),
            changed: true,
        };
        for (index, program) in programs.iter().enumerate() {
            if let Some(&ctx) = program.function.params().first() {
                flow.add(ctx, [Pointee::Context { program: index, offset: Some(0) }]);
            }
        }
        flow.run(programs);
        flow
    }

    fn run(&mut self, programs: &[Program<'c>]) {
        let functions = self.module.functions();
        for &function in &functions {
            // What nobody here calls is called with memory, by programs of other objects.
            if function.users().is_empty() && !programs.iter().any(|program| program.function == function) {
                for param in function.params() {
                    self.add(param, [Pointee::Memory]);
                }
            }
        }
        let instructions: Vec<Instruction<'c>> = functions
            .iter()
            .flat_map(|&function| function.instructions().into_iter().map(move |value| (function, value)))
            .filter_map(|(function, value)| {
                Some(Instruction { value, function, opcode: value.opcode()?, operands: value.operands() })
            })
            .collect();
        for _ in 0..ROUNDS {
            self.changed = false;
            for instruction in &instructions {
                self.follow(instruction);
            }
            if !self.changed {
                break;
            }
        }
    }

    /// What a value may point to.
    pub fn pointees(&self, value: Value<'c>) -> Pointees<'c> {
        if let Some(known) = self.values.get(&value) {
            return known.clone();
        }
        if value.is_global() {
            return self.of_global(value);
        }
        if value.is_function() {
            return Pointee::Memory.into();
        }
        // What is left with operands is a constant expression.
        match value.opcode() {
            Some(Opcode::LLVMIntToPtr) => {
                let held = value.operand(0).map(|operand| self.pointees(operand)).unwrap_or_default();
                if held.is_empty() { Pointee::Number.into() } else { held }
            }
            Some(Opcode::LLVMGetElementPtr | Opcode::LLVMPtrToInt | Opcode::LLVMAdd) if value.is_constant() => {
                value.operand(0).map(|operand| self.pointees(operand).moved(None)).unwrap_or_default()
            }
            _ => Pointees::default(),
        }
    }

    fn of_global(&self, global: Value<'c>) -> Pointees<'c> {
        if global.section() != ".ksyms" {
            return Pointee::Memory.into();
        }
        match self.objects.variable(&global.name()) {
            Argument::Object(record) => Pointee::Object { record, offset: Some(0) }.into(),
            Argument::Number | Argument::User => Pointee::Kernel.into(),
            Argument::Memory => Pointee::Memory.into(),
        }
    }

    pub(super) fn add(&mut self, value: Value<'c>, pointees: impl IntoIterator<Item = Pointee<'c>>) {
        if self.values.entry(value).or_default().extend(pointees) {
            self.changed = true;
        }
    }

    pub(super) fn add_all(&mut self, value: Value<'c>, pointees: &Pointees<'c>) {
        self.add(value, pointees.iter());
    }

    fn follow(&mut self, instruction: &Instruction<'c>) {
        let &Instruction { value, function, opcode, ref operands } = instruction;
        let first = operands.first().copied();
        let of = |flow: &Self, index: usize| operands.get(index).map(|&v| flow.pointees(v)).unwrap_or_default();
        let found = match opcode {
            Opcode::LLVMAlloca => Pointee::Slot { slot: value, offset: Some(0) }.into(),
            _ if value.ty().is_foreign_pointer() => Pointee::Memory.into(),
            Opcode::LLVMGetElementPtr => self.of_member(value, &of(self, 0), operands),
            Opcode::LLVMLoad | Opcode::LLVMAtomicRMW | Opcode::LLVMAtomicCmpXchg => {
                let Some(address) = first else { return };
                let size = self.module.store_bytes(value.ty()).unwrap_or(8);
                self.loaded(&self.pointees(address), size, value)
            }
            Opcode::LLVMStore => return self.store(&of(self, 0), &of(self, 1)),
            Opcode::LLVMRet => {
                let pointees = of(self, 0);
                if self.returns.entry(function).or_default().extend(pointees.iter()) {
                    self.changed = true;
                }
                return;
            }
            Opcode::LLVMCall => self.call(value),
            Opcode::LLVMSelect => of(self, 1).iter().chain(of(self, 2).iter()).collect(),
            Opcode::LLVMICmp | Opcode::LLVMFCmp | Opcode::LLVMTrunc => return,
            Opcode::LLVMAdd | Opcode::LLVMOr | Opcode::LLVMXor => self.sum(operands, 1),
            Opcode::LLVMSub => match operands.get(1).and_then(|v| v.as_constant()) {
                Some(bytes) => of(self, 0).moved(Some((bytes as i64).wrapping_neg())),
                None => of(self, 0).moved(None),
            },
            Opcode::LLVMAnd => self.sum(operands, 0),
            Opcode::LLVMIntToPtr if first.is_some_and(|v| v.as_constant().is_some_and(|n| n != 0)) => {
                Pointee::Number.into()
            }
            Opcode::LLVMSExt | Opcode::LLVMMul | Opcode::LLVMShl | Opcode::LLVMLShr => Pointee::Number.into(),
            // Casts, phis and the like (also of a 32-bit packet pointer to 64 bits) hand on what they are given.
            _ => operands.iter().flat_map(|&v| self.pointees(v).iter().collect::<Vec<_>>()).collect(),
        };
        self.add_all(value, &found);
    }

    /// Of an addition: a constant moves a pointer by `sign` times itself, where that is known.
    fn sum(&self, operands: &[Value<'c>], sign: i64) -> Pointees<'c> {
        let constant = operands.iter().find_map(|v| v.as_constant()).filter(|_| sign != 0);
        let by = constant.map(|bytes| (bytes as i64).wrapping_mul(sign));
        let pointees = |&v: &Value<'c>| self.pointees(v).moved(by).iter().collect::<Vec<_>>();
        operands.iter().flat_map(pointees).collect()
    }

    /// Of a pointer's move to a member.
    fn of_member(&mut self, gep: Value<'c>, base: &Pointees<'c>, operands: &[Value<'c>]) -> Pointees<'c> {
        if let Some(bytes) = gep.constant_gep_offset() {
            return base.moved(Some(bytes));
        }
        let global = match operands {
            [_, index] if index.opcode() == Some(Opcode::LLVMLoad) => index.operand(0).filter(|g| g.is_global()),
            _ => None,
        };
        let Some(global) = global.filter(|global| global.name().starts_with("llvm.")) else { return base.moved(None) };
        let (objects, context) = (self.objects, self.context);
        let place = *self.places.entry(global).or_insert_with(|| objects.place(&global.core_access(context)?));
        let moved = |pointee| match (pointee, place) {
            // What a pointer of unknown type is used as is taken for its type.
            (Pointee::Object { record: None, offset: Some(0) }, Some((record, offset))) => {
                Pointee::Object { record: Some(record), offset: Some(offset) }
            }
            (Pointee::Object { record: None, .. }, None) => pointee,
            _ => pointee.moved(place.map(|(_, offset)| offset)),
        };
        base.iter().map(moved).collect()
    }

    /// What the load `by` of `size` bytes gives through a pointer.
    fn loaded(&self, address: &Pointees<'c>, size: u64, by: Value<'c>) -> Pointees<'c> {
        let mut found = Pointees::default();
        for pointee in address.iter() {
            match pointee {
                Pointee::Slot { slot, offset } => _ = found.extend(self.in_slot(slot, offset).iter()),
                other => _ = found.insert(self.held_by(other, size, Some(by))),
            }
        }
        found
    }

    pub(super) fn held_by(&self, pointee: Pointee<'c>, size: u64, by: Option<Value<'c>>) -> Pointee<'c> {
        let object = |record| Pointee::Object { record, offset: Some(0) };
        match pointee {
            Pointee::Context { program, offset } => self.in_context(&self.programs[program], offset),
            Pointee::Object { record: Some(record), offset: Some(offset) } => {
                match self.objects.load(record, offset, size) {
                    Loaded::Object(inner) => object(Some(inner)),
                    Loaded::Perhaps(inner) if by.is_some_and(is_compared) => object(Some(inner)),
                    Loaded::User => Pointee::User,
                    Loaded::Number | Loaded::Perhaps(_) | Loaded::Refused => Pointee::Number,
                }
            }
            Pointee::Object { record: None, .. } => object(None),
            Pointee::User | Pointee::Registers => Pointee::User,
            Pointee::Unknown => Pointee::Unknown,
            _ => Pointee::Number,
        }
    }

    fn in_context(&self, program: &ProgramContext, offset: Option<i64>) -> Pointee<'c> {
        let argument = match (program.kind, &program.arguments) {
            (Kind::Uprobe, _) => return Pointee::User,
            (Kind::Packet, _) => return Pointee::Memory,
            // The first parameter: in a kprobe's registers, and in the contexts of its stand-ins.
            (Kind::Syscall, _) if offset == Some(0) || offset == Some(self.registers.params[0].into()) => {
                return Pointee::Registers;
            }
            (Kind::WritableTracepoint, _) if offset == Some(0) => return Pointee::Memory,
            (Kind::Btf, Arguments::Unknown) => Argument::Object(None),
            (Kind::Btf, Arguments::Record(record)) => match offset {
                Some(offset) => self.objects.iterator_word(*record, offset),
                None => Argument::Number,
            },
            (Kind::Btf, Arguments::Words(words)) => offset
                .and_then(|offset| words.get(usize::try_from(offset / 8).ok()?).copied())
                .unwrap_or(Argument::Number),
            _ => Argument::Number,
        };
        of_argument(argument)
    }

    fn in_slot(&self, slot: Value<'c>, offset: Option<i64>) -> Pointees<'c> {
        let mut found = Pointees::default();
        for stored in self.slots.get(&slot).into_iter().flatten() {
            let meets = match (stored.offset, offset) {
                (Some(from), Some(at)) if stored.by_call => from <= at,
                (Some(from), Some(at)) => from == at,
                _ => true,
            };
            if meets {
                found.extend(stored.what.iter());
            }
        }
        found
    }

    fn store(&mut self, value: &Pointees<'c>, address: &Pointees<'c>) {
        for pointee in address.iter() {
            if let Pointee::Slot { slot, offset } = pointee {
                self.put(slot, offset, false, value);
            }
        }
    }

    pub(super) fn put(&mut self, slot: Value<'c>, offset: Option<i64>, by_call: bool, what: &Pointees<'c>) {
        if what.is_empty() {
            return;
        }
        let entries = self.slots.entry(slot).or_default();
        match entries.iter_mut().find(|stored| stored.offset == offset && stored.by_call == by_call) {
            Some(stored) => {
                if stored.what.extend(what.iter()) {
                    self.changed = true;
                }
            }
            None => {
                entries.push(Stored { offset, by_call, what: what.clone() });
                self.changed = true;
            }
        }
    }
}

/// Whether a value is compared, as far as can be seen: then the text does so before it follows the pointer.
pub(super) fn is_compared(value: Value<'_>) -> bool {
    let compares = |user: Value<'_>| {
        matches!(user.opcode(), Some(Opcode::LLVMICmp | Opcode::LLVMPHI | Opcode::LLVMSelect | Opcode::LLVMStore))
    };
    value.users().into_iter().any(compares)
}

pub(super) fn of_argument<'c>(argument: Argument) -> Pointee<'c> {
    match argument {
        Argument::Number => Pointee::Number,
        Argument::Object(record) => Pointee::Object { record, offset: Some(0) },
        Argument::User => Pointee::User,
        Argument::Memory => Pointee::Memory,
    }
}
