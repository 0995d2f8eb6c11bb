// SPDX-License-Identifier: Apache-2.0
//! Members as the debug information has them: what a relocated access names, and the layout of a record's members.

use std::ffi::CString;

use llvm_sys::core::*;
use llvm_sys::debuginfo::{
    LLVMDIFlagBitField, LLVMDITypeGetFlags, LLVMDITypeGetOffsetInBits, LLVMDITypeGetSizeInBits, LLVMGetMetadataKind,
    LLVMMetadataKind,
};
use llvm_sys::prelude::LLVMValueRef;

use super::debug::{md_string, node_operand, node_operands};
use super::{Context, Value};

/// The metadata that clang puts on accesses, and LLVM on the globals that stand for their offsets.
const ACCESS_INDEX: &str = "llvm.preserve.access.index";

/// `!dbg`, as LLVM numbers the kinds of metadata.
pub(super) const DEBUG_KIND: u32 = 0;

/// Operand numbers of the metadata nodes, as LLVM 19 lays them out (`DebugInfoMetadata.h`).
mod operand {
    /// `DIType`: its name.
    pub const NAME: usize = 2;
    /// `DIDerivedType` and the array among `DICompositeType`s: what they are made of.
    pub const BASE: usize = 3;
    /// `DICompositeType`: its members, or an array's dimensions.
    pub const ELEMENTS: usize = 4;
    /// `DICompositeType`: its `btf_decl_tag`s.
    pub const ANNOTATIONS: usize = 13;
}

/// A member access that the loader relocates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoreAccess {
    /// The record that the access begins at; a typedef's name where it has none of its own.
    pub record: String,
    /// The way from there.
    pub steps: Vec<Step>,
}

/// One step of an access.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// To a member; the name of an anonymous one is empty.
    Member(String),
    /// To an element of an array.
    Element(u64),
}

/// A member's place in its record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemberBits {
    /// From the record's first bit.
    pub offset: u64,
    /// A bit field's own width, or that of the whole member.
    pub size: u64,
    /// For a bit field: the bytes of the type that it is declared with.
    pub declared_bytes: Option<u64>,
}

/// A record or an array in the debug information.
#[derive(Clone, Copy)]
pub struct Record(LLVMValueRef);

impl Record {
    /// The record behind typedefs and qualifiers.
    ///
    /// # Safety
    /// `node` is null or a debug type as a value, of a context that lives as long as this is used.
    unsafe fn strip(node: LLVMValueRef) -> Option<Record> {
        let mut node = node;
        for _ in 0..16 {
            if node.is_null() {
                return None;
            }
            // SAFETY: see above; a node's kind is asked before it is read as one.
            unsafe {
                match LLVMGetMetadataKind(LLVMValueAsMetadata(node)) {
                    LLVMMetadataKind::LLVMDICompositeTypeMetadataKind => return Some(Record(node)),
                    LLVMMetadataKind::LLVMDIDerivedTypeMetadataKind => node = node_operand(node, operand::BASE)?,
                    _ => return None,
                }
            }
        }
        None
    }

    /// # Safety
    /// `node` is a composite type as a value, of a context that lives as long as this is used.
    pub(super) unsafe fn of_node(node: LLVMValueRef) -> Record {
        Record(node)
    }

    /// Whether this has members: it is no array and no enum.
    pub fn is_record(self) -> bool {
        // SAFETY: the node is a composite type; the kind of what it is made of is asked.
        unsafe {
            let elements = node_operand(self.0, operand::ELEMENTS).map(|elements| node_operands(elements));
            let first = elements.and_then(|elements| elements.first().copied()).filter(|first| !first.is_null());
            first.is_some_and(|first| {
                let kind = LLVMGetMetadataKind(LLVMValueAsMetadata(first));
                matches!(kind, LLVMMetadataKind::LLVMDIDerivedTypeMetadataKind)
            })
        }
    }

    /// For an array: the bits of an element.
    pub fn element_bits(self) -> Option<u64> {
        self.array()?;
        // SAFETY: the node is an array, made of elements of a type.
        unsafe { node_operand(self.0, operand::BASE).map(|base| size_bytes(base) * 8) }
    }

    /// For an array: the record that an element is, if it is one.
    pub fn element_record(self) -> Option<Record> {
        self.array()?.1.filter(|element| element.is_record())
    }

