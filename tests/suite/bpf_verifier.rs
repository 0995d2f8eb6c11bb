// SPDX-License-Identifier: Apache-2.0
//! What the running kernel says of programs that are wrong, in the user's words.
//!
//! With `BPFLUA_WRITE_LOGS=DIR` the logs are written there, as `tests/fixtures/verifier` has them.

use std::{env, fs};

use bpflua::error::Kind;

use super::bpf_objects::create;

/// Function, and how its meaning begins.
const REJECTED: &[(&str, &str)] = &[
    ("null_lookup", "invalid memory access"),
    ("null_argument", "a pointer that may be NULL is passed to a helper"),
    ("kernel_pointer", "invalid memory access"),
    ("past_the_value", "access outside of a map's value"),
    ("unlimited_index", "an index"),
    ("negative_index", "an index"),
    ("unset_padding", "it hands out stack memory that was never set"),
    ("large_stack", "more than 512 bytes of stack"),
    ("endless_loop", "a loop has no end"),
    ("long_loop", "too many paths"),
    ("unknown_helper", "this kernel does not have that helper"),
    ("helper_of_others", "this kind"),
    ("wrong_map", "that helper does not work on a map of this type"),
    ("wrong_argument", "a helper wants memory of the program"),
    ("unlimited_size", "an index or size"),
    ("never_submitted", "what it reserved or acquired is not given back"),
    ("no_return", "it ends without a return value"),
    ("never_set", "it uses a value that was never set"),
    ("never_run", "it has code that can never run"),
    ("past_the_context", "it reads a part of the context"),
    ("writes_kernel", "it writes to kernel memory"),
    ("odd_verdict", "its return value is not one"),
    ("past_the_packet", "access outside of the packet"),
    ("missing_member", "it uses `struct task_struct.never_a_member`, which"),
];

/// Newer kernels let root's programs read stack that was never set (6.3), and give some a stack of their own (6.13).
const ALLOWED_SOMEWHERE: [&str; 2] = ["unset_padding", "large_stack"];

fn check(object: &str, function: &str, meaning: &str) -> Result<(), String> {
    let Some(mut object) = create(object) else { return Ok(()) };
    let err = match object.load(function) {
        Ok(_) if ALLOWED_SOMEWHERE.contains(&function) => return Ok(()),
        Ok(_) => return Err(format!("`{function}` was loaded")),
        Err(err) => err,
    };
    println!("{}", err.report());
    if let (Some(folder), Some(log)) = (env::var_os("BPFLUA_WRITE_LOGS"), err.log()) {
        fs::write(std::path::Path::new(&folder).join(format!("{function}.log")), log).unwrap();
    }
    let right = err.kind() == Kind::Script && err.why().starts_with(meaning) && err.log().is_some();
    if right { Ok(()) } else { Err(format!("`{function}` wants `{meaning}`:\n{}", err.report())) }
}

#[test]
fn root_verdicts_are_understood() {
    let all = REJECTED.iter().map(|(function, meaning)| check("rejected", function, meaning));
    let free = check("proprietary", "not_free", "it calls a helper that only programs under the GPL");
    let wrong: Vec<String> = all.chain([free]).filter_map(Result::err).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
