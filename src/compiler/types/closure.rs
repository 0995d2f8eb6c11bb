// SPDX-License-Identifier: Apache-2.0
//! Which types are needed, and how much of each.

use std::collections::{HashMap, HashSet};

use super::absent::Absent;
use super::defined::Defined;
use super::mentions::{Mentions, TypeMention, Use};
use super::request::Request;
use crate::kernel::btf::{Btf, Composite, Kind, Type, TypeId};

/// Depth of anonymous structs in each other after which data is taken to be damaged.
const MAX_DEPTH: u32 = 32;

/// How much of a struct, union or enum is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    /// Members that the text may name; padding for the rest.
    Used,
    /// All members.
    Whole,
}

/// How a member's type is reached.
#[derive(Clone, Copy, Debug)]
struct Reach {
    level: Level,
    /// The text may name the member, so what it points to is looked into.
    named: bool,
}

/// The types that are needed, closed over what they contain and what is followed from them.
pub(super) struct Closure<'a> {
    pub(super) btf: &'a Btf,
    mentions: &'a Mentions<'a>,
    /// What the text defines itself.
    pub(super) own: &'a Defined,
    /// What is there before: the prelude's names.
    pub(super) prelude: &'a Defined,
    /// Macros of `-D` flags, which are defined before the declarations, too.
    pub(super) flags: HashSet<&'a str>,
    skip: HashSet<&'a str>,
    /// What is made up, if anything.
    pub(super) absent: Option<&'a Absent>,
    /// Everything is written, typedefs by their names, function pointers with their parameters.
    pub(super) everything: bool,
    levels: HashMap<TypeId, Level>,
    /// The keys of `levels` in the order they were found.
    pub(super) order: Vec<TypeId>,
    queue: Vec<TypeId>,
    /// In the order of the text: the names these types get are settled first.
    pub(super) roots: Vec<TypeId>,
    /// Kernel functions that the text calls, in its order.
    pub(super) kfuncs: Vec<TypeId>,
    /// Enumerators wanted from an enum of which not all are written.
    pub(super) values: HashSet<&'a str>,
    pub(super) unknown: Vec<String>,
}

impl<'a> Closure<'a> {
    fn new(btf: &'a Btf, mentions: &'a Mentions<'a>, own: &'a Defined, prelude: &'a Defined) -> Closure<'a> {
        Closure {
            btf,
            mentions,
            own,
            prelude,
            flags: HashSet::new(),
            skip: HashSet::new(),
            absent: None,
            everything: false,
            levels: HashMap::new(),
            order: Vec::new(),
            queue: Vec::new(),
            roots: Vec::new(),
            kfuncs: Vec::new(),
            values: HashSet::new(),
            unknown: Vec::new(),
        }
    }

    /// The types that the texts of `request` need.
    pub(super) fn of_text(
        btf: &'a Btf,
        request: &Request<'a>,
        mentions: &'a Mentions<'a>,
        own: &'a Defined,
        prelude: &'a Defined,
    ) -> Closure<'a> {
        let mut closure = Closure::new(btf, mentions, own, prelude);
        closure.flags = request.flags.iter().map(|flag| flag.split(['=', '(']).next().unwrap_or(flag)).collect();
        closure.skip = request.skip.iter().copied().collect();
        closure.absent = request.absent;
        mentions.types.iter().for_each(|mention| closure.add_type(mention));
        mentions.values.iter().for_each(|name| closure.add_value(name));
        mentions.calls.iter().for_each(|name| closure.add_kfunc(name));
        closure.close();
        closure
    }

