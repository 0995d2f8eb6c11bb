// SPDX-License-Identifier: Apache-2.0
//! The closure as C text, each definition after those it needs.

use std::collections::HashSet;

use super::absent::Absent;
use super::closure::{Closure, Level};
use super::declarator::Place;
use super::naming::{Naming, Space};
use crate::kernel::btf::{Type, TypeId};

/// Depth of types in types after which data is taken to be damaged; real ones stay below fifty.
const MAX_DEPTH: u32 = 100;

/// Contexts of BPF programs. Their layout is ABI, and the verifier wants each access at a constant offset from the
/// context itself, which relocated accesses are not always: they carry no relocations.
const CONTEXTS: [&str; 12] = [
    "__sk_buff",
    "xdp_md",
    "bpf_sock",
    "bpf_sock_ops",
    "bpf_sock_addr",
    "bpf_sk_lookup",
    "sk_msg_md",
    "sk_reuseport_md",
    "bpf_sysctl",
    "bpf_sockopt",
    "bpf_perf_event_data",
    "bpf_raw_tracepoint_args",
];

const PUSH: &str = "#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)\n";
const POP: &str = "#pragma clang attribute pop\n";

/// Collects the text.
pub(super) struct Writer<'a> {
    pub(super) closure: &'a Closure<'a>,
    pub(super) naming: Naming,
    /// What is defined; also typedefs.
    pub(super) done: HashSet<TypeId>,
    /// What is being defined, outermost first.
    open: Vec<TypeId>,
    declared_ahead: HashSet<String>,
    /// Enums and forward declarations.
    pub(super) head: String,
    records: String,
    /// The records written last stand inside the region of `preserve_access_index`.
    relocates: bool,
    tail: String,
    /// Names that are macros by now, hidden around the declarations.
    hidden: Vec<String>,
    pub(super) pads: u32,
    depth: u32,
    /// Declarations that may still be written: damaged data can make types that contain themselves many times over.
    fuel: u32,
    /// Structs and unions with a C name, in the order they were written.
    pub(super) written: Vec<(TypeId, String)>,
}

