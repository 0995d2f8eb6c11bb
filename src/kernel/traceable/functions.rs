// SPDX-License-Identifier: Apache-2.0
//! The lists put together.

use super::lists::{self, NumberSet};
use super::untraceable::{Reason, Untraceable};
use crate::error::Result;
use crate::kernel::kallsyms::{Kallsyms, Symbol};
use crate::kernel::pattern;
use std::io::{self, BufRead};
use std::ops::Range;
use std::sync::Arc;

/// Markers around code where the kernel takes no kprobe, whatever the blacklist's file shows.
const NO_KPROBE_SECTIONS: [(&str, &str); 4] = [
    ("__kprobes_text_start", "__kprobes_text_end"),
    ("__entry_text_start", "__entry_text_end"),
    ("__noinstr_text_start", "__noinstr_text_end"),
    ("__irqentry_text_start", "__irqentry_text_end"),
];

/// Markers around code that is gone once the kernel has started.
const INIT_SECTIONS: [(&str, &str); 2] = [("_sinittext", "_einittext"), ("__init_begin", "__init_end")];

/// Beginnings of names that patterns leave out, as bcc does: symbols that are no functions, and perf's own, which a
/// probe on all of would run into itself. By its full name such a function can still be attached to.
const LEFT_OUT: [&str; 4] = ["_kbl_addr_", "__perf", "perf_", "__SCT__"];

/// What became of one of the kernel's lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListState {
    /// It was read and had this many names.
    Read(usize),
    /// It could not be read, for this reason (0 when there is no errno).
    Unreadable(i32),
    /// Nobody looked.
    NotRead,
}

/// The functions of a kernel and what is known about tracing them.
pub struct TraceableFunctions {
    symbols: Arc<Kallsyms>,
    hookable: Option<NumberSet>,
    blacklisted: NumberSet,
    no_kprobe: Vec<Range<usize>>,
    init: Vec<Range<usize>>,
    filter_list: ListState,
    blacklist: ListState,
}

impl TraceableFunctions {
    /// All that the symbols alone say.
    pub fn new(symbols: Arc<Kallsyms>) -> Self {
        let sections = |markers: &[(&str, &str)]| markers.iter().filter_map(|pair| section(&symbols, *pair)).collect();
        TraceableFunctions {
            hookable: None,
            blacklisted: NumberSet::new(symbols.len()),
            no_kprobe: sections(&NO_KPROBE_SECTIONS),
            init: sections(&INIT_SECTIONS),
            filter_list: ListState::NotRead,
            blacklist: ListState::NotRead,
            symbols,
        }
    }

    /// Adds tracefs's `available_filter_functions`. On an error nothing is held against any function.
    pub fn add_filter_list(&mut self, list: io::Result<impl BufRead>) {
        let mut hookable = NumberSet::new(self.symbols.len());
        self.filter_list = self.read_list(list, lists::filter_function, &mut hookable);
        // An empty list is that of a kernel whose function tracer is off, not one without functions.
        self.hookable = matches!(self.filter_list, ListState::Read(1..)).then_some(hookable);
    }

    /// Adds debugfs's `kprobes/blacklist`.
    pub fn add_blacklist(&mut self, list: io::Result<impl BufRead>) {
        let mut blacklisted = NumberSet::new(self.symbols.len());
        self.blacklist = self.read_list(list, lists::blacklisted, &mut blacklisted);
        self.blacklisted = blacklisted;
    }

    fn read_list(
        &self,
        list: io::Result<impl BufRead>,
        name_in: fn(&str) -> Option<&str>,
        set: &mut NumberSet,
    ) -> ListState {
        let unreadable = |err: io::Error| ListState::Unreadable(err.raw_os_error().unwrap_or(0));
        let mut reader = match list {
            Ok(reader) => reader,
            Err(err) => return unreadable(err),
        };
        let (mut count, mut line) = (0, String::new());
        loop {
            line.clear();
            match reader.read_line(&mut line) {
                Ok(0) => return ListState::Read(count),
                Ok(_) => {}
                Err(err) => return unreadable(err),
            }
            if let Some(name) = name_in(&line) {
                count += 1;
                self.symbols.numbers(name).for_each(|number| set.insert(number));
            }
        }
    }

