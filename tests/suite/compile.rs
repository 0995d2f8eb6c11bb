// SPDX-License-Identifier: Apache-2.0
//! Texts through the real compiler: what it says of wrong ones, and what it makes of right ones.
//!
//! The kernel's types come from a small C file compiled by the same compiler, so that the reports do not depend on the
//! kernel at hand.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use bpflua::compiler::arch::Arch;
use bpflua::compiler::cache::Cache;
use bpflua::compiler::{Compiled, Options, Source, compile};
use bpflua::error::Error;
use bpflua::kernel::btf::Btf;
use bpflua::packs::embedded;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compile")
}

fn headers() -> Vec<(&'static str, String)> {
    let text = |bytes: Cow<'static, [u8]>| String::from_utf8(bytes.into_owned()).unwrap();
    embedded::c_headers().map(|(path, bytes)| (path, text(bytes))).collect()
}

/// Compiles as for a kernel with these types.
pub fn compile_for(
    btf: Option<&Btf>,
    source: &Source,
    flags: &[&str],
    cache: Option<&Cache>,
) -> Result<Compiled, Error> {
    let headers = headers();
    let headers: Vec<(&str, &str)> = headers.iter().map(|(path, text)| (*path, text.as_str())).collect();
    let tracepoint = |category: &str, event: &str| {
        let known = category == "sched" && event == "switch";
        let text = "struct tracepoint__sched__switch {\n\tu64 __do_not_use__;\n\tint prev_pid;\n};\n";
        Ok(known.then(|| text.to_owned()))
    };
    let options = Options {
        flags: flags.iter().map(|&flag| flag.to_owned()).collect(),
        headers: &headers,
        btf,
        tracepoint_struct: &tracepoint,
        kernel_version_code: 0x06_0c00,
        online_cpus: 2,
        arch: Arch::X86_64,
        cache,
    };
    compile(source, &options)
}

/// The types of `tests/compile/kernel.h`, as a kernel would offer them.
pub fn small_kernel() -> Btf {
    let text = std::fs::read_to_string(folder().join("kernel.h")).unwrap();
    let object =
        compile_for(None, &Source::file("kernel.h", text), &[], None).unwrap_or_else(|e| panic!("{}", e.report()));
    Btf::from_elf(&object.object).unwrap()
}

fn texts(prefix: &str) -> Vec<(String, String)> {
    let mut texts: Vec<(String, String)> = std::fs::read_dir(folder())
        .unwrap()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|end| end == "c"))
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read_to_string(path).unwrap()))
        .filter(|(name, _)| name.starts_with(prefix))
        .collect();
    texts.sort();
    assert!(!texts.is_empty(), "no text begins with {prefix}");
    texts
}

#[test]
fn reports_of_wrong_texts() {
    let btf = small_kernel();
    for (name, text) in texts("err_") {
        let report = match compile_for(Some(&btf), &Source::file(&name, text), &[], None) {
            Ok(_) => panic!("{name} compiles"),
            Err(error) => error.report(),
        };
        insta::with_settings!({ snapshot_path => "../compile", prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(name.trim_end_matches(".c"), report);
        });
    }
}

#[test]
fn right_texts_compile_without_a_word() {
    let btf = small_kernel();
    for (name, text) in texts("ok_") {
        match compile_for(Some(&btf), &Source::file(&name, text), &[], None) {
            Ok(compiled) => assert_eq!(compiled.warnings, Vec::<String>::new(), "{name}"),
            Err(error) => panic!("{}", error.report()),
        }
    }
}
