// SPDX-License-Identifier: Apache-2.0
//! Who vouches for a pack: signatures as minisign makes and checks them (ed25519), over the canonical listing of a pack's files.
//!
//! `minisign -Vm LISTING -x pack.minisig -P KEY` checks the same, where LISTING is what `bpflua pack verify --listing` prints.

use std::io::Cursor;
use std::path::Path;

use minisign::{KeyPair, PublicKey, SecretKey, SecretKeyBox, SignatureBox};

use super::policy::Policy;
use crate::error::{Error, Result};

/// A key that signatures are checked by.
#[derive(Clone, Debug, PartialEq)]
pub struct Key(PublicKey);

impl Key {
    /// Reads a public key: its base64 text, the text of a `.pub` file, or the path of one.
    pub fn read(text: &str) -> Result<Key> {
        let what = || format!("cannot use the key `{}`", shown(text));
        let is_file = Path::new(text).is_file();
        let content = if is_file {
            std::fs::read_to_string(text).map_err(|error| Error::io(what(), &error))?
        } else {
            text.to_owned()
        };
        let line = content.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default();
        PublicKey::from_base64(line.trim()).map(Key).map_err(|_| {
            Error::script(what(), "it is neither a public key of minisign nor the name of a file with one")
                .with_hint("such a key begins with `RW`; `bpflua pack sign --new-key FILE` makes a pair")
        })
    }

    /// Its text, which others put into their policy.
    pub fn text(&self) -> String {
        self.0.to_base64()
    }
}

fn shown(text: &str) -> String {
    let first = text.lines().next().unwrap_or_default();
    first.chars().take(60).collect()
}

/// Makes a pair of keys without a password: the secret one into `file`, which only its owner can read, the public one beside it
/// as `file.pub`. Neither may be there yet.
pub fn new_pair(file: &Path) -> Result<Key> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let public_file = file.with_file_name(format!("{}.pub", file.file_name().unwrap_or_default().to_string_lossy()));
    let what = |path: &Path| format!("cannot write the key `{}`", path.display());
    let pair =
        KeyPair::generate_unencrypted_keypair().map_err(|error| Error::bug("cannot make keys", error.to_string()))?;
    let secret = pair.sk.to_box(None).map_err(|error| Error::bug("cannot make keys", error.to_string()))?;
    let public = pair.pk.to_box().map_err(|error| Error::bug("cannot make keys", error.to_string()))?;
    for (path, text, mode) in [(file, secret.to_string(), 0o600), (&public_file, public.to_string(), 0o644)] {
        let mut options = std::fs::OpenOptions::new();
        let opened = options.write(true).create_new(true).mode(mode).open(path);
        let written = opened.and_then(|mut file| file.write_all(text.as_bytes()));
        written.map_err(|error| Error::io(what(path), &error))?;
    }
    Ok(Key(pair.pk))
}

/// Signs a pack's listing with the secret key in a file; `password` is asked for one when the key has one.
pub fn sign(listing: &str, comment: &str, file: &Path, password: &dyn Fn() -> Result<String>) -> Result<String> {
    let what = || format!("cannot sign with `{}`", file.display());
    let text = std::fs::read_to_string(file).map_err(|error| Error::io(what(), &error))?;
    let no_key = || Error::script(what(), "it is no secret key of minisign");
    if !text.starts_with("untrusted comment:") {
        return Err(no_key());
    }
    let sealed = || SecretKeyBox::from_string(&text).map_err(|_| no_key());
    let key: SecretKey = match sealed()?.into_unencrypted_secret_key() {
        Ok(key) => key,
        Err(_) => sealed()?
            .into_secret_key(Some(password()?))
            .map_err(|_| Error::script(what(), "the password is not the key's"))?,
    };
    let signed =
        minisign::sign(None, &key, Cursor::new(listing.as_bytes()), Some(comment), Some("signature of a bpflua pack"));
    signed.map(|signature| signature.to_string()).map_err(|error| Error::script(what(), error.to_string()))
}

/// What a signature says, once it was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// The text of the key that made it.
    pub key: String,
    /// What the signer wrote beside it, which is signed, too.
    pub comment: String,
}

/// Checks a signature of a listing by the keys that are trusted.
pub fn verify(listing: &str, signature: &str, keys: &[Key], pack: &str) -> Result<Signed> {
    let what = || format!("cannot trust pack `{pack}`");
    let signature = SignatureBox::from_string(signature)
        .map_err(|_| Error::script(what(), "its signature `pack.minisig` is none of minisign's"))?;
    let Some(key) = keys.iter().find(|key| key.0.keynum() == signature.keynum()) else {
        let error =
            Error::script(what(), format!("it is signed by key {}, which is not trusted", number(signature.keynum())));
        return Err(error.with_evidence(match keys.len() {
            0 => "no key is trusted here".to_owned(),
            1 => "one key is trusted here, another than that".to_owned(),
            count => format!("{count} keys are trusted here, others than that"),
        }));
    };
    let comment = signature.trusted_comment().unwrap_or_default();
    minisign::verify(&key.0, &signature, Cursor::new(listing.as_bytes()), true, false, false).map_err(|_| {
        Error::script(what(), "its files are not those that were signed")
            .with_hint("fetch it again, and tell its author when that does not help")
    })?;
    Ok(Signed { key: key.text(), comment })
}

