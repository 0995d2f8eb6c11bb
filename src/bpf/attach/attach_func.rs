// SPDX-License-Identifier: Apache-2.0
//! Programs attached to what a descriptor stands for: control groups, maps of sockets, network namespaces.
//!
//! A link where the kernel has one, so that nothing stays when the process is killed; else, or when the user's flags
//! want what links do not have, `BPF_PROG_ATTACH`, which is taken back when the probe goes.

use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::rc::Rc;

use super::{Mechanism, ProgAttachment};
use crate::bpf::link::{Link, Undo};
use crate::bpf::map_kind::MapKind;
use crate::bpf::object::Object;
use crate::bpf::probe::{Attached, ProbeId, ProbeKind};
use crate::bpf::prog_type::{AttachType, ProgType};
use crate::bpf::program::{LoadAs, Program, Typed};
use crate::bpf::sys::attach as sys;
use crate::bpf::sys::prog::name_of;
use crate::error::{Error, Result};

/// `BPF_F_ALLOW_MULTI`: beside other programs, as links are.
const ALLOW_MULTI: u32 = 2;

/// What a program is attached to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// An open descriptor of the process.
    Fd(i32),
    /// A file or folder: a control group, `/proc/self/ns/net`.
    Path(String),
    /// A map of the object.
    Map(String),
}

/// The request of `attach_func` and its kin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FuncTarget {
    /// To what.
    pub place: Place,
    /// How.
    pub attach: AttachType,
    /// The type of program; the one that the attachment implies when none.
    pub prog: Option<ProgType>,
    /// `BPF_F_ALLOW_OVERRIDE` 1, `BPF_F_ALLOW_MULTI` 2, `BPF_F_REPLACE` 4.
    pub flags: u32,
}

impl Object {
    /// Attaches a function to what a descriptor stands for.
    pub fn attach_func(&mut self, target: &FuncTarget, function: &str) -> Result<ProbeId> {
        let what = format!("cannot attach `{function}` to {} ({})", self.place_name(&target.place), target.attach);
        let found = self.function(function)?;
        let own = (found.attach_type == target.attach.0).then_some(ProgType(found.prog_type));
        let prog = target.prog.or_else(|| target.attach.program()).or(own).ok_or_else(|| {
            let error = Error::script(&what, "programs are not attached to a descriptor in this way");
            error.with_note("there are `attach_xdp`, `attach_tc`, `attach_kfunc`, `attach_lsm` and others")
        })?;
        let fd = self.open_place(&target.place).map_err(|err| not_open(&what, &target.place, &err))?;
        let program = self.load_as(function, &LoadAs::Typed(Typed::attached_as(prog, target.attach)))?;
        let attached = attach(&program, target, fd, &what)?;
        self.keep_probe(kind(target.attach), self.target_name(target), function, attached)
    }

    /// The attachment that a function's section names, for one of these kinds.
    pub fn attachment_of(&self, function: &str, wanted: ProbeKind) -> Result<AttachType> {
        let found = self.function(function)?;
        let attach = AttachType(found.attach_type);
        let fits = attach.program().is_none_or(|prog| prog.0 == found.prog_type) && kind(attach) == wanted;
        // These say the type of program only; their attachment has the number 0, which is another's.
        let says_it = !matches!(found.section.as_str(), "cgroup/skb" | "socket" | "sk_skb");
        if fits && says_it {
            return Ok(attach);
        }
        let what = format!("cannot attach `{function}` to a {}", wanted.name());
        let error = Error::script(what, format!("its section `{}` does not say as what", found.section));
        Err(error.with_hint("give the option `type`, such as \"egress\", \"connect4\" or \"stream_verdict\""))
    }

    /// Detaches what [`attach_func`](Object::attach_func) attached with the same target.
    pub fn detach_func(&mut self, target: &FuncTarget, function: Option<&str>) -> Result<()> {
        self.detach_at(kind(target.attach), &self.target_name(target), function)
    }

