// SPDX-License-Identifier: Apache-2.0
//! Which pointers the verifier follows by the kernel's types, as it does it itself (`btf_struct_walk` and
//! `btf_ctx_access` of the kernel's `kernel/bpf/btf.c`).
//!
//! It knows the type of a program's arguments and of the members that it loads from them, as long as they are pointers to
//! structs. A `void *`, a pointer to a pointer and what a cast made of a number are numbers to it.

use std::cell::OnceCell;

use crate::compiler::ir::{CoreAccess, Step};
use crate::kernel::btf::{Btf, Kind, Type, TypeId, bit_field_unit};

/// What a load from an object gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loaded {
    /// A number.
    Number,
    /// A pointer to an object of this type.
    Object(TypeId),
    /// A pointer to an object of this type that the verifier wants compared with NULL before anything is done with it.
    Perhaps(TypeId),
    /// A pointer to user memory.
    User,
    /// The verifier does not allow the load.
    Refused,
}

/// Members that the verifier takes for NULL until they were compared with it (`BTF_TYPE_SAFE_RCU_OR_NULL` and
/// `BTF_TYPE_SAFE_TRUSTED_OR_NULL` in the kernel's `kernel/bpf/verifier.c`). What a helper read needs no comparison.
const PERHAPS_NULL: &[(&str, &str)] = &[
    ("mm_struct", "exe_file"),
    ("sk_buff", "sk"),
    ("request_sock", "sk"),
    ("dentry", "d_inode"),
    ("socket", "sk"),
    ("vm_area_struct", "vm_mm"),
    ("vm_area_struct", "vm_file"),
];

/// What a word of a program's context is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Argument {
    /// A number, or an address that is a number to the verifier.
    Number,
    /// A pointer to an object of this type; `None` when it is not known.
    Object(Option<TypeId>),
    /// A pointer to user memory.
    User,
    /// Memory that the verifier lets the program use.
    Memory,
}

/// The arguments of a program whose context the verifier knows by BTF.
#[derive(Debug)]
pub enum Arguments {
    /// One for each 64-bit word; the verifier refuses others.
    Words(Vec<Argument>),
    /// The context is this struct.
    Record(TypeId),
    /// Not known.
    Unknown,
    /// The words of a buffer that a user of `bpf(2)` passed.
    Numbers,
}

/// The kernel's types as the verifier sees them.
pub struct Objects<'a> {
    btf: Option<&'a Btf>,
    task: OnceCell<Option<TypeId>>,
}

impl<'a> Objects<'a> {
    /// Over the kernel's BTF, if there is one.
    pub fn new(btf: Option<&'a Btf>) -> Self {
        Objects { btf, task: OnceCell::new() }
    }

    /// The struct or union of this name, a typedef of one included; what follows `___` is a flavour's.
    pub fn record(&self, name: &str) -> Option<TypeId> {
        let btf = self.btf?;
        let name = name.split("___").next().filter(|name| !name.is_empty())?;
        let typedef = || Some(btf.resolve(btf.find(Kind::Typedef, name)?)).filter(|&id| btf.is_composite(id));
        btf.find(Kind::Struct, name).or_else(|| btf.find(Kind::Union, name)).or_else(typedef)
    }

    /// `struct task_struct`.
    pub fn task(&self) -> Option<TypeId> {
        *self.task.get_or_init(|| self.record("task_struct"))
    }

    /// Where the kernel has the member that `access` names: the record it begins at, and the offset in bytes.
    pub fn place(&self, access: &CoreAccess) -> Option<(TypeId, i64)> {
        let btf = self.btf?;
        let record = self.record(&access.record)?;
        let (mut at, mut bits) = (record, 0_u64);
        for step in &access.steps {
            match step {
                // An anonymous member's own members are found by their names.
                Step::Member(name) if name.is_empty() => {}
                Step::Member(name) => {
                    let field = btf.field(at, name)?;
                    bits += u64::from(field.bit_offset);
                    if field.bit_size > 0 {
                        let declared = btf.size_of(field.type_id)?;
                        bits = bit_field_unit(bits, field.bit_size.into(), declared)?.0 * 8;
                    }
                    at = btf.resolve(field.type_id);
                }
                Step::Element(index) => {
                    let Type::Array(array) = btf.type_by_id(at) else { return None };
                    bits += btf.size_of(array.element)?.checked_mul(*index)?.checked_mul(8)?;
                    at = btf.resolve(array.element);
                }
            }
        }
        Some((record, i64::try_from(bits / 8).ok()?))
    }

