// SPDX-License-Identifier: Apache-2.0
//! The symbols in memory and the questions asked of them.

use super::by_address::AddressIndex;
use super::index::NameIndex;
use super::parser::{Line, parse_line};
use std::io::{self, BufRead};
use std::sync::OnceLock;

/// One symbol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Symbol<'a> {
    /// Its name, with the suffix the compiler gave it.
    pub name: &'a str,
    /// Where it is; 0 when the kernel does not tell.
    pub address: u64,
    /// The letter of nm(1): `t` and `T` for code, `w` and `W` for weak code, others for data.
    pub kind: char,
    /// The kernel module it belongs to; `None` for the kernel itself.
    pub kernel_module: Option<&'a str>,
}

impl Symbol<'_> {
    /// Whether it names code rather than data.
    pub fn is_code(&self) -> bool {
        matches!(self.kind, 't' | 'T' | 'w' | 'W')
    }

    /// How many bytes it may have. The kernel tells no sizes: it ends where the next begins, unless that belongs to
    /// something else; then there is a gap, in which there was perhaps a kernel module that is gone.
    fn most_bytes(&self, next: Option<&Symbol<'_>>) -> u64 {
        let in_one = next.is_some_and(|next| {
            let kinds = self.is_code() == next.is_code() || self.kernel_module.is_none();
            next.kernel_module == self.kernel_module && kinds
        });
        match (in_one, self.is_code()) {
            (true, _) => LARGEST_SYMBOL_BYTES,
            (false, true) => LAST_FUNCTION_BYTES,
            (false, false) => LAST_DATA_BYTES,
        }
    }
}

/// No symbol has more bytes.
const LARGEST_SYMBOL_BYTES: u64 = 1 << 20;
/// No function before a gap has more bytes: there are hardly any of that length.
const LAST_FUNCTION_BYTES: u64 = 16 << 10;
/// Nor has data before a gap: memory is given in pages of this size.
const LAST_DATA_BYTES: u64 = 4 << 10;

/// What is kept of a symbol; its name ends where the next one's begins.
struct Record {
    address: u64,
    name_start: u32,
    /// Index in `Kallsyms::kernel_modules`; entry 0 stands for the kernel itself.
    kernel_module: u16,
    kind: u8,
}

/// All symbols, in the order of the file, which is that of the addresses.
///
/// The padding symbols `__pfx_NAME` that a kernel with call thunks has for each function are left out: nobody asks for
/// them and they are half of the file.
pub struct Kallsyms {
    names: String,
    records: Vec<Record>,
    kernel_modules: Vec<String>,
    skipped_lines: usize,
    addresses_hidden: bool,
    index: OnceLock<NameIndex>,
    by_address: OnceLock<AddressIndex>,
}

/// The symbol that an address lies in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Located<'a> {
    /// The symbol. Of several with one address, the first of the file that is code, as the kernel's own stack dumps have it.
    pub symbol: Symbol<'a>,
    /// The address's distance from the symbol's start, in bytes.
    pub offset: u64,
}

impl Kallsyms {
    /// Reads symbols line by line. Lines that are none are counted and skipped.
    pub fn parse(mut reader: impl BufRead) -> io::Result<Self> {
        let mut symbols = Kallsyms {
            names: String::new(),
            records: Vec::new(),
            kernel_modules: vec![String::new()],
            skipped_lines: 0,
            addresses_hidden: true,
            index: OnceLock::new(),
            by_address: OnceLock::new(),
        };
        let mut buffer = Vec::with_capacity(256);
        while reader.read_until(b'\n', &mut buffer)? > 0 {
            match parse_line(&buffer) {
                Some(line) => symbols.push(&line),
                None => symbols.skipped_lines += 1,
            }
            buffer.clear();
        }
        symbols.names.shrink_to_fit();
        symbols.records.shrink_to_fit();
        Ok(symbols)
    }

    fn push(&mut self, line: &Line<'_>) {
        if line.name.starts_with("__pfx_") {
            return;
        }
        let Ok(name_start) = u32::try_from(self.names.len()) else {
            self.skipped_lines += 1;
            return;
        };
        let kernel_module = self.module_number(line.kernel_module.unwrap_or_default());
        self.addresses_hidden &= line.address == 0;
        self.names.push_str(line.name);
        self.records.push(Record { address: line.address, name_start, kernel_module, kind: line.kind });
    }

    /// The number of a kernel module; they come in runs, so the last one is the likely one.
    fn module_number(&mut self, name: &str) -> u16 {
        if name.is_empty() {
            return 0;
        }
        let known = self.kernel_modules.iter().rposition(|known| known == name);
        let number = known.unwrap_or(self.kernel_modules.len());
        let Ok(number) = u16::try_from(number) else { return 0 };
        if known.is_none() {
            self.kernel_modules.push(name.to_owned());
        }
        number
    }

