// SPDX-License-Identifier: Apache-2.0
//! A line of trace_pipe, taken apart as bcc's `trace_fields` does.
//!
//! ```text
//!            <...>-1234    [001] d..31   257.019243: bpf_trace_printk: hello
//! TASK, 16 wide    PID      CPU  FLAGS   TIME        SYMBOL            MESSAGE
//! CPU:1 [LOST 123 EVENTS]
//! ```
//!
//! Differences to bcc, on lines that it skips: the options `record-tgid` (a group id in parentheses behind the pid) and
//! `noirq-info` (no flags) are understood, and so is a task name longer than 16 bytes.

/// What a line of trace_pipe is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TraceLine<'a> {
    /// An event.
    Event(TraceFields<'a>),
    /// The kernel dropped events.
    Lost(u64),
    /// Empty (what a `\n` at the end of a message leaves), or a remark of the kernel.
    Remark,
    /// None of these; for example the second line of a message with a newline inside.
    Malformed,
}

/// The fields of an event's line.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TraceFields<'a> {
    /// The task's name; any bytes but a newline.
    pub task: &'a [u8],
    /// The thread's id.
    pub pid: i32,
    /// The CPU it ran on.
    pub cpu: i32,
    /// Interrupts, preemption and so on, one letter each.
    pub flags: &'a [u8],
    /// Seconds since boot, of the clock that tracefs is set to.
    pub ts: f64,
    /// What follows the symbol, `bpf_trace_printk: ` mostly.
    pub msg: &'a [u8],
}

/// The width of the task's name; a shorter one has spaces in front.
const TASK_WIDTH: usize = 16;

/// Takes a line apart; `line` without or with its newline.
pub fn parse(line: &[u8]) -> TraceLine<'_> {
    let line = line.trim_ascii_end();
    // A task's name is at most 15 bytes, so a line with one starts with a space.
    if line.is_empty() || line.starts_with(b"#") {
        return TraceLine::Remark;
    }
    if let Some(rest) = line.strip_prefix(b"CPU:") {
        return parse_lost(rest);
    }
    match parse_event(line) {
        Some(fields) => TraceLine::Event(fields),
        None => TraceLine::Malformed,
    }
}

/// `1 [LOST 123 EVENTS]`; the count may be missing.
fn parse_lost(rest: &[u8]) -> TraceLine<'_> {
    let mut words = rest.split(|&byte| byte == b' ');
    let count = words.find(|word| *word == b"[LOST").and_then(|_| words.next()).and_then(number);
    count.map_or(TraceLine::Remark, TraceLine::Lost)
}

fn parse_event(line: &[u8]) -> Option<TraceFields<'_>> {
    // A name may hold anything, also dashes and what looks like the rest of a line: the column decides, if it can.
    if line.get(TASK_WIDTH) == Some(&b'-')
        && let Some(fields) = parse_after_task(&line[..TASK_WIDTH], &line[TASK_WIDTH + 1..])
    {
        return Some(fields);
    }
    let dashes = line.iter().enumerate().filter(|(_, byte)| **byte == b'-');
    dashes.map(|(at, _)| at).find_map(|at| parse_after_task(&line[..at], &line[at + 1..]))
}

/// `1234    [001] d..31   257.019243: bpf_trace_printk: hello`
fn parse_after_task<'a>(task: &'a [u8], rest: &'a [u8]) -> Option<TraceFields<'a>> {
    let (pid, rest) = word(rest)?;
    let pid = number(pid)?;
    let rest = skip_group_id(rest.trim_ascii_start());
    let (cpu, rest) = word(rest)?;
    let cpu = number(cpu.strip_prefix(b"[")?.strip_suffix(b"]")?)?;
    let (mut flags, mut after) = word(rest)?;
    if flags.ends_with(b":") {
        (flags, after) = (&[], rest);
    }
    let (ts, rest) = word(after)?;
    let ts = seconds(ts.strip_suffix(b":")?)?;
    Some(TraceFields {
        task: task.trim_ascii_start(),
        pid: i32::try_from(pid).ok()?,
        cpu: i32::try_from(cpu).ok()?,
        flags,
        ts,
        msg: after_symbol(rest),
    })
}

/// `(   1234) ` or `(-------) `, if it is there.
fn skip_group_id(rest: &[u8]) -> &[u8] {
    match rest.iter().position(|&byte| byte == b')') {
        Some(end) if rest.starts_with(b"(") => rest[end + 1..].trim_ascii_start(),
        _ => rest,
    }
}

/// What follows `SYMBOL: `; all of it when there is no colon. Kernels before 4.13 print an empty symbol.
fn after_symbol(rest: &[u8]) -> &[u8] {
    let message = match rest.iter().position(|&byte| byte == b':') {
        Some(colon) => &rest[colon + 1..],
        None => rest,
    };
    message.strip_prefix(b" ").unwrap_or(message)
}

