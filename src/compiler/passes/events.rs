// SPDX-License-Identifier: Apache-2.0
//! Notes which struct each perf or ring buffer carries.
//!
//! `events.perf_submit(ctx, &data, sizeof(data))` makes a pointer variable of the type of `&data` and calls the marker
//! `__bpflua_submits(&map, &variable)`, which exists nowhere. Here the variable takes the map's name and the call goes.
//! What is left in the object is a variable named as the map, of the event's type, in a section of its own: BTF tells
//! the rest.

use crate::compiler::ir::{Module, Value};

const MARKER: &str = "__bpflua_submits";
/// Where the variables are; `bpf` reads their types.
const SECTION: &str = ".bpflua.events";

/// Pairs buffers with their events. The last `perf_submit` of a buffer counts, as in bcc.
pub fn record(module: &Module<'_>) {
    let Some(marker) = module.function(MARKER) else { return };
    for call in marker.users() {
        let args = call.call_args();
        if let [map, variable] = args.as_slice()
            && map.is_global()
            && variable.is_global()
            && variable.section() == SECTION
        {
            name_after(module, *variable, &map.name());
        }
        call.erase();
    }
    if marker.users().is_empty() {
        marker.delete_function();
    }
}

/// LLVM does not let two globals share a name, so the map's name stands behind a prefix that `bpf` takes off again.
fn name_after(module: &Module<'_>, variable: Value<'_>, map: &str) {
    let name = format!("__bpflua_event_{map}");
    if let Some(earlier) = module.global(&name) {
        earlier.set_name(&format!("{name}.earlier"));
    }
    variable.set_name(&name);
}
