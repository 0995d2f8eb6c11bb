// SPDX-License-Identifier: Apache-2.0
//! The options of the kernel's configuration that a text tests: `#ifdef CONFIG_NUMA`, `IS_ENABLED(CONFIG_IPV6)`.

use std::collections::BTreeSet;

use super::Options;
use super::diagnostic::{Diagnostic, Severity};
use super::dictionary;
use super::source::Source;
use super::types::Defined;
use crate::kernel::config::Setting;

const PREFIX: &str = "CONFIG_";
/// What every kernel that runs BPF programs of the dialect has; the dialect's headers define them where the
/// configuration is not known.
const ALWAYS: [&str; 8] = ["64BIT", "SMP", "MMU", "BPF_SYSCALL", "ARCH_HAS_SYSCALL_WRAPPER", "X86", "X86_64", "HZ"];

/// The `-D` flags for the options that the texts mention; nothing when the configuration is not known, or when real
/// headers bring it.
pub fn flags(texts: &[String], options: &Options<'_>) -> Vec<String> {
    let mut names: BTreeSet<String> = mentioned(texts).into_iter().map(str::to_owned).collect();
    names.extend(pasted(texts));
    if names.is_empty() || options.kernel_headers.is_some() {
        return Vec::new();
    }
    let Some(config) = (options.kernel_config)() else { return Vec::new() };
    names.iter().filter_map(|option| flag(option, &config.setting(option))).collect()
}

/// The names that macros may put together of `CONFIG_##x` and the texts' words. Few of them are options.
fn pasted(texts: &[String]) -> Vec<String> {
    let fixed =
        |text| dictionary::pasted(text).into_iter().filter(|(part, is_first)| *is_first && part.starts_with(PREFIX));
    let prefixes: BTreeSet<&str> = texts.iter().flat_map(|text| fixed(text)).map(|(part, _)| part).collect();
    let words = || texts.iter().flat_map(|text| dictionary::words(text));
    prefixes.iter().flat_map(|prefix| words().map(move |word| format!("{prefix}{word}"))).collect()
}

fn flag(option: &str, setting: &Setting) -> Option<String> {
    match setting {
        Setting::Yes => Some(format!("-D{option}=1")),
        Setting::KernelModule => Some(format!("-D{option}_MODULE=1")),
        Setting::Value(value) if value.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') => {
            Some(format!("-D{option}={value}"))
        }
        Setting::Value(value) => Some(format!("-D{option}=\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))),
        Setting::NotSet => None,
    }
}

/// The names of options in the texts. `CONFIG_X_MODULE`, for an option that is a kernel module, stands for `CONFIG_X`.
/// Those that a text declares `extern … __kconfig` are variables, which libbpf fills in when the object is loaded.
fn mentioned(texts: &[String]) -> BTreeSet<&str> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = texts.iter().filter(|text| text.contains(PREFIX)).flat_map(|text| text.split(move |c| !is_word(c)));
    let own = Defined::by(&texts.iter().map(String::as_str).collect::<Vec<_>>());
    let options = words.filter(|word| word.len() > PREFIX.len() && word.starts_with(PREFIX));
    let options = options.filter(|option| !own.names.contains(*option));
    options.map(|option| option.strip_suffix("_MODULE").unwrap_or(option)).collect()
}

/// A warning for each option whose setting nobody knows, at its first place in the text: it counts as off.
pub fn unknown(source: &Source, texts: &[String], options: &Options<'_>) -> Vec<Diagnostic> {
    let mentioned = mentioned(texts);
    let is_given = |option: &str| {
        let named = |flag: &String| flag.strip_prefix("-D").is_some_and(|rest| rest.split('=').next() == Some(option));
        options.flags.iter().any(named) || ALWAYS.iter().any(|known| option.strip_prefix(PREFIX) == Some(known))
    };
    let asked: Vec<&str> = mentioned.into_iter().filter(|option| !is_given(option)).collect();
    if asked.is_empty() || options.kernel_headers.is_some() || (options.kernel_config)().is_some() {
        return Vec::new();
    }
    asked.into_iter().filter_map(|option| warning(source, option)).collect()
}

fn warning(source: &Source, option: &str) -> Option<Diagnostic> {
    let (number, line) = (0..).zip(source.text.lines()).find(|(_, line)| line.contains(option))?;
    let first = if number == 0 { source.first_column } else { 1 };
    let column = u32::try_from(line.find(option)?).ok()? + first;
    let message = format!("the configuration of the kernel is not to be found; `{option}` counts as not set");
    let warning = Diagnostic::error(&source.name, source.first_line + number, column, message);
    Some(Diagnostic { severity: Severity::Warning, ..warning })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_found_and_flagged() {
        let texts = ["#ifdef CONFIG_NUMA\n#if IS_ENABLED(CONFIG_IPV6) && defined(CONFIG_VETH_MODULE)".to_owned()];
        assert_eq!(mentioned(&texts).into_iter().collect::<Vec<_>>(), ["CONFIG_IPV6", "CONFIG_NUMA", "CONFIG_VETH"]);
        let put_together = ["#define HAS(x) IS_ENABLED(CONFIG_##x)\nreturn HAS(NUMA);".to_owned()];
        assert!(pasted(&put_together).contains(&"CONFIG_NUMA".to_owned()));
        assert_eq!(pasted(&["HAS(NUMA) CONFIG_X A_##B".to_owned()]), Vec::<String>::new());
        let declared = ["extern unsigned long CONFIG_HZ __kconfig __weak;\n#ifdef CONFIG_NUMA".to_owned()];
        assert_eq!(mentioned(&declared).into_iter().collect::<Vec<_>>(), ["CONFIG_NUMA"]);
        assert_eq!(flag("CONFIG_X", &Setting::Yes).as_deref(), Some("-DCONFIG_X=1"));
        assert_eq!(flag("CONFIG_X", &Setting::KernelModule).as_deref(), Some("-DCONFIG_X_MODULE=1"));
        assert_eq!(flag("CONFIG_X", &Setting::Value("64".into())).as_deref(), Some("-DCONFIG_X=64"));
        assert_eq!(flag("CONFIG_X", &Setting::Value("a b".into())).as_deref(), Some("-DCONFIG_X=\"a b\""));
        assert_eq!(flag("CONFIG_X", &Setting::NotSet), None);
    }
}
