// SPDX-License-Identifier: Apache-2.0
//! The argument strings of USDT notes: `-4@-20(%rbp) 8@%rax 1@$5`, or `-4@[sp, 12] 8@x0` on arm64.
//!
//! `N@OPERAND`, apart by spaces: N is the size in bytes, negative for a signed value; the operand is what the compiler
//! would write in assembly for the value's place. Whatever cannot be read is an argument with the reason, so that the
//! others are still there.

use super::{aarch64, x86};

/// The instruction set that a file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Machine {
    /// x86-64.
    X86_64,
    /// 32-bit x86; its programs are traced on an x86-64 kernel.
    X86,
    /// 64-bit ARM.
    Aarch64,
}

impl Machine {
    /// Bytes of a pointer.
    pub fn pointer_size(self) -> u8 {
        if self == Machine::X86 { 4 } else { 8 }
    }

    /// Where the instruction pointer is in the kernel's `struct pt_regs`.
    pub fn instruction_pointer(self) -> u16 {
        match self {
            Machine::X86_64 | Machine::X86 => x86::INSTRUCTION_POINTER,
            Machine::Aarch64 => aarch64::INSTRUCTION_POINTER,
        }
    }
}

/// One argument of a probe at one location.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Argument {
    /// As the note has it: `-4@-20(%rbp)`.
    pub text: String,
    /// Bytes of the value: 1 to 8.
    pub size: u8,
    /// Whether a value narrower than its variable is sign-extended.
    pub signed: bool,
    /// Where the value is; or why no probe can read it.
    pub operand: Result<Operand, String>,
}

impl Argument {
    /// The C type of this size: `int32_t`, `uint8_t`.
    pub fn c_type(&self) -> String {
        format!("{}int{}_t", if self.signed { "" } else { "u" }, u32::from(self.size) * 8)
    }
}

/// Where a value is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operand {
    /// The value itself.
    Constant(i64),
    /// In a register.
    Register(RegisterPart),
    /// In memory at this place.
    Memory(Place),
    /// The address of this place is the value.
    Address(Place),
}

/// A register or the part of one that has a name of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegisterPart {
    /// Where the whole register is in the kernel's `struct pt_regs`, in bytes.
    pub offset: u16,
    /// Bytes of the part.
    pub size: u8,
    /// The second byte (`%ah`), not the first.
    pub high_byte: bool,
}

/// An address: `base + index + displacement`, with the symbol's address on top when there is one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Where the base register is in `struct pt_regs`.
    pub base: Option<u16>,
    /// The register that counts elements.
    pub index: Option<Index>,
    /// Bytes to add.
    pub displacement: i64,
    /// A variable of the file, whose address is to be found in its symbol tables.
    pub symbol: Option<String>,
}

/// The index of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Index {
    /// Where the register is in `struct pt_regs`.
    pub offset: u16,
    /// By how many bits it is shifted to the left: 0 to 4.
    pub shift: u8,
    /// Only its lower half counts: sign-extended (`Some(true)`) or zero-extended (`Some(false)`).
    pub half: Option<bool>,
}

/// Reads the arguments of a note. Every one yields an entry, those that cannot be read included.
pub fn parse_arguments(machine: Machine, text: &str) -> Vec<Argument> {
    split(text).map(|word| parse_argument(machine, word)).collect()
}

/// The words of the string. Spaces within brackets are part of a word.
fn split(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text.trim_start();
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let mut depth = 0_usize;
        let end = rest.char_indices().find_map(|(at, c)| {
            match c {
                '(' | '[' => depth += 1,
                ')' | ']' => depth = depth.saturating_sub(1),
                _ => {}
            }
            (depth == 0 && c.is_ascii_whitespace()).then_some(at)
        });
        let (word, after) = rest.split_at(end.unwrap_or(rest.len()));
        rest = after.trim_start();
        Some(word)
    })
}

fn parse_argument(machine: Machine, text: &str) -> Argument {
    let (size, operand) = match text.split_once('@') {
        // A symbol version or relocation (`x@GOTPCREL(%rip)`) without a size before it has an `@` as well.
        Some((size, operand)) if size.starts_with(|c: char| c == '-' || c.is_ascii_digit()) => (Some(size), operand),
        _ => (None, text),
    };
    let (bytes, signed, wrong) = match size.map(parse_size) {
        None => (machine.pointer_size(), false, None),
        Some(Some((bytes, signed))) => (bytes, signed, None),
        Some(None) => (machine.pointer_size(), false, Some("its size is not 1, 2, 4 or 8 bytes".to_owned())),
    };
    let operand = match wrong {
        Some(why) => Err(why),
        None if operand.is_empty() => Err("it says no place".to_owned()),
        None => match machine {
            Machine::X86_64 | Machine::X86 => x86::parse(machine, operand),
            Machine::Aarch64 => aarch64::parse(operand),
        },
    };
    let size = match &operand {
        Ok(Operand::Register(part)) => bytes.min(part.size),
        _ => bytes,
    };
    Argument { text: text.to_owned(), size, signed, operand }
}

