// SPDX-License-Identifier: Apache-2.0
//! Packet fields and the context that a program got, where the text does not name it.
//!
//! [`super::packet_fields`] and the headers of the dialect leave calls of functions that exist nowhere. When everything is
//! inlined it is known which program they are in: then they become the kernel's instructions for packet bytes (socket
//! filters, traffic control, cgroups) or helper calls (XDP and the rest).

use std::collections::HashSet;

use super::helpers;
use super::packet_headers::{COPY_HEADER, Layout, Layouts, run_bits};
use super::packet_memory::{self, Origin};
use super::program::{Program, context_record};
use super::refusal;
use super::slots::hoist_slots;
use crate::compiler::diagnostic::Diagnostic;
use crate::compiler::ir::{Builder, Context, Module, Opcode, Type, Value};

pub(super) const LOAD: &str = "__bpflua_packet_load";
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

/// Replaces the marks that are left in the functions of an optimised module. `headers` are those that are copied whole.
pub fn lower<'c>(
    module: &Module<'c>,
    context: &'c Context,
    programs: &[Program<'c>],
    headers: &Layouts,
    file: &str,
) -> Result<(), Diagnostic> {
    let names = [LOAD, STORE, COPY, CONTEXT];
    let is_mark = |name: &str| names.contains(&name) || name.starts_with(COPY_HEADER);
    let mut marks: Vec<(Value<'c>, Vec<(Value<'c>, String)>)> = Vec::new();
    for function in module.functions() {
        let calls = function.instructions().into_iter().filter(|i| i.opcode() == Some(Opcode::LLVMCall));
        let named = calls.filter_map(|i| Some((i, i.callee().filter(|callee| callee.is_function())?.name())));
        marks.push((function, named.filter(|(_, name)| is_mark(name)).collect()));
    }
    // Before anything is replaced: what was read of the packet tells that a number is an offset.
    refuse_plain_uses(module, context, programs, file)?;
    for (function, marks) in marks.into_iter().filter(|(_, marks)| !marks.is_empty()) {
        let found = find_context(function, programs, &mut HashSet::new());
        for (call, name) in marks {
            let args = call.call_args();
            let addresses =
                if name.starts_with(COPY_HEADER) { &args[1..3] } else { &args[1.min(args.len())..2.min(args.len())] };
            let origins: Vec<Origin> = addresses.iter().map(|&address| Origin::of(address)).collect();
            if origins.iter().any(|origin| origin.memory && origin.packet) {
                let words =
                    "a packet header is used here that may lie in the packet or in memory: use a pointer for each";
                return Err(refusal::at(call, file, words));
            }
            let needs_packet = name == CONTEXT || origins.iter().any(|origin| origin.packet);
            let bytes = match found {
                Some((ctx, _)) if name == CONTEXT => {
                    call.replace_uses_with(ctx);
                    call.erase();
                    continue;
                }
                Some((ctx, program)) => {
                    let own = args.first().copied().filter(|own| !own.is_constant());
                    Bytes::of(module, context, program, own.unwrap_or(ctx))
                        .ok_or_else(|| format!("a packet's field is used in `{}`, which gets no packet", program.name))
                }
                None => Err(format!("`{}` does not get the program's context, which this needs", function.name())),
            };
            let bytes = match bytes {
                Ok(bytes) => bytes,
                Err(words) if needs_packet => return Err(refusal::at(call, file, words)),
                Err(_) => Bytes::none(module, context),
            };
            bytes.lower(call, &name, headers);
        }
        if let Some(&entry) = function.blocks().first() {
            hoist_slots(function, entry);
        }
    }
    Ok(())
}

/// An error for the first use of an offset into the packet as an address: its memory is not the packet's.
fn refuse_plain_uses<'c>(
    module: &Module<'c>,
    context: &'c Context,
    programs: &[Program<'c>],
    file: &str,
) -> Result<(), Diagnostic> {
    for function in module.functions() {
        let program = find_context(function, programs, &mut HashSet::new());
        if program.is_none_or(|(ctx, program)| Bytes::of(module, context, program, ctx).is_none()) {
            continue;
        }
        let mut instructions = function.instructions().into_iter();
        if let Some(used) = instructions.find(|&i| addresses(i).into_iter().any(packet_memory::is_offset)) {
            let words = "a packet header is used as memory here, but its address is an offset into the packet: copy it \
                         first (`struct ip_t copy = *ip;`), or use its fields";
            return Err(refusal::at(used, file, words));
        }
    }
    Ok(())
}

