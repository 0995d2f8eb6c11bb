// SPDX-License-Identifier: Apache-2.0
//! One file for each topic.

#[cfg(feature = "compiler")]
mod arm64;
#[cfg(feature = "compiler")]
mod bcc_lua;
mod bpf_attach;
mod bpf_kprobes;
mod bpf_maps;
mod bpf_objects;
mod bpf_verifier;
mod cli;
mod commands;
#[cfg(feature = "compiler")]
mod compile;
#[cfg(feature = "compiler")]
mod completions;
mod conformance;
mod constants;
mod docs;
mod errors_runtime;
mod events_fixture;
mod events_loop;
mod events_lua;
mod examples;
#[cfg(feature = "compiler")]
mod fuzz;
mod harness;
#[cfg(feature = "compiler")]
mod headers;
#[cfg(feature = "compiler")]
mod helper_calls;
mod helpers;
mod json;

mod libbpf;
mod lifecycle;
mod list;
mod lua_files;
#[cfg(feature = "compiler")]
mod maps_misuse;
#[cfg(feature = "compiler")]
mod maps_races;
mod module_types;
mod moved_bits;
mod oneliners;
mod packs;
mod packs_built;
mod packs_commands;
mod packs_git;
mod packs_guide;
mod packs_help;
mod packs_install;
mod packs_policy;
#[cfg(feature = "registry")]
mod packs_registry;
mod packs_trust;
mod packs_versions;
mod ports;
mod reference;
mod repl;
mod repl_complete;
mod repl_files;
mod repl_history;
mod repl_live;
mod repl_output;
mod repl_plain;
mod repl_signals;
mod repl_tab;
mod repl_tour;
mod symbolize_containers;
mod symbolize_process;
mod symbolize_programs;
mod symbolize_stacks;
mod symbolize_stripped;
mod tool_options;
mod tool_pages;
mod types;
mod usdt;
mod vm;
