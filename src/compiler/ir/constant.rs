// SPDX-License-Identifier: Apache-2.0
//! Constants, parameters, loads.

use llvm_sys::core::*;

use super::Value;

impl<'c> Value<'c> {
    /// For a parameter: its function.
    pub fn parameter_of(self) -> Option<Value<'c>> {
        // SAFETY: the value is live; the parent is asked of parameters only.
        self.is_parameter().then(|| unsafe { Value::from_raw(LLVMGetParamParent(self.raw())) })
    }
}

impl Value<'_> {
    /// For a load: LLVM leaves it where it is.
    pub fn make_volatile(self) {
        // SAFETY: the value is a live load.
        unsafe { LLVMSetVolatile(self.raw(), 1) };
    }

    /// Whether this is a constant, a constant expression included.
    pub fn is_constant(self) -> bool {
        // SAFETY: the value is live.
        unsafe { LLVMIsConstant(self.raw()) != 0 }
    }

    /// Whether this is the constant 0 or NULL.
    pub fn is_null(self) -> bool {
        // SAFETY: the value is live.
        unsafe { LLVMIsNull(self.raw()) != 0 }
    }

    /// Whether this is a function's parameter.
    pub fn is_parameter(self) -> bool {
        // SAFETY: the value is live.
        unsafe { !LLVMIsAArgument(self.raw()).is_null() }
    }
}
