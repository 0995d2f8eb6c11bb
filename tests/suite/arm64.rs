// SPDX-License-Identifier: Apache-2.0
//! Texts compiled for arm64: the registers that programs read are that machine's. They are compiled here, and not run.

use std::path::Path;

use bpflua::compiler::arch::Arch;
use bpflua::compiler::{Compiled, Source};
use object::{Object as _, ObjectSection as _};

use super::compile::{compile_as, small_kernel};

/// `*(u64 *)(r + off)`
const LOAD_64: u8 = 0x79;

/// Texts of the dialect's tests that name x86-64's registers, or bring a stand-in for its kernel's types.
const X86_ONLY: [&str; 3] = ["constants.c", "libbpf_style.c", "probes.c"];

fn compiled(text: &str) -> Compiled {
    let btf = small_kernel();
    compile_as(Arch::Arm64, Some(&btf), &Source::file("arm64.c", text), &[], None)
        .unwrap_or_else(|error| panic!("{}", error.report()))
}

/// The offsets of all 64-bit loads in a section, sorted, each once.
fn loads(object: &[u8], section: &str) -> Vec<i16> {
    let file = object::File::parse(object).unwrap();
    let data = file.section_by_name(section).unwrap_or_else(|| panic!("no section {section}")).data().unwrap();
    let insns = data.chunks_exact(8).filter(|insn| insn[0] == LOAD_64);
    let mut offsets: Vec<i16> = insns.map(|insn| i16::from_le_bytes([insn[2], insn[3]])).collect();
    offsets.sort_unstable();
    offsets.dedup();
    offsets
}

#[test]
fn arguments_come_in_x0_to_x7() {
    let text = "int f(struct pt_regs *ctx, long a, long b, long c, long d, long e, long g, long h, long i)\n\
                { return a + b + c + d + e + g + h + i; }\n";
    assert_eq!(loads(&compiled(text).object, "kprobe"), [0, 8, 16, 24, 32, 40, 48, 56]);
}

#[test]
fn registers_by_their_macros() {
    let load = |expression: &str| {
        let text = format!("int f(struct pt_regs *ctx) {{ return {expression}; }}\n");
        loads(&compiled(&text).object, "kprobe")
    };
    for (expression, offset) in [
        ("PT_REGS_PARM1(ctx)", 0),
        ("PT_REGS_PARM4(ctx)", 24),
        ("PT_REGS_PARM6(ctx)", 40),
        ("PT_REGS_RC(ctx)", 0),
        ("PT_REGS_FP(ctx)", 232),
        ("PT_REGS_RET(ctx)", 240),
        ("PT_REGS_SP(ctx)", 248),
        ("PT_REGS_IP(ctx)", 256),
    ] {
        assert_eq!(load(expression), [offset], "{expression}");
    }
}

/// The registers that user space passed lie behind the function's first argument, and are read by helper.
#[test]
fn a_system_call_keeps_its_first_argument_in_orig_x0() {
    let object =
        compiled("int syscall__openat(struct pt_regs *ctx, int folder, const char *name) { return folder; }\n").object;
    let file = object::File::parse(object.as_slice()).unwrap();
    let data = file.section_by_name("kprobe").unwrap().data().unwrap();
    // r3 += 272: the address of orig_x0 for the read.
    let adds = data
        .chunks_exact(8)
        .filter(|insn| insn[0] == 0x07)
        .map(|insn| i32::from_le_bytes(insn[4..].try_into().unwrap()));
    assert!(adds.into_iter().any(|offset| offset == 272), "no read of orig_x0");
}

#[test]
fn the_target_is_told_to_the_text() {
    let text = "#if defined(__TARGET_ARCH_arm64) && defined(__aarch64__) && !defined(__x86_64__)\n\
                int f(struct pt_regs *ctx) { return 0; }\n#else\n#error \"not arm64\"\n#endif\n";
    compiled(text);
}

/// The texts that cover the dialect, without those that name another machine's registers.
#[test]
fn the_texts_of_the_dialect_compile() {
    let btf = match bpflua::kernel::btf::Btf::kernel() {
        Ok(btf) => btf,
        Err(error) => return super::harness::skip(&error.to_string()),
    };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/dialect");
    let mut compiled = 0;
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let name = entry.file_name().into_string().unwrap();
        if !name.ends_with(".c") || name.starts_with("err_") || X86_ONLY.contains(&name.as_str()) {
            continue;
        }
        let text = std::fs::read_to_string(entry.path()).unwrap();
        let asked = text.lines().find_map(|line| line.split_once("* flags: ")).map_or("", |(_, flags)| flags);
        let flags: Vec<&str> =
            asked.trim_end_matches("*/").split_whitespace().filter(|flag| !flag.contains("TARGET_ARCH")).collect();
        if let Err(error) = compile_as(Arch::Arm64, Some(&btf), &Source::file(&name, text.clone()), &flags, None) {
            panic!("{}", error.report());
        }
        compiled += 1;
    }
    assert!(compiled > 10, "only {compiled} texts");
}
