// SPDX-License-Identifier: Apache-2.0
//! Whom packs are taken from: signatures of what comes over a network, by git and from registries.

use super::harness::{Need, missing};
use super::packs_git::git;
use super::packs_help::{golden, masked, signed};
#[cfg(feature = "registry")]
use super::packs_registry::Registry;

#[test]
fn packs_from_git_are_taken_from_those_who_are_trusted() {
    if missing(&[Need::Tool("git")]) {
        return;
    }
    let packs = signed("packs-trust-git");
    let commit = |folder: &str, tag: &str| {
        git(&packs, folder, &["init", "--quiet"]);
        git(&packs, folder, &["add", "-A"]);
        git(&packs, folder, &["commit", "--quiet", "-m", tag]);
        git(&packs, folder, &["tag", tag]);
    };
    commit("tcp", "v1.0.0");
    commit("plain", "v1.0.0");
    let shown = |name: &str, args: &[&str]| {
        let run = args.iter().fold(packs.run(["pack", "install"]), |run, arg| run.arg(*arg)).run();
        golden(&format!("trust_git_{name}"), &masked(&packs.mask(&run)));
    };
    shown("no_key", &["git+tcp"]);
    shown("other_key", &["--key", "other.key.pub", "git+tcp"]);
    shown("unsigned", &["--key", "mine.key.pub", "git+plain"]);
    assert!(packs.installed().is_empty());
    shown("install", &["--key", "mine.key.pub", "git+tcp"]);
    assert_eq!(packs.ok(["tcp"]), "tcp 1.0.0\n");
    // Somebody who cannot sign changes the repository, and gives it a new version.
    packs.pack("tcp", "tcp", "1.0.1", "");
    packs.write("tcp/part.lua", "return 'evil'");
    commit("tcp", "v1.0.1");
    shown("tampered", &["--key", "mine.key.pub", "git+tcp"]);
    // To take what nobody signed is not to take a signature that is wrong.
    shown("tampered_unsigned", &["--allow-unsigned", "--key", "mine.key.pub", "git+tcp"]);
    assert_eq!(packs.ok(["tcp"]), "tcp 1.0.0\n");
}

#[cfg(feature = "registry")]
#[test]
fn packs_from_a_registry_are_taken_from_those_who_are_trusted() {
    let packs = signed("packs-trust-registry");
    let Some(registry) = Registry::start(&packs) else { return };
    for name in ["tcp", "plain"] {
        packs.ok(["pack", "export", "--to", &registry.oci(&format!("packs/{name}")), &format!("./{name}")]);
    }
    let shown = |name: &str, args: &[&str], pack: &str| {
        let run = args.iter().fold(packs.run(["pack", "install"]), |run, arg| run.arg(*arg));
        let run = run.arg(registry.oci(&format!("packs/{pack}"))).run();
        golden(&format!("trust_registry_{name}"), &masked(&registry.mask(&packs.mask(&run))));
    };
    shown("no_key", &[], "tcp");
    shown("other_key", &["--key", "other.key.pub"], "tcp");
    shown("unsigned", &["--key", "mine.key.pub"], "plain");
    assert!(packs.installed().is_empty());
    shown("install", &["--key", "mine.key.pub"], "tcp");
    assert_eq!(packs.ok(["tcp"]), "tcp 1.0.0\n");
    // The signature of other files.
    packs.write("tcp/part.lua", "return 'evil'");
    let evil = registry.oci("packs/evil");
    packs.ok(["pack", "export", "--to", &evil, "./tcp"]);
    shown("tampered", &["--key", "mine.key.pub"], "evil");
}

#[cfg(feature = "registry")]
#[test]
fn registries_are_spoken_to_by_tls_with_authorities_of_the_users_own() {
    if missing(&[Need::Root, Need::Tool("unshare"), Need::Tool("openssl")]) {
        return;
    }
    let packs = signed("packs-trust-tls");
    packs.write("etc/hosts", "127.0.0.1 registry.example.org\n");
    packs.write("names", "subjectAltName=DNS:registry.example.org\n");
    let openssl = |line: &str| {
        let mut command = std::process::Command::new("openssl");
        let output = command.args(line.split(' ')).current_dir(&packs.folder).output().unwrap();
        assert!(output.status.success(), "openssl {line}: {}", String::from_utf8_lossy(&output.stderr));
    };
    let new = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30";
    openssl(&format!("req -x509 {new} -keyout ca.key -out ca.pem -subj /CN=authority"));
    openssl(&format!("req -x509 {new} -keyout other-ca.key -out other-ca.pem -subj /CN=another"));
    openssl(&format!("req {new} -keyout tls.key -out tls.csr -subj /CN=registry.example.org"));
    openssl("x509 -req -in tls.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 -extfile names -out tls.pem");
    let file = |name: &str| packs.path(name).display().to_string();
    let tls = format!(", tls: {{certificate: {}, key: {}}}", file("tls.pem"), file("tls.key"));
    let Some(registry) = Registry::with(&packs, "registry.example.org", &tls) else { return };
    let oci = registry.oci("packs/tcp");
    let run = |args: &[&str], authority: &str| {
        let run = args.iter().fold(packs.run_with_etc(["pack"]), |run, arg| run.arg(*arg));
        let ended = run.env("SSL_CERT_FILE", authority).run();
        masked(&registry.mask(&packs.mask(&ended)))
    };
    golden("tls_export", &run(&["export", "--to", &oci, "./tcp"], "ca.pem"));
    golden("tls_unknown", &run(&["install", "--key", "mine.key.pub", &oci], "other-ca.pem"));
    golden("tls_install", &run(&["install", "--key", "mine.key.pub", &oci], "ca.pem"));
    assert_eq!(packs.ok(["tcp"]), "tcp 1.0.0\n");
}
