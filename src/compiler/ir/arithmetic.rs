// SPDX-License-Identifier: Apache-2.0
//! Making instructions that compute.

use llvm_sys::LLVMIntPredicate;
use llvm_sys::core::*;

use super::builder::UNNAMED;
use super::{Builder, Type, Value};

impl<'c> Builder<'c> {
    /// An integer as one of the wider type `ty`, filled with zeros.
    pub fn widen(&self, value: Value<'c>, ty: Type<'c>) -> Value<'c> {
        // SAFETY: all of one live context.
        unsafe { Value::from_raw(LLVMBuildZExt(self.builder, value.raw(), ty.raw(), UNNAMED.as_ptr())) }
    }

    /// `left - right`.
    pub fn subtract(&self, left: Value<'c>, right: Value<'c>) -> Value<'c> {
        // SAFETY: all of one live context.
        unsafe { Value::from_raw(LLVMBuildSub(self.builder, left.raw(), right.raw(), UNNAMED.as_ptr())) }
    }

    /// `value >> bits`, filled with zeros.
    pub fn shift_right(&self, value: Value<'c>, bits: u64) -> Value<'c> {
        // SAFETY: all of one live context.
        unsafe {
            let amount = value.ty().constant(bits).raw();
            Value::from_raw(LLVMBuildLShr(self.builder, value.raw(), amount, UNNAMED.as_ptr()))
        }
    }

    /// `value >> bits`, filled with the sign.
    pub fn shift_right_signed(&self, value: Value<'c>, bits: u64) -> Value<'c> {
        // SAFETY: all of one live context.
        unsafe {
            let amount = value.ty().constant(bits).raw();
            Value::from_raw(LLVMBuildAShr(self.builder, value.raw(), amount, UNNAMED.as_ptr()))
        }
    }

    /// `left * right`.
    pub fn multiply(&self, left: Value<'c>, right: Value<'c>) -> Value<'c> {
        // SAFETY: all of one live context.
        unsafe { Value::from_raw(LLVMBuildMul(self.builder, left.raw(), right.raw(), UNNAMED.as_ptr())) }
    }

    /// `left / right` of unsigned numbers.
    pub fn divide(&self, left: Value<'c>, right: Value<'c>) -> Value<'c> {
        // SAFETY: all of one live context.
        unsafe { Value::from_raw(LLVMBuildUDiv(self.builder, left.raw(), right.raw(), UNNAMED.as_ptr())) }
    }

    /// `left % right` of unsigned numbers.
    pub fn remainder(&self, left: Value<'c>, right: Value<'c>) -> Value<'c> {
        // SAFETY: all of one live context.
        unsafe { Value::from_raw(LLVMBuildURem(self.builder, left.raw(), right.raw(), UNNAMED.as_ptr())) }
    }

    /// `left ^ right`.
    pub fn xor(&self, left: Value<'c>, right: Value<'c>) -> Value<'c> {
        // SAFETY: all of one live context.
        unsafe { Value::from_raw(LLVMBuildXor(self.builder, left.raw(), right.raw(), UNNAMED.as_ptr())) }
    }

    /// Whether two integers of one type are equal.
    pub fn equal(&self, left: Value<'c>, right: Value<'c>) -> Value<'c> {
        // SAFETY: all of one live context.
        unsafe {
            let equal = LLVMIntPredicate::LLVMIntEQ;
            Value::from_raw(LLVMBuildICmp(self.builder, equal, left.raw(), right.raw(), UNNAMED.as_ptr()))
        }
    }

    /// `left + right`.
    pub fn add(&self, left: Value<'c>, right: Value<'c>) -> Value<'c> {
        // SAFETY: all of one live context.
        unsafe { Value::from_raw(LLVMBuildAdd(self.builder, left.raw(), right.raw(), UNNAMED.as_ptr())) }
    }

    /// `left & right`.
    pub fn and(&self, left: Value<'c>, right: Value<'c>) -> Value<'c> {
        // SAFETY: all of one live context.
        unsafe { Value::from_raw(LLVMBuildAnd(self.builder, left.raw(), right.raw(), UNNAMED.as_ptr())) }
    }

    /// `left | right`.
    pub fn or(&self, left: Value<'c>, right: Value<'c>) -> Value<'c> {
        // SAFETY: all of one live context.
        unsafe { Value::from_raw(LLVMBuildOr(self.builder, left.raw(), right.raw(), UNNAMED.as_ptr())) }
    }

    /// `value << bits`.
    pub fn shift_left(&self, value: Value<'c>, bits: u64) -> Value<'c> {
        // SAFETY: all of one live context.
        unsafe {
            let amount = value.ty().constant(bits).raw();
            Value::from_raw(LLVMBuildShl(self.builder, value.raw(), amount, UNNAMED.as_ptr()))
        }
    }

    /// An integer as one of another width: cut, or filled with zeros.
    pub fn resize(&self, value: Value<'c>, ty: Type<'c>) -> Value<'c> {
        // SAFETY: all of one live context; both types are integers.
        unsafe { Value::from_raw(LLVMBuildIntCast2(self.builder, value.raw(), ty.raw(), 0, UNNAMED.as_ptr())) }
    }

    /// The address that a pointer is.
    pub fn address(&self, pointer: Value<'c>) -> Value<'c> {
        // SAFETY: all of one live context.
        unsafe { Value::from_raw(LLVMBuildPtrToInt(self.builder, pointer.raw(), self.word().raw(), UNNAMED.as_ptr())) }
    }

    /// The pointer that an address is.
    pub fn cast_pointer(&self, address: Value<'c>) -> Value<'c> {
        // SAFETY: all of one live context.
        unsafe {
            let pointer = LLVMPointerTypeInContext(LLVMGetTypeContext(address.ty().raw()), 0);
            Value::from_raw(LLVMBuildIntToPtr(self.builder, address.raw(), pointer, UNNAMED.as_ptr()))
        }
    }

    /// Writes `value` at `pointer`, which is aligned to 8 bytes.
    pub fn store(&self, value: Value<'c>, pointer: Value<'c>) {
        // SAFETY: all of one live context.
        unsafe { LLVMSetAlignment(LLVMBuildStore(self.builder, value.raw(), pointer.raw()), 8) };
    }

    /// Writes a number at `pointer`, which is aligned as numbers of its size are.
    pub fn store_natural(&self, value: Value<'c>, pointer: Value<'c>) {
        let alignment = 8.min(value.ty().scalar_bytes().unwrap_or(1).next_power_of_two());
        // SAFETY: all of one live context.
        unsafe { LLVMSetAlignment(LLVMBuildStore(self.builder, value.raw(), pointer.raw()), alignment) };
    }

    /// Calls a function of the module.
    pub fn call(&self, function: Value<'c>, args: &[Value<'c>]) -> Value<'c> {
        let mut raw: Vec<_> = args.iter().map(|arg| arg.raw()).collect();
        // SAFETY: all of one live context; the arguments are those of the function's type, as callers see to.
        unsafe {
            let ty = function.value_type().raw();
            let callee = function.raw();
            let args = raw.as_mut_ptr();
            Value::from_raw(LLVMBuildCall2(self.builder, ty, callee, args, raw.len() as u32, UNNAMED.as_ptr()))
        }
    }
}
