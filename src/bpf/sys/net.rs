// SPDX-License-Identifier: Apache-2.0
//! Network devices: packet sockets, XDP, traffic control.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::ptr;

use super::check;

/// A socket that sees whole packets of every protocol; it sees none before [`bind_packet_socket`].
pub fn packet_socket() -> io::Result<OwnedFd> {
    let kind = libc::SOCK_RAW | libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC;
    // SAFETY: takes numbers.
    let fd = unsafe { libc::socket(libc::AF_PACKET, kind, 0) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call succeeded, so `fd` is a new descriptor that nothing else owns.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Lets a packet socket see the packets of a device; of all devices when the number is 0.
pub fn bind_packet_socket(socket: BorrowedFd<'_>, device: u32) -> io::Result<()> {
    // SAFETY: all-zero bytes are a `sockaddr_ll`.
    let mut address: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
    address.sll_family = libc::AF_PACKET as u16;
    address.sll_protocol = (libc::ETH_P_ALL as u16).to_be();
    address.sll_ifindex = device as i32;
    let size = size_of_val(&address) as libc::socklen_t;
    // SAFETY: the address is a whole `sockaddr_ll` of the size given, and outlives the call.
    match unsafe { libc::bind(socket.as_raw_fd(), (&raw const address).cast(), size) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Receives one packet into `buffer` without waiting; its whole length, which may be more than fits.
pub fn receive(socket: BorrowedFd<'_>, buffer: &mut [u8]) -> io::Result<usize> {
    let flags = libc::MSG_DONTWAIT | libc::MSG_TRUNC;
    // SAFETY: `buffer` is memory of the length given.
    let length = unsafe { libc::recv(socket.as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len(), flags) };
    if length < 0 { Err(io::Error::last_os_error()) } else { Ok(length as usize) }
}

/// The numbers of the XDP programs of a device, by mode.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct XdpPrograms {
    /// Run by the driver.
    pub driver: u32,
    /// Run by the device.
    pub hardware: u32,
    /// Run by the kernel on each packet (generic XDP).
    pub generic: u32,
}

/// Which XDP programs a device has; 0 for none.
pub fn xdp_programs(device: u32) -> io::Result<XdpPrograms> {
    let mut opts =
        libbpf_sys::bpf_xdp_query_opts { sz: size_of::<libbpf_sys::bpf_xdp_query_opts>() as _, ..Default::default() };
    // SAFETY: `opts` is of the size it says and has no pointers in it.
    check(unsafe { libbpf_sys::bpf_xdp_query(device as i32, 0, &mut opts) })?;
    Ok(XdpPrograms { driver: opts.drv_prog_id, hardware: opts.hw_prog_id, generic: opts.skb_prog_id })
}

/// Takes a device's XDP program off it, unless a link holds it.
pub fn remove_xdp(device: u32, flags: u32) -> io::Result<()> {
    // SAFETY: a null `opts` stands for the defaults.
    check(unsafe { libbpf_sys::bpf_xdp_detach(device as i32, flags, ptr::null()) }).map(drop)
}

/// One filter of traffic control.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TcFilter {
    /// The device.
    pub device: u32,
    /// Packets that leave, not those that come.
    pub egress: bool,
    /// Its number; 0 leaves it to the kernel.
    pub handle: u32,
    /// Low ones run first; 0 leaves it to the kernel.
    pub priority: u32,
}

fn hook(filter: &TcFilter, attach_point: u32) -> libbpf_sys::bpf_tc_hook {
    libbpf_sys::bpf_tc_hook {
        sz: size_of::<libbpf_sys::bpf_tc_hook>() as _,
        ifindex: filter.device as i32,
        attach_point,
        ..Default::default()
    }
}

const fn attach_point(egress: bool) -> u32 {
    if egress { libbpf_sys::BPF_TC_EGRESS } else { libbpf_sys::BPF_TC_INGRESS }
}

/// Gives a device the queueing discipline `clsact`, which BPF filters hang on; whether it had none before.
pub fn create_clsact(filter: &TcFilter) -> io::Result<bool> {
    let mut hook = hook(filter, libbpf_sys::BPF_TC_INGRESS | libbpf_sys::BPF_TC_EGRESS);
    // SAFETY: `hook` is of the size it says; its only pointer is null.
    match check(unsafe { libbpf_sys::bpf_tc_hook_create(&mut hook) }) {
        Ok(_) => Ok(true),
        Err(err) if err.raw_os_error() == Some(libc::EEXIST) => Ok(false),
        Err(err) => Err(err),
    }
}

/// Takes the queueing discipline off a device, with all filters on it.
pub fn destroy_clsact(filter: &TcFilter) -> io::Result<()> {
    let mut hook = hook(filter, libbpf_sys::BPF_TC_INGRESS | libbpf_sys::BPF_TC_EGRESS);
    // SAFETY: `hook` is of the size it says; its only pointer is null.
    check(unsafe { libbpf_sys::bpf_tc_hook_destroy(&mut hook) }).map(drop)
}

/// Adds a filter that decides by its program's result; the numbers that the kernel chose are in what is returned.
pub fn attach_tc(filter: &TcFilter, prog: BorrowedFd<'_>) -> io::Result<TcFilter> {
    let hook = hook(filter, attach_point(filter.egress));
    let mut opts = tc_opts(filter);
    opts.prog_fd = prog.as_raw_fd();
    // SAFETY: both are of the sizes they say; their only pointer is null.
    check(unsafe { libbpf_sys::bpf_tc_attach(&hook, &mut opts) })?;
    Ok(TcFilter { handle: opts.handle, priority: opts.priority, ..*filter })
}

/// Removes a filter.
pub fn detach_tc(filter: &TcFilter) -> io::Result<()> {
    let hook = hook(filter, attach_point(filter.egress));
    // SAFETY: both are of the sizes they say; their only pointer is null.
    check(unsafe { libbpf_sys::bpf_tc_detach(&hook, &tc_opts(filter)) }).map(drop)
}

fn tc_opts(filter: &TcFilter) -> libbpf_sys::bpf_tc_opts {
    libbpf_sys::bpf_tc_opts {
        sz: size_of::<libbpf_sys::bpf_tc_opts>() as _,
        handle: filter.handle,
        priority: filter.priority,
        ..Default::default()
    }
}
