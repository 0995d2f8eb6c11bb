// SPDX-License-Identifier: Apache-2.0
//! Structs of functions that the kernel calls (`struct_ops`), such as a `struct tcp_congestion_ops`: from a variable in
//! the section `.struct_ops` or `.struct_ops.link` to the value that the kernel takes.
//!
//! libbpf checks each variable against the kernel's struct and creates the map; it keeps what it made of the variable to
//! itself, and so the value is made here once more, from the object's types and the kernel's.

use std::os::fd::{AsRawFd as _, OwnedFd};
use std::rc::Rc;
use std::sync::Arc;

use libbpf_rs::OpenObject;

use super::btf_target::BtfTarget;
use super::map_kind::MapKind;
use super::program::Program;
use super::sys::btf::open_kernel_module;
use super::sys::object::{self as raw, RawMap};
use crate::error::{Error, Result};
use crate::kernel::btf::{self, Btf, BtfFolder, Composite, Kind, Type, TypeId};

/// What the kernel puts around a struct of functions: its state, and the struct itself.
const AROUND: &str = "bpf_struct_ops_";
/// What a kernel has that has links for them (6.4).
const LINK_TYPE: &str = "bpf_struct_ops_link";

/// A variable of the C text whose functions the kernel calls.
#[derive(Clone, Debug)]
pub struct StructOps {
    /// The variable's name, which its map has, too.
    pub name: String,
    /// The kernel's name of the struct: `tcp_congestion_ops`.
    pub record: String,
    /// Whether the object attaches it by itself: not with a section that begins with `?`.
    pub autoload: bool,
    /// Whether it is attached by a link.
    pub is_link: bool,
    /// The functions, by where their addresses go in the value.
    slots: Vec<Slot>,
    /// The map's one value, as the kernel has it; without the functions.
    value: Vec<u8>,
    kernel: KernelRecord,
}

#[derive(Clone, Debug)]
struct Slot {
    offset: usize,
    function: String,
}

/// The kernel's own struct.
#[derive(Clone, Debug)]
struct KernelRecord {
    btf: Arc<Btf>,
    id: TypeId,
    /// The kernel module that has it, when the kernel itself does not.
    module: Option<String>,
}

/// What has to be done to an opened object before its maps are created: one that the text declares with `?` is created,
/// too, where the kernel has such structs, since a script may ask for it; and one with a link is created without where
/// the kernel has none.
pub fn prepare(object: &OpenObject, maps: &[RawMap], types: Option<&Btf>) -> Vec<usize> {
    let mut optional = Vec::new();
    for (index, map) in maps.iter().enumerate().filter(|(_, map)| is_of_functions(map)) {
        if !raw::is_created(object, index) {
            optional.push(index);
            let record = types.and_then(|types| record_name(types, map));
            raw::set_created(object, index, record.is_some_and(|record| KernelRecord::find(&record).is_some()));
        }
        if map.flags & libbpf_sys::BPF_F_LINK != 0 && !has_links() {
            raw::set_flags(object, index, map.flags & !libbpf_sys::BPF_F_LINK);
        }
    }
    optional
}

/// Whether this kernel attaches structs of functions by links.
pub fn has_links() -> bool {
    btf::shared().is_ok_and(|btf| btf.find(Kind::Struct, LINK_TYPE).is_some())
}

fn is_of_functions(map: &RawMap) -> bool {
    MapKind(map.kind) == MapKind::STRUCT_OPS
}

/// The name of the struct that a map's variable is of, without what the text may put behind it (`NAME___v2`).
fn record_name(types: &Btf, map: &RawMap) -> Option<String> {
    let name = types.name_of(types.resolve(TypeId(map.value_type_id)));
    name.split("___").next().filter(|name| !name.is_empty()).map(str::to_owned)
}

/// The structs of functions of an object whose maps were created. `optional` is what [`prepare`] gave.
pub fn read(object: &OpenObject, maps: &[RawMap], types: Option<&Btf>, optional: &[usize]) -> Vec<StructOps> {
    let Some(types) = types else { return Vec::new() };
    let programs = raw::program_addresses(object);
    let created = maps.iter().enumerate().filter(|(_, map)| is_of_functions(map) && map.fd >= 0);
    created
        .filter_map(|(index, map)| {
            let record = record_name(types, map)?;
            let kernel = KernelRecord::find(&record)?;
            let mut ops = StructOps {
                name: map.name.clone(),
                record,
                autoload: !optional.contains(&index),
                is_link: map.flags & libbpf_sys::BPF_F_LINK != 0,
                slots: Vec::new(),
                value: vec![0; map.value_size as usize],
                kernel,
            };
            ops.fill(types, map, &raw::contents(object, index), &programs)?;
            Some(ops)
        })
        .collect()
}

impl StructOps {
    /// Copies the variable member by member to where the kernel has it; functions are kept apart, for they have no
    /// descriptors yet. libbpf found each member before.
    fn fill(&mut self, types: &Btf, map: &RawMap, contents: &[u8], programs: &[(u64, String)]) -> Option<()> {
        let own = composite(types, types.resolve(TypeId(map.value_type_id)))?;
        let kernel = Arc::clone(&self.kernel.btf);
        let start = self.kernel.offset_of_record(&self.record)?;
        let theirs: Vec<_> = composite(&kernel, self.kernel.id)?.members().collect();
        for member in own.members().filter(|member| member.bit_size == 0 && !member.name.is_empty()) {
            let Some(place) = theirs.iter().find(|one| one.name == member.name) else { continue };
            let size = types.size_of(member.type_id)? as usize;
            let (from, to) = (member.bit_offset as usize / 8, start + place.bit_offset as usize / 8);
            let bytes = contents.get(from..from + size)?;
            if matches!(types.type_by_id(types.resolve(member.type_id)), Type::Ptr(_)) {
                let address = u64::from_ne_bytes(bytes.try_into().ok()?);
                let program = programs.iter().find(|(known, _)| *known == address);
                self.slots.extend(program.map(|(_, name)| Slot { offset: to, function: name.clone() }));
            } else {
                self.value.get_mut(to..to + size)?.copy_from_slice(bytes);
            }
        }
        Some(())
    }

