// SPDX-License-Identifier: Apache-2.0
//! Lets the address of a table of the dialect's stand for the map: `bpf_map_lookup_elem(&counts, &key)`.
//!
//! `counts` is a constant structure of methods, of which nothing is left where they are called. What is left is where a text
//! takes its address, as texts for libbpf do, to hand the map to a helper or to a function of its own.

use crate::compiler::ir::{Module, Opcode, Value};

/// What the symbols of tables begin with; the map's name follows.
const TABLE: &str = "__bpflua_table_";

/// Puts maps in the places of their tables; whether there were any. The methods of those tables are then nobody's.
pub fn settle(module: &Module<'_>) -> bool {
    let mut any = false;
    for table in module.globals() {
        let name = table.name();
        let Some(map) = name.strip_prefix(TABLE).and_then(|name| module.global(name)) else { continue };
        for user in table.users() {
            any |= hand_over(user, table, map);
        }
    }
    any
}

/// A method that is looked up in a table which is known only when the program runs stays what it is: no program calls
/// through pointers, which the verifier says.
fn hand_over(user: Value<'_>, table: Value<'_>, map: Value<'_>) -> bool {
    let reads = matches!(user.opcode(), None | Some(Opcode::LLVMLoad | Opcode::LLVMGetElementPtr));
    if reads || user.callee() == Some(table) {
        return false;
    }
    let places: Vec<usize> = (0..user.operands().len()).filter(|&index| user.operand(index) == Some(table)).collect();
    places.iter().for_each(|&index| user.set_operand(index, map));
    !places.is_empty()
}
