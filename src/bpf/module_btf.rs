// SPDX-License-Identifier: Apache-2.0
//! The BTF of kernel modules in programs: of those whose functions a program calls, and whose symbols it takes the address
//! of. libbpf finds them, but its descriptors are closed with the object.

use std::os::fd::{AsRawFd as _, OwnedFd, RawFd};

use libbpf_rs::OpenObject;

use super::sys;
use super::sys::object::{self as raw, RawProgram};
use super::sys::prog::Insn;
use crate::error::{Error, Result};
use crate::kernel::btf::{Btf, Kind};

/// What libbpf says of each function that is none of the text's own: `NAME': resolved to MODULE [ID]`. Only that tells
/// which module the numbers in calls stand for: they count the modules from 1, in the order in which they are found.
const FOUND: &str = "extern (func ksym) '";
/// The section of what a text declares `__ksym`.
const EXTERNALS: &str = ".ksyms";
const RESOLVED: &str = "': resolved to ";
/// The kernel itself, as libbpf calls it.
const KERNEL: &str = "vmlinux";

const LOAD_IMMEDIATE_64: u8 = 0x18;
const CALL: u8 = 0x85;

/// The beginning of what libbpf tells of functions that an object has not itself; `None` when there are none.
pub fn told_about(types: &Btf) -> Option<&'static str> {
    types.find(Kind::Datasec, EXTERNALS).map(|_| FOUND)
}

/// Descriptors of the BTF of kernel modules.
#[derive(Debug, Default)]
pub struct ModuleBtf {
    /// By the numbers in calls; the first is not used.
    array: Vec<RawFd>,
    _open: Vec<OwnedFd>,
}

impl ModuleBtf {
    /// Opens what the relocated programs of a prepared object name, and has addresses name the new descriptors. What
    /// libbpf said of functions that it found is taken out of `messages`.
    pub fn keep(object: &OpenObject, programs: &mut [RawProgram], messages: &mut Vec<String>) -> Result<ModuleBtf> {
        let modules = take_modules(messages);
        let what = || "cannot keep the BTF of kernel modules".to_owned();
        let mut open = Vec::new();
        let mut renumber: Vec<(RawFd, RawFd)> = Vec::new();
        for old in programs.iter().flat_map(|program| addresses(&program.insns)) {
            if !renumber.iter().any(|(known, _)| *known == old) {
                let fd = raw::duplicate(object, old).map_err(|err| Error::io(what(), &err))?;
                renumber.push((old, fd.as_raw_fd()));
                open.push(fd);
            }
        }
        programs.iter_mut().for_each(|program| renumber_addresses(&mut program.insns, &renumber));
        let mut array = Vec::new();
        if programs.iter().any(|program| calls_modules(&program.insns)) {
            array.push(0);
            for module in modules {
                let fd = sys::btf::open_kernel_module(&module)
                    .map_err(|err| Error::io(format!("cannot open the BTF of kernel module `{module}`"), &err))?;
                array.push(fd.as_raw_fd());
                open.push(fd);
            }
        }
        Ok(ModuleBtf { array, _open: open })
    }

    /// The descriptors by the numbers in calls; empty when no program calls a function of a module.
    pub fn array(&self) -> &[RawFd] {
        &self.array
    }
}

/// The kernel modules in the order of their numbers.
fn take_modules(messages: &mut Vec<String>) -> Vec<String> {
    let mut modules: Vec<String> = Vec::new();
    messages.retain(|line| {
        let Some((_, found)) = line.strip_prefix(FOUND).and_then(|rest| rest.split_once(RESOLVED)) else { return true };
        let module = found.split(' ').next().unwrap_or_default();
        if module != KERNEL && !modules.iter().any(|known| known == module) {
            modules.push(module.to_owned());
        }
        false
    });
    modules
}

fn calls_modules(insns: &[Insn]) -> bool {
    let is_call = |insn: &Insn| insn.code == CALL && u32::from(insn.src()) == libbpf_sys::BPF_PSEUDO_KFUNC_CALL;
    insns.iter().any(|insn| is_call(insn) && insn.off != 0)
}

/// Where the descriptors of modules' BTF stand in loads of addresses: in the second half.
fn address_places(insns: &[Insn]) -> impl Iterator<Item = usize> {
    let is_address =
        |insn: &Insn| insn.code == LOAD_IMMEDIATE_64 && u32::from(insn.src()) == libbpf_sys::BPF_PSEUDO_BTF_ID;
    // The second half of a load has the operation code 0: it is never taken for a first one.
    (1..insns.len()).filter(move |&at| is_address(&insns[at - 1]) && insns[at].imm != 0)
}

fn addresses(insns: &[Insn]) -> impl Iterator<Item = RawFd> {
    address_places(insns).map(|at| insns[at].imm)
}

fn renumber_addresses(insns: &mut [Insn], old_to_new: &[(RawFd, RawFd)]) {
    let places: Vec<usize> = address_places(insns).collect();
    for at in places {
        let new = old_to_new.iter().find(|(old, _)| *old == insns[at].imm);
        insns[at].imm = new.map_or(insns[at].imm, |(_, new)| *new);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn insn(code: u8, source: u32, off: i16, imm: i32) -> Insn {
        Insn { code, regs: (source as u8) << 4, off, imm }
    }

    #[test]
    fn modules_are_numbered_as_libbpf_finds_them() {
        let mut messages: Vec<String> = [
            "extern (func ksym) 'bpf_dynptr_from_skb': resolved to vmlinux [77]",
            "extern (func ksym) 'bpf_ct_release': resolved to nf_conntrack [130001]",
            "a warning",
            "extern (func ksym) 'bpf_ct_set_nat_info': resolved to nf_nat [130002]",
            "extern (func ksym) 'bpf_xdp_ct_lookup': resolved to nf_conntrack [130003]",
            "extern (func ksym) 'gone': not found in kernel or module BTFs",
        ]
        .map(str::to_owned)
        .to_vec();
        assert_eq!(take_modules(&mut messages), ["nf_conntrack", "nf_nat"]);
        assert_eq!(messages, ["a warning", "extern (func ksym) 'gone': not found in kernel or module BTFs"]);
    }

    #[test]
    fn addresses_are_renumbered_and_nothing_else() {
        let (btf, map) = (libbpf_sys::BPF_PSEUDO_BTF_ID, libbpf_sys::BPF_PSEUDO_MAP_VALUE);
        let mut insns = [
            insn(LOAD_IMMEDIATE_64, btf, 0, 5),
            insn(0, 0, 0, 9),
            insn(LOAD_IMMEDIATE_64, btf, 0, 9),
            insn(0, 0, 0, 0),
            insn(LOAD_IMMEDIATE_64, map, 0, 9),
            insn(0, 0, 0, 9),
            insn(CALL, libbpf_sys::BPF_PSEUDO_KFUNC_CALL, 1, 9),
        ];
        assert_eq!(addresses(&insns).collect::<Vec<_>>(), [9]);
        let before = insns;
        renumber_addresses(&mut insns, &[(9, 20)]);
        assert_eq!(insns[1].imm, 20);
        assert_eq!((insns[0], &insns[2..]), (before[0], &before[2..]));
        assert!(calls_modules(&insns) && !calls_modules(&insns[..6]));
    }
}
