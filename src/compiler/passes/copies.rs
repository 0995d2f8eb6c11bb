// SPDX-License-Identifier: Apache-2.0
//! Copies to the stack what a call wants in memory that the verifier follows, and has in other memory.
//!
//! `counts.lookup(&task->pid)`, `events.perf_submit(ctx, args, sizeof(*args))` and `memcmp(file->name, "x", 2)` mean the
//! same with a copy.

use super::helpers::{self, PROBE_READ, PROBE_READ_KERNEL, PROBE_READ_USER};
use super::reads::{Reading, Reads, read_into};
use super::{refusal, strings};
use crate::compiler::diagnostic::Diagnostic;
use crate::compiler::ir::{Builder, Context, Module, Opcode, Value};

/// The most that is copied; beyond, the verifier has its say.
const MOST_BYTES: u64 = 256;
/// What LLVM makes of `memcmp`.
const MEMORY_COMPARISONS: [&str; 2] = ["memcmp", "bcmp"];

/// An argument that has to lie in memory that the verifier follows.
struct Wanted {
    argument: usize,
    bytes: u64,
    /// The memory is a string, which may end before so many bytes. Its copy has an end, so it is one byte longer.
    is_string: bool,
}

impl Wanted {
    fn copied(&self) -> u64 {
        self.bytes + u64::from(self.is_string)
    }
}

/// Copies what the calls of `function` want. Memory that is compared has to be copied; what else cannot be is left to the
/// verifier.
pub fn make<'c>(
    reads: &Reads<'_, 'c>,
    function: Value<'c>,
    context: &'c Context,
    file: &str,
) -> Result<(), Diagnostic> {
    let calls = function.instructions().into_iter().filter(|i| i.opcode() == Some(Opcode::LLVMCall));
    let mut pending = Vec::new();
    for call in calls {
        for wanted in wanted(call, context) {
            let address = call.call_args()[wanted.argument];
            let Reading::Helper(helper) = reads.reading_for_helper(function, address) else { continue };
            if (1..=MOST_BYTES).contains(&wanted.bytes) {
                pending.push((call, wanted, helper));
            } else if strings::name_of(call).is_some_and(|name| MEMORY_COMPARISONS.contains(&name.as_str())) {
                let words = format!("`memcmp` of kernel memory takes a constant number of bytes, up to {MOST_BYTES}");
                return Err(refusal::at(call, file, words));
            }
        }
    }
    let mut ended = Vec::new();
    for one in &pending {
        copy(reads.module(), function, context, one, &mut ended);
    }
    for (call, span) in ended {
        if let Some(next) = call.next() {
            Builder::before(context, next).call(lifetime(reads.module(), "end"), &span);
        }
    }
    strings::write_out(reads.module(), function, context);
    Ok(())
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
        None => match (strings::comparison(call), strings::name_of(call)) {
            (Some(compared), _) => {
                (0..2).map(|argument| Wanted { argument, bytes: compared.count, is_string: true }).collect()
            }
            (None, Some(name)) if MEMORY_COMPARISONS.contains(&name.as_str()) => {
                vec![memory(0, constant(2)), memory(1, constant(2))]
            }
            _ => Vec::new(),
        },
    }
}

/// A call, and the size and address of what it no longer needs afterwards.
type Ended<'c> = (Value<'c>, [Value<'c>; 2]);

fn copy<'c>(
    module: &Module<'c>,
    function: Value<'c>,
    context: &'c Context,
    (call, wanted, helper): &(Value<'c>, Wanted, u32),
    ended: &mut Vec<Ended<'c>>,
) {
    let (call, helper) = (*call, *helper);
    let Some(first) = function.blocks().first().and_then(|block| block.first()) else { return };
    let slot = Builder::before(context, first).stack_slot(wanted.copied() as u32);
    let builder = Builder::before(context, call);
    let helper = if wanted.is_string { string_reader(helper) } else { helper };
    // Copies of different calls may share the stack.
    let span = [builder.word().constant(wanted.copied().next_multiple_of(8)), slot];
    builder.call(lifetime(module, "start"), &span);
    read_into(&builder, helper, slot, wanted.copied(), call.call_args()[wanted.argument]);
    call.set_operand(wanted.argument, slot);
    ended.push((call, span));
}

fn lifetime<'c>(module: &Module<'c>, what: &str) -> Value<'c> {
    let name = format!("llvm.lifetime.{what}.p0");
    module.function(&name).unwrap_or_else(|| {
        let params = [module.int_type(64), module.pointer_type()];
        module.add_function(&name, module.function_type(module.void_type(), &params))
    })
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
