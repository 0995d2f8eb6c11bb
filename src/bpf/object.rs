// SPDX-License-Identifier: Apache-2.0
//! One object: its maps, its functions, and what is attached of them.

use std::path::PathBuf;
use std::rc::Rc;

use super::attach::{KprobeTarget, UprobeTarget};
use super::function::Function;
use super::map::Map;
use super::probe::{ProbeId, ProbeReport};
use super::program::{LoadAs, Program};
use crate::error::Result;

/// How an object is created.
#[derive(Clone, Debug, Default)]
pub struct ObjectOptions {
    /// The user's name for it: shown in errors, and the first 15 characters in `bpftool`.
    pub name: String,
    /// BTF of the kernel to relocate for, in place of the running kernel's own (`--btf`).
    pub btf_path: Option<PathBuf>,
    /// Verifier log level for programs that load too: 0 none, 1 branches, 2 every instruction.
    pub verifier_log_level: u32,
}

/// An object in the kernel. Dropping it detaches everything and frees its maps and programs.
#[derive(Debug)]
pub struct Object {}

impl Object {
    /// Opens an ELF object, relocates its programs and creates its maps. No program is loaded yet.
    pub fn create(_elf: Vec<u8>, _options: ObjectOptions) -> Result<Object> {
        todo!()
    }
    /// The user's name for the object.
    pub fn name(&self) -> &str {
        todo!()
    }
    /// Its maps, in the order of the C text, `.bss` and the like among them.
    pub fn maps(&self) -> &[Rc<Map>] {
        todo!()
    }
    /// A map by name; the error names the nearest.
    pub fn map(&self, _name: &str) -> Result<&Rc<Map>> {
        todo!()
    }
    /// The user's functions, variants folded.
    pub fn functions(&self) -> &[Function] {
        todo!()
    }
    /// A function by name; the error names the nearest.
    pub fn function(&self, _name: &str) -> Result<&Function> {
        todo!()
    }
    /// The bytes of the object's `.BTF` section, for `kernel::btf` to read.
    pub fn btf_bytes(&self) -> Option<&[u8]> {
        todo!()
    }
    /// The type id (in the object's BTF) of the events that a map submits, from the C text's own calls.
    pub fn event_type(&self, _map: &str) -> Option<u32> {
        todo!()
    }
    /// Loads a function as its section says, without attaching it (`load_func`, `check --load`). Cached.
    pub fn load(&mut self, _function: &str) -> Result<Rc<Program>> {
        todo!()
    }
    /// Loads a function for an attachment. Cached per function and [`LoadAs`].
    pub fn load_as(&mut self, _function: &str, _load_as: &LoadAs) -> Result<Rc<Program>> {
        todo!()
    }
    /// Attaches a function to kernel functions, by the cheapest mechanism that gives the same result.
    pub fn attach_kprobe(&mut self, _target: &KprobeTarget, _function: &str) -> Result<ProbeId> {
        todo!()
    }
    /// Attaches a function to a place in a user program or library.
    pub fn attach_uprobe(&mut self, _target: &UprobeTarget, _function: &str) -> Result<ProbeId> {
        todo!()
    }
    /// Attaches a function to a tracepoint, `category:event`.
    pub fn attach_tracepoint(&mut self, _tracepoint: &str, _function: &str) -> Result<ProbeId> {
        todo!()
    }
    /// Attaches a function to a raw tracepoint.
    pub fn attach_raw_tracepoint(&mut self, _event: &str, _function: &str) -> Result<ProbeId> {
        todo!()
    }
    /// Attaches a function to what its section or its prefix (`kprobe__`, `tracepoint__` …) names.
    pub fn attach_auto(&mut self, _function: &str) -> Result<ProbeId> {
        todo!()
    }
    /// The functions that `attach_auto` can attach, in order: what `BPF{…}` attaches by itself.
    pub fn auto_functions(&self) -> Vec<String> {
        todo!()
    }
    /// Detaches one probe.
    pub fn detach(&mut self, _probe: ProbeId) -> Result<()> {
        todo!()
    }
    /// Detaches every kprobe (or kretprobe) of this target, of one function or of all.
    pub fn detach_kprobe(&mut self, _event: &str, _retprobe: bool, _function: Option<&str>) -> Result<()> {
        todo!()
    }
    /// Detaches every uprobe of this target, of one function or of all.
    pub fn detach_uprobe(&mut self, _target: &UprobeTarget, _function: Option<&str>) -> Result<()> {
        todo!()
    }
    /// Detaches every probe of this tracepoint, of one function or of all.
    pub fn detach_tracepoint(&mut self, _tracepoint: &str, _function: Option<&str>) -> Result<()> {
        todo!()
    }
    /// Detaches every probe of this raw tracepoint, of one function or of all.
    pub fn detach_raw_tracepoint(&mut self, _event: &str, _function: Option<&str>) -> Result<()> {
        todo!()
    }
    /// Detaches everything.
    pub fn detach_all(&mut self) {
        todo!()
    }
    /// What is attached, in the order it was attached.
    pub fn probes(&self) -> Vec<ProbeReport> {
        todo!()
    }
}
