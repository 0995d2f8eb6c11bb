// SPDX-License-Identifier: Apache-2.0
//! Where `require` finds Lua files: beside the script, in installed packs, and nowhere that others could write to.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::Path;

use super::harness::{Bpflua, Need, bpflua, missing, scratch};

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// A pack that says where it is from.
fn pack(folder: &Path, name: &str, from: &str) {
    write(&folder.join(name).join("init.lua"), &format!("return {{ from = [[{from}]], name = ... }}"));
    write(&folder.join(name).join("part.lua"), &format!("return [[{from} part]]"));
    write(&folder.join(name).join("deep/init.lua"), &format!("return [[{from} deep]]"));
}

/// A script without any packs but those that the test names.
fn run(script: &str) -> Bpflua {
    bpflua(["-e", script]).env("HOME", "/nonexistent").env("XDG_DATA_HOME", "").env("XDG_DATA_DIRS", "/nonexistent")
}

#[test]
fn packs_are_found_by_their_names() {
    let data = scratch("packs");
    pack(&data.join("bpflua/packs"), "tcp", "the user's");
    let script = "print(require('tcp').from, require('tcp.part'), require('tcp.deep'))";
    let wanted = "the user's\tthe user's part\tthe user's deep\n";
    assert_eq!(run(script).env("XDG_DATA_HOME", &data).run().expect(0).stdout, wanted);
    assert_eq!(run(script).env("XDG_DATA_DIRS", &data).run().expect(0).stdout, wanted);
    pack(&data.join("home/.local/share/bpflua/packs"), "tcp", "the user's");
    assert_eq!(run(script).env("HOME", data.join("home")).run().expect(0).stdout, wanted);
    // The user's own packs come before those of the machine; one variable stands in place of all.
    let (machine, other) = (scratch("packs_machine"), scratch("packs_other"));
    pack(&machine.join("bpflua/packs"), "tcp", "the machine's");
    pack(&other, "tcp", "another's");
    let both = || run(script).env("XDG_DATA_HOME", &data).env("XDG_DATA_DIRS", &machine);
    assert_eq!(both().run().expect(0).stdout, wanted);
    assert!(both().env("BPFLUA_PACKS", &other).run().expect(0).stdout.starts_with("another's\t"));
    let none = both().env("BPFLUA_PACKS", "").run().expect(1);
    assert!(none.stderr.contains("module 'tcp' not found"), "{}", none.stderr);
}

#[test]
fn files_beside_the_script_come_first() {
    let folder = scratch("packs_beside");
    pack(&folder.join("data/bpflua/packs"), "helper", "a pack");
    write(&folder.join("scripts/helper.lua"), "return 'beside'");
    write(&folder.join("scripts/lib/init.lua"), "return 'a folder beside'");
    let names = ["helper", "lib", "helper.part"].map(|name| format!("require('{name}')")).join(", ");
    write(
        &folder.join("scripts/main.lua"),
        &format!("print({names})\nprint(require('bpf') == BPF, require('bcc') == BPF, require('ffi').C ~= nil)"),
    );
    let run = |script: &str, from: &Path| {
        let run = bpflua([script]).env("XDG_DATA_HOME", folder.join("data")).current_dir(from);
        run.run().expect(0).stdout
    };
    let wanted = "beside\ta folder beside\ta pack part\ntrue\ttrue\ttrue\n";
    assert_eq!(run(folder.join("scripts/main.lua").to_str().unwrap(), Path::new("/")), wanted);
    assert_eq!(run("main.lua", &folder.join("scripts")), wanted);
    assert_eq!(run("scripts/main.lua", &folder), wanted);
}

#[test]
fn a_folder_that_others_can_write_to_is_refused_with_the_reason() {
    let folder = scratch("packs_open");
    pack(&folder, "tcp", "anybody's");
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).unwrap();
    let open = || run("require('tcp')").env("BPFLUA_PACKS", &folder);
    let ended = open().run().expect(1);
    let wanted = format!("no pack of '{}': others than its owner may write to it (mode 777)", folder.display());
    assert!(ended.stderr.contains(&wanted), "{}", ended.stderr);
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
    open().run().expect(0);
    if missing(&[Need::Root]) {
        return;
    }
    chown(&folder, Some(12345), None).unwrap();
    let ended = open().run().expect(1);
    let wanted = format!("no pack of '{}': it belongs to user 12345, and this is user 0", folder.display());
    assert!(ended.stderr.contains(&wanted), "{}", ended.stderr);
}
