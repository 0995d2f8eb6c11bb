// SPDX-License-Identifier: Apache-2.0
//! Instructions as text, in the form that bcc's `disassemble_func` gives and people's scripts compare.
//!
//! ```text
//!    0: (85) call bpf_get_current_pid_tgid#14
//!    1: (77) r0 >>= 32
//! ```
//!
//! Registers are `r0` also where an operation takes their lower half only, as in bcc: the operation code in brackets
//! tells. Where bcc is wrong about what an instruction does (negation, byte order), the truth is printed.

use super::sys::prog::Insn;

const LD: u8 = 0;
const LDX: u8 = 1;
const ST: u8 = 2;
const STX: u8 = 3;
const ALU: u8 = 4;
const JMP: u8 = 5;
const JMP32: u8 = 6;
const ALU64: u8 = 7;

/// A second register in place of the immediate.
const BY_REGISTER: u8 = 0x08;
const LOAD_64: u8 = 0x18;

const MODE_ABS: u8 = 0x20;
const MODE_IND: u8 = 0x40;
const MODE_MEM_SIGNED: u8 = 0x80;
const MODE_ATOMIC: u8 = 0xc0;

/// Kinds of calls, in the source register (`BPF_PSEUDO_*` of `linux/bpf.h`).
const CALL_LOCAL: u8 = 1;
const CALL_KFUNC: u8 = 2;
/// What a 64-bit immediate is, likewise.
const MAP_FD: u8 = 1;
const MAP_VALUE: u8 = 2;

/// What the numbers in instructions are called.
#[derive(Clone, Copy)]
pub struct Names<'a> {
    /// A helper's name by its number, without `bpf_`.
    pub helper: &'a dyn Fn(u32) -> Option<String>,
}

/// One line for each instruction; the second half of a 64-bit load has one, too.
pub fn lines(insns: &[Insn], names: Names<'_>) -> Vec<String> {
    let mut lines = Vec::with_capacity(insns.len());
    let mut is_upper = false;
    for (index, insn) in insns.iter().enumerate() {
        if is_upper {
            lines.push(format!("{index:4}:      (64-bit upper word)"));
            is_upper = false;
            continue;
        }
        let text = match insn.code {
            LOAD_64 => {
                is_upper = true;
                load_64(*insn, insns.get(index + 1).map_or(0, |upper| upper.imm))
            }
            _ => instruction(index, *insn, names),
        };
        lines.push(format!("{index:4}: ({:02x}) {text}", insn.code));
    }
    lines
}

fn instruction(index: usize, insn: Insn, names: Names<'_>) -> String {
    let text = match insn.code & 7 {
        ALU | ALU64 => arithmetic(insn),
        JMP | JMP32 => jump(index, insn, names),
        LD => packet_load(insn),
        LDX => Some(load(insn)),
        ST => Some(format!("*(u{}*)(r{} {:+}) = {}", bits(insn), dst(insn), insn.off, insn.imm)),
        STX => store(insn),
        _ => None,
    };
    text.unwrap_or_else(|| format!("unknown <{:#x}>", insn.code))
}

fn dst(insn: Insn) -> u8 {
    insn.regs & 0xf
}

/// The bits of memory that a load or store moves.
fn bits(insn: Insn) -> u8 {
    match insn.code & 0x18 {
        0x00 => 32,
        0x08 => 16,
        0x10 => 8,
        _ => 64,
    }
}

fn load_64(insn: Insn, upper: i32) -> String {
    let (dst, low) = (dst(insn), insn.imm);
    match insn.src() {
        MAP_FD => format!("r{dst} = <map at fd #{low}>"),
        MAP_VALUE => format!("r{dst} = <value of map at fd #{low}>+{upper}"),
        _ => format!("r{dst} = {:#x}", u64::from(upper as u32) << 32 | u64::from(low as u32)),
    }
}

