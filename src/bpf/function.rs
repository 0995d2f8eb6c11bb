// SPDX-License-Identifier: Apache-2.0
//! The user's functions in an object: several ELF programs (`f`, `f.fentry`, …) that are one function to the user.

use super::prog_type::AttachType;
use super::program::{LoadAs, Typed};
use super::sys::object::RawProgram;

/// Names that start so are the compiler's own.
pub(super) const INTERNAL_PREFIX: &str = "__bpflua_";

/// What a function was written for, from its ELF section and its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FunctionKind {
    /// A dialect probe on `struct pt_regs *`: kprobe, kretprobe, uprobe or uretprobe, decided when it is attached.
    Probe,
    /// A tracepoint; the target (`category:event`) when the section says it.
    Tracepoint(Option<String>),
    /// A raw tracepoint; the event when the section says it.
    RawTracepoint(Option<String>),
    /// `fentry`, `fexit`, `fmod_ret`, `lsm`, `tp_btf` and the like; the target when the section says it.
    Tracing(Option<String>),
    /// An iterator; what it goes through when the section says it.
    Iter(Option<String>),
    /// A perf event program.
    PerfEvent,
    /// Any other section.
    Other,
}

impl FunctionKind {
    /// From a section such as `tracepoint/syscalls/sys_enter_openat`.
    pub fn of_section(section: &str) -> FunctionKind {
        let section = section.trim_start_matches('?');
        let (word, target) = match section.split_once('/') {
            Some((word, target)) => (word, Some(target)),
            None => (section, None),
        };
        let owned = target.map(str::to_owned);
        match word.strip_suffix(".s").unwrap_or(word) {
            "kprobe" | "kretprobe" | "uprobe" | "uretprobe" | "ksyscall" | "kretsyscall" | "usdt" => {
                FunctionKind::Probe
            }
            "kprobe.multi" | "kretprobe.multi" | "kprobe.session" => FunctionKind::Probe,
            "uprobe.multi" | "uretprobe.multi" | "uprobe.session" => FunctionKind::Probe,
            "tracepoint" | "tp" => FunctionKind::Tracepoint(target.map(|target| target.replacen('/', ":", 1))),
            "raw_tracepoint" | "raw_tp" | "raw_tracepoint.w" | "raw_tp.w" => FunctionKind::RawTracepoint(owned),
            "fentry" | "fexit" | "fmod_ret" | "fsession" | "lsm" | "tp_btf" => FunctionKind::Tracing(owned),
            "iter" => FunctionKind::Iter(owned),
            "perf_event" => FunctionKind::PerfEvent,
            _ => FunctionKind::Other,
        }
    }
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
    const SUFFIXED: [Variant; 5] =
        [Variant::Uprobe, Variant::Fentry, Variant::Fexit, Variant::SysEnter, Variant::SysExit];

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
        Self::SUFFIXED
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
    /// `BPF_PROG_TYPE_*` of its section; 0 when that says nothing.
    pub prog_type: u32,
    /// The attach type of its section.
    pub attach_type: u32,
    /// The variants that the object has, in order.
    pub variants: Vec<Variant>,
    /// Whether it is attached to what its section names without being told: not with a section that begins with `?`.
    pub autoload: bool,
}

impl Function {
    /// Whether the object has this variant.
    pub fn has(&self, variant: Variant) -> bool {
        self.variants.contains(&variant)
    }

    /// Whether it is loaded for a program of its attachment's only: it takes the place of a function there.
    pub fn needs_program(&self) -> bool {
        self.prog_type == libbpf_sys::BPF_PROG_TYPE_EXT
    }

    /// The ELF symbol of a variant.
    pub fn symbol(&self, variant: Variant) -> String {
        format!("{}{}", self.name, variant.suffix())
    }

    /// "As its section says" in the words of an attachment, so that loading and then attaching loads once.
    pub(super) fn canonical(&self, load_as: &LoadAs) -> LoadAs {
        match (&self.untyped(load_as), &self.kind) {
            (LoadAs::Section, FunctionKind::Tracepoint(_)) => LoadAs::Tracepoint,
            (LoadAs::Section, FunctionKind::RawTracepoint(_)) if !self.section.contains(".w") => LoadAs::RawTracepoint,
            (LoadAs::Section, FunctionKind::Probe) if !self.is_for_many() => LoadAs::Kprobe,
            // What may write its argument is a kind of its own, attached in the same way.
            (LoadAs::RawTracepoint, _) if self.section.contains(".w") => LoadAs::Section,
            (LoadAs::Tracing(target), FunctionKind::Tracing(Some(own))) if target == own => LoadAs::Section,
            (LoadAs::Uprobe, _) if !self.has(Variant::Uprobe) => LoadAs::Kprobe,
            (other, _) => other.clone(),
        }
    }

