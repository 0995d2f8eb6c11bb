// SPDX-License-Identifier: Apache-2.0
//! `bpflua pack export`: a pack and those that it needs in one file, or a pack in a registry.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::catalog;
use crate::cli::exit;
use crate::error::{Error, Result};
use crate::packs::catalog::Catalog;
use crate::packs::fetched::{Fetched, bundle};
use crate::packs::plan::{Ask, Wish, plan};
use crate::packs::source::Source;
use crate::packs::{archive, is_name, open, registry};

/// Writes the file, or stores the pack.
pub fn main(pack: &str, output: Option<&Path>, to: Option<&str>) -> Result<()> {
    let packs = packs(pack, &catalog())?;
    let first = packs.first().ok_or_else(|| Error::bug(format!("cannot export `{pack}`"), "nothing was read"))?;
    if let Some(to) = to {
        return push(first, to);
    }
    let tree = bundle(&packs.iter().map(Rc::as_ref).collect::<Vec<_>>())?;
    let usual = || PathBuf::from(format!("{}-{}{}", first.name(), first.version(), archive::ENDING));
    let path = output.map_or_else(usual, Path::to_owned);
    crate::packs::write_whole(&path, &archive::pack(&tree)?)?;
    for pack in &packs {
        exit::print(&format!("{} {}  {}\n", pack.name(), pack.version(), pack.digest));
    }
    exit::print(&format!("wrote {}\n", path.display()));
    Ok(())
}

/// A pack and all that it needs: as installed, or for a source as it would be.
fn packs(pack: &str, catalog: &Catalog) -> Result<Vec<Rc<Fetched>>> {
    if !is_name(pack) {
        let wish = Wish { source: Source::parse(pack)?, versions: None };
        let ask = Ask { wishes: vec![wish], heed_locks: true, ..Ask::default() };
        let plan = plan(&ask, &catalog.all()?, &catalog.limits)?;
        return Ok(plan.all().into_iter().map(|pack| Rc::new(pack.clone())).collect());
    }
    let opened = open::installed(&catalog.places, pack, catalog.uid, &catalog.limits)?;
    let opened = opened.ok_or_else(|| catalog.no_pack(pack))?;
    let all = catalog.all()?;
    let fetched = opened.roots().into_iter().map(|(name, _)| {
        let installed = all.iter().find(|installed| installed.name == name);
        let installed = installed.ok_or_else(|| catalog.no_pack(&name))?;
        open::of_installed(installed, &catalog.limits).map(Rc::new)
    });
    fetched.collect()
}

fn push(pack: &Fetched, to: &str) -> Result<()> {
    let Source::Registry { repository, reference } = Source::parse(to)? else {
        return Err(Error::script(format!("cannot store a pack in `{to}`"), "it is no registry")
            .with_hint("such as oci://HOST/packs/NAME"));
    };
    // A tag has no `+`.
    let tag = reference.unwrap_or_else(|| pack.version().to_string().replace('+', "_"));
    let facts = &pack.contents.manifest.pack;
    let facts = [
        ("name", facts.name.clone()),
        ("version", facts.version.clone()),
        ("summary", facts.summary.clone()),
        ("content", pack.digest.clone()),
    ];
    let digest = registry::push(&repository, &tag, &pack.tree, &facts)?;
    exit::print(&format!(
        "{} {}  {}\nstored oci://{repository}:{tag} at {digest}\n",
        pack.name(),
        pack.version(),
        pack.digest
    ));
    Ok(())
}
