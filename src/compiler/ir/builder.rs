// SPDX-License-Identifier: Apache-2.0
//! Making instructions.

use std::ffi::CStr;

use llvm_sys::LLVMInlineAsmDialect;
use llvm_sys::core::*;
use llvm_sys::debuginfo::LLVMInstructionGetDebugLoc;
use llvm_sys::prelude::LLVMBuilderRef;

use super::{Block, Context, Type, Value};

pub(super) const UNNAMED: &CStr = c"";

/// Adds instructions at one place of a function.
pub struct Builder<'c> {
    pub(super) builder: LLVMBuilderRef,
    context: &'c Context,
}

impl<'c> Builder<'c> {
    /// A builder that adds before `instruction`, with its debug location.
    pub fn before(context: &'c Context, instruction: Value<'c>) -> Self {
        // SAFETY: the instruction is live; the builder is disposed of in `drop`.
        unsafe {
            let builder = LLVMCreateBuilderInContext(context.raw());
            LLVMPositionBuilderBefore(builder, instruction.raw());
            LLVMSetCurrentDebugLocation2(builder, LLVMInstructionGetDebugLoc(instruction.raw()));
            Builder { builder, context }
        }
    }

    /// A builder that adds at the end of `block`.
    pub fn at_end(context: &'c Context, block: Block<'c>) -> Self {
        // SAFETY: the block is live; the builder is disposed of in `drop`.
        unsafe {
            let builder = LLVMCreateBuilderInContext(context.raw());
            LLVMPositionBuilderAtEnd(builder, block.raw());
            Builder { builder, context }
        }
    }

    /// Gives the following instructions the debug location of `instruction`.
    pub fn locate_as(&self, instruction: Value<'c>) {
        // SAFETY: builder and instruction are live.
        unsafe { LLVMSetCurrentDebugLocation2(self.builder, LLVMInstructionGetDebugLoc(instruction.raw())) }
    }

