// SPDX-License-Identifier: Apache-2.0
//! Packet fields and the context that a program got, where the text does not name it.
//!
//! [`super::packet_fields`] and the headers of the dialect leave calls of functions that exist nowhere. When everything is
//! inlined it is known which program they are in: then they become the kernel's instructions for packet bytes (socket
//! filters, traffic control, cgroups) or helper calls (XDP and the rest).

use std::collections::HashSet;

use super::program::{Program, context_record};
use super::slots::hoist_slots;
use crate::compiler::diagnostic::Diagnostic;
use crate::compiler::ir::{Builder, Context, Module, Opcode, Type, Value};

const LOAD: &str = "__bpflua_packet_load";
const STORE: &str = "__bpflua_packet_store";
const COPY: &str = "__bpflua_packet_copy";
/// Stands for the program's context; the headers declare it.
pub const CONTEXT: &str = "__bpflua_context";

/// What the contexts of programs on packets are called.
pub const CONTEXT_RECORDS: &[&str] = &["__sk_buff", "xdp_md"];

const SKB_STORE_BYTES: u32 = 9;
const SKB_LOAD_BYTES: u32 = 26;
const XDP_LOAD_BYTES: u32 = 189;
const XDP_STORE_BYTES: u32 = 190;

/// Sections whose programs may use the kernel's own instructions for packet bytes (`may_access_skb` in its verifier).
const WITH_INSTRUCTIONS: &[&str] =
    &["socket", "tc", "tcx", "classifier", "action", "netkit", "cgroup_skb", "cgroup/skb"];

/// The functions that stand for packet accesses.
pub struct Markers<'m, 'c>(pub &'m Module<'c>);

impl<'c> Markers<'_, 'c> {
    fn make(&self, name: &str, result: Type<'c>, params: &[Type<'c>]) -> Value<'c> {
        self.0.function(name).unwrap_or_else(|| {
            let function = self.0.add_function(name, self.0.function_type(result, params));
            function.add_attribute("nounwind");
            function.add_attribute("willreturn");
            function
        })
    }

    /// `u64 load(void *ctx, u64 offset, u64 skip, u64 bits)`; NULL for the context of the program.
    pub fn load(&self) -> Value<'c> {
        /// `memory(read)` as LLVM 19 encodes it: two bits for each of three places.
        const READS: u64 = 0b01_01_01;
        let word = self.0.int_type(64);
        let is_new = self.0.function(LOAD).is_none();
        let function = self.make(LOAD, word, &[self.0.pointer_type(), word, word, word]);
        if is_new {
            function.add_attribute_value("memory", READS);
        }
        function
    }

    /// `u64 store(void *ctx, u64 offset, u64 skip, u64 bits, u64 value)`.
    pub fn store(&self) -> Value<'c> {
        let word = self.0.int_type(64);
        self.make(STORE, word, &[self.0.pointer_type(), word, word, word, word])
    }

    /// `u64 copy(void *ctx, u64 offset, void *to, u64 size)`.
    pub fn copy(&self) -> Value<'c> {
        let (word, pointer) = (self.0.int_type(64), self.0.pointer_type());
        self.make(COPY, word, &[pointer, word, pointer, word])
    }
}

