// SPDX-License-Identifier: Apache-2.0
//! The virtual files around the user's text: the dialect's headers, the kernel's types, empty kernel headers.

use std::collections::HashMap;

use super::Options;
use super::dictionary::{self, Dictionary};
use super::includes::Texts;
use super::shim::VirtualFile;
use super::source::Source;
use super::types;

/// Where everything that the user did not write lies in the virtual file system.
pub const ROOT: &str = "/bpflua/include";
/// Where kernel header names resolve to empty files: their types come from BTF.
pub const KERNEL_ROOT: &str = "/bpflua/kernel";
/// Where the user's text lies; its name follows. The line info of objects has these paths, too.
pub const TEXT_ROOT: &str = "/bpflua/text/";
/// The same for a name that begins with `/`.
const ABSOLUTE_ROOT: &str = "/bpflua/root";
/// The generated kernel declarations, under [`ROOT`].
pub const DECLARATIONS: &str = "bpflua/kernel.h";
/// The dialect; it includes [`DECLARATIONS`] where the base types are known.
pub const DIALECT: &str = "bpflua.h";
/// The kernel's enumerators that programs need, for a kernel whose BTF is not at hand.
const FALLBACK_ENUMS: &str = "bpflua/fallback_enums.h";
/// The constants and inline functions that the text names, under [`ROOT`]; see [`dictionary`].
const CONSTANTS: &str = "bpflua/constants.h";
/// The headers whose macros lead to kernel types and functions: probes with their contexts, printing.
const PROBES: &[&str] = &["bpflua/probes.h", "bpflua/print.h"];
/// What kernels before 5.15 ask of the compiler.
const STDARG: &str = "#pragma once\ntypedef __builtin_va_list va_list;\n#define va_start(v, l) __builtin_va_start(v, l)\n\
    #define va_end(v) __builtin_va_end(v)\n#define va_arg(v, t) __builtin_va_arg(v, t)\n\
    #define va_copy(d, s) __builtin_va_copy(d, s)\n";
/// What has to stand behind the user's text (the license section).
const FOOTER: &str = "bpflua_footer.h";

/// The path of the user's text in the virtual file system.
pub fn text_path(name: &str) -> String {
    if name.starts_with('/') { format!("{ABSOLUTE_ROOT}{name}") } else { format!("{TEXT_ROOT}{name}") }
}

/// The name the user knows a file of the virtual file system by.
pub fn user_name(path: &str, source: &Source) -> String {
    if path == text_path(&source.name) { source.name.clone() } else { path.to_owned() }
}

/// The kernel's constants and inline functions that the user's texts name, as macros.
pub fn constants(options: &Options, texts: &Texts, records: &str) -> String {
    let values = options.flags.iter().filter_map(|flag| Some(flag.strip_prefix("-D")?.split_once('=')?.1));
    let user: Vec<&str> = texts.user.iter().map(String::as_str).chain([records]).chain(values).collect();
    let selected = Dictionary::of(options.headers).select(&user, options.btf);
    // Where the configuration is known, an option that is off must not look as if it were on.
    let known = |line: &&str| line.starts_with("#define CONFIG_") && !line.starts_with("#define CONFIG_HZ ");
    match user.iter().any(|text| text.contains("CONFIG_")) && (options.kernel_config)().is_some() {
        true => selected.split_inclusive('\n').filter(|line| !known(line)).collect(),
        false => selected,
    }
}

/// The kernel's types that the user's texts need, as C; empty when there is no BTF to take them from.
///
/// `records` are the tracepoints' structs, which name kernel types as well, as `constants` do; `absent` is made up
/// besides.
pub fn declarations(
    options: &Options,
    texts: &Texts,
    records: &str,
    constants: &str,
    absent: &types::Absent,
) -> String {
    let Some(btf) = options.btf.filter(|_| options.kernel_headers.is_none()) else { return String::new() };
    // What the prelude has for a kernel without BTF does not count: it is not used here.
    let included = |path: &str| path != FALLBACK_ENUMS && !dictionary::is_dictionary(path);
    let prelude: Vec<&str> =
        options.headers.iter().filter(|(path, _)| included(path)).map(|(_, text)| *text).chain([constants]).collect();
    let flags: Vec<&str> = options.flags.iter().filter_map(|flag| flag.strip_prefix("-D")).collect();
    let user: Vec<&str> = texts.user.iter().map(String::as_str).chain([records]).collect();
    let iterators = iterator_records(&user);
    let mut bodies = macro_bodies(&user, constants, options);
    bodies.extend(open_coded_iterators(&user));
    let user: Vec<&str> = user.into_iter().chain(bodies.iter().map(String::as_str)).collect();
    let request = types::Request {
        texts: &user,
        flags: &flags,
        roots: &iterators.iter().map(String::as_str).collect::<Vec<_>>(),
        defined: Some(&types::Defined::by(&prelude)),
        skip: &["pt_regs"],
        absent: Some(absent),
        ..types::Request::default()
    };
    types::declarations(btf, &request).text
}