    /// `cgroup_inet_egress of /sys/fs/cgroup/mine`
    fn target_name(&self, target: &FuncTarget) -> String {
        format!("{} of {}", target.attach, self.place_name(&target.place))
    }

    fn place_name(&self, place: &Place) -> String {
        match place {
            Place::Map(name) => format!("map `{name}`"),
            Place::Path(path) => format!("`{path}`"),
            Place::Fd(fd) => match self.maps().iter().find(|map| map.as_fd().as_raw_fd() == *fd) {
                Some(map) => format!("map `{}`", map.name),
                None => fs::read_link(format!("/proc/self/fd/{fd}"))
                    .map_or_else(|_| format!("descriptor {fd}"), |path| format!("`{}`", path.display())),
            },
        }
    }

    fn open_place(&self, place: &Place) -> io::Result<OwnedFd> {
        match place {
            Place::Fd(fd) => sys::duplicate(*fd),
            Place::Path(path) => File::open(path).map(OwnedFd::from),
            Place::Map(name) => match self.map(name) {
                Ok(map) => map.as_fd().try_clone_to_owned(),
                Err(_) => Err(io::Error::from_raw_os_error(libc::ENOENT)),
            },
        }
    }
}

fn kind(attach: AttachType) -> ProbeKind {
    match attach.name() {
        "flow_dissector" | "sk_lookup" => ProbeKind::Netns,
        "sk_msg_verdict" => ProbeKind::Sockmap,
        "lsm_cgroup" => ProbeKind::Cgroup,
        name if name.starts_with("cgroup_") => ProbeKind::Cgroup,
        name if name.starts_with("sk_skb_") => ProbeKind::Sockmap,
        _ => ProbeKind::Other,
    }
}

fn attach(program: &Rc<Program>, target: &FuncTarget, fd: OwnedFd, what: &str) -> Result<Attached> {
    let number = target.attach.0;
    let mut why = Vec::new();
    if target.flags & !ALLOW_MULTI == 0 {
        match Link::create(program, fd.as_raw_fd(), number, 0) {
            Ok(link) => return Ok(Attached::one(link, Mechanism::Link)),
            Err(err) if has_no_link(&err) => why.push("link: this kernel has none for this attachment".to_owned()),
            Err(err) => return Err(refused(what, target, &fd, &err)),
        }
    } else {
        why.push(format!("link: flags {:#x} are not for links", target.flags));
    }
    let flags = if kind(target.attach) == ProbeKind::Cgroup && target.flags == 0 { ALLOW_MULTI } else { target.flags };
    sys::attach(program.as_fd(), fd.as_raw_fd(), number, flags).map_err(|err| refused(what, target, &fd, &err))?;
    let undo = Undo::Program(ProgAttachment::new(program, fd, number));
    let mut attached = Attached::one(Link::undone_by(program, undo), Mechanism::ProgAttach);
    attached.why = why;
    if kind(target.attach) == ProbeKind::Cgroup {
        attached.notes.push("it stays attached if this process is killed with SIGKILL".to_owned());
    }
    Ok(attached)
}

/// Whether that is how a kernel says that it has no link for an attachment. A program that does not suit the attachment
/// gives EINVAL too: the second try tells.
fn has_no_link(err: &io::Error) -> bool {
    matches!(err.raw_os_error(), Some(libc::EINVAL | libc::EOPNOTSUPP))
}

fn not_open(what: &str, place: &Place, err: &io::Error) -> Error {
    match (place, err.raw_os_error()) {
        (Place::Fd(fd), Some(libc::EBADF)) => {
            Error::script(what, format!("{fd} is no open descriptor")).with_errno(libc::EBADF)
        }
        (Place::Map(_), Some(errno @ libc::ENOENT)) => Error::script(what, "there is no such map").with_errno(errno),
        _ => Error::io(what, err),
    }
}

