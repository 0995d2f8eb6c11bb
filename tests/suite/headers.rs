// SPDX-License-Identifier: Apache-2.0
//! Texts against a kernel's real headers: `--kernel-headers`, `BCC_KERNEL_SOURCE`.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::harness::{Bpflua, bpflua, kernel_release, root_folder, scratch, skip, vm_series};

/// The kernel whose headers the tests use.
const SERIES: &str = "6.1";
const SCRIPT: &str = "tests/runtime/headers/inlines.lua";

/// The folder of Debian's headers for a kernel of our virtual machines, fetched if it is not there.
pub fn headers(series: &str) -> Result<PathBuf, String> {
    let mut command = Command::new(root_folder().join("tests/vm/headers"));
    let output = command.arg(series).stdin(Stdio::null()).output().map_err(|error| error.to_string())?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).trim().into()),
        false => Err(String::from_utf8_lossy(&output.stderr).trim().replace('\n', "; ")),
    }
}

/// Inside a virtual machine: the headers of its kernel, which the test outside of it has fetched.
fn headers_of_this_kernel() -> Option<PathBuf> {
    let release = kernel_release();
    let cache = std::env::var_os("BPFLUA_VM_CACHE").map_or_else(|| root_folder().join(".vm-cache"), PathBuf::from);
    let folder = cache.join("kernels").join(&release).join(format!("headers/usr/src/linux-headers-{release}"));
    folder.is_dir().then_some(folder)
}

#[test]
fn inline_functions_of_real_headers_compile() {
    if vm_series().is_some() {
        return skip("not in a VM");
    }
    let folder = match headers(SERIES) {
        Ok(folder) => folder,
        Err(why) => return skip(&why),
    };
    let folder = folder.to_str().unwrap();
    bpflua(["check", "--no-cache", "--kernel-headers", folder, SCRIPT]).run().expect(0);
    bpflua(["check", "--no-cache", SCRIPT]).env("BCC_KERNEL_SOURCE", folder).run().expect(0);

    let scratch = scratch("headers");
    let file = scratch.join("asm.c");
    std::fs::write(
        &file,
        "#include <linux/bitops.h>\nint kprobe__f(struct pt_regs *ctx, long x)\n{\n    return fls(x);\n}\n",
    )
    .unwrap();
    let ended = bpflua(["check", "--no-cache", "--kernel-headers", folder]).arg(&file).run();
    let report = ended.expect(1).stderr.replace(file.to_str().unwrap(), "asm.c");
    insta::with_settings!({ snapshot_path => "../runtime/headers", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("assembly", report);
    });
}

#[test]
fn a_folder_without_headers_says_what_is_missing() {
    let folder = scratch("no_headers");
    let ended = bpflua(["check", "--no-cache", "--kernel-headers"]).arg(&folder).arg(SCRIPT).run();
    let report = ended.expect(1).stderr;
    let wanted = "it has no `include/generated/autoconf.h`\n";
    assert!(report.contains("error: cannot use the kernel headers in") && report.contains(wanted), "{report}");
    assert!(report.contains("it is no folder of kernel headers, and has no link `build` to one"), "{report}");
}

#[test]
fn root_inline_functions_read_the_kernels_values() {
    let Some(folder) = headers_of_this_kernel() else {
        return skip("no headers of this kernel are in the cache: not in a VM, or of another series");
    };
    let arguments = ["--no-cache", "--kernel-headers", folder.to_str().unwrap(), SCRIPT];
    let ended = Bpflua::under(&["nice", "-n", "5"], arguments).run();
    assert_eq!(ended.expect(0).stdout, "all values are right\n");
}