    /// The names of its functions, in the order of the variable's members.
    pub fn functions(&self) -> impl Iterator<Item = &str> {
        self.slots.iter().map(|slot| slot.function.as_str())
    }

    /// The value with its functions, which are those of [`functions`](Self::functions) loaded, in that order.
    pub fn value(&self, programs: &[Rc<Program>]) -> Vec<u8> {
        let mut value = self.value.clone();
        for (slot, program) in self.slots.iter().zip(programs) {
            let descriptor = u64::from(program.fd.as_raw_fd().unsigned_abs()).to_ne_bytes();
            if let Some(place) = value.get_mut(slot.offset..slot.offset + descriptor.len()) {
                place.copy_from_slice(&descriptor);
            }
        }
        value
    }

    /// What its functions are loaded for.
    pub fn target(&self, what: &str) -> Result<BtfTarget> {
        let open = |module: &String| open_kernel_module(module).map_err(|err| Error::io(what, &err));
        let btf: Option<OwnedFd> = self.kernel.module.as_ref().map(open).transpose()?;
        Ok(BtfTarget { id: self.kernel.id.0, btf, ..BtfTarget::default() })
    }
}

impl KernelRecord {
    /// The struct of this name, if this kernel or one of its modules lets BPF be one.
    fn find(record: &str) -> Option<KernelRecord> {
        let kernel = btf::shared().ok()?;
        let around = format!("{AROUND}{record}");
        let (btf, module) = match kernel.find(Kind::Struct, &around) {
            Some(_) => (kernel, None),
            None => {
                let (module, btf) = BtfFolder::running().find(&kernel, Kind::Struct, &around)?;
                (Arc::new(btf), Some(module))
            }
        };
        let id = btf.find_each(Kind::Struct, record).last()?;
        Some(KernelRecord { btf, id, module })
    }

    /// Where the struct lies in what the kernel puts around it, in bytes.
    fn offset_of_record(&self, record: &str) -> Option<usize> {
        let around = self.btf.find(Kind::Struct, &format!("{AROUND}{record}"))?;
        let member = composite(&self.btf, around)?.members().find(|member| member.type_id == self.id)?;
        Some(member.bit_offset as usize / 8)
    }
}

fn composite(btf: &Btf, id: TypeId) -> Option<Composite<'_>> {
    match btf.type_by_id(id) {
        Type::Struct(composite) => Some(composite),
        _ => None,
    }
}

/// The error of a function in a section `struct_ops` that no variable names.
pub fn unused(what: &str, section: &str) -> Error {
    let why = format!("it is in the section `{section}`, and no variable of the C text has it as a member");
    let hint = "put its name into a variable: `SEC(\".struct_ops.link\") struct tcp_congestion_ops mine = {…}`";
    Error::script(what, why).with_hint(hint)
}

/// What libbpf's words about a struct of functions mean, if that is what they are about.
pub fn meaning(what: &str, line: &str) -> Option<Error> {
    let rest = line.strip_prefix("struct_ops ")?;
    if let Some(name) = between(rest, ": struct ", " is not found in kernel BTF") {
        let record = name.strip_prefix(AROUND).unwrap_or(name);
        let why = format!("this kernel lets BPF be no `struct {record}`");
        return Some(Error::machine(what, why).with_note(known_records()));
    }
    if let Some(member) = between(rest, ": Cannot find member ", " in kernel BTF") {
        return Some(Error::machine(what, format!("this kernel's struct has no member `{member}`, which is set")));
    }
    let (variable, words) = rest.trim_start_matches("init_kern ").split_once([':', ' '])?;
    Some(
        Error::script(what, format!("`{variable}` is not as this kernel has it"))
            .with_evidence(format!("libbpf: {}", words.trim())),
    )
}

/// The structs that the kernel itself lets BPF be.
fn known_records() -> String {
    let Ok(kernel) = btf::shared() else { return "the kernel has no BTF".to_owned() };
    let own = |name: &&str| kernel.find(Kind::Struct, name).is_some();
    let mut names: Vec<&str> =
        kernel.find_all_names(Kind::Struct).filter_map(|name| name.strip_prefix(AROUND)).filter(own).collect();
    names.sort_unstable();
    names.dedup();
    format!("it has: {}", names.join(", "))
}

fn between<'a>(line: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let (_, rest) = line.split_once(before)?;
    rest.split_once(after).map(|(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libbpfs_words_are_told_in_the_users() {
        let told = |line| meaning("cannot create", line).map(|error| error.to_string());
        assert_eq!(
            told("struct_ops init_kern: struct bpf_struct_ops_nobody is not found in kernel BTF").as_deref(),
            Some("cannot create: this kernel lets BPF be no `struct nobody`")
        );
        assert_eq!(
            told("struct_ops init_kern mine: Cannot find member later in kernel BTF").as_deref(),
            Some("cannot create: this kernel's struct has no member `later`, which is set")
        );
        assert_eq!(
            told("struct_ops init_kern mine: Error in size of member name: 8 != 16(kernel)").as_deref(),
            Some("cannot create: `mine` is not as this kernel has it")
        );
        assert_eq!(told("map 'mine': failed to create"), None);
    }
}
