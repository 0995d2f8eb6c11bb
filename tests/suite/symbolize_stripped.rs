// SPDX-License-Identifier: Apache-2.0
//! Stripped programs: names from debug files by link and by build ID, and from `.gnu_debugdata`.

use super::harness::{Need, missing};
use super::symbolize_programs::{Built, ask, whole};
use bpflua::symbolize::Symbols;

const TOOLS: [Need; 3] = [Need::Tool("gcc"), Need::Tool("objcopy"), Need::Tool("xz")];

/// The name that the room gives the program's static function, which a stripped program has no name for.
fn static_name(built: &Built) -> Option<String> {
    let target = built.start();
    let found = ask(&Symbols::default(), target.pid(), target.address("static_function") + 3);
    found.ok().map(|found| {
        assert_eq!(found.offset, 3);
        found.name
    })
}

#[test]
fn debug_links() {
    if missing(&TOOLS) {
        return;
    }
    let built = Built::new("link", "target.c", &["-g", "-O0", "-Wl,--build-id=none"]);
    built.sh(
        "objcopy --only-keep-debug target target.debug; objcopy --strip-all --add-gnu-debuglink=target.debug target",
    );
    assert_eq!(static_name(&built).as_deref(), Some("static_function"));
    let target = built.start();
    let process = Symbols::default().process(target.pid()).unwrap();
    let (address, line) = target.functions["static_function"];
    assert_eq!(process.line(address).map(|at| at.line), Some(line));
    assert_eq!(process.address_of(None, "static_function"), Some(address));

    built.sh("mkdir .debug; mv target.debug .debug/");
    assert_eq!(static_name(&built).as_deref(), Some("static_function"), "in .debug");
    // One that belongs to another program is passed over.
    built.sh("printf x >>.debug/target.debug");
    assert_eq!(static_name(&built), None);
    built.sh("rm -r .debug");
    assert_eq!(static_name(&built), None);
    let known = whole(&Symbols::default(), target.pid(), address);
    assert_eq!(known, "[unknown] [target]");
}

#[test]
fn root_debug_files_by_build_id() {
    if missing(&[Need::Root, Need::Tool("gcc"), Need::Tool("objcopy")]) {
        return;
    }
    let id = "b1f1a00000000000000000000000000000000001";
    let built = Built::new("id", "target.c", &[&format!("-Wl,--build-id=0x{id}"), "-Wl,--export-dynamic"]);
    built.sh("objcopy --only-keep-debug target target.debug; objcopy --strip-all target");
    assert_eq!(static_name(&built), None);
    let folder = format!("/usr/lib/debug/.build-id/{}", &id[..2]);
    let existed = std::fs::exists(&folder).unwrap();
    built.sh(&format!("mkdir -p {folder}; cp target.debug {folder}/{}.debug", &id[2..]));
    let found = static_name(&built);
    built.sh(&format!("rm {folder}/{}.debug", &id[2..]));
    if !existed {
        std::fs::remove_dir(&folder).unwrap();
    }
    assert_eq!(found.as_deref(), Some("static_function"));
}

#[test]
fn mini_debuginfo() {
    if missing(&TOOLS) {
        return;
    }
    let built = Built::new("mini", "target.c", &["-rdynamic"]);
    // As gdb's manual says that distributions do it.
    built.sh("nm -D target --format=posix --defined-only | awk '{ print $1 }' | sort >dynsyms
         nm target --format=posix --defined-only | awk '{ if ($2 == \"T\" || $2 == \"t\") print $1 }' | sort >funcsyms
         comm -13 dynsyms funcsyms >keep
         objcopy --only-keep-debug target full
         objcopy -S --remove-section .comment --keep-symbols=keep full mini
         objcopy --strip-all target
         xz mini
         objcopy --add-section .gnu_debugdata=mini.xz target");
    assert_eq!(static_name(&built).as_deref(), Some("static_function"));
    let target = built.start();
    let symbols = Symbols::default();
    assert_eq!(whole(&symbols, target.pid(), target.address("exported_function")), "exported_function+0x0 [target]");
    let process = symbols.process(target.pid()).unwrap();
    let address = target.address("static_function");
    assert_eq!(process.address_of(None, "static_function"), Some(address));
}
