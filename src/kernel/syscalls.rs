// SPDX-License-Identifier: Apache-2.0
//! System calls by name and number, and the kernel functions that serve them.
//!
//! The function behind `clone` is called `__x64_sys_clone`, `__arm64_sys_clone` or `sys_clone`, as the kernel and the
//! machine will have it. The prefix is found by looking for that of bpf(2) among the symbols, which any kernel that can
//! run this has.
//!
//! ```
//! use bpflua::kernel::syscalls;
//! assert_eq!(syscalls::function_name("__x64_sys_", "clone"), "__x64_sys_clone");
//! assert_eq!(syscalls::fix_function_name("__x64_sys_", "sys_clone"), "__x64_sys_clone");
//! let served = syscalls::parse_function_name("__x64_sys_newuname").unwrap();
//! assert_eq!(served.name, "uname");
//! assert!(!served.compat);
//! ```

use crate::error::Result;
use crate::kernel::{btf, kallsyms};
use std::str::FromStr;

use once_cell::sync::OnceCell;
use syscalls::Sysno;

/// What the kernel puts before the name of a system call to name its function, on the machines bcc knows.
pub const PREFIXES: [&str; 8] = [
    "sys_",
    "__x64_sys_",
    "__x32_compat_sys_",
    "__ia32_compat_sys_",
    "__arm64_sys_",
    "__s390x_sys_",
    "__s390_sys_",
    "__riscv_sys_",
];

/// Prefixes of functions that serve programs of the same machine's other, mostly 32-bit, calling conventions. The
/// numbers of those system calls are others.
const COMPAT_PREFIXES: [&str; 7] = [
    "__x32_compat_sys_",
    "__ia32_compat_sys_",
    "__ia32_sys_",
    "__arm64_compat_sys_",
    "__s390_compat_sys_",
    "__s390_sys_",
    "compat_sys_",
];

/// The prefixes of functions that serve the machine's own calling convention.
const NATIVE_PREFIXES: [&str; 5] = ["__x64_sys_", "__arm64_sys_", "__riscv_sys_", "__s390x_sys_", "sys_"];

/// System calls whose function in the kernel is called otherwise than the system call: (system call, function).
const RENAMED: [(&str, &str); 7] = [
    ("uname", "newuname"),
    ("stat", "newstat"),
    ("lstat", "newlstat"),
    ("fstat", "newfstat"),
    ("umount2", "umount"),
    ("sendfile", "sendfile64"),
    ("fadvise64", "fadvise64_64"),
];

/// A kernel function that serves a system call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyscallFunction {
    /// The system call's name: `clone`.
    pub name: String,
    /// Its number on this machine; `None` when this machine's own calling convention has no such call, and for
    /// functions of another one (`compat`).
    pub number: Option<u32>,
    /// The prefix before the name: `__x64_sys_`.
    pub prefix: &'static str,
    /// Whether it serves programs of another calling convention (32-bit ones on a 64-bit kernel).
    pub compat: bool,
}

/// The running kernel's prefix (`__x64_sys_`), found once. `sys_` when none of the known ones is there, as in bcc.
pub fn prefix() -> Result<&'static str> {
    static PREFIX: OnceCell<&'static str> = OnceCell::new();
    PREFIX.get_or_try_init(find_prefix).copied()
}

fn find_prefix() -> Result<&'static str> {
    // Reading the symbols takes ten milliseconds; the type data name the likeliest function in most kernels.
    if btf::kernel_mentions(&function_name(expected_prefix(), "bpf")) {
        return Ok(expected_prefix());
    }
    let mut ordered = PREFIXES;
    // A kernel has one native prefix. The likeliest first lets the search end as soon as it is seen.
    ordered.sort_by_key(|prefix| *prefix != expected_prefix());
    let names = ordered.map(|prefix| function_name(prefix, "bpf"));
    let found = kallsyms::first_existing(&names.each_ref().map(String::as_str))?;
    let prefix = ordered.into_iter().zip(&names).find(|(_, name)| found == Some(name.as_str()));
    Ok(prefix.map_or(PREFIXES[0], |(prefix, _)| prefix))
}

/// The prefix that kernels of this machine have had since 4.17, when the wrappers came.
fn expected_prefix() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "__x64_sys_",
        "aarch64" => "__arm64_sys_",
        "riscv64" => "__riscv_sys_",
        "s390x" => "__s390x_sys_",
        _ => "sys_",
    }
}

