// SPDX-License-Identifier: Apache-2.0
//! Operands in the assembly of x86: `$5`, `%eax`, `-8(%rbp)`, `(%rax,%rdx,8)`, `24+table(%rip)`.

use super::argument::{Index, Machine, Operand, Place, RegisterPart, parse_number};

/// Where `struct pt_regs` of x86-64 has each register, by its 64-bit name.
const REGISTERS: [(&str, u16); 17] = [
    ("r15", 0),
    ("r14", 8),
    ("r13", 16),
    ("r12", 24),
    ("rbp", 32),
    ("rbx", 40),
    ("r11", 48),
    ("r10", 56),
    ("r9", 64),
    ("r8", 72),
    ("rax", 80),
    ("rcx", 88),
    ("rdx", 96),
    ("rsi", 104),
    ("rdi", 112),
    ("rip", INSTRUCTION_POINTER),
    ("rsp", 152),
];

pub const INSTRUCTION_POINTER: u16 = 128;

/// What registers are called that the kernel does not hand to a probe, by how their names begin.
const OTHERS: [(&str, &str); 8] = [
    ("xmm", "a vector register"),
    ("ymm", "a vector register"),
    ("zmm", "a vector register"),
    ("mm", "a vector register"),
    ("st", "a floating-point register"),
    ("k", "a mask register"),
    ("cr", "a control register"),
    ("dr", "a debug register"),
];

/// Reads an operand.
pub fn parse(machine: Machine, text: &str) -> Result<Operand, String> {
    if let Some(immediate) = text.strip_prefix('$') {
        return match parse_number(immediate) {
            Some(number) => Ok(Operand::Constant(number)),
            None => parse_displacement(immediate).map(Operand::Address),
        };
    }
    match text.strip_prefix('%') {
        Some(rest) if rest.contains(':') => Err(format!("`{text}` is in thread-local or segmented memory")),
        Some(name) => register(name).map(Operand::Register),
        None => memory(machine, text).map(Operand::Memory),
    }
}

/// `DISPLACEMENT(BASE,INDEX,SCALE)`, each part optional.
fn memory(machine: Machine, text: &str) -> Result<Place, String> {
    let Some((before, inside)) = text.split_once('(') else { return parse_displacement(text) };
    let inside = inside.strip_suffix(')').ok_or_else(|| not_understood(text))?;
    let mut place = if before.is_empty() { Place::default() } else { parse_displacement(before)? };
    let mut parts = inside.split(',').map(str::trim);
    let base = parts.next().unwrap_or_default();
    let index = parts.next().filter(|index| !index.is_empty());
    let scale = parts.next();
    if parts.next().is_some() || (base.is_empty() && index.is_none()) {
        return Err(not_understood(text));
    }
    if !base.is_empty() {
        place.base = Some(address_register(machine, base)?);
    }
    let shift = match scale {
        None => 0,
        Some("1") => 0,
        Some("2") => 1,
        Some("4") => 2,
        Some("8") => 3,
        Some(_) => return Err(not_understood(text)),
    };
    match index {
        Some(index) => {
            let offset = address_register(machine, index)?;
            // A 32-bit program's index is a 32-bit number, and may be negative.
            let half = (machine == Machine::X86).then_some(true);
            place.index = Some(Index { offset, shift, half });
        }
        None if scale.is_some() => return Err(not_understood(text)),
        None => {}
    }
    // The symbol's distance from the instruction is what stands in the code, so the symbol alone is the place. Without
    // one, the number counts from the probe itself, as bcc has it.
    let ip = Some(INSTRUCTION_POINTER);
    match (&place.symbol, place.base == ip, &place.index) {
        (Some(_), true, None) => place.base = None,
        (_, true, Some(_)) => return Err(not_understood(text)),
        _ => {}
    }
    Ok(place)
}

/// `8`, `-8`, `symbol`, `symbol+8`, `8+symbol`.
fn parse_displacement(text: &str) -> Result<Place, String> {
    if let Some(displacement) = parse_number(text) {
        return Ok(Place { displacement, ..Place::default() });
    }
    let mut place = Place::default();
    for term in terms(text) {
        let unsigned = term.strip_prefix('+').unwrap_or(term);
        match parse_number(term) {
            Some(number) => place.displacement = place.displacement.wrapping_add(number),
            None if place.symbol.is_none() && is_symbol(unsigned) => place.symbol = Some(unsigned.to_owned()),
            None if unsigned.contains('@') => return Err(format!("`{text}` needs the dynamic linker's tables")),
            None => return Err(not_understood(text)),
        }
    }
    if text.is_empty() { Err(not_understood(text)) } else { Ok(place) }
}

