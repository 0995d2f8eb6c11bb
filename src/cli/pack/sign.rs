// SPDX-License-Identifier: Apache-2.0
//! `bpflua pack sign` and `bpflua pack verify`: who vouches for the files of a pack.

use std::path::Path;

use crate::cli::exit;
use crate::error::{Error, Result};
use crate::packs::contents::Contents;
use crate::packs::limits::Limits;
use crate::packs::policy::Policy;
use crate::packs::tree::{SIGNATURE, Tree};
use crate::packs::trust::{self, Asked, Candidate, Key, Origin};
use crate::packs::{archive, disk};

/// Where the password of a secret key is read from.
const PASSWORD: &str = "BPFLUA_SIGNING_PASSWORD";

/// Makes a pair of keys when asked to, and signs a pack when one is named.
pub fn main(key: Option<&Path>, new_key: Option<&Path>, pack: Option<&Path>) -> Result<()> {
    if let Some(file) = new_key {
        let public = trust::new_pair(file)?;
        let shown = file.display();
        exit::print(&format!("{shown}: the secret key\n{shown}.pub: the public key, {}\n", public.text()));
    }
    if let (Some(key), Some(pack)) = (key.or(new_key), pack) {
        exit::print(&sign(pack, key)?);
    }
    Ok(())
}

/// Checks who signed a pack; with `is_listing`, prints what the signature is of.
pub fn check(pack: &Path, keys: &[String], is_listing: bool) -> Result<()> {
    let text = if is_listing { read(pack)?.0.listing() } else { verify(pack, keys)? };
    exit::print(&text);
    Ok(())
}

/// Signs a folder or an archive in place.
fn sign(pack: &Path, key: &Path) -> Result<String> {
    let (mut tree, contents) = read(pack)?;
    let comment = format!("{} {} {}", contents.name(), contents.version, tree.digest());
    let signature = trust::sign(&tree.listing(), &comment, key, &password)?;
    let what = |file: &Path| format!("cannot write `{}`", file.display());
    if pack.is_dir() {
        let file = pack.join(SIGNATURE);
        std::fs::write(&file, signature).map_err(|error| Error::io(what(&file), &error))?;
    } else {
        tree.put(SIGNATURE, signature);
        std::fs::write(pack, archive::pack(&tree)?).map_err(|error| Error::io(what(pack), &error))?;
    }
    Ok(format!("{}: signed {comment}\n", pack.display()))
}

/// Checks the signature of a folder or an archive by the keys given and those of the policy.
fn verify(pack: &Path, keys: &[String]) -> Result<String> {
    let (tree, contents) = read(pack)?;
    let asked = Asked { keys: keys.iter().map(|key| Key::read(key)).collect::<Result<_>>()?, allow_unsigned: false };
    let (digest, listing, version) = (tree.digest(), tree.listing(), contents.version.to_string());
    let signature = tree.text(SIGNATURE);
    let candidate = Candidate {
        name: contents.name(),
        version: &version,
        digest: &digest,
        listing: &listing,
        signature: signature.as_deref(),
        // Whoever asks wants it signed.
        origin: Origin::Remote,
    };
    match trust::decide(&candidate, &asked, &Policy::of_machine()?)? {
        Some(signed) => Ok(format!("{}: {}\nsigned by {}\n", pack.display(), signed.comment, signed.key)),
        None => {
            Err(Error::script(format!("cannot trust pack `{}`", contents.name()), "no key is known to check it by")
                .with_hint("give the author's key: `--key KEY`"))
        }
    }
}

fn read(pack: &Path) -> Result<(Tree, Contents)> {
    let source = pack.display().to_string();
    let limits = Limits::default();
    let tree = if pack.is_dir() {
        disk::read(pack, &limits)?
    } else {
        let bytes = std::fs::read(pack).map_err(|error| Error::io(format!("cannot read `{source}`"), &error))?;
        archive::unpack(&bytes, &source, &limits)?
    };
    let contents = Contents::of(&tree, &source)?;
    Ok((tree, contents))
}

fn password() -> Result<String> {
    std::env::var(PASSWORD).map_err(|_| {
        Error::script("cannot sign", "the secret key has a password")
            .with_hint(format!("put it into the environment variable {PASSWORD}"))
    })
}