    /// What loading `size` bytes at `offset` of a record gives.
    pub fn load(&self, record: TypeId, offset: i64, size: u64) -> Loaded {
        let (Some(btf), Ok(offset)) = (self.btf, u64::try_from(offset)) else { return Loaded::Refused };
        let mut at = (record, offset);
        // Each round goes one record deeper.
        for _ in 0..32 {
            match step(btf, at.0, at.1, size) {
                Ok(loaded) => return loaded,
                Err(inner) => at = inner,
            }
        }
        Loaded::Refused
    }

    /// The arguments of a program in this section.
    pub fn arguments(&self, section: &str) -> Arguments {
        let section = section.trim_start_matches('?');
        let (word, target) = section.split_once('/').unwrap_or((section, ""));
        let word = word.split(['.', '+']).next().unwrap_or(word);
        match word {
            "syscall" => Arguments::Numbers,
            "iter" => self.record(&format!("bpf_iter__{target}")).map_or(Arguments::Unknown, Arguments::Record),
            "tp_btf" => self.prototype(Kind::Typedef, &format!("btf_trace_{target}"), 1),
            "lsm" | "lsm_cgroup" => self.prototype(Kind::Func, &format!("bpf_lsm_{target}"), 0),
            "fentry" | "fexit" | "fmod_ret" | "fsession" => {
                match target.split_once(':').filter(|(module, _)| *module != "vmlinux") {
                    Some((_, function)) => self.of_module(function),
                    None => self.prototype(Kind::Func, target.trim_start_matches("vmlinux:"), 0),
                }
            }
            _ => Arguments::Unknown,
        }
    }

    /// The parameters of a function of a kernel module: known where the text takes types of that module.
    fn of_module(&self, function: &str) -> Arguments {
        let found = self.btf.and_then(|btf| {
            let kernels = btf.base()?.type_count();
            Some((btf, btf.find_each(Kind::Func, function).find(|id| id.0 >= kernels)?))
        });
        found.map_or(Arguments::Unknown, |(btf, id)| parameters(btf, id, 0))
    }

    /// The parameters of a function or of a typedef of a pointer to one, without the first `skip`; the result after them.
    fn prototype(&self, kind: Kind, name: &str, skip: usize) -> Arguments {
        let found = self.btf.and_then(|btf| Some((btf, btf.find(kind, name)?)));
        found.map_or(Arguments::Unknown, |(btf, id)| parameters(btf, id, skip))
    }

    /// What a kernel function returns.
    pub fn returned(&self, function: &str) -> Argument {
        let Some(btf) = self.btf else { return Argument::Object(None) };
        let proto = btf.func_by_name(function).and_then(|func| func.proto());
        proto.map_or(Argument::Object(None), |proto| argument(btf, proto.return_type))
    }

    /// The word at `offset` of an iterator's context. What is no object there is a buffer: a map's key or value.
    pub fn iterator_word(&self, record: TypeId, offset: i64) -> Argument {
        match self.load(record, offset, 8) {
            Loaded::Object(id) => Argument::Object(Some(id)),
            _ => Argument::Memory,
        }
    }

    /// What a kernel variable holds.
    pub fn variable(&self, name: &str) -> Argument {
        let found = self.btf.and_then(|btf| Some((btf, btf.find(Kind::Var, name)?)));
        let Some((btf, Type::Var(var))) = found.map(|(btf, id)| (btf, btf.type_by_id(id))) else {
            return Argument::Number;
        };
        let id = btf.resolve(var.type_id);
        if btf.is_composite(id) { Argument::Object(Some(id)) } else { Argument::Memory }
    }
}

/// The parameters of a function or a pointer to one, without the first `skip`; the result after them.
fn parameters(btf: &Btf, id: TypeId, skip: usize) -> Arguments {
    let id = match btf.type_by_id(btf.resolve(id)) {
        Type::Func(func) => func.proto_id,
        Type::Ptr(to) => btf.resolve(to),
        _ => return Arguments::Unknown,
    };
    let Type::FuncProto(proto) = btf.type_by_id(id) else { return Arguments::Unknown };
    // A struct by value takes as many words as it needs.
    let words = |id: TypeId| btf.size_of(id).unwrap_or(8).div_ceil(8).max(1) as usize;
    let params = proto.params().skip(skip).map(|param| param.type_id).chain([proto.return_type]);
    Arguments::Words(params.flat_map(|id| std::iter::repeat_n(argument(btf, id), words(id))).collect())
}