    fn int(&self, bits: u32) -> Type<'c> {
        // SAFETY: the context is live.
        unsafe { Type::from_raw(LLVMIntTypeInContext(self.context.raw(), bits)) }
    }

    fn pointer(&self) -> Type<'c> {
        // SAFETY: the context is live.
        unsafe { Type::from_raw(LLVMPointerTypeInContext(self.context.raw(), 0)) }
    }

    /// The 64-bit integer type.
    pub fn word(&self) -> Type<'c> {
        self.int(64)
    }

    /// The 32-bit integer type.
    pub fn half(&self) -> Type<'c> {
        self.int(32)
    }

    /// The 8-bit integer type.
    pub fn byte(&self) -> Type<'c> {
        self.int(8)
    }

    /// A stack slot of `bytes` bytes, 8-aligned.
    pub fn stack_slot(&self, bytes: u32) -> Value<'c> {
        let words = u64::from(bytes.div_ceil(8));
        // SAFETY: builder and types are of one live context; the result is an alloca.
        unsafe {
            let ty = LLVMArrayType2(self.int(64).raw(), words);
            let slot = LLVMBuildAlloca(self.builder, ty, UNNAMED.as_ptr());
            LLVMSetAlignment(slot, 8);
            Value::from_raw(slot)
        }
    }

    /// Reads a `ty` from `pointer`, which is aligned to 8 bytes.
    pub fn load(&self, ty: Type<'c>, pointer: Value<'c>) -> Value<'c> {
        // SAFETY: all of one live context; the result is a load.
        unsafe {
            let load = LLVMBuildLoad2(self.builder, ty.raw(), pointer.raw(), UNNAMED.as_ptr());
            LLVMSetAlignment(load, 8.min(ty.scalar_bytes().unwrap_or(1).next_power_of_two()));
            Value::from_raw(load)
        }
    }

    /// `pointer` moved by `bytes`.
    pub fn offset(&self, pointer: Value<'c>, bytes: i64) -> Value<'c> {
        let mut index = [self.int(64).constant(bytes as u64).raw()];
        // SAFETY: all of one live context; LLVM copies the array.
        unsafe {
            let i8_type = self.int(8).raw();
            Value::from_raw(LLVMBuildGEP2(
                self.builder,
                i8_type,
                pointer.raw(),
                index.as_mut_ptr(),
                1,
                UNNAMED.as_ptr(),
            ))
        }
    }

    /// Calls the BPF helper with this number; `result` is what it returns.
    pub fn call_helper(&self, number: u32, result: Type<'c>, args: &[Value<'c>]) -> Value<'c> {
        let mut types: Vec<_> = args.iter().map(|arg| arg.ty().raw()).collect();
        let mut raw: Vec<_> = args.iter().map(|arg| arg.raw()).collect();
        // SAFETY: all of one live context; a BPF helper is called through its number as an address.
        unsafe {
            let ty = LLVMFunctionType(result.raw(), types.as_mut_ptr(), types.len() as u32, 0);
            let callee = LLVMConstIntToPtr(self.int(64).constant(u64::from(number)).raw(), self.pointer().raw());
            Value::from_raw(LLVMBuildCall2(
                self.builder,
                ty,
                callee,
                raw.as_mut_ptr(),
                raw.len() as u32,
                UNNAMED.as_ptr(),
            ))
        }
    }

    /// A 64-bit value, cut or reinterpreted as `ty`, an integer of at most 64 bits or a pointer.
    pub fn cast_word(&self, value: Value<'c>, ty: Type<'c>) -> Value<'c> {
        // SAFETY: all of one live context.
        unsafe {
            if ty.is_pointer() {
                return Value::from_raw(LLVMBuildIntToPtr(self.builder, value.raw(), ty.raw(), UNNAMED.as_ptr()));
            }
            match ty.int_bits() {
                Some(bits) if bits < 64 => {
                    Value::from_raw(LLVMBuildTrunc(self.builder, value.raw(), ty.raw(), UNNAMED.as_ptr()))
                }
                _ => value,
            }
        }
    }

    /// Makes every user of a 32-bit value take it through a move of 32 bits that LLVM does not see through.
    pub fn move_32(&self, value: Value<'c>) -> Value<'c> {
        const MOVE: &CStr = c"$0 = $0";
        const SAME: &CStr = c"=w,0";
        // SAFETY: all of one live context; the string outlives the call that copies it; at first the call takes a
        // constant, so that it is no user of `value` while the others are changed.
        unsafe {
            let mut types = [value.ty().raw()];
            let ty = LLVMFunctionType(value.ty().raw(), types.as_mut_ptr(), 1, 0);
            let (text, constraints) = (MOVE.as_ptr().cast_mut(), SAME.as_ptr().cast_mut());
            let dialect = LLVMInlineAsmDialect::LLVMInlineAsmDialectATT;
            let asm = LLVMGetInlineAsm(ty, text, MOVE.count_bytes(), constraints, SAME.count_bytes(), 0, 0, dialect, 0);
            let mut args = [value.ty().zero().raw()];
            let moved = LLVMBuildCall2(self.builder, ty, asm, args.as_mut_ptr(), 1, UNNAMED.as_ptr());
            LLVMReplaceAllUsesWith(value.raw(), moved);
            LLVMSetOperand(moved, 0, value.raw());
            Value::from_raw(moved)
        }
    }

    /// The lower half of a 64-bit value, as 64 bits, by a move of 32 bits that LLVM does not see through.
    pub fn lower_half(&self, value: Value<'c>) -> Value<'c> {
        let moved = self.move_32(self.cast_word(value, self.half()));
        // SAFETY: all of one live context.
        unsafe { Value::from_raw(LLVMBuildZExt(self.builder, moved.raw(), self.word().raw(), UNNAMED.as_ptr())) }
    }

    /// Ends the block: to `then` when `condition` holds, else to `otherwise`.
    pub fn branch_if(&self, condition: Value<'c>, then: Block<'c>, otherwise: Block<'c>) {
        // SAFETY: all of one live context.
        unsafe { LLVMBuildCondBr(self.builder, condition.raw(), then.raw(), otherwise.raw()) };
    }

    /// Ends the block: to `target`.
    pub fn branch(&self, target: Block<'c>) {
        // SAFETY: all of one live context.
        unsafe { LLVMBuildBr(self.builder, target.raw()) };
    }

    /// Ends the function with `value`.
    pub fn ret(&self, value: Value<'c>) {
        // SAFETY: all of one live context.
        unsafe { LLVMBuildRet(self.builder, value.raw()) };
    }
}

impl Drop for Builder<'_> {
    fn drop(&mut self) {
        // SAFETY: created here and not handed out.
        unsafe { LLVMDisposeBuilder(self.builder) }
    }
}