/// `-4` is four bytes, signed. Newer headers mark a floating-point value with an `f`; its bits can be read like others.
fn parse_size(text: &str) -> Option<(u8, bool)> {
    let digits = text.strip_suffix('f').unwrap_or(text);
    let (digits, signed) = digits.strip_prefix('-').map_or((digits, false), |digits| (digits, true));
    let bytes = digits.parse::<u8>().ok().filter(|bytes| matches!(bytes, 1 | 2 | 4 | 8))?;
    Some((bytes, signed && !text.ends_with('f')))
}

/// A number as assemblers write it, decimal or hexadecimal, of up to 64 bits, signed or not.
pub(super) fn parse_number(text: &str) -> Option<i64> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    // What `parse` would take beside digits.
    if !digits.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let value = match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(hex) if hex.starts_with(|c: char| c.is_ascii_hexdigit()) => u64::from_str_radix(hex, 16).ok()?,
        Some(_) => return None,
        None => digits.parse::<u64>().ok()?,
    };
    Some(if negative { (value as i64).wrapping_neg() } else { value as i64 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_split_at_spaces_outside_of_brackets() {
        let words: Vec<&str> = split("  -4@[sp, 12]  8@x0 4@8(%rax, %rbx, 4) ").collect();
        assert_eq!(words, ["-4@[sp, 12]", "8@x0", "4@8(%rax, %rbx, 4)"]);
        assert_eq!(split("").count(), 0);
        assert_eq!(split("8@(%rax 4@%ebx").count(), 1, "what is never closed is one word");
        assert_eq!(split("8@%rax) 4@%ebx").count(), 2);
    }

    #[test]
    fn sizes_have_types() {
        let types = |text| parse_arguments(Machine::X86_64, text).iter().map(Argument::c_type).collect::<Vec<_>>();
        assert_eq!(
            types("-1@$1 1@$1 -2@$1 2@$1 -4@$1 4@$1"),
            ["int8_t", "uint8_t", "int16_t", "uint16_t", "int32_t", "uint32_t"]
        );
        assert_eq!(types("-8@$1 8@$1 %rdi 8f@%rax"), ["int64_t", "uint64_t", "uint64_t", "uint64_t"]);
        for text in ["3@$1", "-0@$1", "16@$1", "-@$1", "99999@$1", "4x@$1"] {
            let arguments = parse_arguments(Machine::X86_64, text);
            assert!(arguments[0].operand.as_ref().unwrap_err().contains("size"), "{text}");
        }
        assert!(parse_arguments(Machine::X86_64, "4@")[0].operand.is_err());
    }

    #[test]
    fn numbers_of_assemblers() {
        let numbers = [("0", 0), ("-5", -5), ("+7", 7), ("0x1f", 31), ("-0X10", -16), ("18446744073709551615", -1)];
        for (text, value) in numbers {
            assert_eq!(parse_number(text), Some(value), "{text}");
        }
        for text in ["", "-", "0x", "--1", "+-1", "1a", "18446744073709551616", "0x-1"] {
            assert_eq!(parse_number(text), None, "{text}");
        }
    }

    /// Damaged strings are arguments with a reason; nothing panics, nothing runs for ever.
    #[test]
    fn damage_is_harmless() {
        let whole = "-4@-20(%rbp) 8@%rax 1@$-5 8@24+mp_(%rip) 4@(%rax,%rdx,8) 2@%xmm0 8@[x0, w1, sxtw #2] -8@[sp,#-8]";
        let letters = b"-+@$%()[],#. 0123456789xabrspwiq\xc3\xa9";
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut next = |below: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state % below as u64) as usize
        };
        for _ in 0..20_000 {
            let mut bytes = whole.as_bytes().to_vec();
            for _ in 0..=next(6) {
                if bytes.len() < 2 {
                    break;
                }
                let at = next(bytes.len() - 1);
                match next(3) {
                    0 => bytes[at] = letters[next(letters.len())],
                    1 => drop(bytes.remove(at)),
                    _ => bytes.truncate(at.max(1)),
                }
            }
            let text = String::from_utf8_lossy(&bytes);
            for machine in [Machine::X86_64, Machine::X86, Machine::Aarch64] {
                let arguments = parse_arguments(machine, &text);
                assert_eq!(arguments.len(), split(&text).count());
                assert!(arguments.iter().all(|argument| (1..=8).contains(&argument.size)));
            }
        }
    }
}
