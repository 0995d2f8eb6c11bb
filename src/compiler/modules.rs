// SPDX-License-Identifier: Apache-2.0
//! Which functions of kernel modules a text traces: without the types of those modules it is not known which of their
//! arguments are pointers that the verifier follows and which are numbers to it.

use std::sync::LazyLock;

use regex::Regex;

use crate::kernel::btf::{Btf, Kind};

/// `MODULE_KFUNC_PROBE(module, function, …)`, `KFUNC_PROBE(function, …)` and their sisters for returns.
static PROBE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?-u)\b(?:MODULE_K(?:RET)?FUNC_PROBE\s*\(\s*(\w+)\s*,|K(?:RET)?FUNC_PROBE\s*\()\s*(\w+)").ok()
});
/// `SEC("fentry/module:function")`, with or without a module.
static SECTION: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"(?-u)"\??(?:fentry|fexit|fmod_ret|fsession)(?:\.s)?/(?:([\w-]+):)?(\w+)""#).ok());
/// `kfunc__module__function`, as bcc names such functions.
static NAME: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"(?-u)\bk(?:ret)?func__(\w+?)__(\w+)").ok());

/// The functions that the texts trace by BTF and that the kernel's own types have not.
pub fn functions(texts: &[String], btf: Option<&Btf>) -> Vec<String> {
    let traced = texts.iter().flat_map(|text| targets(text)).map(|(_, function)| function);
    let mut found: Vec<String> = traced
        .filter(|function| btf.is_some_and(|btf| btf.find(Kind::Func, function).is_none()))
        .map(str::to_owned)
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// The functions that a text traces by BTF, each with its kernel module where the text names one.
fn targets(text: &str) -> Vec<(Option<&str>, &str)> {
    let by = |regex: &'static LazyLock<Option<Regex>>| regex.iter().flat_map(|regex| regex.captures_iter(text));
    by(&PROBE)
        .chain(by(&SECTION))
        .chain(by(&NAME))
        .filter_map(|found| Some((found.get(1).map(|module| module.as_str()), found.get(2)?.as_str())))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_name_a_function() {
        let text = r#"
            KFUNC_PROBE(vfs_read, struct file *file) { return 0; }
            MODULE_KRETFUNC_PROBE( nf_tables , nft_do_chain, int ret) { return 0; }
            SEC("fentry/vfs_write") int a(u64 *ctx) { return 0; }
            SEC("?fexit.s/nf-tables:nft_chain") int b(u64 *ctx) { return 0; }
            int kfunc__loop__lo_ioctl(void *ctx) { return kretfunc__vmlinux__vfs_open(ctx); }
            SEC("kprobe/vfs_open") int c(struct pt_regs *ctx) { return 0; }"#;
        let wanted = [
            (None, "vfs_read"),
            (Some("nf_tables"), "nft_do_chain"),
            (None, "vfs_write"),
            (Some("nf-tables"), "nft_chain"),
            (Some("loop"), "lo_ioctl"),
            (Some("vmlinux"), "vfs_open"),
        ];
        assert_eq!(targets(text), wanted);
    }
}
