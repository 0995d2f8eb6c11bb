// SPDX-License-Identifier: Apache-2.0
//! Values, types and basic blocks.

use std::ffi::CString;
use std::fmt;
use std::marker::PhantomData;

use llvm_sys::LLVMAttributeFunctionIndex;
pub use llvm_sys::LLVMOpcode as Opcode;
use llvm_sys::core::*;
use llvm_sys::prelude::{LLVMBasicBlockRef, LLVMTypeRef, LLVMValueRef};
use llvm_sys::{LLVMLinkage, LLVMTypeKind, LLVMVisibility};

use super::module::{Marker, walk};

/// A value of a module: a function, an argument, an instruction, a constant.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Value<'c>(LLVMValueRef, Marker<'c>);

/// A type of a context.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Type<'c>(LLVMTypeRef, Marker<'c>);

/// A basic block of a function.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Block<'c>(LLVMBasicBlockRef, Marker<'c>);

impl<'c> Type<'c> {
    /// # Safety
    /// `raw` is a live type of a context that lives for `'c`.
    pub(super) unsafe fn from_raw(raw: LLVMTypeRef) -> Self {
        Type(raw, PhantomData)
    }

    pub(super) fn raw(self) -> LLVMTypeRef {
        self.0
    }

    /// The width of an integer type in bits.
    pub fn int_bits(self) -> Option<u32> {
        // SAFETY: the type is live.
        unsafe { (LLVMGetTypeKind(self.0) == LLVMTypeKind::LLVMIntegerTypeKind).then(|| LLVMGetIntTypeWidth(self.0)) }
    }

    /// Whether this is a pointer.
    pub fn is_pointer(self) -> bool {
        // SAFETY: the type is live.
        unsafe { LLVMGetTypeKind(self.0) == LLVMTypeKind::LLVMPointerTypeKind }
    }

    /// Whether this is `void`.
    pub fn is_void(self) -> bool {
        // SAFETY: the type is live.
        unsafe { LLVMGetTypeKind(self.0) == LLVMTypeKind::LLVMVoidTypeKind }
    }

    /// Bytes that a load of this type reads, for integers and pointers.
    pub fn scalar_bytes(self) -> Option<u32> {
        if self.is_pointer() { Some(8) } else { self.int_bits().map(|bits| bits.div_ceil(8)) }
    }

    /// The constant `value` of this integer type.
    pub fn constant(self, value: u64) -> Value<'c> {
        // SAFETY: an integer type of a live context.
        unsafe { Value::from_raw(LLVMConstInt(self.0, value, 0)) }
    }

    /// The null or zero of this type.
    pub fn zero(self) -> Value<'c> {
        // SAFETY: a type of a live context.
        unsafe { Value::from_raw(LLVMConstNull(self.0)) }
    }

    /// For a function type: what it returns.
    pub fn return_type(self) -> Type<'c> {
        // SAFETY: callers hold a function type; types of a context live as long as it.
        unsafe { Type::from_raw(LLVMGetReturnType(self.0)) }
    }
}

impl<'c> Block<'c> {
    /// # Safety
    /// `raw` is a live block of a context that lives for `'c`.
    pub(super) unsafe fn from_raw(raw: LLVMBasicBlockRef) -> Self {
        Block(raw, PhantomData)
    }

    pub(super) fn raw(self) -> LLVMBasicBlockRef {
        self.0
    }

    /// The instructions, in order.
    pub fn instructions(self) -> Vec<Value<'c>> {
        // SAFETY: walks the live block's list.
        unsafe {
            walk(LLVMGetFirstInstruction(self.0), |i| LLVMGetNextInstruction(i))
                .into_iter()
                .map(|i| Value::from_raw(i))
                .collect()
        }
    }

    /// The first instruction.
    pub fn first(self) -> Option<Value<'c>> {
        // SAFETY: the block is live.
        unsafe { Value::from_raw_or_null(LLVMGetFirstInstruction(self.0)) }
    }

    /// The function that the block is in.
    pub fn function(self) -> Value<'c> {
        // SAFETY: the block is live and in a function.
        unsafe { Value::from_raw(LLVMGetBasicBlockParent(self.0)) }
    }

    /// Moves this block before `other`.
    pub fn move_before(self, other: Block<'c>) {
        // SAFETY: both blocks are live.
        unsafe { LLVMMoveBasicBlockBefore(self.0, other.0) }
    }

    /// Moves this block behind `other`, into the function of `other`.
    pub fn move_after(self, other: Block<'c>) {
        // SAFETY: both blocks are live.
        unsafe { LLVMMoveBasicBlockAfter(self.0, other.0) }
    }
}

impl<'c> Value<'c> {
    /// # Safety
    /// `raw` is a live value of a context that lives for `'c`.
    pub(in crate::compiler) unsafe fn from_raw(raw: LLVMValueRef) -> Self {
        Value(raw, PhantomData)
    }

