// SPDX-License-Identifier: Apache-2.0
//! USDT probes: uprobes at the places that a program's notes name.
//!
//! Every location is told which record has the places of its arguments. Where the kernel carries a number for each
//! attachment (5.15), one program serves all locations, and many of them go through one link (6.6). Before, there is one
//! program for each record, with its number in the instructions.

use std::collections::{BTreeMap, HashSet};
use std::ffi::CString;
use std::fmt;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::OnceLock;

use super::perf_probe::ProbePmu;
use super::uprobe::cannot_probe;
use super::{Mechanism, UsdtSource};
use crate::bpf::link::Link;
use crate::bpf::object::Object;
use crate::bpf::probe::{Attached, ProbeId, ProbeKind};
use crate::bpf::program::Program;
use crate::bpf::sys::limits;
use crate::bpf::sys::link::{self, UprobePlaces};
use crate::bpf::usdt_records::{self, Record};
use crate::error::{Error, Result};
use crate::kernel::features::{Feature, supports};
use crate::symbolize::usdt::{Location, Probes, UsdtFile, UsdtProbe};

/// The request of `attach_usdt`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UsdtTarget {
    /// The provider; needed only where several have a probe of this name.
    pub provider: Option<String>,
    /// The probe's name, or `provider:name`.
    pub name: String,
    /// Only in this process; every process when none.
    pub pid: Option<i32>,
    /// What `bpf_usdt_cookie` gives.
    pub cookie: u64,
}

impl fmt::Display for UsdtTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(provider) = &self.provider {
            write!(f, "{provider}:")?;
        }
        f.write_str(&self.name)
    }
}

/// One place to probe, and how.
#[derive(Debug)]
struct Place {
    path: PathBuf,
    offset: u64,
    /// Where the semaphore is in the file; 0 when there is none.
    counter: u64,
    /// The number of its record; 0 when the program reads none.
    record: u32,
}

impl Object {
    /// Attaches a function to a USDT probe, at all its locations in the files that `probes` was read from.
    pub fn attach_usdt(&mut self, target: &UsdtTarget, probes: &Probes, function: &str) -> Result<ProbeId> {
        let what = format!("cannot attach `{function}` to USDT probe `{target}`");
        let probe = probes.find(target.provider.as_deref(), &target.name, &what)?;
        let reads = self.usdt_arguments(function)?;
        let (mut places, records) = Site { probes, probe, function, what: &what }.places(&reads, target.cookie)?;
        if let Some(table) = self.usdt_records.as_mut().filter(|_| reads.is_some()) {
            let numbers = table.add(&records, &what)?;
            places.iter_mut().zip(numbers).for_each(|(place, number)| place.record = number);
        }
        let mut attached = self.attach_places(function, reads.is_some(), &places, target.pid, &what)?;
        attached.resolved = in_short(&places);
        let target = match target.pid {
            Some(pid) => format!("{} in process {pid}", probe.full_name()),
            None => probe.full_name(),
        };
        self.keep_probe(ProbeKind::Usdt, target, function, attached)
    }

    /// Attaches a function to what its section `usdt/PATH:PROVIDER:NAME` names.
    pub(super) fn attach_usdt_section(&mut self, target: &str, function: &str) -> Result<ProbeId> {
        let parts = target.rsplit_once(':').and_then(|(rest, name)| Some((rest.rsplit_once(':')?, name)));
        let Some(((path, provider), name)) = parts.filter(|((path, _), _)| !path.is_empty()) else {
            let what = format!("cannot attach `{function}` by itself");
            return Err(Error::script(what, format!("`usdt/{target}` is not of the form `usdt/PATH:PROVIDER:NAME`")));
        };
        let probes = UsdtSource { path: Some(path.to_owned()), pid: None }.probes()?;
        let target = UsdtTarget { provider: Some(provider.to_owned()), name: name.to_owned(), ..UsdtTarget::default() };
        self.attach_usdt(&target, &probes, function)
    }

    /// Detaches every USDT probe of this target, of one function or of all.
    pub fn detach_usdt(&mut self, target: &UsdtTarget, function: Option<&str>) -> Result<()> {
        let wanted = target.to_string();
        let end = target.pid.map(|pid| format!(" in process {pid}"));
        let meant = |name: &str| {
            let name = end.as_ref().map_or(Some(name), |end| name.strip_suffix(end.as_str()));
            name.is_some_and(|name| name == wanted || name.split_once(':').is_some_and(|(_, name)| name == wanted))
        };
        self.detach_where(ProbeKind::Usdt, &wanted, meant, function)
    }

