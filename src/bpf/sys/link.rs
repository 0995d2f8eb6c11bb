// SPDX-License-Identifier: Apache-2.0
//! Making links.

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::ptr;

use super::check_fd;

/// Attaches a program to a perf event through a link (kernel 5.15 and newer). `cookie` is what the program gets from
/// `bpf_get_attach_cookie`.
pub fn perf_event(prog: BorrowedFd<'_>, event: BorrowedFd<'_>, cookie: u64) -> io::Result<OwnedFd> {
    let mut opts = options();
    opts.__bindgen_anon_1.perf_event.bpf_cookie = cookie;
    // SAFETY: `opts` is of the size it says.
    check_fd(unsafe {
        libbpf_sys::bpf_link_create(
            prog.as_raw_fd(),
            event.as_raw_fd(),
            libbpf_sys::BPF_PERF_EVENT,
            ptr::from_ref(&opts),
        )
    })
}

fn options() -> libbpf_sys::bpf_link_create_opts {
    libbpf_sys::bpf_link_create_opts { sz: size_of::<libbpf_sys::bpf_link_create_opts>() as _, ..Default::default() }
}

/// Places in one file to probe through one link. The three lists are of one length.
#[derive(Debug)]
pub struct UprobePlaces<'a> {
    /// The file.
    pub path: &'a CStr,
    /// Where in the file.
    pub offsets: &'a [u64],
    /// Where in the file the kernel counts whether a place is traced (a USDT semaphore); 0 for nowhere.
    pub counters: &'a [u64],
    /// What the program gets from `bpf_get_attach_cookie`.
    pub cookies: &'a [u64],
    /// Only in this process; every process when 0.
    pub pid: u32,
    /// At the returns of functions.
    pub retprobe: bool,
    /// At entry and return, for a program that was loaded so.
    pub session: bool,
}

/// Attaches a program to many places in a file (kernel 6.6 and newer).
pub fn uprobe_multi(prog: BorrowedFd<'_>, places: &UprobePlaces<'_>) -> io::Result<OwnedFd> {
    let count = places.offsets.len();
    if places.counters.len() != count || places.cookies.len() != count {
        return Err(io::Error::from_raw_os_error(libc::EINVAL));
    }
    let mut opts = options();
    opts.__bindgen_anon_1.uprobe_multi.cnt = count as u32;
    opts.__bindgen_anon_1.uprobe_multi.path = places.path.as_ptr();
    opts.__bindgen_anon_1.uprobe_multi.offsets = places.offsets.as_ptr().cast();
    opts.__bindgen_anon_1.uprobe_multi.ref_ctr_offsets = places.counters.as_ptr().cast();
    opts.__bindgen_anon_1.uprobe_multi.cookies = places.cookies.as_ptr().cast();
    opts.__bindgen_anon_1.uprobe_multi.pid = places.pid;
    opts.__bindgen_anon_1.uprobe_multi.flags = if places.retprobe { libbpf_sys::BPF_F_UPROBE_MULTI_RETURN } else { 0 };
    let attach_type = match places.session {
        true => libbpf_sys::BPF_TRACE_UPROBE_SESSION,
        false => libbpf_sys::BPF_TRACE_UPROBE_MULTI,
    };
    // SAFETY: `opts` is of the size it says; the string and the lists, `cnt` numbers of 64 bits each, outlive the call.
    check_fd(unsafe { libbpf_sys::bpf_link_create(prog.as_raw_fd(), 0, attach_type, ptr::from_ref(&opts)) })
}

/// Attaches a program whose target was given when it was loaded (fentry, fexit, fmod_ret, lsm, tp_btf). A `cookie` other
/// than 0 takes kernel 5.19 (tp_btf: 6.10).
pub fn tracing(prog: BorrowedFd<'_>, attach_type: u32, cookie: u64) -> io::Result<OwnedFd> {
    let mut opts = options();
    opts.__bindgen_anon_1.tracing.cookie = cookie;
    // SAFETY: `opts` is of the size it says. Without a cookie, libbpf itself falls back to `BPF_RAW_TRACEPOINT_OPEN`.
    check_fd(unsafe { libbpf_sys::bpf_link_create(prog.as_raw_fd(), 0, attach_type, ptr::from_ref(&opts)) })
}

/// Attaches a program to what a descriptor (a control group, a map, a network namespace) or the number of a network
/// device stands for.
pub fn create(prog: BorrowedFd<'_>, target: i32, attach_type: u32, flags: u32) -> io::Result<OwnedFd> {
    let mut opts = options();
    opts.flags = flags;
    // SAFETY: `opts` is of the size it says and has no pointers in it.
    check_fd(unsafe { libbpf_sys::bpf_link_create(prog.as_raw_fd(), target, attach_type, ptr::from_ref(&opts)) })
}

/// Has the kernel call the functions in a map of kind `struct_ops` that was made for a link (kernel 6.4 and newer).
pub fn struct_ops(map: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    // SAFETY: a null `opts` stands for the defaults.
    check_fd(unsafe { libbpf_sys::bpf_link_create(map.as_raw_fd(), 0, libbpf_sys::BPF_STRUCT_OPS, ptr::null()) })
}

/// Attaches a program in place of a function of another, given by its id in that program's BTF.
pub fn freplace(prog: BorrowedFd<'_>, target: BorrowedFd<'_>, function: u32) -> io::Result<OwnedFd> {
    let mut opts = options();
    opts.target_btf_id = function;
    // SAFETY: `opts` is of the size it says and has no pointers in it.
    check_fd(unsafe { libbpf_sys::bpf_link_create(prog.as_raw_fd(), target.as_raw_fd(), 0, ptr::from_ref(&opts)) })
}

