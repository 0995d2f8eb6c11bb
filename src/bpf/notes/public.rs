// SPDX-License-Identifier: Apache-2.0
//! Maps that objects of one process share by name.
//!
//! A public map lives as long as any object that made it public or uses it. While it does, its name is taken: another
//! public map of that name is its object's own and nobody else's, as in bcc.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::rc::{Rc, Weak};

use super::super::map::Map;
use super::super::options::ObjectOptions;
use super::super::sys::map::{self as sys, MapInfo};
use super::super::sys::object::RawMap;
use super::{differences, with_names};
use crate::error::{Error, Result};

/// A name space, or `None` for the whole process, and a name.
type Key = (Option<String>, String);

thread_local! {
    // Objects stay on the thread that made them.
    static PUBLIC: RefCell<BTreeMap<Key, Weak<PublicMap>>> = const { RefCell::new(BTreeMap::new()) };
}

/// A map that other objects may use.
#[derive(Debug)]
pub struct PublicMap {
    fd: OwnedFd,
}

impl PublicMap {
    /// A descriptor of its own.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// The public map that the text declares as extern: of the object's name space, or else of the process.
pub fn find(declared: &RawMap, options: &ObjectOptions) -> Result<Rc<PublicMap>> {
    let name = &declared.name;
    let found = PUBLIC.with_borrow(|public| {
        let lookup = |namespace| public.get(&(namespace, name.clone())).and_then(Weak::upgrade);
        lookup(Some(options.namespace.clone())).or_else(|| lookup(None))
    });
    let what = || format!("cannot find the extern map `{name}` of `{}`", options.name);
    let Some(found) = found else {
        let error = Error::script(what(), format!("no other BPF object made map `{name}` public"));
        return Err(with_names(error, name, &names(&options.namespace), "public maps"));
    };
    let info = sys::info(found.fd()).map_err(|err| Error::io(what(), &err))?;
    // The declaration has only these two; the rest is the public map's.
    let declared = MapInfo { key_size: declared.key_size, value_size: declared.value_size, ..info };
    let differences = differences(&declared, &info);
    if differences.is_empty() {
        return Ok(found);
    }
    let error = Error::script(what(), "the public map has other keys or values");
    Err(differences.into_iter().fold(error, Error::with_evidence))
}

/// Lets other objects find a map.
pub fn publish(map: &Map, namespace: Option<String>, options: &ObjectOptions) -> Result<Rc<PublicMap>> {
    let fd = map.as_fd().try_clone_to_owned();
    let fd = fd.map_err(|err| Error::io(format!("cannot share map `{}` of `{}`", map.name, options.name), &err))?;
    let published = Rc::new(PublicMap { fd });
    PUBLIC.with_borrow_mut(|public| {
        public.retain(|_, map| map.strong_count() > 0);
        public.entry((namespace, map.name.clone())).or_insert_with(|| Rc::downgrade(&published));
    });
    Ok(published)
}

/// The public maps that an object of this name space can use.
fn names(namespace: &str) -> Vec<String> {
    PUBLIC.with_borrow(|public| {
        let alive = public.iter().filter(|(_, map)| map.strong_count() > 0).map(|(key, _)| key);
        let visible = alive.filter(|(of, _)| of.as_deref().is_none_or(|of| of == namespace));
        visible.map(|(_, name)| name.clone()).collect()
    })
}
