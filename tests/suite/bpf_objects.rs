// SPDX-License-Identifier: Apache-2.0
//! The objects of `tests/fixtures/bpf`, and what the tests on them share.

use std::fs;
use std::path::PathBuf;
use std::time::Instant;

use bpflua::bpf::{KprobeTarget, Object, ObjectOptions, Variant};
use bpflua::error::Result;

use super::harness::skip;

pub fn elf(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/bpf").join(name);
    fs::read(path).unwrap()
}

pub fn try_create(name: &str) -> Result<Object> {
    let options = ObjectOptions { name: format!("{name}.lua"), ..ObjectOptions::default() };
    Object::create(elf(&format!("{name}.o")), options)
}

/// The object, or `None` with the reason printed where this process may not load programs.
pub fn create(name: &str) -> Option<Object> {
    match try_create(name) {
        Ok(object) => Some(object),
        Err(err) if err.errno() == Some(libc::EPERM) => {
            skip(&err.to_string());
            None
        }
        Err(err) => panic!("{}", err.report()),
    }
}

/// Sets a variable of `.bss`, by its place among the variables.
pub fn set_global(object: &Object, index: usize, value: u64) {
    let memory = object.map(".bss").unwrap().memory().unwrap();
    assert!(memory.is_writable() && memory.len() >= (index + 1) * 8);
    // SAFETY: the mapping is at least this long and aligned to a page; the test's programs do not write this variable.
    unsafe { memory.as_ptr().cast::<u64>().add(index).write_volatile(value) };
}

/// An element of the map `hits`.
pub fn hits(object: &Object, slot: u32) -> u64 {
    let value = object.map("hits").unwrap().lookup(&slot.to_ne_bytes()).unwrap().unwrap();
    u64::from_ne_bytes(value.try_into().unwrap())
}

#[test]
fn root_objects_show_what_the_text_has() {
    let Some(mut object) = create("probes") else { return };
    let functions: Vec<&str> = object.functions().iter().map(|function| function.name.as_str()).collect();
    assert!(functions.contains(&"f") && functions.contains(&"count_pids"), "{functions:?}");
    let f = object.function("f").unwrap();
    for variant in [Variant::Plain, Variant::Uprobe, Variant::Fentry, Variant::Fexit, Variant::SysEnter] {
        assert!(f.has(variant), "{variant:?}");
    }
    let err = object.function("count_pid").unwrap_err();
    assert!(err.report().contains("similar: count_pids"), "{}", err.report());
    let err = object.map("hist").unwrap_err();
    assert!(err.report().contains("similar: hits"), "{}", err.report());
    assert!(object.event_type("events").is_some());
    assert!(object.event_type("hits").is_none());
    let autos = object.auto_functions();
    assert!(autos.contains(&"tracepoint__syscalls__sys_enter_getpid".to_owned()), "{autos:?}");
    assert!(!autos.contains(&"f".to_owned()));
    let first = object.load("plain").unwrap();
    let second = object.load("plain").unwrap();
    assert_eq!(first.id().unwrap(), second.id().unwrap(), "loaded once");
}

#[test]
fn damaged_objects_are_errors() {
    let err = Object::create(vec![1, 2, 3], ObjectOptions::default()).unwrap_err();
    assert!(err.what().contains("cannot read the object"), "{err}");
    let mut elf = elf("probes.o");
    elf.truncate(elf.len() / 2);
    assert!(Object::create(elf, ObjectOptions::default()).is_err());
}

/// Not a check: how long the steps take, for `--nocapture`.
#[test]
fn root_timings() {
    let elf = elf("probes.o");
    for name in ["__x64_sys_getpgid", "vfs_read", "__x64_sys_getpgid"] {
        let start = Instant::now();
        let options = ObjectOptions { name: "timings".to_owned(), ..ObjectOptions::default() };
        let Ok(mut object) = Object::create(elf.clone(), options) else { return skip("it needs root") };
        let created = start.elapsed();
        let _ = object.load("plain");
        let loaded = start.elapsed();
        let _ = object.attach_kprobe(&KprobeTarget::function(name), "f");
        println!("{name}: created {created:?}, loaded {loaded:?}, attached {:?}", start.elapsed());
    }
}
