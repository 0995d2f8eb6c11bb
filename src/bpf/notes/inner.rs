// SPDX-License-Identifier: Apache-2.0
//! Maps that hold maps. The kernel wants to see one of the inner maps when it creates the outer one.

use std::os::fd::{AsFd as _, OwnedFd};

use libbpf_rs::OpenObject;

use super::super::map_kind::MapKind;
use super::super::options::ObjectOptions;
use super::super::sys::map::{self as sys, MapInfo};
use super::super::sys::object::{self as raw, RawMap};
use super::{cannot, with_names};
use crate::error::{Error, Result, errno_words};

/// Shows the kernel what the map at `outer` will hold: a map with the type and the sizes of the one called `name`, needed
/// until the outer map exists. The maps that it really holds come from Lua. `existing` says which maps exist already.
pub fn set(
    object: &OpenObject,
    (outer, name): (usize, &str),
    maps: &[RawMap],
    existing: &[usize],
    options: &ObjectOptions,
) -> Result<OwnedFd> {
    let holder = &maps[outer];
    let what = || format!("cannot create map `{}` of `{}`", holder.name, options.name);
    let Some(inner) = maps.iter().position(|map| map.name == name && !map.internal) else {
        let error =
            Error::script(what(), format!("it shall hold maps like `{name}`, and the C text has no map `{name}`"));
        let known: Vec<String> = maps.iter().filter(|map| !map.internal).map(|map| map.name.clone()).collect();
        return Err(with_names(error, name, &known, "maps of the C text"));
    };
    if MapKind(maps[inner].kind).is_of_maps() {
        let why = format!("a map of maps cannot hold `{name}`, which is one itself");
        return Err(Error::script(what(), why).with_errno(libc::EINVAL));
    }
    // The map itself when it exists already (pinned, extern), so that it fits whatever its creator gave it.
    let template = match existing.contains(&inner) {
        true => raw::duplicate(object, raw::maps(object)[inner].fd).map_err(|err| cannot(holder, options, &err))?,
        false => sys::create(&MapInfo::from(&maps[inner])).map_err(|err| {
            let why = format!("the kernel does not create a map like `{name}`: {}", errno_words_of(&err));
            Error::machine(what(), why).with_errno(err.raw_os_error().unwrap_or_default())
        })?,
    };
    raw::set_inner(object, outer, template.as_fd()).map_err(|err| cannot(holder, options, &err))?;
    Ok(template)
}

fn errno_words_of(err: &std::io::Error) -> String {
    err.raw_os_error().map_or_else(|| err.to_string(), errno_words)
}
