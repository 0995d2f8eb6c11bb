// SPDX-License-Identifier: Apache-2.0
//! What root writes in `/etc/bpflua/policy.toml` holds for all packs, and no option loosens it. Each command here runs with an
//! `/etc` of its own.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::harness::{Need, missing};
use super::packs_help::{Packs, golden, masked, signed};

/// Packs under a policy that each command sees.
struct Machine(Packs);

impl Machine {
    fn new(name: &str) -> Option<Machine> {
        if missing(&[Need::Root, Need::Tool("unshare")]) {
            return None;
        }
        let packs = signed(name);
        fs::create_dir_all(packs.path("etc/bpflua")).unwrap();
        Some(Machine(packs))
    }

    fn policy(&self, text: &str) {
        self.0.write("etc/bpflua/policy.toml", text);
    }

    fn shown<const N: usize>(&self, args: [&str; N]) -> String {
        masked(&self.0.mask(&self.0.run_with_etc(args).run()))
    }

    fn ok<const N: usize>(&self, args: [&str; N]) -> String {
        self.0.run_with_etc(args).run().expect(0).stdout
    }

    /// The text of a public key.
    fn key(&self, name: &str) -> String {
        let text = fs::read_to_string(self.0.path(name)).unwrap();
        text.lines().last().unwrap().to_owned()
    }
}

#[test]
fn keys_are_those_of_the_policy() {
    let Some(machine) = Machine::new("packs-policy-keys") else { return };
    machine.policy(&format!("trusted_keys = [\"{}\"]\n", machine.key("mine.key.pub")));
    golden("policy_other_key", &machine.shown(["pack", "install", "--key", "other.key.pub", "./tcp"]));
    golden("policy_key_of_its_own", &machine.shown(["pack", "install", "--key", "mine.key.pub", "./tcp"]));
    machine.ok(["pack", "install", "./tcp"]);
    assert_eq!(machine.ok(["tcp"]), "tcp 1.0.0\n");
    // A signature that is there has to be of a key that is trusted, wherever the pack comes from.
    machine.policy(&format!("trusted_keys = [\"{}\"]\n", machine.key("other.key.pub")));
    golden("policy_not_trusted", &machine.shown(["tcp"]));
}

#[test]
fn what_has_to_be_signed_is() {
    let Some(machine) = Machine::new("packs-policy-signed") else { return };
    machine.ok(["pack", "install", "./plain"]);
    machine.policy(&format!("require_signatures = true\ntrusted_keys = [\"{}\"]\n", machine.key("mine.key.pub")));
    golden("policy_unsigned", &machine.shown(["pack", "install", "./plain"]));
    golden("policy_allow_unsigned", &machine.shown(["pack", "install", "--allow-unsigned", "./plain"]));
    machine.ok(["pack", "install", "./tcp"]);
    assert_eq!(machine.ok(["tcp"]), "tcp 1.0.0\n");
    // What was installed before the policy was written, and what somebody works on.
    golden("policy_unsigned_run", &machine.shown(["plain"]));
    let elsewhere = machine.0.run_with_etc(["-e", "require('plain.part')"]).current_dir(std::path::Path::new("/"));
    golden("policy_unsigned_require", &machine.0.mask(&elsewhere.run()));
    golden("policy_unsigned_folder", &machine.shown(["run", "./plain"]));
    // The tools of bpflua are bpflua.
    assert!(machine.ok(["execsnoop", "--help"]).contains("Programs as they start"));
}

#[test]
fn packs_are_those_on_the_list_with_that_content() {
    let Some(machine) = Machine::new("packs-policy-list") else { return };
    machine.0.pack("needy", "needy", "1.0.0", "[dependencies]\nplain = \"1\"\n");
    machine.ok(["pack", "install", "./needy"]);
    let told = machine.ok(["pack", "verify", "--key", "mine.key.pub", "./tcp"]);
    let digest = told.split_whitespace().find(|word| word.starts_with("sha256:")).unwrap();
    machine.policy(&format!("[[allow]]\nname = \"tcp\"\ndigest = \"{digest}\"\n[[allow]]\nname = \"need*\"\n"));
    machine.ok(["pack", "install", "./tcp"]);
    assert_eq!(machine.ok(["tcp"]), "tcp 1.0.0\n");
    golden("policy_name", &machine.shown(["pack", "install", "--allow-unsigned", "--key", "mine.key.pub", "./plain"]));
    golden("policy_name_run", &machine.shown(["plain"]));
    // One that is allowed needs one that is not.
    golden("policy_dependency", &machine.shown(["needy"]));
    machine.0.write("tcp/part.lua", "return 'other'");
    machine.0.ok(["pack", "sign", "--key", "mine.key", "./tcp"]);
    golden("policy_content", &machine.shown(["pack", "install", "--allow-unsigned", "--key", "mine.key.pub", "./tcp"]));
    let elsewhere = machine.0.run_with_etc(["tcp"]).env("BPFLUA_PACKS", machine.0.path("elsewhere"));
    machine.0.ok(["pack", "install", "./tcp"]);
    fs::rename(machine.0.path("installed"), machine.0.path("elsewhere")).unwrap();
    golden("policy_content_run", &masked(&machine.0.mask(&elsewhere.run())));
}

#[test]
fn a_policy_that_others_can_write_to_is_none() {
    let Some(machine) = Machine::new("packs-policy-writable") else { return };
    machine.policy("require_signatures = false\n");
    let file = machine.0.path("etc/bpflua/policy.toml");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).unwrap();
    golden("policy_writable", &machine.shown(["pack", "install", "./tcp"]));
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    machine.policy("require_signature = false\n");
    golden("policy_typo", &machine.shown(["pack", "install", "./tcp"]));
    assert!(machine.0.installed().is_empty());
}
