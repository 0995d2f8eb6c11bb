// SPDX-License-Identifier: Apache-2.0
//! What the kernel tells of a link.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

use super::check;

/// A link as the kernel describes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LinkInfo {
    /// `BPF_LINK_TYPE_*`
    pub kind: u32,
    /// The number of its program.
    pub prog_id: u32,
    /// What it is attached to.
    pub place: LinkPlace,
    /// How often the kernel left out a run at this link, where it counts.
    pub missed: u64,
}

/// What a link is attached to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum LinkPlace {
    /// The kernel does not tell.
    #[default]
    Untold,
    /// What has this name: an event, a function, an iterator's target.
    Named(String),
    /// So many functions, or places in a file.
    Several { count: u32, path: String },
    /// An offset in a file.
    File { path: String, offset: u32 },
    /// A type of the BTF with this number.
    Btf { object: u32, id: u32, attach_type: u32 },
    /// A network device.
    Device { index: u32, attach_type: u32 },
    /// A control group.
    Cgroup { id: u64, attach_type: u32 },
    /// A network namespace.
    Netns { inode: u32, attach_type: u32 },
    /// A map.
    Map(u32),
    /// A hook of netfilter.
    Netfilter { family: u32, hook: u32, priority: i32 },
    /// A perf event.
    PerfEvent { kind: u32, config: u64 },
}

/// Longer names are cut.
const NAME_BYTES: usize = 512;

/// Asks about a link.
pub fn read(link: BorrowedFd<'_>) -> io::Result<LinkInfo> {
    let first = ask(link, &mut libbpf_sys::bpf_link_info::default())?;
    let mut name = [0_u8; NAME_BYTES];
    let mut info = libbpf_sys::bpf_link_info::default();
    give_room(&mut info, &first, &mut name);
    let info = ask(link, &mut info)?;
    let text = || String::from_utf8_lossy(&name[..name.iter().position(|b| *b == 0).unwrap_or(0)]).into_owned();
    Ok(LinkInfo { kind: info.type_, prog_id: info.prog_id, place: place(&info, &text), missed: missed(&info) })
}

/// What is in `info` goes to the kernel: where it may write names, and how much.
fn ask(link: BorrowedFd<'_>, info: &mut libbpf_sys::bpf_link_info) -> io::Result<libbpf_sys::bpf_link_info> {
    let mut len = size_of::<libbpf_sys::bpf_link_info>() as u32;
    // SAFETY: `info` has `len` bytes; it is zero, or `give_room` put a buffer and its length into it.
    check(unsafe { libbpf_sys::bpf_link_get_info_by_fd(link.as_raw_fd(), info, &raw mut len) })?;
    Ok(*info)
}

/// Points the member that the link's type has for a name to `name`.
fn give_room(info: &mut libbpf_sys::bpf_link_info, first: &libbpf_sys::bpf_link_info, name: &mut [u8]) {
    let (at, len) = (name.as_mut_ptr() as u64, name.len() as u32);
    let of = &mut info.__bindgen_anon_1;
    match first.type_ {
        libbpf_sys::BPF_LINK_TYPE_RAW_TRACEPOINT => {
            of.raw_tracepoint = libbpf_sys::bpf_link_info__bindgen_ty_1__bindgen_ty_1 {
                tp_name: at,
                tp_name_len: len,
                ..Default::default()
            };
        }
        libbpf_sys::BPF_LINK_TYPE_ITER => {
            of.iter = libbpf_sys::bpf_link_info__bindgen_ty_1__bindgen_ty_4::default();
            of.iter.target_name = at;
            of.iter.target_name_len = len;
        }
        libbpf_sys::BPF_LINK_TYPE_UPROBE_MULTI => {
            of.uprobe_multi = libbpf_sys::bpf_link_info__bindgen_ty_1__bindgen_ty_10 {
                path: at,
                path_size: len,
                ..Default::default()
            };
        }
        libbpf_sys::BPF_LINK_TYPE_PERF_EVENT => {
            // SAFETY: the type says that this member was filled in.
            let kind = unsafe { first.__bindgen_anon_1.perf_event.type_ };
            of.perf_event = libbpf_sys::bpf_link_info__bindgen_ty_1__bindgen_ty_11::default();
            give_room_for_event(of, kind, at, len);
        }
        _ => {}
    }
}

fn give_room_for_event(of: &mut libbpf_sys::bpf_link_info__bindgen_ty_1, kind: u32, at: u64, len: u32) {
    // SAFETY: the caller wrote `perf_event`; each of its members is plain numbers.
    let event = unsafe { &mut of.perf_event.__bindgen_anon_1 };
    match kind {
        libbpf_sys::BPF_PERF_EVENT_UPROBE | libbpf_sys::BPF_PERF_EVENT_URETPROBE => {
            event.uprobe.file_name = at;
            event.uprobe.name_len = len;
        }
        libbpf_sys::BPF_PERF_EVENT_KPROBE | libbpf_sys::BPF_PERF_EVENT_KRETPROBE => {
            event.kprobe.func_name = at;
            event.kprobe.name_len = len;
        }
        libbpf_sys::BPF_PERF_EVENT_TRACEPOINT => {
            event.tracepoint.tp_name = at;
            event.tracepoint.name_len = len;
        }
        _ => {}
    }
}

