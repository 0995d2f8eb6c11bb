// SPDX-License-Identifier: Apache-2.0
//! Contexts and modules.

use std::cell::RefCell;
use std::ffi::{CStr, CString, c_char, c_void};
use std::marker::PhantomData;

use llvm_sys::analysis::{LLVMVerifierFailureAction, LLVMVerifyModule};
use llvm_sys::core::*;
use llvm_sys::error::{LLVMDisposeErrorMessage, LLVMGetErrorMessage};
use llvm_sys::prelude::{LLVMContextRef, LLVMDiagnosticInfoRef, LLVMModuleRef};
use llvm_sys::target::{LLVMDisposeTargetData, LLVMSetModuleDataLayout};
use llvm_sys::target_machine::{LLVMCodeGenFileType, LLVMCreateTargetDataLayout, LLVMTargetMachineEmitToMemoryBuffer};
use llvm_sys::transforms::pass_builder::{LLVMCreatePassBuilderOptions, LLVMDisposePassBuilderOptions, LLVMRunPasses};
use llvm_sys::{LLVMAttributeFunctionIndex, LLVMDiagnosticSeverity};

use super::{Block, Target, Type, Value};

/// Owns the memory of everything made while compiling one text.
pub struct Context {
    context: LLVMContextRef,
    /// What the code generator objects to; LLVM's own handler would print it and end the process.
    errors: Box<RefCell<Vec<String>>>,
}

impl Context {
    /// An empty context.
    pub fn new() -> Self {
        let errors = Box::new(RefCell::new(Vec::new()));
        // SAFETY: creates a context that `drop` disposes of; the handler's data is boxed and lives as long.
        let context = unsafe {
            let context = LLVMContextCreate();
            let data: *const RefCell<Vec<String>> = &raw const *errors;
            LLVMContextSetDiagnosticHandler(context, Some(collect_error), data.cast_mut().cast());
            context
        };
        Context { context, errors }
    }

    pub(in crate::compiler) fn raw(&self) -> LLVMContextRef {
        self.context
    }

    fn take_errors(&self) -> Vec<String> {
        std::mem::take(&mut self.errors.borrow_mut())
    }
}

extern "C" fn collect_error(info: LLVMDiagnosticInfoRef, data: *mut c_void) {
    // SAFETY: LLVM hands over a live diagnostic; `data` is the cell of the context that is in use.
    unsafe {
        let words = take_message(LLVMGetDiagInfoDescription(info));
        if matches!(LLVMGetDiagInfoSeverity(info), LLVMDiagnosticSeverity::LLVMDSError) {
            (*data.cast::<RefCell<Vec<String>>>()).borrow_mut().push(words);
        }
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        // SAFETY: modules and values borrow from the context, so none is left.
        unsafe { LLVMContextDispose(self.context) }
    }
}

/// One translation unit in LLVM's form.
pub struct Module<'c> {
    module: LLVMModuleRef,
    context: &'c Context,
}

impl<'c> Module<'c> {
    /// Takes over a module.
    ///
    /// # Safety
    /// `module` is a live module of `context` that nobody else disposes of.
    pub(in crate::compiler) unsafe fn from_raw(module: LLVMModuleRef, context: &'c Context) -> Self {
        Module { module, context }
    }

    pub(super) fn raw(&self) -> LLVMModuleRef {
        self.module
    }

