// SPDX-License-Identifier: Apache-2.0
//! Attaching and detaching: option tables in, bpf's targets out. `scripts/lib/attach.lua` has checked the options.

use std::time::Instant;

use mlua::{AnyUserData, Lua, Table};

use super::object::{field, with};
use crate::bpf::{
    KprobeEvent, KprobeTarget, Mechanism, Object, PerfEventTarget, ProbeId, ProbeReport, UprobePlace, UprobeTarget,
};
use crate::error::{Error, Result};
use crate::lua::errors::{Natives, from_mlua};
use crate::lua::host::Host;
use crate::timings::{self, Phase};

/// `native.attach`: for each kind `kind(object, options)` and `detach_kind(object, options)`; `auto`, `probes`.
pub fn table(lua: &Lua) -> mlua::Result<Table> {
    let natives = Natives::new(lua)?;
    attaching(&natives)?;
    detaching(&natives)?;
    natives.add("auto", "BPF", |lua, (object, name): (AnyUserData, String)| {
        attached(lua, &object, |object| object.attach_auto(&name))
    })?;
    natives.add("deferred", "BPF", |_, object: AnyUserData| with(&object, |object| Ok(object.take_deferred())))?;
    natives.add("detach", "detach", |lua, (object, id): (AnyUserData, u32)| {
        detached(lua, &object, |object| object.detach(ProbeId(id)))
    })?;
    natives.add("detach_all", "detach_all", |_, object: AnyUserData| {
        with(&object, |object| {
            object.detach_all();
            Ok(())
        })
    })?;
    natives.add("probes", "probes", |lua, object: AnyUserData| {
        let reports = with(&object, |object| Ok(object.probes()))?;
        let tables = reports.iter().map(|report| probe_table(lua, report)).collect::<mlua::Result<Vec<_>>>();
        tables.map_err(|error| from_mlua("probes", &error))
    })?;
    Ok(natives.into_table())
}

fn attaching(natives: &Natives<'_>) -> mlua::Result<()> {
    natives.add("kprobe", "attach_kprobe", |lua, (object, options): (AnyUserData, Table)| {
        let target = kprobe_target(&options)?;
        let function: String = field(&options, "fn_name")?;
        attached(lua, &object, |object| object.attach_kprobe(&target, &function))
    })?;
    natives.add("uprobe", "attach_uprobe", |lua, (object, options): (AnyUserData, Table)| {
        let target = uprobe_target(&options, None)?;
        let function: String = field(&options, "fn_name")?;
        let cookie = cookie(&options)?.unwrap_or(0);
        attached(lua, &object, |object| object.attach_uprobe_with_cookie(&target, &function, cookie))
    })?;
    natives.add("tracepoint", "attach_tracepoint", |lua, (object, options): (AnyUserData, Table)| {
        let (tracepoint, function): (String, String) = (field(&options, "tp")?, field(&options, "fn_name")?);
        let cookie = cookie(&options)?.unwrap_or(0);
        attached(lua, &object, |object| object.attach_tracepoint_with_cookie(&tracepoint, &function, cookie))
    })?;
    natives.add("tracepoints", "attach_tracepoint", |_, (object, options): (AnyUserData, Table)| {
        let (pattern, function): (String, String) = (field(&options, "tp_re")?, field(&options, "fn_name")?);
        with(&object, |object| object.attach_tracepoints(&pattern, &function)).map(|probes| probes.len())
    })?;
    natives.add("perf_event", "attach_perf_event", |lua, (object, options): (AnyUserData, Table)| {
        let function: String = field(&options, "fn_name")?;
        let target = perf_event_target(&options)?;
        attached(lua, &object, |object| object.attach_perf_event(&target, &function))
    })?;
    natives.add("raw_tracepoint", "attach_raw_tracepoint", |lua, (object, options): (AnyUserData, Table)| {
        let (tracepoint, function): (String, String) = (field(&options, "tp")?, field(&options, "fn_name")?);
        let cookie = cookie(&options)?.unwrap_or(0);
        attached(lua, &object, |object| object.attach_raw_tracepoint(&tracepoint, &function, cookie))
    })
}

