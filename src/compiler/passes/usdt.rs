// SPDX-License-Identifier: Apache-2.0
//! Tells the programs that read arguments of USDT probes from kprobes: both are functions on `struct pt_regs`.

use super::program::{Kind, Program};
use crate::compiler::ir::Module;

/// The map that every reading goes through (`bpf-include/bpflua/usdt.h`).
const RECORDS: &str = "__bpflua_usdt_records";
/// Words of the user's text that mean it needs that header.
const MENTIONS: [&str; 2] = ["bpf_usdt_", "BPF_USDT"];

/// Whether a text reads arguments of USDT probes.
pub fn is_mentioned(text: &str) -> bool {
    MENTIONS.iter().any(|word| text.contains(word))
}

/// Makes probes of user space of the programs that read such arguments, whatever they would be otherwise.
pub fn recognise(module: &Module<'_>, programs: &mut [Program<'_>]) {
    let Some(records) = module.global(RECORDS) else { return };
    for program in programs.iter_mut().filter(|program| program.kind == Kind::Kprobe) {
        let instructions = program.function.instructions();
        if instructions.iter().any(|instruction| instruction.operands().contains(&records)) {
            program.kind = Kind::Uprobe;
        }
    }
}
