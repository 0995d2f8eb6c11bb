// SPDX-License-Identifier: Apache-2.0
//! What an entry of a pack says of itself: its summary, the parameters it takes, the outputs it has, what it needs.
//!
//! All of it is data: help, completion, checks of values, text, JSON and CSV are made of it without running the entry.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A command that a pack gives.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Entry {
    /// One line that says what it does.
    pub summary: String,
    /// Further paragraphs for `--help`.
    pub description: String,
    /// What it is given: options, flags and positional arguments.
    pub parameters: Vec<Parameter>,
    /// The columns of its output, when it has one.
    pub columns: Vec<Column>,
    /// Several outputs, by name.
    pub outputs: BTreeMap<String, Output>,
    /// Command lines with what they do, for `--help`.
    pub examples: Vec<Example>,
    /// What it needs of the kernel and asks of the host.
    pub requires: Requires,
}

/// A command line, without the command's own name in front, and what it does.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// The arguments, as typed.
    pub run: String,
    /// What they do.
    pub help: String,
}

/// What a value of a parameter is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Given or not; takes no value.
    Flag,
    /// A whole number; `0x` is understood.
    Integer,
    /// Any number.
    Number,
    /// Any text.
    #[default]
    String,
    /// A time: `5`, `0.5`, `100ms`, `2m`; a number of seconds to the script.
    Duration,
    /// An amount of memory: `4096`, `64K`, `1M`, `2G`; a number of bytes to the script.
    Size,
    /// The number of a process or thread.
    Pid,
    /// The name of a file, as typed.
    Path,
    /// One of a list of words.
    Choice,
}

impl Kind {
    /// Whether a range applies to it.
    pub fn is_number(self) -> bool {
        matches!(self, Kind::Integer | Kind::Number | Kind::Duration | Kind::Size | Kind::Pid)
    }
}

/// A value written in a manifest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// `true` or `false`.
    Flag(bool),
    /// A whole number.
    Integer(i64),
    /// Any number.
    Number(f64),
    /// A text, also of those kinds that are written with a unit.
    Text(String),
}

/// Something that an entry is given.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// What the script knows it by: a Lua name.
    pub name: String,
    /// `-p --pid`; by default `--NAME` with hyphens. None for a positional argument.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flags: Option<String>,
    /// What its values are.
    #[serde(default, rename = "type")]
    pub kind: Kind,
    /// Given by its place, not by a flag.
    #[serde(default)]
    pub positional: bool,
    /// Takes as many values as there are; a list to the script.
    #[serde(default)]
    pub many: bool,
    /// Has to be given.
    #[serde(default)]
    pub required: bool,
    /// What it is when it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
    /// The least and the greatest number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<(f64, f64)>,
    /// The words of a choice.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<String>,
    /// What it stands for in the usage: `PID`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metavar: Option<String>,
    /// What it does, in a few words.
    #[serde(default)]
    pub help: String,
}

/// A column of an output.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// The key of JSON, the heading of CSV, the field of the script's row.
    pub name: String,
    /// The heading of the text; by default the name in capitals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Characters; by default as many as the title has, and at least 6.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<u16>,
    /// Aligned to the right; by default numbers are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub right: Option<bool>,
    /// What is longer than the width is cut, with a `~`.
    #[serde(default)]
    pub cut: bool,
    /// What its values are: `integer`, `number`, `string`, `boolean`.
    #[serde(default, rename = "type")]
    pub kind: ColumnKind,
    /// Decimals of a number in text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decimals: Option<u8>,
    /// `s`, `ms`, `us`, `ns`, `bytes`, …: for those who read the data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Shown only when this parameter is given; `!NAME`: when it is not; `--json`: with that option of all tools. Several,
    /// apart by spaces: when all of that is so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
}

/// What the values of a column are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ColumnKind {
    /// Any text.
    #[default]
    String,
    /// A whole number.
    Integer,
    /// Any number.
    Number,
    /// True or false.
    Boolean,
}

/// One of several outputs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Output {
    /// What it shows.
    pub help: String,
    /// Its columns.
    pub columns: Vec<Column>,
}

/// What an entry, or all of a pack, needs and asks for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Requires {
    /// What the kernel must have, in the words of `bpflua doctor`: `ringbuf`, `btf`, `kprobe`, `fentry`, …
    pub features: Vec<String>,
    /// The capabilities that its process has to have: `CAP_BPF`, `CAP_PERFMON`, `CAP_NET_ADMIN`, …
    pub capabilities: Vec<String>,
    /// What it may attach to, as patterns with `*`: `tracepoint:sched:*`, `kprobe:vfs_read`.
    pub attach: Vec<String>,
    /// The helpers it may call of those that change what others do: `bpf_probe_write_user`, `bpf_send_signal`, …
    pub helpers: Vec<String>,
    /// What its Lua code may use beyond the usual: `ffi`, `io.popen`, `os.execute`, `debug`, `require`, …
    pub lua: Vec<String>,
}