    /// How many symbols there are.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// How many lines were no symbols.
    pub fn skipped_lines(&self) -> usize {
        self.skipped_lines
    }

    /// The kernel modules that symbols belong to, in the order of the file.
    pub fn kernel_modules(&self) -> impl Iterator<Item = &str> {
        self.kernel_modules.iter().skip(1).map(String::as_str)
    }

    /// Whether the kernel shows zero in place of each address, as it does to users without `CAP_SYSLOG`
    /// (`kernel.kptr_restrict`). Names can be looked up all the same.
    pub fn addresses_hidden(&self) -> bool {
        self.addresses_hidden && !self.records.is_empty()
    }

    /// All symbols in order.
    pub fn iter(&self) -> impl Iterator<Item = Symbol<'_>> {
        (0..self.len()).map(|number| self.symbol(number))
    }

    /// The symbols of this very name, in order; several functions may share one.
    pub fn find_all(&self, name: &str) -> impl Iterator<Item = Symbol<'_>> {
        self.numbers(name).map(|number| self.symbol(number))
    }

    /// The first symbol of this very name.
    pub fn find(&self, name: &str) -> Option<Symbol<'_>> {
        self.find_all(name).next()
    }

    /// Whether there is a symbol of this very name.
    pub fn contains(&self, name: &str) -> bool {
        self.numbers(name).next().is_some()
    }

    /// How many functions bear this very name.
    pub fn count_functions(&self, name: &str) -> usize {
        self.find_all(name).filter(Symbol::is_code).count()
    }

    /// The address of the first symbol of this very name, unless the kernel hides it.
    pub fn address(&self, name: &str) -> Option<u64> {
        self.find(name).map(|symbol| symbol.address).filter(|&address| address != 0)
    }

    /// The symbol that an address lies in; `None` for addresses that are no place in the kernel, and too far behind any
    /// symbol to belong to it.
    pub fn locate(&self, address: u64) -> Option<Located<'_>> {
        let address_of = |number: usize| self.records[number].address;
        let index = self.by_address.get_or_init(|| AddressIndex::build(self.len(), address_of));
        let around = index.around(address, address_of)?;
        let mut here = around.here.iter().map(|&number| self.symbol(number as usize));
        let first = here.next()?;
        let symbol = if first.is_code() { first } else { here.find(Symbol::is_code).unwrap_or(first) };
        let offset = address - symbol.address;
        let next = around.next.map(|number| self.symbol(number));
        (offset < symbol.most_bytes(next.as_ref())).then_some(Located { symbol, offset })
    }

    /// The functions that `base` has become: itself if it is there, then what the compiler made of it
    /// (`base.isra.0`, `base.constprop.0`, `base.llvm.123`), split-off parts (`base.part.0`) last. Never `base.cold`,
    /// which is where unlikely branches live and not an entry of the function. No name twice.
    pub fn variants(&self, base: &str) -> Vec<&str> {
        let mut found: Vec<&str> = self
            .iter()
            .filter(|symbol| symbol.is_code() && (symbol.name == base || is_variant_of(symbol.name, base)))
            .map(|symbol| symbol.name)
            .collect();
        found.sort_unstable_by_key(|name| (name.contains(".part."), *name));
        found.dedup();
        found
    }

    /// The symbol with this number, counted from 0 in the order of the file.
    pub(in crate::kernel) fn symbol(&self, number: usize) -> Symbol<'_> {
        let record = &self.records[number];
        let kernel_module = match record.kernel_module {
            0 => None,
            number => self.kernel_modules.get(usize::from(number)).map(String::as_str),
        };
        Symbol { name: self.name(number), address: record.address, kind: char::from(record.kind), kernel_module }
    }

    /// The numbers of the symbols of this very name.
    pub(in crate::kernel) fn numbers(&self, name: &str) -> impl Iterator<Item = usize> {
        let index = self.index.get_or_init(|| NameIndex::build(self.len(), |number| self.name(number)));
        index.candidates(name).filter(move |&number| self.name(number) == name)
    }

    fn name(&self, number: usize) -> &str {
        let start = self.records[number].name_start as usize;
        let end = self.records.get(number + 1).map_or(self.names.len(), |next| next.name_start as usize);
        &self.names[start..end]
    }
}

