// SPDX-License-Identifier: Apache-2.0
//! Operands in the assembly of 64-bit ARM: `5`, `w3`, `[sp, 12]`, `[x0, w1, sxtw 2]`.

use super::argument::{Index, Operand, Place, RegisterPart, parse_number};

/// Where `struct user_pt_regs` has the stack pointer; the general registers stand before it, eight bytes each.
const STACK_POINTER: u16 = 248;
pub const INSTRUCTION_POINTER: u16 = 256;

/// Reads an operand.
pub fn parse(text: &str) -> Result<Operand, String> {
    if let Some(inside) = text.strip_prefix('[') {
        let inside = inside.strip_suffix(']').ok_or_else(|| not_understood(text))?;
        return memory(inside).map(Operand::Memory);
    }
    match (number(text), text) {
        (Some(constant), _) => Ok(Operand::Constant(constant)),
        (None, "xzr" | "wzr") => Ok(Operand::Constant(0)),
        (None, name) => register(name).map(Operand::Register),
    }
}

/// Immediates may have a `#` before them.
fn number(text: &str) -> Option<i64> {
    parse_number(text.strip_prefix('#').unwrap_or(text))
}

/// `BASE`, `BASE, DISPLACEMENT`, `BASE, INDEX`, `BASE, INDEX, lsl N`.
fn memory(inside: &str) -> Result<Place, String> {
    let wrong = || not_understood(&format!("[{inside}]"));
    let mut parts = inside.split(',').map(str::trim);
    let base = register(parts.next().unwrap_or_default())?;
    if base.size != 8 {
        return Err(wrong());
    }
    let mut place = Place { base: Some(base.offset), ..Place::default() };
    let Some(second) = parts.next() else { return Ok(place) };
    let third = parts.next();
    if parts.next().is_some() {
        return Err(wrong());
    }
    if let Some(displacement) = number(second) {
        place.displacement = displacement;
        return if third.is_none() { Ok(place) } else { Err(wrong()) };
    }
    if second.contains(':') {
        return Err(format!("`[{inside}]` needs the linker's relocations"));
    }
    let index = register(second)?;
    let (extend, shift) = extension(third.unwrap_or("")).ok_or_else(wrong)?;
    let half = match (index.size, extend) {
        (8, "" | "lsl" | "sxtx" | "uxtx") => None,
        (4, "sxtw") => Some(true),
        (4, "uxtw") => Some(false),
        _ => return Err(wrong()),
    };
    place.index = Some(Index { offset: index.offset, shift, half });
    Ok(place)
}

/// `lsl 3`, `sxtw #2`, `uxtw`, or nothing.
fn extension(text: &str) -> Option<(&str, u8)> {
    match text.split_once(|c: char| c.is_ascii_whitespace()) {
        None => Some((text, 0)),
        Some((word, shift)) => {
            let shift = number(shift.trim()).filter(|shift| (0..=4).contains(shift))?;
            Some((word, shift as u8))
        }
    }
}

/// `x0` to `x30`, `w0` to `w30`, `sp`; `x31` stands for `sp` in the notes of some compilers.
fn register(name: &str) -> Result<RegisterPart, String> {
    let whole = |offset, size| Ok(RegisterPart { offset, size, high_byte: false });
    match name {
        "sp" | "x31" => return whole(STACK_POINTER, 8),
        "wsp" => return whole(STACK_POINTER, 4),
        "fp" => return whole(29 * 8, 8),
        "lr" => return whole(30 * 8, 8),
        _ => {}
    }
    let (letter, digits) = name.split_at_checked(1).unwrap_or((name, ""));
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    match (letter, digits.parse::<u16>().ok().filter(|_| plain)) {
        ("x", Some(number @ 0..=30)) => whole(number * 8, 8),
        ("w", Some(number @ 0..=30)) => whole(number * 8, 4),
        ("v" | "q" | "d" | "s" | "h" | "b", Some(0..=31)) => {
            Err(format!("it is in `{name}`, a vector register, which the kernel does not hand to a probe"))
        }
        _ => Err(format!("there is no register `{name}`")),
    }
}

fn not_understood(text: &str) -> String {
    format!("`{text}` is no operand that is known")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(base: u16, displacement: i64) -> Operand {
        Operand::Memory(Place { base: Some(base), displacement, ..Place::default() })
    }

    #[test]
    fn constants_and_registers() {
        assert_eq!(parse("5"), Ok(Operand::Constant(5)));
        assert_eq!(parse("-42"), Ok(Operand::Constant(-42)));
        assert_eq!(parse("#0x10"), Ok(Operand::Constant(16)));
        assert_eq!(parse("xzr"), Ok(Operand::Constant(0)));
        let part = |offset, size| Ok(Operand::Register(RegisterPart { offset, size, high_byte: false }));
        assert_eq!(parse("x0"), part(0, 8));
        assert_eq!(parse("x30"), part(240, 8));
        assert_eq!(parse("w19"), part(152, 4));
        assert_eq!(parse("sp"), part(248, 8));
        for text in ["x32", "w31", "x", "y1", "x-1", "x+1", "", "ξ1"] {
            assert!(parse(text).is_err(), "{text}");
        }
        assert!(parse("d0").unwrap_err().contains("vector register"));
    }

    #[test]
    fn memory_in_all_forms() {
        assert_eq!(parse("[x12]"), Ok(at(96, 0)));
        assert_eq!(parse("[x30,-40]"), Ok(at(240, -40)));
        assert_eq!(parse("[x31,-40]"), Ok(at(248, -40)));
        assert_eq!(parse("[sp, 120]"), Ok(at(248, 120)));
        assert_eq!(parse("[sp, #12]"), Ok(at(248, 12)));
        let index = |text: &str| match parse(text) {
            Ok(Operand::Memory(place)) => place.index.map(|index| (index.offset, index.shift, index.half)),
            other => panic!("{text}: {other:?}"),
        };
        assert_eq!(index("[x0, x1]"), Some((8, 0, None)));
        assert_eq!(index("[x26, x27, lsl 3]"), Some((216, 3, None)));
        assert_eq!(index("[x0, w1, sxtw #2]"), Some((8, 2, Some(true))));
        assert_eq!(index("[x0, w1, uxtw]"), Some((8, 0, Some(false))));
        for text in
            ["[x32,200]", "[x0", "x0]", "[]", "[x0, w1]", "[x0, 8, 8]", "[x0, x1, lsl 9]", "[w0]", "[x0, #:lo12:v]"]
        {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
