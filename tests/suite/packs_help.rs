// SPDX-License-Identifier: Apache-2.0
//! A folder for tests of packs: packs to install, and a place that they are installed in.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::harness::{Bpflua, Ended, bpflua, deadline, scratch};

/// A folder with packs in it, and with `installed/`, where they are installed.
pub struct Packs {
    pub folder: PathBuf,
}

impl Packs {
    pub fn new(name: &str) -> Packs {
        let folder = scratch(name);
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
        Packs { folder }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// A pack in `folder` with a tool of its own name that prints its version, and a file for others to `require`.
    pub fn pack(&self, folder: &str, name: &str, version: &str, more: &str) {
        self.write(
            &format!("{folder}/pack.toml"),
            format!("[pack]\nname = \"{name}\"\nversion = \"{version}\"\napi = 1\nsummary = \"The pack {name}\"\n[entries]\n{name} = \"{name}.lua\"\n{more}"),
        );
        self.write(&format!("{folder}/{name}.lua"), tool(&format!("print('{name} {version}')")));
        self.write(&format!("{folder}/part.lua"), format!("return 'part of {name} {version}'"));
    }

    pub fn run<const N: usize>(&self, args: [&str; N]) -> Bpflua {
        self.here(bpflua(args))
    }

    /// With the folder `etc` of this one as `/etc`, which has nothing but `bpflua/policy.toml` and what the test put there.
    pub fn run_with_etc<const N: usize>(&self, args: [&str; N]) -> Bpflua {
        let etc = self.path("etc").display().to_string();
        let script = "mount --bind \"$0\" /etc && exec \"$@\"";
        self.here(Bpflua::under(&["unshare", "--mount", "sh", "-c", script, &etc], args))
    }

    fn here(&self, command: Bpflua) -> Bpflua {
        let command = command.current_dir(&self.folder).env("BPFLUA_PACKS", self.path("installed"));
        let command = command.env("BPFLUA_TEST_DEADLINE", deadline().as_secs().to_string());
        command.env("HOME", "/nonexistent").env("XDG_RUNTIME_DIR", "")
    }

    /// What it prints when it goes well.
    pub fn ok<const N: usize>(&self, args: [&str; N]) -> String {
        self.run(args).run().expect(0).stdout
    }

    /// What a person sees, with what differs from run to run replaced.
    pub fn shown<const N: usize>(&self, args: [&str; N]) -> String {
        self.mask(&self.run(args).run())
    }

    pub fn mask(&self, ended: &Ended) -> String {
        self.mask_text(&ended.transcript())
    }

    pub fn mask_text(&self, text: &str) -> String {
        let text = text.replace(&self.folder.display().to_string(), "DIR");
        let digest = regex::Regex::new("sha256:[0-9a-f]{64}").unwrap();
        let commit = regex::Regex::new(r"\b[0-9a-f]{40}\b").unwrap();
        commit.replace_all(&digest.replace_all(&text, "sha256:HASH"), "COMMIT").into_owned()
    }

    /// What is installed, as files that are no pack's business see it.
    pub fn installed(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path("installed")).into_iter().flatten().flatten();
        let mut names: Vec<_> = entries.map(|entry| entry.file_name().into_string().unwrap()).collect();
        names.retain(|name| !["pack.lock", ".lock"].contains(&name.as_str()));
        names.sort();
        names
    }
}

/// What a person sees, without the numbers of keys, which are new each time.
pub fn masked(text: &str) -> String {
    let number = regex::Regex::new(r"\bkey [0-9A-F]{16}").unwrap();
    let key = regex::Regex::new(r"RW[A-Za-z0-9+/]{54}").unwrap();
    key.replace_all(&number.replace_all(text, "key NUMBER"), "RWKEY").into_owned()
}

/// A folder with the pack `tcp`, signed by `mine.key`, and `plain`, which nobody signed; and another key.
pub fn signed(name: &str) -> Packs {
    let packs = Packs::new(name);
    packs.pack("tcp", "tcp", "1.0.0", "");
    packs.pack("plain", "plain", "1.0.0", "");
    packs.ok(["pack", "sign", "--new-key", "mine.key", "./tcp"]);
    packs.ok(["pack", "sign", "--new-key", "other.key"]);
    packs
}

/// The text of a tool that does this.
pub fn tool(lua: &str) -> String {
    format!("--[==[ pack\nsummary = \"Prints a line\"\n]==]\n{lua}\n")
}

/// Everything that a command shows, against the golden file of that name.
#[track_caller]
pub fn golden(name: &str, shown: &str) {
    insta::with_settings!({ snapshot_path => "../packs", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!(name, shown);
    });
}

/// A packed archive of one entry that no archiver writes.
pub fn bad_archive(path: &Path, name: &str, kind: tar::EntryType, mode: u32) {
    let mut builder = tar::Builder::new(Vec::new());
    let manifest = b"[pack]\nname = \"bad\"\nversion = \"1.0.0\"\napi = 1\n";
    let mut header = tar::Header::new_gnu();
    header.set_size(manifest.len() as u64);
    header.set_mode(0o644);
    header.set_cksum();
    builder.append_data(&mut header, "pack.toml", &manifest[..]).unwrap();
    let mut header = tar::Header::new_gnu();
    header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(0);
    header.set_link_name("/etc/passwd").unwrap();
    header.set_cksum();
    builder.append(&header, std::io::empty()).unwrap();
    let plain = builder.into_inner().unwrap();
    fs::write(path, zstd(&plain)).unwrap();
}

pub fn zstd(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
}