/// The name of the kernel function behind a system call (bcc's `get_syscall_fnname`).
pub fn function_name(prefix: &str, syscall: &str) -> String {
    format!("{prefix}{syscall}")
}

/// Gives a system call's function under any known prefix this kernel's prefix (bcc's `fix_syscall_fnname`); other
/// names stay as they are.
pub fn fix_function_name(prefix: &str, function: &str) -> String {
    match PREFIXES.iter().find_map(|known| function.strip_prefix(known)) {
        Some(syscall) => function_name(prefix, syscall),
        None => function.to_owned(),
    }
}

/// Which system call a kernel function serves, by its name; `None` when the name is not that of one.
pub fn parse_function_name(function: &str) -> Option<SyscallFunction> {
    let compat = strip_any(function, &COMPAT_PREFIXES);
    let (prefix, served) = compat.or_else(|| strip_any(function, &NATIVE_PREFIXES))?;
    let name = RENAMED.iter().find(|(_, inside)| *inside == served).map_or(served, |(outside, _)| *outside);
    let known = number(name).map(|found| (name, found)).or_else(|| number(served).map(|found| (served, found)));
    if let Some((name, number)) = known {
        let number = compat.is_none().then_some(number);
        return Some(SyscallFunction { name: name.to_owned(), number, prefix, compat: compat.is_some() });
    }
    // Without a number only the prefixes that nothing else uses are proof: `sys_` starts many other functions.
    let certain = prefix.starts_with("__") && !served.is_empty() && served != "ni_syscall";
    certain.then(|| SyscallFunction { name: name.to_owned(), number: None, prefix, compat: compat.is_some() })
}

fn strip_any<'a>(function: &'a str, prefixes: &[&'static str]) -> Option<(&'static str, &'a str)> {
    prefixes.iter().find_map(|prefix| Some((*prefix, function.strip_prefix(prefix)?)))
}

/// The number of a system call on this machine.
pub fn number(syscall: &str) -> Option<u32> {
    Sysno::from_str(syscall).ok().and_then(|call| u32::try_from(call.id()).ok())
}

/// The name of a system call on this machine.
pub fn name(number: u32) -> Option<&'static str> {
    Sysno::new(usize::try_from(number).ok()?).map(|call| call.name())
}

/// The names of all system calls of this machine, by number.
pub fn names() -> impl Iterator<Item = &'static str> {
    Sysno::iter().map(|call| call.name())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_take_the_prefix_of_this_kernel() {
        assert_eq!(fix_function_name("__x64_sys_", "sys_clone"), "__x64_sys_clone");
        assert_eq!(fix_function_name("sys_", "__arm64_sys_clone"), "sys_clone");
        assert_eq!(fix_function_name("__x64_sys_", "vfs_read"), "vfs_read");
    }

    #[test]
    fn functions_tell_their_system_call() {
        let clone = parse_function_name("__x64_sys_clone").unwrap();
        assert_eq!((clone.name.as_str(), clone.number, clone.compat), ("clone", number("clone"), false));
        assert_eq!(parse_function_name("sys_read").unwrap().number, number("read"));
        assert_eq!(parse_function_name("__arm64_sys_openat").unwrap().name, "openat");
        assert_eq!(parse_function_name("__x64_sys_sendfile64").unwrap().name, "sendfile");
        assert_eq!(parse_function_name("__x64_sys_umount").unwrap().number, number("umount2"));
        assert_eq!(parse_function_name("__x64_sys_not_born_yet").unwrap().number, None);
    }

    #[test]
    fn compat_functions_have_no_number_here() {
        for function in ["__ia32_compat_sys_execve", "__ia32_sys_openat", "__arm64_compat_sys_openat"] {
            let served = parse_function_name(function).unwrap();
            assert_eq!((served.number, served.compat), (None, true), "{function}");
        }
    }

    #[test]
    fn other_functions_are_none() {
        for function in ["vfs_read", "sys_off_handler", "", "sys_", "__x64_sys_", "__x64_sys_ni_syscall", "ksys_read"] {
            assert_eq!(parse_function_name(function), None, "{function}");
        }
    }

    #[test]
    fn numbers_and_names_are_inverse() {
        for name_here in names() {
            assert_eq!(number(name_here).and_then(name), Some(name_here));
        }
        assert_eq!(name(u32::MAX), None);
        assert_eq!(number("no such call"), None);
    }

    #[test]
    fn this_kernel_has_a_prefix() {
        match prefix() {
            Ok(prefix) => assert!(PREFIXES.contains(&prefix)),
            Err(err) => println!("skipped: {err}"),
        }
    }
}
