// SPDX-License-Identifier: Apache-2.0
//! C's inside-out syntax: a type and a name become a declaration.

use super::closure::Level;
use super::naming::Space;
use super::writer::Writer;
use crate::kernel::btf::{FuncProto, Int, IntEncoding, Kind, Type, TypeId};

/// Where a type stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// Behind a pointer or in a function's type: the name is enough.
    pub(super) weak: bool,
    /// Among the parameters of a function, where a new tag would be known only there.
    pub(super) in_prototype: bool,
    /// Parameters of function pointers are written out; otherwise they become `void *`.
    pub(super) prototypes: bool,
    /// Of the struct around.
    pub(super) indent: usize,
}

impl Place {
    pub(super) fn member(indent: usize, prototypes: bool) -> Place {
        Place { weak: false, in_prototype: false, prototypes, indent }
    }
}

impl Writer<'_> {
    /// `type name`, where the name may already carry stars, brackets and parentheses.
    pub(super) fn declare(&mut self, id: TypeId, name: String, place: Place) -> String {
        let text = if self.enter() { self.declare_type(id, name, place) } else { join("void *", &name) };
        self.leave();
        text
    }

    fn declare_type(&mut self, id: TypeId, name: String, place: Place) -> String {
        let id = self.closure.definition(id);
        match self.closure.btf.type_by_id(id) {
            Type::Void | Type::Func(_) | Type::Var(_) | Type::Datasec(_) | Type::DeclTag { .. } => join("void", &name),
            Type::Int(int) => declare_int(int, &name),
            Type::Float { size_bytes: 4, .. } => join("float", &name),
            Type::Float { size_bytes: 8, .. } => join("double", &name),
            Type::Float { .. } => join("__int128", &name),
            Type::Ptr(to) => self.declare_pointer(to, &name, place),
            Type::Array(array) => self.declare(array.element, format!("{name}[{}]", array.count), place),
            Type::FuncProto(proto) => self.declare_function(proto, &name, place),
            Type::TypeTag { to, .. } => self.declare(to, name, place),
            Type::Const(to) => self.qualify("const", to, name, place),
            Type::Volatile(to) => self.qualify("volatile", to, name, place),
            Type::Restrict(to) => self.qualify("restrict", to, name, place),
            Type::Typedef { to, .. } => self.declare_typedef(id, to, name, place),
            Type::Struct(composite) | Type::Union(composite) => {
                let keyword = if composite.is_union { "union" } else { "struct" };
                let base = self.composite_name(id, keyword, composite.name, place);
                join(&base, &name)
            }
            Type::Enum(e) => join(&self.enum_name(e), &name),
            Type::Fwd { name: tag, is_union } => {
                let keyword = if is_union { "union" } else { "struct" };
                let base = self.composite_name(id, keyword, tag, Place { weak: true, ..place });
                join(&base, &name)
            }
        }
    }

    /// Qualifiers are kept only where everything is written: to the probe's own access they are in the way.
    fn qualify(&mut self, qualifier: &str, to: TypeId, name: String, place: Place) -> String {
        if !self.closure.everything {
            return self.declare(to, name, place);
        }
        match self.behind_tags(to) {
            Type::Ptr(_) => self.declare(to, join(qualifier, &name), place),
            // `restrict` of anything else, and a qualified function, are no C.
            _ if qualifier == "restrict" => self.declare(to, name, place),
            Type::FuncProto(_) => self.declare(to, name, place),
            _ => {
                // A qualified array of qualified elements says it twice.
                let text = self.declare(to, name, place);
                if text.starts_with(qualifier) { text } else { join(qualifier, &text) }
            }
        }
    }

    fn behind_tags(&self, id: TypeId) -> Type<'_> {
        let mut at = id;
        for _ in 0..8 {
            match self.closure.btf.type_by_id(at) {
                Type::TypeTag { to, .. } | Type::Const(to) | Type::Volatile(to) | Type::Restrict(to) => at = to,
                found => return found,
            }
        }
        Type::Void
    }

    fn declare_pointer(&mut self, to: TypeId, name: &str, place: Place) -> String {
        let weak = Place { weak: true, ..place };
        let behind = if self.closure.everything {
            self.behind_tags(to)
        } else {
            self.closure.btf.type_by_id(self.closure.btf.resolve(to))
        };
        let opaque = match behind {
            Type::FuncProto(_) => !place.prototypes,
            // A struct without a name can only be written whole; where it is not needed, it is left out.
            Type::Struct(composite) | Type::Union(composite) if composite.name.is_empty() => {
                self.closure.level(composite.id).is_none() || self.is_open(composite.id)
            }
            _ => false,
        };
        if opaque {
            return join("void", &format!("*{name}"));
        }
        match behind {
            Type::Array(_) => self.declare(to, format!("(*{name})"), Place { weak: false, ..place }),
            Type::FuncProto(_) => self.declare(to, format!("(*{name})"), weak),
            _ => self.declare(to, format!("*{name}"), weak),
        }
    }

    fn declare_function(&mut self, proto: FuncProto<'_>, name: &str, place: Place) -> String {
        let place = Place { weak: true, in_prototype: true, ..place };
        let mut params: Vec<String> = Vec::new();
        for param in proto.params() {
            params.push(self.declare(param.type_id, String::new(), place));
        }
        match (proto.is_variadic(), params.is_empty()) {
            (true, true) => {}
            (true, false) => params.push("...".to_owned()),
            (false, true) => params.push("void".to_owned()),
            (false, false) => {}
        }
        self.declare(proto.return_type, format!("{name}({})", params.join(", ")), place)
    }

    /// Where everything is written, typedefs keep their names. Otherwise only those stay that give a name to a struct,
    /// union or enum without one.
    fn declare_typedef(&mut self, id: TypeId, to: TypeId, name: String, place: Place) -> String {
        if self.closure.everything {
            let base = self.typedef_name(id);
            if !place.weak {
                self.complete(to);
            }
            return join(&base, &name);
        }
        match self.unnamed_target(to) {
            Some(target) => {
                let base = self.typedef_of_unnamed(id, target);
                join(&base, &name)
            }
            None => self.declare(to, name, place),
        }
    }

    /// The anonymous struct, union or enum that a typedef names directly.
    pub(super) fn unnamed_target(&self, to: TypeId) -> Option<TypeId> {
        let mut at = to;
        for _ in 0..8 {
            match self.closure.btf.type_by_id(at) {
                Type::Const(to) | Type::Volatile(to) | Type::TypeTag { to, .. } => at = to,
                Type::Struct(composite) | Type::Union(composite) if composite.name.is_empty() => return Some(at),
                Type::Enum(e) if e.name.is_empty() => return Some(at),
                _ => return None,
            }
        }
        None
    }

    fn composite_name(&mut self, id: TypeId, keyword: &'static str, tag: &str, place: Place) -> String {
        if tag.is_empty() {
            return self.anonymous_body(id, keyword, place);
        }
        if self.closure.is_skipped(tag) || (place.weak && self.closure.own.tags.get(tag) == Some(&keyword)) {
            let base = format!("{keyword} {tag}");
            if place.in_prototype {
                self.declare_ahead(&base);
            }
            return base;
        }
        if !place.weak {
            self.define(id);
        }
        let base = format!("{keyword} {}", self.naming.name(Space::Tags, id, tag, self.closure.own));
        if place.in_prototype {
            self.declare_ahead(&base);
        }
        base
    }

    /// Whether pointers to functions are written out for a member of this name.
    pub(super) fn wants_prototype(&self, level: Level, name: &str) -> bool {
        level == Level::Whole && self.closure.may_use(name)
    }

    /// Defines the struct or union behind a typedef that is used by value.
    fn complete(&mut self, to: TypeId) {
        let mut at = self.closure.btf.resolve(to);
        while let Type::Array(array) = self.closure.btf.type_by_id(at) {
            at = self.closure.btf.resolve(array.element);
        }
        if matches!(self.closure.btf.kind_of(at), Kind::Struct | Kind::Union)
            && !self.closure.btf.name_of(at).is_empty()
        {
            self.define(at);
        }
    }
}

