// SPDX-License-Identifier: Apache-2.0
//! Every mechanism on the running kernel; where it lacks one, the reason is printed.

use std::env;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use bpflua::bpf::{KprobeTarget, Mechanism, Object, ProbeKind, UprobePlace, UprobeTarget};
use bpflua::error::Kind;

use super::bpf_objects::{create, hits, set_global};
use super::harness::skip;

const CALLS: u64 = 20;

fn call() {
    for _ in 0..CALLS {
        // SAFETY: both take no pointers.
        let _ = unsafe { (libc::syscall(libc::SYS_getpid), libc::syscall(libc::SYS_getpgid, 0)) };
    }
}

/// An object whose programs count this process only.
fn watching_us() -> Option<Object> {
    let object = create("probes")?;
    set_global(&object, 0, u64::from(std::process::id()));
    Some(object)
}

/// A system call with an argument: BTF does not know the functions of those without.
fn getpgid() -> KprobeTarget {
    KprobeTarget::function("sys_getpgid")
}

/// Attaches `f` to getpid by one mechanism, and checks that its variant's slot counts the calls.
fn check(mechanism: Mechanism, retprobe: bool, slot: u32) {
    let Some(mut object) = watching_us() else { return };
    let target = KprobeTarget { mechanism, retprobe, ..getpgid() };
    let probe = match object.attach_kprobe(&target, "f") {
        Ok(probe) => probe,
        Err(err) if err.kind() == Kind::Machine => return skip(&err.to_string()),
        Err(err) => panic!("{}", err.report()),
    };
    let report = object.probes().remove(0);
    assert_eq!((report.id, report.mechanism, report.function.as_str()), (probe, mechanism, "f"));
    call();
    let counted = hits(&object, slot);
    assert!(counted >= CALLS, "{counted} of {CALLS}: {report:?}");
    if retprobe && mechanism != Mechanism::Kprobe && mechanism != Mechanism::KprobeMulti {
        // SAFETY: takes no pointers.
        assert_eq!(hits(&object, slot + 8), unsafe { libc::getpgid(0) } as u64, "the return value");
    }
    object.detach_kprobe("sys_getpgid", retprobe, Some("f")).unwrap();
    assert!(object.probes().is_empty());
    let before = hits(&object, slot);
    call();
    assert_eq!(hits(&object, slot), before, "detached");
    println!("works: {} retprobe={retprobe}", mechanism.name());
}

#[test]
fn root_fentry() {
    check(Mechanism::Fentry, false, 2);
}

#[test]
fn root_fexit() {
    check(Mechanism::Fentry, true, 3);
}

#[test]
fn root_kprobe_multi() {
    check(Mechanism::KprobeMulti, false, 0);
    check(Mechanism::KprobeMulti, true, 0);
}

#[test]
fn root_kprobe() {
    check(Mechanism::Kprobe, false, 0);
    check(Mechanism::Kprobe, true, 0);
}

#[test]
fn root_syscall_tracepoint() {
    check(Mechanism::SyscallTracepoint, false, 4);
    check(Mechanism::SyscallTracepoint, true, 5);
}

#[test]
fn root_the_cheapest_mechanism_is_chosen_and_says_why() {
    let Some(mut object) = watching_us() else { return };
    object.attach_kprobe(&getpgid(), "f").unwrap_or_else(|err| panic!("{}", err.report()));
    let report = object.probes().remove(0);
    println!("{report:#?}");
    assert_eq!((report.kind, report.target.as_str()), (ProbeKind::Kprobe, "sys_getpgid"));
    assert!(report.resolved[0].ends_with("sys_getpgid"), "{report:?}");
    match report.mechanism {
        Mechanism::Fentry => assert!(report.why.is_empty()),
        _ => assert!(report.why[0].starts_with("fentry: "), "{report:?}"),
    }
    call();
    assert!([0, 2, 4].iter().map(|slot| hits(&object, *slot)).sum::<u64>() >= CALLS);
}

