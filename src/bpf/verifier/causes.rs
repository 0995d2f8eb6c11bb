// SPDX-License-Identifier: Apache-2.0
//! Known verdicts: how the verifier words them, what they mean for the C text, and what to do.

/// A known verdict. A line has it when it contains all of `words`.
#[derive(Debug)]
pub struct Cause {
    words: &'static [&'static str],
    /// What was wrong, for the headline.
    pub meaning: &'static str,
    /// What to do; `{var}` and `{line}` are filled in. Empty when there is nothing sure to say.
    pub hint: &'static str,
}

impl Cause {
    /// The first cause of the table that a line of the verdict has.
    pub fn find(verdict: &[String]) -> Option<&'static Cause> {
        CAUSES.iter().find(|cause| verdict.iter().any(|line| cause.words.iter().all(|word| line.contains(word))))
    }
}

const fn cause(words: &'static [&'static str], meaning: &'static str, hint: &'static str) -> Cause {
    Cause { words, meaning, hint }
}

const TEST_FOR_NULL: &str = "a lookup can return NULL; test `{var}` before {line}";
const COPY_FIRST: &str = "copy it to the stack first, with `bpf_probe_read_kernel` (or `_user`), and pass the copy";
const LIMIT_INDEX: &str =
    "limit the index or size right before its use: `if (n >= N) return 0;` or `n &= N - 1`, N a power of two";
const SMALLER_STACK: &str = "keep large structs in a slot of a `BPF_PERCPU_ARRAY` instead of on the stack";
const BOUND_LOOP: &str = "give the loop a constant bound: `for (int i = 0; i < 16; i++)`";

