// SPDX-License-Identifier: Apache-2.0
//! Global variables of a C text: where each lies in `.data`, `.bss`, `.rodata` and their like, and of which type it is.
//!
//! LLVM leaves the places in BTF empty, for a linker to fill in; the symbols of the ELF file have them.

use std::collections::HashMap;

use object::{Object as _, ObjectSection as _, ObjectSymbol as _};

use crate::error::{Error, Result};
use crate::kernel::btf::{Btf, Kind, Type, TypeId};

/// The sections that libbpf makes maps of, and those that start with one of these and a dot.
const SECTIONS: [&str; 3] = [".data", ".bss", ".rodata"];
/// Names that start so are the compiler's own.
const INTERNAL_PREFIX: &str = "__bpflua_";

/// A global variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// Its name in the C text.
    pub name: String,
    /// The map that holds it: `.bss`, `.data`, `.rodata.mine` …
    pub map: String,
    /// Where it lies in the map's one value, in bytes.
    pub offset: usize,
    /// Its size in bytes.
    pub size: usize,
    /// Its type in the object's BTF.
    pub type_id: TypeId,
}

impl Variable {
    /// Whether it is fixed once the programs are loaded.
    pub fn is_constant(&self) -> bool {
        self.map.starts_with(".rodata")
    }
}

/// The value that a global variable has when the programs are loaded, in place of the C text's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InitialValue {
    /// The variable's name.
    pub variable: String,
    /// Its bytes: as many as its type has.
    pub bytes: Vec<u8>,
}

/// The global variables of an object, in the order of their sections and places.
pub fn variables(elf: &[u8], btf: &Btf) -> Result<Vec<Variable>> {
    let file = object::File::parse(elf).map_err(|err| Error::bug("cannot read the object", err.to_string()))?;
    let mut found = Vec::new();
    for section in file.sections() {
        let Some(name) = section.name().ok().filter(|name| is_of_variables(name)) else { continue };
        let types = types_in(btf, name);
        let symbols = file.symbols().filter(|symbol| symbol.section_index() == Some(section.index()));
        found.extend(symbols.filter_map(|symbol| {
            let variable = symbol.name().ok()?;
            Some(Variable {
                name: variable.to_owned(),
                map: name.to_owned(),
                offset: usize::try_from(symbol.address()).ok()?,
                size: usize::try_from(symbol.size()).ok()?,
                type_id: *types.get(variable)?,
            })
        }));
    }
    found.retain(|variable| !variable.name.starts_with(INTERNAL_PREFIX));
    found.sort_by(|a, b| (&a.map, a.offset).cmp(&(&b.map, b.offset)));
    Ok(found)
}

fn is_of_variables(section: &str) -> bool {
    SECTIONS.iter().any(|kind| section.strip_prefix(kind).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')))
}

/// The types of a section's variables, by name.
fn types_in<'a>(btf: &'a Btf, section: &str) -> HashMap<&'a str, TypeId> {
    let Some(Type::Datasec(datasec)) = btf.find(Kind::Datasec, section).map(|id| btf.type_by_id(id)) else {
        return HashMap::new();
    };
    let vars = datasec.vars().filter_map(|var| match btf.type_by_id(var.type_id) {
        Type::Var(var) => Some((var.name, var.type_id)),
        _ => None,
    });
    vars.collect()
}

/// Writes initial values into the contents of maps; `contents` gives those of a map by its name.
pub fn write_values(
    values: &[InitialValue],
    variables: &[Variable],
    mut write: impl FnMut(&Variable, &[u8]) -> std::io::Result<()>,
) -> Result<()> {
    for value in values {
        let what = || format!("cannot set variable `{}`", value.variable);
        let Some(variable) = variables.iter().find(|variable| variable.name == value.variable) else {
            return Err(Error::script(what(), "the C text has no such global variable"));
        };
        if variable.size != value.bytes.len() {
            let why = format!("{} bytes given where it has {}", value.bytes.len(), variable.size);
            return Err(Error::script(what(), why));
        }
        write(variable, &value.bytes).map_err(|err| Error::io(what(), &err))?;
    }
    Ok(())
}
