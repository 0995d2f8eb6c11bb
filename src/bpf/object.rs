// SPDX-License-Identifier: Apache-2.0
//! One object: its maps, its functions, its programs.

use std::collections::HashMap;
use std::os::fd::AsRawFd as _;
use std::rc::Rc;
use std::sync::Arc;

use super::attach::{self, Mechanism};
use super::description;
use super::disasm;
use super::function::{Function, Variant};
use super::globals::Variable;
use super::grants::Grants;
use super::image::Image;
use super::loader;
use super::losses::{self, LossCounter};
use super::map::Map;
use super::notes;
use super::options::ObjectOptions;
use super::patch;
use super::probe::{Probe, ProbeReport};
use super::prog_arrays::{self, Slot};
use super::program::{LoadAs, Program, UsdtLoad};
use super::struct_ops::StructOps;
use super::sys::memory::MapMemory;
use super::sys::object::RawProgram;
use super::usdt_records::{self, UsdtRecords};
use super::verifier::{LineTable, SourceLine};
use crate::error::{Error, Result};
use crate::kernel::btf::{Btf, TypeId};
use crate::kernel::features::{Feature, supports};
use crate::suggest;

/// An object in the kernel. Dropping it detaches everything and frees its maps and programs.
#[derive(Debug)]
pub struct Object {
    /// First, so that links go before what they use.
    pub(super) probes: Vec<Probe>,
    pub(super) next_probe: u32,
    /// Functions that are attached when the script begins to wait, unless it attaches them itself.
    pub(super) deferred: Vec<String>,
    /// Detached probes of which the kernel missed runs, until somebody asks.
    pub(super) missed: Vec<ProbeReport>,
    /// The places of USDT arguments, when functions read any.
    pub(super) usdt_records: Option<UsdtRecords>,
    programs: HashMap<(String, LoadAs), Rc<Program>>,
    functions: Vec<Function>,
    loss_counters: Vec<LossCounter>,
    image: Image,
    /// Slots of program arrays that are still to be filled.
    slots: Vec<Slot>,
    /// The mapped contents of the maps that hold global variables, once somebody asked.
    memories: HashMap<String, MapMemory>,
}

impl Object {
    /// Opens an ELF object, relocates its programs and creates its maps. No program is loaded yet.
    pub fn create(elf: Vec<u8>, options: ObjectOptions) -> Result<Object> {
        let image = Image::create(elf, options)?;
        let slots = image.types.as_ref().map_or_else(|| Ok(Vec::new()), |btf| prog_arrays::slots(&image.elf, btf))?;
        let functions = Function::fold(&image.programs);
        Ok(Object {
            probes: Vec::new(),
            next_probe: 0,
            deferred: attach::deferred(&functions),
            missed: Vec::new(),
            usdt_records: image.maps.iter().find(|map| map.name == usdt_records::MAP).map(UsdtRecords::new),
            programs: HashMap::new(),
            functions,
            loss_counters: losses::counters(&image.elf),
            image,
            slots,
            memories: HashMap::new(),
        })
    }

    /// The user's name for the object.
    pub fn name(&self) -> &str {
        &self.image.options.name
    }

    /// How kprobes attach whose target asks for no mechanism.
    pub(super) fn mechanism(&self) -> Mechanism {
        self.image.options.mechanism
    }

    /// What its programs may do; none: anything.
    pub(super) fn grants(&self) -> Option<&Grants> {
        self.image.options.grants.as_ref()
    }

    /// Its maps, in the order of the ELF, `.bss` and the like among them.
    pub fn maps(&self) -> &[Rc<Map>] {
        &self.image.maps
    }

    /// Where the maps' losses are counted.
    pub(super) fn counters(&self) -> &[LossCounter] {
        &self.loss_counters
    }

    /// A map by name; the error names the nearest.
    pub fn map(&self, name: &str) -> Result<&Rc<Map>> {
        let maps = &self.image.maps;
        maps.iter().find(|map| map.name == name).ok_or_else(|| {
            let known = maps.iter().map(|map| map.name.as_str());
            self.unknown("map", name, known)
        })
    }

    /// The global variables of the C text.
    pub fn variables(&self) -> &[Variable] {
        &self.image.variables
    }

    /// The memory of a map that holds global variables (`.bss` and the like), mapped when it is first asked for. It
    /// stays where it is as long as the object lives; programs write it at the same time.
    pub fn memory(&mut self, map: &str) -> Result<&MapMemory> {
        if !self.memories.contains_key(map) {
            let memory = self.map(map)?.memory()?;
            self.memories.insert(map.to_owned(), memory);
        }
        self.memories.get(map).ok_or_else(|| Error::bug(format!("cannot map `{map}`"), ""))
    }

    /// The user's functions, variants folded, in the order of the ELF.
    pub fn functions(&self) -> &[Function] {
        &self.functions
    }

    /// A function by name; the error names the nearest.
    pub fn function(&self, name: &str) -> Result<&Function> {
        self.functions.iter().find(|function| function.name == name).ok_or_else(|| {
            let known = self.functions.iter().map(|function| function.name.as_str());
            self.unknown("function", name, known)
        })
    }

    fn unknown<'a, I: Iterator<Item = &'a str> + Clone>(&self, noun: &str, name: &str, known: I) -> Error {
        let error = Error::script(format!("no {noun} `{name}` in the C text of `{}`", self.name()), "");
        if let Some(line) = suggest::similar_line(&suggest::nearest(name, known.clone())) {
            return error.with_hint(line);
        }
        match known.collect::<Vec<_>>() {
            known if known.is_empty() => error.with_note(format!("it has no {noun}s")),
            known => error.with_note(format!("it has: {}", known.join(", "))),
        }
    }

