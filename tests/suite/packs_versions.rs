// SPDX-License-Identifier: Apache-2.0
//! What packs need of each other: versions that all will take, lock files, updates, bundles for machines without a network.

use std::fs;

use super::packs_help::{Packs, golden};

fn needs(what: &str) -> String {
    format!("[dependencies]\n{what}\n")
}

#[test]
fn a_pack_comes_with_those_that_it_needs() {
    let packs = Packs::new("packs-needs");
    packs.pack("shelf/base", "base", "1.5.0", "");
    packs.pack("shelf/tcp", "tcp", "1.0.0", &needs("base = \"^1.2\""));
    packs.write("shelf/tcp/tcp.lua", super::packs_help::tool("print(require('base.part'))"));
    golden("install_with_needs", &packs.shown(["pack", "install", "./shelf/tcp"]));
    assert_eq!(packs.ok(["tcp"]), "part of base 1.5.0\n");
    // It is there already.
    packs.pack("udp", "udp", "1.0.0", &needs("base = \">=1\""));
    golden("install_kept", &packs.shown(["pack", "install", "./udp"]));
    // From elsewhere, as the command line or the manifest says.
    packs.pack("far/old", "old", "0.3.0", "");
    packs.pack("a", "a", "1.0.0", &needs("old = \"0.3\""));
    golden("install_need_missing", &packs.shown(["pack", "install", "./a"]));
    packs.ok(["pack", "install", "--from", "./far", "./a"]);
    packs.pack("far/new", "new", "3.0.0", "");
    packs.pack("b", "b", "1.0.0", &needs("new = { version = \"3\", source = \"../far/new\" }"));
    packs.ok(["pack", "install", "./b"]);
    assert_eq!(packs.ok(["new"]), "new 3.0.0\n");
}

#[test]
fn of_two_that_need_the_same_both_are_heeded() {
    let packs = Packs::new("packs-both");
    packs.pack("v1/base", "base", "1.0.0", "");
    packs.pack("v2/base", "base", "2.0.0", "");
    packs.pack("one", "one", "1.0.0", &needs("base = \"1\""));
    packs.pack("two", "two", "1.0.0", &needs("base = \"2\""));
    packs.pack("any", "any", "1.0.0", &needs("base = \">=1\""));
    packs.ok(["pack", "install", "--from", "./v1", "--from", "./v2", "./any"]);
    assert_eq!(packs.ok(["base"]), "base 2.0.0\n");
    golden("conflict_of_versions", &packs.shown(["pack", "install", "--from", "./v1", "./one", "./two"]));
    // The older one will do for both.
    packs.ok(["pack", "install", "--from", "./v1", "./one"]);
    assert_eq!(packs.ok(["base"]), "base 1.0.0\n");
    golden("conflict_with_installed", &packs.shown(["pack", "install", "--from", "./v2", "./two"]));
    golden("dry_run", &packs.shown(["pack", "install", "-n", "./one"]));
}

#[test]
fn an_update_takes_what_is_newer_and_will_do() {
    let packs = Packs::new("packs-update");
    packs.pack("base", "base", "1.0.0", "");
    packs.pack("tcp", "tcp", "1.0.0", &needs("base = \"1\""));
    packs.ok(["pack", "install", "./tcp"]);
    assert_eq!(packs.ok(["pack", "update"]), "nothing newer\n");
    packs.pack("base", "base", "1.1.0", "");
    golden("update", &packs.shown(["pack", "update"]));
    assert_eq!((packs.ok(["base"]), packs.ok(["tcp"])), ("base 1.1.0\n".to_owned(), "tcp 1.0.0\n".to_owned()));
    packs.pack("base", "base", "2.0.0", "");
    assert_eq!(packs.ok(["pack", "update"]), "nothing newer\n");
    golden("update_unknown", &packs.shown(["pack", "update", "udp"]));
}

#[test]
fn a_lock_file_holds_the_version_and_the_content() {
    let packs = Packs::new("packs-lock");
    packs.pack("v1/base", "base", "1.0.0", "");
    packs.pack("v2/base", "base", "1.1.0", "");
    packs.pack("tcp", "tcp", "1.0.0", &needs("base = \"1\""));
    golden("lock", &packs.shown(["pack", "lock", "--from", "./v1", "./tcp"]));
    golden("lock_file", &packs.mask_text(&fs::read_to_string(packs.path("tcp/pack.lock")).unwrap()));
    packs.ok(["pack", "install", "--from", "./v2", "./tcp"]);
    assert_eq!(packs.ok(["base"]), "base 1.0.0\n");
    golden("lock_update", &packs.shown(["pack", "lock", "--update", "--from", "./v2", "./tcp"]));
    // Other content under the version that the lock file names.
    packs.ok(["pack", "uninstall", "tcp", "base"]);
    packs.write("v2/base/part.lua", "return 'something else'");
    golden("lock_other_content", &packs.shown(["pack", "install", "./tcp"]));
}

#[test]
fn a_bundle_is_all_that_another_machine_needs() {
    let packs = Packs::new("packs-bundle");
    packs.pack("base", "base", "1.0.0", "");
    packs.pack("tcp", "tcp", "1.0.0", &needs("base = \"1\""));
    packs.ok(["pack", "install", "./tcp"]);
    golden("export", &packs.shown(["pack", "export", "tcp"]));
    packs.ok(["pack", "export", "-o", "from-source.tar.zst", "./tcp"]);
    let bundle = |name: &str| fs::read(packs.path(name)).unwrap();
    assert_eq!(bundle("tcp-1.0.0.tar.zst"), bundle("from-source.tar.zst"), "one pack, one bundle");
    let other = Packs::new("packs-bundle-other");
    fs::write(other.path("b.tar.zst"), bundle("tcp-1.0.0.tar.zst")).unwrap();
    fs::remove_dir_all(&packs.folder).unwrap();
    golden(
        "import",
        &other
            .mask_text(&other.shown(["pack", "import", "b.tar.zst"]))
            .replace(&packs.folder.display().to_string(), "DIR"),
    );
    assert_eq!((other.ok(["tcp"]), other.ok(["base"])), ("tcp 1.0.0\n".to_owned(), "base 1.0.0\n".to_owned()));
    golden("import_missing", &other.shown(["pack", "import", "no.tar.zst"]));
}
