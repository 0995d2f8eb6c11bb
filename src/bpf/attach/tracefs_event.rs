// SPDX-License-Identifier: Apache-2.0
//! Return probes with a number of instances of their own (`maxactive`), which only tracefs can make.
//!
//! Unlike all else here such an event is not a descriptor: it stays when the process is killed. Its group carries the
//! process's number, and whoever makes the next one removes those of processes that are gone.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::error::{Error, Result};
use crate::kernel::tracefs::Tracefs;

const GROUP_PREFIX: &str = "bpflua_";

/// A kretprobe event in tracefs; dropping it removes it.
#[derive(Debug)]
pub struct TracefsEvent {
    control: PathBuf,
    group: String,
    name: String,
}

impl TracefsEvent {
    /// Makes the event for the returns of a function.
    pub fn kretprobe(function: &str, maxactive: u32) -> Result<TracefsEvent> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let tracefs = Tracefs::open()?;
        let control = tracefs.root().join("kprobe_events");
        remove_stale(&control);
        let group = format!("{GROUP_PREFIX}{}", std::process::id());
        let name = format!("r{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let event = TracefsEvent { control, group, name };
        event.write(&format!("r{maxactive}:{}/{} {function}", event.group, event.name)).map_err(|err| {
            let what = format!("cannot attach kretprobe to `{function}` with maxactive {maxactive}");
            Error::io(what, &err).with_evidence(format!("tried through `{}`", event.control.display()))
        })?;
        Ok(event)
    }

    /// The number under which perf knows the event.
    pub fn id(&self) -> Result<u64> {
        let root = self.control.parent().unwrap_or(Path::new("/"));
        let path = root.join("events").join(&self.group).join(&self.name).join("id");
        let text = fs::read_to_string(&path)
            .map_err(|err| Error::io(format!("cannot read the event's number from `{}`", path.display()), &err))?;
        text.trim().parse().map_err(|_| Error::bug(format!("cannot use `{}`", path.display()), "it has no number"))
    }

    fn write(&self, command: &str) -> io::Result<()> {
        append(&self.control, command)
    }
}

impl Drop for TracefsEvent {
    fn drop(&mut self) {
        // Nobody to tell; the next one made by anybody removes what is left.
        let _ = self.write(&format!("-:{}/{}", self.group, self.name));
    }
}

fn append(control: &Path, command: &str) -> io::Result<()> {
    OpenOptions::new().append(true).open(control)?.write_all(command.as_bytes())
}

fn remove_stale(control: &Path) {
    let events = fs::read_to_string(control).unwrap_or_default();
    for event in events.lines().filter_map(stale_event) {
        // It may be in use by, or just removed by, another.
        let _ = append(control, &format!("-:{event}"));
    }
}

/// `group/name` of an event of ours whose process is gone: `r8:bpflua_123/r0 vfs_read`.
fn stale_event(line: &str) -> Option<&str> {
    let event = line.split_once(':')?.1.split_whitespace().next()?;
    let pid = event.strip_prefix(GROUP_PREFIX)?.split('/').next()?;
    let gone = pid.parse::<u32>().is_ok() && !Path::new("/proc").join(pid).exists();
    gone.then_some(event)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_of_dead_processes_are_stale() {
        assert_eq!(stale_event("r8:bpflua_4294967295/r0 vfs_read"), Some("bpflua_4294967295/r0"));
        assert_eq!(stale_event("r8:bpflua_1/r0 vfs_read"), None);
        assert_eq!(stale_event("p:other/r0 vfs_read"), None);
        assert_eq!(stale_event(""), None);
    }
}
