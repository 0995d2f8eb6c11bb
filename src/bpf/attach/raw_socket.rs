// SPDX-License-Identifier: Apache-2.0
//! Packet sockets with a program that chooses what they see.

use std::os::fd::{AsFd as _, AsRawFd as _};

use super::Mechanism;
use crate::bpf::link::Link;
use crate::bpf::object::Object;
use crate::bpf::probe::{Attached, ProbeId, ProbeKind};
use crate::bpf::prog_type::ProgType;
use crate::bpf::program::{LoadAs, Typed};
use crate::bpf::sys::net;
use crate::error::{Error, Result};
use crate::kernel::devices;

/// No packet is longer: what one read takes at most.
pub const MAX_PACKET_BYTES: usize = 256 << 10;

impl Object {
    /// Opens a packet socket on a device (on all when the name is empty) that sees the packets, or as many of their bytes,
    /// as the function says. The socket does not wait; it is closed when the probe is detached.
    pub fn attach_raw_socket(&mut self, device: &str, function: &str) -> Result<(ProbeId, i32)> {
        let place = if device.is_empty() { "all devices".to_owned() } else { format!("`{device}`") };
        let what = format!("cannot attach socket filter `{function}` to {place}");
        let index = if device.is_empty() { 0 } else { devices::index(device, &what)? };
        let typed = Typed::new(ProgType(libbpf_sys::BPF_PROG_TYPE_SOCKET_FILTER));
        let program = self.load_as(function, &LoadAs::Typed(typed))?;
        // The filter comes first: bound before, the socket would see packets that nobody chose.
        let socket = net::packet_socket().map_err(|err| no_socket(&what, &err))?;
        let number = socket.as_raw_fd();
        let link = Link::socket(&program, socket).map_err(|err| Error::io(&what, &err))?;
        if let Some(socket) = link.fd() {
            net::bind_packet_socket(socket.as_fd(), index).map_err(|err| Error::io(&what, &err))?;
        }
        let attached = Attached::one(link, Mechanism::Socket);
        Ok((self.keep_probe(ProbeKind::RawSocket, device.to_owned(), function, attached)?, number))
    }

    /// The next packet of a raw socket, up to so many bytes of it; none when there is none now.
    pub fn receive_packet(&self, probe: ProbeId, max_bytes: usize) -> Result<Option<Vec<u8>>> {
        let what = "cannot receive a packet";
        let found = self.probes.iter().find(|known| known.id == probe);
        let socket = found.and_then(|probe| probe.attached.links.first()).and_then(Link::fd);
        let socket = socket.ok_or_else(|| Error::script(what, "the socket was closed"))?;
        let mut buffer = vec![0; max_bytes.min(MAX_PACKET_BYTES)];
        match net::receive(socket, &mut buffer) {
            Ok(length) => {
                buffer.truncate(length);
                Ok(Some(buffer))
            }
            Err(err) if err.kind() == std::io::ErrorKind::WouldBlock => Ok(None),
            Err(err) => Err(Error::io(what, &err)),
        }
    }
}

fn no_socket(what: &str, err: &std::io::Error) -> Error {
    match err.raw_os_error() {
        Some(errno @ (libc::EPERM | libc::EACCES)) => {
            Error::machine(what, "packet sockets need CAP_NET_RAW").with_errno(errno)
        }
        Some(errno @ libc::EAFNOSUPPORT) => {
            Error::machine(what, "this kernel has no packet sockets (CONFIG_PACKET)").with_errno(errno)
        }
        _ => Error::io(what, err),
    }
}