#[test]
fn root_a_function_without_variants_needs_kprobes() {
    let Some(mut object) = watching_us() else { return };
    match object.attach_kprobe(&getpgid(), "plain") {
        Ok(_) => {
            let report = object.probes().remove(0);
            assert_eq!(report.mechanism, Mechanism::Kprobe);
            assert!(report.why[0].contains("uses its context"), "{report:?}");
        }
        Err(err) => {
            assert_eq!(err.kind(), Kind::Machine);
            assert!(err.why().contains("no kprobes"), "{}", err.report());
            println!("{}", err.report());
        }
    }
}

#[test]
fn root_regular_expressions() {
    let Some(mut object) = watching_us() else { return };
    let target = KprobeTarget::matching(r"__(x64|arm64)_sys_get(pg|s)id");
    match object.attach_kprobe(&target, "plain") {
        Ok(_) => {
            let report = object.probes().remove(0);
            assert_eq!(report.resolved.len(), 2, "{report:?}");
            println!("{report:#?}");
            call();
            assert!(hits(&object, 6) >= CALLS);
            object.detach_kprobe(&report.target, false, None).unwrap();
        }
        Err(err) if err.kind() == Kind::Machine => skip(&err.to_string()),
        Err(err) => panic!("{}", err.report()),
    }
    let err = object.attach_kprobe(&KprobeTarget::matching("no_such_function_.*"), "plain").unwrap_err();
    println!("{}", err.report());
    let err = object.attach_kprobe(&KprobeTarget::matching("(oops"), "plain").unwrap_err();
    assert_eq!(err.kind(), Kind::Script);
}

#[test]
fn root_names_that_are_no_functions() {
    let Some(mut object) = watching_us() else { return };
    let err = object.attach_kprobe(&KprobeTarget::function("vfs_raed"), "f").unwrap_err();
    println!("{}", err.report());
    assert!(err.report().starts_with("error: cannot attach kprobe `f` to `vfs_raed`: no such function in this kernel"));
    assert!(err.hints()[0].contains("vfs_read"), "{}", err.report());
    let err = object.attach_kprobe(&getpgid(), "g").unwrap_err();
    assert!(err.what().contains("no function `g`"), "{}", err.report());
}

#[test]
fn root_tracepoints() {
    let Some(mut object) = watching_us() else { return };
    let function = "tracepoint__syscalls__sys_enter_getpid";
    object.attach_auto(function).unwrap_or_else(|err| panic!("{}", err.report()));
    call();
    assert!(hits(&object, 7) >= CALLS);
    let report = object.probes().remove(0);
    assert_eq!((report.target.as_str(), report.mechanism), ("syscalls:sys_enter_getpid", Mechanism::Tracepoint));
    object.detach(report.id).unwrap();
    assert!(object.detach(report.id).is_err());
    let err = object.attach_tracepoint("syscalls:sys_enter_getpdi", function).unwrap_err();
    assert!(err.hints()[0].contains("sys_enter_getpid"), "{}", err.report());
    let err = object.attach_tracepoint("sys_enter_getpid", function).unwrap_err();
    assert!(err.hints()[0].contains("syscalls:sys_enter_getpid"), "{}", err.report());
}

#[test]
fn root_raw_tracepoints() {
    let Some(mut object) = watching_us() else { return };
    object.attach_auto("raw_tracepoint__sys_enter").unwrap_or_else(|err| panic!("{}", err.report()));
    call();
    assert!(hits(&object, 7) >= CALLS);
    object.detach_raw_tracepoint("sys_enter", None).unwrap();
    let err = object.attach_raw_tracepoint("sched_swicth", "raw_tracepoint__sys_enter", 0).unwrap_err();
    assert!(err.hints()[0].contains("sched_switch"), "{}", err.report());
    let err = object.attach_raw_tracepoint("sys_enter_getpid", "raw_tracepoint__sys_enter", 0).unwrap_err();
    assert!(err.hints()[0].contains("`sys_enter`"), "{}", err.report());
}