fn arithmetic(insn: Insn) -> Option<String> {
    let (dst, src) = (dst(insn), insn.src());
    let half = insn.code & 7 == ALU;
    let operator = match insn.code & 0xf0 {
        0x00 => "+=",
        0x10 => "-=",
        0x20 => "*=",
        0x30 if insn.off == 1 => "s/=",
        0x30 => "/=",
        0x40 => "|=",
        0x50 => "&=",
        0x60 => "<<=",
        0x70 => ">>=",
        0x80 => return Some(format!("r{dst} = - (u{})r{dst}", if half { 32 } else { 64 })),
        0x90 if insn.off == 1 => "s%=",
        0x90 => "%=",
        0xa0 => "^=",
        0xb0 => "=",
        0xc0 => "s>>=",
        0xd0 => return Some(byte_order(insn, half)),
        _ => return None,
    };
    // A move with a width extends the sign of so many bits.
    if insn.code & BY_REGISTER != 0 && operator == "=" && insn.off != 0 {
        return Some(format!("r{dst} = (s{})r{src}", insn.off));
    }
    let is_bitwise = matches!(operator, "|=" | "&=" | "^=");
    Some(match insn.code & BY_REGISTER {
        0 if is_bitwise => format!("r{dst} {operator} {:#x}", insn.imm as u32),
        0 => format!("r{dst} {operator} {}", insn.imm),
        _ => format!("r{dst} {operator} r{src}"),
    })
}

fn byte_order(insn: Insn, half: bool) -> String {
    let order = match (half, insn.code & BY_REGISTER) {
        (false, _) => "bswap",
        (true, 0) => "le",
        (true, _) => "be",
    };
    format!("r{0} = {order}{1} r{0}", dst(insn), insn.imm)
}

fn jump(index: usize, insn: Insn, names: Names<'_>) -> Option<String> {
    let operator = match insn.code & 0xf0 {
        0x00 => return Some(go_to(index, insn)),
        0x10 => "==",
        0x20 => ">",
        0x30 => ">=",
        0x40 => "&",
        0x50 => "!=",
        0x60 => "s>",
        0x70 => "s>=",
        0x80 => return Some(call(insn, names)),
        0x90 => return Some("exit".to_owned()),
        0xa0 => "<",
        0xb0 => "<=",
        0xc0 => "s<",
        0xd0 => "s<=",
        _ => return None,
    };
    let operand = match insn.code & BY_REGISTER {
        0 => insn.imm.to_string(),
        _ => format!("r{}", insn.src()),
    };
    let target = index as i64 + i64::from(insn.off) + 1;
    Some(format!("if r{} {operator} {operand} goto pc{:+} <{target}>", dst(insn), insn.off))
}

/// The long form (`gotol`) has its distance in the immediate.
fn go_to(index: usize, insn: Insn) -> String {
    let distance = if insn.code & 7 == JMP32 { i64::from(insn.imm) } else { i64::from(insn.off) };
    format!("goto {distance:+} <{}>", index as i64 + distance + 1)
}

fn call(insn: Insn, names: Names<'_>) -> String {
    match insn.src() {
        CALL_LOCAL => format!("call {:+}", insn.imm),
        CALL_KFUNC => format!("call <kernel function #{}>", insn.imm),
        _ => match (names.helper)(insn.imm as u32) {
            Some(name) => format!("call bpf_{name}#{}", insn.imm),
            None => format!("call <unknown helper #{}>", insn.imm),
        },
    }
}

fn packet_load(insn: Insn) -> Option<String> {
    match insn.code & 0xe0 {
        MODE_ABS => Some(format!("r0 = *(u{}*)skb[{}]", bits(insn), insn.imm)),
        MODE_IND => Some(format!("r0 = *(u{}*)skb[r{} {:+}]", bits(insn), insn.src(), insn.imm)),
        _ => None,
    }
}

fn load(insn: Insn) -> String {
    let sign = if insn.code & 0xe0 == MODE_MEM_SIGNED { 's' } else { 'u' };
    format!("r{} = *({sign}{}*)(r{} {:+})", dst(insn), bits(insn), insn.src(), insn.off)
}

