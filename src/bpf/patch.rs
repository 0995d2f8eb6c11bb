// SPDX-License-Identifier: Apache-2.0
//! What the compiler leaves open in a program until its target is known, and what it could say otherwise.

use super::sys::prog::Insn;
use super::usdt_records::{MAX_ARGUMENTS, argument_offset};

const MOVE_32: u8 = 0xb4;
const MOVE_64: u8 = 0xb7;
const LOAD_IMMEDIATE_64: u8 = 0x18;

/// `r = *(u64 *)(r + off)`
const LOAD_64: u8 = 0x79;
/// The offset that stands for "the return value's", which is 8 times the number of arguments of the target.
const RETURN_VALUE_OFFSET: i16 = 0x7ff8;
/// The immediate that stands for the system call's number.
const SYSCALL_NUMBER: i32 = 0x7b9f_10a5;
/// The immediate that stands for the number of a USDT record (`bpf-include/bpflua/usdt.h`).
const USDT_RECORD_NUMBER: i32 = 0x75d7_0100;
/// The immediate, plus the argument's number from 1, that stands for the argument's offset in the record.
const USDT_ARGUMENT_OFFSET: i32 = 0x75d7_0200;

/// The immediate that stands for whether this process reads the ring buffers (`bpf-include/bpflua/map_output.h`).
const BATCHED_WAKEUPS: i32 = 0x75d7_0300;

/// Makes programs wake the reader of a ring buffer once per batch: our loop looks by itself at what is less.
pub fn batch_wakeups(insns: &mut [Insn]) -> usize {
    each(insns, |insn| insn.code == MOVE_64 && insn.imm == BATCHED_WAKEUPS, |insn| insn.imm = 1)
}

/// Makes every load of the return value in an fexit program find it, in a target with this many arguments.
pub fn set_return_value(insns: &mut [Insn], arguments: usize) -> usize {
    let Ok(offset) = i16::try_from(arguments * 8) else { return 0 };
    each(insns, |insn| insn.code == LOAD_64 && insn.off == RETURN_VALUE_OFFSET, |insn| insn.off = offset)
}

/// Puts the system call's number into the guard of a `sys_enter` or `sys_exit` program.
pub fn set_syscall_number(insns: &mut [Insn], number: u32) -> usize {
    each(insns, |insn| insn.imm == SYSCALL_NUMBER, |insn| insn.imm = number as i32)
}

/// Makes moves of small constants into half a register moves into all of it: the same to the kernel, which clears the
/// other half anyway, and what bcc's programs consist of: `return 1` is `r0 = 1` in the dumps that scripts compare.
pub fn widen_constants(insns: &mut [Insn]) -> usize {
    let mut is_upper = false;
    let mut widened = 0;
    for insn in insns {
        // The second half of a 64-bit load is no instruction.
        if !is_upper && insn.code == MOVE_32 && insn.imm >= 0 {
            insn.code = MOVE_64;
            widened += 1;
        }
        is_upper = !is_upper && insn.code == LOAD_IMMEDIATE_64;
    }
    widened
}

/// Which arguments of a USDT probe a program reads, counted from 1; `None` when it asks for nothing of the probe.
pub fn usdt_arguments(insns: &[Insn]) -> Option<Vec<usize>> {
    let sets = |insn: &&Insn| insn.code == MOVE_64;
    let reads = insns.iter().filter(sets).any(|insn| insn.imm == USDT_RECORD_NUMBER);
    let mut read: Vec<usize> =
        insns.iter().filter(sets).filter_map(|insn| usdt_argument(insn.imm)).map(|index| index + 1).collect();
    read.sort_unstable();
    read.dedup();
    reads.then_some(read)
}

