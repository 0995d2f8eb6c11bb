// SPDX-License-Identifier: Apache-2.0
//! Packs from git repositories: by tags, branches, commits; nothing of a repository is run.

use std::process::Command;

use super::harness::{Need, missing};
use super::packs_help::{Packs, golden, tool};

/// Runs git in a folder, as somebody.
pub fn git(packs: &Packs, folder: &str, arguments: &[&str]) -> String {
    let mut command = Command::new("git");
    command.current_dir(packs.path(folder)).args([
        "-c",
        "user.name=A",
        "-c",
        "user.email=a@example.org",
        "-c",
        "init.defaultBranch=main",
    ]);
    let output = command.args(arguments).env("GIT_CONFIG_GLOBAL", "/dev/null").output().unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn commit(packs: &Packs, version: &str, tag: Option<&str>) -> String {
    packs.pack("repo", "tcp", version, "");
    git(packs, "repo", &["add", "-A"]);
    git(packs, "repo", &["commit", "--quiet", "-m", version]);
    tag.iter().for_each(|tag| drop(git(packs, "repo", &["tag", "-f", tag])));
    git(packs, "repo", &["rev-parse", "HEAD"])
}

fn repository(name: &str) -> Option<Packs> {
    if missing(&[Need::Tool("git")]) {
        return None;
    }
    let packs = Packs::new(name);
    packs.pack("repo", "tcp", "0.1.0", "");
    git(&packs, "repo", &["init", "--quiet"]);
    Some(packs)
}

#[test]
fn the_newest_version_with_a_tag_is_installed_and_its_commit_noted() {
    let Some(packs) = repository("packs-git") else { return };
    commit(&packs, "1.0.0", Some("v1.0.0"));
    let newer = commit(&packs, "1.1.0", Some("1.1.0"));
    commit(&packs, "2.0.0-beta", Some("v2.0.0-beta"));
    golden("git_install", &packs.shown(["pack", "install", "--allow-unsigned", "git+repo"]));
    assert_eq!(packs.ok(["tcp"]), "tcp 1.1.0\n");
    let lock = std::fs::read_to_string(packs.path("installed/pack.lock")).unwrap();
    assert!(lock.contains(&format!("pin = \"{newer}\"")), "{lock}");
    let of = |source: &str| {
        packs.ok(["pack", "install", "--allow-unsigned", source]);
        packs.ok(["tcp"])
    };
    assert_eq!(of("git+repo#v1.0.0"), "tcp 1.0.0\n");
    assert_eq!(of("git+repo#main"), "tcp 2.0.0-beta\n");
    assert_eq!(of(&format!("git+file://{}#{newer}", packs.path("repo").display())), "tcp 1.1.0\n");
    packs.ok(["pack", "install", "--allow-unsigned", "--versions", "~1.0", "git+repo"]);
    assert_eq!(packs.ok(["tcp"]), "tcp 1.0.0\n");
    golden("git_no_version", &packs.shown(["pack", "install", "--allow-unsigned", "--versions", "^3", "git+repo"]));
    golden("git_no_reference", &packs.shown(["pack", "install", "--allow-unsigned", "git+repo#nowhere"]));
    golden("git_no_repository", &packs.shown(["pack", "install", "--allow-unsigned", "./nowhere.git"]));
    golden(
        "git_command_in_address",
        &packs.shown(["pack", "install", "--allow-unsigned", "git+ext::sh -c touch% evil"]),
    );
    assert!(!packs.path("evil").exists());
}

#[test]
fn updates_follow_the_tags_and_tell_of_one_that_moved() {
    let Some(packs) = repository("packs-git-update") else { return };
    commit(&packs, "1.0.0", Some("v1.0.0"));
    packs.ok(["pack", "install", "--allow-unsigned", "--versions", "1", "git+repo"]);
    commit(&packs, "1.2.0", Some("v1.2.0"));
    commit(&packs, "2.0.0", Some("v2.0.0"));
    golden("git_update", &packs.shown(["pack", "update", "--allow-unsigned", "tcp"]));
    assert_eq!(packs.ok(["tcp"]), "tcp 1.2.0\n");
    packs.write("repo/part.lua", "return 'something else'");
    packs.write("repo/pack.toml", "[pack]\nname = \"tcp\"\nversion = \"1.2.0\"\napi = 1\n");
    git(&packs, "repo", &["commit", "--quiet", "-am", "other"]);
    git(&packs, "repo", &["tag", "-f", "v1.2.0"]);
    golden("git_tag_moved", &packs.shown(["pack", "update", "--allow-unsigned"]));
    assert_eq!(packs.ok(["tcp"]), "tcp 1.2.0\n");
}

#[test]
fn packs_lie_in_folders_of_a_repository_and_beside_each_other() {
    let Some(packs) = repository("packs-git-folder") else { return };
    packs.pack("repo/packs/base", "base", "1.0.0", "");
    packs.pack("repo/packs/udp", "udp", "1.0.0", "[dependencies]\nbase = \"1\"\n");
    packs.write("repo/packs/udp/udp.lua", tool("print(require('base.part'))"));
    git(&packs, "repo", &["add", "-A"]);
    git(&packs, "repo", &["commit", "--quiet", "-m", "packs"]);
    packs.ok(["pack", "install", "--allow-unsigned", "git+repo#main:packs/udp"]);
    assert_eq!(packs.ok(["udp"]), "part of base 1.0.0\n");
    assert!(
        packs
            .run(["pack", "install", "--allow-unsigned", "git+repo#main:nowhere"])
            .run()
            .expect(1)
            .stderr
            .contains("git does not give its files")
    );
}

#[test]
fn nothing_of_a_repository_is_run_and_links_are_refused() {
    let Some(packs) = repository("packs-git-evil") else { return };
    let marker = packs.path("evil");
    packs.write("repo/.gitattributes", "*.lua filter=evil diff=evil\n");
    packs.write("repo/.gitmodules", "[submodule \"x\"]\n\tpath = x\n\turl = ext::sh -c touch% evil\n");
    git(&packs, "repo", &["config", "filter.evil.smudge", &format!("touch {}", marker.display())]);
    packs.write("repo/.git/hooks/post-checkout", format!("#!/bin/sh\ntouch {}\n", marker.display()));
    commit(&packs, "1.0.0", None);
    packs.ok(["pack", "install", "--allow-unsigned", "git+repo"]);
    assert!(!marker.exists());
    std::os::unix::fs::symlink("/etc/passwd", packs.path("repo/passwd")).unwrap();
    commit(&packs, "1.0.1", None);
    golden("git_link", &packs.shown(["pack", "install", "--allow-unsigned", "git+repo"]));
}
