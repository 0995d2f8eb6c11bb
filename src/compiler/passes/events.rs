// SPDX-License-Identifier: Apache-2.0
//! Notes which struct each perf or ring buffer carries.
//!
//! `events.perf_submit(ctx, &data, sizeof(data))` makes a pointer variable of the type of `&data` and calls the marker
//! `__bpflua_submits(&map, &variable)`, which exists nowhere. Here the variable takes the map's name and the call goes.
//! What is left in the object is a variable named as the map, of the event's type, in a section of its own: BTF tells
//! the rest.

use std::collections::BTreeMap;

use crate::compiler::diagnostic::{Diagnostic, Severity};
use crate::compiler::ir::{Context, Module, Pointee, Value};

const MARKER: &str = "__bpflua_submits";
/// Where the variables are; `bpf` reads their types.
const SECTION: &str = ".bpflua.events";

/// A place where a map submits.
struct Submission<'c> {
    variable: Value<'c>,
    file: String,
    line: u32,
    column: u32,
    /// `None` for what goes in as `void *`.
    event: Option<Pointee>,
}

/// Pairs buffers with their events. The last `perf_submit` of a buffer in the text counts, as in bcc, and so do only
/// those that say what they submit. Warns of a buffer that carries several types.
pub fn record(module: &Module<'_>, context: &Context, file: &str) -> Vec<Diagnostic> {
    let Some(marker) = module.function(MARKER) else { return Vec::new() };
    let mut buffers: BTreeMap<String, Vec<Submission<'_>>> = BTreeMap::new();
    for call in marker.users() {
        if let [map, variable] = call.call_args().as_slice()
            && map.is_global()
            && variable.is_global()
            && variable.section() == SECTION
        {
            let place = call.place();
            let (line, column) = place.as_ref().map_or((0, 0), |place| (place.line, place.column));
            let file = place.map_or_else(|| file.to_owned(), |place| place.file);
            let submission = Submission { variable: *variable, file, line, column, event: variable.pointee(context) };
            buffers.entry(map.name()).or_default().push(submission);
        }
        call.erase();
    }
    if marker.users().is_empty() {
        marker.delete_function();
    }
    buffers.into_iter().filter_map(|(map, submissions)| settle(&map, submissions)).collect()
}

/// Names the variable of the event that the buffer's readers are given.
fn settle(map: &str, mut submissions: Vec<Submission<'_>>) -> Option<Diagnostic> {
    submissions.sort_by_key(|one| (one.event.is_some(), one.line, one.column));
    let last = submissions.last()?;
    // LLVM does not let two globals share a name, so the map's name stands behind a prefix that `bpf` takes off again.
    last.variable.set_name(&format!("__bpflua_event_{map}"));
    let event = last.event.as_ref()?;
    let other = submissions.iter().find(|one| one.event.as_ref().is_some_and(|other| other != event))?;
    let message = format!(
        "`{map}` carries `{}` here and `{}` in line {}: handlers get every event as the latter; a buffer for each type \
         keeps them apart",
        other.event.as_ref()?.name,
        event.name,
        last.line
    );
    let warning = Diagnostic::error(&other.file, other.line, other.column, message);
    Some(Diagnostic { severity: Severity::Warning, ..warning })
}