    /// The structs of functions that the kernel is to call.
    pub(super) fn struct_ops(&self) -> &[StructOps] {
        &self.image.struct_ops
    }

    /// The types of the object; `None` when it was compiled without them.
    pub fn btf(&self) -> Option<&Arc<Btf>> {
        self.image.types.as_ref()
    }

    /// The maps whose keys are slots of a histogram, as the C text declares them.
    pub fn histograms(&self) -> Vec<String> {
        notes::histograms(&self.image.elf)
    }

    /// The type of the events that a map submits, from the C text's own calls.
    pub fn event_type(&self, map: &str) -> Option<TypeId> {
        description::event_type(self.btf()?, map)
    }

    /// A function's plain variant, as it is loaded when its section says what it is for.
    fn plain_program(&self, function: &str) -> Result<&RawProgram> {
        let symbol = self.function(function)?.symbol(Variant::Plain);
        let program = self.image.programs.iter().find(|program| program.symbol == symbol);
        program.ok_or_else(|| {
            Error::bug(format!("cannot show the instructions of `{function}`"), format!("the object has no `{symbol}`"))
        })
    }

    /// The bytes of a function's instructions, eight for each, in this machine's order.
    pub fn bytecode(&self, function: &str) -> Result<Vec<u8>> {
        Ok(self.plain_program(function)?.insns.iter().flat_map(|insn| insn.bytes()).collect())
    }

    /// A function's instructions as text, one line for each; `helper` names a helper by its number.
    pub fn disassemble(&self, function: &str, helper: &dyn Fn(u32) -> Option<String>) -> Result<Vec<String>> {
        Ok(disasm::lines(&self.plain_program(function)?.insns, disasm::Names { helper }))
    }

    /// The lines of the C text that a function's instructions come from: the index of the first instruction of each.
    pub fn source_lines(&self, function: &str) -> Result<Vec<(u32, SourceLine)>> {
        let program = self.plain_program(function)?;
        let table = LineTable::new(&program.line_info, self.image.btf_bytes());
        let mut lines: Vec<(u32, SourceLine)> = Vec::new();
        for info in &program.line_info {
            let found =
                table.find(info.insn).filter(|line| lines.last().is_none_or(|(_, last)| last.line != line.line));
            lines.extend(found.map(|line| (info.insn, line)));
        }
        Ok(lines)
    }

    /// Loads a function as its section says, without attaching it (`load_func`, `check --load`). Cached.
    pub fn load(&mut self, function: &str) -> Result<Rc<Program>> {
        let load_as = match self.usdt_arguments(function)? {
            Some(_) => {
                let cookies = supports(Feature::BpfCookie).is_supported();
                self.load_usdt(false, (!cookies).then_some(0))
            }
            None => LoadAs::Section,
        };
        self.load_as(function, &load_as)
    }

    /// Loads a function to be run for a test: as the type that it is loaded as already, where that is one and its section
    /// says nothing of it, else as its section says.
    pub fn load_to_run(&mut self, function: &str) -> Result<Rc<Program>> {
        let mut typed = self.programs.iter().filter(|((name, _), _)| name == function);
        match (typed.next(), typed.next()) {
            (Some(((_, LoadAs::Typed(_)), program)), None) => Ok(Rc::clone(program)),
            _ => self.load(function),
        }
    }

    /// The arguments of a USDT probe that a function reads, from 1; `None` when it asks for nothing of such a probe.
    pub(super) fn usdt_arguments(&self, function: &str) -> Result<Option<Vec<usize>>> {
        let function = self.function(function)?;
        let mut programs = self.image.programs.iter();
        let plain = programs.find(|program| program.symbol == function.name);
        Ok(plain.and_then(|program| patch::usdt_arguments(&program.insns)))
    }

    /// A load for a USDT probe, with the map of records as it is now.
    pub(super) fn load_usdt(&self, multi: bool, record: Option<u32>) -> LoadAs {
        LoadAs::Usdt(UsdtLoad { multi, record, records: self.usdt_records.as_ref().map(UsdtRecords::current) })
    }

    /// Loads a function for an attachment. Cached per function and [`LoadAs`].
    pub fn load_as(&mut self, function: &str, load_as: &LoadAs) -> Result<Rc<Program>> {
        let load_as = self.function(function)?.canonical(load_as);
        let key = (function.to_owned(), load_as.clone());
        if let Some(program) = self.programs.get(&key) {
            return Ok(Rc::clone(program));
        }
        let found = self.function(function)?;
        let program = Rc::new(loader::load(&self.image, found, &load_as)?);
        self.programs.insert(key, Rc::clone(&program));
        self.fill_prog_arrays()?;
        Ok(program)
    }

    /// Loads the programs that the C text puts into program arrays itself, once.
    fn fill_prog_arrays(&mut self) -> Result<()> {
        for slot in std::mem::take(&mut self.slots) {
            let program = self.load(&slot.function)?;
            let descriptor = program.fd.as_raw_fd().to_ne_bytes();
            self.map(&slot.map)?.update(&slot.index.to_ne_bytes(), &descriptor, 0)?;
        }
        Ok(())
    }

    /// The programs that are loaded, in no order.
    pub fn programs(&self) -> impl Iterator<Item = &Rc<Program>> {
        self.programs.values()
    }
}