fn detaching(natives: &Natives<'_>) -> mlua::Result<()> {
    natives.add("detach_kprobe", "detach_kprobe", |lua, (object, options): (AnyUserData, Table)| {
        let (event, function): (String, Option<String>) = (field(&options, "event")?, field(&options, "fn_name")?);
        let retprobe = field::<Option<bool>>(&options, "retprobe")?.unwrap_or(false);
        detached(lua, &object, |object| object.detach_kprobe(&event, retprobe, function.as_deref()))
    })?;
    natives.add("detach_uprobe", "detach_uprobe", |lua, (object, options): (AnyUserData, Table)| {
        let target = uprobe_target(&options, None)?;
        let function: Option<String> = field(&options, "fn_name")?;
        detached(lua, &object, |object| object.detach_uprobe(&target, function.as_deref()))
    })?;
    natives.add("detach_perf_event", "detach_perf_event", |lua, (object, options): (AnyUserData, Table)| {
        let (kind, config): (u32, u64) = (field(&options, "ev_type")?, field(&options, "ev_config")?);
        detached(lua, &object, |object| object.detach_perf_event(kind, config))
    })?;
    natives.add("detach_tracepoint", "detach_tracepoint", |lua, (object, options): (AnyUserData, Table)| {
        let (tracepoint, function): (String, Option<String>) = (field(&options, "tp")?, field(&options, "fn_name")?);
        detached(lua, &object, |object| object.detach_tracepoint(&tracepoint, function.as_deref()))
    })?;
    natives.add("detach_raw_tracepoint", "detach_raw_tracepoint", |lua, (object, options): (AnyUserData, Table)| {
        let (tracepoint, function): (String, Option<String>) = (field(&options, "tp")?, field(&options, "fn_name")?);
        detached(lua, &object, |object| object.detach_raw_tracepoint(&tracepoint, function.as_deref()))
    })
}

/// Attaches, and tells how when the user wants to know.
pub(super) fn attached(
    lua: &Lua,
    object: &AnyUserData,
    attach: impl FnOnce(&mut Object) -> Result<ProbeId>,
) -> Result<u32> {
    let _phase = timings::enter(Phase::Attach);
    let start = Instant::now();
    let (id, report) = with(object, |object| {
        let id = attach(object)?;
        Ok((id, object.probes().into_iter().find(|report| report.id == id)))
    })?;
    if let Some(report) = report {
        let settings = &Host::of(lua)?.settings;
        settings.tell(1, || summary(&report));
        settings.tell(2, || format!("that took {:.1} ms", start.elapsed().as_secs_f64() * 1e3));
    }
    Ok(id.0)
}

/// Detaches, and tells what the probes missed.
pub(super) fn detached(lua: &Lua, object: &AnyUserData, detach: impl FnOnce(&mut Object) -> Result<()>) -> Result<()> {
    let (outcome, missed) = with(object, |object| Ok((detach(object), object.take_missed())))?;
    tell_missed(lua, &missed)?;
    outcome
}

/// Tells how many runs of these probes the kernel left out: nothing is lost silently.
pub(super) fn tell_missed(lua: &Lua, reports: &[ProbeReport]) -> Result<()> {
    let settings = &Host::of(lua)?.settings;
    for report in reports {
        let ProbeReport { kind, target, function, stats, .. } = report;
        settings.tell(0, || format!("{} {target} -> {function}: the kernel missed {} runs", kind.name(), stats.missed));
    }
    Ok(())
}

/// `kprobe vfs_read -> on_read: by kprobe (fentry: refused by this kernel (EPERM))`
fn summary(report: &ProbeReport) -> String {
    let mut line =
        format!("{} {} -> {}: by {}", report.kind.name(), report.target, report.function, report.mechanism.name());
    if !report.why.is_empty() {
        line += &format!(" ({})", report.why.join("; "));
    }
    report.notes.iter().for_each(|note| line += &format!("; {note}"));
    line
}

