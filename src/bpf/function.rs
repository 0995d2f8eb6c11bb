// SPDX-License-Identifier: Apache-2.0
//! The user's functions in an object: several ELF programs (`f`, `f.fentry`, …) that are one function to the user.

/// What a function was written for, from its ELF section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FunctionKind {
    /// A dialect probe on `struct pt_regs *`: kprobe, kretprobe, uprobe or uretprobe, decided when it is attached.
    Probe,
    /// A tracepoint; the target (`category:event`) when the function's name or section says it.
    Tracepoint(Option<String>),
    /// A raw tracepoint; the event when the function's name or section says it.
    RawTracepoint(Option<String>),
    /// `fentry`, `fexit`, `fmod_ret`, `lsm`, `tp_btf` and the like, written by the user with its section.
    Tracing(String),
    /// A perf event program.
    PerfEvent,
    /// Any other section, by its name.
    Other(String),
}

/// One of the programs that the compiler makes of a dialect probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Variant {
    /// `f`: arguments from `pt_regs`, implicit reads of kernel memory.
    Plain,
    /// `f.uprobe`: implicit reads of user memory. Absent when `f` has none.
    Uprobe,
    /// `f.fentry`: arguments from the fentry context.
    Fentry,
    /// `f.fexit`: the same at the function's return.
    Fexit,
    /// `f.sys_enter`: guarded by a system call number, attached to the raw tracepoint `sys_enter`.
    SysEnter,
    /// `f.sys_exit`: the same for `sys_exit`.
    SysExit,
}

impl Variant {
    /// What is appended to the function's name in the ELF.
    pub fn suffix(self) -> &'static str {
        match self {
            Variant::Plain => "",
            Variant::Uprobe => ".uprobe",
            Variant::Fentry => ".fentry",
            Variant::Fexit => ".fexit",
            Variant::SysEnter => ".sys_enter",
            Variant::SysExit => ".sys_exit",
        }
    }

    /// Splits an ELF program name into the user's function name and the variant.
    pub fn split(symbol: &str) -> (&str, Variant) {
        [Variant::Uprobe, Variant::Fentry, Variant::Fexit, Variant::SysEnter, Variant::SysExit]
            .into_iter()
            .find_map(|variant| Some((symbol.strip_suffix(variant.suffix())?, variant)))
            .unwrap_or((symbol, Variant::Plain))
    }
}

/// A function of the user's C text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    /// Its name in the C text.
    pub name: String,
    /// The ELF section of its plain variant.
    pub section: String,
    /// What it was written for.
    pub kind: FunctionKind,
    /// The variants that the object has, in order.
    pub variants: Vec<Variant>,
}

impl Function {
    /// Whether the object has this variant.
    pub fn has(&self, variant: Variant) -> bool {
        self.variants.contains(&variant)
    }
}
