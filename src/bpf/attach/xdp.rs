// SPDX-License-Identifier: Apache-2.0
//! XDP: programs that see the packets of a device before the kernel's own network code.

use std::io;

use super::Mechanism;
use crate::bpf::link::Link;
use crate::bpf::object::Object;
use crate::bpf::probe::{Attached, ProbeId, ProbeKind};
use crate::bpf::prog_type::ProgType;
use crate::bpf::program::{LoadAs, Typed};
use crate::bpf::sys::net::{self, XdpPrograms};
use crate::bpf::sys::prog as sys_prog;
use crate::error::{Error, Result};
use crate::kernel::devices;

const UPDATE_IF_NOEXIST: u32 = 1;
const SKB_MODE: u32 = 2;
const DRV_MODE: u32 = 4;
const HW_MODE: u32 = 8;
const MODES: u32 = SKB_MODE | DRV_MODE | HW_MODE;

impl Object {
    /// Attaches a function to a device. `flags` are bcc's and the kernel's: 1 only where there is none yet, 2 generic, 4 by
    /// the driver, 8 by the device. Without the first, another program there is taken off, as in bcc.
    pub fn attach_xdp(&mut self, device: &str, function: &str, flags: u32) -> Result<ProbeId> {
        let what = format!("cannot attach XDP program `{function}` to `{device}`");
        if flags & !(UPDATE_IF_NOEXIST | MODES) != 0 {
            let why = format!("flags {flags:#x} are not among 1 (if none), 2 (generic), 4 (driver), 8 (device)");
            return Err(Error::script(what, why));
        }
        if (flags & MODES).count_ones() > 1 {
            return Err(Error::script(
                what,
                "only one of the modes generic (2), driver (4) and device (8) is possible",
            ));
        }
        let index = devices::index(device, &what)?;
        let typed = Typed::new(ProgType(libbpf_sys::BPF_PROG_TYPE_XDP));
        let device_runs_it = flags & HW_MODE != 0;
        let typed = Typed { device: if device_runs_it { index } else { 0 }, ..typed };
        let program = self.load_as(function, &LoadAs::Typed(typed)).map_err(|err| match err.log() {
            None if device_runs_it => cannot_run(&what, device).with_errno(err.errno().unwrap_or_default()),
            _ => err,
        })?;
        let link = |flags| Link::create(&program, index as i32, libbpf_sys::BPF_XDP, flags & MODES);
        let mut notes = Vec::new();
        let link = match link(flags) {
            Err(err) if flags & UPDATE_IF_NOEXIST == 0 && is_taken(&err) => {
                notes.push(self.take_off(device, index, flags, &what)?);
                link(flags)
            }
            other => other,
        };
        let link = link.map_err(|err| refused(&what, device, index, flags, &err))?;
        let mut attached = Attached::one(link, Mechanism::Link);
        attached.notes = notes;
        attached.notes.extend(mode_note(index, flags));
        self.keep_probe(ProbeKind::Xdp, device.to_owned(), function, attached)
    }

    /// Takes a program off a device: this object's, else whichever is there. That there is none is no error, as in bcc.
    pub fn remove_xdp(&mut self, device: &str, flags: u32) -> Result<()> {
        let what = format!("cannot remove the XDP program of `{device}`");
        let index = devices::index(device, &what)?;
        if self.detach_at(ProbeKind::Xdp, device, None).is_ok() {
            return Ok(());
        }
        remove_others(index, flags, &what)
    }

    /// Takes off what is in the way of a new program, and says what it was.
    fn take_off(&mut self, device: &str, index: u32, flags: u32, what: &str) -> Result<String> {
        let there = net::xdp_programs(index).unwrap_or_default();
        let name = describe(there);
        if self.detach_at(ProbeKind::Xdp, device, None).is_err() {
            remove_others(index, flags, what)?;
        }
        Ok(format!("in place of {name}"))
    }
}

/// Takes whatever program is on a device off it, unless a link of another process holds it.
pub fn remove_xdp(device: &str, flags: u32) -> Result<()> {
    let what = format!("cannot remove the XDP program of `{device}`");
    remove_others(devices::index(device, &what)?, flags, &what)
}

fn remove_others(index: u32, flags: u32, what: &str) -> Result<()> {
    let there = net::xdp_programs(index).unwrap_or_default();
    if there == XdpPrograms::default() {
        return Ok(());
    }
    // The kernel wants the mode named when it is not the one that it would choose.
    let modes = match flags & MODES {
        0 if there.generic != 0 => SKB_MODE,
        0 if there.hardware != 0 => HW_MODE,
        modes => modes,
    };
    net::remove_xdp(index, modes).map_err(|err| match err.raw_os_error() {
        Some(libc::EBUSY) => {
            let error = Error::machine(what, format!("{} is held by a link of another process", describe(there)));
            error.with_errno(libc::EBUSY).with_note("it goes when that process ends or lets go of it")
        }
        _ => Error::io(what, &err),
    })
}

fn is_taken(err: &io::Error) -> bool {
    matches!(err.raw_os_error(), Some(libc::EBUSY | libc::EEXIST))
}

/// `program 42 (drop_all)`
fn describe(there: XdpPrograms) -> String {
    let id = [there.driver, there.hardware, there.generic].into_iter().find(|id| *id != 0).unwrap_or(0);
    match sys_prog::name_of(id) {
        Some(name) if !name.is_empty() => format!("program {id} (`{name}`)"),
        _ => format!("program {id}"),
    }
}

/// How it runs, when the kernel chose.
fn mode_note(index: u32, flags: u32) -> Option<String> {
    let there = net::xdp_programs(index).ok()?;
    (flags & MODES == 0 && there.generic != 0).then(|| "generic: the device's driver has no XDP of its own".to_owned())
}

fn cannot_run(what: &str, device: &str) -> Error {
    Error::machine(what, format!("`{device}` cannot run programs itself"))
}

fn refused(what: &str, device: &str, index: u32, flags: u32, err: &io::Error) -> Error {
    let errno = err.raw_os_error().unwrap_or_default();
    let there = net::xdp_programs(index).unwrap_or_default();
    let error = match errno {
        libc::EBUSY | libc::EEXIST if there != XdpPrograms::default() => {
            Error::machine(what, format!("{} is there already", describe(there)))
                .with_note("one that a link holds goes when its process ends or lets go of it")
        }
        libc::EOPNOTSUPP if flags & DRV_MODE != 0 => {
            Error::machine(what, format!("the driver of `{device}` has no XDP"))
                .with_hint("flags = BPF.XDP_FLAGS_SKB_MODE works with every device")
        }
        libc::EOPNOTSUPP | libc::EINVAL if flags & HW_MODE != 0 => cannot_run(what, device),
        libc::EINVAL => Error::machine(what, "this kernel has no XDP links, or the device's settings forbid XDP"),
        _ => Error::io(what, err),
    };
    error.with_errno(errno)
}
