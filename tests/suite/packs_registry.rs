// SPDX-License-Identifier: Apache-2.0
//! Packs from OCI registries, tried with a registry of this machine's own.

use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use super::harness::{Need, deadline, missing};
use super::packs_help::{Packs, golden, tool};

/// A registry on loopback, ended with the value.
pub struct Registry {
    child: Child,
    address: String,
}

impl Registry {
    pub fn start(packs: &Packs) -> Option<Registry> {
        Registry::with(packs, "127.0.0.1", "")
    }

    /// One that is called `name`, with further settings for `http`.
    pub fn with(packs: &Packs, name: &str, http: &str) -> Option<Registry> {
        if missing(&[Need::Tool("docker-registry")]) {
            return None;
        }
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let storage = packs.path("registry");
        packs.write(
            "registry.yml",
            format!("version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {}}}}}\nhttp: {{addr: \"127.0.0.1:{port}\"{http}}}\n", storage.display()),
        );
        let mut command = Command::new("docker-registry");
        command.arg("serve").arg(packs.path("registry.yml")).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().unwrap();
        let limit = Instant::now() + deadline();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < limit, "the registry does not answer");
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        Some(Registry { child, address: format!("{name}:{port}") })
    }

    /// The source of a repository of it.
    pub fn oci(&self, path: &str) -> String {
        format!("oci://{}/{path}", self.address)
    }

    pub fn mask(&self, text: &str) -> String {
        text.replace(&self.address, "HOST")
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn packs_are_stored_found_by_version_and_updated() {
    let packs = Packs::new("packs-registry");
    let Some(registry) = Registry::start(&packs) else { return };
    let oci = |path: &str| registry.oci(path);
    let push = |folder: &str, to: &str| packs.shown(["pack", "export", "--to", &oci(to), folder]);
    packs.pack("base", "base", "1.0.0", "");
    packs.pack("tcp", "tcp", "1.0.0", "[dependencies]\nbase = \"1\"\n");
    packs.write("tcp/tcp.lua", tool("print(require('base.part'))"));
    golden("registry_export", &registry.mask(&push("./tcp", "packs/tcp")));
    push("./base", "packs/base");
    for name in ["tcp", "base"] {
        std::fs::rename(packs.path(name), packs.path(&format!("gone-{name}"))).unwrap();
    }
    // The one that it needs is found beside, in the registry.
    golden(
        "registry_install",
        &registry.mask(&packs.shown(["pack", "install", "--allow-unsigned", &oci("packs/tcp")])),
    );
    assert_eq!(packs.ok(["tcp"]), "part of base 1.0.0\n");
    packs.pack("new/base", "base", "1.1.0", "");
    packs.pack("new/beta", "base", "1.2.0-beta", "");
    push("./new/base", "packs/base");
    push("./new/beta", "packs/base");
    golden("registry_update", &registry.mask(&packs.shown(["pack", "update", "--allow-unsigned"])));
    assert_eq!(packs.ok(["tcp"]), "part of base 1.1.0\n");
    packs.ok(["pack", "install", "--allow-unsigned", &oci("packs/base:1.0.0")]);
    assert_eq!(packs.ok(["tcp"]), "part of base 1.0.0\n");
    let listed: serde_json::Value =
        serde_json::from_str(packs.ok(["pack", "list", "--json"]).lines().next().unwrap()).unwrap();
    let pin = listed["pin"].as_str().unwrap();
    packs.ok(["pack", "install", "--allow-unsigned", &format!("{}@{pin}", oci("packs/base"))]);
    golden(
        "registry_no_version",
        &registry.mask(&packs.shown(["pack", "install", "--allow-unsigned", &oci("packs/base:9.0.0")])),
    );
    golden(
        "registry_no_pack",
        &registry.mask(&packs.shown(["pack", "install", "--allow-unsigned", &oci("packs/nowhere")])),
    );
    // Other content under a version that is installed.
    packs.pack("other/base", "base", "1.1.0", "more = \"base.lua\"\n");
    packs.ok(["pack", "install", "--allow-unsigned", &oci("packs/base:1.1.0")]);
    push("./other/base", "packs/base");
    golden("registry_version_changed", &registry.mask(&packs.shown(["pack", "update", "--allow-unsigned", "base"])));
}

#[test]
fn what_a_registry_sends_is_checked_like_anything_else() {
    let packs = Packs::new("packs-registry-bad");
    let Some(registry) = Registry::start(&packs) else { return };
    let oci = registry.oci("packs/tcp");
    packs.pack("tcp", "tcp", "1.0.0", "");
    packs.ok(["pack", "export", "--to", &oci, "./tcp"]);
    // Every blob that holds the archive is changed where it lies.
    let mut changed = 0;
    let mut pending = vec![packs.path("registry")];
    while let Some(folder) = pending.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                pending.push(path);
            } else if let Ok(mut bytes) = std::fs::read(&path)
                && bytes.starts_with(&[0x28, 0xb5, 0x2f, 0xfd])
            {
                let middle = bytes.len() / 2;
                bytes[middle] ^= 0xff;
                std::fs::write(&path, bytes).unwrap();
                changed += 1;
            }
        }
    }
    assert_eq!(changed, 1);
    let shown = packs.shown(["pack", "install", "--allow-unsigned", &oci]);
    golden("registry_tampered", &registry.mask(shown.split("\n  ").next().unwrap()));
    assert!(packs.installed().is_empty());
    drop(registry);
    let ended = packs.run(["pack", "install", "--allow-unsigned", &oci]).run().expect(3);
    assert!(ended.stderr.contains("no answer from the registry"), "{}", ended.stderr);
}
