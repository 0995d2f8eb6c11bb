// SPDX-License-Identifier: Apache-2.0
//! Finding the verdict in a verifier log.

/// The parts of a log that matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VerifierLog {
    /// Lines in the whole log.
    pub line_count: usize,
    /// The lines of the verdict, in order.
    pub verdict: Vec<String>,
    /// The instruction that the verdict is about.
    pub insn: Option<u32>,
    /// The source annotation before it (`; val->count++ @ script.lua:22`), without `; `.
    pub annotation: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line<'a> {
    /// `12: (79) r1 = *(u64 *)(r0 +0)`
    Instruction(u32),
    /// `; val->count++`
    Annotation(&'a str),
    /// Registers, branches, statistics: what was known, not what was wrong.
    Noise,
    /// Anything else.
    Verdict(&'a str),
}

impl VerifierLog {
    /// Reads a log as the kernel wrote it.
    pub fn parse(text: &str) -> VerifierLog {
        let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
        let mut log = VerifierLog { line_count: lines.len(), ..VerifierLog::default() };
        let mut rest = lines.iter().rev().map(|line| classify(line)).peekable();
        let mut closed = false;
        for line in rest.by_ref() {
            match line {
                Line::Verdict(text) if !closed => log.verdict.push(text.to_owned()),
                Line::Instruction(insn) if log.insn.is_none() => {
                    log.insn = Some(insn);
                    closed = true;
                }
                Line::Annotation(text) => {
                    log.annotation = Some(text.to_owned());
                    // A log without instructions (level 1 of a program that fails before any) has none either.
                    break;
                }
                _ => {}
            }
        }
        log.verdict.reverse();
        log.insn = log.verdict.iter().find_map(|line| named_insn(line)).or(log.insn);
        log
    }
}

fn classify(line: &str) -> Line<'_> {
    let line = line.trim_end();
    if let Some(text) = line.strip_prefix("; ") {
        return Line::Annotation(text);
    }
    let numbered = line.split_once(": ").and_then(|(number, rest)| Some((number.parse().ok()?, rest)));
    if let Some((insn, rest)) = numbered {
        return if is_instruction(rest) { Line::Instruction(insn) } else { Line::Noise };
    }
    if is_noise(line) { Line::Noise } else { Line::Verdict(line.trim()) }
}

/// `(79) r1 = …`
fn is_instruction(text: &str) -> bool {
    let Some((code, _)) = text.strip_prefix('(').and_then(|text| text.split_once(')')) else { return false };
    code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn is_noise(line: &str) -> bool {
    const STARTS: [&str; 26] = [
        "processed ",
        "verification time ",
        "stack depth ",
        "from ",
        "frame",
        "caller",
        "callee",
        "returning from callee",
        "to caller at",
        "regs=",
        "mark_precise",
        "last_idx",
        "parent ",
        "propagating ",
        "func#",
        "Func#",
        "Validating ",
        "cur state:",
        "old state:",
        "reg type unsupported for arg#",
        "arg#",
        "max_states_per_insn",
        "safe",
        "; ",
        "live regs",
        "Live regs",
    ];
    let line = line.trim_start();
    STARTS.iter().any(|start| line.starts_with(start)) || is_registers(line)
}

/// `R0=map_value(id=0,off=0) R10=fp0`, `R1_w=inv0`
fn is_registers(line: &str) -> bool {
    let Some(rest) = line.strip_prefix('R').or_else(|| line.strip_prefix("fp-")) else { return false };
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let state = rest.get(digits..).unwrap_or_default();
    digits > 0 && (state.starts_with('=') || state.starts_with("_") && state.contains('='))
}

/// `unreachable insn 5`, `infinite loop detected at insn 7`, `back-edge from insn 9 to 3`
fn named_insn(line: &str) -> Option<u32> {
    if !["unreachable insn", "infinite loop", "back-edge", "jump out of range"].iter().any(|start| line.contains(start))
    {
        return None;
    }
    let (_, rest) = line.split_once("insn ")?;
    rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_verdict_is_what_is_left_at_the_end() {
        let log = VerifierLog::parse(
            "func#0 @0\n0: R1=ctx() R10=fp0\n; int f(void *ctx) @ a.lua:3\n0: (b7) r1 = 0 ; R1_w=0\n\
             ; val->count++; @ a.lua:22\n12: (79) r1 = *(u64 *)(r0 +0)\n\
             R0 invalid mem access 'map_value_or_null'\nprocessed 12 insns (limit 1000000) peak_states 0\n",
        );
        assert_eq!(log.verdict, ["R0 invalid mem access 'map_value_or_null'"]);
        assert_eq!((log.insn, log.line_count), (Some(12), 8));
        assert_eq!(log.annotation.as_deref(), Some("val->count++; @ a.lua:22"));
    }

    #[test]
    fn states_after_the_verdict_are_no_part_of_it() {
        let log = VerifierLog::parse(
            "5: (05) goto pc-3\ninfinite loop detected at insn 3\ncur state: R0=1 R10=fp0\nold state: R0=1 R10=fp0\n\
             processed 9 insns (limit 1000000)\n",
        );
        assert_eq!(log.verdict, ["infinite loop detected at insn 3"]);
        assert_eq!(log.insn, Some(3));
    }

    #[test]
    fn registers_of_all_kernels_are_noise() {
        for line in ["R0=inv(id=0) R1=ctx(id=0,off=0,imm=0)", " R0_w=map_value_or_null(id=1)", "fp-8=mmmm????"] {
            assert_eq!(classify(line), Line::Noise, "{line}");
        }
        for line in ["R0 !read_ok", "R1 type=scalar expected=fp", "R0 invalid mem access 'inv'"] {
            assert_eq!(classify(line), Line::Verdict(line));
        }
    }

    #[test]
    fn empty_logs_have_no_verdict() {
        assert_eq!(VerifierLog::parse(""), VerifierLog::default());
    }
}