fn refused(what: &str, target: &FuncTarget, fd: &OwnedFd, err: &io::Error) -> Error {
    let errno = err.raw_os_error().unwrap_or_default();
    let kind = kind(target.attach);
    let error = match (errno, kind) {
        (libc::EBADF, ProbeKind::Cgroup) => no_cgroup(what),
        (libc::EPERM, ProbeKind::Cgroup) => taken(what, target, fd),
        (libc::EBADF | libc::EINVAL | libc::EOPNOTSUPP, ProbeKind::Sockmap) => Error::script(
            what,
            "it is no map of sockets, or the program is not one for them",
        )
        .with_note(format!("maps of sockets are {} and {}", sockets().0, sockets().1)),
        (libc::EBUSY | libc::EEXIST | libc::E2BIG, ProbeKind::Netns | ProbeKind::Sockmap) => {
            Error::machine(what, "another program is attached there already")
        }
        (libc::EBADF | libc::EINVAL, ProbeKind::Netns) => {
            Error::script(what, "it is no network namespace").with_hint("this process's own is `/proc/self/ns/net`")
        }
        (libc::EINVAL, _) => Error::machine(what, "this kernel does not know this attachment"),
        _ => Error::io(what, err),
    };
    error.with_errno(errno)
}

fn sockets() -> (MapKind, MapKind) {
    (MapKind(libbpf_sys::BPF_MAP_TYPE_SOCKMAP), MapKind(libbpf_sys::BPF_MAP_TYPE_SOCKHASH))
}

fn no_cgroup(what: &str) -> Error {
    let error = Error::script(what, "it is no control group of version 2");
    match cgroup2_mount(&fs::read_to_string("/proc/self/mounts").unwrap_or_default()) {
        Some(root) => error.with_hint(format!("those are the folders below `{root}`")),
        None => error.with_note("no hierarchy of version 2 is mounted here (`mount -t cgroup2 none DIR`)"),
    }
}

/// Where control groups of version 2 are, from the list of mounts.
fn cgroup2_mount(mounts: &str) -> Option<&str> {
    mounts.lines().find_map(|line| {
        let mut words = line.split(' ').skip(1);
        let folder = words.next()?;
        (words.next() == Some("cgroup2")).then_some(folder)
    })
}

fn taken(what: &str, target: &FuncTarget, fd: &OwnedFd) -> Error {
    let error = Error::machine(what, "the group, or one above it, has a program that allows no other");
    match sys::attached(fd.as_fd(), target.attach.0) {
        Ok((ids, flags)) if !ids.is_empty() => {
            let programs = ids.iter().map(|id| format!("{id} `{}`", name_of(*id).unwrap_or_default()));
            let programs: Vec<String> = programs.collect();
            error.with_evidence(format!("attached there with flags {flags}: program {}", programs.join(", ")))
        }
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_follow_from_the_attachment() {
        let kind_of = |name| kind(AttachType::parse(name).unwrap());
        assert_eq!(kind_of("CGROUP_INET_EGRESS"), ProbeKind::Cgroup);
        assert_eq!(kind_of("LSM_CGROUP"), ProbeKind::Cgroup);
        assert_eq!(kind_of("SK_SKB_STREAM_VERDICT"), ProbeKind::Sockmap);
        assert_eq!(kind_of("FLOW_DISSECTOR"), ProbeKind::Netns);
        assert_eq!(kind_of("LIRC_MODE2"), ProbeKind::Other);
    }

    #[test]
    fn the_hierarchy_of_version_2_is_found() {
        let mounts = "tmpfs /sys/fs/cgroup tmpfs rw 0 0\ncgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n";
        assert_eq!(cgroup2_mount(mounts), Some("/sys/fs/cgroup/unified"));
        assert_eq!(cgroup2_mount("x /y cgroup rw 0 0\n"), None);
    }
}
