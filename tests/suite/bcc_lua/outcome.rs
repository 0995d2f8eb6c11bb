// SPDX-License-Identifier: Apache-2.0
//! What came of one run of a script.

use regex::Regex;

/// What came of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It printed this of the work that it was given.
    Seen(String),
    /// It did not, and why.
    Not(String),
    /// Another program had shown nothing when its time was over.
    Unknown(String),
}

impl Outcome {
    pub fn not(why: impl Into<String>) -> Outcome {
        Outcome::Not(why.into())
    }
}

/// Why a script ended, in one line of its error output.
pub fn reason(stderr: &str, status: Option<i32>) -> String {
    let first = |pattern: &str| {
        let found = Regex::new(pattern).unwrap().captures(stderr)?;
        Some(found[1].trim().to_owned())
    };
    // A compiler's word on the text; bpflua's own headline; what Lua or another host says.
    let said = first(r"(?m)^  --> \S+?:\d+:\d+: (.*)$")
        .or_else(|| first(r"(?m)^\S+?:\d+:\d+: (?:fatal )?error: (.*)$"))
        .or_else(|| first(r"(?m)^error: (.*)$"))
        .or_else(|| first(r"(?m)^\[ERROR\] (.*)$"))
        .or_else(|| stderr.lines().rfind(|line| !line.is_empty() && !line.starts_with([' ', '\t'])).map(str::to_owned));
    said.unwrap_or_else(|| format!("it says nothing, and ends with status {status:?}"))
}

#[test]
fn reasons_are_one_line() {
    let bpflua = "error: C text of `x.lua` does not compile: 1 error\n  --> x.lua:95:29: no member `a`\n 94 | x\n";
    assert_eq!(reason(bpflua, Some(1)), "no member `a`");
    assert_eq!(
        reason("error: cannot attach: no kprobes (ENOENT)\n  --> x.lua:3\n", None),
        "cannot attach: no kprobes (ENOENT)"
    );
    let bcc =
        "/virtual/main.c:1:2: warning: w\n/virtual/main.c:3:4: error: no member\n1 error generated.\n[ERROR] bpf\n";
    assert_eq!(reason(bcc, Some(0)), "no member");
    assert_eq!(reason("cannot attach\n[ERROR] bcc.lua:9: failed\nstack traceback:\n", Some(0)), "bcc.lua:9: failed");
    let warning = "warning: `a` is not used\n  --> x.lua:4:2\n  4 |  a\n    |  ^\n";
    assert_eq!(reason(warning, None), "warning: `a` is not used");
    assert_eq!(reason("\n", Some(0)), "it says nothing, and ends with status Some(0)");
}