fn kprobe_target(options: &Table) -> Result<KprobeTarget> {
    let text = |name| field::<Option<String>>(options, name);
    let event = match (text("event")?, text("event_re")?, text("address")?) {
        (Some(name), None, None) => KprobeEvent::Name(name),
        (None, Some(regex), None) => KprobeEvent::Matching(regex),
        (None, None, Some(digits)) => KprobeEvent::Address(address(&digits)?),
        (None, None, None) => return Err(Error::script("a kprobe needs the option `event` or `event_re`", "")),
        _ => return Err(Error::script("a kprobe takes `event` or `event_re`, not both", "")),
    };
    let mechanism = match field::<Option<String>>(options, "mechanism")? {
        Some(name) => Mechanism::parse(&name)?,
        None => Mechanism::Auto,
    };
    Ok(KprobeTarget {
        event,
        offset: field::<Option<u64>>(options, "event_off")?.unwrap_or(0),
        retprobe: field::<Option<bool>>(options, "retprobe")?.unwrap_or(false),
        maxactive: field::<Option<u32>>(options, "maxactive")?.unwrap_or(0),
        mechanism,
        cookie: cookie(options)?,
    })
}

/// `{ev_type, ev_config, sample_period?, sample_freq?}`, or `{attr}` as bytes; `{pid?, cpu?, group_fd?}` with both.
fn perf_event_target(options: &Table) -> Result<PerfEventTarget> {
    let number = |name| field::<Option<u64>>(options, name).map(Option::unwrap_or_default);
    let or_none = |name| field::<Option<i32>>(options, name).map(|value| value.unwrap_or(-1));
    let pid = or_none("pid")?;
    let mut target = match field::<Option<mlua::LuaString>>(options, "attr")? {
        Some(bytes) => PerfEventTarget::raw(bytes.as_bytes().to_vec()),
        None => {
            let (kind, config) = (field(options, "ev_type")?, field(options, "ev_config")?);
            PerfEventTarget::sampling(kind, config, number("sample_period")?, number("sample_freq")?, pid)?
        }
    };
    (target.pid, target.cpu, target.group_fd) = (pid, or_none("cpu")?, or_none("group_fd")?);
    target.cookie = cookie(options)?.unwrap_or(0);
    Ok(target)
}

/// What `bpf_get_attach_cookie` is to give: decimal digits, since Lua's numbers do not hold all 64 bits.
pub(super) fn cookie(options: &Table) -> Result<Option<u64>> {
    let digits: Option<String> = field(options, "cookie")?;
    let parse =
        |digits: String| digits.parse().map_err(|_| Error::script("the option `cookie` is no number of 64 bits", ""));
    digits.map(parse).transpose()
}

/// A kernel address: its decimal digits, since Lua's numbers do not hold all 64 bits.
fn address(digits: &str) -> Result<u64> {
    digits.parse().map_err(|_| Error::script(format!("`{digits}` is no kernel address"), ""))
}

/// The target of a uprobe's options; `place`, when the caller knows it, stands in for what they say of it.
pub(super) fn uprobe_target(options: &Table, place: Option<UprobePlace>) -> Result<UprobeTarget> {
    let place = place.map_or_else(|| uprobe_place(options), Ok)?;
    Ok(UprobeTarget {
        name: field(options, "name")?,
        place,
        pid: field::<Option<i32>>(options, "pid")?.filter(|pid| *pid >= 0),
        retprobe: field::<Option<bool>>(options, "retprobe")?.unwrap_or(false),
    })
}

fn uprobe_place(options: &Table) -> Result<UprobePlace> {
    let offset = field::<Option<u64>>(options, "sym_off")?.unwrap_or(0);
    match (field::<Option<String>>(options, "sym")?, field::<Option<u64>>(options, "addr")?) {
        (Some(symbol), None) => Ok(UprobePlace::Symbol(symbol, offset)),
        (None, Some(address)) => Ok(UprobePlace::Address(address)),
        (None, None) => Err(Error::script("a uprobe needs the option `sym`, `sym_re` or `addr`", "")),
        (Some(_), Some(_)) => Err(Error::script("a uprobe takes `sym` or `addr`, not both", "")),
    }
}

/// One attached probe as `b:probes()` lists it.
fn probe_table(lua: &Lua, report: &ProbeReport) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    table.set("id", report.id.0)?;
    table.set("kind", report.kind.name())?;
    table.set("target", report.target.as_str())?;
    table.set("resolved", report.resolved.clone())?;
    table.set("fn_name", report.function.as_str())?;
    table.set("mechanism", report.mechanism.name())?;
    table.set("why", report.why.clone())?;
    table.set("notes", report.notes.clone())?;
    table.set("places", report.places)?;
    table.set("runs", report.stats.runs)?;
    table.set("time_ns", report.stats.time_ns)?;
    table.set("missed", report.stats.missed)?;
    Ok(table)
}
