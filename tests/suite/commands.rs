// SPDX-License-Identifier: Apache-2.0
//! `check`, `compile` and the cache on real kernels; scripts that run by themselves.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use bpflua::kernel::btf::Btf;
use object::{Object as _, ObjectSection as _};

use super::harness::{Bpflua, Need, Spawner, bpflua, missing, portable_object, root_folder, scratch, thread_id};

/// The programs of `examples/`, as a user names them.
fn examples() -> Vec<String> {
    let entries = fs::read_dir(root_folder().join("examples")).unwrap().flatten();
    let mut names: Vec<String> =
        entries.map(|entry| format!("examples/{}", entry.file_name().into_string().unwrap())).collect();
    names.retain(|name| name.ends_with(".lua"));
    names.sort();
    names
}

#[test]
fn root_check_passes_every_example() {
    if missing(&[Need::Root, Need::Btf, Need::Tracefs]) {
        return;
    }
    let ended = bpflua(["check"].map(str::to_owned).into_iter().chain(examples())).run().expect(0);
    assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("", ""));
    let load = ["check", "--load"].map(str::to_owned).into_iter();
    let ended = bpflua(load.chain(examples())).run().expect(0);
    assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("", ""));
}

#[test]
fn root_check_load_tells_what_the_verifier_says() {
    if missing(&[Need::Root, Need::Btf]) {
        return;
    }
    let rejected = "tests/runtime/errors/verifier.lua";
    bpflua(["check", rejected]).run().expect(0);
    let ended = bpflua(["check", "--load", "examples/hello_perf_output.lua", rejected]).run().expect(1);
    assert!(ended.stderr.starts_with("error: the kernel rejected program `on_call`"), "{}", ended.stderr);
}

#[test]
fn root_check_takes_macros_folders_and_types() {
    if missing(&[Need::Root, Need::Btf]) {
        return;
    }
    let folder = scratch("check");
    fs::create_dir(folder.join("own")).unwrap();
    fs::write(folder.join("own/own.h"), "#define FROM_HEADER 1\n").unwrap();
    let text =
        "#include \"own.h\"\n#if FROM_HEADER + FROM_LINE != 3\n#error no\n#endif\nint f(void *ctx) { return 0; }\n";
    fs::write(folder.join("text.c"), text).unwrap();
    let check = |args: &[&str]| bpflua([&["check", "text.c"], args].concat()).current_dir(&folder).run();
    check(&["-D", "FROM_LINE=2", "-I", "own"]).expect(0);
    check(&["-DFROM_LINE=2", "-Iown", "--btf", "/sys/kernel/btf/vmlinux"]).expect(0);
    let ended = check(&["-D", "FROM_LINE=1", "-I", "own"]).expect(1);
    assert!(ended.stderr.contains("--> text.c:3:2: no\n"), "{}", ended.stderr);
    let ended = check(&["-D", "FROM_LINE=2", "-I", "own", "--btf", "no such file"]).run_failed();
    assert!(ended.contains("`no such file`"), "{ended}");
}

#[test]
fn a_header_finds_what_lies_beside_it_and_brings_kernel_types() {
    if missing(&[Need::Btf]) {
        return;
    }
    let folder = scratch("beside");
    fs::create_dir(folder.join("own")).unwrap();
    fs::write(folder.join("own/outer.h"), "#include \"inner.h\"\n").unwrap();
    fs::write(folder.join("own/inner.h"), "static int state(struct task_struct *task) { return task->pid; }\n")
        .unwrap();
    let text = "#include \"own/outer.h\"\nint f(void *ctx) { return state((void *)bpf_get_current_task()); }\n";
    fs::write(folder.join("text.c"), text).unwrap();
    bpflua(["check", folder.join("text.c").to_str().unwrap()]).current_dir(Path::new("/")).run().expect(0);
}

impl super::harness::Ended {
    /// What it said when it failed.
    fn run_failed(self) -> String {
        assert_ne!(self.status, Some(0), "{}", self.stderr);
        self.stderr
    }
}

#[test]
fn root_compile_writes_a_portable_object() {
    if missing(&[Need::Root, Need::Btf]) {
        return;
    }
    let file = scratch("compile").join("portable.o");
    let ended = bpflua(["compile", "tests/runtime/portable/portable.c", "-o"]).arg(&file).run().expect(0);
    assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("", ""));
    let bytes = fs::read(&file).unwrap();
    Btf::from_elf(&bytes).unwrap_or_else(|error| panic!("{}", error.report()));
    assert!(relocations(&bytes) > 0, "no CO-RE relocations");
    works(&file);
    let ended = bpflua(["compile", "tests/runtime/portable/portable.c", "-o", "/no/such/folder/x.o"]).run().expect(1);
    assert!(ended.stderr.starts_with("error: cannot write object `/no/such/folder/x.o`"), "{}", ended.stderr);
}

