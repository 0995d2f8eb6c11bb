// SPDX-License-Identifier: Apache-2.0
//! Finds the fields of packet headers in the text: `ip->src` of bcc's packet dialect is a value of the packet, in the
//! host's order, though C sees a member of a structure at a small address.
//!
//! The structures are marked (`BPF_PACKET_HEADER` in `bpf-include/bpflua/proto.h`), so that clang writes each access as a
//! call that names the member. Here, before LLVM has seen any of it, the loads and stores behind those calls become calls
//! of functions that exist nowhere; [`super::packet`] replaces them when everything is inlined and the program is known.

use super::packet::{CONTEXT, CONTEXT_RECORDS, Markers};
use crate::compiler::ir::{Builder, Context, Module, Opcode, Type, Value};

pub(super) const TAG: &str = "bpflua:packet";
pub(super) const STRUCT_ACCESS: &str = "llvm.preserve.struct.access.index";
const UNION_ACCESS: &str = "llvm.preserve.union.access.index";
const ARRAY_ACCESS: &str = "llvm.preserve.array.access.index";

/// A place in the packet.
#[derive(Clone, Copy)]
struct Place<'c> {
    /// The context, where it is known already; else NULL.
    ctx: Value<'c>,
    /// The byte of the packet, as a number.
    offset: Value<'c>,
    /// Bits before the field in that byte.
    skip: u64,
    /// The field's bits; `None` for as many as are loaded or stored.
    bits: Option<u64>,
    /// Where the field's lowest bit stands in what C loads and stores.
    position: u64,
}

impl<'c> Place<'c> {
    /// Whether a number of this type holds the field: a run of bit fields, of which clang loads all, may be wider than a
    /// word.
    fn holds(self, ty: Type<'c>) -> bool {
        ty.int_bits().is_some_and(|bits| self.bits.is_some() || bits <= 64)
    }

    /// All that is loaded or stored at another offset.
    fn at(self, offset: Value<'c>) -> Self {
        Place { offset, skip: 0, bits: None, position: 0, ..self }
    }
}

/// Replaces the accesses of all functions.
pub fn mark(module: &Module<'_>, context: &Context) {
    for function in module.functions() {
        let own = own_context(function, context);
        // Names first: what is replaced, copies among it, stands among the instructions.
        let is_marked =
            |name: &str| name == CONTEXT || name.starts_with(STRUCT_ACCESS) || name.starts_with(UNION_ACCESS);
        let calls =
            function.instructions().into_iter().filter(|&i| callee_name(i).is_some_and(|name| is_marked(&name)));
        for call in calls.collect::<Vec<_>>() {
            match own.filter(|_| callee_name(call).as_deref() == Some(CONTEXT)) {
                Some(ctx) => {
                    call.replace_uses_with(ctx);
                    call.erase();
                }
                None => mark_access(module, context, call, own),
            }
        }
    }
}

/// The parameter that is the context in a function that stays one: LLVM would drop it where the text does not use it.
pub(super) fn own_context<'c>(function: Value<'c>, context: &'c Context) -> Option<Value<'c>> {
    if !function.has_attribute("noinline") {
        return None;
    }
    let is_context = |record: &Option<String>| record.as_deref().is_some_and(|name| CONTEXT_RECORDS.contains(&name));
    let index = function.param_pointees(context).iter().position(is_context)?;
    function.params().get(index).copied()
}

pub(super) fn callee_name(call: Value<'_>) -> Option<String> {
    Some(call.callee().filter(|callee| callee.is_function())?.name())
}

fn mark_access<'c>(module: &Module<'c>, context: &'c Context, call: Value<'c>, own: Option<Value<'c>>) {
    let Some(name) = callee_name(call) else { return };
    let is_struct = name.starts_with(STRUCT_ACCESS);
    if !is_struct && !name.starts_with(UNION_ACCESS) {
        return;
    }
    let Some(record) = call.accessed_record(context).filter(|record| record.has_tag(TAG)) else { return };
    let args = call.call_args();
    let constant = |index: usize| args.get(index).and_then(|v| v.as_constant());
    let Some(member) = constant(if is_struct { 2 } else { 1 }) else { return };
    let Some((_, bits, inner)) = record.member(member as usize) else { return };
    // Where what C loads and stores begins: a bit field is not always at its start.
    let unit = match (is_struct, call.argument_element(0), constant(1)) {
        (true, Some(ty), Some(element)) => module.element_offset(ty, element as u32).unwrap_or(0),
        _ => 0,
    };
    let builder = Builder::before(context, call);
    if in_memory(args[0]) {
        // A variable of such a type lies in memory, as C has it.
        replace_in_memory(module, context, call, builder.offset(args[0], unit as i64));
        return;
    }
    let offset = builder.add(builder.address(args[0]), builder.word().constant(bits.offset / 8));
    let place = Place {
        ctx: own.unwrap_or_else(|| module.pointer_type().zero()),
        offset,
        skip: bits.offset % 8,
        bits: inner.is_none().then_some(bits.size),
        position: bits.offset.saturating_sub(unit * 8),
    };
    mark_users(module, context, call, place, false);
    call.erase();
}

