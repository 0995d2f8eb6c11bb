// SPDX-License-Identifier: Apache-2.0
//! What maps need of the host beyond their elements: descriptors of what they hold.

use std::fs::File;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::fs::OpenOptionsExt as _;

use mlua::{AnyUserData, Lua, Table};

use super::object::{field, with};
use crate::bpf::Counter;
use crate::error::{Error, Result, errno_words};
use crate::lua::errors::{Natives, from_mlua};

/// `native.maps`: `open_folder(path, what)`, a file that Lua closes with `close`; `open_counters(object, {map, type,
/// config, pid?})`; `losses(object)`, `{NAME = {count, errno}}`; `loss_counter(object, map)`, a descriptor and an offset.
pub fn table(lua: &Lua) -> mlua::Result<Table> {
    let natives = Natives::new(lua)?;
    natives.add("open_folder", "set", |lua, (path, what): (String, String)| {
        lua.create_any_userdata(open_folder(&path, &what)?).map_err(|error| from_mlua(&what, &error))
    })?;
    natives
        .add("fd", "set", |_, folder: AnyUserData| Ok(folder.borrow::<OwnedFd>().map_or(-1, |fd| fd.as_raw_fd())))?;
    natives.add("close", "set", |_, folder: AnyUserData| Ok(folder.take::<OwnedFd>().map(drop).is_ok()))?;
    natives.add("losses", "lost", |lua, object: AnyUserData| {
        let losses = with(&object, |object| object.losses())?;
        let fill = || -> mlua::Result<Table> {
            let table = lua.create_table()?;
            for loss in &losses {
                let one = lua.create_table()?;
                one.set("count", loss.count)?;
                one.set("errno", loss.errno)?;
                table.set(loss.map.as_str(), one)?;
            }
            Ok(table)
        };
        fill().map_err(|error| from_mlua("lost", &error))
    })?;
    natives.add("loss_counter", "open_ring_buffer", |_, (object, map): (AnyUserData, String)| {
        with(&object, |object| {
            let counter = object.loss_counter(&map);
            Ok(counter.map_or((None, None), |(fd, offset)| (Some(fd.as_raw_fd()), Some(offset))))
        })
    })?;
    natives.add("open_counters", "open_perf_event", |_, (object, options): (AnyUserData, Table)| {
        let map: String = field(&options, "map")?;
        let counter = Counter {
            kind: field(&options, "type")?,
            config: field(&options, "config")?,
            pid: field::<Option<i32>>(&options, "pid")?.filter(|pid| *pid >= 0),
        };
        with(&object, |object| object.map(&map)?.open_counters(&counter))
    })?;
    Ok(natives.into_table())
}

fn open_folder(path: &str, what: &str) -> Result<OwnedFd> {
    let folder = File::options().read(true).custom_flags(libc::O_DIRECTORY).open(path);
    folder.map(OwnedFd::from).map_err(|err| match err.raw_os_error() {
        Some(errno @ (libc::ENOENT | libc::ENOTDIR)) => {
            Error::script(what, format!("there is no folder `{path}`")).with_errno(errno)
        }
        Some(errno) => Error::machine(what, errno_words(errno)).with_errno(errno),
        None => Error::io(what, &err),
    })
}
