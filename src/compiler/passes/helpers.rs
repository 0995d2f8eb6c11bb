// SPDX-License-Identifier: Apache-2.0
//! What the passes have to know of the kernel's helpers, by their numbers in `enum bpf_func_id`.

use crate::compiler::ir::{Opcode, Value};

/// Reads user or kernel memory, whichever the address is of (x86-64 and arm64 keep them apart).
pub const PROBE_READ: u32 = 4;
/// Reads user memory.
pub const PROBE_READ_USER: u32 = 112;
/// Reads kernel memory.
pub const PROBE_READ_KERNEL: u32 = 113;

/// What a helper returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Returned {
    /// A number.
    Number,
    /// Kernel memory that the verifier does not follow.
    Kernel,
    /// Memory that the verifier follows, or NULL.
    Memory,
    /// An object of this type.
    Object(&'static str),
    /// What its first argument is.
    First,
}

/// What helper `number` returns.
pub fn returned(number: u64) -> Returned {
    match number {
        // get_current_task
        35 => Returned::Kernel,
        // map_lookup_elem, get_local_storage, sk_lookup_tcp, sk_lookup_udp, sk_fullsock, tcp_sock, get_listener_sock,
        // skc_lookup_tcp, sk_storage_get, ringbuf_reserve, inode_storage_get, task_storage_get, kptr_xchg,
        // map_lookup_percpu_elem, dynptr_data, cgrp_storage_get
        1 | 81 | 84 | 85 | 95 | 96 | 98 | 99 | 107 | 131 | 145 | 156 | 194 | 195 | 203 | 210 => Returned::Memory,
        // skc_to_*
        136 => Returned::Object("tcp6_sock"),
        137 => Returned::Object("tcp_sock"),
        138 => Returned::Object("tcp_timewait_sock"),
        139 => Returned::Object("tcp_request_sock"),
        140 => Returned::Object("udp6_sock"),
        178 => Returned::Object("unix_sock"),
        196 => Returned::Object("mptcp_sock"),
        // get_current_task_btf, sock_from_file, task_pt_regs
        158 => Returned::Object("task_struct"),
        162 => Returned::Object("socket"),
        175 => Returned::Object("pt_regs"),
        // per_cpu_ptr, this_cpu_ptr
        153 | 154 => Returned::First,
        _ => Returned::Number,
    }
}

/// Whether helper `number` only reads the memory that it is given. All others may write it.
pub fn only_reads(number: u64) -> bool {
    // map_lookup_elem, map_update_elem, map_delete_elem, trace_printk, perf_event_output, push_elem, sk_storage_get,
    // ringbuf_output, inode_storage_get, task_storage_get, for_each_map_elem, find_vma, loop, strncmp
    matches!(number, 1 | 2 | 3 | 6 | 25 | 87 | 107 | 130 | 145 | 156 | 164 | 180 | 181 | 182)
}

/// What the memory that a helper writes holds then.
pub fn writes_user_values(number: u64) -> bool {
    // probe_read_user, copy_from_user, copy_from_user_task
    matches!(number, 112 | 148 | 191)
}

/// What calls back: the argument that is the function, and where each of the function's parameters comes from.
pub struct Callback {
    /// The argument that is the function.
    pub function: usize,
    /// For each parameter.
    pub params: &'static [Param],
}

/// Where a parameter of a callback comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Param {
    /// An argument of the call.
    Argument(usize),
    /// Memory that the verifier follows.
    Memory,
    /// An object of this type.
    Object(&'static str),
    /// A number.
    Number,
}

const MAP_ELEMENT: &[Param] = &[Param::Memory, Param::Memory, Param::Memory];

/// How helper `number` calls back, if it does.
pub fn callback(number: u64) -> Option<Callback> {
    use Param::{Argument, Memory, Number, Object};
    let (function, params): (usize, &'static [Param]) = match number {
        // for_each_map_elem(map, function, ctx, flags)
        164 => (1, &[Memory, Memory, Memory, Argument(2)]),
        // timer_set_callback(timer, function)
        170 => (1, MAP_ELEMENT),
        // find_vma(task, address, function, ctx, flags)
        180 => (2, &[Object("task_struct"), Object("vm_area_struct"), Argument(3)]),
        // loop(count, function, ctx, flags)
        181 => (1, &[Number, Argument(2)]),
        // user_ringbuf_drain(map, function, ctx, flags)
        209 => (1, &[Memory, Argument(2)]),
        _ => return None,
    };
    Some(Callback { function, params })
}

/// The number of the helper that is called through `callee`.
pub fn number_of(callee: Value<'_>) -> Option<u64> {
    match callee.opcode()? {
        Opcode::LLVMIntToPtr => callee.operand(0)?.as_constant(),
        _ => None,
    }
}