/// Whether the compiler may have made `name` of `base`: `base` and one or more suffixes of optimisations that keep the
/// function whole or split it, none of them `.cold`.
pub fn is_variant_of(name: &str, base: &str) -> bool {
    let Some(suffixes) = name.strip_prefix(base).and_then(|rest| rest.strip_prefix('.')) else { return false };
    let mut words = suffixes.split('.').peekable();
    while let Some(word) = words.next() {
        if !matches!(word, "isra" | "constprop" | "part" | "llvm" | "lto_priv" | "localalias" | "clone") {
            return false;
        }
        // The number is optional for some (`.localalias`).
        words.next_if(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit()));
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIXTURE: &str = include_str!("../../../tests/fixtures/kallsyms/6.18-x86_64.txt");

    fn fixture() -> Kallsyms {
        Kallsyms::parse(FIXTURE.as_bytes()).unwrap()
    }

    #[test]
    fn real_symbols() {
        let symbols = fixture();
        assert_eq!(symbols.skipped_lines(), 0);
        assert!(!symbols.addresses_hidden());
        assert_eq!(symbols.address("vfs_read"), Some(0xffff_ffff_816b_89f0));
        assert!(symbols.contains("__x64_sys_bpf"));
        assert!(!symbols.contains("vfs_raed"));
        assert!(!symbols.contains("__pfx_vfs_read"), "padding symbols are left out");
        assert_eq!(symbols.find("vfs_read").unwrap().kind, 'T');
    }

    #[test]
    fn variants_of_a_name() {
        let symbols = fixture();
        assert_eq!(symbols.variants("finish_task_switch"), ["finish_task_switch.isra.0"]);
        assert_eq!(symbols.variants("vfs_read"), ["vfs_read"]);
        assert!(symbols.variants("vfs_raed").is_empty());
        let text = "1 t f.cold\n2 t f.part.0\n3 t f.isra.0\n4 t f\n5 t f.isra.0.cold\n6 d f\n7 t f.isra.0\n8 t f.c\n";
        let symbols = Kallsyms::parse(text.as_bytes()).unwrap();
        assert_eq!(symbols.variants("f"), ["f", "f.isra.0", "f.part.0"]);
        assert_eq!(symbols.count_functions("f.isra.0"), 2);
        assert_eq!(symbols.count_functions("f"), 1);
    }

    #[test]
    fn suffixes_of_the_compilers() {
        for name in ["f.isra.0", "f.constprop.12", "f.part.0.isra.0", "f.llvm.1234567890", "f.localalias"] {
            assert!(is_variant_of(name, "f"), "{name}");
        }
        for name in ["f", "g.isra.0", "f.cold", "f.isra.0.cold", "f.", "f.0", "f_x.isra.0", "f.data"] {
            assert!(!is_variant_of(name, "f"), "{name}");
        }
    }

    #[test]
    fn kernel_modules_are_told_apart() {
        let text = "0 t a\t[one]\n0 t b\t[two]\n0 t a\n0 t c\t[one]\n";
        let symbols = Kallsyms::parse(text.as_bytes()).unwrap();
        let modules: Vec<_> = symbols.find_all("a").map(|symbol| symbol.kernel_module).collect();
        assert_eq!(modules, [Some("one"), None]);
        assert_eq!(symbols.kernel_modules().collect::<Vec<_>>(), ["one", "two"]);
        assert!(symbols.addresses_hidden());
        assert_eq!(symbols.address("a"), None);
    }

    #[test]
    fn addresses_are_located() {
        let symbols = fixture();
        let read = symbols.address("vfs_read").unwrap();
        let found = symbols.locate(read + 0x11).unwrap();
        assert_eq!((found.symbol.name, found.offset), ("vfs_read", 0x11));
        assert_eq!(symbols.locate(0), None);
        let text = "ffffffff81000000 T first\nffffffffc0000000 d data\t[one]\nffffffffc0000000 t code\t[one]\n\
                    ffffffffc0001000 t same\nffffffffc0001000 t other\n";
        let symbols = Kallsyms::parse(text.as_bytes()).unwrap();
        let seen = |address: u64| symbols.locate(address).map(|found| (found.symbol.name, found.offset));
        assert_eq!(seen(0xffff_ffff_8100_0008), Some(("first", 8)));
        assert_eq!(seen(0xffff_ffff_8100_4000), None, "far behind the last of the kernel");
        assert_eq!(seen(u64::MAX), None);
        assert_eq!(seen(0xffff_ffff_c000_0001), Some(("code", 1)), "code before data");
        assert_eq!(seen(0xffff_ffff_c000_1000), Some(("same", 0)), "the first of the file");
    }

    #[test]
    fn malformed_lines_are_counted() {
        let symbols = Kallsyms::parse(&b"junk\n\n1 t ok\n\xff\xfe\nffff t\n2 T last"[..]).unwrap();
        assert_eq!((symbols.len(), symbols.skipped_lines()), (2, 4));
        assert!(symbols.contains("last"));
        let none = Kallsyms::parse(&b""[..]).unwrap();
        assert!(none.is_empty() && !none.addresses_hidden() && !none.contains("x"));
    }

    #[test]
    fn any_truncation_parses() {
        let bytes = FIXTURE.as_bytes();
        for end in (0..bytes.len().min(6000)).step_by(7) {
            let symbols = Kallsyms::parse(&bytes[..end]).unwrap();
            assert!(symbols.skipped_lines() <= 1);
            symbols.contains("vfs_read");
        }
    }
}