    /// The functions with a body, in order.
    pub fn functions(&self) -> Vec<Value<'c>> {
        // SAFETY: walks the live module's function list; LLVM ends it with null.
        unsafe {
            walk(LLVMGetFirstFunction(self.module), |f| LLVMGetNextFunction(f))
                .into_iter()
                .filter(|&f| LLVMCountBasicBlocks(f) > 0)
                .map(|f| Value::from_raw(f))
                .collect()
        }
    }

    /// The function of this name, declared or defined.
    pub fn function(&self, name: &str) -> Option<Value<'c>> {
        let name = CString::new(name).ok()?;
        // SAFETY: the module is live and the name NUL-terminated.
        unsafe { Value::from_raw_or_null(LLVMGetNamedFunction(self.module, name.as_ptr())) }
    }

    /// The global variable of this name.
    pub fn global(&self, name: &str) -> Option<Value<'c>> {
        let name = CString::new(name).ok()?;
        // SAFETY: the module is live and the name NUL-terminated.
        unsafe { Value::from_raw_or_null(LLVMGetNamedGlobal(self.module, name.as_ptr())) }
    }

    /// Adds an external function of type `ty`.
    pub fn add_function(&self, name: &str, ty: Type<'c>) -> Value<'c> {
        let name = CString::new(name).unwrap_or_default();
        // SAFETY: the module and the type are of the same live context.
        unsafe { Value::from_raw(LLVMAddFunction(self.module, name.as_ptr(), ty.raw())) }
    }

    /// Adds an empty block at the end of `function`.
    pub fn append_block(&self, function: Value<'c>, name: &str) -> Block<'c> {
        let name = CString::new(name).unwrap_or_default();
        // SAFETY: the function is of this live context.
        unsafe { Block::from_raw(LLVMAppendBasicBlockInContext(self.context.raw(), function.raw(), name.as_ptr())) }
    }

    /// The integer type of `bits` bits.
    pub fn int_type(&self, bits: u32) -> Type<'c> {
        // SAFETY: the context is live.
        unsafe { Type::from_raw(LLVMIntTypeInContext(self.context.raw(), bits)) }
    }

    /// What a function that returns nothing returns.
    pub fn void_type(&self) -> Type<'c> {
        // SAFETY: the context is live.
        unsafe { Type::from_raw(LLVMVoidTypeInContext(self.context.raw())) }
    }

    /// The opaque pointer type.
    pub fn pointer_type(&self) -> Type<'c> {
        // SAFETY: the context is live.
        unsafe { Type::from_raw(LLVMPointerTypeInContext(self.context.raw(), 0)) }
    }

    /// A function type.
    pub fn function_type(&self, result: Type<'c>, params: &[Type<'c>]) -> Type<'c> {
        let mut raw: Vec<_> = params.iter().map(|ty| ty.raw()).collect();
        // SAFETY: all types are of this live context; LLVM copies the array.
        unsafe { Type::from_raw(LLVMFunctionType(result.raw(), raw.as_mut_ptr(), raw.len() as u32, 0)) }
    }

    /// Runs passes by LLVM's textual pipeline syntax, such as `default<O2>`.
    pub fn run_passes(&self, pipeline: &str, target: &Target) -> Result<(), String> {
        let pipeline = CString::new(pipeline).unwrap_or_default();
        // SAFETY: module and target machine are live; the options are disposed of below; a returned error is taken over.
        unsafe {
            let options = LLVMCreatePassBuilderOptions();
            let error = LLVMRunPasses(self.module, pipeline.as_ptr(), target.raw(), options);
            LLVMDisposePassBuilderOptions(options);
            if error.is_null() {
                return Ok(());
            }
            let text = LLVMGetErrorMessage(error);
            let message = CStr::from_ptr(text).to_string_lossy().into_owned();
            LLVMDisposeErrorMessage(text);
            Err(message)
        }
    }

    /// Makes a module for BPF of one that was written for the host's processor, whose layout of data is the same: takes
    /// that processor's name and features from the functions, and the assembly that stands outside of them.
    pub fn retarget(&self, target: &Target) {
        const OF_THE_HOST: [&str; 3] = ["target-cpu", "target-features", "tune-cpu"];
        // SAFETY: module, functions and target machine are live; the strings are NUL-terminated, names have their length.
        unsafe {
            LLVMSetTarget(self.module, target.triple().as_ptr());
            let layout = LLVMCreateTargetDataLayout(target.raw());
            LLVMSetModuleDataLayout(self.module, layout);
            LLVMDisposeTargetData(layout);
            LLVMSetModuleInlineAsm2(self.module, c"".as_ptr(), 0);
            for function in walk(LLVMGetFirstFunction(self.module), |f| LLVMGetNextFunction(f)) {
                for name in OF_THE_HOST {
                    let length = name.len() as u32;
                    LLVMRemoveStringAttributeAtIndex(
                        function,
                        LLVMAttributeFunctionIndex,
                        name.as_ptr().cast(),
                        length,
                    );
                }
            }
        }
    }

    /// Whether the module is well formed; the error is LLVM's words.
    pub fn verify(&self) -> Result<(), String> {
        let mut message: *mut c_char = std::ptr::null_mut();
        // SAFETY: the module is live; the message is LLVM's and disposed of in `take_message`.
        unsafe {
            let broken =
                LLVMVerifyModule(self.module, LLVMVerifierFailureAction::LLVMReturnStatusAction, &raw mut message);
            let words = take_message(message);
            if broken == 0 { Ok(()) } else { Err(words) }
        }
    }

    /// The module as text.
    pub fn to_text(&self) -> String {
        // SAFETY: the module is live; the text is LLVM's to dispose of, which `take_message` does.
        unsafe { take_message(LLVMPrintModuleToString(self.module)) }
    }

    /// Generates the object file; the error is all that the backend objects to, in its words.
    pub fn emit_object(&self, target: &Target) -> Result<Vec<u8>, Vec<String>> {
        let mut message: *mut c_char = std::ptr::null_mut();
        let mut buffer = std::ptr::null_mut();
        // SAFETY: module and target machine are live; the buffer and the message are disposed of here.
        unsafe {
            let failed = LLVMTargetMachineEmitToMemoryBuffer(
                target.raw(),
                self.module,
                LLVMCodeGenFileType::LLVMObjectFile,
                &raw mut message,
                &raw mut buffer,
            );
            if failed != 0 {
                return Err(vec![take_message(message)]);
            }
            let errors = self.context.take_errors();
            if !errors.is_empty() {
                LLVMDisposeMemoryBuffer(buffer);
                return Err(errors);
            }
            let start = LLVMGetBufferStart(buffer).cast::<u8>();
            let object = std::slice::from_raw_parts(start, LLVMGetBufferSize(buffer)).to_vec();
            LLVMDisposeMemoryBuffer(buffer);
            Ok(object)
        }
    }
}

impl Drop for Module<'_> {
    fn drop(&mut self) {
        // SAFETY: the module was taken over in `from_raw`; its context outlives it.
        unsafe { LLVMDisposeModule(self.module) }
    }
}

/// Collects one of LLVM's linked lists.
pub(super) fn walk<T>(first: *mut T, next: impl Fn(*mut T) -> *mut T) -> Vec<*mut T> {
    let mut items = Vec::new();
    let mut item = first;
    while !item.is_null() {
        items.push(item);
        item = next(item);
    }
    items
}

/// Copies and disposes of a message of LLVM's; null is the empty text.
///
/// # Safety
/// `message` is null or a string that `LLVMDisposeMessage` may free.
pub(super) unsafe fn take_message(message: *mut c_char) -> String {
    if message.is_null() {
        return String::new();
    }
    // SAFETY: see above.
    unsafe {
        let text = CStr::from_ptr(message).to_string_lossy().into_owned();
        LLVMDisposeMessage(message);
        text
    }
}

/// A handle without a lifetime of its own.
pub(super) type Marker<'c> = PhantomData<&'c Context>;