/// What an iterator is limited to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IterScope {
    /// Nothing.
    All,
    /// The map with this descriptor.
    Map(u32),
    /// A process or a thread; 0 for any.
    Task { pid: u32, tid: u32 },
    /// A control group, gone through in this order (`BPF_CGROUP_ITER_*`).
    Cgroup { fd: u32, order: u32 },
}

/// Attaches an iterator, whose target was given when it was loaded.
pub fn iter(prog: BorrowedFd<'_>, scope: &IterScope) -> io::Result<OwnedFd> {
    let mut info = libbpf_sys::bpf_iter_link_info::default();
    let mut opts = options();
    match *scope {
        IterScope::All => {}
        IterScope::Map(fd) => info.map.map_fd = fd,
        IterScope::Task { pid, tid } => {
            info.task.pid = pid;
            info.task.tid = tid;
        }
        IterScope::Cgroup { fd, order } => {
            info.cgroup.cgroup_fd = fd;
            info.cgroup.order = order;
        }
    }
    if *scope != IterScope::All {
        opts.iter_info = &raw mut info;
        // Kernels know different lengths of it, and take one with zeros at the end.
        opts.iter_info_len = size_of_val(&info) as u32;
    }
    // SAFETY: `opts` is of the size it says; `iter_info` has the length beside it and outlives the call.
    check_fd(unsafe {
        libbpf_sys::bpf_link_create(prog.as_raw_fd(), 0, libbpf_sys::BPF_TRACE_ITER, ptr::from_ref(&opts))
    })
}

/// Starts a run of an attached iterator; its output is read from the descriptor.
pub fn open_iter(link: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    // SAFETY: takes a number.
    check_fd(unsafe { libbpf_sys::bpf_iter_create(link.as_raw_fd()) })
}

/// A hook of netfilter.
#[derive(Clone, Copy, Debug)]
pub struct Hook {
    /// `NFPROTO_*`
    pub family: u32,
    /// `NF_INET_*`
    pub number: u32,
    /// Low ones run first.
    pub priority: i32,
    /// `BPF_F_NETFILTER_IP_DEFRAG`
    pub flags: u32,
}

/// Attaches a program to a hook of netfilter.
pub fn netfilter(prog: BorrowedFd<'_>, hook: &Hook) -> io::Result<OwnedFd> {
    let mut opts = options();
    opts.__bindgen_anon_1.netfilter.pf = hook.family;
    opts.__bindgen_anon_1.netfilter.hooknum = hook.number;
    opts.__bindgen_anon_1.netfilter.priority = hook.priority;
    opts.__bindgen_anon_1.netfilter.flags = hook.flags;
    // SAFETY: `opts` is of the size it says and has no pointers in it.
    check_fd(unsafe {
        libbpf_sys::bpf_link_create(prog.as_raw_fd(), 0, libbpf_sys::BPF_NETFILTER, ptr::from_ref(&opts))
    })
}

/// Attaches a program to a raw tracepoint. A `cookie` other than 0 takes kernel 6.10.
pub fn raw_tracepoint(prog: BorrowedFd<'_>, event: &CStr, cookie: u64) -> io::Result<OwnedFd> {
    let mut opts = libbpf_sys::bpf_raw_tp_opts {
        sz: size_of::<libbpf_sys::bpf_raw_tp_opts>() as _,
        tp_name: event.as_ptr(),
        cookie,
    };
    // SAFETY: `opts` is of the size it says; `event` is a C string that outlives the call.
    check_fd(unsafe { libbpf_sys::bpf_raw_tracepoint_open_opts(prog.as_raw_fd(), &mut opts) })
}

/// Attaches a program to the entries or returns of the functions at these addresses, with the same cookie for all.
pub fn kprobe_multi(prog: BorrowedFd<'_>, addresses: &[u64], retprobe: bool, cookie: u64) -> io::Result<OwnedFd> {
    let flags = if retprobe { libbpf_sys::BPF_F_KPROBE_MULTI_RETURN } else { 0 };
    many_kprobes(prog, addresses, libbpf_sys::BPF_TRACE_KPROBE_MULTI, flags, cookie)
}

/// Attaches a program to the entries and the returns of the functions at these addresses (kernel 6.10 and newer).
pub fn kprobe_session(prog: BorrowedFd<'_>, addresses: &[u64]) -> io::Result<OwnedFd> {
    many_kprobes(prog, addresses, libbpf_sys::BPF_TRACE_KPROBE_SESSION, 0, 0)
}

fn many_kprobes(
    prog: BorrowedFd<'_>,
    addresses: &[u64],
    attach_type: u32,
    flags: u32,
    cookie: u64,
) -> io::Result<OwnedFd> {
    let cookies = if cookie == 0 { Vec::new() } else { vec![cookie; addresses.len()] };
    let mut opts = options();
    opts.__bindgen_anon_1.kprobe_multi.flags = flags;
    opts.__bindgen_anon_1.kprobe_multi.cnt = addresses.len() as u32;
    opts.__bindgen_anon_1.kprobe_multi.addrs = addresses.as_ptr().cast();
    if !cookies.is_empty() {
        opts.__bindgen_anon_1.kprobe_multi.cookies = cookies.as_ptr().cast();
    }
    // SAFETY: `opts` is of the size it says, and `addrs` points to `cnt` addresses of 64 bits, as on every machine that
    // bpflua runs on; so does `cookies`, when it is set.
    check_fd(unsafe { libbpf_sys::bpf_link_create(prog.as_raw_fd(), 0, attach_type, ptr::from_ref(&opts)) })
}
