// SPDX-License-Identifier: Apache-2.0
//! What the probes of an object cost, by the kernel's own statistics.

use std::os::fd::AsFd as _;
use std::rc::Rc;

use super::losses;
use super::object::Object;
use super::program::{Program, RunStats};
use super::sys::inventory;
use super::{Mechanism, ProbeId, ProbeKind};
use crate::error::{Error, Result};

/// What one program costs, with the probes that run it: the kernel counts for the program, not for each of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Its probes.
    pub probes: Vec<ProbeId>,
    /// The kind of the first of them.
    pub kind: ProbeKind,
    /// What they probe.
    pub targets: Vec<String>,
    /// The user's function.
    pub function: String,
    /// How the first of them is attached.
    pub mechanism: Mechanism,
    /// The kernel's number for the program.
    pub program: u32,
    /// Runs and their time while they were counted; runs that were left out, counted always.
    pub stats: RunStats,
    /// The maps that it uses.
    pub maps: Vec<String>,
}

impl Object {
    /// What the attached programs cost, in the order of their first probes.
    pub fn costs(&self) -> Result<Vec<Cost>> {
        let numbers = self.map_numbers()?;
        let mut costs: Vec<(Rc<Program>, Cost)> = Vec::new();
        for probe in &self.probes {
            for link in &probe.attached.links {
                let at = costs.iter().position(|(program, _)| Rc::ptr_eq(program, link.program()));
                let at = match at {
                    Some(at) => at,
                    None => {
                        costs.push((Rc::clone(link.program()), start(link.program(), probe, &numbers)?));
                        costs.len() - 1
                    }
                };
                let cost = &mut costs[at].1;
                cost.stats.missed += link.missed();
                if !cost.probes.contains(&probe.id) {
                    cost.probes.push(probe.id);
                    cost.targets.push(probe.target.clone());
                }
            }
        }
        Ok(costs.into_iter().map(|(_, cost)| cost).collect())
    }

    /// The kernel's numbers of the object's maps, with their names.
    fn map_numbers(&self) -> Result<Vec<(u32, String)>> {
        let visible = self.maps().iter().filter(|map| !map.is_internal() && map.name != losses::MAP);
        let numbers = visible.map(|map| {
            let info = inventory::map(map.as_fd());
            let info = info.map_err(|err| Error::io(format!("cannot ask about map `{}`", map.name), &err))?;
            Ok((info.id, map.name.clone()))
        });
        numbers.collect()
    }
}

fn start(program: &Program, probe: &super::probe::Probe, numbers: &[(u32, String)]) -> Result<Cost> {
    let used = inventory::maps_of(program.as_fd())
        .map_err(|err| Error::io(format!("cannot ask about program `{}`", program.name()), &err))?;
    let maps = numbers.iter().filter(|(id, _)| used.contains(id)).map(|(_, name)| name.clone());
    Ok(Cost {
        probes: Vec::new(),
        kind: probe.kind,
        targets: Vec::new(),
        function: probe.function.clone(),
        mechanism: probe.attached.mechanism,
        program: program.id()?,
        stats: program.stats(),
        maps: maps.collect(),
    })
}