/// Base and declarator with one blank between them, none when the declarator is empty or starts with a bracket.
pub(super) fn join(base: &str, name: &str) -> String {
    match name.as_bytes().first() {
        None | Some(b'[') => format!("{base}{name}"),
        _ => format!("{base} {name}"),
    }
}

fn declare_int(int: Int<'_>, name: &str) -> String {
    let unsigned = int.encoding == IntEncoding::Unsigned;
    let base = match (int.size_bytes, int.encoding) {
        (1, IntEncoding::Bool) => "_Bool",
        (1, _) if int.name == "char" => "char",
        (1, IntEncoding::Signed | IntEncoding::Char) => "signed char",
        (1, IntEncoding::Unsigned) => "unsigned char",
        (2, _) => {
            if unsigned {
                "unsigned short"
            } else {
                "short"
            }
        }
        (4, _) => {
            if unsigned {
                "unsigned int"
            } else {
                "int"
            }
        }
        (8, _) if int.name.contains("long long") => {
            if unsigned {
                "unsigned long long"
            } else {
                "long long"
            }
        }
        (8, _) => {
            if unsigned {
                "unsigned long"
            } else {
                "long"
            }
        }
        (16, _) => {
            if unsigned {
                "unsigned __int128"
            } else {
                "__int128"
            }
        }
        // A size that no C integer has: its bytes.
        (size, _) => return join("unsigned char", &format!("{name}[{size}]")),
    };
    join(base, name)
}
