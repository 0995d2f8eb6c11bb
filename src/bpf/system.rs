// SPDX-License-Identifier: Apache-2.0
//! Everything that the kernel holds, whoever loaded it: programs, maps, links.

use std::fs;
use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd};

use super::map_kind::MapKind;
use super::prog_type::{AttachType, ProgType};
use super::sys::inventory::{self, Numbered};
use super::sys::link_info::{self, LinkPlace};
use super::sys::names;
use crate::error::{Error, Result};
use crate::kernel::bpf_holders::{Holder, Holders};
use crate::kernel::btf::Btf;
use crate::kernel::devices;

/// A program of the kernel's.
#[derive(Clone, Debug)]
pub struct SystemProgram {
    /// Its number.
    pub id: u32,
    /// The name of its type: `kprobe`.
    pub kind: String,
    /// Up to 15 characters of its name.
    pub name: String,
    /// When it was loaded, in nanoseconds of the boot-time clock.
    pub loaded_ns: u64,
    /// The user who loaded it.
    pub uid: u32,
    /// Bytes of its instructions.
    pub xlated_bytes: u32,
    /// Bytes of its machine code; 0 when it is interpreted.
    pub jited_bytes: u32,
    /// Bytes that the kernel counts for it.
    pub memory_bytes: u64,
    /// Runs while they were counted.
    pub runs: u64,
    /// Nanoseconds of these.
    pub time_ns: u64,
    /// Runs that the kernel left out.
    pub missed: u64,
    /// The numbers of its maps.
    pub maps: Vec<u32>,
    /// Who holds it by a descriptor of its own.
    pub holders: Vec<Holder>,
}

/// A map of the kernel's.
#[derive(Clone, Debug)]
pub struct SystemMap {
    /// Its number.
    pub id: u32,
    /// Its type.
    pub kind: MapKind,
    /// Up to 15 characters of its name.
    pub name: String,
    /// Bytes of a key.
    pub key_size: u32,
    /// Bytes of a value.
    pub value_size: u32,
    /// Elements at most.
    pub max_entries: u32,
    /// `BPF_F_*`
    pub flags: u32,
    /// Bytes that the kernel counts for it.
    pub memory_bytes: u64,
    /// Who holds it by a descriptor.
    pub holders: Vec<Holder>,
}

/// A link of the kernel's.
#[derive(Clone, Debug)]
pub struct SystemLink {
    /// Its number.
    pub id: u32,
    /// The name of its type: `perf_event`.
    pub kind: String,
    /// The number of its program.
    pub program: u32,
    /// What it is attached to, in words; empty when the kernel does not tell.
    pub target: String,
    /// Runs that the kernel left out at it.
    pub missed: u64,
    /// Who holds it by a descriptor.
    pub holders: Vec<Holder>,
}

/// Every program that the kernel holds.
pub fn system_programs() -> Result<Vec<SystemProgram>> {
    let mut holders = Holders::read().programs;
    each(Numbered::Program, "programs", |id, fd| {
        let facts = inventory::program(fd)?;
        Ok(SystemProgram {
            id,
            kind: ProgType(facts.kind).name().to_owned(),
            name: facts.name,
            loaded_ns: facts.loaded_ns,
            uid: facts.uid,
            xlated_bytes: facts.xlated_bytes,
            jited_bytes: facts.jited_bytes,
            memory_bytes: memory_of(fd),
            runs: facts.runs,
            time_ns: facts.time_ns,
            missed: facts.missed,
            maps: inventory::maps_of(fd)?,
            holders: holders.remove(&id).unwrap_or_default(),
        })
    })
}

/// Every map that the kernel holds.
pub fn system_maps() -> Result<Vec<SystemMap>> {
    let mut holders = Holders::read().maps;
    each(Numbered::Map, "maps", |id, fd| {
        let facts = inventory::map(fd)?;
        Ok(SystemMap {
            id,
            kind: MapKind(facts.kind),
            name: facts.name,
            key_size: facts.key_size,
            value_size: facts.value_size,
            max_entries: facts.max_entries,
            flags: facts.flags,
            memory_bytes: memory_of(fd),
            holders: holders.remove(&id).unwrap_or_default(),
        })
    })
}

/// Every link that the kernel holds.
pub fn system_links() -> Result<Vec<SystemLink>> {
    let mut holders = Holders::read().links;
    let types = Btf::kernel().ok();
    each(Numbered::Link, "links", |id, fd| {
        let facts = link_info::read(fd)?;
        Ok(SystemLink {
            id,
            kind: names::link_type(facts.kind).map_or_else(|| format!("link of type {}", facts.kind), str::to_owned),
            program: facts.prog_id,
            target: place_words(&facts.place, types.as_ref()),
            missed: facts.missed,
            holders: holders.remove(&id).unwrap_or_default(),
        })
    })
}

