// SPDX-License-Identifier: Apache-2.0
//! Stacks whose frames are known, and kernel modules, through scripts.

use std::path::Path;
use std::process::Command;

use super::harness::{Need, bpflua, kernel_release, missing, scratch, skip, vm_series};
use super::symbolize_programs::Built;

#[test]
fn root_a_user_stack_of_known_frames() {
    if missing(&[Need::Root, Need::Btf, Need::Uprobes, Need::Tool("gcc")]) {
        return;
    }
    let built = Built::new("chain", "target.c", &[]);
    let mut target = built.start();
    let pid = target.pid().to_string();
    let mut script = bpflua(["tests/runtime/symbolize/chain.lua", built.name(), &pid]).start();
    script.until("it is ready", |text| text.contains("ready\n").then_some(()));
    target.say("call");
    let ended = script.end();
    assert_eq!(ended.status, Some(0), "{}", ended.stderr);
    let frames: Vec<&str> = ended.stdout.lines().skip(1).collect();
    // At its first instruction a function has no frame yet, and kernels before 6.11 do not see its caller.
    let known: Vec<&str> =
        frames.iter().filter_map(|line| line.split(['+', ' ']).next()).filter(|name| *name != "middle").collect();
    assert_eq!(known[..3], ["inner", "outer", "main"], "{frames:?}");
    assert!(frames[0].starts_with("inner+0x0 [target]\tinner"), "{frames:?}");
    assert!(frames.iter().any(|line| line.contains(" [libc.so.6]")), "{frames:?}");
}

/// A file of a kernel module of this kernel, unpacked.
fn kernel_module(name: &str, folder: &Path) -> Option<String> {
    let root = format!("/lib/modules/{}", kernel_release());
    let found = Command::new("find").args([&root, "-name", &format!("{name}.ko*")]).output().ok()?;
    let packed = String::from_utf8(found.stdout).unwrap().lines().next()?.to_owned();
    let plain = folder.join(format!("{name}.ko")).to_str().unwrap().to_owned();
    let unpack = match packed.rsplit_once('.')?.1 {
        "xz" => "xz -dc",
        "zst" => "zstd -dc",
        _ => "cat",
    };
    let done = Command::new("sh").args(["-ec", &format!("{unpack} '{packed}' >'{plain}'")]).status().ok()?;
    done.success().then_some(plain)
}

#[test]
fn root_kernel_modules_that_are_loaded_later() {
    if vm_series().is_none() {
        // A machine in use is left as it is.
        return skip("not in a VM");
    }
    // One that no other test loads.
    let file = kernel_module("nlmon", &scratch("kernel-module")).expect("a kernel module of this kernel");
    let ended = bpflua(["tests/runtime/symbolize/kernel_module.lua", &file, "nlmon", "nlmon_xmit"]).run().expect(0);
    let gone = ended.stdout.strip_prefix("nlmon_xmit+0x0 [nlmon]\ntrue\ttrue\n").expect(&ended.stdout);
    // Where the module was there is nothing now, or what the kernel has put there since: probes of its own, another module.
    assert!(gone == "[unknown]\n" || (gone.ends_with("]\n") && !gone.contains("nlmon")), "{gone}");
}
