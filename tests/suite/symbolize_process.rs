// SPDX-License-Identifier: Apache-2.0
//! Addresses that programs tell of their own functions, looked up from outside.

use std::path::Path;

use super::harness::{Need, missing};
use super::symbolize_programs::{Built, Target, ask, eventually, whole};
use bpflua::symbolize::Symbols;

/// Every function that the program told of is found by its address and by the byte behind.
fn all_found(target: &Target, symbols: &Symbols, names: &[&str]) {
    for name in names {
        let address = target.address(name);
        assert_eq!(whole(symbols, target.pid(), address), format!("{name}+0x0 [target]"));
        assert_eq!(whole(symbols, target.pid(), address + 1), format!("{name}+0x1 [target]"));
    }
}

#[test]
fn c_functions_wherever_the_program_is_loaded() {
    if missing(&[Need::Tool("gcc")]) {
        return;
    }
    for (kind, args) in [("pie", ["-pie", "-fPIE", "-g", "-O0"]), ("fixed", ["-no-pie", "-fno-pie", "-g", "-O0"])] {
        let built = Built::new(kind, "target.c", &args);
        let target = built.start();
        let symbols = Symbols::default();
        all_found(&target, &symbols, &["exported_function", "static_function", "inner", "outer"]);
        let process = symbols.process(target.pid()).unwrap();
        for (name, (address, line)) in target.functions.iter().filter(|(_, (_, line))| *line > 0) {
            let found = process.line(*address).unwrap_or_else(|| panic!("no line of {name}"));
            assert_eq!(found.line, *line, "{name}");
            assert!(found.file.ends_with("tests/fixtures/symbolize/target.c"), "{:?}", found.file);
            assert_eq!(process.address_of(None, name), Some(*address), "{name}");
            assert_eq!(process.address_of(Some("target"), name), Some(*address), "{name}");
        }
        assert_eq!(process.address_of(Some("libc.so.6"), "inner"), None);
        assert_eq!(process.address_of(None, "no_such_function"), None);
        // Its vDSO is not ours, but the same.
        let vdso = whole(&symbols, target.pid(), target.address("gettimeofday"));
        assert!(vdso.contains("gettimeofday+0x0 ["), "{vdso}");
    }
}

#[test]
fn cpp_and_rust_names_are_demangled() {
    if missing(&[Need::Tool("g++"), Need::Tool("rustc")]) {
        return;
    }
    let built = Built::new("cpp", "target.cpp", &[]);
    let (target, symbols) = (built.start(), Symbols::default());
    assert_eq!(
        whole(&symbols, target.pid(), target.address("count") + 2),
        "shapes::count(char const*, int)+0x2 [target]"
    );
    assert_eq!(ask(&symbols, target.pid(), target.address("count")).unwrap().name, "_ZN6shapes5countEPKci");
    assert_eq!(
        whole(&symbols, target.pid(), target.address("area")),
        "shapes::Square<int>::area(int) const+0x0 [target]"
    );

    let built = Built::new("rust", "target.rs", &[]);
    let target = built.start();
    assert_eq!(whole(&symbols, target.pid(), target.address("area")), "target::shapes::Square::area+0x0 [target]");
}

#[test]
fn a_library_opened_later_and_another_program() {
    if missing(&[Need::Tool("gcc")]) {
        return;
    }
    let built = Built::new("later", "target.c", &[]);
    let mut target = built.start();
    let symbols = Symbols::default();
    all_found(&target, &symbols, &["inner"]);
    let library = built.library();
    target.say(&format!("load {library} library_function"));
    let found = eventually(&symbols, target.pid(), target.address("library_function") + 4);
    assert_eq!(found, "library_function+0x4 [libtarget.so]");

    let other = Built::new("other", "target.c", &["-no-pie", "-fno-pie"]);
    std::fs::rename(&other.path, other.at("renamed")).unwrap();
    let before = target.address("inner");
    target.say(&format!("exec {}", other.at("renamed")));
    assert_ne!(target.address("inner"), before);
    assert_eq!(whole(&symbols, target.pid(), target.address("inner")), "inner+0x0 [renamed]");
}

#[test]
fn what_was_known_of_a_process_outlives_it() {
    if missing(&[Need::Tool("gcc")]) {
        return;
    }
    let built = Built::new("gone", "target.c", &[]);
    let mut target = built.start();
    let (symbols, late) = (Symbols::default(), Symbols::default());
    all_found(&target, &symbols, &["inner"]);
    let process = symbols.process(target.pid()).unwrap();
    target.end();
    std::fs::remove_file(&built.path).unwrap();
    // One that was asked for, and others of the same file.
    all_found(&target, &symbols, &["inner", "outer", "static_function"]);
    assert!(!process.is_there() && !process.refresh());
    assert_eq!(process.symbolize(0).unwrap_err().why, format!("process {} is gone", target.pid()));
    let error = late.process(target.pid()).unwrap_err();
    assert_eq!(error.why(), "there is no such process");
    assert_eq!(error.errno(), Some(libc::ESRCH));
}

#[test]
fn a_process_seen_before_its_end_is_known_by_its_files() {
    if missing(&[Need::Tool("gcc")]) {
        return;
    }
    let built = Built::new("seen", "target.c", &[]);
    let mut target = built.start();
    let symbols = Symbols::default();
    // Nothing was asked of it while it ran.
    let process = symbols.process(target.pid()).unwrap();
    target.end();
    assert_eq!(process.symbolize(target.address("inner")).unwrap().name, "inner");

    // Another file of the same name is not taken for it.
    let mut target = built.start();
    let process = symbols.process(target.pid()).unwrap();
    target.end();
    std::fs::copy(&built.path, built.at("copy")).unwrap();
    std::fs::rename(built.at("copy"), &built.path).unwrap();
    let address = target.address("inner");
    let fresh = Symbols::default();
    assert!(fresh.process(target.pid()).is_err());
    let found = process.symbolize(address);
    assert!(found.is_ok() || found.as_ref().is_err_and(|unknown| unknown.why.contains("another file")), "{found:?}");
}

#[test]
fn a_program_deleted_while_it_runs() {
    if missing(&[Need::Root, Need::Tool("gcc")]) {
        return;
    }
    let built = Built::new("deleted", "target.c", &[]);
    let target = built.start();
    std::fs::remove_file(&built.path).unwrap();
    assert!(!Path::new(&built.path).exists());
    all_found(&target, &Symbols::default(), &["inner", "static_function"]);
}
