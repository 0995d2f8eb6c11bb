// SPDX-License-Identifier: Apache-2.0
//! Copies to the stack what a call wants in memory that the verifier follows, and has in other memory.
//!
//! `counts.lookup(&task->pid)`, `events.perf_submit(ctx, args, sizeof(*args))` and `memcmp(file->name, "x", 2)` mean the
//! same with a copy. BPF has no library either: what LLVM leaves as a call of `strncmp` is written out here.

use super::helpers::{self, PROBE_READ, PROBE_READ_KERNEL, PROBE_READ_USER};
use super::reads::{Reading, Reads, read_into};
use crate::compiler::ir::{Builder, Context, Opcode, Value};

/// The most that is copied; beyond, the verifier has its say.
const MOST_BYTES: u64 = 256;
/// The longest comparison of strings that is written out.
const MOST_COMPARED: u64 = 128;

/// An argument that has to lie in memory that the verifier follows.
struct Wanted {
    argument: usize,
    bytes: u64,
    /// The memory is a string, which may end before so many bytes.
    is_string: bool,
}

/// Copies what the calls of `function` want; `slot` is where the stack slots go.
pub fn make<'c>(reads: &Reads<'_, 'c>, function: Value<'c>, context: &'c Context) {
    let calls = function.instructions().into_iter().filter(|i| i.opcode() == Some(Opcode::LLVMCall));
    let mut pending = Vec::new();
    for call in calls {
        for wanted in wanted(call, context) {
            let address = call.call_args()[wanted.argument];
            if let Reading::Helper(helper) = reads.reading_for_helper(function, address)
                && (1..=MOST_BYTES).contains(&wanted.bytes)
            {
                pending.push((call, wanted, helper));
            }
        }
    }
    for (call, wanted, helper) in pending {
        copy(function, context, call, &wanted, helper);
    }
    let compared = function.instructions().into_iter().filter(|&i| name_of(i).as_deref() == Some("strncmp"));
    for call in compared.collect::<Vec<_>>() {
        compare(call, context);
    }
}

fn wanted<'c>(call: Value<'c>, context: &'c Context) -> Vec<Wanted> {
    let args = call.call_args();
    let constant = |index: usize| args.get(index).and_then(|v| v.as_constant()).unwrap_or(0);
    let sizes = || args.first().and_then(|map| map.map_sizes(context)).unwrap_or_default();
    let memory = |argument, bytes| Wanted { argument, bytes, is_string: false };
    match call.callee().and_then(helpers::number_of) {
        // map_lookup_elem, map_delete_elem
        Some(1 | 3) => vec![memory(1, sizes().key)],
        // map_update_elem
        Some(2) => vec![memory(1, sizes().key), memory(2, sizes().value)],
        // perf_event_output, ringbuf_output, map_push_elem, skb_store_bytes, strncmp
        Some(25) => vec![memory(3, constant(4))],
        Some(130) => vec![memory(1, constant(2))],
        Some(87) => vec![memory(1, sizes().value)],
        Some(9) => vec![memory(2, constant(3))],
        Some(182) => vec![Wanted { argument: 0, bytes: constant(1), is_string: true }],
        Some(_) => Vec::new(),
        None => match name_of(call).as_deref() {
            Some("memcmp" | "bcmp") => vec![memory(0, constant(2)), memory(1, constant(2))],
            Some("strncmp") => {
                (0..2).map(|argument| Wanted { argument, bytes: constant(2), is_string: true }).collect()
            }
            _ => Vec::new(),
        },
    }
}

/// The name of the function that is called, where it is one without a body.
fn name_of(call: Value<'_>) -> Option<String> {
    let callee = call.callee().filter(|callee| callee.is_function() && callee.blocks().is_empty())?;
    Some(callee.name())
}

fn copy<'c>(function: Value<'c>, context: &'c Context, call: Value<'c>, wanted: &Wanted, helper: u32) {
    let Some(first) = function.blocks().first().and_then(|block| block.first()) else { return };
    let slot = Builder::before(context, first).stack_slot(wanted.bytes as u32);
    let builder = Builder::before(context, call);
    let helper = if wanted.is_string { string_reader(helper) } else { helper };
    read_into(&builder, helper, slot, wanted.bytes, call.call_args()[wanted.argument]);
    call.set_operand(wanted.argument, slot);
}

/// The helper that reads a string where `helper` reads bytes.
fn string_reader(helper: u32) -> u32 {
    match helper {
        PROBE_READ_USER => 114,
        PROBE_READ_KERNEL => 115,
        PROBE_READ => 45,
        other => other,
    }
}

/// Writes out a comparison of at most so many characters, from the last one back: each decides unless it is equal and no
/// end.
fn compare<'c>(call: Value<'c>, context: &'c Context) {
    let args = call.call_args();
    let [left, right, count] = args.as_slice() else { return };
    let Some(count) = count.as_constant().filter(|&count| count <= MOST_COMPARED) else { return };
    let builder = Builder::before(context, call);
    let zero = builder.half().constant(0);
    let mut result = zero;
    for index in (0..count).rev() {
        let character = |string: Value<'c>| {
            builder.widen(builder.load(builder.byte(), builder.offset(string, index as i64)), builder.half())
        };
        let (a, b) = (character(*left), character(*right));
        let difference = builder.subtract(a, b);
        let rest = builder.select(builder.equal(a, zero), zero, result);
        result = builder.select(builder.equal(difference, zero), rest, difference);
    }
    call.replace_uses_with(result);
    call.erase();
}