fn number(bytes: &[u8]) -> String {
    bytes.iter().rev().map(|byte| format!("{byte:02X}")).collect()
}

/// Where a pack comes from, as far as trust goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A folder or file of this machine.
    Local,
    /// Anything that came over a network.
    Remote,
}

/// What the command line says of trust. The policy may forbid all of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Asked {
    /// `--key`: keys to trust for this command.
    pub keys: Vec<Key>,
    /// `--allow-unsigned`.
    pub allow_unsigned: bool,
}

/// A pack that somebody wants to use.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its version.
    pub version: &'a str,
    /// The content hash of its files.
    pub digest: &'a str,
    /// What the hash and the signature are of.
    pub listing: &'a str,
    /// `pack.minisig`, if it is there.
    pub signature: Option<&'a str>,
    /// Where it comes from.
    pub origin: Origin,
}

/// Decides whether a pack may be used; gives who signed it, if a key that is trusted did.
pub fn decide(candidate: &Candidate<'_>, asked: &Asked, policy: &Policy) -> Result<Option<Signed>> {
    let Candidate { name, listing, signature, origin, .. } = *candidate;
    policy.allows(candidate)?;
    policy.permits(asked)?;
    let mut keys = policy.keys()?;
    keys.extend(asked.keys.iter().cloned());
    let must_be_signed = policy.requires_signatures(origin) && !asked.allow_unsigned;
    match signature {
        // A signature that nobody can check says nothing; where none is needed, it is passed over.
        Some(_) if keys.is_empty() && !must_be_signed => Ok(None),
        Some(signature) => match verify(listing, signature, &keys, name) {
            Err(error) if keys.is_empty() => {
                Err(error.with_hint("`--key KEY` trusts a key for this command: its text, or its file"))
            }
            told => told.map(Some),
        },
        None if must_be_signed => Err(Error::script(format!("cannot trust pack `{name}`"), "it is not signed")
            .with_hint("its author signs it with `bpflua pack sign`")
            .with_hint(policy.way_around())),
        None => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new() -> (KeyPair, Key) {
        let pair = KeyPair::generate_unencrypted_keypair().unwrap();
        let key = Key(pair.pk.clone());
        (pair, key)
    }

    fn signature(pair: &KeyPair, listing: &str) -> String {
        minisign::sign(None, &pair.sk, Cursor::new(listing.as_bytes()), Some("opens 1.0.0"), None).unwrap().to_string()
    }

    fn candidate<'a>(signature: Option<&'a str>, origin: Origin) -> Candidate<'a> {
        Candidate { name: "opens", version: "1.0.0", digest: "sha256:00", listing: "a\n", signature, origin }
    }

    #[test]
    fn a_signature_holds_for_its_listing_and_key_alone() {
        let (pair, key) = new();
        let text = signature(&pair, "a\n");
        let signed = verify("a\n", &text, std::slice::from_ref(&key), "opens").unwrap();
        assert_eq!((signed.key, signed.comment.as_str()), (key.text(), "opens 1.0.0"));
        let changed = verify("b\n", &text, &[key], "opens").unwrap_err().to_string();
        assert_eq!(changed, "cannot trust pack `opens`: its files are not those that were signed");
        let other = verify("a\n", &text, &[new().1], "opens").unwrap_err().to_string();
        assert!(other.contains("which is not trusted"), "{other}");
        assert!(verify("a\n", "no signature", &[], "opens").is_err());
    }

    #[test]
    fn what_comes_over_the_network_has_to_be_signed() {
        let (asked, policy) = (Asked::default(), Policy::default());
        assert_eq!(decide(&candidate(None, Origin::Local), &asked, &policy).unwrap(), None);
        let refused = decide(&candidate(None, Origin::Remote), &asked, &policy).unwrap_err().to_string();
        assert_eq!(refused, "cannot trust pack `opens`: it is not signed");
        let asked = Asked { allow_unsigned: true, ..asked };
        assert_eq!(decide(&candidate(None, Origin::Remote), &asked, &policy).unwrap(), None);
    }

    #[test]
    fn the_command_line_does_not_loosen_a_policy() {
        let policy = Policy::parse("require_signatures = true", "policy.toml").unwrap();
        let asked = Asked { allow_unsigned: true, ..Asked::default() };
        let refused = decide(&candidate(None, Origin::Local), &asked, &policy).unwrap_err().to_string();
        assert!(refused.contains("the policy `policy.toml` does not permit it"), "{refused}");
        let (pair, key) = new();
        let text = signature(&pair, "a\n");
        let policy = Policy::parse(&format!("trusted_keys = [\"{}\"]", new().1.text()), "policy.toml").unwrap();
        let asked = Asked { keys: vec![key], ..Asked::default() };
        assert!(decide(&candidate(Some(&text), Origin::Remote), &asked, &policy).is_err());
    }
}
