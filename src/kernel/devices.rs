// SPDX-License-Identifier: Apache-2.0
//! Network devices of the network namespace that this process is in.

use super::sys::os;
use crate::error::{Error, Result};
use crate::suggest;

/// The number of a network device; `what` is the headline of the error when there is none of this name.
pub fn index(name: &str, what: &str) -> Result<u32> {
    let devices = os::network_devices().map_err(|err| Error::io(what, &err))?;
    find(name, &devices).ok_or_else(|| {
        let error = Error::script(what, format!("no network device `{name}`")).with_errno(libc::ENODEV);
        let names: Vec<&str> = devices.iter().map(|(_, name)| name.as_str()).collect();
        match suggest::similar_line(&suggest::nearest(name, names.iter().copied())) {
            Some(line) => error.with_hint(line),
            None => error.with_note(format!("there are: {}", names.join(", "))),
        }
    })
}

/// The name of the network device with this number, if there is one in this network namespace.
pub fn name(index: u32) -> Option<String> {
    let devices = os::network_devices().ok()?;
    devices.into_iter().find(|(known, _)| *known == index).map(|(_, name)| name)
}

fn find(name: &str, devices: &[(u32, String)]) -> Option<u32> {
    devices.iter().find(|(_, known)| known == name).map(|(index, _)| *index)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_by_name() {
        let devices = [(1, "lo".to_owned()), (7, "eth0".to_owned())];
        assert_eq!(find("eth0", &devices), Some(7));
        assert_eq!(find("eth1", &devices), None);
    }

    #[test]
    fn the_loopback_device_is_there_and_others_are_named() {
        if index("lo", "x").is_err() {
            println!("skipped: there is no loopback device");
            return;
        }
        let err = index("l0", "cannot attach XDP program `f` to `l0`").unwrap_err();
        assert!(err.report().contains("no network device `l0`") && err.report().contains("lo"), "{}", err.report());
    }
}
