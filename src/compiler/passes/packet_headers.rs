// SPDX-License-Identifier: Apache-2.0
//! Whole packet headers: `struct ip_t copy = *ip;`, `*ip = copy;`, headers that are parameters and results.
//!
//! A variable of such a type is a plain structure in the host's order, so a copy from or to the packet takes every member
//! by itself. Here such copies become calls that name the header; [`super::packet`] replaces them when it is known which
//! of the two sides is the packet.

use std::collections::HashMap;

use super::packet_fields::{TAG, callee_name, in_memory, own_context};
use crate::compiler::ir::{Builder, Context, Module, Record, Value};

/// What the functions that stand for copies are called, before the header's name.
pub const COPY_HEADER: &str = "__bpflua_packet_header.";

/// Members of more bits than a word, and as many members as no header has, are nothing that is taken apart.
const MOST_BITS: u64 = 64;
const MOST_MEMBERS: usize = 4096;

/// The members of a header, arrays and inner structs taken apart: first bit and width of each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// In order, without gaps.
    pub members: Vec<(u64, u64)>,
}

impl Layout {
    /// Bytes of the whole header.
    pub fn bytes(&self) -> u64 {
        self.members.last().map_or(0, |(offset, bits)| (offset + bits).div_ceil(8))
    }

    /// The members in runs that begin and end with whole bytes; `None` when one is wider than a word.
    pub fn runs(&self) -> Option<Vec<&[(u64, u64)]>> {
        let (mut runs, mut start) = (Vec::new(), 0);
        for (index, (offset, bits)) in self.members.iter().enumerate() {
            if (offset + bits).is_multiple_of(8) {
                runs.push(&self.members[start..=index]);
                start = index + 1;
            }
        }
        let fits = |run: &&[(u64, u64)]| run_bits(run) <= MOST_BITS;
        (start == self.members.len() && runs.iter().all(fits)).then_some(runs)
    }
}

/// The bits of a run.
pub fn run_bits(run: &[(u64, u64)]) -> u64 {
    run.iter().map(|(_, bits)| bits).sum()
}

/// The headers that are copied, by name.
pub type Layouts = HashMap<String, Layout>;

/// A copy of a header that the text makes.
enum Copied<'c> {
    /// By a call that copies memory.
    Whole(Value<'c>),
    /// By handing it to a function as this argument.
    Argument(Value<'c>, usize),
}

/// Marks the copies in all functions.
pub fn mark<'c>(module: &Module<'c>, context: &'c Context) -> Layouts {
    let mut layouts = Layouts::new();
    for function in module.functions() {
        let copies: Vec<(Copied<'c>, String)> = function.instructions().into_iter().flat_map(copies_of).collect();
        if copies.is_empty() {
            continue;
        }
        let records: HashMap<String, Record> = function.tagged_records(context, TAG).into_iter().collect();
        for (copied, name) in copies {
            let Some(layout) = records.get(&name).and_then(|&record| layout(record)) else { continue };
            if replace(module, context, function, &copied, &name, layout.bytes()) {
                layouts.insert(name, layout);
            }
        }
    }
    layouts
}

/// The copies that a call makes, each with the struct's name.
fn copies_of(call: Value<'_>) -> Vec<(Copied<'_>, String)> {
    let Some(name) = callee_name(call) else { return Vec::new() };
    if name.starts_with("llvm.memcpy.") || name.starts_with("llvm.memmove.") {
        return copied_struct(call).map(|name| (Copied::Whole(call), name)).into_iter().collect();
    }
    let params = call.callee().map(Value::params).unwrap_or_default();
    let by_value = params.into_iter().enumerate().filter_map(|(index, param)| {
        let name = param.held_type()?.struct_name()?;
        let arg = call.call_args().get(index).copied()?;
        (!in_memory(arg)).then_some((Copied::Argument(call, index), name))
    });
    by_value.collect()
}

/// Puts a mark in place of a copy, unless it is not of the whole header.
fn replace<'c>(
    module: &Module<'c>,
    context: &'c Context,
    function: Value<'c>,
    copied: &Copied<'c>,
    name: &str,
    bytes: u64,
) -> bool {
    let pointer = module.pointer_type();
    let function_name = format!("{COPY_HEADER}{name}");
    let marker = || {
        module.function(&function_name).unwrap_or_else(|| {
            module.add_function(&function_name, module.function_type(module.int_type(64), &[pointer; 3]))
        })
    };
    let ctx = own_context(function, context).unwrap_or_else(|| pointer.zero());
    match *copied {
        Copied::Whole(call) => {
            let args = call.call_args();
            if args[2].as_constant() != Some(bytes) {
                return false;
            }
            Builder::before(context, call).call(marker(), &[ctx, args[0], args[1]]);
            call.erase();
        }
        Copied::Argument(call, index) => {
            let Some(first) = function.blocks().first().and_then(|block| block.first()) else { return false };
            let slot = Builder::before(context, first).stack_slot(bytes as u32);
            Builder::before(context, call).call(marker(), &[ctx, slot, call.call_args()[index]]);
            call.set_operand(index, slot);
        }
    }
    true
}

/// The struct that is copied, as far as one side says so.
fn copied_struct(call: Value<'_>) -> Option<String> {
    let args = call.call_args();
    args.iter().take(2).find_map(|arg| arg.held_type()?.struct_name())
}

fn layout(record: Record) -> Option<Layout> {
    let mut layout = Layout::default();
    collect(record, 0, &mut layout)?;
    layout.runs().is_some().then_some(layout)
}

fn collect(record: Record, base: u64, layout: &mut Layout) -> Option<()> {
    for index in 0..MOST_MEMBERS {
        let Some((_, bits, inner)) = record.member(index) else { return Some(()) };
        let at = base + bits.offset;
        match inner.filter(|_| bits.declared_bytes.is_none()) {
            Some(inner) if inner.is_record() => collect(inner, at, layout)?,
            Some(array) if array.element_bits().is_some() => {
                let each = array.element_bits().filter(|&each| each > 0)?;
                for element in 0..bits.size / each {
                    match array.element_record() {
                        Some(inner) => collect(inner, at + element * each, layout)?,
                        None => push(layout, at + element * each, each)?,
                    }
                }
            }
            _ => push(layout, at, bits.size)?,
        }
    }
    None
}

/// Adds a member; `None` for one that lies over others, as in a union, or is wider than a word.
fn push(layout: &mut Layout, offset: u64, bits: u64) -> Option<()> {
    let end = layout.members.last().map_or(0, |(offset, bits)| offset + bits);
    (offset == end && bits <= MOST_BITS && layout.members.len() < MOST_MEMBERS).then(|| {
        layout.members.push((offset, bits));
    })
}
