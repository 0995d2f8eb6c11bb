// SPDX-License-Identifier: Apache-2.0
//! Types in C's words, for people: `struct file *`, `const char *`, `int (*)(void *, int)`.

use super::reader::Btf;
use super::views::{FuncProto, Type, TypeId};

/// Depth after which data is taken to be damaged.
const MAX_DEPTH: u32 = 32;

impl Btf {
    /// A type by itself.
    pub fn c_type(&self, id: TypeId) -> String {
        self.c_declaration(id, "")
    }

    /// A type around a name, as a declaration has it: `struct file *file`, `char comm[16]`.
    pub fn c_declaration(&self, id: TypeId, name: &str) -> String {
        self.declare(id, name.to_owned(), 0)
    }

    fn declare(&self, id: TypeId, name: String, depth: u32) -> String {
        if depth > MAX_DEPTH {
            return joined("?", &name);
        }
        let tagged = |keyword: &str, tag: &str| joined(&format!("{keyword} {}", or_anonymous(tag)), &name);
        match self.type_by_id(id) {
            Type::Int(int) => joined(int_name(int.name), &name),
            Type::Float { name: base, .. } | Type::Typedef { name: base, .. } => joined(base, &name),
            Type::Ptr(to) => self.declare_pointer(to, &name, depth + 1),
            Type::Array(array) => self.declare(array.element, format!("{name}[{}]", array.count), depth + 1),
            Type::Struct(composite) => tagged("struct", composite.name),
            Type::Union(composite) => tagged("union", composite.name),
            Type::Fwd { name: tag, is_union } => tagged(if is_union { "union" } else { "struct" }, tag),
            Type::Enum(e) => tagged("enum", e.name),
            Type::Const(to) => self.qualified("const", to, name, depth + 1),
            Type::Volatile(to) => self.qualified("volatile", to, name, depth + 1),
            Type::Restrict(to) | Type::TypeTag { to, .. } => self.declare(to, name, depth + 1),
            Type::FuncProto(proto) => self.declare_function(proto, &name, depth + 1),
            _ => joined("void", &name),
        }
    }

    /// `const` stands before what it is about, but behind the star of a pointer.
    fn qualified(&self, word: &str, to: TypeId, name: String, depth: u32) -> String {
        match self.type_by_id(to) {
            Type::Ptr(_) => self.declare(to, joined(word, &name), depth),
            _ => joined(word, &self.declare(to, name, depth)),
        }
    }

    fn declare_pointer(&self, to: TypeId, name: &str, depth: u32) -> String {
        match self.type_by_id(to) {
            Type::Array(_) | Type::FuncProto(_) => self.declare(to, format!("(*{name})"), depth),
            _ => self.declare(to, format!("*{name}"), depth),
        }
    }

    fn declare_function(&self, proto: FuncProto<'_>, name: &str, depth: u32) -> String {
        let mut params: Vec<String> =
            proto.params().map(|param| self.declare(param.type_id, String::new(), depth)).collect();
        if proto.is_variadic() {
            params.push("...".to_owned());
        } else if params.is_empty() {
            params.push("void".to_owned());
        }
        self.declare(proto.return_type, format!("{name}({})", params.join(", ")), depth)
    }
}

fn or_anonymous(tag: &str) -> &str {
    if tag.is_empty() { "{…}" } else { tag }
}

/// The compiler's long names as people write them.
fn int_name(name: &str) -> &str {
    match name {
        "long unsigned int" => "unsigned long",
        "long int" => "long",
        "long long unsigned int" => "unsigned long long",
        "long long int" => "long long",
        "short unsigned int" => "unsigned short",
        "short int" => "short",
        "_Bool" => "bool",
        _ => name,
    }
}

fn joined(base: &str, name: &str) -> String {
    match name {
        "" => base.to_owned(),
        _ if name.starts_with('[') => format!("{base}{name}"),
        _ => format!("{base} {name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::kernel_or_skip;
    use super::super::{Kind, Type};
    use super::*;

    fn member(btf: &Btf, of: &str, member: &str) -> String {
        let found = btf.find(Kind::Struct, of).and_then(|id| btf.field(id, member)).unwrap();
        btf.c_declaration(found.type_id, member)
    }

    #[test]
    fn declarations_of_the_kernels_own_types() {
        let Some(btf) = kernel_or_skip() else { return };
        assert_eq!(member(&btf, "task_struct", "comm"), "char comm[16]");
        assert_eq!(member(&btf, "qstr", "name"), "const unsigned char *name");
        assert_eq!(member(&btf, "task_struct", "parent"), "struct task_struct *parent");
        assert_eq!(member(&btf, "file_operations", "open"), "int (*open)(struct inode *, struct file *)");
        let Some(read) = btf.func_by_name("vfs_read").and_then(|func| func.proto()) else { return };
        let params: Vec<String> = read.params().map(|param| btf.c_declaration(param.type_id, param.name)).collect();
        assert_eq!(params, ["struct file *file", "char *buf", "size_t count", "loff_t *pos"]);
        assert_eq!(btf.c_type(read.return_type), "ssize_t");
    }

    #[test]
    fn every_type_has_words() {
        let Some(btf) = kernel_or_skip() else { return };
        for id in btf.type_ids() {
            assert!(!btf.c_type(id).is_empty() || matches!(btf.type_by_id(id), Type::Void));
        }
    }
}