    /// Whether its section is of a kind that links attach to many places.
    fn is_for_many(&self) -> bool {
        let word = self.section.split('/').next().unwrap_or_default();
        word.contains(".multi") || word.contains(".session")
    }

    /// A type that says no more than the section or an attachment does, in their words.
    fn untyped(&self, load_as: &LoadAs) -> LoadAs {
        match load_as {
            LoadAs::Typed(typed @ Typed { prog, attach, device }) => match prog.0 {
                libbpf_sys::BPF_PROG_TYPE_KPROBE => LoadAs::Kprobe,
                libbpf_sys::BPF_PROG_TYPE_TRACEPOINT => LoadAs::Tracepoint,
                libbpf_sys::BPF_PROG_TYPE_RAW_TRACEPOINT => LoadAs::RawTracepoint,
                same if same == self.prog_type
                    && attach.is_none_or(|attach| attach.0 == self.attach_type)
                    && *device == 0 =>
                {
                    LoadAs::Section
                }
                _ => LoadAs::Typed(Typed { attach: Some(self.attachment(typed)), ..*typed }),
            },
            other => other.clone(),
        }
    }

    /// The attachment that a program of a type is for: the one named, else the section's, else the only one of the type.
    fn attachment(&self, typed: &Typed) -> AttachType {
        typed.attach.unwrap_or_else(|| match typed.prog.0 {
            same if same == self.prog_type => AttachType(self.attach_type),
            _ => typed.prog.only_attachment(),
        })
    }

    /// Folds the programs of an object into the functions that the user wrote, in the order of the ELF.
    pub(super) fn fold(programs: &[RawProgram]) -> Vec<Function> {
        let mut functions: Vec<Function> = Vec::new();
        for program in programs {
            let (name, variant) = Variant::split(&program.symbol);
            if name.starts_with(INTERNAL_PREFIX) {
                continue;
            }
            let at = functions.iter().position(|function| function.name == name).unwrap_or_else(|| {
                functions.push(Function {
                    name: name.to_owned(),
                    section: program.section.clone(),
                    kind: FunctionKind::of_section(&program.section),
                    prog_type: program.prog_type,
                    attach_type: program.expected_attach_type,
                    variants: Vec::new(),
                    autoload: program.autoload,
                });
                functions.len() - 1
            });
            let function = &mut functions[at];
            function.variants.push(variant);
            function.variants.sort_unstable();
            if variant == Variant::Plain {
                function.section.clone_from(&program.section);
                function.kind = FunctionKind::of_section(&program.section);
                (function.prog_type, function.attach_type) = (program.prog_type, program.expected_attach_type);
            }
        }
        functions
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(symbol: &str, section: &str) -> RawProgram {
        RawProgram { symbol: symbol.to_owned(), section: section.to_owned(), ..RawProgram::default() }
    }

    #[test]
    fn variants_fold_into_one_function() {
        let functions = Function::fold(&[
            program("f.fentry", "fentry"),
            program("f", "kprobe"),
            program("f.sys_enter", "raw_tracepoint"),
            program("__bpflua_x", "kprobe"),
            program("tracepoint__syscalls__sys_enter_openat", "tracepoint/syscalls/sys_enter_openat"),
        ]);
        assert_eq!(functions.len(), 2);
        assert_eq!((functions[0].name.as_str(), functions[0].section.as_str()), ("f", "kprobe"));
        assert_eq!(functions[0].variants, [Variant::Plain, Variant::Fentry, Variant::SysEnter]);
        assert!(functions[0].has(Variant::Fentry) && !functions[0].has(Variant::Fexit));
        let tracepoint = FunctionKind::Tracepoint(Some("syscalls:sys_enter_openat".to_owned()));
        assert_eq!(functions[1].kind, tracepoint);
    }

    #[test]
    fn sections_say_the_kind() {
        let kinds = [
            ("kprobe", FunctionKind::Probe),
            ("?uprobe.s//bin/bash:readline", FunctionKind::Probe),
            ("tp/sched/sched_switch", FunctionKind::Tracepoint(Some("sched:sched_switch".to_owned()))),
            ("raw_tp/sys_enter", FunctionKind::RawTracepoint(Some("sys_enter".to_owned()))),
            ("fentry.s/vfs_read", FunctionKind::Tracing(Some("vfs_read".to_owned()))),
            ("xdp", FunctionKind::Other),
        ];
        for (section, kind) in kinds {
            assert_eq!(FunctionKind::of_section(section), kind, "{section}");
        }
    }
}