/// The bytes of CO-RE relocations in an object: the last of the three parts of `.BTF.ext`.
fn relocations(bytes: &[u8]) -> u32 {
    let elf = object::File::parse(bytes).unwrap();
    let section = elf.section_by_name(".BTF.ext").unwrap();
    let data = section.data().unwrap();
    let word = |at: usize| u32::from_le_bytes(data[at..at + 4].try_into().unwrap());
    // The header's length, then offset and length of functions, lines, relocations.
    if word(4) >= 32 { word(28) } else { 0 }
}

/// Runs the object here: it must find the members of this kernel's structs.
fn works(file: &Path) {
    let spawner = Spawner::new("portable-caller");
    let wanted = format!("{} {} {} born before now", thread_id(), std::process::id(), spawner.comm);
    let mut running = bpflua(["tests/runtime/portable/portable.lua"]).arg(file).start();
    running.until("ready", |text| text.starts_with("ready\n").then_some(()));
    // SAFETY: takes no pointers.
    let call = || unsafe {
        libc::getpgid(0);
    };
    running.work_until("our call", call, |text| text.lines().any(|line| line == wanted).then_some(()));
    running.interrupt().expect(0);
}

/// In a virtual machine: an object that was compiled outside, with the types of the other kernel.
#[test]
fn root_an_object_of_another_kernel_works() {
    if missing(&[Need::Root, Need::Btf]) {
        return;
    }
    if let Some(file) = portable_object() {
        works(&file);
    }
}

/// Checks a text with a cache of its own; whether the object came from there.
fn from_cache(cache: &Path, options: &[&str]) -> bool {
    let args = [options, &["check", "-v", "tests/cli/check_good.lua"]].concat();
    let ended = bpflua(args).env("XDG_CACHE_HOME", cache).run().expect(0);
    assert!(ended.stderr.contains("compiled, ") != ended.stderr.contains("taken from the cache, "), "{}", ended.stderr);
    ended.stderr.contains("taken from the cache, ")
}

fn entries(cache: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(cache.join("bpflua")).map(|folder| folder.flatten().map(|entry| entry.path()).collect());
    entries.unwrap_or_default()
}

#[test]
fn the_second_run_takes_the_object_from_the_cache() {
    if missing(&[Need::Btf]) {
        return;
    }
    let cache = scratch("cache-use");
    assert!(!from_cache(&cache, &["--no-cache"]) && entries(&cache).is_empty(), "nothing is kept");
    assert!(!from_cache(&cache, &[]));
    assert!(from_cache(&cache, &[]));
    assert!(!from_cache(&cache, &["--no-cache"]), "nothing is taken");
    assert!(!from_cache(&cache, &["-D", "OTHER=1"]), "another text");
    let [entry, ..] = &entries(&cache)[..] else { panic!("no entry") };
    assert_eq!(fs::metadata(entry).unwrap().mode() & 0o777, 0o600);
    assert_eq!(fs::metadata(cache.join("bpflua")).unwrap().mode() & 0o777, 0o700);
}

#[test]
fn damaged_entries_are_passed_over_and_replaced() {
    if missing(&[Need::Btf]) {
        return;
    }
    let cache = scratch("cache-damage");
    assert!(!from_cache(&cache, &[]));
    let entry = entries(&cache).remove(0);
    let good = fs::read(&entry).unwrap();
    let mut flipped = good.clone();
    flipped[good.len() / 2] ^= 1;
    for bad in [&flipped[..], &good[..good.len() - 1], b"", b"bpflua object 1\n"] {
        fs::write(&entry, bad).unwrap();
        assert!(!from_cache(&cache, &[]), "a damaged entry was taken");
        assert!(from_cache(&cache, &[]), "and was not replaced");
    }
}

#[test]
fn root_a_cache_that_others_can_write_is_not_used() {
    if missing(&[Need::Root, Need::Btf]) {
        return;
    }
    let cache = scratch("cache-others");
    assert!(!from_cache(&cache, &[]));
    let folder = cache.join("bpflua");
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).unwrap();
    assert!(!from_cache(&cache, &[]), "writable by everybody");
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
    assert!(from_cache(&cache, &[]));
    chown(&folder, Some(65534), None).unwrap();
    assert!(!from_cache(&cache, &[]), "another user's");
    chown(&folder, Some(0), None).unwrap();
    let entry = entries(&cache).remove(0);
    chown(&entry, Some(65534), None).unwrap();
    assert!(!from_cache(&cache, &[]), "another user's entry");
}

