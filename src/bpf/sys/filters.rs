// SPDX-License-Identifier: Apache-2.0
//! Whether a device has filters of traffic control: the one question that libbpf cannot ask.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

/// `TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS)`, and the same for egress.
const PARENTS: [u32; 2] = [0xffff_fff2, 0xffff_fff3];
const HEADER_BYTES: usize = 16;
/// `struct nlmsghdr` and `struct tcmsg`.
const REQUEST_BYTES: usize = HEADER_BYTES + 20;

/// Whether nothing hangs on a device's queueing discipline `clsact`.
pub fn has_none(device: u32) -> io::Result<bool> {
    for parent in PARENTS {
        if has_any(device, parent)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn has_any(device: u32, parent: u32) -> io::Result<bool> {
    // SAFETY: takes numbers.
    let fd = unsafe { libc::socket(libc::AF_NETLINK, libc::SOCK_RAW | libc::SOCK_CLOEXEC, libc::NETLINK_ROUTE) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call succeeded, so `fd` is a new descriptor that nothing else owns.
    let socket = unsafe { OwnedFd::from_raw_fd(fd) };
    let request = request(device, parent);
    // SAFETY: the request is memory of the length given.
    let sent = unsafe { libc::send(socket.as_raw_fd(), request.as_ptr().cast(), request.len(), 0) };
    if sent < 0 {
        return Err(io::Error::last_os_error());
    }
    loop {
        let mut buffer = vec![0_u8; 32 << 10];
        // SAFETY: the buffer is memory of the length given.
        let length = unsafe { libc::recv(socket.as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len(), 0) };
        if length < 0 {
            return Err(io::Error::last_os_error());
        }
        buffer.truncate(length as usize);
        match read_answer(&buffer)? {
            Answer::Filter => return Ok(true),
            Answer::End => return Ok(false),
            Answer::More => {}
        }
    }
}

/// A request for all filters of a device under a parent.
fn request(device: u32, parent: u32) -> [u8; REQUEST_BYTES] {
    let mut bytes = [0; REQUEST_BYTES];
    let mut put = |at: usize, value: &[u8]| bytes[at..at + value.len()].copy_from_slice(value);
    put(0, &(REQUEST_BYTES as u32).to_ne_bytes());
    put(4, &libc::RTM_GETTFILTER.to_ne_bytes());
    put(6, &((libc::NLM_F_REQUEST | libc::NLM_F_DUMP) as u16).to_ne_bytes());
    put(HEADER_BYTES + 4, &device.to_ne_bytes());
    put(HEADER_BYTES + 12, &parent.to_ne_bytes());
    bytes
}

#[derive(Debug, PartialEq, Eq)]
enum Answer {
    Filter,
    End,
    More,
}

fn read_answer(mut bytes: &[u8]) -> io::Result<Answer> {
    let word = |bytes: &[u8], at: usize| Some(u32::from_ne_bytes(*bytes.get(at..)?.first_chunk()?));
    while let Some(length) = word(bytes, 0).map(|length| length as usize).filter(|length| *length >= HEADER_BYTES) {
        match word(bytes, 4).map(|word| word as u16) {
            Some(libc::RTM_NEWTFILTER) => return Ok(Answer::Filter),
            Some(kind) if i32::from(kind) == libc::NLMSG_DONE => return Ok(Answer::End),
            Some(kind) if i32::from(kind) == libc::NLMSG_ERROR => {
                let errno = word(bytes, HEADER_BYTES).map_or(0, |errno| -(errno as i32));
                return Err(io::Error::from_raw_os_error(errno));
            }
            _ => {}
        }
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    Ok(Answer::More)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: u16, rest: &[u8]) -> Vec<u8> {
        let mut bytes = ((HEADER_BYTES + rest.len()) as u32).to_ne_bytes().to_vec();
        bytes.extend(u32::from(kind).to_ne_bytes());
        bytes.extend([0; 8]);
        bytes.extend(rest);
        bytes
    }

    #[test]
    fn answers_are_told_apart() {
        assert_eq!(read_answer(&message(libc::RTM_NEWTFILTER, &[0; 20])).unwrap(), Answer::Filter);
        assert_eq!(read_answer(&message(3, &[0; 4])).unwrap(), Answer::End);
        let both = [message(1, &[0; 5]), vec![0; 3], message(3, &[])].concat();
        assert_eq!(read_answer(&both).unwrap(), Answer::End);
        assert_eq!(read_answer(&[]).unwrap(), Answer::More);
        let refused = message(2, &(-libc::EPERM).to_ne_bytes());
        assert_eq!(read_answer(&refused).unwrap_err().raw_os_error(), Some(libc::EPERM));
    }
}