/// Puts an address in memory in place of an access, and of the accesses to elements behind it.
fn replace_in_memory<'c>(module: &Module<'c>, context: &'c Context, call: Value<'c>, address: Value<'c>) {
    for user in call.users() {
        if callee_name(user).is_some_and(|name| name.starts_with(ARRAY_ACCESS)) {
            let element = Builder::before(context, user).offset(address, element_offset(module, user) as i64);
            replace_in_memory(module, context, user, element);
        }
    }
    call.replace_uses_with(address);
    call.erase();
}

/// The bytes before the element that an access to an array names.
fn element_offset<'c>(module: &Module<'c>, access: Value<'c>) -> u64 {
    let element = access.argument_element(0).and_then(Type::element);
    let bytes = element.and_then(|ty| module.store_bytes(ty)).unwrap_or(1);
    access.call_args()[2].as_constant().unwrap_or(0) * bytes
}

/// Whether a pointer is the address of a variable.
pub(super) fn in_memory(pointer: Value<'_>) -> bool {
    let mut at = pointer;
    loop {
        let is_step = at.opcode() == Some(Opcode::LLVMGetElementPtr)
            || callee_name(at).is_some_and(|name| name.starts_with("llvm.preserve."));
        match at.operand(0).filter(|_| is_step) {
            Some(next) => at = next,
            None => return at.is_global() || at.opcode() == Some(Opcode::LLVMAlloca),
        }
    }
}

/// Replaces what is done with a pointer to `place`. Where it is not the offset itself, what else uses it uses that.
fn mark_users<'c>(module: &Module<'c>, context: &'c Context, pointer: Value<'c>, place: Place<'c>, is_address: bool) {
    let mut stand_in = None;
    for user in pointer.users() {
        let builder = Builder::before(context, user);
        let name = callee_name(user).unwrap_or_default();
        match user.opcode() {
            Some(Opcode::LLVMLoad) if place.holds(user.ty()) => {
                mark_load(module, &builder, user, place);
            }
            Some(Opcode::LLVMStore) if user.operand(1) == Some(pointer) => mark_store(module, &builder, user, place),
            Some(Opcode::LLVMCall) if name.starts_with("llvm.memcpy.") && user.call_args()[1] == pointer => {
                let args = user.call_args();
                let size = builder.resize(args[2], builder.word());
                builder.call(Markers(module).copy(), &[place.ctx, place.offset, args[0], size]);
                user.erase();
            }
            Some(Opcode::LLVMCall) if name.starts_with(ARRAY_ACCESS) => {
                let offset = builder.add(place.offset, builder.word().constant(element_offset(module, user)));
                mark_users(module, context, user, place.at(offset), false);
                user.erase();
            }
            opcode => {
                if !is_address {
                    let pointer_type = module.pointer_type();
                    let made = *stand_in
                        .get_or_insert_with(|| Builder::before(context, pointer).cast_word(place.offset, pointer_type));
                    replace_operand(user, pointer, made);
                }
                // An element whose index is not constant: its address is the offset.
                if opcode == Some(Opcode::LLVMGetElementPtr) {
                    let next = user.next().unwrap_or(user);
                    let offset = Builder::before(context, next).address(user);
                    mark_users(module, context, user, place.at(offset), true);
                }
            }
        }
    }
}

fn replace_operand<'c>(user: Value<'c>, from: Value<'c>, to: Value<'c>) {
    for (index, operand) in user.operands().into_iter().enumerate() {
        if operand == from {
            user.set_operand(index, to);
        }
    }
}

fn mark_load<'c>(module: &Module<'c>, builder: &Builder<'c>, load: Value<'c>, place: Place<'c>) {
    let bits = place.bits.unwrap_or_else(|| module.store_bytes(load.ty()).unwrap_or(8) * 8);
    let word = builder.word();
    let args = [place.ctx, place.offset, word.constant(place.skip), word.constant(bits)];
    let value = builder.call(Markers(module).load(), &args);
    load.replace_uses_with(builder.shift_left(builder.resize(value, load.ty()), place.position));
    load.erase();
}

fn mark_store<'c>(module: &Module<'c>, builder: &Builder<'c>, store: Value<'c>, place: Place<'c>) {
    let Some(value) = store.operand(0).filter(|value| place.holds(value.ty())) else {
        return;
    };
    let bits = place.bits.unwrap_or_else(|| module.store_bytes(value.ty()).unwrap_or(8) * 8);
    let word = builder.word();
    let value = builder.resize(builder.shift_right(value, place.position), word);
    let args = [place.ctx, place.offset, word.constant(place.skip), word.constant(bits), value];
    builder.call(Markers(module).store(), &args);
    store.erase();
}