/// What the macros that lead to kernel types stand for, as far as the texts use them: `sk_family` is
/// `__sk_common.skc_family`, so the member it leads to is used where the macro is, and `RAW_TRACEPOINT_PROBE` names the
/// record of its context.
fn macro_bodies(texts: &[&str], constants: &str, options: &Options) -> Vec<String> {
    let probes = options.headers.iter().filter(|(path, _)| PROBES.contains(path)).map(|(_, text)| *text);
    let joined: Vec<String> = probes.chain([constants]).map(|text| text.replace("\\\n", " ")).collect();
    let defined: HashMap<&str, &str> = joined.iter().flat_map(|text| text.lines()).filter_map(macro_of).collect();
    let mut bodies: Vec<&str> = Vec::new();
    let mut next = 0;
    let mut pending: Vec<&str> = texts.to_vec();
    while let Some(text) = pending.get(next).copied() {
        next += 1;
        for word in words(text) {
            if let Some(body) = defined.get(word).filter(|body| !bodies.contains(body)) {
                bodies.push(body);
                pending.push(body);
            }
        }
    }
    bodies.into_iter().map(str::to_owned).collect()
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}

/// The records of the iterators that the texts have: `BPF_ITER(task)` pastes the name of `struct bpf_iter__task`.
fn iterator_records(texts: &[&str]) -> Vec<String> {
    texts
        .iter()
        .flat_map(|text| text.split("BPF_ITER").skip(1))
        .filter_map(|rest| words(rest.trim_start().strip_prefix('(')?).next())
        .map(|target| format!("struct bpf_iter__{target}"))
        .collect()
}

/// What `bpf_for_each(task, …)` makes of a name: the iterator and its three functions, as a text would name them.
fn open_coded_iterators(texts: &[&str]) -> Vec<String> {
    texts
        .iter()
        .flat_map(|text| text.split("bpf_for_each").skip(1))
        .filter_map(|rest| words(rest.trim_start().strip_prefix('(')?).next())
        .map(|name| format!("bpf_iter_{name}"))
        .map(|iter| format!("struct {iter} it; {iter}_new(); {iter}_next(); {iter}_destroy();"))
        .collect()
}

/// The name and the body of a `#define` line.
fn macro_of(line: &str) -> Option<(&str, &str)> {
    let rest = line.trim_start().strip_prefix('#')?.trim_start().strip_prefix("define")?.trim_start();
    let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_')?;
    Some((&rest[..end], &rest[end..]))
}

/// Everything clang is to see, the user's text first.
pub fn files(
    source: &Source,
    options: &Options,
    texts: &Texts,
    declarations: String,
    constants: &str,
) -> Vec<VirtualFile> {
    let declarations = if options.btf.is_some() || options.kernel_headers.is_some() {
        declarations
    } else {
        format!("#include \"{FALLBACK_ENUMS}\"\n{declarations}")
    };
    let mut files = vec![
        VirtualFile { path: text_path(&source.name), text: with_footer(source) },
        VirtualFile { path: format!("{ROOT}/{DECLARATIONS}"), text: declarations },
    ];
    for (path, text) in options.headers {
        let text = match *path {
            CONSTANTS => format!("#pragma clang system_header\n{constants}"),
            path if dictionary::is_dictionary(path) => String::new(),
            _ => text.to_string(),
        };
        files.push(VirtualFile { path: format!("{ROOT}/{path}"), text });
    }
    if options.kernel_headers.is_some() {
        files.push(VirtualFile { path: format!("{ROOT}/stdarg.h"), text: STDARG.into() });
        return files;
    }
    for name in &texts.of_kernel {
        let text = "/* The kernel's types come from its BTF; its constants from bpflua's own headers. */\n";
        files.push(VirtualFile { path: format!("{KERNEL_ROOT}/{name}"), text: text.into() });
    }
    files
}

fn with_footer(source: &Source) -> String {
    let mut text = source.padded();
    // By its whole path: a file of the same name may lie in the current folder.
    text.push_str(&format!("#include \"{ROOT}/{FOOTER}\"\n"));
    text
}
