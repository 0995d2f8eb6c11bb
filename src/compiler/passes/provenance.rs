// SPDX-License-Identifier: Apache-2.0
//! Where a pointer comes from, and so how the kernel lets a program follow it.
//!
//! The verifier follows few pointers itself: the stack, map values, globals, the context, what some helpers return, and
//! BTF-typed ones. Every other pointer is a number to it. So the question is asked the other way round: a pointer that
//! comes from none of those is kernel memory, or user memory in a probe of user space.

use std::collections::HashSet;

use super::program::Kind;
use crate::compiler::ir::{Opcode, Value};

/// What may be done with a pointer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provenance {
    /// The verifier follows it.
    Direct,
    /// Kernel memory: only by `bpf_probe_read_kernel`.
    Kernel,
    /// User memory: only by `bpf_probe_read_user`.
    User,
}

/// Helpers, by number in the kernel's `enum bpf_func_id`, that return a pointer the verifier knows.
const RETURN_DIRECT: &[u64] = &[
    1,  // map_lookup_elem
    81, // get_local_storage
    84, 85, 99, // sk_lookup_tcp, sk_lookup_udp, skc_lookup_tcp
    95, 96, 98,  // sk_fullsock, tcp_sock, get_listener_sock
    107, // sk_storage_get
    131, // ringbuf_reserve
    136, 137, 138, 139, 140, 196, // skc_to_*
    145, // inode_storage_get
    153, 154, // per_cpu_ptr, this_cpu_ptr
    156, // task_storage_get
    158, // get_current_task_btf
    162, // sock_from_file
    175, // task_pt_regs
    194, // kptr_xchg
    195, // map_lookup_percpu_elem
    203, // dynptr_data
    210, // cgrp_storage_get
];
const GET_CURRENT_TASK: u64 = 35;
const PROBE_READ_USER: u64 = 112;
/// probe_read, probe_read_kernel: what they wrote are kernel values.
const PROBE_READ_KERNEL: &[u64] = &[4, 113];

/// Answers for the pointers of one function.
pub struct Provenances {
    kind: Kind,
    /// What a pointer from the context, or from memory that tells nothing, is.
    unknown: Provenance,
}

impl Provenances {
    /// For a function of a program of this kind.
    pub fn of(kind: Kind) -> Self {
        let unknown = match kind {
            Kind::Uprobe => Provenance::User,
            _ => Provenance::Kernel,
        };
        Provenances { kind, unknown }
    }

    /// How `pointer` may be followed.
    pub fn of_pointer(&self, pointer: Value<'_>) -> Provenance {
        self.trace(pointer, &mut HashSet::new()).unwrap_or(Provenance::Direct)
    }