/// Makes a program read the record with this number; without one, the record that the attachment's cookie names.
pub fn set_usdt_record(insns: &mut [Insn], record: Option<u32>) {
    let number = record.map_or(-1, |record| record as i32);
    let sets = |insn: &Insn, imm: i32| insn.code == MOVE_64 && insn.imm == imm;
    each(insns, |insn| sets(insn, USDT_RECORD_NUMBER), |insn| insn.imm = number);
    for index in 0..MAX_ARGUMENTS {
        let imm = USDT_ARGUMENT_OFFSET + index as i32 + 1;
        each(insns, |insn| sets(insn, imm), |insn| insn.imm = argument_offset(index) as i32);
    }
}

/// The argument, from 0, for whose offset this number stands.
fn usdt_argument(imm: i32) -> Option<usize> {
    let number = usize::try_from(imm.checked_sub(USDT_ARGUMENT_OFFSET)?).ok()?;
    (1..=MAX_ARGUMENTS).contains(&number).then(|| number - 1)
}

/// Changes the instructions that `wanted` says and returns how many they were.
fn each(insns: &mut [Insn], wanted: impl Fn(&Insn) -> bool, change: impl Fn(&mut Insn)) -> usize {
    insns.iter_mut().filter(|insn| wanted(insn)).map(change).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_constants_fill_their_registers() {
        let insn = |code, imm| Insn { code, regs: 0, off: 0, imm };
        // The value of the wide load looks like a move, and is none.
        let mut insns =
            [insn(MOVE_32, 1), insn(MOVE_32, -1), insn(LOAD_IMMEDIATE_64, 0), insn(MOVE_32, 5), insn(MOVE_32, 5)];
        assert_eq!(widen_constants(&mut insns), 2);
        let codes: Vec<u8> = insns.iter().map(|insn| insn.code).collect();
        assert_eq!(codes, [MOVE_64, MOVE_32, LOAD_IMMEDIATE_64, MOVE_32, MOVE_64]);
    }

    #[test]
    fn placeholders_are_filled_in_and_nothing_else() {
        let mut insns = [
            Insn { code: LOAD_64, regs: 0x16, off: 0x7ff8, imm: 0 },
            Insn { code: LOAD_64, regs: 0x16, off: 8, imm: 0 },
            Insn { code: 0x7b, regs: 0x16, off: 0x7ff8, imm: 0 },
            Insn { code: 0x56, regs: 1, off: 3, imm: 0x7b9f_10a5 },
        ];
        let before = insns;
        assert_eq!(set_return_value(&mut insns, 3), 1);
        assert_eq!(insns[0].off, 24);
        assert_eq!(insns[1..], before[1..]);
        assert_eq!(set_syscall_number(&mut insns, 56), 1);
        assert_eq!(insns[3].imm, 56);
    }

    #[test]
    fn wake_ups_are_batched_where_the_text_leaves_it_open() {
        let set = |code, imm| Insn { code, regs: 1, off: 0, imm };
        let mut insns = [set(MOVE_64, BATCHED_WAKEUPS), set(MOVE_32, BATCHED_WAKEUPS), set(MOVE_64, 7)];
        assert_eq!(batch_wakeups(&mut insns), 1);
        assert_eq!(insns.map(|insn| insn.imm), [1, BATCHED_WAKEUPS, 7]);
    }

    #[test]
    fn usdt_placeholders() {
        let set = |imm| Insn { code: MOVE_64, regs: 1, off: 0, imm };
        let other = Insn { code: 0xb4, ..set(USDT_RECORD_NUMBER) };
        let mut insns = [set(USDT_RECORD_NUMBER), set(0x75d7_0203), set(0x75d7_0201), set(0x75d7_0203), set(7), other];
        assert_eq!(usdt_arguments(&insns), Some(vec![1, 3]));
        set_usdt_record(&mut insns, Some(9));
        assert_eq!(insns.map(|insn| insn.imm), [9, 48, 16, 48, 7, USDT_RECORD_NUMBER]);
        assert_eq!(usdt_arguments(&insns), None);
        let mut insns = [set(USDT_RECORD_NUMBER)];
        set_usdt_record(&mut insns, None);
        assert_eq!(insns[0].imm, -1);
    }
}