    /// Member `index`: its name, its place, and the record or array that it is, if it is one.
    pub fn member(self, index: usize) -> Option<(String, MemberBits, Option<Record>)> {
        // SAFETY: the node is a composite type; a member is a derived type.
        unsafe {
            let elements = node_operand(self.0, operand::ELEMENTS)?;
            let member = node_operands(elements).get(index).copied().filter(|member| !member.is_null())?;
            let metadata = LLVMValueAsMetadata(member);
            let base = node_operand(member, operand::BASE);
            let is_bits = LLVMDITypeGetFlags(metadata) & LLVMDIFlagBitField != 0;
            let bits = MemberBits {
                offset: LLVMDITypeGetOffsetInBits(metadata),
                size: LLVMDITypeGetSizeInBits(metadata),
                declared_bytes: base.filter(|_| is_bits).map(|base| size_bytes(base)),
            };
            let name = node_operand(member, operand::NAME).and_then(|name| md_string(name)).unwrap_or_default();
            Some((name, bits, base.and_then(|base| Record::strip(base))))
        }
    }

    /// Member `index` of a map's definition: its name, and the size of what it points to. A number is there the length of
    /// an array (libbpf's `__uint`).
    fn map_member(self, index: usize) -> Option<(String, u64)> {
        // SAFETY: the node is a composite type; a member is a derived type, and its type a pointer.
        unsafe {
            let elements = node_operand(self.0, operand::ELEMENTS)?;
            let member = node_operands(elements).get(index).copied().filter(|member| !member.is_null())?;
            let name = md_string(node_operand(member, operand::NAME)?)?;
            let target = node_operand(member, operand::BASE).and_then(|pointer| node_operand(pointer, operand::BASE));
            let Some(target) = target else { return Some((name, 0)) };
            let bytes = size_bytes(target);
            // `int (*key_size)[n]`: the array is as long as the number says.
            let bytes = if name.ends_with("_size") { bytes / 4 } else { bytes };
            Some((name, bytes))
        }
    }

    /// For an array: the number of its dimensions and the record that an element is.
    fn array(self) -> Option<(usize, Option<Record>)> {
        // SAFETY: the node is a composite type; an array's elements are its dimensions.
        unsafe {
            let elements = node_operands(node_operand(self.0, operand::ELEMENTS)?);
            let first = elements.first().copied().filter(|first| !first.is_null())?;
            let kind = LLVMGetMetadataKind(LLVMValueAsMetadata(first));
            let is_array = matches!(kind, LLVMMetadataKind::LLVMDISubrangeMetadataKind);
            is_array.then(|| {
                let element = node_operand(self.0, operand::BASE).and_then(|base| Record::strip(base));
                (elements.len(), element)
            })
        }
    }

    /// Whether the record was declared with this `btf_decl_tag`.
    pub fn has_tag(self, tag: &str) -> bool {
        // SAFETY: the node is a composite type; an annotation is a pair of strings.
        unsafe {
            let Some(annotations) = node_operand(self.0, operand::ANNOTATIONS) else { return false };
            node_operands(annotations)
                .into_iter()
                .filter(|annotation| !annotation.is_null())
                .any(|annotation| node_operand(annotation, 1).and_then(|text| md_string(text)).as_deref() == Some(tag))
        }
    }

    /// The record's name; `None` when it has none.
    pub fn name(self) -> Option<String> {
        // SAFETY: the node is a composite type.
        unsafe { node_operand(self.0, operand::NAME).and_then(|name| md_string(name)) }
    }

    /// The steps that the indices of an access string take from here.
    fn steps(self, indices: &[u64]) -> Option<Vec<Step>> {
        let mut steps = Vec::new();
        let mut at = Some(self);
        let mut dimensions = 0;
        for &index in indices {
            if dimensions == 0
                && let Some((count, _)) = at?.array()
            {
                dimensions = count;
            }
            if dimensions > 0 {
                steps.push(Step::Element(index));
                dimensions -= 1;
                if dimensions == 0 {
                    at = at?.array()?.1;
                }
            } else {
                let (name, _, inner) = at?.member(usize::try_from(index).ok()?)?;
                steps.push(Step::Member(name));
                at = inner;
            }
        }
        Some(steps)
    }
}