    fn attach_places(
        &mut self,
        function: &str,
        reads: bool,
        places: &[Place],
        pid: Option<i32>,
        what: &str,
    ) -> Result<Attached> {
        let mut why = None;
        if places.len() > 1 {
            match self.attach_by_multi(function, reads, places, pid) {
                Ok(links) => return Ok(Attached::many(links, Mechanism::UprobeMulti)),
                Err(reason) => why = Some(format!("uprobe_multi: {reason}")),
            }
        }
        // Every place takes a descriptor here, and perhaps one more for its program.
        if places.len() > limits::USUAL_OPEN_FILES / 4 {
            limits::raise_open_files();
        }
        let pmu = ProbePmu::uprobe()?;
        let cookies = supports(Feature::BpfCookie).is_supported();
        let mut links = Vec::new();
        for place in places {
            let record = (reads && !cookies).then_some(place.record);
            let program = self.load_as(function, &self.load_usdt(false, record))?;
            links.push(attach_one(pmu, &program, place, pid, what)?);
        }
        let mut attached = Attached::many(links, Mechanism::Uprobe);
        attached.why.extend(why);
        attached.notes.extend(slow_end(places.len()));
        Ok(attached)
    }

    /// One link for each file; or why not, in few words. What is wrong with a single place comes out when each is
    /// attached by itself.
    fn attach_by_multi(
        &mut self,
        function: &str,
        reads: bool,
        places: &[Place],
        pid: Option<i32>,
    ) -> std::result::Result<Vec<Link>, String> {
        let support = supports(Feature::UprobeMulti);
        if !support.is_supported() {
            return Err(support.to_string());
        }
        let program = self.load_as(function, &self.load_usdt(true, None)).map_err(|err| err.to_string())?;
        if pid.is_some() && !filters_processes(&program) {
            return Err("this kernel takes a process for one of its threads".to_owned());
        }
        let mut by_file: BTreeMap<&Path, Vec<&Place>> = BTreeMap::new();
        places.iter().for_each(|place| by_file.entry(&place.path).or_default().push(place));
        let mut links = Vec::new();
        for (path, places) in by_file {
            let path = file_name(path);
            let list = |number: fn(&Place) -> u64| places.iter().map(|place| number(place)).collect::<Vec<u64>>();
            let (offsets, counters) = (list(|place| place.offset), list(|place| place.counter));
            let cookies = if reads { list(|place| place.record.into()) } else { vec![0; places.len()] };
            let (offsets, counters, cookies) = (&offsets[..], &counters[..], &cookies[..]);
            let pid = pid.unwrap_or(0) as u32;
            let link = Link::uprobe_multi(
                &program,
                &UprobePlaces { path: &path, offsets, counters, cookies, pid, retprobe: false, session: false },
            );
            links.push(link.map_err(|err| err.to_string())?);
        }
        Ok(links)
    }
}

/// What to know of many places that are attached one by one: the kernel detaches them one by one as well, under one lock
/// and with two grace periods of its read-copy-update for each (`perf_trace_event_unreg` in the kernel's
/// `kernel/trace/trace_event_perf.c`), so that closing them from several threads takes as long. Measured on Linux 6.1 in
/// an emulated machine: 50 ms a place, 9 ms with expedited grace periods, which are the whole machine's and so the user's
/// to ask for.
fn slow_end(places: usize) -> Option<String> {
    const MANY: usize = 100;
    const EXPEDITED: &str = "/sys/kernel/rcu_expedited";
    (places > MANY && Path::new(EXPEDITED).exists()).then(|| {
        format!(
            "this kernel detaches its {places} places one by one, which takes long; a 1 in {EXPEDITED} makes it quicker"
        )
    })
}

/// A probe, where it is looked at for a function.
struct Site<'a> {
    probes: &'a Probes,
    probe: &'a UsdtProbe,
    function: &'a str,
    what: &'a str,
}

