// SPDX-License-Identifier: Apache-2.0
//! Texts through the real compiler: what it says of wrong ones, and what it makes of right ones.
//!
//! The kernel's types come from a small C file compiled by the same compiler, so that the reports do not depend on the
//! kernel at hand.

use std::path::{Path, PathBuf};

use bpflua::compiler::arch::Arch;
use bpflua::compiler::cache::Cache;
use bpflua::compiler::types::{Defined, Request, layout_assertions};
use bpflua::compiler::{Compiled, InHeaders, Limits, NoModules, Options, Source, Wanted, compile, version};
use bpflua::error::Error;
use bpflua::kernel::btf::Btf;
use bpflua::kernel::tracefs::Tracefs;
use bpflua::packs::embedded;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compile")
}

pub fn headers() -> Vec<(&'static str, String)> {
    embedded::c_headers().map(|(path, text)| (path, text.into_owned())).collect()
}

/// A kernel whose headers define one macro and one inline function.
fn in_headers(name: &str) -> InHeaders {
    let folder = "/usr/src/linux-headers-6.12.0".to_owned();
    let have = |what, place: &str| InHeaders::Have { what, place: place.to_owned(), folder: folder.clone() };
    match name {
        "skb_shared_info_of" => have("an inline function", "include/linux/skbuff.h:1700"),
        "SKB_MAX_FRAGMENTS" => have("a macro", "include/linux/skbuff.h:350"),
        "skb_installed_nowhere" => {
            InHeaders::NoHeaders("those of the running kernel come with: apt-get install linux-headers-6.12.0".into())
        }
        _ => InHeaders::Lack(folder),
    }
}

/// Compiles as for a kernel with these types.
pub fn compile_for(
    btf: Option<&Btf>,
    source: &Source,
    flags: &[&str],
    cache: Option<&Cache>,
) -> Result<Compiled, Error> {
    compile_as(Arch::X86_64, btf, source, flags, cache)
}

/// The same for a machine of this architecture.
pub fn compile_as(
    arch: Arch,
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
        let real = || Some(Tracefs::open().ok()?.format(category, event).ok()?.c_struct());
        Ok(known.then(|| text.to_owned()).or_else(real))
    };
    let options = Options {
        flags: flags.iter().map(|&flag| flag.to_owned()).collect(),
        headers: &headers,
        btf,
        tracepoint_struct: &tracepoint,
        similar_tracepoints: &|category, _| vec![format!("{category}:switch")],
        kernel_version_code: 0x06_0c00,
        online_cpus: 2,
        ticks_per_second: 250,
        kernel_config: &|| None,
        modules: &NoModules,
        in_headers: &|name| in_headers(name),
        kernel_headers: None,
        arch,
        portable: false,
        limits: Limits::default(),
        wanted: Wanted::default(),
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
            Err(error) => error.report().replace(&version(), "CLANG"),
        };
        insta::with_settings!({ snapshot_path => "../compile", prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(name.trim_end_matches(".c"), report);
        });
    }
}

#[test]
fn warnings_of_texts() {
    let btf = small_kernel();
    for (name, text) in texts("warn_") {
        let compiled = compile_for(Some(&btf), &Source::file(&name, text), &[], None);
        let warnings = compiled.unwrap_or_else(|error| panic!("{}", error.report())).warnings;
        insta::with_settings!({ snapshot_path => "../compile", prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(name.trim_end_matches(".c"), warnings.concat());
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

/// The layout that C gives the declarations is the kernel's, to the byte: the compiler itself is asked.
#[test]
fn declarations_have_the_layout_of_this_kernel() {
    let btf = match Btf::kernel() {
        Ok(btf) => btf,
        Err(error) => return super::harness::skip(&error.to_string()),
    };
    let headers = headers();
    let prelude: Vec<&str> =
        headers.iter().filter(|(path, _)| *path != "bpflua/fallback_enums.h").map(|(_, text)| text.as_str()).collect();
    // Held, so that each is written with all its members: thousands of structs in all.
    let held = "struct task_struct t; struct rq r; struct sk_buff s; struct tcp_sock c; struct request q; struct file f; \
                struct super_block b; struct net_device n; struct mm_struct m; struct bpf_prog_aux p; struct nfs_client o;";
    let request =
        Request { texts: &[held], defined: Some(&Defined::by(&prelude)), skip: &["pt_regs"], ..Request::default() };
    let text = layout_assertions(&btf, &request);
    let asserted = text.matches("_Static_assert").count();
    assert!(asserted > 3_000, "only {asserted} assertions");
    if let Err(error) = compile_for(Some(&btf), &Source::file("layouts.c", text), &[], None) {
        panic!("{}", error.report());
    }
}

#[test]
fn objects_come_from_the_cache_only_when_nothing_has_changed() {
    let folder = std::env::temp_dir().join(format!("bpflua-cache-{}", std::process::id()));
    let cache = Cache::open(&folder, "this build").unwrap();
    let source = Source::file("a.c", "int f(struct pt_regs *ctx) { return N; }\n");
    let compiled = |flags: &[&str], cache: &Cache| compile_for(None, &source, flags, Some(cache)).unwrap();

    let first = compiled(&["-DN=1"], &cache);
    assert!(!first.from_cache);
    let again = compiled(&["-DN=1"], &cache);
    assert!(again.from_cache && again.object == first.object);
    assert!(!compiled(&["-DN=2"], &cache).from_cache, "another flag");
    assert!(!compiled(&["-DN=1"], &Cache::open(&folder, "another build").unwrap()).from_cache);

    for entry in std::fs::read_dir(&folder).unwrap().flatten() {
        let mut bytes = std::fs::read(entry.path()).unwrap();
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        std::fs::write(entry.path(), bytes).unwrap();
    }
    assert!(!compiled(&["-DN=1"], &cache).from_cache, "damaged entries are passed over");
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn a_cache_that_others_may_write_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = std::env::temp_dir().join(format!("bpflua-open-cache-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o777)).unwrap();
    assert!(Cache::open(&folder, "").is_none());
    std::fs::remove_dir_all(&folder).unwrap();
}

/// The texts that cover the dialect, macro by macro; what they say of themselves stands in their first comment.
#[test]
fn the_texts_of_the_dialect() {
    let btf = match Btf::kernel() {
        Ok(btf) => btf,
        Err(error) => return super::harness::skip(&error.to_string()),
    };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/dialect");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().flatten().map(|entry| entry.path()).collect();
    files.sort();
    for path in files.iter().filter(|path| path.extension().is_some_and(|end| end == "c")) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        // Another architecture's registers, and a stand-in for kernel types.
        if ["arm64.c", "libbpf_style.c"].contains(&name.as_str()) {
            continue;
        }
        let text = std::fs::read_to_string(path).unwrap();
        let asked = text.lines().find_map(|line| line.split_once("* flags: ")).map_or("", |(_, flags)| flags);
        let flags: Vec<&str> = asked.trim_end_matches("*/").split_whitespace().collect();
        let compiled = compile_for(Some(&btf), &Source::file(&name, text.clone()), &flags, None);
        match compiled {
            Ok(_) => assert!(!name.starts_with("err_"), "{name} compiles"),
            Err(error) if name.starts_with("err_") => {
                assert!(!error.report().contains("bpflua_"), "{name} speaks of bpflua's insides:\n{}", error.report());
            }
            Err(error) => panic!("{}", error.report()),
        }
    }
}
