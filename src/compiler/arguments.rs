// SPDX-License-Identifier: Apache-2.0
//! What clang is told besides the text.

use super::includes::Texts;
use super::passes::usdt;
use super::prelude::{DIALECT, KERNEL_ROOT, ROOT, TEXT_ROOT, text_path};
use super::{Options, Source, configured};
use crate::kernel::headers::KernelHeaders;

/// What only texts about USDT probes need: it has a map.
const USDT: &str = "bpflua/usdt.h";
/// What only objects that travel need.
const BITS: &str = "bpflua/bits.h";

/// clang's cc1 arguments for this text.
pub fn of(source: &Source, options: &Options, texts: &Texts) -> Vec<String> {
    let mut args: Vec<String> = [
        "-emit-llvm-only",
        "-O2",
        "-disable-llvm-passes",
        // Types for BTF; the text itself goes with them, so that the verifier's log can quote it.
        "-debug-info-kind=constructor",
        "-dwarf-version=5",
        "-gembed-source",
        "-std=gnu11",
        "-fms-extensions",
        "-fno-strict-return",
        "-fno-builtin-printf",
        "-fno-jump-tables",
        "-nostdsysteminc",
        "-nobuiltininc",
        "-fno-caret-diagnostics",
        "-ferror-limit",
        "20",
        "-Wno-microsoft-anon-tag",
        "-Wno-unused-value",
        "-Wno-pointer-sign",
        "-Wno-address-of-packed-member",
        "-Wno-unknown-attributes",
        "-Wno-gnu-variable-sized-type-not-at-end",
        "-Wno-compare-distinct-pointer-types",
        "-Wno-format-security",
        "-Wreturn-type",
        "-Werror=implicit-function-declaration",
        "-Wno-c23-extensions",
        "-D__KERNEL__",
        // What compilers for the host say of themselves, and texts ask about.
        "-fgnuc-version=4.2.1",
        "-D__linux__=1",
        "-D__unix__=1",
        "-D__BPF_TRACING__",
        "-DKBUILD_MODNAME=\"bpflua\"",
    ]
    .map(str::to_owned)
    .into();
    args.push(format!("-D__TARGET_ARCH_{}", options.arch.target_define()));
    args.push(format!("-D__BPFLUA_NUM_CPUS={}", options.online_cpus));
    args.push(format!("-D__BPFLUA_HZ={}", options.ticks_per_second));
    args.extend(configured::flags(&texts.user, options));
    args.extend(options.flags.iter().cloned());
    args.extend(["-I.".to_owned(), format!("-I{ROOT}")]);
    match options.kernel_headers {
        Some(headers) => args.extend(with_headers(headers, options)),
        None => {
            args.extend(["-triple", "bpfel", "-target-cpu", "v3"].map(str::to_owned));
            // The user's own word for it wins.
            if !options.flags.iter().any(|flag| flag.starts_with("-DLINUX_VERSION_CODE")) {
                args.push(format!("-DLINUX_VERSION_CODE={}", options.kernel_version_code));
            }
            args.push(format!("-I{KERNEL_ROOT}"));
        }
    }
    // A packet's first header lies at offset 0.
    if texts.user.iter().any(|text| text.contains("proto.h") || text.contains("BPF_PACKET_HEADER")) {
        args.push("-fno-delete-null-pointer-checks".into());
    }
    // Debug information, and through it the verifier's log, names the file as the user does.
    let user_root = if source.name.starts_with('/') { "/" } else { "" };
    args.push(format!("-fdebug-prefix-map={TEXT_ROOT}={user_root}"));
    args.extend(["-include".into(), format!("{ROOT}/{DIALECT}")]);
    if texts.user.iter().chain(&options.flags).any(|text| usdt::is_mentioned(text)) {
        args.extend(["-include".into(), format!("{ROOT}/{USDT}")]);
    }
    if options.relocates_bits() {
        args.extend(["-include".into(), format!("{ROOT}/{BITS}")]);
    }
    args.extend(["-main-file-name".into(), source.name.clone(), "-x".into(), "c".into(), text_path(&source.name)]);
    args
}

/// What compiles a kernel's own headers, as the kernel's build does. They hold instructions of its processor, which clang
/// takes only when it compiles for that: layouts are the same, and what comes out is given to BPF afterwards. There is no
/// CO-RE for such a target, nor a need for it.
fn with_headers(headers: &KernelHeaders, options: &Options) -> Vec<String> {
    let mut args: Vec<String> = vec!["-triple".into(), options.arch.host_triple().into()];
    for dir in headers.include_dirs(options.arch.target_define()) {
        args.extend(["-internal-isystem".into(), dir.display().to_string()]);
    }
    args.push("-D__BPFLUA_KERNEL_HEADERS".into());
    // The kernel's code generation: no floating point, wide characters of two bytes.
    args.extend(["-fwchar-type=short", "-fno-signed-wchar", "-ffreestanding"].map(str::to_owned));
    args.extend(["-include".into(), headers.kconfig().display().to_string()]);
    args
}