impl<'a> Writer<'a> {
    pub(super) fn new(closure: &'a Closure<'a>) -> Writer<'a> {
        Writer {
            closure,
            naming: Naming::default(),
            done: HashSet::new(),
            open: Vec::new(),
            declared_ahead: HashSet::new(),
            head: String::new(),
            records: String::new(),
            relocates: false,
            tail: String::new(),
            hidden: Vec::new(),
            pads: 0,
            depth: 0,
            fuel: 10_000 + 20 * closure.btf.type_count(),
            written: Vec::new(),
        }
    }

    /// Writes everything.
    pub(super) fn write(&mut self) -> String {
        // The text means the first type of a name, so that one gets the name before others ask.
        for id in &self.closure.roots {
            self.settle_name(*id);
        }
        for id in &self.closure.roots {
            self.write_root(*id);
        }
        // What only pointers lead to.
        for id in &self.closure.order {
            if !self.closure.btf.name_of(*id).is_empty() {
                self.define(*id);
            }
        }
        for id in &self.closure.kfuncs {
            self.declare_kfunc(*id);
        }
        self.assemble()
    }

    /// Weak, so that the text can ask whether the kernel at hand has it.
    fn declare_kfunc(&mut self, id: TypeId) {
        let Type::Func(func) = self.closure.btf.type_by_id(id) else { return };
        let text = self.declare(func.proto_id, func.name.to_owned(), Place { weak: true, ..Place::member(0, true) });
        self.tail += &format!("extern {text} __attribute__((weak, section(\".ksyms\")));\n");
    }

    fn assemble(&self) -> String {
        let mut text = self.closure.absent.map(Absent::head).unwrap_or_default();
        for name in &self.hidden {
            text += &format!("#pragma push_macro(\"{name}\")\n#undef {name}\n");
        }
        text += &self.head;
        text += &self.records;
        text += if self.relocates { POP } else { "" };
        text += &self.tail;
        for name in &self.hidden {
            text += &format!("#pragma pop_macro(\"{name}\")\n");
        }
        text
    }

    fn settle_name(&mut self, id: TypeId) {
        let name = self.closure.btf.name_of(id);
        if name.is_empty() {
            return;
        }
        let space = match self.closure.btf.type_by_id(id) {
            Type::Typedef { .. } => Space::Names,
            _ => Space::Tags,
        };
        self.naming.name(space, id, name, self.closure.own);
    }

    fn write_root(&mut self, id: TypeId) {
        match self.closure.btf.type_by_id(id) {
            Type::Struct(composite) | Type::Union(composite) if !composite.name.is_empty() => self.define(id),
            Type::Enum(e) => {
                self.enum_name(e);
            }
            Type::Typedef { .. } if self.closure.everything => {
                self.typedef_name(id);
            }
            Type::Typedef { name, to } => self.root_typedef(id, name, to),
            _ => {}
        }
    }

    /// A typedef that the text names, in terms of what is behind it.
    fn root_typedef(&mut self, id: TypeId, name: &str, to: TypeId) {
        if self.unnamed_target(to).is_some() {
            let first = self.typedef_of_unnamed(id, self.closure.btf.resolve(to));
            if first != name && self.done.insert(id) {
                self.tail += &format!("typedef {first} {name};\n");
            }
        } else if self.done.insert(id) {
            let text = self.declare(to, name.to_owned(), Place::member(0, true));
            self.note_name(name);
            self.tail += &format!("typedef {text};\n");
        }
    }

    /// The typedef that names an anonymous struct, union or enum: the first one that is asked for.
    pub(super) fn typedef_of_unnamed(&mut self, id: TypeId, target: TypeId) -> String {
        let kernel_name = self.closure.btf.name_of(id);
        if self.closure.prelude.names.contains(kernel_name) && !self.done.contains(&target) {
            return kernel_name.to_owned();
        }
        if let Some(name) = self.naming.unnamed.get(&target) {
            return name.clone();
        }
        let name = self.naming.name(Space::Names, id, kernel_name, self.closure.own).to_owned();
        self.naming.unnamed.insert(target, name.clone());
        self.note_name(&name);
        match self.closure.btf.type_by_id(target) {
            Type::Enum(e) => {
                let base = self.enum_name(e);
                self.head += &format!("typedef {base} {name};\n");
            }
            Type::Struct(composite) | Type::Union(composite) => {
                self.open.push(target);
                let keyword = if composite.is_union { "union" } else { "struct" };
                let base = self.anonymous_body(target, keyword, Place::member(0, false));
                self.open.pop();
                self.add_record(&format!("typedef {base} {name};\n"), true);
                self.written.push((target, name.clone()));
            }
            _ => {}
        }
        name
    }

    /// The name of a typedef, written out if it was not yet (only where everything is).
    pub(super) fn typedef_name(&mut self, id: TypeId) -> String {
        let Type::Typedef { name, to } = self.closure.btf.type_by_id(id) else { return "void".to_owned() };
        let c_name = self.naming.name(Space::Names, id, name, self.closure.own).to_owned();
        if self.done.insert(id) {
            let unnamed = self.unnamed_target(to);
            self.open.extend(unnamed);
            // Only the tag of a named struct is needed here: a typedef may come before the struct's body.
            let weak = unnamed.is_none() && !self.is_array(to);
            let text = self.declare(to, c_name.clone(), Place { weak, ..Place::member(0, true) });
            if let Some(target) = unnamed {
                self.open.pop();
                self.written.push((target, c_name.clone()));
            }
            // Clang warns of a region without a struct in it, so plain typedefs start none.
            self.add_record(&format!("typedef {text};\n"), unnamed.is_some() || self.relocates);
        }
        c_name
    }

    fn is_array(&self, id: TypeId) -> bool {
        matches!(self.closure.btf.type_by_id(self.closure.btf.resolve(id)), Type::Array(_))
    }

    /// Goes one type deeper; `false` when there is no end in sight.
    pub(super) fn enter(&mut self) -> bool {
        self.depth += 1;
        self.fuel = self.fuel.saturating_sub(1);
        self.depth <= MAX_DEPTH && self.fuel > 0
    }

    /// Undoes [`Self::enter`].
    pub(super) fn leave(&mut self) {
        self.depth -= 1;
    }

    /// Whether a type is being defined right now, so that its name cannot be used yet.
    pub(super) fn is_open(&self, id: TypeId) -> bool {
        self.open.contains(&id)
    }

    /// Writes a named struct or union, after all it contains.
    pub(super) fn define(&mut self, id: TypeId) {
        let (Type::Struct(composite) | Type::Union(composite)) = self.closure.btf.type_by_id(id) else { return };
        if self.closure.is_skipped(composite.name) || !self.done.insert(id) || self.open.len() > MAX_DEPTH as usize {
            return;
        }
        let keyword = if composite.is_union { "union" } else { "struct" };
        let name = format!("{keyword} {}", self.naming.name(Space::Tags, id, composite.name, self.closure.own));
        self.open.push(id);
        let level = self.closure.level(id).unwrap_or(Level::Used);
        let body = self.body(composite, level, 1);
        self.open.pop();
        let made_up = self.closure.absent.map(|absent| absent.members_of(&name, "\t\t")).unwrap_or_default();
        let text = if made_up.is_empty() {
            format!("{name} {{\n{}}}{};\n", body.members, body.attributes)
        } else {
            // Made-up members lie over the others, so that neither size nor places change.
            format!("{name} {{\nunion {{\n{keyword} {{\n{}}}{};\n{made_up}}};\n}};\n", body.members, body.attributes)
        };
        self.add_record(&text, !CONTEXTS.contains(&composite.name));
        self.written.push((id, name));
    }

    fn add_record(&mut self, text: &str, relocates: bool) {
        if relocates != self.relocates {
            self.records += if relocates { PUSH } else { POP };
            self.relocates = relocates;
        }
        self.records += text;
    }

    /// Makes a tag known at file scope before a prototype names it.
    pub(super) fn declare_ahead(&mut self, tag: &str) {
        if self.declared_ahead.insert(tag.to_owned()) {
            self.head += &format!("{tag};\n");
        }
    }

    /// Remembers to hide a macro that has the name of something written here.
    pub(super) fn note_name(&mut self, name: &str) {
        let is_macro = self.closure.flags.contains(name) || self.closure.prelude.macros.contains(name);
        if is_macro && !self.hidden.iter().any(|hidden| hidden == name) {
            self.hidden.push(name.to_owned());
        }
    }
}