#[test]
fn runs_at_the_same_time_share_the_cache() {
    if missing(&[Need::Btf]) {
        return;
    }
    let cache = scratch("cache-race");
    let start = || bpflua(["check", "tests/cli/check_good.lua"]).env("XDG_CACHE_HOME", &cache).start();
    let running: Vec<_> = (0..6).map(|_| start()).collect();
    running.into_iter().for_each(|one| drop(one.end().expect(0)));
    let entries = entries(&cache);
    assert_eq!(entries.len(), 1, "{entries:?}");
    assert!(from_cache(&cache, &[]));
}

#[test]
fn scripts_run_by_themselves() {
    let folder = scratch("shebang");
    symlink(env!("CARGO_BIN_EXE_bpflua"), folder.join("bpflua")).unwrap();
    let script = folder.join("script");
    fs::write(&script, "#!/usr/bin/env bpflua\nprint(#arg, ...)\n").unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    let output = Command::new(&script).args(["-v", "check"]).env("PATH", path).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "2\t-v\tcheck\n", "{output:?}");
    assert!(output.status.success());
}

#[test]
fn a_script_may_come_from_standard_input() {
    let ended = bpflua(["-", "a", "-b"]).input("print(...)\nlocal x = nil + 1\n").run().expect(1);
    assert_eq!(ended.stdout, "a\t-b\n");
    assert!(ended.stderr.contains(":2\n"), "{}", ended.stderr);
}

/// The word (`yes`, `part`, `no`) and the finding of a row of `doctor`'s report.
fn row(report: &str, topic: &str) -> (String, String) {
    let found = report.lines().find_map(|line| {
        let (word, rest) = line.trim_start().split_once(' ')?;
        Some((word.to_owned(), rest.trim_start().strip_prefix(topic)?.strip_prefix("  ")?.trim().to_owned()))
    });
    found.unwrap_or_else(|| panic!("no row `{topic}`:\n{report}"))
}

fn word(there: bool) -> &'static str {
    if there { "yes" } else { "no" }
}

#[test]
fn root_doctor_tells_the_truth() {
    if missing(&[Need::Root]) {
        return;
    }
    let has = |need: Need| need.lacking().is_none();
    let report = bpflua(["doctor"]).run().expect(0).stdout;
    let says = |topic: &str| row(&report, topic).0;
    assert!(row(&report, "kernel").1.contains(&super::harness::kernel_release()), "{report}");
    assert_eq!(says("type data (BTF)"), word(has(Need::Btf)));
    assert_eq!(says("kprobes"), word(has(Need::Kprobes)), "{report}");
    let multi = if !has(Need::KprobeMulti) && has(Need::Kprobes) { "part" } else { word(has(Need::KprobeMulti)) };
    assert_eq!(says("kprobe-multi"), multi, "{report}");
    assert_eq!(says("tracepoints"), word(has(Need::Tracefs)));
    assert_eq!(says("uprobes"), word(has(Need::Uprobes)));
    assert_eq!(says("ring buffers"), "yes");
    assert!(row(&report, "capabilities").1.starts_with("uid 0, may load tracing programs"), "{report}");
    if super::harness::vm_series().is_some() {
        assert_eq!(says("fentry and fexit"), "yes", "{report}");
    }
    // The mode in brackets, where securityfs is mounted.
    if let Ok(lockdown) = fs::read_to_string("/sys/kernel/security/lockdown") {
        let mode = lockdown.split(['[', ']']).nth(1).unwrap();
        assert!(row(&report, "lockdown").1.starts_with(mode), "{mode}: {report}");
    }
}

#[test]
fn root_doctor_sees_what_is_missing() {
    if missing(&[Need::Root]) {
        return;
    }
    let under = |wrapper: &[&str]| Bpflua::under(wrapper, ["doctor"]).run().expect(0).stdout;
    let nobody = "setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps +dac_read_search --ambient-caps +dac_read_search";
    let report = under(&nobody.split(' ').collect::<Vec<_>>());
    let (word, found) = row(&report, "capabilities");
    assert!(word == "no" && found.contains("uid 65534"), "{report}");
    assert!(report.contains("hint: "), "{report}");
    let hidden = "mount -t tmpfs tmpfs /sys/kernel/btf && exec \"$@\"";
    let report = under(&["unshare", "--mount", "sh", "-c", hidden, "sh"]);
    assert_eq!(row(&report, "type data (BTF)").0, "no", "{report}");
}

#[test]
fn root_debug_tells_what_libbpf_says() {
    if missing(&[Need::Root, Need::Btf]) {
        return;
    }
    let script = |debug: &str| {
        format!("BPF{{text = 'BPF_ARRAY(a, u32, 1); int f(void *ctx) {{ return 0; }}', debug = {debug}}}")
    };
    let ended = bpflua(["-e", &script("BPF.DEBUG_BTF")]).run().expect(0);
    assert!(ended.stderr.contains("\nbpflua: libbpf: map 'a': created successfully"), "{}", ended.stderr);
    let ended = bpflua(["-e", &script("0")]).run().expect(0);
    assert_eq!(ended.stderr, "");
}
