// SPDX-License-Identifier: Apache-2.0
//! Packs that are compiled ahead run without a compiler; those that are signed are told from those that were changed; those that
//! do what they did not declare are stopped.

use std::fs;
use std::path::{Path, PathBuf};

use super::harness::{Bpflua, Need, bpflua, missing, root_folder, scratch, skip, vm_series};
use super::packs_help::{Packs, golden};

/// A pack built outside of the virtual machines, for those in them.
pub fn portable_pack() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("portable.tar.zst")
}

/// Builds it.
pub fn build_portable_pack() {
    bpflua(["pack", "build", "tests/runtime/portable_pack", "-o"]).arg(portable_pack()).run().expect(0);
}

/// bpflua without the compiler, which `tests/run` builds; none when it did not.
fn lite() -> Option<PathBuf> {
    Some(root_folder().join("target/lite/debug/bpflua")).filter(|path| path.is_file())
}

fn started(program: &Path, folder: &Path, args: &[&str]) -> Bpflua {
    let command = Bpflua::other(&[], &[program.display().to_string()], args).current_dir(folder);
    command.env("BPFLUA_PACKS", folder.join("installed")).env("HOME", "/nonexistent")
}

#[test]
fn root_a_built_pack_runs_without_a_compiler() {
    if missing(&[Need::Root, Need::Btf, Need::Tracefs]) {
        return;
    }
    let Some(lite) = lite() else { return skip("no bpflua without the compiler: `tests/run` builds one") };
    if vm_series().is_none() {
        build_portable_pack();
    }
    let folder = scratch("packs-built");
    started(&lite, &folder, &["pack", "install", portable_pack().to_str().unwrap()]).run().expect(0);
    let told =
        started(&lite, &folder, &["-v", "run", "portable/pgids", "--", "5", "--twice", "--json"]).run().expect(0);
    assert_eq!(told.stdout, "{\"made\":5,\"counted\":10,\"parent\":true}\n");
    assert!(told.stderr.contains("was compiled with the pack"), "{}", told.stderr);
    // What was not compiled ahead says so.
    let own = started(&lite, &folder, &["-e", "BPF{text = 'int f;'}"]).run().expect(3);
    assert!(own.stderr.contains("this build has no compiler"), "{}", own.stderr);
}

#[test]
fn builds_are_the_same_byte_for_byte_for_both_architectures() {
    if missing(&[Need::Btf, Need::Tracefs]) {
        return;
    }
    let folder = scratch("packs-build-twice");
    let build = |name: &str| {
        let archive = folder.join(name);
        let told = bpflua(["pack", "build", "tests/runtime/portable_pack", "-o"]).arg(&archive).run().expect(0);
        assert!(told.stdout.contains("C texts compiled for x86_64 and aarch64: 1\n"), "{}", told.stdout);
        fs::read(archive).unwrap()
    };
    assert!(build("a.tar.zst") == build("b.tar.zst"), "two builds differ");
    let info = bpflua(["pack", "verify", "--listing"]).arg(folder.join("a.tar.zst")).run().expect(0).stdout;
    for arch in ["x86_64", "aarch64"] {
        assert_eq!(info.matches(&format!(".{arch}.o\n")).count(), 1, "{info}");
    }
}

#[test]
fn signatures_tell_whose_a_pack_is_and_that_it_is_whole() {
    let packs = Packs::new("packs-signed");
    packs.pack("tcp", "tcp", "1.0.0", "");
    packs.ok(["pack", "sign", "--new-key", "mine.key", "./tcp"]);
    packs.ok(["pack", "sign", "--new-key", "other.key"]);
    let told = packs.ok(["pack", "verify", "--key", "mine.key.pub", "./tcp"]);
    assert!(told.contains("tcp 1.0.0 sha256:") && told.contains("signed by RW"), "{told}");
    let numbers = regex::Regex::new("key [0-9A-F]{16}").unwrap();
    let masked = |text: String| numbers.replace_all(&text, "key NUMBER").into_owned();
    golden("verify_other_key", &masked(packs.shown(["pack", "verify", "--key", "other.key.pub", "./tcp"])));
    golden("verify_no_key", &masked(packs.shown(["pack", "verify", "./tcp"])));
    packs.write("tcp/part.lua", "return 'evil'");
    golden("verify_changed", &packs.shown(["pack", "verify", "--key", "mine.key.pub", "./tcp"]));
    golden("sign_no_key", &packs.shown(["pack", "sign", "--key", "tcp/pack.toml", "./tcp"]));
    // An archive, and what `minisign` itself would check.
    packs.ok(["pack", "export", "./tcp", "-o", "tcp.tar.zst"]);
    fs::remove_file(packs.path("tcp/pack.minisig")).unwrap();
    golden("verify_unsigned", &packs.shown(["pack", "verify", "--key", "mine.key.pub", "./tcp"]));
}

#[test]
fn root_what_a_pack_does_not_declare_it_does_not_do() {
    if missing(&[Need::Root, Need::Btf, Need::Tracefs]) {
        return;
    }
    let packs = Packs::new("packs-held");
    let manifest = "[pack]\nname = \"sly\"\nversion = \"1.0.0\"\napi = 1\n[entries]\nsly = \"sly.lua\"\n";
    let attach = "[requires]\nattach = [\"tracepoint:syscalls:sys_enter_getpgid\"]\n";
    let cases = [
        ("attach", attach, "BPF{text = 'TRACEPOINT_PROBE(syscalls, sys_enter_getsid) { return 0; }'}"),
        ("attach_nothing", "", "BPF{text = 'TRACEPOINT_PROBE(syscalls, sys_enter_getsid) { return 0; }'}"),
        (
            "helper",
            attach,
            "BPF{text = 'TRACEPOINT_PROBE(syscalls, sys_enter_getpgid) { bpf_send_signal(10); return 0; }'}",
        ),
        ("execute", attach, "os.execute('echo evil')"),
        ("popen", attach, "io.popen('echo evil')"),
        ("ffi", attach, "require('ffi')"),
        ("debug", attach, "debug.getregistry()"),
        ("require", attach, "require('socket')"),
        ("environment", attach, "print(getfenv(0))"),
    ];
    for (name, requires, lua) in cases {
        packs.write("sly/pack.toml", manifest);
        packs.write(
            "sly/sly.lua",
            format!("--[==[ pack\nsummary = \"Does more than it says\"\n{requires}]==]\n{lua}\n"),
        );
        golden(&format!("held_{name}"), &packs.shown(["run", "./sly/sly"]));
    }
    // What it declares works, and its handlers are as fast as any.
    packs.write(
        "sly/sly.lua",
        format!("--[==[ pack\nsummary = \"x\"\n{attach}lua = [\"os.execute\"]\n]==]\nBPF{{text = 'TRACEPOINT_PROBE(syscalls, sys_enter_getpgid) {{ return 0; }}'}}\nos.execute('echo declared')\n"),
    );
    assert_eq!(packs.ok(["run", "./sly/sly"]), "declared\n");
}