/// In order: the first that fits is taken, so the special come before the general.
static CAUSES: &[Cause] = &[
    cause(&["mem access", "_or_null"], "invalid memory access", TEST_FOR_NULL),
    cause(&["pointer arithmetic on", "_or_null"], "arithmetic on a pointer that may be NULL", TEST_FOR_NULL),
    cause(&["type=", "_or_null expected="], "a pointer that may be NULL is passed to a helper", TEST_FOR_NULL),
    cause(&["ossibly NULL pointer passed to"], "a pointer that may be NULL is passed to a helper", TEST_FOR_NULL),
    cause(
        &["invalid func unknown#195896080"],
        "a type or member of the kernel that it uses does not exist in this kernel",
        "",
    ),
    cause(
        &["only read is supported"],
        "it writes to kernel memory",
        "a program may change its own variables and maps only: change a copy",
    ),
    cause(&["cannot write into rdonly"], "it writes to memory that is read-only", ""),
    cause(&["write into map forbidden"], "it writes to a map that is read-only", ""),
    cause(
        &["invalid mem access 'scalar'"],
        "invalid memory access",
        "the address is not memory that a program may read directly; read it with `bpf_probe_read_kernel` (or `_user`)",
    ),
    cause(
        &["invalid mem access 'inv'"],
        "invalid memory access",
        "the address is not memory that a program may read directly; read it with `bpf_probe_read_kernel` (or `_user`)",
    ),
    cause(&["invalid mem access 'fp'"], "invalid use of the stack", ""),
    cause(&["invalid mem access"], "invalid memory access", ""),
    cause(&["access beyond struct"], "access beyond the end of a kernel struct", ""),
    cause(&["access beyond the end of"], "access beyond the end of a kernel struct", ""),
    cause(
        &["invalid bpf_context access"],
        "it reads a part of the context that this kind of program does not have",
        "",
    ),
    cause(&["dereference of modified ctx"], "it changes the context pointer before reading through it", ""),
    cause(&["invalid access to map value"], "access outside of a map's value", LIMIT_INDEX),
    cause(&["invalid access to map key"], "access outside of a map's key", LIMIT_INDEX),
    cause(
        &["invalid access to packet"],
        "access outside of the packet",
        "compare the end of what is read with `data_end` first",
    ),
    cause(&["invalid access to memory"], "access outside of the memory it belongs to", LIMIT_INDEX),
    cause(&["combined stack size"], "more than 512 bytes of stack in the functions together", SMALLER_STACK),
    cause(&["Looks like the BPF stack limit is exceeded"], "more than 512 bytes of stack", SMALLER_STACK),
    cause(&["indirect", "from stack"], "it hands out stack memory that was never set", CLEAR_ALL),
    cause(&["invalid read from stack"], "it reads stack memory that was never set", CLEAR_ALL),
    cause(&["invalid indirect access to stack"], "access outside of a variable on the stack", LIMIT_INDEX),
    cause(
        &["invalid variable-offset", "stack"],
        "the index into a variable on the stack has no known limit",
        LIMIT_INDEX,
    ),
    cause(
        &["unbounded variable-offset", "stack"],
        "the index into a variable on the stack has no known limit",
        LIMIT_INDEX,
    ),
    cause(
        &["invalid write to stack"],
        "more than 512 bytes of stack, or a write outside of a variable on it",
        SMALLER_STACK,
    ),
    cause(
        &["invalid stack off="],
        "more than 512 bytes of stack, or an access outside of a variable on it",
        SMALLER_STACK,
    ),
    cause(&["unbounded memory access"], "an index or size has no known upper limit", LIMIT_INDEX),
    cause(
        &["min value is negative"],
        "an index or size may be negative",
        "make it unsigned, or test that it is not negative",
    ),
    cause(&["value is outside of the allowed memory range"], "an index or size may be out of range", LIMIT_INDEX),
    cause(&["math between", "pointer"], "an index has no known limits", LIMIT_INDEX),
    cause(&["pointer arithmetic", "prohibited"], "arithmetic on a pointer that does not allow it", ""),
    cause(&["invalid zero-sized read"], "a size may be zero", "test that the size is not 0"),
    cause(&["infinite loop detected"], "a loop has no end that the verifier can see", BOUND_LOOP),
    cause(
        &["back-edge from insn"],
        "it has a loop, which this kernel does not allow",
        "unroll it: `#pragma unroll` above a loop of constant bound",
    ),
    cause(
        &["BPF program is too large"],
        "too many paths: the verifier gave up after its limit of instructions",
        "make loops shorter, or move their body into a function for `bpf_loop`",
    ),
    cause(&["program is too large"], "the program has too many instructions", ""),
    cause(
        &["jumps is too complex"],
        "too many paths: the verifier gave up after its limit of branches",
        "make loops shorter, or move their body into a function for `bpf_loop`",
    ),
    cause(
        &["cannot call GPL"],
        "it calls a helper that only programs under the GPL may call",
        "say `#define BPF_LICENSE GPL` in the C text, or nothing: GPL is the default",
    ),
    cause(
        &["bpf_override_return#"],
        "`bpf_override_return` is for kprobes, of kernels that were built for it (CONFIG_BPF_KPROBE_OVERRIDE)",
        "",
    ),
    cause(
        &["bpf_get_attach_cookie#"],
        "programs of this kind carry no cookie in this kernel",
        "kprobes, uprobes, tracepoints and perf events carry one",
    ),
    cause(
        &["program of this type cannot use helper"],
        "this kind of program may not call that helper in this kernel",
        "",
    ),
    cause(&["helper call is not allowed in probe"], "this kind of probe may not call that helper", ""),
    cause(&["unknown func"], "this kind of program may not call that helper in this kernel", ""),
    cause(&["invalid func"], "this kernel does not have that helper", ""),
    cause(&["cannot pass map_type"], "that helper does not work on a map of this type", ""),
    cause(
        &["nreleased reference"],
        "what it reserved or acquired is not given back on every path",
        "end every path after a `ringbuf_reserve` with `ringbuf_submit` or `ringbuf_discard`",
    ),
    cause(
        &["reference leak"],
        "what it reserved or acquired is not given back on every path",
        "end every path after a `ringbuf_reserve` with `ringbuf_submit` or `ringbuf_discard`",
    ),
    cause(&["At program exit the register R0"], "its return value is not one that the kernel takes here", "return 0"),
    cause(&["R0 !read_ok"], "it ends without a return value", "return a value on every path"),
    cause(&["!read_ok"], "it uses a value that was never set", "give every variable a value when it is declared"),
    cause(&["unreachable insn"], "it has code that can never run", ""),
    cause(&["unknown opcode 8d"], "it calls through a pointer, which BPF cannot", "call the function by its name"),
    cause(&["unknown opcode"], "it has an instruction that this kernel does not know", ""),
    cause(&["tail_call"], "its tail call is not allowed here", ""),
    cause(&["expected=fp"], "a helper wants memory of the program, and is given something else", COPY_FIRST),
    cause(
        &["failed to find the address for kernel symbol"],
        "it uses a variable of the kernel that this kernel's symbols do not have",
        "",
    ),
    cause(
        &["R3 type=", "expected=map_value"],
        "a helper wants a constant string, and is given something else",
        "write the string itself there: `\"text\"`, or a `static const char` array",
    ),
    cause(&["type=", "expected="], "a helper is given a value of the wrong kind", ""),
    cause(&["misaligned"], "a misaligned access", "copy packed data out with `__builtin_memcpy` first"),
    cause(&["leaks addr"], "it would give away a kernel address", "run it as root: only root's programs may"),
    cause(
        &["is not modifiable"],
        "its target's result cannot be replaced",
        "only those of `security_…` functions can, and of those marked for error injection in the kernel",
    ),
    cause(&["attach_btf_id", "not a function"], "its target is no function in the kernel's BTF", ""),
    cause(&["is not sleepable"], "its target cannot sleep, and the program may", "drop `.s` from its section"),
    cause(&["function calls are not allowed while holding a lock"], "it calls a helper while it holds a lock", ""),
    cause(&["last insn is not an exit or jmp"], "it does not end with a return", "return a value at the end"),
];

const CLEAR_ALL: &str =
    "set all of the variable, the padding between members too: `struct key k = {};` before its members";

#[cfg(test)]
mod tests {
    use super::*;

    fn meaning(line: &str) -> Option<&'static str> {
        Cause::find(&[line.to_owned()]).map(|cause| cause.meaning)
    }

    #[test]
    fn special_verdicts_win() {
        assert_eq!(meaning("R0 invalid mem access 'map_value_or_null'"), Some("invalid memory access"));
        assert!(Cause::find(&["R0 invalid mem access 'map_value_or_null'".to_owned()]).unwrap().hint.contains("NULL"));
        assert_eq!(meaning("R0 !read_ok"), Some("it ends without a return value"));
        assert_eq!(meaning("R3 !read_ok"), Some("it uses a value that was never set"));
        assert_eq!(meaning("something never heard of"), None);
    }
}
