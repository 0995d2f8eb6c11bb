// SPDX-License-Identifier: Apache-2.0
//! The C library's functions on strings and memory, of which BPF has none: comparisons of strings are written out, and
//! what is left is told.

use super::refusal;
use crate::compiler::diagnostic::Diagnostic;
use crate::compiler::ir::{Builder, Context, Module, Opcode, Value};

/// The longest comparison of strings that is written out.
pub const MOST_COMPARED: u64 = 128;
/// The longest `memcmp` that LLVM writes out for BPF: 128 loads of 8 bytes.
const MOST_MEMORY: u64 = 1024;

/// A comparison of strings that can be written out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// How many characters are compared at most.
    pub count: u64,
}

/// What a call compares, when it is one of `strncmp` with a constant number or of `strcmp` with a constant string.
pub fn comparison(call: Value<'_>) -> Option<Comparison> {
    let args = call.call_args();
    let count = match name_of(call)?.as_str() {
        "strncmp" => args.get(2)?.as_constant()?,
        // With the byte behind the string, which has to be the end of the other one as well.
        "strcmp" => {
            args.iter().take(2).find_map(|arg| arg.constant_string()?.iter().position(|&byte| byte == 0))? as u64 + 1
        }
        _ => return None,
    };
    (count <= MOST_COMPARED).then_some(Comparison { count })
}

/// The name of the function that is called, where it is one without a body.
pub fn name_of(call: Value<'_>) -> Option<String> {
    if call.opcode() != Some(Opcode::LLVMCall) {
        return None;
    }
    let callee = call.callee().filter(|callee| callee.is_function() && callee.blocks().is_empty())?;
    Some(callee.name())
}

/// Writes out the comparisons of strings in a function.
pub fn write_out<'c>(module: &Module<'c>, function: Value<'c>, context: &'c Context) {
    for call in function.instructions() {
        if let Some(comparison) = comparison(call) {
            compare(module, call, comparison.count, context);
        }
    }
}

/// What is known of a string: nothing behind it may be read.
enum Known {
    /// All of it.
    Text(Vec<u8>),
    /// The bytes of the variable that it is in.
    Bytes(u64),
    /// Nothing.
    Nothing,
}

fn known<'c>(module: &Module<'c>, string: Value<'c>) -> Known {
    if let Some(text) = string.constant_string() {
        return Known::Text(text);
    }
    let bytes = string.held_type().and_then(|ty| module.store_bytes(ty));
    bytes.filter(|_| string.opcode() == Some(Opcode::LLVMAlloca)).map_or(Known::Nothing, Known::Bytes)
}

/// Compares at most so many characters, from the last one back: each decides unless it is equal and no end. Without a
/// branch: of each the verifier would follow both ways, and older ones would give up after a few comparisons.
fn compare<'c>(module: &Module<'c>, call: Value<'c>, count: u64, context: &'c Context) {
    let args = call.call_args();
    let [left, right, ..] = args.as_slice() else { return };
    let (left, right) = ((*left, known(module, *left)), (*right, known(module, *right)));
    let builder = Builder::before(context, call);
    let zero = builder.half().constant(0);
    let mut result = zero;
    for index in (0..count).rev() {
        let character = |(string, known): &(Value<'c>, Known)| {
            match known {
                Known::Text(text) => {
                    return builder.half().constant(text.get(index as usize).copied().unwrap_or(0).into());
                }
                Known::Bytes(bytes) if index >= *bytes => return zero,
                _ => {}
            }
            let string = *string;
            let byte = builder.load(builder.byte(), builder.offset(string, index as i64));
            // In this order: all at once they would not fit in registers.
            byte.make_volatile();
            builder.widen(byte, builder.half())
        };
        let (a, b) = (character(&left), character(&right));
        // 1 for a byte that is not 0.
        let is_some = |byte: Value<'c>| builder.shift_right(builder.add(byte, builder.half().constant(255)), 8);
        let differs = is_some(builder.subtract(builder.or(a, b), builder.and(a, b)));
        let goes_on = builder.and(is_some(a), builder.subtract(builder.half().constant(1), differs));
        let rest = builder.and(builder.subtract(zero, goes_on), result);
        result = builder.or(builder.subtract(a, b), rest);
    }
    call.replace_uses_with(result);
    call.erase();
}

/// An error for the first call of a function that is nowhere: not in the text, not in the kernel.
pub fn refuse_undefined(module: &Module<'_>, file: &str) -> Result<(), Diagnostic> {
    for call in module.functions().into_iter().flat_map(Value::instructions) {
        let Some(name) = name_of(call).filter(|name| !name.starts_with("llvm.")) else { continue };
        // What has `__attribute__((error))` says by itself what is wrong.
        let is_told = |callee: Value<'_>| callee.section() == ".ksyms" || callee.has_string_attribute("dontcall-error");
        if call.callee().is_some_and(is_told) {
            continue;
        }
        let size = call.call_args().get(2).and_then(|size| size.as_constant());
        if matches!(name.as_str(), "memcmp" | "bcmp") && size.is_some_and(|size| size <= MOST_MEMORY) {
            continue;
        }
        return Err(refusal::at(call, file, words_for(&name)));
    }
    Ok(())
}

fn words_for(name: &str) -> String {
    const LIBRARY: &str = "is a function of the C library, which a BPF program has not";
    let instead = match name {
        "memcmp" | "bcmp" => {
            return format!("`memcmp` is written out for a constant number of bytes, up to {MOST_MEMORY}");
        }
        "strncmp" => {
            return format!("`strncmp` is written out for a constant number of characters, up to {MOST_COMPARED}");
        }
        "strcmp" => {
            return format!(
                "`strcmp` is written out where one of the two is a constant string of less than {MOST_COMPARED} \
                 characters; `strncmp` compares any two, up to a constant number"
            );
        }
        "strlen" | "strnlen" => "what `bpf_probe_read_kernel_str` (or `_user_str`) returns is the length and 1",
        "strcpy" | "strncpy" | "strlcpy" | "strscpy" => {
            "`bpf_probe_read_kernel_str` (or `_user_str`) copies a string, up to a number of bytes"
        }
        "memcpy" | "memmove" | "memset" | "memchr" | "strchr" | "strrchr" | "strstr" | "strnstr" | "strcat"
        | "strncat" | "strcasecmp" | "strncasecmp" | "snprintf" | "sprintf" | "printf" | "malloc" | "free" => {
            return format!("`{name}` {LIBRARY}");
        }
        _ => {
            return format!(
                "`{name}` is declared, but has no body in this text; a function of the kernel's is declared with `__ksym`"
            );
        }
    };
    format!("`{name}` {LIBRARY}: {instead}")
}