/// The terms of a sum, each with its sign.
fn terms(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let end = rest.char_indices().skip(1).find(|(_, c)| matches!(c, '+' | '-')).map_or(rest.len(), |(at, _)| at);
        let (term, after) = rest.split_at(end);
        rest = after;
        Some(term)
    })
}

fn is_symbol(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_' || c == '.')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '$'))
}

fn address_register(machine: Machine, text: &str) -> Result<u16, String> {
    let part = register(text.strip_prefix('%').ok_or_else(|| not_understood(text))?)?;
    match part.size {
        8 => Ok(part.offset),
        4 if machine == Machine::X86 => Ok(part.offset),
        _ => Err(format!("`{text}` is half a register, and no address")),
    }
}

/// A register by any of its names: `rax`, `eax`, `ax`, `al`, `ah`; `r8`, `r8d`, `r8w`, `r8b`.
fn register(name: &str) -> Result<RegisterPart, String> {
    whole_register(name, 8)
        .or_else(|| numbered_part(name))
        .or_else(|| lettered_part(name))
        .ok_or_else(|| no_register(name))
}

fn whole_register(name: &str, size: u8) -> Option<RegisterPart> {
    let (_, offset) = REGISTERS.iter().find(|(known, _)| *known == name)?;
    Some(RegisterPart { offset: *offset, size, high_byte: false })
}

/// `r8d`, `r15w`, `r9b`; some write `r9l` for the last.
fn numbered_part(name: &str) -> Option<RegisterPart> {
    let size = match name.as_bytes().last()? {
        b'd' => 4,
        b'w' => 2,
        b'b' | b'l' => 1,
        _ => return None,
    };
    let whole = &name[..name.len() - 1];
    if !whole.ends_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    whole_register(whole, size)
}

/// The parts of the registers with letters for names.
fn lettered_part(name: &str) -> Option<RegisterPart> {
    if let Some(rest) = name.strip_prefix('e') {
        return whole_register(&format!("r{rest}"), 4);
    }
    match name.as_bytes() {
        [letter @ b'a'..=b'd', b'h'] => {
            let part = whole_register(&format!("r{}x", char::from(*letter)), 1)?;
            Some(RegisterPart { high_byte: true, ..part })
        }
        [letter @ b'a'..=b'd', b'l'] => whole_register(&format!("r{}x", char::from(*letter)), 1),
        [_, _] => whole_register(&format!("r{name}"), 2),
        // sil, dil, bpl, spl
        [_, _, b'l'] => whole_register(&format!("r{}", &name[..2]), 1),
        _ => None,
    }
}

fn no_register(name: &str) -> String {
    let what = OTHERS.iter().find(|(start, _)| {
        name.strip_prefix(start).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit() || c == '('))
            || name == *start
    });
    match what {
        Some((_, what)) => format!("it is in `%{name}`, {what}, which the kernel does not hand to a probe"),
        None => format!("there is no register `%{name}`"),
    }
}