/// The first word and what follows it, without the spaces between.
fn word(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let text = text.trim_ascii_start();
    let end = text.iter().position(u8::is_ascii_whitespace).unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

/// `257.019243`, or a plain count from a clock that is none.
fn seconds(digits: &[u8]) -> Option<f64> {
    let plain = digits.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.');
    std::str::from_utf8(digits).ok().filter(|_| plain)?.parse().ok()
}

fn number(digits: &[u8]) -> Option<u64> {
    let plain = digits.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(digits).ok().filter(|_| plain)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Captured on Linux 6.18: odd messages, then the options record-tgid, noirq-info and the counter clock, a line
    /// about losses, then odd task names.
    const CAPTURED: &[u8] = include_bytes!("../../tests/fixtures/events/trace_pipe.txt");

    fn shown(line: TraceLine<'_>) -> String {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        match line {
            TraceLine::Event(f) => {
                format!("{}|{}|{}|{}|{:.6}|{}", text(f.task), f.pid, f.cpu, text(f.flags), f.ts, text(f.msg))
            }
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn captured_lines() {
        let shown: Vec<String> = CAPTURED.split_inclusive(|&byte| byte == b'\n').map(|l| shown(parse(l))).collect();
        let wanted = [
            "python3|32188|1|...2.|3054.788580|plain message",
            "python3|32188|1|...2.|3054.788620|with newline",
            "Remark",
            "python3|32188|1|...2.|3054.788627|two",
            "Malformed",
            "python3|32188|1|...2.|3054.788632|a: b [001] x-12 [001] d..1 5.0: q: 7",
            "python3|32188|1|...2.|3054.788635|",
            "python3|32188|1|...2.|3054.788638|  trailing",
            "python3|32326|0|...2.|3056.832036|plain message",
            "python3|32427|1||3058.916030|plain message",
            "python3|32519|0|...2.|4.000000|plain message",
            "Lost(2794)",
            "python3|32683|0|...2.|3062.423277|plain message",
            "a b c|1158|0|...2.|3085.259257|plain message",
            "x-12|1159|0|...2.|3085.271514|plain message",
            "paren(1)|1160|0|...2.|3085.283613|plain message",
            "br[001]|1161|0|...2.|3085.295690|plain message",
            "lead|1162|0|...2.|3085.307809|plain message",
            "a-1 [000] d..1|1163|0|...2.|3085.319921|plain message",
            "fifteen-chars-x|1164|0|...2.|3085.332053|plain message",
            "kw/0:1-ev_12|1165|0|...2.|3085.344172|plain message",
            "Malformed",
            "name|1166|0|...2.|3085.356430|plain message",
            "tail  |1167|0|...2.|3085.368530|plain message",
            "-|1168|0|...2.|3085.380639|plain message",
            "\u{fffd}\u{e9}|1169|0|...2.|3085.392741|plain message",
            "CPU:1|1170|0|...2.|3085.405128|plain message",
            "#x|1171|0|...2.|3085.417323|plain message",
            "a:b|1172|0|...2.|3085.429465|plain message",
            "|1173|0|...2.|3085.441624|plain message",
        ];
        assert_eq!(shown, wanted);
    }

    #[test]
    fn made_up_lines() {
        let cases: [(&[u8], &str); 16] = [
            (b"", "Remark"),
            (b"\n", "Remark"),
            (b"# tracer: nop", "Remark"),
            (b"##### CPU 1 buffer started ####", "Remark"),
            (b"CPU:0 [LOST EVENTS]", "Remark"),
            (b"CPU:12 [LOST 7 EVENTS]\n", "Lost(7)"),
            (b"garbage", "Malformed"),
            (b" => do_syscall_64", "Malformed"),
            (b"            bash-12x   [000] ...1 1.5: f: m", "Malformed"),
            (b"            bash-99999999999 [000] ...1 1.5: f: m", "Malformed"),
            (b"            bash-12    [000] ...1 inf: f: m", "Malformed"),
            (b"            bash-12    [000]", "Malformed"),
            // Kernels before 4.13 print no symbol; four flags before 5.16.
            (b"            bash-12    [003] d..2 1.5: : m: n", "bash|12|3|d..2|1.500000|m: n"),
            (b"            bash-12    (-------) [003] d..2 1.5: f: m", "bash|12|3|d..2|1.500000|m"),
            (b" a name longer than 16-12 [003] d..2 1.5: f: m", "a name longer than 16|12|3|d..2|1.500000|m"),
            (b"            bash-12    [003] d..2 1.5: nosymbol", "bash|12|3|d..2|1.500000|nosymbol"),
        ];
        for (line, wanted) in cases {
            assert_eq!(shown(parse(line)), wanted, "{}", String::from_utf8_lossy(line));
        }
    }
}