fn place(info: &libbpf_sys::bpf_link_info, text: &dyn Fn() -> String) -> LinkPlace {
    let of = &info.__bindgen_anon_1;
    // SAFETY: the link's type says which member of the union the kernel filled in; all others were zeroed before.
    unsafe {
        match info.type_ {
            libbpf_sys::BPF_LINK_TYPE_RAW_TRACEPOINT | libbpf_sys::BPF_LINK_TYPE_ITER => LinkPlace::Named(text()),
            libbpf_sys::BPF_LINK_TYPE_TRACING => LinkPlace::Btf {
                object: of.tracing.target_obj_id,
                id: of.tracing.target_btf_id,
                attach_type: of.tracing.attach_type,
            },
            libbpf_sys::BPF_LINK_TYPE_CGROUP => {
                LinkPlace::Cgroup { id: of.cgroup.cgroup_id, attach_type: of.cgroup.attach_type }
            }
            libbpf_sys::BPF_LINK_TYPE_NETNS => {
                LinkPlace::Netns { inode: of.netns.netns_ino, attach_type: of.netns.attach_type }
            }
            libbpf_sys::BPF_LINK_TYPE_XDP => {
                LinkPlace::Device { index: of.xdp.ifindex, attach_type: libbpf_sys::BPF_XDP }
            }
            libbpf_sys::BPF_LINK_TYPE_TCX | libbpf_sys::BPF_LINK_TYPE_NETKIT => {
                LinkPlace::Device { index: of.tcx.ifindex, attach_type: of.tcx.attach_type }
            }
            libbpf_sys::BPF_LINK_TYPE_STRUCT_OPS => LinkPlace::Map(of.struct_ops.map_id),
            libbpf_sys::BPF_LINK_TYPE_SOCKMAP => LinkPlace::Map(of.sockmap.map_id),
            libbpf_sys::BPF_LINK_TYPE_NETFILTER => LinkPlace::Netfilter {
                family: of.netfilter.pf,
                hook: of.netfilter.hooknum,
                priority: of.netfilter.priority,
            },
            libbpf_sys::BPF_LINK_TYPE_KPROBE_MULTI => {
                LinkPlace::Several { count: of.kprobe_multi.count, path: String::new() }
            }
            libbpf_sys::BPF_LINK_TYPE_UPROBE_MULTI => LinkPlace::Several { count: of.uprobe_multi.count, path: text() },
            libbpf_sys::BPF_LINK_TYPE_PERF_EVENT => event_place(&of.perf_event, text),
            _ => LinkPlace::Untold,
        }
    }
}

/// # Safety
/// The kernel filled in the member that the event's type says.
unsafe fn event_place(
    event: &libbpf_sys::bpf_link_info__bindgen_ty_1__bindgen_ty_11,
    text: &dyn Fn() -> String,
) -> LinkPlace {
    // SAFETY: the caller's promise.
    unsafe {
        match event.type_ {
            libbpf_sys::BPF_PERF_EVENT_UPROBE | libbpf_sys::BPF_PERF_EVENT_URETPROBE => {
                LinkPlace::File { path: text(), offset: event.__bindgen_anon_1.uprobe.offset }
            }
            libbpf_sys::BPF_PERF_EVENT_KPROBE
            | libbpf_sys::BPF_PERF_EVENT_KRETPROBE
            | libbpf_sys::BPF_PERF_EVENT_TRACEPOINT => LinkPlace::Named(text()),
            libbpf_sys::BPF_PERF_EVENT_EVENT => {
                let of = &event.__bindgen_anon_1.event;
                LinkPlace::PerfEvent { kind: of.type_, config: of.config }
            }
            _ => LinkPlace::Untold,
        }
    }
}

/// How often the kernel left out a probe of this link; 0 where it does not count (before 6.7).
pub fn read_missed(link: BorrowedFd<'_>) -> u64 {
    ask(link, &mut libbpf_sys::bpf_link_info::default()).map_or(0, |info| missed(&info))
}

fn missed(info: &libbpf_sys::bpf_link_info) -> u64 {
    // SAFETY: the link's type says which member of the union the kernel filled in; all others were zeroed before.
    unsafe {
        match info.type_ {
            libbpf_sys::BPF_LINK_TYPE_KPROBE_MULTI => info.__bindgen_anon_1.kprobe_multi.missed,
            libbpf_sys::BPF_LINK_TYPE_PERF_EVENT => {
                let event = &info.__bindgen_anon_1.perf_event;
                match event.type_ {
                    libbpf_sys::BPF_PERF_EVENT_KPROBE | libbpf_sys::BPF_PERF_EVENT_KRETPROBE => {
                        event.__bindgen_anon_1.kprobe.missed
                    }
                    _ => 0,
                }
            }
            _ => 0,
        }
    }
}
