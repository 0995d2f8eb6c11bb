// SPDX-License-Identifier: Apache-2.0
//! The few BPF instructions that the probes' programs are made of.

use crate::kernel::sys::bpf::Insn;

/// A register.
#[derive(Clone, Copy)]
pub(super) struct Register(pub(super) u8);

pub(super) const R0: Register = Register(0);
pub(super) const R1: Register = Register(1);
pub(super) const R2: Register = Register(2);
pub(super) const R3: Register = Register(3);
pub(super) const R4: Register = Register(4);
pub(super) const R5: Register = Register(5);
/// The frame pointer.
pub(super) const FP: Register = Register(10);

/// Says in a load of 64 bits that it is the address of the map with this descriptor.
const PSEUDO_MAP: Register = Register(1);
/// Says in a load of 64 bits that the lower half is a map's descriptor and the upper an offset in its value.
const PSEUDO_MAP_VALUE: Register = Register(2);

fn insn(opcode: u8, destination: Register, source: Register, immediate: i32) -> Insn {
    let registers =
        if cfg!(target_endian = "little") { source.0 << 4 | destination.0 } else { destination.0 << 4 | source.0 };
    let value = immediate.to_ne_bytes();
    [opcode, registers, 0, 0, value[0], value[1], value[2], value[3]]
}

/// `destination = value`
pub(super) fn set(destination: Register, value: i32) -> Insn {
    insn(0xb7, destination, R0, value)
}

/// `destination = source`
pub(super) fn copy(destination: Register, source: Register) -> Insn {
    insn(0xbf, destination, source, 0)
}

/// `destination += value`
pub(super) fn add(destination: Register, value: i32) -> Insn {
    insn(0x07, destination, R0, value)
}

/// `r0 = helper(r1, …)`
pub(super) fn call(helper: i32) -> Insn {
    insn(0x85, R0, R0, helper)
}

/// `destination = the address of the value of an array map's first entry`, two instructions long.
pub(super) fn map_value(destination: Register, map_fd: i32) -> [Insn; 2] {
    [insn(0x18, destination, PSEUDO_MAP_VALUE, map_fd), insn(0, R0, R0, 0)]
}

/// `destination = the map`, two instructions long.
pub(super) fn map(destination: Register, map_fd: i32) -> [Insn; 2] {
    [insn(0x18, destination, PSEUDO_MAP, map_fd), insn(0, R0, R0, 0)]
}

/// `*(u64 *)(fp - 8) = value`
pub(super) fn store_on_stack(value: i32) -> Insn {
    let [opcode, registers, _, _, value @ ..] = insn(0x7a, FP, R0, value);
    let [low, high] = (-8_i16).to_ne_bytes();
    [opcode, registers, low, high, value[0], value[1], value[2], value[3]]
}

/// `*(u32 *)(destination + 0) = value`
pub(super) fn store_u32(destination: Register, value: i32) -> Insn {
    insn(0x62, destination, R0, value)
}

/// `return r0`
pub(super) fn exit() -> Insn {
    insn(0x95, R0, R0, 0)
}

/// `return 0`, the whole of a program.
pub(super) fn return_zero() -> [Insn; 2] {
    [set(R0, 0), exit()]
}
