// SPDX-License-Identifier: Apache-2.0
//! Packs are installed, found by name, updated and removed; what is not as it was installed does not run.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::time::Duration;

use super::harness::{Need, missing};
use super::packs_help::{Packs, bad_archive, golden, tool, zstd};

#[test]
fn folders_and_archives_are_installed_and_give_their_tools() {
    let packs = Packs::new("packs-install");
    packs.pack("tcp", "tcp", "1.0.0", "");
    golden("install", &packs.shown(["pack", "install", "./tcp"]));
    assert_eq!(packs.ok(["tcp"]), "tcp 1.0.0\n");
    assert_eq!(packs.ok(["run", "tcp/tcp"]), "tcp 1.0.0\n");
    assert_eq!(packs.ok(["-e", "print(require('tcp.part'))"]), "part of tcp 1.0.0\n");
    let lock = fs::read_to_string(packs.path("installed/pack.lock")).unwrap();
    let record = fs::read_to_string(packs.path("installed/tcp/.installed.toml")).unwrap();
    let digest = lock.lines().find(|line| line.starts_with("digest = ")).unwrap();
    assert!(record.contains(digest), "{record}\n{lock}");
    // An archive by tar, with its files at the top or in one folder.
    packs.pack("src/udp-2.0.0", "udp", "2.0.0", "");
    let tar = |arguments: &[&str]| {
        let status = std::process::Command::new("tar").args(arguments).current_dir(&packs.folder).status().unwrap();
        assert!(status.success());
    };
    tar(&["--zstd", "-cf", "udp.tar.zst", "-C", "src", "udp-2.0.0"]);
    packs.ok(["pack", "install", "udp.tar.zst"]);
    assert_eq!(packs.ok(["udp"]), "udp 2.0.0\n");
    tar(&["--zstd", "-cf", "tcp.tar.zst", "-C", "tcp", "."]);
    golden("install_again", &packs.shown(["pack", "install", "tcp.tar.zst"]));
    assert_eq!(packs.installed(), ["tcp", "udp"]);
}

#[test]
fn a_tampered_pack_does_not_run() {
    let packs = Packs::new("packs-tampered");
    packs.pack("base", "base", "1.0.0", "");
    packs.pack("tcp", "tcp", "1.0.0", "[dependencies]\nbase = \"1\"\n");
    packs.ok(["pack", "install", "./tcp"]);
    assert_eq!(packs.ok(["tcp"]), "tcp 1.0.0\n");
    packs.write("installed/tcp/tcp.lua", tool("print('evil')"));
    packs.write("installed/tcp/more.lua", "");
    fs::remove_file(packs.path("installed/tcp/part.lua")).unwrap();
    golden("tampered", &packs.shown(["tcp"]));
    let elsewhere = packs.run(["-e", "require('tcp.tcp')"]).current_dir(std::path::Path::new("/"));
    golden("tampered_require", &packs.mask(&elsewhere.run()));
    assert!(!packs.run(["pack", "export", "tcp"]).run().expect(1).stderr.is_empty());
    packs.ok(["pack", "install", "./tcp"]);
    assert_eq!(packs.ok(["tcp"]), "tcp 1.0.0\n");
    // One that it needs.
    packs.write("installed/base/part.lua", "return 'evil'");
    golden("tampered_dependency", &packs.shown(["tcp"]));
    // A bit that lets it be executed, and a link in place of a file, are changes as well.
    packs.ok(["pack", "install", "./base"]);
    fs::set_permissions(packs.path("installed/base/part.lua"), fs::Permissions::from_mode(0o755)).unwrap();
    assert!(packs.run(["tcp"]).run().expect(1).stderr.contains("changed: part.lua"));
    fs::remove_file(packs.path("installed/base/part.lua")).unwrap();
    symlink(packs.path("base/part.lua"), packs.path("installed/base/part.lua")).unwrap();
    assert!(packs.run(["tcp"]).run().expect(1).stderr.contains("`part.lua` is a symbolic link"));
}

#[test]
fn what_leads_out_or_is_no_file_is_refused_and_leaves_nothing() {
    let packs = Packs::new("packs-escape");
    let cases = [
        ("escape", "../evil.lua", tar::EntryType::Regular, 0o644),
        ("absolute", "/etc/evil.lua", tar::EntryType::Regular, 0o644),
        ("link", "link.lua", tar::EntryType::Symlink, 0o777),
        ("hard_link", "link.lua", tar::EntryType::Link, 0o644),
        ("device", "null", tar::EntryType::Char, 0o666),
        ("set_uid", "su", tar::EntryType::Regular, 0o4755),
    ];
    for (name, entry, kind, mode) in cases {
        let file = format!("{name}.tar.zst");
        bad_archive(&packs.path(&file), entry, kind, mode);
        golden(&format!("refused_{name}"), &packs.shown(["pack", "install", &file]));
    }
    packs.write("bomb.tar.zst", zstd(&bomb()));
    golden("refused_bomb", &packs.shown(["pack", "install", "bomb.tar.zst"]));
    packs.write("rubbish.tar.zst", "rubbish");
    golden("refused_rubbish", &packs.shown(["pack", "install", "rubbish.tar.zst"]));
    packs.pack("linked", "linked", "1.0.0", "");
    symlink("/etc/passwd", packs.path("linked/passwd")).unwrap();
    golden("refused_folder_link", &packs.shown(["pack", "install", "./linked"]));
    packs.pack("suid", "suid", "1.0.0", "");
    fs::set_permissions(packs.path("suid/part.lua"), fs::Permissions::from_mode(0o4755)).unwrap();
    golden("refused_folder_set_uid", &packs.shown(["pack", "install", "./suid"]));
    assert!(packs.installed().is_empty() && !packs.path("evil.lua").exists() && !packs.path("../evil.lua").exists());
}

