// SPDX-License-Identifier: Apache-2.0
//! What only a kernel with kprobes can show: names, offsets, instances, refusals.

use std::fs;

use bpflua::bpf::{KprobeTarget, Mechanism, Object, ProbeReport};
use bpflua::error::Error;

use super::bpf_objects::{create, hits};
use super::harness::skip;

/// The object, where this kernel has kprobes.
fn with_kprobes() -> Option<Object> {
    if !fs::exists("/sys/bus/event_source/devices/kprobe").unwrap() {
        skip("this kernel has no kprobes");
        return None;
    }
    create("probes")
}

fn attach(object: &mut Object, target: &KprobeTarget, function: &str) -> ProbeReport {
    object.attach_kprobe(target, function).unwrap_or_else(|err| panic!("{}", err.report()));
    let report = object.probes().pop().unwrap();
    println!("{report:#?}");
    report
}

fn refused(object: &mut Object, target: &KprobeTarget) -> Error {
    let err = object.attach_kprobe(target, "f").unwrap_err();
    println!("{}", err.report());
    err
}

#[test]
fn root_renamed_functions_are_found() {
    let Some(mut object) = with_kprobes() else { return };
    let report = attach(&mut object, &KprobeTarget::function("finish_task_switch"), "f");
    if report.mechanism == Mechanism::Kprobe {
        assert_eq!(report.resolved, ["finish_task_switch.isra.0"]);
        assert!(report.notes[0].contains("finish_task_switch.isra.0"), "{report:?}");
    }
    std::thread::sleep(std::time::Duration::from_millis(50));
    assert!(hits(&object, 0) + hits(&object, 2) > 0);
    let missed = object.probes()[0].stats.missed;
    println!("missed: {missed}");
    object.detach_kprobe("finish_task_switch", false, None).unwrap();
    let both = KprobeTarget::matching(r"^finish_task_switch$|^finish_task_switch\.isra\.\d$");
    let report = attach(&mut object, &both, "f");
    assert_eq!(report.resolved.len(), 1);
}

#[test]
fn root_offsets_and_addresses() {
    let Some(mut object) = with_kprobes() else { return };
    let symbols = fs::read_to_string("/proc/kallsyms").unwrap();
    let line = symbols.lines().find(|line| line.ends_with(" __x64_sys_getpgid")).unwrap();
    let address = u64::from_str_radix(line.split(' ').next().unwrap(), 16).unwrap();
    let report = attach(&mut object, &KprobeTarget::address(address), "f");
    assert_eq!((report.mechanism, report.target), (Mechanism::Kprobe, format!("{address:#x}")));
    // SAFETY: takes no pointers.
    unsafe { libc::getpgid(0) };
    assert!(hits(&object, 0) > 0);
    let report = attach(&mut object, &KprobeTarget { offset: 0, ..KprobeTarget::function("vfs_read") }, "plain");
    assert_eq!(report.mechanism, Mechanism::Kprobe);
    let odd = KprobeTarget { offset: 2, ..KprobeTarget::function("__x64_sys_getpgid") };
    let err = refused(&mut object, &odd);
    assert!(err.report().contains("offset"), "{}", err.report());
    let err = refused(&mut object, &KprobeTarget { retprobe: true, ..odd });
    assert!(err.why().contains("no offset"));
}

#[test]
fn root_return_probes_with_instances() {
    let Some(mut object) = with_kprobes() else { return };
    let target = KprobeTarget {
        retprobe: true,
        maxactive: 64,
        mechanism: Mechanism::Kprobe,
        ..KprobeTarget::function("__x64_sys_getpgid")
    };
    let report = attach(&mut object, &target, "plain");
    assert_eq!(report.mechanism, Mechanism::Kprobe);
    // SAFETY: takes no pointers.
    unsafe { libc::getpgid(0) };
    assert!(hits(&object, 6) > 0);
    let events = || fs::read_to_string("/sys/kernel/tracing/kprobe_events").unwrap();
    assert!(events().contains("r64:bpflua_"), "{}", events());
    object.detach(report.id).unwrap();
    assert!(!events().contains("bpflua_"), "{}", events());
}

#[test]
fn root_functions_that_cannot_be_probed() {
    let Some(mut object) = with_kprobes() else { return };
    for name in ["asm_exc_int3", "kprobe_int3_handler", "start_kernel", "jiffies"] {
        refused(&mut object, &KprobeTarget { mechanism: Mechanism::Kprobe, ..KprobeTarget::function(name) });
    }
    refused(&mut object, &KprobeTarget::function("asm_exc_int3"));
    refused(&mut object, &KprobeTarget { mechanism: Mechanism::Fentry, ..KprobeTarget::function("asm_exc_int3") });
}

#[test]
fn root_functions_of_one_name() {
    let Some(mut object) = with_kprobes() else { return };
    let symbols = fs::read_to_string("/proc/kallsyms").unwrap();
    let mut names: Vec<&str> =
        symbols.lines().filter(|line| line.contains(" t ")).filter_map(|line| line.split(' ').nth(2)).collect();
    names.sort_unstable();
    let plain = |name: &str| {
        name.ends_with("_show") && !name.starts_with("__pfx") && !name.contains('.') && !name.contains('\t')
    };
    let twice = names.windows(3).filter(|three| three[0] != three[1] && three[1] == three[2] && plain(three[1]));
    let Some(name) = twice.map(|three| three[1]).next() else {
        return skip("no function of this kernel has a name of its own twice");
    };
    let report = attach(&mut object, &KprobeTarget::function(name), "plain");
    assert!(report.notes[0].contains("have this name"), "{report:?}");
}

#[test]
fn root_functions_of_kernel_modules() {
    let Some(mut object) = with_kprobes() else { return };
    let symbols = fs::read_to_string("/proc/kallsyms").unwrap();
    let of_kernel_module = |line: &&str| line.contains(" t ") && line.ends_with(']') && !line.ends_with("[bpf]");
    let usable = |line: &&str| !line.contains(" t __") && !line.contains("init") && !line.contains('.');
    let Some(line) = symbols.lines().filter(of_kernel_module).find(usable) else {
        return skip("no function of a kernel module");
    };
    let name = line.split([' ', '\t']).nth(2).unwrap();
    println!("{line}");
    attach(&mut object, &KprobeTarget::function(name), "f");
    attach(&mut object, &KprobeTarget { retprobe: true, ..KprobeTarget::function(name) }, "f");
}

#[test]
fn root_many_functions() {
    let Some(mut object) = with_kprobes() else { return };
    let report = attach(&mut object, &KprobeTarget::matching("vfs_re.*"), "plain");
    assert!(report.resolved.len() > 3, "{report:?}");
    let _ = fs::read("/proc/self/status");
    assert!(hits(&object, 6) > 0);
    let many = KprobeTarget { mechanism: Mechanism::Kprobe, ..KprobeTarget::matching(".*") };
    let err = refused(&mut object, &many);
    assert!(err.why().contains("limited to 1000"));
}
