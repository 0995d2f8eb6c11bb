// SPDX-License-Identifier: Apache-2.0
//! Which processes hold BPF programs, maps and links by a descriptor.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// A process.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Holder {
    /// Its number.
    pub pid: u32,
    /// Its name.
    pub comm: String,
}

/// Holders by the kernel's numbers. Processes that may not be looked at are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holders {
    /// Of programs.
    pub programs: BTreeMap<u32, Vec<Holder>>,
    /// Of maps.
    pub maps: BTreeMap<u32, Vec<Holder>>,
    /// Of links.
    pub links: BTreeMap<u32, Vec<Holder>>,
}

/// What a descriptor is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Held {
    Program(u32),
    Map(u32),
    Link(u32),
}

impl Holders {
    /// Looks at every process of this machine.
    pub fn read() -> Holders {
        Self::under(Path::new("/proc"))
    }

    fn under(proc: &Path) -> Holders {
        let mut holders = Holders::default();
        for entry in fs::read_dir(proc).into_iter().flatten().flatten() {
            let pid = entry.file_name().to_str().and_then(|name| name.parse().ok());
            if let Some(pid) = pid {
                holders.add_process(pid, &entry.path());
            }
        }
        holders
    }

    fn add_process(&mut self, pid: u32, folder: &Path) {
        let mut comm = None;
        for descriptor in fs::read_dir(folder.join("fd")).into_iter().flatten().flatten() {
            let Ok(target) = fs::read_link(descriptor.path()) else { continue };
            if !target.to_str().is_some_and(|target| target.starts_with("anon_inode:bpf")) {
                continue;
            }
            let info = fs::read_to_string(folder.join("fdinfo").join(descriptor.file_name())).unwrap_or_default();
            let Some(held) = parse(&info) else { continue };
            let comm = comm.get_or_insert_with(|| read_comm(folder));
            self.add(held, Holder { pid, comm: comm.clone() });
        }
    }

    fn add(&mut self, held: Held, holder: Holder) {
        let holders = match held {
            Held::Program(id) => self.programs.entry(id),
            Held::Map(id) => self.maps.entry(id),
            Held::Link(id) => self.links.entry(id),
        };
        let holders = holders.or_default();
        if !holders.contains(&holder) {
            holders.push(holder);
        }
    }
}

fn read_comm(folder: &Path) -> String {
    let bytes = fs::read(folder.join("comm")).unwrap_or_default();
    String::from_utf8_lossy(&bytes).trim_end().to_owned()
}

/// From a file of `fdinfo`: a link's has the number of its program, too.
fn parse(info: &str) -> Option<Held> {
    let number = |key: &str| {
        let line = info.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
        line.and_then(|rest| rest.trim().parse().ok())
    };
    number("link_id")
        .map(Held::Link)
        .or_else(|| number("map_id").map(Held::Map))
        .or_else(|| number("prog_id").map(Held::Program))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptors_are_told_apart() {
        assert_eq!(
            parse("pos:\t0\nflags:\t02000002\nprog_type:\t2\nprog_jited:\t1\nprog_id:\t17\n"),
            Some(Held::Program(17))
        );
        assert_eq!(parse("map_type:\t1\nmemlock:\t4096\nmap_id:\t5\nfrozen:\t0\n"), Some(Held::Map(5)));
        assert_eq!(parse("link_type:\tperf\nlink_id:\t3\nprog_tag:\tab\nprog_id:\t17\n"), Some(Held::Link(3)));
        assert_eq!(parse("pos:\t0\n"), None);
        assert_eq!(parse("map_id:\tx\n"), None);
    }

    #[test]
    fn this_machine_can_be_looked_at() {
        let holders = Holders::read();
        assert!(holders.maps.values().all(|of| !of.is_empty()));
    }
}