    /// The symbols behind.
    pub fn symbols(&self) -> &Kallsyms {
        &self.symbols
    }

    /// What became of `available_filter_functions`.
    pub fn filter_list(&self) -> ListState {
        self.filter_list
    }

    /// What became of the kprobe blacklist.
    pub fn blacklist(&self) -> ListState {
        self.blacklist
    }

    /// Whether the function tracer, and so fentry and kprobe-multi, can hook this function; `None` when the kernel does
    /// not tell.
    pub fn is_hookable(&self, name: &str) -> Option<bool> {
        let hookable = self.hookable.as_ref()?;
        Some(self.symbols.numbers(name).any(|number| hookable.contains(number)))
    }

    /// The traceable functions whose whole name the regular expression matches (bcc's `get_kprobe_functions`), sorted,
    /// each name once.
    pub fn matching(&self, regex: &str) -> Result<Vec<&str>> {
        pattern::full_match(regex).map(|regex| self.filtered(|name| regex.is_match(name)))
    }

    /// The traceable functions that a glob (`vfs_re*`) matches, sorted, each name once.
    pub fn matching_glob(&self, glob: &str) -> Result<Vec<&str>> {
        pattern::glob(glob).map(|regex| self.filtered(|name| regex.is_match(name)))
    }

    fn filtered(&self, wanted: impl Fn(&str) -> bool) -> Vec<&str> {
        let candidates = self.symbols.iter().enumerate().filter(|(number, symbol)| self.is_listed(*number, symbol));
        let mut names: Vec<&str> = candidates.map(|(_, symbol)| symbol.name).filter(|name| wanted(name)).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Whether patterns and suggestions offer this symbol.
    pub(super) fn is_listed(&self, number: usize, symbol: &Symbol<'_>) -> bool {
        is_function(symbol)
            && self.reason_against(number).is_none()
            && self.hookable.as_ref().is_none_or(|hookable| hookable.contains(number))
            && !LEFT_OUT.iter().any(|start| symbol.name.starts_with(start))
            && !is_cold(symbol.name)
    }

    /// Why this symbol's code cannot be traced, as far as the lists tell.
    fn reason_against(&self, number: usize) -> Option<Reason> {
        let within = |ranges: &[Range<usize>]| ranges.iter().any(|range| range.contains(&number));
        if within(&self.init) {
            return Some(Reason::InitCode);
        }
        if self.blacklisted.contains(number) || within(&self.no_kprobe) {
            return Some(Reason::Blacklisted);
        }
        match &self.hookable {
            Some(hookable) if !hookable.contains(number) && !self.stem_is_hookable(number) => Some(Reason::NotHookable),
            _ => None,
        }
    }

    /// Whether this is what the compiler split from a function that can be hooked. The kernel takes kprobes there too,
    /// though the function tracer has no hook in it (`within_notrace_func` in kernel/trace/trace_kprobe.c).
    fn stem_is_hookable(&self, number: usize) -> bool {
        let stem = self.symbols.symbol(number).name.split_once('.').map(|(stem, _)| stem);
        stem.is_some_and(|stem| self.is_hookable(stem) == Some(true))
    }

    /// Why no kprobe can be placed on the function of this name; `None` when nothing speaks against it.
    pub fn why_not(&self, name: &str) -> Option<Untraceable> {
        let reason = self.reason(name)?;
        Some(Untraceable {
            name: name.to_owned(),
            reason,
            searched: self.symbols.len(),
            kernel_modules: self.symbols.kernel_modules().count(),
        })
    }

    fn reason(&self, name: &str) -> Option<Reason> {
        let mut against = None;
        for number in self.symbols.numbers(name) {
            let symbol = self.symbols.symbol(number);
            let reason = if is_function(&symbol) { self.reason_against(number) } else { Some(Reason::NotCode) };
            // Of several symbols with this name one that can be traced is enough.
            against = Some(reason?);
        }
        against.or_else(|| {
            let variants = self.symbols.variants(name);
            Some(match variants.is_empty() {
                true => Reason::NoSuchFunction { similar: self.similar(name) },
                false => Reason::Renamed { variants: variants.into_iter().map(str::to_owned).collect() },
            })
        })
    }
}

/// Whether the symbol is a function of the kernel or a kernel module, rather than data or code made at run time.
fn is_function(symbol: &Symbol<'_>) -> bool {
    let made_at_run_time = |owner: &str| owner == "bpf" || owner.starts_with("__builtin__");
    symbol.is_code() && !symbol.kernel_module.is_some_and(made_at_run_time)
}

/// Whether the name is that of the unlikely branches of a function (`f.cold`, `f.isra.0.cold.3`).
fn is_cold(name: &str) -> bool {
    let stem = name.trim_end_matches(|c: char| c.is_ascii_digit());
    name.ends_with(".cold") || stem.ends_with(".cold.")
}

/// The numbers of the symbols between two markers; the symbols are in the order of their addresses.
fn section(symbols: &Kallsyms, (start, end): (&str, &str)) -> Option<Range<usize>> {
    let marker = |name| Some(first_at_its_address(symbols, symbols.numbers(name).next()?));
    let (start, end) = (marker(start)?, marker(end)?);
    (start < end).then_some(start..end)
}

/// The first symbol at the address of this one: symbols at one address are in the order of their names, so that a
/// function may stand before the marker of the section that it begins.
fn first_at_its_address(symbols: &Kallsyms, mut number: usize) -> usize {
    let address = symbols.symbol(number).address;
    while address != 0 && number > 0 && symbols.symbol(number - 1).address == address {
        number -= 1;
    }
    number
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIXTURE: &str = include_str!("../../../tests/fixtures/kallsyms/6.18-x86_64.txt");

    fn functions(symbols: &str) -> TraceableFunctions {
        TraceableFunctions::new(Arc::new(Kallsyms::parse(symbols.as_bytes()).unwrap()))
    }

    fn reason(functions: &TraceableFunctions, name: &str) -> Option<Reason> {
        functions.why_not(name).map(|why| why.reason)
    }

    #[test]
    fn patterns_over_real_symbols() {
        let functions = functions(FIXTURE);
        let found = functions.matching(r"^finish_task_switch$|^finish_task_switch\.isra\.\d$").unwrap();
        assert_eq!(found, ["finish_task_switch.isra.0"]);
        assert_eq!(functions.matching_glob("vfs_rea*").unwrap(), ["vfs_read", "vfs_readlink", "vfs_readv"]);
        let all = functions.matching(".*").unwrap();
        assert!(all.is_sorted() && all.windows(2).all(|pair| pair[0] != pair[1]));
        for name in all {
            assert!(!is_cold(name) && !name.starts_with("perf_") && !name.starts_with("__SCT__"), "{name}");
        }
        assert!(functions.matching("(").is_err());
    }

    #[test]
    fn code_that_is_gone_or_forbidden() {
        let functions = functions(FIXTURE);
        assert_eq!(reason(&functions, "vfs_caches_init"), Some(Reason::InitCode));
        assert_eq!(reason(&functions, "asm_exc_page_fault"), Some(Reason::Blacklisted));
        assert_eq!(reason(&functions, "vfs_read"), None);
        assert_eq!(reason(&functions, "perf_event_read"), None, "by its full name");
    }

    #[test]
    fn real_lists_together() {
        let symbols = include_str!("../../../tests/fixtures/kallsyms/6.12-x86_64.txt");
        let filter_list = include_str!("../../../tests/fixtures/tracefs/available_filter_functions");
        let blacklist = include_str!("../../../tests/fixtures/debugfs/kprobes/blacklist");
        let mut functions = functions(symbols);
        functions.add_filter_list(Ok(filter_list.as_bytes()));
        functions.add_blacklist(Ok(blacklist.as_bytes()));
        for name in ["vfs_read", "ovl_open", "bpf_fentry_test1", "finish_task_switch.isra.0", "__kmalloc_noprof"] {
            assert_eq!(reason(&functions, name), None, "{name}");
        }
        for name in ["notify_die", "exc_page_fault", "asm_exc_nmi", "kprobe_dispatcher"] {
            assert_eq!(reason(&functions, name), Some(Reason::Blacklisted), "{name}");
        }
        assert_eq!(reason(&functions, "vfs_caches_init"), Some(Reason::InitCode));
        assert_eq!(reason(&functions, "wait_for_initramfs.cold"), None, "split from one that can be hooked");
        assert_eq!(reason(&functions, "__SCT__cond_resched"), Some(Reason::NotHookable));
        assert_eq!(reason(&functions, "bpf_prog_iter_init"), Some(Reason::InitCode));
        let renamed = Reason::Renamed { variants: vec!["finish_task_switch.isra.0".to_owned()] };
        assert_eq!(reason(&functions, "finish_task_switch"), Some(renamed));
        let similar = Reason::NoSuchFunction { similar: vec!["__kmalloc_noprof".to_owned()] };
        assert_eq!(reason(&functions, "__kmalloc"), Some(similar));
        assert_eq!(functions.matching("ovl_.*").unwrap(), ["ovl_create", "ovl_open", "ovl_read_iter"]);
    }

    #[test]
    fn a_section_begins_and_ends_at_addresses() {
        let functions = functions("1 t before\n2 t a_first\n2 T _sinittext\n3 t inside\n4 t a_after\n4 T _einittext\n");
        let init: Vec<_> =
            ["before", "a_first", "inside", "a_after"].map(|name| reason(&functions, name).is_some()).into();
        assert_eq!(init, [false, true, true, false]);
    }

    #[test]
    fn the_lists_decide_when_they_can_be_read() {
        let mut functions = functions("1 T one\n2 T two\n3 T three\t[m]\n4 D data\n");
        assert_eq!(functions.is_hookable("one"), None);
        functions.add_filter_list(Ok(&b"one\nthree [m]\n"[..]));
        functions.add_blacklist(Ok(&b"0x1-0x2\tone\n"[..]));
        assert_eq!((functions.filter_list(), functions.blacklist()), (ListState::Read(2), ListState::Read(1)));
        assert_eq!(reason(&functions, "one"), Some(Reason::Blacklisted));
        assert_eq!(reason(&functions, "two"), Some(Reason::NotHookable));
        assert_eq!(reason(&functions, "three"), None);
        assert_eq!(reason(&functions, "data"), Some(Reason::NotCode));
        assert_eq!(functions.is_hookable("three"), Some(true));
        assert_eq!(functions.matching(".*").unwrap(), ["three"]);
    }

    #[test]
    fn unreadable_lists_hold_nothing_against_a_function() {
        let mut functions = functions("1 T one\n");
        functions.add_filter_list(Err::<&[u8], _>(io::Error::from_raw_os_error(libc::EPERM)));
        functions.add_blacklist(Ok(&b"\xff\xfe"[..]));
        assert_eq!(functions.filter_list(), ListState::Unreadable(libc::EPERM));
        assert_eq!(functions.blacklist(), ListState::Unreadable(0));
        assert_eq!(reason(&functions, "one"), None);
        functions.add_filter_list(Ok(&b""[..]));
        assert_eq!(reason(&functions, "one"), None);
    }

    #[test]
    fn one_traceable_symbol_of_a_name_is_enough() {
        let functions = functions("1 T _sinittext\n2 t setup\n3 T _einittext\n4 t setup\n");
        assert_eq!(reason(&functions, "setup"), None);
        assert_eq!(reason(&functions, "_sinittext"), Some(Reason::InitCode));
    }

    #[test]
    fn code_made_at_run_time_is_not_offered() {
        let functions = functions("1 t bpf_prog_x\t[bpf]\n2 t ftrace_trampoline\t[__builtin__ftrace]\n3 t bpf_x\n");
        assert_eq!(functions.matching(".*").unwrap(), ["bpf_x"]);
    }

    #[test]
    fn cold_parts() {
        assert!(is_cold("f.cold") && is_cold("f.isra.0.cold.12"));
        assert!(!is_cold("cold") && !is_cold("f.colder") && !is_cold("f.1"));
    }
}
