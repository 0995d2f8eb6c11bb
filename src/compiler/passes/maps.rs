// SPDX-License-Identifier: Apache-2.0
//! Gives maps the names the user gave them.
//!
//! The dialect declares `BPF_HASH(last)` as a map `__bpflua_map_last` and a constant table of its methods `last`, so
//! that `last.lookup(&key)` is plain C. The object, and with it the kernel and Lua, know the map as `last`.

use crate::compiler::ir::Module;

/// What the dialect puts before a map's name.
const MAP_PREFIX: &str = "__bpflua_map_";
/// What the table of methods is called once the map has taken its name.
const METHODS_PREFIX: &str = "__bpflua_methods_";

/// Renames every map of the module.
pub fn rename(module: &Module<'_>) {
    for map in module.globals() {
        let name = map.name();
        let Some(user_name) = name.strip_prefix(MAP_PREFIX) else { continue };
        if let Some(methods) = module.global(user_name) {
            methods.set_name(&format!("{METHODS_PREFIX}{user_name}"));
        }
        map.set_name(user_name);
    }
}