/// The addresses at which an instruction reads or writes memory, but for null: texts say by it what never happens.
fn addresses(instruction: Value<'_>) -> Vec<Value<'_>> {
    match instruction.opcode() {
        Some(Opcode::LLVMLoad) => instruction.operand(0).into_iter().filter(|address| !address.is_null()).collect(),
        Some(Opcode::LLVMStore) => instruction.operand(1).into_iter().filter(|address| !address.is_null()).collect(),
        Some(Opcode::LLVMCall) => {
            let is_helper = instruction.callee().and_then(helpers::number_of).is_some();
            let name = instruction.callee().filter(|callee| callee.is_function()).map(Value::name).unwrap_or_default();
            let is_memory =
                ["llvm.memcpy.", "llvm.memmove.", "llvm.memset."].iter().any(|known| name.starts_with(known));
            let is_library = matches!(name.as_str(), "memcmp" | "bcmp" | "strncmp" | "strcmp");
            let takes_memory = is_helper || is_memory || is_library;
            let pointers = |arg: &Value<'_>| arg.ty().is_pointer() && !arg.is_null();
            instruction.call_args().into_iter().filter(|_| takes_memory).filter(pointers).collect()
        }
        _ => Vec::new(),
    }
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

    /// For headers that lie in memory alone.
    fn none(module: &'m Module<'c>, context: &'c Context) -> Self {
        let ctx = module.pointer_type().zero();
        let (load_helper, store_helper) = (SKB_LOAD_BYTES, SKB_STORE_BYTES);
        Bytes { module, context, ctx, has_instructions: false, load_helper, store_helper }
    }

    fn lower(&self, call: Value<'c>, name: &str, headers: &Layouts) {
        let builder = Builder::before(self.context, call);
        let args = call.call_args();
        let constant = |index: usize| args[index].as_constant().unwrap_or(0);
        if let Some(layout) = name.strip_prefix(COPY_HEADER).and_then(|header| headers.get(header)) {
            self.copy_header(&builder, layout, args[1], args[2]);
            call.erase();
            return;
        }
        let in_memory = Origin::of(args[1]).memory;
        match name {
            COPY if in_memory => {
                let from = packet_memory::pointer(&builder, args[1]);
                for byte in 0..constant(3) {
                    let place = |base: Value<'c>| builder.offset(base, byte as i64);
                    let value = packet_memory::load(&builder, place(from), 0, 8);
                    packet_memory::store(&builder, place(args[2]), 0, 8, value);
                }
            }
            LOAD if in_memory => {
                call.replace_uses_with(packet_memory::load(
                    &builder,
                    packet_memory::pointer(&builder, args[1]),
                    constant(2),
                    constant(3),
                ));
            }
            STORE if in_memory => packet_memory::store(
                &builder,
                packet_memory::pointer(&builder, args[1]),
                constant(2),
                constant(3),
                args[4],
            ),
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

    /// Copies a header to `to` from `from`, each in memory or in the packet.
    fn copy_header(&self, builder: &Builder<'c>, layout: &Layout, to: Value<'c>, from: Value<'c>) {
        let (to_memory, from_memory) = (Origin::of(to).memory, Origin::of(from).memory);
        let word = builder.word();
        for run in layout.runs().unwrap_or_default() {
            let (start, bits) = (run[0].0, run_bits(run));
            let place = |base: Value<'c>| builder.offset(base, (start / 8) as i64);
            let offset = |base: Value<'c>| builder.add(builder.address(base), word.constant(start / 8));
            let mut value = match from_memory {
                true => packet_memory::load(builder, place(from), 0, bits),
                false => self.field(builder, offset(from), 0, bits),
            };
            // The first member is the lowest in memory, the highest on the wire.
            if to_memory != from_memory {
                value = run.iter().fold(word.constant(0), |whole, &(offset, width)| {
                    let (low, high) = (offset - start, bits - (offset - start) - width);
                    let (down, up) = if from_memory { (low, high) } else { (high, low) };
                    let member = builder.and(builder.shift_right(value, down), word.constant(mask(width)));
                    builder.or(whole, builder.shift_left(member, up))
                });
            }
            match to_memory {
                true => packet_memory::store(builder, place(to), 0, bits, value),
                false => self.insert(builder, offset(to), 0, bits, value),
            }
        }
    }

    /// `bits` bits that begin `skip` bits after byte `offset`, in the host's order.
    fn field(&self, builder: &Builder<'c>, offset: Value<'c>, skip: u64, bits: u64) -> Value<'c> {
        if skip + bits > 64 {
            // Over more than eight bytes: the rest of the first four, and what follows.
            let (low, next) = (bits - (32 - skip), builder.add(offset, builder.word().constant(4)));
            let high = self.field(builder, offset, skip, 32 - skip);
            return builder.or(builder.shift_left(high, low), self.field(builder, next, 0, low));
        }
        let count = (skip + bits).div_ceil(8).min(8);
        let whole = self.load(builder, offset, count);
        let shifted = builder.shift_right(whole, 8 * count - skip - bits);
        builder.and(shifted, builder.word().constant(mask(bits)))
    }

    fn insert(&self, builder: &Builder<'c>, offset: Value<'c>, skip: u64, bits: u64, value: Value<'c>) {
        if skip + bits > 64 {
            let (low, next) = (bits - (32 - skip), builder.add(offset, builder.word().constant(4)));
            self.insert(builder, offset, skip, 32 - skip, builder.shift_right(value, low));
            return self.insert(builder, next, 0, low, value);
        }
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