    /// # Safety
    /// `raw` is null or as for `from_raw`.
    pub(super) unsafe fn from_raw_or_null(raw: LLVMValueRef) -> Option<Self> {
        (!raw.is_null()).then_some(Value(raw, PhantomData))
    }

    pub(in crate::compiler) fn raw(self) -> LLVMValueRef {
        self.0
    }

    /// The name in the module; empty for most instructions.
    pub fn name(self) -> String {
        let mut len = 0;
        // SAFETY: the value is live; LLVM gives pointer and length of its own copy.
        unsafe {
            let text = LLVMGetValueName2(self.0, &raw mut len);
            String::from_utf8_lossy(std::slice::from_raw_parts(text.cast(), len)).into_owned()
        }
    }

    /// Renames the value. LLVM adds a suffix when the name is taken.
    pub fn set_name(self, name: &str) {
        // SAFETY: the value is live; LLVM copies the text.
        unsafe { LLVMSetValueName2(self.0, name.as_ptr().cast(), name.len()) }
    }

    /// The type of the value.
    pub fn ty(self) -> Type<'c> {
        // SAFETY: the value is live.
        unsafe { Type::from_raw(LLVMTypeOf(self.0)) }
    }

    /// For a function or a global: the type of what it is, not of its address.
    pub fn value_type(self) -> Type<'c> {
        // SAFETY: callers hold a function or a global.
        unsafe { Type::from_raw(LLVMGlobalGetValueType(self.0)) }
    }

    /// The opcode of an instruction or a constant expression.
    pub fn opcode(self) -> Option<Opcode> {
        // SAFETY: each query is made on a value of its kind, as the test before it shows.
        unsafe {
            if !LLVMIsAInstruction(self.0).is_null() {
                Some(LLVMGetInstructionOpcode(self.0))
            } else if !LLVMIsAConstantExpr(self.0).is_null() {
                Some(LLVMGetConstOpcode(self.0))
            } else {
                None
            }
        }
    }

    /// The operands of an instruction, constant expression or global (its initialiser).
    pub fn operands(self) -> Vec<Value<'c>> {
        // SAFETY: every user has operands 0..n; phi operands are its incoming values.
        unsafe {
            if LLVMIsAUser(self.0).is_null() {
                return Vec::new();
            }
            (0..LLVMGetNumOperands(self.0))
                .filter_map(|i| Value::from_raw_or_null(LLVMGetOperand(self.0, i as u32)))
                .collect()
        }
    }

    /// Operand `index`.
    pub fn operand(self, index: usize) -> Option<Value<'c>> {
        self.operands().get(index).copied()
    }

    /// Makes `other` operand `index`.
    pub fn set_operand(self, index: usize, other: Value<'c>) {
        // SAFETY: both are live, the index is one of an operand and, as callers see to, the types are the same.
        unsafe { LLVMSetOperand(self.0, index as u32, other.0) }
    }

    /// Makes a call one of `function`, which takes and returns the same.
    pub fn set_callee(self, function: Value<'c>) {
        // SAFETY: a call of the live module; what it calls is its last operand.
        unsafe { LLVMSetOperand(self.0, LLVMGetNumOperands(self.0) as u32 - 1, function.0) }
    }

    /// The values that use this one, once for each use.
    pub fn users(self) -> Vec<Value<'c>> {
        // SAFETY: walks the live use list.
        unsafe {
            walk(LLVMGetFirstUse(self.0), |u| LLVMGetNextUse(u))
                .into_iter()
                .map(|u| Value::from_raw(LLVMGetUser(u)))
                .collect()
        }
    }

    /// Makes every user use `other`.
    pub fn replace_uses_with(self, other: Value<'c>) {
        // SAFETY: both are live and, as callers see to, of one type.
        unsafe { LLVMReplaceAllUsesWith(self.0, other.0) }
    }

    /// The instruction behind this one in its block.
    pub fn next(self) -> Option<Value<'c>> {
        // SAFETY: callers hold an instruction in a block.
        unsafe { Value::from_raw_or_null(LLVMGetNextInstruction(self.0)) }
    }

    /// Moves an instruction before `other`.
    pub fn move_before(self, other: Value<'c>) {
        // SAFETY: both are live instructions; the builder is disposed of here.
        unsafe {
            let builder = LLVMCreateBuilderInContext(LLVMGetTypeContext(LLVMTypeOf(self.0)));
            LLVMInstructionRemoveFromParent(self.0);
            LLVMPositionBuilderBefore(builder, other.0);
            LLVMInsertIntoBuilder(builder, self.0);
            LLVMDisposeBuilder(builder);
        }
    }

    /// Removes an instruction that nobody uses any more.
    pub fn erase(self) {
        // SAFETY: an instruction in a block; the handle is not used again (see the module's docs).
        unsafe { LLVMInstructionEraseFromParent(self.0) }
    }

    /// Deletes a function.
    pub fn delete_function(self) {
        // SAFETY: a function without uses; the handle is not used again.
        unsafe { LLVMDeleteFunction(self.0) }
    }

    /// The arguments of a function.
    pub fn params(self) -> Vec<Value<'c>> {
        // SAFETY: callers hold a function.
        unsafe { (0..LLVMCountParams(self.0)).map(|i| Value::from_raw(LLVMGetParam(self.0, i))).collect() }
    }

    /// The blocks of a function.
    pub fn blocks(self) -> Vec<Block<'c>> {
        // SAFETY: callers hold a function; LLVM ends the list with null.
        unsafe {
            walk(LLVMGetFirstBasicBlock(self.0), |b| LLVMGetNextBasicBlock(b))
                .into_iter()
                .map(|b| Block::from_raw(b))
                .collect()
        }
    }

    /// All instructions of a function, block by block.
    pub fn instructions(self) -> Vec<Value<'c>> {
        self.blocks().into_iter().flat_map(Block::instructions).collect()
    }

    /// The block of an instruction.
    pub fn block(self) -> Block<'c> {
        // SAFETY: callers hold an instruction in a block.
        unsafe { Block::from_raw(LLVMGetInstructionParent(self.0)) }
    }

    /// For a call: what is called.
    pub fn callee(self) -> Option<Value<'c>> {
        // SAFETY: asked of calls only.
        unsafe {
            if LLVMIsACallInst(self.0).is_null() {
                return None;
            }
            Value::from_raw_or_null(LLVMGetCalledValue(self.0))
        }
    }

    /// Whether this is assembly in place of a function.
    pub fn is_inline_asm(self) -> bool {
        // SAFETY: the value is live.
        unsafe { !LLVMIsAInlineAsm(self.0).is_null() }
    }

    /// For a call: its arguments.
    pub fn call_args(self) -> Vec<Value<'c>> {
        // SAFETY: asked of calls only.
        unsafe {
            if LLVMIsACallInst(self.0).is_null() {
                return Vec::new();
            }
            (0..LLVMGetNumArgOperands(self.0)).map(|i| Value::from_raw(LLVMGetOperand(self.0, i))).collect()
        }
    }

    /// The value of an integer constant, zero-extended.
    pub fn as_constant(self) -> Option<u64> {
        // SAFETY: asked of integer constants of at most 64 bits only.
        unsafe {
            if LLVMIsAConstantInt(self.0).is_null() || LLVMGetIntTypeWidth(LLVMTypeOf(self.0)) > 64 {
                return None;
            }
            Some(LLVMConstIntGetZExtValue(self.0))
        }
    }

    /// For a getelementptr with constant indices: its distance in bytes from its base.
    pub fn constant_gep_offset(self) -> Option<i64> {
        if self.opcode()? != Opcode::LLVMGetElementPtr {
            return None;
        }
        let operands = self.operands();
        // SAFETY: a getelementptr has a source element type.
        let element = unsafe { Type::<'c>::from_raw(LLVMGetGEPSourceElementType(self.0)) };
        // The optimiser has brought all others into the form `i8, offset`.
        match (element.int_bits(), operands.as_slice()) {
            (Some(8), [_, offset]) => offset.as_constant().map(|bytes| bytes as i64),
            _ => None,
        }
    }

    /// Whether this is a global variable.
    pub fn is_global(self) -> bool {
        // SAFETY: the value is live.
        unsafe { !LLVMIsAGlobalVariable(self.0).is_null() }
    }

    /// The bytes of a global constant that is a string, its end included.
    pub fn constant_string(self) -> Option<Vec<u8>> {
        if !self.is_global() {
            return None;
        }
        // SAFETY: a global variable; null is checked, and LLVM returns a string of its own with its length.
        unsafe {
            let value = LLVMGetInitializer(self.0);
            if value.is_null() || LLVMIsGlobalConstant(self.0) == 0 || LLVMIsConstantString(value) == 0 {
                return None;
            }
            let mut length = 0;
            let text = LLVMGetAsString(value, &raw mut length);
            Some(std::slice::from_raw_parts(text.cast::<u8>(), length).to_vec())
        }
    }

    /// Whether this is a function.
    pub fn is_function(self) -> bool {
        // SAFETY: the value is live.
        unsafe { !LLVMIsAFunction(self.0).is_null() }
    }

    /// The section a function or global is put in; empty when it has none.
    pub fn section(self) -> String {
        // SAFETY: asked of functions and globals; null or a NUL-terminated text of LLVM's.
        unsafe {
            let section = LLVMGetSection(self.0);
            if section.is_null() {
                return String::new();
            }
            std::ffi::CStr::from_ptr(section).to_string_lossy().into_owned()
        }
    }

    /// Puts a function or global in a section.
    pub fn set_section(self, section: &str) {
        let section = CString::new(section).unwrap_or_default();
        // SAFETY: a function or global; LLVM copies the text.
        unsafe { LLVMSetSection(self.0, section.as_ptr()) }
    }

    /// Whether the linker sees the name.
    pub fn is_external(self) -> bool {
        // SAFETY: asked of functions and globals.
        unsafe { matches!(LLVMGetLinkage(self.0), LLVMLinkage::LLVMExternalLinkage | LLVMLinkage::LLVMWeakAnyLinkage) }
    }

    /// Whether another definition may take its place.
    pub fn is_weak(self) -> bool {
        // SAFETY: asked of functions and globals.
        unsafe { matches!(LLVMGetLinkage(self.0), LLVMLinkage::LLVMWeakAnyLinkage) }
    }

    /// The instructions of a call to inline assembly; `None` for other calls and where there are none.
    pub fn assembly(self) -> Option<String> {
        if self.opcode() != Some(Opcode::LLVMCall) && self.opcode() != Some(Opcode::LLVMCallBr) {
            return None;
        }
        // SAFETY: a call has a callee; LLVM returns a string of its own with its length.
        unsafe {
            let callee = LLVMGetCalledValue(self.0);
            if LLVMIsAInlineAsm(callee).is_null() {
                return None;
            }
            let mut length = 0;
            let text = LLVMGetInlineAsmAsmString(callee, &raw mut length);
            let text = String::from_utf8_lossy(std::slice::from_raw_parts(text.cast(), length)).into_owned();
            (!text.trim().is_empty()).then_some(text)
        }
    }

    /// Hides the name from the linker.
    pub fn make_internal(self) {
        // SAFETY: asked of functions and globals with a definition.
        unsafe { LLVMSetLinkage(self.0, LLVMLinkage::LLVMInternalLinkage) }
    }

    /// Keeps a name from other objects. libbpf has the verifier check such a function where it is called, not by itself.
    pub fn make_hidden(self) {
        // SAFETY: asked of functions and globals with a definition.
        unsafe { LLVMSetVisibility(self.0, LLVMVisibility::LLVMHiddenVisibility) }
    }

    /// Adds an attribute such as `alwaysinline` to a function.
    pub fn add_attribute(self, name: &str) {
        self.add_attribute_value(name, 0);
    }

    /// Adds an attribute that has a value, in LLVM's encoding.
    pub fn add_attribute_value(self, name: &str, value: u64) {
        // SAFETY: a function; LLVM reads name and length.
        unsafe {
            let kind = LLVMGetEnumAttributeKindForName(name.as_ptr().cast(), name.len());
            let context = LLVMGetTypeContext(LLVMTypeOf(self.0));
            LLVMAddAttributeAtIndex(self.0, LLVMAttributeFunctionIndex, LLVMCreateEnumAttribute(context, kind, value));
        }
    }

    /// Gives a function all the attributes that function `from` has as a whole.
    pub fn copy_attributes(self, from: Value<'c>) {
        // SAFETY: both are functions; LLVM fills as many attributes as it counts.
        unsafe {
            let count = LLVMGetAttributeCountAtIndex(from.0, LLVMAttributeFunctionIndex);
            let mut attributes = vec![std::ptr::null_mut(); count as usize];
            LLVMGetAttributesAtIndex(from.0, LLVMAttributeFunctionIndex, attributes.as_mut_ptr());
            for attribute in attributes {
                LLVMAddAttributeAtIndex(self.0, LLVMAttributeFunctionIndex, attribute);
            }
        }
    }

    /// Whether a function has an attribute such as `noinline`.
    pub fn has_attribute(self, name: &str) -> bool {
        // SAFETY: a function; LLVM reads name and length.
        unsafe {
            let kind = LLVMGetEnumAttributeKindForName(name.as_ptr().cast(), name.len());
            !LLVMGetEnumAttributeAtIndex(self.0, LLVMAttributeFunctionIndex, kind).is_null()
        }
    }

    /// Whether a function has an attribute that LLVM knows as a string only, such as `dontcall-error`.
    pub fn has_string_attribute(self, name: &str) -> bool {
        // SAFETY: a function; LLVM reads name and length.
        unsafe {
            let (text, length) = (name.as_ptr().cast(), name.len() as u32);
            !LLVMGetStringAttributeAtIndex(self.0, LLVMAttributeFunctionIndex, text, length).is_null()
        }
    }
}

impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // SAFETY: the value is live; the text is disposed of in `take_message`.
        f.write_str(unsafe { super::module::take_message(LLVMPrintValueToString(self.0)) }.trim())
    }
}