fn not_understood(text: &str) -> String {
    format!("`{text}` is no operand that is known")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> Operand {
        parse(Machine::X86_64, text).unwrap_or_else(|why| panic!("{text}: {why}"))
    }

    fn offset(name: &str) -> u16 {
        register(name).unwrap().offset
    }

    fn part(offset: u16, size: u8) -> Operand {
        Operand::Register(RegisterPart { offset, size, high_byte: false })
    }

    #[test]
    fn constants() {
        for (text, value) in [("$0", 0), ("$1234", 1234), ("$-1", -1), ("$0x10", 16)] {
            assert_eq!(one(text), Operand::Constant(value));
        }
        assert_eq!(one("$9223372036854775806"), Operand::Constant(i64::MAX - 1));
        assert_eq!(one("$18446744073709551614"), Operand::Constant(-2));
        let place = Place { symbol: Some("table".into()), displacement: 4, ..Place::default() };
        assert_eq!(one("$table+4"), Operand::Address(place));
    }

    #[test]
    fn every_name_of_every_register() {
        let families = [
            ("rax", 80, ["eax", "ax", "al"]),
            ("rbx", 40, ["ebx", "bx", "bl"]),
            ("rcx", 88, ["ecx", "cx", "cl"]),
            ("rdx", 96, ["edx", "dx", "dl"]),
            ("rsi", 104, ["esi", "si", "sil"]),
            ("rdi", 112, ["edi", "di", "dil"]),
            ("rbp", 32, ["ebp", "bp", "bpl"]),
            ("rsp", 152, ["esp", "sp", "spl"]),
            ("r8", 72, ["r8d", "r8w", "r8b"]),
            ("r9", 64, ["r9d", "r9w", "r9b"]),
            ("r10", 56, ["r10d", "r10w", "r10b"]),
            ("r11", 48, ["r11d", "r11w", "r11b"]),
            ("r12", 24, ["r12d", "r12w", "r12b"]),
            ("r13", 16, ["r13d", "r13w", "r13b"]),
            ("r14", 8, ["r14d", "r14w", "r14b"]),
            ("r15", 0, ["r15d", "r15w", "r15b"]),
        ];
        for (whole, offset, parts) in families {
            assert_eq!(one(&format!("%{whole}")), part(offset, 8));
            for (name, size) in parts.into_iter().zip([4, 2, 1]) {
                assert_eq!(one(&format!("%{name}")), part(offset, size), "{name}");
            }
        }
        for (name, offset) in [("ah", 80), ("bh", 40), ("ch", 88), ("dh", 96)] {
            let operand = Operand::Register(RegisterPart { offset, size: 1, high_byte: true });
            assert_eq!(one(&format!("%{name}")), operand);
        }
        for name in ["%rex", "%r16", "%xl", "%eip2", "%", "%r", "%r8x", "%rsil", "%1", "%é"] {
            assert!(parse(Machine::X86_64, name).is_err(), "{name}");
        }
    }

    #[test]
    fn registers_out_of_reach_are_named() {
        for name in ["%xmm0", "%ymm13", "%st(1)", "%st", "%k1", "%mm7"] {
            let why = parse(Machine::X86_64, name).unwrap_err();
            assert!(why.contains("register") && why.contains("kernel"), "{name}: {why}");
        }
        assert_eq!(parse(Machine::X86_64, "%kk").unwrap_err(), "there is no register `%kk`");
    }

    #[test]
    fn memory_by_registers() {
        let rbp = Some(offset("rbp"));
        assert_eq!(one("-8(%rbp)"), Operand::Memory(Place { base: rbp, displacement: -8, ..Place::default() }));
        assert_eq!(one("0x10(%rbp)"), Operand::Memory(Place { base: rbp, displacement: 16, ..Place::default() }));
        assert_eq!(one("(%rbp)"), Operand::Memory(Place { base: rbp, ..Place::default() }));
        let index = |shift| Some(Index { offset: offset("rdx"), shift, half: None });
        let place = Place { base: Some(offset("rax")), index: index(3), ..Place::default() };
        assert_eq!(one("(%rax,%rdx,8)"), Operand::Memory(place.clone()));
        assert_eq!(one("-4(%rax, %rdx, 8)"), Operand::Memory(Place { displacement: -4, ..place.clone() }));
        assert_eq!(one("(%rax,%rdx)"), Operand::Memory(Place { index: index(0), ..place.clone() }));
        assert_eq!(
            one("16(,%rdx,4)"),
            Operand::Memory(Place { base: None, index: index(2), displacement: 16, symbol: None })
        );
        for text in
            ["(%rax", "%rax)", "()", "(%rax,%rdx,3)", "(%rax,%rdx,8,1)", "(%rax,,8)", "(rax)", "x%ra+1r", "(%eax)"]
        {
            assert!(parse(Machine::X86_64, text).is_err(), "{text}");
        }
    }

    #[test]
    fn memory_by_symbols() {
        let symbol = |name: &str, displacement| {
            Operand::Memory(Place { symbol: Some(name.to_owned()), displacement, ..Place::default() })
        };
        assert_eq!(one("global_max_action(%rip)"), symbol("global_max_action", 0));
        assert_eq!(one("24+mp_(%rip)"), symbol("mp_", 24));
        assert_eq!(one("CheckpointStats+40(%rip)"), symbol("CheckpointStats", 40));
        assert_eq!(one("glob-2(%rip)"), symbol("glob", -2));
        assert_eq!(one("-8+counter.0(%rip)"), symbol("counter.0", -8));
        assert_eq!(one("static_table"), symbol("static_table", 0));
        let Operand::Memory(place) = one("table(,%rdx,8)") else { panic!() };
        assert_eq!((place.symbol.as_deref(), place.base, place.index.unwrap().shift), (Some("table"), None, 3));
        for text in ["a+b(%rip)", "x@GOTPCREL(%rip)", "x(%rip,%rax)", "%fs:0x10", "%fs:8(%rax)"] {
            assert!(parse(Machine::X86_64, text).is_err(), "{text}");
        }
        assert!(parse(Machine::X86_64, "%fs:0x10").unwrap_err().contains("thread-local"));
    }

    #[test]
    fn programs_of_32_bits() {
        let Operand::Memory(place) = parse(Machine::X86, "8(%esp,%ecx,4)").unwrap() else { panic!() };
        assert_eq!(place.base, Some(152));
        assert_eq!(place.index, Some(Index { offset: 88, shift: 2, half: Some(true) }));
    }
}
