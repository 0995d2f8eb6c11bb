// SPDX-License-Identifier: Apache-2.0
//! `bpflua types`: the stubs in `scripts/types/` are those of the functions there are, and a script's own are complete.

use super::harness::{bpflua, root_folder};

const STUB: &str = "scripts/types/bpflua.lua";

fn stub() -> String {
    bpflua(["types"]).run().expect(0).stdout
}

/// `BPFLUA_UPDATE=1` writes the file.
#[test]
fn the_stub_is_of_the_functions_there_are() {
    let made = stub();
    let path = root_folder().join(STUB);
    if std::env::var_os("BPFLUA_UPDATE").is_some() {
        std::fs::write(&path, &made).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(made == kept, "{STUB} is not what `bpflua types` prints: run this test with BPFLUA_UPDATE=1");
}

#[test]
fn every_function_is_documented() {
    let stub = stub();
    let mut before = "";
    let mut bare = Vec::new();
    for line in stub.lines() {
        if line.starts_with("function ") && !before.starts_with("---") {
            bare.push(line);
        }
        before = line;
    }
    assert!(stub.matches("\nfunction ").count() > 150, "the stub is not whole");
    assert!(bare.is_empty(), "without a comment:\n{}", bare.join("\n"));
}

#[test]
fn the_stub_is_lua() {
    let check = format!("assert(loadfile('{STUB}'))");
    bpflua(["-e", &check]).run().expect(0);
}

#[test]
fn types_of_a_script() {
    if super::harness::missing(&[super::harness::Need::Btf]) {
        return;
    }
    let text = bpflua(["types", "tests/cli/types.lua"]).run().expect(0).stdout;
    insta::with_settings!({ snapshot_path => "../cli", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("types", text);
    });
    let bad = bpflua(["types", "tests/cli/check_bad.lua"]).run().expect(1);
    assert!(bad.stderr.contains("does not compile"), "{}", bad.stderr);
}
