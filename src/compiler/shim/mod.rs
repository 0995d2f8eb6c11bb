// SPDX-License-Identifier: Apache-2.0
//! The only caller of the C++ shim: clang's front end as one function.

use std::ffi::{CStr, CString, c_char, c_int, c_void};

use llvm_sys::prelude::{LLVMContextRef, LLVMModuleRef, LLVMValueRef};

use super::diagnostic::{Diagnostic, Severity};
use super::ir::{Context, Module, Value};

/// A file of the virtual file system that clang sees.
#[derive(Clone, Debug)]
pub struct VirtualFile {
    /// Absolute, or relative to the working directory.
    pub path: String,
    /// The whole text.
    pub text: String,
}

#[repr(C)]
struct CcFile {
    path: *const c_char,
    data: *const c_char,
    len: usize,
}

#[repr(C)]
struct CcDiag {
    severity: c_int,
    path: *const c_char,
    line: u32,
    col: u32,
    message: *const c_char,
    fixit: *const c_char,
}

#[repr(C)]
struct CcSink {
    ctx: *mut c_void,
    diag: extern "C" fn(*mut c_void, *const CcDiag),
}

unsafe extern "C" {
    fn cc_compile(
        files: *const CcFile,
        n_files: usize,
        args: *const *const c_char,
        n_args: usize,
        context: LLVMContextRef,
        sink: *const CcSink,
        module: *mut LLVMModuleRef,
    ) -> c_int;
    fn cc_clone_function(function: LLVMValueRef) -> LLVMValueRef;
    fn cc_version() -> *const c_char;
}

/// How the front end ended.
pub enum Outcome<'c> {
    /// A module, not optimised yet.
    Module(Module<'c>),
    /// The text has errors; the diagnostics say which.
    Failed,
}

/// Runs clang's front end over `files` with the cc1 arguments `args`; the diagnostics come in clang's order.
pub fn compile<'c>(files: &[VirtualFile], args: &[String], context: &'c Context) -> (Outcome<'c>, Vec<Diagnostic>) {
    let paths: Vec<CString> = files.iter().map(|file| c_string(&file.path)).collect();
    let cc_files: Vec<CcFile> = files
        .iter()
        .zip(&paths)
        .map(|(file, path)| CcFile { path: path.as_ptr(), data: file.text.as_ptr().cast(), len: file.text.len() })
        .collect();
    let args: Vec<CString> = args.iter().map(|arg| c_string(arg)).collect();
    let arg_pointers: Vec<*const c_char> = args.iter().map(|arg| arg.as_ptr()).collect();

    let mut diagnostics: Vec<Diagnostic> = Vec::new();
    let sink = CcSink { ctx: (&raw mut diagnostics).cast(), diag: collect };
    let mut module = std::ptr::null_mut();
    // SAFETY: every pointer refers to memory that lives until after the call; `collect` is given the vector it expects.
    let status = unsafe {
        cc_compile(
            cc_files.as_ptr(),
            cc_files.len(),
            arg_pointers.as_ptr(),
            arg_pointers.len(),
            context.raw(),
            &raw const sink,
            &raw mut module,
        )
    };
    let outcome = match status {
        // SAFETY: the shim returned a new module of this context and leaves it to us.
        0 => Outcome::Module(unsafe { Module::from_raw(module, context) }),
        _ => Outcome::Failed,
    };
    (outcome, diagnostics)
}

/// A copy of `function` in the same module, with debug information of its own.
pub fn clone_function(function: Value<'_>) -> Value<'_> {
    // SAFETY: the value is a function of a live module (the lifetime says so).
    unsafe { Value::from_raw(cc_clone_function(function.raw())) }
}

/// The version of clang inside this executable.
pub fn version() -> String {
    // SAFETY: the shim returns a string literal.
    unsafe { CStr::from_ptr(cc_version()) }.to_string_lossy().into_owned()
}

extern "C" fn collect(ctx: *mut c_void, diag: *const CcDiag) {
    // SAFETY: `ctx` is the vector handed over in `compile`, and nothing else uses it during the call.
    let diagnostics = unsafe { &mut *ctx.cast::<Vec<Diagnostic>>() };
    // SAFETY: the shim hands over a diagnostic that is valid for the length of this call.
    let diag = unsafe { &*diag };
    let text = |pointer: *const c_char| {
        // SAFETY: the strings of a diagnostic are NUL-terminated and valid for the length of this call.
        unsafe { CStr::from_ptr(pointer) }.to_string_lossy().into_owned()
    };
    diagnostics.push(Diagnostic {
        severity: match diag.severity {
            0 | 1 => Severity::Note,
            2 => Severity::Warning,
            _ => Severity::Error,
        },
        file: text(diag.path),
        line: diag.line,
        column: diag.col,
        message: text(diag.message),
        fixit: (!diag.fixit.is_null()).then(|| text(diag.fixit)),
    });
}

/// A NUL inside would end the string for clang as well, so the text before it is what counts.
fn c_string(text: &str) -> CString {
    let end = text.find('\0').unwrap_or(text.len());
    CString::new(&text[..end]).unwrap_or_default()
}