#[test]
fn root_btf_typed_tracepoints() {
    let Some(mut object) = watching_us() else { return };
    match object.attach_auto("on_switch") {
        Ok(_) => assert_eq!(object.probes()[0].mechanism, Mechanism::Tracing),
        Err(err) if err.kind() == Kind::Machine => skip(&err.to_string()),
        Err(err) => panic!("{}", err.report()),
    }
}

#[test]
fn root_uprobes() {
    let Some(mut object) = watching_us() else { return };
    let target = UprobeTarget { pid: Some(std::process::id() as i32), ..UprobeTarget::function("c", "getppid") };
    object.attach_uprobe(&target, "f").unwrap_or_else(|err| panic!("{}", err.report()));
    let everywhere = UprobeTarget { retprobe: true, ..UprobeTarget::function("libc.so.6", "getppid") };
    object.attach_uprobe(&everywhere, "plain").unwrap_or_else(|err| panic!("{}", err.report()));
    for _ in 0..CALLS {
        // SAFETY: takes no arguments.
        unsafe { libc::getppid() };
    }
    assert!(hits(&object, 1) >= CALLS, "the variant for user memory");
    assert!(hits(&object, 6) >= CALLS);
    // SAFETY: takes no arguments.
    assert_eq!(hits(&object, 14), unsafe { libc::getppid() } as u64, "the return value");
    println!("{:#?}", object.probes());
    object.detach_uprobe(&target, None).unwrap();
    object.detach_uprobe(&everywhere, Some("plain")).unwrap();
    assert!(object.detach_uprobe(&everywhere, None).is_err());
    let err = object.attach_uprobe(&UprobeTarget::function("c", "getpdi"), "f").unwrap_err();
    assert!(err.report().contains("similar: getpid"), "{}", err.report());
    let gone = UprobeTarget { pid: Some(i32::MAX), ..UprobeTarget::function("c", "getppid") };
    let err = object.attach_uprobe(&gone, "f").unwrap_err();
    assert!(err.why().contains("no process"), "{}", err.report());
    let middle = UprobeTarget { place: UprobePlace::Address(1), ..UprobeTarget::function("c", "") };
    println!("{}", object.attach_uprobe(&middle, "f").map_or_else(|err| err.report(), |_| "attached".to_owned()));
}

/// The other half of the test below: attaches all it can, says its program numbers, and waits to be killed.
#[test]
fn root_child_to_be_killed() {
    if env::var_os("BPFLUA_TEST_CHILD").is_none() {
        return;
    }
    let Some(mut object) = watching_us() else { return };
    let _ = object.attach_kprobe(&getpgid(), "f");
    let _ = object.attach_kprobe(&KprobeTarget { retprobe: true, maxactive: 8, ..getpgid() }, "plain");
    let _ = object.attach_uprobe(&UprobeTarget::function("c", "getppid"), "count_pids");
    let _ = object.attach_auto("raw_tracepoint__sys_enter");
    let _ = object.attach_auto("tracepoint__syscalls__sys_enter_getpid");
    let ids: Vec<String> = object.programs().map(|program| program.id().unwrap().to_string()).collect();
    println!("\nprograms {}", ids.join(" "));
    thread::sleep(Duration::from_secs(60));
}

#[test]
fn root_kill_leaves_nothing() {
    let Some(object) = watching_us() else { return };
    drop(object);
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["root_child_to_be_killed", "--nocapture"])
        .env("BPFLUA_TEST_CHILD", "1")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let programs = lines.into_iter().find_map(|line| line.strip_prefix("programs ").map(str::to_owned)).unwrap();
    let programs: Vec<u32> = programs.split(' ').map(|id| id.parse().unwrap()).collect();
    assert!(programs.len() >= 3, "{programs:?}");
    assert!(programs.iter().all(|id| libbpf_rs::Program::fd_from_id(*id).is_ok()));
    child.kill().unwrap();
    child.wait().unwrap();
    // The kernel frees them after a grace period.
    for _ in 0..100 {
        if programs.iter().all(|id| libbpf_rs::Program::fd_from_id(*id).is_err()) {
            return;
        }
        thread::sleep(Duration::from_millis(50));
    }
    panic!("programs {programs:?} are still there");
}