    /// `None` for values that say nothing: constants, and values met before.
    fn trace<'c>(&self, value: Value<'c>, seen: &mut HashSet<Value<'c>>) -> Option<Provenance> {
        if !seen.insert(value) {
            return None;
        }
        if value.is_global() || value.is_function() || value.is_argument() {
            return Some(Provenance::Direct);
        }
        let opcode = value.opcode()?;
        let operands = value.operands();
        match opcode {
            Opcode::LLVMAlloca => Some(Provenance::Direct),
            Opcode::LLVMCall => self.of_call(value, seen),
            Opcode::LLVMLoad => self.of_loaded(*operands.first()?, seen),
            Opcode::LLVMGetElementPtr | Opcode::LLVMSub | Opcode::LLVMAnd => self.trace(*operands.first()?, seen),
            Opcode::LLVMIntToPtr if operands.first().is_some_and(|v| v.as_constant().is_some_and(|n| n != 0)) => {
                Some(self.unknown)
            }
            Opcode::LLVMSelect => self.join(&operands[1..], seen),
            Opcode::LLVMICmp => None,
            // Additions, casts, phis and the like: whichever operand is a pointer decides.
            _ => self.join(&operands, seen),
        }
    }

    /// The provenance of a value that may be any of `values`. A read by helper serves kernel and direct pointers alike.
    fn join<'c>(&self, values: &[Value<'c>], seen: &mut HashSet<Value<'c>>) -> Option<Provenance> {
        let mut joined = None;
        for &value in values {
            let next = self.trace(value, seen);
            joined = match (joined, next) {
                (None, other) | (other, None) => other,
                (Some(Provenance::Direct), Some(other)) | (Some(other), Some(Provenance::Direct)) => Some(other),
                (Some(left), Some(right)) if left == right => Some(left),
                _ => Some(self.unknown),
            };
        }
        joined
    }

    fn of_call<'c>(&self, call: Value<'c>, seen: &mut HashSet<Value<'c>>) -> Option<Provenance> {
        let callee = call.callee()?;
        if callee.is_function() {
            // `llvm.bpf.passthrough` hands its argument on; a function of the program's returns what the verifier tracks.
            if callee.name().starts_with("llvm.bpf.passthrough") {
                return self.trace(*call.call_args().get(1)?, seen);
            }
            return Some(Provenance::Direct);
        }
        if callee.is_inline_asm() {
            // `barrier_var(p)` hands `p` on.
            return self.join(&call.call_args(), seen);
        }
        match helper_number(callee) {
            Some(number) if RETURN_DIRECT.contains(&number) => Some(Provenance::Direct),
            Some(GET_CURRENT_TASK) => Some(Provenance::Kernel),
            _ => Some(self.unknown),
        }
    }

    /// The provenance of a pointer that was read from `address`.
    fn of_loaded<'c>(&self, address: Value<'c>, seen: &mut HashSet<Value<'c>>) -> Option<Provenance> {
        match self.trace(address, seen)? {
            Provenance::Kernel if self.kind == Kind::Syscall => Some(Provenance::User),
            Provenance::Kernel => Some(Provenance::Kernel),
            Provenance::User => Some(Provenance::User),
            // The first argument is what may be written; no other comes from the context's very start.
            Provenance::Direct if self.kind == Kind::WritableTracepoint && address.is_argument() => {
                Some(Provenance::Direct)
            }
            Provenance::Direct => Some(self.of_direct_memory(base(address), seen)),
        }
    }

    /// The provenance of a pointer kept in memory that the program may read: context, stack, map value, global.
    fn of_direct_memory<'c>(&self, base: Value<'c>, seen: &mut HashSet<Value<'c>>) -> Provenance {
        if base.is_argument() {
            return match self.kind {
                Kind::Btf | Kind::Packet => Provenance::Direct,
                _ => self.unknown,
            };
        }
        if base.is_global() {
            // LLVM's own globals hold the offsets that the loader relocates.
            return if base.name().starts_with("llvm.") { Provenance::Direct } else { self.unknown };
        }
        match base.opcode() {
            Some(Opcode::LLVMAlloca) => self.of_slot(base, seen),
            // What a BTF pointer points to is BTF-typed again; a map value holds numbers.
            Some(Opcode::LLVMLoad) if matches!(self.kind, Kind::Btf | Kind::Packet) => Provenance::Direct,
            Some(Opcode::LLVMCall) if returns_btf(base) => Provenance::Direct,
            _ => self.unknown,
        }
    }

    /// The provenance of a pointer kept in a stack slot: that of what was put there.
    fn of_slot<'c>(&self, slot: Value<'c>, seen: &mut HashSet<Value<'c>>) -> Provenance {
        let mut found = None;
        let mut pending = vec![slot];
        let mut visited = HashSet::new();
        while let Some(address) = pending.pop().filter(|&address| visited.insert(address)) {
            for user in address.users() {
                let written = match user.opcode() {
                    Some(Opcode::LLVMGetElementPtr) => {
                        pending.push(user);
                        None
                    }
                    Some(Opcode::LLVMStore) if user.operand(1) == Some(address) => {
                        user.operand(0).and_then(|value| self.trace(value, seen))
                    }
                    Some(Opcode::LLVMCall) => self.written_by_call(user, address),
                    _ => None,
                };
                found = match (found, written) {
                    (None, other) | (other, None) => other,
                    (Some(left), Some(right)) if left == right => Some(left),
                    (Some(Provenance::Direct), Some(other)) | (Some(other), Some(Provenance::Direct)) => Some(other),
                    _ => Some(self.unknown),
                };
            }
        }
        found.unwrap_or(self.unknown)
    }

    fn written_by_call(&self, call: Value<'_>, address: Value<'_>) -> Option<Provenance> {
        if call.call_args().first() != Some(&address) {
            return None;
        }
        match helper_number(call.callee()?)? {
            PROBE_READ_USER => Some(Provenance::User),
            number if PROBE_READ_KERNEL.contains(&number) => Some(Provenance::Kernel),
            _ => None,
        }
    }
}

/// The number of the helper that is called through `callee`.
pub fn helper_number(callee: Value<'_>) -> Option<u64> {
    match callee.opcode()? {
        Opcode::LLVMIntToPtr => callee.operand(0)?.as_constant(),
        _ => None,
    }
}

fn returns_btf(call: Value<'_>) -> bool {
    const BTF: &[u64] = &[136, 137, 138, 139, 140, 158, 162, 175, 196];
    call.callee().is_some_and(|callee| callee.is_function() || helper_number(callee).is_some_and(|n| BTF.contains(&n)))
}

/// The object that an address lies in.
fn base(address: Value<'_>) -> Value<'_> {
    let mut value = address;
    while value.opcode() == Some(Opcode::LLVMGetElementPtr) {
        match value.operand(0) {
            Some(next) => value = next,
            None => break,
        }
    }
    value
}