    /// All types.
    pub(super) fn of_everything(btf: &'a Btf, mentions: &'a Mentions<'a>, nothing: &'a Defined) -> Closure<'a> {
        let mut closure = Closure::new(btf, mentions, nothing, nothing);
        closure.everything = true;
        closure.roots = btf
            .type_ids()
            .filter(|id| matches!(btf.kind_of(*id), Kind::Struct | Kind::Union | Kind::Enum | Kind::Typedef))
            .collect();
        closure
    }

    /// How much of a struct, union or enum is written; `None` for nothing.
    pub(super) fn level(&self, id: TypeId) -> Option<Level> {
        if self.everything { Some(Level::Whole) } else { self.levels.get(&id).copied() }
    }

    /// Whether a struct or union of this name comes from elsewhere: the prelude, or the skip list.
    pub(super) fn is_skipped(&self, tag: &str) -> bool {
        self.skip.contains(tag) || self.prelude.tags.contains_key(tag)
    }

    /// Whether a member is written, in a struct or union written at `level`.
    pub(super) fn is_visible(&self, level: Level, name: &str, type_id: TypeId) -> bool {
        if level == Level::Whole {
            return true;
        }
        if name.is_empty() { self.level(self.btf.resolve(type_id)).is_some() } else { self.may_use(name) }
    }

    /// Whether the text may name this member.
    pub(super) fn may_use(&self, name: &str) -> bool {
        self.everything || self.mentions.may_use_member(name)
    }

    /// The definition behind a forward declaration, which split or merged type data may have under another id.
    pub(super) fn definition(&self, id: TypeId) -> TypeId {
        match self.btf.type_by_id(id) {
            Type::Fwd { name, is_union } => {
                self.btf.find(if is_union { Kind::Union } else { Kind::Struct }, name).unwrap_or(id)
            }
            _ => id,
        }
    }

    fn add_type(&mut self, mention: &TypeMention<'a>) {
        let level = if mention.how == Use::Held { Level::Whole } else { Level::Used };
        let (kind, name) = match mention.keyword {
            "struct" => (Kind::Struct, mention.name),
            "union" => (Kind::Union, mention.name),
            "enum" => (Kind::Enum, mention.name),
            _ => (Kind::Typedef, mention.name),
        };
        if kind == Kind::Typedef {
            if self.is_taken(name) {
                return;
            }
            let Some(id) = self.btf.find(Kind::Typedef, name) else { return };
            self.reach(id, Reach { level, named: true });
            self.roots.push(id);
            return;
        }
        if self.own.tags.contains_key(name) || self.is_skipped(name) {
            return;
        }
        // An enum named as such is wanted with all its values.
        let level = if kind == Kind::Enum { Level::Whole } else { level };
        match self.btf.find(kind, name) {
            Some(id) => {
                self.raise(id, level);
                self.roots.push(id);
            }
            None if !self.unknown.iter().any(|unknown| unknown.ends_with(name)) => {
                self.unknown.push(format!("{} {name}", mention.keyword));
            }
            None => {}
        }
    }

    /// Whether a name that could be a typedef or an enumerator is something else already.
    fn is_taken(&self, name: &str) -> bool {
        self.own.has_name(name) || self.prelude.has_name(name) || self.mentions.is_variable(name)
    }

    fn add_value(&mut self, name: &'a str) {
        if self.is_taken(name) {
            return;
        }
        let Some((id, _)) = self.btf.enumerator(name) else { return };
        if self.is_skipped(self.btf.name_of(id)) {
            return;
        }
        self.raise(id, Level::Used);
        self.values.insert(name);
        self.roots.push(id);
    }

    /// A function of the kernel's that the text uses and nobody declares, if programs may call it.
    fn add_kfunc(&mut self, name: &'a str) {
        if self.is_taken(name) {
            return;
        }
        let Some(func) = self.btf.find(Kind::Func, name) else { return };
        // Kernels say which functions are meant since 6.10; before, the name must do.
        if name.starts_with("bpf_") || self.is_tagged_kfunc(func) {
            self.kfuncs.push(func);
        }
    }

    fn is_tagged_kfunc(&self, func: TypeId) -> bool {
        self.btf.type_ids().filter(|id| self.btf.kind_of(*id) == Kind::DeclTag).any(|id| {
            matches!(self.btf.type_by_id(id), Type::DeclTag { name: "bpf_kfunc", to, component: -1 } if to == func)
        })
    }

    fn raise(&mut self, id: TypeId, level: Level) {
        let known = self.levels.get(&id).copied();
        if known.is_none() {
            self.order.push(id);
        }
        if known.is_none_or(|known| known < level) {
            self.levels.insert(id, level);
            self.queue.push(id);
        }
    }

    fn close(&mut self) {
        while let Some(id) = self.queue.pop() {
            let btf = self.btf;
            if let (Type::Struct(composite) | Type::Union(composite), Some(level)) =
                (btf.type_by_id(id), self.level(id))
            {
                self.reach_members(composite, level);
            }
        }
    }

    fn reach_members(&mut self, composite: Composite<'a>, level: Level) {
        for member in composite.members() {
            if member.name.is_empty() && level == Level::Used && self.uses_inside(member.type_id, 0) {
                self.raise(self.btf.resolve(member.type_id), Level::Used);
            }
            if self.is_visible(level, member.name, member.type_id) {
                self.reach(member.type_id, Reach { level, named: self.may_use(member.name) });
            }
        }
    }

    /// Whether the text may name a member of this anonymous struct or union, or of one inside it.
    fn uses_inside(&self, id: TypeId, depth: u32) -> bool {
        let (Type::Struct(composite) | Type::Union(composite)) = self.btf.type_by_id(self.btf.resolve(id)) else {
            return false;
        };
        depth < MAX_DEPTH
            && composite.members().any(|member| match member.name {
                "" => self.uses_inside(member.type_id, depth + 1),
                name => self.may_use(name),
            })
    }

    fn reach(&mut self, id: TypeId, how: Reach) {
        let mut at = self.btf.resolve(id);
        let mut how = how;
        // A pointer to a pointer to … is followed like one; damaged data may have circles.
        for _ in 0..MAX_DEPTH {
            at = self.definition(at);
            match self.btf.type_by_id(at) {
                Type::Array(array) => at = self.btf.resolve(array.element),
                Type::Ptr(to) => {
                    let to = self.btf.resolve(to);
                    let is_array = matches!(self.btf.type_by_id(to), Type::Array(_));
                    if !how.named && !is_array {
                        return;
                    }
                    // C wants the elements of an array complete even where only a pointer leads to it.
                    how = Reach { level: Level::Used, ..how };
                    at = to;
                }
                Type::Struct(composite) | Type::Union(composite) => {
                    let comes_from_text = !composite.name.is_empty() && self.is_skipped(composite.name);
                    if !comes_from_text {
                        self.raise(at, how.level);
                    }
                    return;
                }
                Type::Enum(_) => return self.raise(at, how.level),
                _ => return,
            }
        }
    }
}