/// Replaces the marks that are left in the functions of an optimised module.
pub fn lower<'c>(
    module: &Module<'c>,
    context: &'c Context,
    programs: &[Program<'c>],
    file: &str,
) -> Result<(), Diagnostic> {
    for function in module.functions() {
        let marks: Vec<(Value<'c>, String)> = function
            .instructions()
            .into_iter()
            .filter(|i| i.opcode() == Some(Opcode::LLVMCall))
            .filter_map(|call| Some((call, call.callee().filter(|callee| callee.is_function())?.name())))
            .filter(|(_, name)| [LOAD, STORE, COPY, CONTEXT].contains(&name.as_str()))
            .collect();
        if marks.is_empty() {
            continue;
        }
        let refused = |call: Value<'c>, words: &str| {
            let place = call.place();
            let (file, line, column) = place.as_ref().map_or((file, 0, 0), |p| (p.file.as_str(), p.line, p.column));
            Diagnostic::error(file, line, column, words)
        };
        let found = find_context(function, programs, &mut HashSet::new());
        for (call, name) in marks {
            let Some((ctx, program)) = found else {
                let words = format!("`{}` does not get the program's context, which this needs", function.name());
                return Err(refused(call, &words));
            };
            if name == CONTEXT {
                call.replace_uses_with(ctx);
                call.erase();
                continue;
            }
            let ctx = call.call_args().first().copied().filter(|own| !own.is_constant()).unwrap_or(ctx);
            let Some(bytes) = Bytes::of(module, context, program, ctx) else {
                let words = format!("a packet's field is used in `{}`, which gets no packet", program.name);
                return Err(refused(call, &words));
            };
            let offset = call.call_args()[1];
            if in_memory(offset, &mut HashSet::new()) {
                let words = "a packet header is used through the address of a variable; its pointer has to be an offset \
                             into the packet, such as `cursor_advance` gives";
                return Err(refused(call, words));
            }
            bytes.lower(call, &name);
        }
        if let Some(&entry) = function.blocks().first() {
            hoist_slots(function, entry);
        }
    }
    Ok(())
}

/// The program's context in `function`, and a program that runs it.
fn find_context<'p, 'c>(
    function: Value<'c>,
    programs: &'p [Program<'c>],
    seen: &mut HashSet<Value<'c>>,
) -> Option<(Value<'c>, &'p Program<'c>)> {
    if let Some(program) = programs.iter().find(|program| program.function == function) {
        return Some((*function.params().first()?, program));
    }
    if !seen.insert(function) {
        return None;
    }
    for call in function.users() {
        if call.callee() != Some(function) {
            continue;
        }
        let Some((ctx, program)) = find_context(call.block().function(), programs, seen) else { continue };
        if let Some(index) = call.call_args().iter().position(|&arg| arg == ctx) {
            return Some((function.params()[index], program));
        }
    }
    None
}

/// Whether an offset was made of the address of memory.
fn in_memory<'c>(value: Value<'c>, seen: &mut HashSet<Value<'c>>) -> bool {
    if value.is_global() || value.opcode() == Some(Opcode::LLVMAlloca) {
        return true;
    }
    let computes = matches!(
        value.opcode(),
        Some(
            Opcode::LLVMPtrToInt
                | Opcode::LLVMIntToPtr
                | Opcode::LLVMAdd
                | Opcode::LLVMGetElementPtr
                | Opcode::LLVMPHI
                | Opcode::LLVMSelect
        )
    );
    computes && seen.insert(value) && value.operands().into_iter().any(|operand| in_memory(operand, seen))
}

/// How a program reads and writes packet bytes.
struct Bytes<'m, 'c> {
    module: &'m Module<'c>,
    context: &'c Context,
    ctx: Value<'c>,
    has_instructions: bool,
    load_helper: u32,
    store_helper: u32,
}