/// The size of a type; a typedef or qualifier has that of what it stands for.
///
/// # Safety
/// `ty` is a debug type as a value.
unsafe fn size_bytes(ty: LLVMValueRef) -> u64 {
    let mut node = Some(ty);
    for _ in 0..16 {
        let Some(at) = node else { break };
        // SAFETY: see above; a node's kind is asked before it is read as one.
        unsafe {
            let metadata = LLVMValueAsMetadata(at);
            let bits = match LLVMGetMetadataKind(metadata) {
                LLVMMetadataKind::LLVMDICompositeTypeMetadataKind
                | LLVMMetadataKind::LLVMDIDerivedTypeMetadataKind
                | LLVMMetadataKind::LLVMDIBasicTypeMetadataKind => LLVMDITypeGetSizeInBits(metadata),
                _ => 0,
            };
            if bits > 0 {
                return bits / 8;
            }
            node = node_operand(at, operand::BASE);
        }
    }
    0
}

impl<'c> Value<'c> {
    /// For one of LLVM's globals that stand for the offset of a member: which member.
    pub fn core_access(self, context: &'c Context) -> Option<CoreAccess> {
        let name = self.name();
        // `llvm.RECORD:KIND:OFFSET$INDICES`; kind 0 is the offset in bytes.
        let (head, indices) = name.strip_prefix("llvm.")?.split_once('$')?;
        let (head, _offset) = head.rsplit_once(':')?;
        let (record, kind) = head.rsplit_once(':')?;
        if kind != "0" {
            return None;
        }
        let indices: Vec<u64> = indices.split(':').map(|index| index.parse().ok()).collect::<Option<_>>()?;
        let (first, rest) = indices.split_first()?;
        // SAFETY: a global of the live module.
        let root = unsafe { Record::strip(self.global_metadata(metadata_kind(context), context)?)? };
        let record = root.name().unwrap_or_else(|| record.to_owned());
        (*first == 0).then_some(CoreAccess { record, steps: root.steps(rest)? })
    }
}

impl<'c> Value<'c> {
    /// For a call of `llvm.preserve.*.access.index`: the record or array that is accessed.
    pub fn accessed_record(self, context: &'c Context) -> Option<Record> {
        // SAFETY: an instruction of the live module.
        unsafe { Record::strip(LLVMGetMetadata(self.raw(), metadata_kind(context))) }
    }
}

/// The sizes in bytes of a map's keys and values; 0 for those that it does not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MapSizes {
    /// Of a key.
    pub key: u64,
    /// Of a value.
    pub value: u64,
}

impl<'c> Value<'c> {
    /// For a map's variable: what its definition says of keys and values.
    pub fn map_sizes(self, context: &'c Context) -> Option<MapSizes> {
        // SAFETY: a global of the live module.
        let definition = unsafe {
            let expression = self.global_metadata(DEBUG_KIND, context)?;
            Record::strip(node_operand(node_operand(expression, 0)?, super::debug::operand::VARIABLE_TYPE)?)?
        };
        let mut sizes = MapSizes::default();
        for index in 0.. {
            let Some((name, size)) = definition.map_member(index) else { break };
            match name.as_str() {
                "key" | "key_size" => sizes.key = size,
                "value" | "value_size" => sizes.value = size,
                _ => {}
            }
        }
        Some(sizes)
    }

    /// # Safety
    /// A global of a live module.
    pub(super) unsafe fn global_metadata(self, kind: u32, context: &Context) -> Option<LLVMValueRef> {
        // SAFETY: see above; the copied entries are disposed of.
        unsafe {
            let mut count = 0;
            let entries = LLVMGlobalCopyAllMetadata(self.raw(), &raw mut count);
            let found = (0..count as u32).find(|&i| LLVMValueMetadataEntriesGetKind(entries, i) == kind);
            let node =
                found.map(|i| LLVMMetadataAsValue(context.raw(), LLVMValueMetadataEntriesGetMetadata(entries, i)));
            LLVMDisposeValueMetadataEntries(entries);
            node
        }
    }
}

fn metadata_kind(context: &Context) -> u32 {
    let name = CString::new(ACCESS_INDEX).unwrap_or_default();
    // SAFETY: the context is live; LLVM reads name and length.
    unsafe { LLVMGetMDKindIDInContext(context.raw(), name.as_ptr(), ACCESS_INDEX.len() as u32) }
}