fn store(insn: Insn) -> Option<String> {
    let (place, src) = (format!("*(u{}*)(r{} {:+})", bits(insn), dst(insn), insn.off), insn.src());
    if insn.code & 0xe0 != MODE_ATOMIC {
        return Some(format!("{place} = r{src}"));
    }
    let fetch = if insn.imm & 1 != 0 { format!("r{src} = fetch ") } else { String::new() };
    match insn.imm & !1 {
        0x00 => Some(format!("{fetch}lock {place} += r{src}")),
        0x40 => Some(format!("{fetch}lock {place} |= r{src}")),
        0x50 => Some(format!("{fetch}lock {place} &= r{src}")),
        0xa0 => Some(format!("{fetch}lock {place} ^= r{src}")),
        0xe0 => Some(format!("r{src} = xchg({place}, r{src})")),
        0xf0 => Some(format!("r0 = cmpxchg({place}, r0, r{src})")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(code: u8, dst: u8, src: u8, off: i16, imm: i32) -> String {
        let helper = |number| (number == 1).then(|| "map_lookup_elem".to_owned());
        let insn = Insn { code, regs: src << 4 | dst, off, imm };
        lines(&[insn], Names { helper: &helper }).remove(0).split_off(11)
    }

    #[test]
    fn arithmetic_reads_as_in_bcc() {
        assert_eq!(text(0x04, 1, 0, 0, -5), "r1 += -5");
        assert_eq!(text(0x0f, 1, 2, 0, 0), "r1 += r2");
        assert_eq!(text(0x44, 3, 0, 0, -1), "r3 |= 0xffffffff");
        assert_eq!(text(0x97, 3, 0, 0, 10), "r3 %= 10");
        assert_eq!(text(0xb7, 0, 0, 0, 1), "r0 = 1");
        assert_eq!(text(0xcf, 4, 5, 0, 0), "r4 s>>= r5");
        assert_eq!(text(0x87, 4, 0, 0, 0), "r4 = - (u64)r4");
        assert_eq!(text(0xdc, 2, 0, 0, 16), "r2 = be16 r2");
        assert_eq!(text(0xbf, 2, 3, 8, 0), "r2 = (s8)r3");
        assert_eq!(text(0x3f, 2, 3, 1, 0), "r2 s/= r3");
    }

    #[test]
    fn jumps_say_where_they_lead() {
        assert_eq!(text(0x05, 0, 0, 7, 0), "goto +7 <8>");
        assert_eq!(text(0x15, 1, 0, -2, 0), "if r1 == 0 goto pc-2 <-1>");
        assert_eq!(text(0x6d, 1, 2, 3, 0), "if r1 s> r2 goto pc+3 <4>");
        assert_eq!(text(0x06, 0, 0, 0, 1000), "goto +1000 <1001>");
        assert_eq!(text(0x95, 0, 0, 0, 0), "exit");
    }

    #[test]
    fn memory_and_packets() {
        assert_eq!(text(0x61, 1, 2, -4, 0), "r1 = *(u32*)(r2 -4)");
        assert_eq!(text(0x91, 1, 2, 4, 0), "r1 = *(s8*)(r2 +4)");
        assert_eq!(text(0x7a, 10, 0, -8, 9), "*(u64*)(r10 -8) = 9");
        assert_eq!(text(0x6b, 10, 3, -8, 0), "*(u16*)(r10 -8) = r3");
        assert_eq!(text(0xdb, 1, 2, 0, 0), "lock *(u64*)(r1 +0) += r2");
        assert_eq!(text(0xc3, 1, 2, 0, 0xf1), "r0 = cmpxchg(*(u32*)(r1 +0), r0, r2)");
        assert_eq!(text(0x30, 0, 0, 0, 23), "r0 = *(u8*)skb[23]");
        assert_eq!(text(0x48, 0, 7, 0, -14), "r0 = *(u16*)skb[r7 -14]");
    }

    #[test]
    fn calls_have_names() {
        assert_eq!(text(0x85, 0, 0, 0, 1), "call bpf_map_lookup_elem#1");
        assert_eq!(text(0x85, 0, 0, 0, 9999), "call <unknown helper #9999>");
        assert_eq!(text(0x85, 0, CALL_LOCAL, 0, 5), "call +5");
    }

    #[test]
    fn wide_loads_take_two_lines() {
        let insn = |code, src: u8, imm| Insn { code, regs: src << 4 | 1, off: 0, imm };
        let names = Names { helper: &|_| None };
        let text = lines(&[insn(LOAD_64, MAP_FD, 7), insn(0, 0, 0), insn(LOAD_64, 0, -1), insn(0, 0, 1)], names);
        assert_eq!(text[0], "   0: (18) r1 = <map at fd #7>");
        assert_eq!(text[1], "   1:      (64-bit upper word)");
        assert_eq!(text[2], "   2: (18) r1 = 0x1ffffffff");
        assert_eq!(lines(&[insn(LOAD_64, 0, 1)], names).len(), 1, "a cut one does no harm");
        assert_eq!(lines(&[insn(0x8f, 0, 1)], names)[0], "   0: (8f) r1 = - (u64)r1");
        assert_eq!(lines(&[insn(0xff, 0, 1)], names)[0], "   0: (ff) unknown <0xff>");
    }
}