impl<'m, 'c> Bytes<'m, 'c> {
    fn of(module: &'m Module<'c>, context: &'c Context, program: &Program<'c>, ctx: Value<'c>) -> Option<Self> {
        let section = program.function.section();
        let section = section.trim_start_matches('?');
        let is_xdp = section.split(['/', '.']).next() == Some("xdp");
        let record = context_record(program.function, context);
        if !is_xdp && record.as_deref() != Some("__sk_buff") {
            return None;
        }
        let has_instructions = WITH_INSTRUCTIONS
            .iter()
            .any(|&word| section.strip_prefix(word).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')));
        let (load_helper, store_helper) =
            if is_xdp { (XDP_LOAD_BYTES, XDP_STORE_BYTES) } else { (SKB_LOAD_BYTES, SKB_STORE_BYTES) };
        Some(Bytes { module, context, ctx, has_instructions, load_helper, store_helper })
    }

    fn lower(&self, call: Value<'c>, name: &str) {
        let builder = Builder::before(self.context, call);
        let args = call.call_args();
        let constant = |index: usize| args[index].as_constant().unwrap_or(0);
        match name {
            COPY => {
                let half = builder.half();
                let args = [self.ctx, builder.resize(args[1], half), args[2], builder.resize(args[3], half)];
                builder.call_helper(self.load_helper, builder.word(), &args);
            }
            LOAD => call.replace_uses_with(self.field(&builder, args[1], constant(2), constant(3))),
            _ => self.insert(&builder, args[1], constant(2), constant(3), args[4]),
        }
        call.erase();
    }

    /// `bits` bits that begin `skip` bits after byte `offset`, in the host's order.
    fn field(&self, builder: &Builder<'c>, offset: Value<'c>, skip: u64, bits: u64) -> Value<'c> {
        let count = (skip + bits).div_ceil(8).min(8);
        let whole = self.load(builder, offset, count);
        let shifted = builder.shift_right(whole, 8 * count - skip - bits);
        builder.and(shifted, builder.word().constant(mask(bits)))
    }

    fn insert(&self, builder: &Builder<'c>, offset: Value<'c>, skip: u64, bits: u64, value: Value<'c>) {
        let count = (skip + bits).div_ceil(8).min(8);
        let shift = 8 * count - skip - bits;
        let word = builder.word();
        let mut whole = builder.and(builder.shift_left(value, shift), word.constant(mask(bits) << shift));
        if bits < 8 * count {
            let others = builder.and(self.load(builder, offset, count), word.constant(!(mask(bits) << shift)));
            whole = builder.or(whole, others);
        }
        let slot = builder.stack_slot(8);
        builder.store(self.swap(builder, builder.shift_left(whole, 64 - 8 * count)), slot);
        let (offset, count) = (builder.resize(offset, builder.half()), builder.half().constant(count));
        let mut args = vec![self.ctx, offset, slot, count];
        if self.store_helper == SKB_STORE_BYTES {
            args.push(word.constant(0));
        }
        builder.call_helper(self.store_helper, word, &args);
    }

    /// `count` bytes at `offset`, the first one highest.
    fn load(&self, builder: &Builder<'c>, offset: Value<'c>, count: u64) -> Value<'c> {
        let word = builder.word();
        if !self.has_instructions {
            let slot = builder.stack_slot(8);
            // What cannot be read counts as zero.
            builder.store(word.constant(0), slot);
            let half = builder.half();
            let args = [self.ctx, builder.resize(offset, half), slot, half.constant(count)];
            builder.call_helper(self.load_helper, word, &args);
            let whole = self.swap(builder, builder.load(word, slot));
            return builder.shift_right(whole, 64 - 8 * count);
        }
        let (mut whole, mut done) = (word.constant(0), 0);
        for (bytes, name) in [(4, "llvm.bpf.load.word"), (2, "llvm.bpf.load.half"), (1, "llvm.bpf.load.byte")] {
            while count - done >= bytes {
                let at = builder.add(offset, word.constant(done));
                let instruction = self.intrinsic(name, &[self.module.pointer_type(), word]);
                let part = builder.call(instruction, &[self.ctx, at]);
                whole = builder.or(builder.shift_left(whole, 8 * bytes), part);
                done += bytes;
            }
        }
        whole
    }

    fn swap(&self, builder: &Builder<'c>, value: Value<'c>) -> Value<'c> {
        builder.call(self.intrinsic("llvm.bswap.i64", &[builder.word()]), &[value])
    }

    /// LLVM knows its own functions by their names.
    fn intrinsic(&self, name: &str, params: &[Type<'c>]) -> Value<'c> {
        let word = self.module.int_type(64);
        self.module
            .function(name)
            .unwrap_or_else(|| self.module.add_function(name, self.module.function_type(word, params)))
    }
}

fn mask(bits: u64) -> u64 {
    if bits < 64 { (1 << bits) - 1 } else { u64::MAX }
}
