// SPDX-License-Identifier: Apache-2.0
//! Programs in file systems and with numbers of their own, and the code of JIT compilers.

use std::fs;
use std::process::Command;

use super::harness::{Need, missing};
use super::symbolize_programs::{Built, Target, eventually, whole};
use bpflua::symbolize::Symbols;

#[test]
fn perf_maps() {
    if missing(&[Need::Tool("gcc")]) {
        return;
    }
    let built = Built::new("jit", "target.c", &[]);
    let mut target = built.start();
    let symbols = Symbols::default();
    let path = format!("/tmp/perf-{}.map", target.pid());
    target.say("jit LazyCompile:~first");
    let module = format!("[perf-{}.map]", target.pid());
    let ask = |target: &Target, name: &str, offset| whole(&symbols, target.pid(), target.address(name) + offset);
    assert_eq!(ask(&target, "LazyCompile:~first", 0x3f), format!("LazyCompile:~first+0x3f {module}"));
    assert_eq!(ask(&target, "LazyCompile:~first", 0x40), "[unknown]");
    target.say("jit second");
    assert_eq!(eventually(&symbols, target.pid(), target.address("second") + 1), format!("second+0x1 {module}"));
    // By hand, for code whose memory is used again.
    let again = target.address("second");
    fs::write(&path, fs::read_to_string(&path).unwrap() + &format!("{again:x} 20 third\nno line\n")).unwrap();
    assert!(symbols.process(target.pid()).unwrap().refresh());
    assert_eq!(ask(&target, "second", 1), format!("third+0x1 {module}"));
    assert_eq!(symbols.process(target.pid()).unwrap().address_of(None, "third"), Some(again));
    target.end();
    fs::remove_file(&path).unwrap();
    assert_eq!(ask(&target, "second", 1), format!("third+0x1 {module}"), "when it is gone");
}

/// An agent beside the container wrote the map, by the number that the process has outside.
#[test]
fn root_a_perf_map_outside_of_the_container() {
    if missing(&[Need::Root, Need::Tool("gcc"), Need::Tool("unshare")]) {
        return;
    }
    let built = Built::new("outside", "target.c", &[]);
    let script = format!("mount -t tmpfs none /tmp && exec {}", built.path.display());
    let mut command = Command::new("unshare");
    command.args(["--mount", "--pid", "--fork", "--mount-proc", "--kill-child", "sh", "-ec", &script]);
    let mut target = Target::start(command);
    let pid = child_of(target.pid());
    target.say("jit inside");
    let address = target.address("inside");
    assert_eq!(whole(&Symbols::default(), pid, address), format!("inside+0x0 [perf-{}.map]", target.own_pid));
    fs::remove_file(format!("/proc/{pid}/root/tmp/perf-{}.map", target.own_pid)).unwrap();
    assert_eq!(whole(&Symbols::default(), pid, address), "[unknown]");
    let map = format!("/tmp/perf-{pid}.map");
    fs::write(&map, format!("{address:x} 40 told outside\n")).unwrap();
    let found = whole(&Symbols::default(), pid, address + 1);
    fs::remove_file(&map).unwrap();
    assert_eq!(found, format!("told outside+0x1 [perf-{pid}.map]"));
    target.end();
}

/// The process that `unshare --fork` started.
fn child_of(pid: u32) -> u32 {
    let parent_is = |status: &str| status.lines().any(|line| line == format!("PPid:\t{pid}"));
    let numbers = fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let mut children = numbers
        .filter(|pid: &u32| fs::read_to_string(format!("/proc/{pid}/status")).is_ok_and(|status| parent_is(&status)));
    children.next().expect("a child")
}

#[test]
fn root_a_program_in_namespaces_of_its_own() {
    if missing(&[Need::Root, Need::Tool("gcc"), Need::Tool("unshare")]) {
        return;
    }
    let built = Built::new("container", "target.c", &["-g", "-O0", "-Wl,--build-id=none"]);
    built.sh(
        "objcopy --only-keep-debug target target.debug; objcopy --strip-all --add-gnu-debuglink=target.debug target",
    );
    // Only the container sees the program, its debug file and its perf map.
    let script = format!(
        "mount -t tmpfs none /tmp && mkdir -p /tmp/app/.debug && cp {0}/target /tmp/app/ && \
         cp {0}/target.debug /tmp/app/.debug/ && exec /tmp/app/target",
        built.folder.display()
    );
    let mut command = Command::new("unshare");
    command.args(["--mount", "--pid", "--fork", "--mount-proc", "--kill-child", "sh", "-ec", &script]);
    let mut target = Target::start(command);
    let pid = child_of(target.pid());
    assert_ne!(target.own_pid, pid);
    let symbols = Symbols::default();
    let (address, line) = target.functions["static_function"];
    assert_eq!(whole(&symbols, pid, address + 2), "static_function+0x2 [target]");
    let process = symbols.process(pid).unwrap();
    assert_eq!(process.symbolize(address).unwrap().module, "/tmp/app/target");
    assert_eq!(process.line(address).map(|at| at.line), Some(line), "by its debug file in the container");
    target.say("jit inside");
    assert!(process.refresh());
    assert_eq!(whole(&symbols, pid, target.address("inside")), format!("inside+0x0 [perf-{}.map]", target.own_pid));
    assert!(!fs::exists(format!("/tmp/perf-{}.map", target.own_pid)).unwrap());
    target.end();
}
