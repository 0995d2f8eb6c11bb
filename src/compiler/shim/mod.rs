// SPDX-License-Identifier: Apache-2.0
//! The only caller of the C++ shim: clang's front end as one function.

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::marker::PhantomData;

use llvm_sys::prelude::{LLVMContextRef, LLVMModuleRef, LLVMValueRef};

use super::complete::{Completions, Word};
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

#[repr(C)]
struct CcCompletions {
    ctx: *mut c_void,
    base: extern "C" fn(*mut c_void, *const c_char),
    candidate: extern "C" fn(*mut c_void, *const c_char, *const c_char, u32),
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
    fn cc_preprocess(
        files: *const CcFile,
        n_files: usize,
        args: *const *const c_char,
        n_args: usize,
        sink: *const CcSink,
        text: extern "C" fn(*mut c_void, *const c_char, usize),
    ) -> c_int;
    fn cc_complete(
        files: *const CcFile,
        n_files: usize,
        args: *const *const c_char,
        n_args: usize,
        line: u32,
        col: u32,
        sink: *const CcCompletions,
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

/// Files and arguments as C has them; they refer to what they were made of.
struct Input<'a> {
    files: Vec<CcFile>,
    args: Vec<*const c_char>,
    _strings: Vec<CString>,
    _texts: PhantomData<&'a [VirtualFile]>,
}

impl<'a> Input<'a> {
    fn new(files: &'a [VirtualFile], args: &[String]) -> Self {
        let strings: Vec<CString> =
            files.iter().map(|file| &file.path).chain(args).map(|string| c_string(string)).collect();
        let cc_file = |(file, path): (&VirtualFile, &CString)| CcFile {
            path: path.as_ptr(),
            data: file.text.as_ptr().cast(),
            len: file.text.len(),
        };
        Input {
            files: files.iter().zip(&strings).map(cc_file).collect(),
            args: strings.iter().skip(files.len()).map(|arg| arg.as_ptr()).collect(),
            _strings: strings,
            _texts: PhantomData,
        }
    }
}

/// What the callbacks of one call gather.
#[derive(Default)]
struct Gathered {
    diagnostics: Vec<Diagnostic>,
    text: Option<String>,
}

/// Runs clang's front end over `files` with the cc1 arguments `args`; the diagnostics come in clang's order.
pub fn compile<'c>(files: &[VirtualFile], args: &[String], context: &'c Context) -> (Outcome<'c>, Vec<Diagnostic>) {
    let input = Input::new(files, args);
    let mut gathered = Gathered::default();
    let sink = CcSink { ctx: (&raw mut gathered).cast(), diag: collect };
    let mut module = std::ptr::null_mut();
    // SAFETY: every pointer refers to memory that lives until after the call; `collect` is given what it expects.
    let status = unsafe {
        cc_compile(
            input.files.as_ptr(),
            input.files.len(),
            input.args.as_ptr(),
            input.args.len(),
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
    (outcome, gathered.diagnostics)
}

/// The text behind clang's preprocessor, with line markers; nothing when it has errors.
pub fn preprocess(files: &[VirtualFile], args: &[String]) -> Option<String> {
    let input = Input::new(files, args);
    let mut gathered = Gathered::default();
    let sink = CcSink { ctx: (&raw mut gathered).cast(), diag: collect };
    // SAFETY: as in `compile`; `take_text` is given what it expects.
    unsafe {
        cc_preprocess(
            input.files.as_ptr(),
            input.files.len(),
            input.args.as_ptr(),
            input.args.len(),
            &raw const sink,
            take_text,
        );
    }
    gathered.text
}

/// Completes at a place in the first of `files`; what clang does not say is left as it is by default.
pub fn complete(files: &[VirtualFile], args: &[String], line: u32, column: u32) -> Completions {
    let input = Input::new(files, args);
    let mut completions = Completions::default();
    let sink = CcCompletions { ctx: (&raw mut completions).cast(), base: take_base, candidate: take_candidate };
    // SAFETY: as in `compile`; the callbacks are given the completions that they expect.
    unsafe {
        cc_complete(
            input.files.as_ptr(),
            input.files.len(),
            input.args.as_ptr(),
            input.args.len(),
            line,
            column,
            &raw const sink,
        );
    }
    completions
}

extern "C" fn take_base(ctx: *mut c_void, base: *const c_char) {
    // SAFETY: `ctx` is what `complete` handed over, the string is valid for this call.
    let (completions, base) = unsafe { (&mut *ctx.cast::<Completions>(), CStr::from_ptr(base)) };
    completions.base = Some(base.to_string_lossy().into_owned());
}

extern "C" fn take_candidate(ctx: *mut c_void, text: *const c_char, note: *const c_char, priority: u32) {
    // SAFETY: `ctx` is what `complete` handed over, the strings are valid for this call; clang may have no word.
    let (completions, text, note) = unsafe {
        if text.is_null() {
            return;
        }
        (&mut *ctx.cast::<Completions>(), CStr::from_ptr(text), CStr::from_ptr(note))
    };
    let (text, note) = (text.to_string_lossy().into_owned(), note.to_string_lossy().into_owned());
    completions.words.push(Word { text, note, priority });
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
    // SAFETY: `ctx` is what `compile` or `preprocess` handed over, and nothing else uses it during the call.
    let Gathered { diagnostics, .. } = unsafe { &mut *ctx.cast::<Gathered>() };
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

extern "C" fn take_text(ctx: *mut c_void, data: *const c_char, len: usize) {
    // SAFETY: `ctx` is what `preprocess` handed over; the shim hands over as many bytes as it says.
    let (gathered, bytes) =
        unsafe { (&mut *ctx.cast::<Gathered>(), std::slice::from_raw_parts(data.cast::<u8>(), len)) };
    gathered.text = Some(String::from_utf8_lossy(bytes).into_owned());
}

/// A NUL inside would end the string for clang as well, so the text before it is what counts.
fn c_string(text: &str) -> CString {
    let end = text.find('\0').unwrap_or(text.len());
    CString::new(&text[..end]).unwrap_or_default()
}