/// Asks about each; what goes away meanwhile is left out.
fn each<T>(of: Numbered, noun: &str, ask: impl FnMut(u32, BorrowedFd<'_>) -> io::Result<T>) -> Result<Vec<T>> {
    walk(of, ask).map_err(|err| {
        let error = Error::io(format!("cannot list the BPF {noun} of this system"), &err);
        match err.raw_os_error() {
            Some(libc::EPERM) => error.with_hint("this takes CAP_SYS_ADMIN; those of the script itself do not"),
            _ => error,
        }
    })
}

fn walk<T>(of: Numbered, mut ask: impl FnMut(u32, BorrowedFd<'_>) -> io::Result<T>) -> io::Result<Vec<T>> {
    let (mut found, mut last) = (Vec::new(), 0);
    while let Some(id) = inventory::next_id(of, last)? {
        last = id;
        match inventory::open(of, id).and_then(|fd| ask(id, fd.as_fd())) {
            Ok(facts) => found.push(facts),
            Err(err) if err.raw_os_error() == Some(libc::ENOENT) => {}
            Err(err) => return Err(err),
        }
    }
    Ok(found)
}

/// What the kernel counts for a program or a map, in bytes.
fn memory_of(fd: BorrowedFd<'_>) -> u64 {
    let info = fs::read_to_string(format!("/proc/self/fdinfo/{}", fd.as_raw_fd())).unwrap_or_default();
    memlock(&info)
}

fn memlock(info: &str) -> u64 {
    let line = info.lines().find_map(|line| line.strip_prefix("memlock:"));
    line.and_then(|bytes| bytes.trim().parse().ok()).unwrap_or(0)
}

/// `sched:sched_switch`, `fentry vfs_read`, `12 functions`, `eth0 (tcx_ingress)`.
fn place_words(place: &LinkPlace, types: Option<&Btf>) -> String {
    let attach = |number: u32| AttachType(number).name();
    match place {
        LinkPlace::Untold => String::new(),
        LinkPlace::Named(name) => name.clone(),
        LinkPlace::Several { count, path } if path.is_empty() => format!("{count} functions"),
        LinkPlace::Several { count, path } => format!("{count} places in {path}"),
        LinkPlace::File { path, offset } => format!("{path}+{offset:#x}"),
        LinkPlace::Btf { object, id, attach_type } => {
            // The first BTF is the kernel's own; those of kernel modules come after it.
            let name = types.filter(|_| *object == 1).map(|types| types.name_of(crate::kernel::btf::TypeId(*id)));
            let name = name.filter(|name| !name.is_empty()).map_or_else(|| format!("BTF {object}:{id}"), str::to_owned);
            format!("{} {name}", attach(*attach_type))
        }
        LinkPlace::Device { index, attach_type } => {
            let name = devices::name(*index).unwrap_or_else(|| format!("device {index}"));
            format!("{name} ({})", attach(*attach_type))
        }
        LinkPlace::Cgroup { id, attach_type } => format!("control group {id} ({})", attach(*attach_type)),
        LinkPlace::Netns { inode, attach_type } => format!("network namespace {inode} ({})", attach(*attach_type)),
        LinkPlace::Map(id) => format!("map {id}"),
        LinkPlace::Netfilter { family, hook, priority } => {
            format!("family {family}, hook {hook}, priority {priority}")
        }
        LinkPlace::PerfEvent { kind, config } => format!("perf event {kind}:{config:#x}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read_from_the_descriptors_file() {
        assert_eq!(memlock("pos:\t0\nmemlock:\t8192\nmap_id:\t3\n"), 8192);
        assert_eq!(memlock("pos:\t0\n"), 0);
    }

    #[test]
    fn places_have_words() {
        let words = |place: &LinkPlace| place_words(place, None);
        assert_eq!(words(&LinkPlace::Named("sched_switch".to_owned())), "sched_switch");
        assert_eq!(words(&LinkPlace::Several { count: 12, path: String::new() }), "12 functions");
        assert_eq!(words(&LinkPlace::File { path: "/bin/sh".to_owned(), offset: 16 }), "/bin/sh+0x10");
        assert_eq!(words(&LinkPlace::Btf { object: 7, id: 9, attach_type: 24 }), "trace_fentry BTF 7:9");
        assert_eq!(words(&LinkPlace::Untold), "");
    }

    #[test]
    fn root_every_object_of_the_system_can_be_asked() {
        match (system_programs(), system_maps(), system_links()) {
            (Ok(programs), Ok(_), Ok(links)) => {
                assert!(
                    links.iter().all(|link| link.program == 0 || programs.iter().any(|one| one.id == link.program))
                );
            }
            (Err(err), ..) => println!("skipped: {err}"),
            (_, Err(err), _) | (.., Err(err)) => panic!("{err}"),
        }
    }
}