impl Site<'_> {
    /// The places to probe and the record of each.
    fn places(&self, reads: &Option<Vec<usize>>, cookie: u64) -> Result<(Vec<Place>, Vec<Record>)> {
        let (mut places, mut records) = (Vec::new(), Vec::new());
        let mut seen = HashSet::new();
        for (file, location) in self.probes.locations(self.probe) {
            let offset = location.offset.ok_or_else(|| {
                let why = format!("address {:#x} is in no code of `{}`", location.address, file.path.display());
                Error::script(self.what, why)
            })?;
            // Where the linker folded equal code there are two notes for one place.
            if !seen.insert((&file.path, offset)) {
                continue;
            }
            if location.semaphore != 0 && location.semaphore_offset.is_none() {
                let why = format!("its semaphore at {:#x} is not kept in the file", location.semaphore);
                return Err(Error::script(self.what, why).with_evidence(format!("`{}`", file.path.display())));
            }
            if let Some(reads) = reads {
                records.push(self.record(file, location, reads, cookie)?);
            }
            let counter = location.semaphore_offset.unwrap_or(0);
            places.push(Place { path: file.path.clone(), offset, counter, record: 0 });
        }
        Ok((places, records))
    }

    /// The record of a location, after a look at whether everything that the function reads is in it.
    fn record(&self, file: &UsdtFile, location: &Location, reads: &[usize], cookie: u64) -> Result<Record> {
        let arguments = file.arguments(location);
        let place = || format!("`{}` at {:#x}: `{}`", file.path.display(), location.address, location.text);
        let machine = file.machine.ok_or_else(|| {
            Error::script(self.what, "the arguments of programs for this kind of machine cannot be read")
                .with_evidence(place())
        })?;
        for &number in reads {
            let why = match arguments.get(number - 1) {
                None => match arguments.len() {
                    0 => format!("`{}` reads argument {number}, and the probe has none", self.function),
                    1 => format!("`{}` reads argument {number}, and the probe has one", self.function),
                    count => format!("`{}` reads argument {number}, and the probe has {count}", self.function),
                },
                Some(argument) => match &argument.operand {
                    Ok(_) => continue,
                    Err(why) => {
                        format!("`{}` reads argument {number} (`{}`): {why}", self.function, argument.text)
                    }
                },
            };
            return Err(Error::script(self.what, why).with_evidence(place()));
        }
        Ok(usdt_records::encode(machine, &arguments, cookie))
    }
}

fn attach_one(pmu: ProbePmu, program: &Rc<Program>, place: &Place, pid: Option<i32>, what: &str) -> Result<Link> {
    let pmu = match place.counter {
        0 => pmu,
        counter => pmu.counting_at(counter).ok_or_else(|| {
            Error::machine(what, "this kernel cannot count in the probe's semaphore")
                .with_evidence(format!("semaphore at offset {counter:#x} of `{}`", place.path.display()))
        })?,
    };
    let file = file_name(&place.path);
    let open = || -> io::Result<OwnedFd> { pmu.open(Some(&file), place.offset, false, pid) };
    let link = || open().and_then(|event| Link::perf(program, event, place.record.into()));
    link().map_err(|err| match err.raw_os_error() {
        Some(libc::EMFILE) => Error::machine(what, "every location takes an open file, and the limit is reached")
            .with_errno(libc::EMFILE)
            .with_hint("raise the limit: `ulimit -n`"),
        _ => cannot_probe(what, &place.path, place.offset, pid, &err),
    })
}

fn file_name(path: &Path) -> CString {
    CString::new(path.as_os_str().as_bytes()).unwrap_or_default()
}

/// Whether this kernel takes a process for all of its threads in uprobe-multi links. Those that do look at the process
/// before they look at the file (Linux 6.10, and stable versions before).
pub(super) fn filters_processes(program: &Program) -> bool {
    static ANSWER: OnceLock<bool> = OnceLock::new();
    *ANSWER.get_or_init(|| {
        let (path, zero) = (c"/", &[0_u64][..]);
        let (offsets, counters, cookies) = (zero, zero, zero);
        let pid = u32::MAX;
        let places = UprobePlaces { path, offsets, counters, cookies, pid, retprobe: false, session: false };
        let refused = link::uprobe_multi(program.as_fd(), &places).err();
        refused.is_some_and(|err| err.raw_os_error() == Some(libc::EINVAL))
    })
}

/// The places for a report: each one, or how many there are in each file.
fn in_short(places: &[Place]) -> Vec<String> {
    const SHOWN: usize = 16;
    if places.len() <= SHOWN {
        return places.iter().map(|place| format!("{}:{:#x}", place.path.display(), place.offset)).collect();
    }
    let mut counts: BTreeMap<&Path, usize> = BTreeMap::new();
    places.iter().for_each(|place| *counts.entry(&place.path).or_default() += 1);
    counts.into_iter().map(|(path, count)| format!("{}: {count} locations", path.display())).collect()
}
