// SPDX-License-Identifier: Apache-2.0
//! BPF objects in the kernel: maps, programs, links, and the ways a probe is attached.
//!
//! Object bytes come in (from the compiler or a pack), descriptors and errors in the user's own words go out. bcc's
//! contract is lazy, and this room keeps it: after [`Object::create`] the maps exist and nothing else; a program goes
//! to the kernel when it is first attached or [`Object::load`]ed, as the kind of program that the attachment implies.
//!
//! ```text
//! Object::create(elf)      libbpf opens the ELF, creates the maps and relocates every program once  (image)
//!   .attach_kprobe(..)     picks a mechanism (attach), loads the variant of the function it needs (loader),
//!                          and keeps the link, a descriptor (link): a killed process leaves nothing behind
//!   .map("counts")         raw bytes in and out (map); the Lua side calls the same through `ffi`
//!   .probes()              what is attached, by which mechanism, and why not a cheaper one (probe)
//! ```
//!
//! libbpf is asked to relocate once, not once per program as `bpf_object__load` would: CO-RE needs the kernel's BTF,
//! and parsing that costs more than all the rest. The relocated instructions are copied out, the libbpf object is
//! closed, and each load is one `BPF_PROG_LOAD` of a patched copy.

mod attach;
mod btf_target;
mod cost;
mod counters;
mod description;
mod disasm;
pub mod ffi;
mod function;
mod globals;
mod grants;
mod image;
mod libbpf_log;
mod link;
mod loader;
mod losses;
mod map;
mod map_kind;
mod module_btf;
mod notes;
mod object;
mod options;
mod patch;
mod probe;
mod prog_arrays;
mod prog_type;
mod program;
mod relocation;
mod struct_ops;
mod sys;
mod system;
mod test_run;
mod usdt_records;
mod verifier;
mod version;

pub use attach::{
    FreplaceTarget, FuncTarget, IterTarget, KprobeEvent, KprobeTarget, Mechanism, NetfilterTarget, PerfEventTarget,
    Place, ReplacedIn, TcTarget, UprobePlace, UprobeTarget, UsdtSource, UsdtTarget, remove_xdp,
};
pub use attach::{UserFunction, find_user_file, user_functions};
pub use cost::Cost;
pub use counters::Counter;
pub use description::{MapDescription, read_maps};
pub use function::{Function, FunctionKind, Variant};
pub use globals::{InitialValue, Variable};
pub use grants::{Grants, changing_helpers};
pub use image::read_variables;
pub use libbpf_log::show_all as show_libbpf_messages;
pub use link::Link;
pub use losses::{LossCounter, MapLoss};
pub use map::Map;
pub use map_kind::MapKind;
pub use object::Object;
pub use options::{MapSizes, ObjectOptions};
pub use probe::{ProbeId, ProbeKind, ProbeReport};
pub use prog_type::{AttachType, ProgType};
pub use program::{LoadAs, Program, RunCounting, RunStats, Typed, UsdtLoad};
pub use sys::memory::{MapMemory, keep_memlock_limit};
pub use system::{SystemLink, SystemMap, SystemProgram, system_links, system_maps, system_programs};
pub use test_run::{TestOutcome, TestRun};
pub use verifier::{LineTable, Rejected, SourceLine, VerifierLog};
pub use version::libbpf_version;