fn argument(btf: &Btf, id: TypeId) -> Argument {
    let Type::Ptr(to) = btf.type_by_id(btf.resolve(id)) else { return Argument::Number };
    if matches!(btf.type_by_id(to), Type::TypeTag { name: "user", .. }) {
        return Argument::User;
    }
    let to = btf.resolve(to);
    if btf.is_composite(to) { Argument::Object(Some(to)) } else { Argument::Number }
}

/// One round of the walk: what is loaded, or the record inside this one to go on in.
fn step(btf: &Btf, id: TypeId, offset: u64, size: u64) -> Result<Loaded, (TypeId, u64)> {
    let (Type::Struct(record) | Type::Union(record)) = btf.type_by_id(btf.resolve(id)) else {
        return Ok(Loaded::Refused);
    };
    if offset + size > u64::from(record.size_bytes) {
        return flexible_array(btf, record.members().last().map(|last| (last.type_id, last.bit_offset / 8)), offset);
    }
    for member in record.members() {
        let start = u64::from(member.bit_offset / 8);
        if offset + size <= start {
            break;
        }
        if member.bit_size > 0 {
            let end = u64::from(member.bit_offset + member.bit_size).div_ceil(8);
            if offset <= start && end <= offset + size {
                return Ok(Loaded::Number);
            }
            continue;
        }
        if offset < start {
            break;
        }
        let bytes = btf.size_of(member.type_id).unwrap_or(0);
        if offset >= start + bytes {
            continue;
        }
        let loaded = in_member(btf, member.type_id, start, bytes, offset, size);
        let is_listed = PERHAPS_NULL.contains(&(record.name, member.name));
        return match loaded {
            Ok(Loaded::Object(to)) if is_listed => Ok(Loaded::Perhaps(to)),
            loaded => loaded,
        };
    }
    Ok(Loaded::Refused)
}

/// A load that lies at least in part in the member at `start`.
fn in_member(btf: &Btf, id: TypeId, start: u64, bytes: u64, offset: u64, size: u64) -> Result<Loaded, (TypeId, u64)> {
    let (mut element, mut at) = (btf.resolve(id), start);
    while let Type::Array(array) = btf.type_by_id(element) {
        let each = btf.size_of(array.element).unwrap_or(0);
        at += (offset - at).checked_div(each).unwrap_or(0) * each;
        element = btf.resolve(array.element);
    }
    if btf.is_composite(element) {
        return Err((element, offset - at));
    }
    if let Type::Ptr(to) = btf.type_by_id(element) {
        if size != 8 || offset != at {
            return Ok(Loaded::Refused);
        }
        if let Type::TypeTag { name, .. } = btf.type_by_id(to) {
            match name {
                "user" => return Ok(Loaded::User),
                "percpu" => return Ok(Loaded::Number),
                _ => {}
            }
        }
        let to = btf.resolve(to);
        if btf.is_composite(to) {
            return Ok(Loaded::Object(to));
        }
    }
    Ok(if offset + size > start + bytes { Loaded::Refused } else { Loaded::Number })
}

/// A load behind the end of a record: the elements of an array without a size may lie there.
fn flexible_array(btf: &Btf, last: Option<(TypeId, u32)>, offset: u64) -> Result<Loaded, (TypeId, u64)> {
    let Some((id, start)) = last else { return Ok(Loaded::Refused) };
    let Type::Array(array) = btf.type_by_id(btf.resolve(id)) else { return Ok(Loaded::Refused) };
    let Some(behind) = offset.checked_sub(start.into()).filter(|_| array.count == 0) else {
        return Ok(Loaded::Refused);
    };
    let element = btf.resolve(array.element);
    match (btf.type_by_id(element), btf.size_of(element)) {
        (Type::Int(_), _) => Ok(Loaded::Number),
        (Type::Struct(_) | Type::Union(_), Some(each @ 1..)) => Err((element, behind % each)),
        _ => Ok(Loaded::Refused),
    }
}
