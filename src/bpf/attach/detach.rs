// SPDX-License-Identifier: Apache-2.0
//! Keeping track of what is attached, and detaching it.

use super::{Mechanism, UprobeTarget};
use crate::bpf::object::Object;
use crate::bpf::probe::{Attached, ManyUprobes, Probe, ProbeId, ProbeKind, ProbeReport};
use crate::error::{Error, Result};
use crate::suggest;

impl Object {
    /// Notes what is attached. What was not declared, by a pack that has to, is detached at once.
    pub(super) fn keep_probe(
        &mut self,
        kind: ProbeKind,
        target: String,
        function: &str,
        attached: Attached,
    ) -> Result<ProbeId> {
        if let Some(grants) = self.grants() {
            // Of an expression it is the functions that it stands for.
            let is_expression = match kind {
                ProbeKind::Kprobe | ProbeKind::Kretprobe => target.starts_with('/') && !attached.resolved.is_empty(),
                ProbeKind::Uprobe | ProbeKind::Uretprobe => attached.mechanism == Mechanism::UprobeMulti,
                _ => false,
            };
            let functions = if is_expression { attached.resolved.as_slice() } else { std::slice::from_ref(&target) };
            functions.iter().try_for_each(|place| grants.check_probe(kind, place, function))?;
        }
        let id = ProbeId(self.next_probe);
        self.next_probe += 1;
        self.deferred.retain(|name| name != function);
        self.probes.push(Probe { id, kind, target, function: function.to_owned(), attached });
        Ok(id)
    }

    /// What is attached, in the order it was attached.
    pub fn probes(&self) -> Vec<ProbeReport> {
        self.probes.iter().map(Probe::report).collect()
    }

    /// Detaches one probe.
    pub fn detach(&mut self, probe: ProbeId) -> Result<()> {
        if self.drop_probes(|known| known.id == probe) {
            return Ok(());
        }
        Err(Error::script(format!("cannot detach probe {}", probe.0), "it is not attached"))
    }

    /// Detaches some probes; those that are gone already are passed over.
    pub(super) fn detach_probes(&mut self, probes: &[ProbeId]) {
        self.drop_probes(|known| probes.contains(&known.id));
    }

    /// Detaches every kprobe or kretprobe of this target, of one function or of all.
    pub fn detach_kprobe(&mut self, event: &str, retprobe: bool, function: Option<&str>) -> Result<()> {
        let kind = if retprobe { ProbeKind::Kretprobe } else { ProbeKind::Kprobe };
        self.detach_at(kind, event, function)
    }

    /// Detaches every uprobe or uretprobe of this target, of one function or of all.
    pub fn detach_uprobe(&mut self, target: &UprobeTarget, function: Option<&str>) -> Result<()> {
        let kind = if target.retprobe { ProbeKind::Uretprobe } else { ProbeKind::Uprobe };
        let wanted = target.to_string();
        self.keep_the_others(kind, &wanted, function)?;
        self.detach_at(kind, &wanted, function)
    }

    /// Puts a link of their own on the functions that share one with the function to be detached, which goes as a whole. For a
    /// moment they have both.
    fn keep_the_others(&mut self, kind: ProbeKind, wanted: &str, function: Option<&str>) -> Result<()> {
        let is_meant = |probe: &&Probe| {
            probe.kind == kind && probe.is_at(wanted) && function.is_none_or(|function| probe.function == function)
        };
        let shared = self.probes.iter().filter(is_meant).filter(|probe| probe.target != wanted);
        let others: Vec<(ManyUprobes, String)> = shared
            .filter_map(|probe| {
                let mut many = probe.attached.many.clone()?;
                let others = many.functions.iter().filter(|function| many.name_of(function) != wanted);
                many.functions = others.cloned().collect();
                (!many.functions.is_empty()).then(|| (many, probe.function.clone()))
            })
            .collect();
        for (many, function) in others {
            let what = format!("cannot leave `{function}` at the other functions of {}", many.target.name);
            self.attach_many(many, &function)?.map_err(|err| Error::io(what, &err))?;
        }
        Ok(())
    }

    /// Detaches every probe of this tracepoint, of one function or of all.
    pub fn detach_tracepoint(&mut self, tracepoint: &str, function: Option<&str>) -> Result<()> {
        self.detach_at(ProbeKind::Tracepoint, tracepoint, function)
    }

    /// Detaches every probe of this raw tracepoint, of one function or of all.
    pub fn detach_raw_tracepoint(&mut self, event: &str, function: Option<&str>) -> Result<()> {
        self.detach_at(ProbeKind::RawTracepoint, event, function)
    }

    /// Detaches everything.
    pub fn detach_all(&mut self) {
        self.drop_probes(|_| true);
    }

    /// The probes detached since this was last asked of which the kernel missed runs, so that no loss goes untold.
    pub fn take_missed(&mut self) -> Vec<ProbeReport> {
        std::mem::take(&mut self.missed)
    }

    /// Detaches the probes that are `meant`, and remembers what they missed; whether there were any.
    fn drop_probes(&mut self, meant: impl Fn(&Probe) -> bool) -> bool {
        let (gone, kept): (Vec<Probe>, Vec<Probe>) = std::mem::take(&mut self.probes).into_iter().partition(meant);
        self.probes = kept;
        self.missed.extend(gone.iter().map(Probe::report).filter(|report| report.stats.missed > 0));
        !gone.is_empty()
    }

    pub(super) fn detach_at(&mut self, kind: ProbeKind, target: &str, function: Option<&str>) -> Result<()> {
        let meant = |probe: &Probe| probe.is_at(target);
        self.detach_meant(kind, target, meant, function)
    }

    /// Detaches the probes of a kind whose target is meant; `target` is the user's name for them.
    pub(super) fn detach_where(
        &mut self,
        kind: ProbeKind,
        target: &str,
        meant: impl Fn(&str) -> bool,
        function: Option<&str>,
    ) -> Result<()> {
        self.detach_meant(kind, target, |probe| meant(&probe.target), function)
    }

    fn detach_meant(
        &mut self,
        kind: ProbeKind,
        target: &str,
        meant: impl Fn(&Probe) -> bool,
        function: Option<&str>,
    ) -> Result<()> {
        let by_function = |probe: &Probe| function.is_none_or(|function| probe.function == function);
        if self.drop_probes(|probe| probe.kind == kind && meant(probe) && by_function(probe)) {
            return Ok(());
        }
        let what = match function {
            Some(function) if function != target => {
                format!("cannot detach `{function}` from {} `{target}`", kind.name())
            }
            _ => format!("cannot detach {} `{target}`", kind.name()),
        };
        let error = Error::script(what, "it is not attached");
        let attached: Vec<&str> =
            self.probes.iter().filter(|probe| probe.kind == kind).map(|probe| probe.target.as_str()).collect();
        Err(match suggest::similar_line(&suggest::nearest(target, attached.iter().copied())) {
            Some(line) => error.with_hint(line),
            None => error,
        })
    }
}