fn bomb() -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(17 << 20);
    header.set_mode(0o644);
    builder.append_data(&mut header, "zeros", std::io::Read::take(std::io::repeat(0), 17 << 20)).unwrap();
    builder.into_inner().unwrap()
}

#[test]
fn two_tools_of_one_name_are_both_told() {
    let packs = Packs::new("packs-conflict");
    packs.pack("a", "a", "1.0.0", "top = \"top.lua\"\nexecsnoop = \"top.lua\"\n");
    packs.write("a/top.lua", tool("print('a')"));
    packs.pack("b", "b", "1.0.0", "top = \"top.lua\"\n");
    packs.write("b/top.lua", tool("print('b')"));
    packs.ok(["pack", "install", "./a", "./b"]);
    golden("conflict", &packs.shown(["top"]));
    golden("conflict_embedded", &packs.shown(["execsnoop"]));
    assert_eq!(packs.ok(["run", "a/top"]), "a\n");
    assert_eq!(packs.ok(["run", "b/top"]), "b\n");
    assert_eq!(packs.ok(["run", "a/execsnoop"]), "a\n");
    assert!(packs.ok(["run", "tools/execsnoop", "--", "--help"]).contains("Programs as they start"));
    packs.pack("tools", "tools", "1.0.0", "");
    golden("install_embedded_name", &packs.shown(["pack", "install", "./tools"]));
}

#[test]
fn what_others_can_write_to_is_refused() {
    let packs = Packs::new("packs-writable");
    packs.pack("tcp", "tcp", "1.0.0", "");
    packs.ok(["pack", "install", "./tcp"]);
    let mode = |path: &str, mode| fs::set_permissions(packs.path(path), fs::Permissions::from_mode(mode)).unwrap();
    mode("installed/tcp/part.lua", 0o666);
    golden("writable_file", &packs.shown(["tcp"]));
    mode("installed/tcp/part.lua", 0o644);
    mode("installed/tcp", 0o777);
    golden("writable_folder", &packs.shown(["run", "tcp/tcp"]));
    mode("installed/tcp", 0o755);
    mode("installed", 0o777);
    golden("writable_place", &packs.shown(["run", "tcp/tcp"]));
    golden("writable_place_install", &packs.shown(["pack", "install", "./tcp"]));
    mode("installed", 0o755);
    assert_eq!(packs.ok(["tcp"]), "tcp 1.0.0\n");
    if missing(&[Need::Root]) {
        return;
    }
    std::os::unix::fs::chown(packs.path("installed/tcp/part.lua"), Some(12345), None).unwrap();
    golden("owned_by_another", &packs.shown(["tcp"]));
}

#[test]
fn packs_go_when_nobody_needs_them() {
    let packs = Packs::new("packs-uninstall");
    packs.pack("base", "base", "1.0.0", "");
    packs.pack("tcp", "tcp", "1.0.0", "[dependencies]\nbase = \"1\"\n");
    packs.ok(["pack", "install", "./tcp"]);
    golden("uninstall_needed", &packs.shown(["pack", "uninstall", "base"]));
    golden("uninstall_missing", &packs.shown(["pack", "uninstall", "udp"]));
    golden("uninstall", &packs.shown(["pack", "uninstall", "tcp", "base"]));
    assert!(packs.installed().is_empty());
    assert!(!fs::read_to_string(packs.path("installed/pack.lock")).unwrap().contains("tcp"));
    assert_eq!(packs.run(["tcp"]).run().expect(1).stdout, "");
}

#[test]
fn an_install_that_is_killed_leaves_the_old_or_the_new() {
    let packs = Packs::new("packs-killed");
    for version in ["1.0.0", "2.0.0"] {
        packs.pack(&format!("tcp-{version}"), "tcp", version, "");
        for file in 0..40 {
            packs.write(&format!("tcp-{version}/data/{file}"), version.repeat(500));
        }
    }
    packs.ok(["pack", "install", "./tcp-1.0.0"]);
    for turn in 0..16 {
        let from = ["./tcp-2.0.0", "./tcp-1.0.0"][turn % 2];
        let running = packs.run(["pack", "install", from]).start();
        // At another place each time, from before the first file to after the last.
        std::thread::sleep(Duration::from_millis(turn as u64 * 6));
        running.signal(libc::SIGKILL);
        running.end();
        let printed = packs.ok(["tcp"]);
        assert!(["tcp 1.0.0\n", "tcp 2.0.0\n"].contains(&printed.as_str()), "{printed}");
    }
    packs.ok(["pack", "install", "./tcp-2.0.0"]);
    assert_eq!((packs.installed(), packs.ok(["tcp"])), (vec!["tcp".to_owned()], "tcp 2.0.0\n".to_owned()));
}
