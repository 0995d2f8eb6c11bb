// SPDX-License-Identifier: Apache-2.0
//! The files that a text includes: the user's, which are read for the kernel types they name, and those of the kernel
//! and the C library, for which no file is needed. Any other name is left to clang, which says that there is no such file.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::Options;
use super::source::Source;

/// The folders below the kernel's own include folders, those of its source tree, and of the C library: what stands in them
/// comes from BTF and from bpflua's headers. From `include/` and `arch/x86/include/` of Linux 6.18.
const KNOWN_FOLDERS: &[&str] = &[
    "acpi",
    "arch",
    "arpa",
    "asm",
    "asm-generic",
    "bcc",
    "bits",
    "block",
    "bpf",
    "clocksource",
    "config",
    "crypto",
    "cxl",
    "drivers",
    "drm",
    "dt-bindings",
    "fs",
    "generated",
    "gnu",
    "hyperv",
    "include",
    "io_uring",
    "ipc",
    "kernel",
    "keys",
    "kunit",
    "kvm",
    "lib",
    "linux",
    "math-emu",
    "media",
    "memory",
    "misc",
    "mm",
    "net",
    "netinet",
    "netpacket",
    "pcmcia",
    "ras",
    "rdma",
    "rv",
    "scsi",
    "security",
    "soc",
    "sound",
    "sys",
    "target",
    "tools",
    "trace",
    "uapi",
    "ufs",
    "vdso",
    "video",
    "virt",
    "xen",
];

/// Headers outside of any folder: the dump of the kernel's types, and the C library's that texts for bpf include.
const KNOWN_FILES: &[&str] = &[
    "vmlinux.h",
    "assert.h",
    "byteswap.h",
    "ctype.h",
    "elf.h",
    "endian.h",
    "errno.h",
    "fcntl.h",
    "features.h",
    "float.h",
    "inttypes.h",
    "iso646.h",
    "limits.h",
    "malloc.h",
    "memory.h",
    "poll.h",
    "pthread.h",
    "sched.h",
    "signal.h",
    "stdalign.h",
    "stdarg.h",
    "stdatomic.h",
    "stdbool.h",
    "stddef.h",
    "stdint.h",
    "stdio.h",
    "stdlib.h",
    "stdnoreturn.h",
    "string.h",
    "strings.h",
    "syscall.h",
    "time.h",
    "unistd.h",
];

/// Where those of bpflua's headers are that a text may include; the others are there by themselves.
const ASKED_FOR: &str = "bpflua/";

/// The user's text and the user's headers that it includes, for everything that has to read all of it.
pub struct Texts {
    /// Every text of the user's: the C text itself, then the files it includes.
    pub user: Vec<String>,
    /// Names of headers of the kernel or the C library that the user has no file for.
    pub of_kernel: BTreeSet<String>,
}

/// An `#include` as it is written.
#[derive(Debug, PartialEq, Eq)]
struct Include {
    name: String,
    /// `"…"`, looked for beside the including file first.
    quoted: bool,
}

/// Follows the `#include`s of the user's text through the user's folders.
pub fn read_texts(source: &Source, options: &Options) -> Texts {
    let texts = Texts { user: vec![source.text.clone()], of_kernel: BTreeSet::new() };
    // The text itself stands in no folder.
    let mut reader = Reader { options, texts, folders: vec![None], seen: BTreeSet::new() };
    for name in options.forced_includes() {
        reader.take(Include { name: name.to_owned(), quoted: true }, None);
    }
    let mut next = 0;
    while next < reader.texts.user.len() {
        let beside = reader.folders[next].clone();
        for include in includes(&reader.texts.user[next]) {
            reader.take(include, beside.as_deref());
        }
        next += 1;
    }
    reader.texts
}

/// What was read so far.
struct Reader<'a> {
    options: &'a Options<'a>,
    texts: Texts,
    /// Beside each text the folder it was read from.
    folders: Vec<Option<PathBuf>>,
    seen: BTreeSet<PathBuf>,
}

impl Reader<'_> {
    /// Reads an included file once; notes a name that needs none.
    fn take(&mut self, include: Include, beside: Option<&Path>) {
        if let Some((path, text)) = user_file(&include, beside, self.options) {
            let folder = path.parent().map(Path::to_owned);
            if self.seen.insert(path) {
                self.texts.user.push(text);
                self.folders.push(folder);
            }
        } else if let Some((path, text)) = self.options.headers.iter().find(|(path, _)| *path == include.name) {
            // Of bpflua's own headers those that a text asks for name kernel types, and count as the text's.
            if path.starts_with(ASKED_FOR) && self.seen.insert(PathBuf::from(path)) {
                self.texts.user.push((*text).to_owned());
                self.folders.push(None);
            }
        } else if is_known(&include.name) {
            self.texts.of_kernel.insert(include.name);
        }
    }
}

/// Whether a header of this name is the kernel's or the C library's.
fn is_known(name: &str) -> bool {
    let name = name.trim_start_matches("../").trim_start_matches("./");
    match name.split_once('/') {
        Some((folder, _)) => KNOWN_FOLDERS.contains(&folder),
        None => KNOWN_FILES.contains(&name),
    }
}

/// What to say of a header that clang found nowhere: where it was looked for.
pub fn not_found_hint(options: &Options) -> String {
    let folders: Vec<String> = options.include_dirs().chain(["."]).map(|folder| format!("`{folder}`")).collect();
    format!("looked for in {}; `-I FOLDER` adds a folder; headers of the kernel need no file", folders.join(", "))
}

/// The file of this name beside the file that includes it, in the user's include folders, or in the working folder.
fn user_file(include: &Include, beside: Option<&Path>, options: &Options) -> Option<(PathBuf, String)> {
    let beside = beside.filter(|_| include.quoted).map(Path::to_owned);
    let folders = beside.into_iter().chain(options.include_dirs().map(PathBuf::from)).chain([PathBuf::from(".")]);
    // Only files: a device or a pipe may have no end.
    let paths = folders.map(|folder| folder.join(&include.name)).filter(|path| path.is_file());
    paths.filter_map(|path| Some((path.clone(), std::fs::read_to_string(path).ok()?))).next()
}

/// The names in `#include "…"` and `#include <…>` lines.
fn includes(text: &str) -> Vec<Include> {
    text.lines()
        .filter_map(|line| line.trim_start().strip_prefix('#')?.trim_start().strip_prefix("include"))
        .filter_map(|rest| {
            let rest = rest.trim_start();
            let (quoted, end) = match rest.chars().next()? {
                '<' => (false, '>'),
                '"' => (true, '"'),
                _ => return None,
            };
            rest[1..].split(end).next().map(|name| Include { name: name.to_owned(), quoted })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_includes_of_both_forms() {
        let text = "#include <linux/sched.h>\n  # include \"vmlinux.h\"\n// #include\nint x;\n#include MACRO\n";
        let names: Vec<(String, bool)> = includes(text).into_iter().map(|one| (one.name, one.quoted)).collect();
        assert_eq!(names, [("linux/sched.h".to_owned(), false), ("vmlinux.h".to_owned(), true)]);
    }

    #[test]
    fn tells_the_kernels_headers_from_the_users() {
        for name in
            ["linux/sched.h", "uapi/linux/ptrace.h", "../kernel/sched/sched.h", "vmlinux.h", "stdint.h", "net/sock.h"]
        {
            assert!(is_known(name), "{name}");
        }
        for name in ["opensnoop.h", "my/linux/sched.h", "linux.h", "sched/sched.h"] {
            assert!(!is_known(name), "{name}");
        }
    }
}
