// SPDX-License-Identifier: Apache-2.0
//! The files that travel inside the executable: one list of `scripts/lib` and `scripts/types` (Lua) and of `bpf-include/` (C
//! headers), and the pack of tools as a folder.
//!
//! A release build carries the bytes, and the library's bytecode, which it runs. A debug build reads the same names from the
//! source tree that the executable lies in, so that a change to a script needs no rebuild.
//! A new file is added by one line in [`FILES`]; a test fails when a file of the tree is missing here.

use std::borrow::Cow;

/// One embedded Lua file.
#[derive(Debug)]
pub struct Script {
    /// The name Lua knows the chunk by, `@scripts/lib/map.lua`.
    pub chunk_name: String,
    /// What LuaJIT loads: bytecode in a release build, the text in a debug build.
    pub chunk: Cow<'static, [u8]>,
}

/// The library's bytecode, by path.
#[cfg(not(debug_assertions))]
static BYTECODE: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/lua_bytecode.rs"));

macro_rules! files {
    ($($path:literal),* $(,)?) => {
        /// Every embedded file, by its path from the root of the source tree.
        const FILES: &[(&str, fn() -> Cow<'static, str>)] = &[$(($path, || text!($path))),*];
    };
}

#[cfg(not(debug_assertions))]
macro_rules! text {
    ($path:literal) => {
        Cow::Borrowed(include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/", $path)))
    };
}

#[cfg(debug_assertions)]
macro_rules! text {
    ($path:literal) => {
        on_disk::read($path)
    };
}

files! {
    "bpf-include/bcc/bpf.h",
    "bpf-include/bcc/bpf_workaround.h",
    "bpf-include/bcc/footer.h",
    "bpf-include/bcc/helpers.h",
    "bpf-include/bcc/proto.h",
    "bpf-include/bpf/bpf_core_read.h",
    "bpf-include/bpf/bpf_endian.h",
    "bpf-include/bpf/bpf_helper_defs.h",
    "bpf-include/bpf/bpf_helpers.h",
    "bpf-include/bpf/bpf_tracing.h",
    "bpf-include/bpf/usdt.bpf.h",
    "bpf-include/bpflua.h",
    "bpf-include/bpflua/attributes.h",
    "bpf-include/bpflua/bits.h",
    "bpf-include/bpflua/constants.h",
    "bpf-include/bpflua/constants_block.h",
    "bpf-include/bpflua/constants_bpf.h",
    "bpf-include/bpflua/constants_errno.h",
    "bpf-include/bpflua/constants_fs.h",
    "bpf-include/bpflua/constants_kernel.h",
    "bpf-include/bpflua/constants_mm.h",
    "bpf-include/bpflua/constants_net.h",
    "bpf-include/bpflua/constants_older.h",
    "bpf-include/bpflua/constants_sched.h",
    "bpf-include/bpflua/constants_sock.h",
    "bpf-include/bpflua/constants_tcpip.h",
    "bpf-include/bpflua/constants_time.h",
    "bpf-include/bpflua/constants_uapi_fs.h",
    "bpf-include/bpflua/constants_uapi_net.h",
    "bpf-include/bpflua/constants_uapi_process.h",
    "bpf-include/bpflua/constants_vfs.h",
    "bpf-include/bpflua/core_read.h",
    "bpf-include/bpflua/dialect.h",
    "bpf-include/bpflua/fallback_enums.h",
    "bpf-include/bpflua/files.h",
    "bpf-include/bpflua/helpers.h",
    "bpf-include/bpflua/inlines.h",
    "bpf-include/bpflua/map_calls.h",
    "bpf-include/bpflua/map_methods.h",
    "bpf-include/bpflua/map_notes.h",
    "bpf-include/bpflua/map_output.h",
    "bpf-include/bpflua/map_special.h",
    "bpf-include/bpflua/map_table.h",
    "bpf-include/bpflua/maps.h",
    "bpf-include/bpflua/packet.h",
    "bpf-include/bpflua/print.h",
    "bpf-include/bpflua/probes.h",
    "bpf-include/bpflua/proto.h",
    "bpf-include/bpflua/ptrace.h",
    "bpf-include/bpflua/ptrace_arm64.h",
    "bpf-include/bpflua/ptrace_x86.h",
    "bpf-include/bpflua/real_headers.h",
    "bpf-include/bpflua/tracing.h",
    "bpf-include/bpflua/types.h",
    "bpf-include/bpflua/usdt.h",
    "bpf-include/bpflua_footer.h",
    "bpf-include/vmlinux.h",
    "scripts/lib/addresses.lua",
    "scripts/lib/argparse.lua",
    "scripts/lib/argparse_help.lua",
    "scripts/lib/argparse_parse.lua",
    "scripts/lib/attach.lua",
    "scripts/lib/attach_functions.lua",
    "scripts/lib/attach_net.lua",
    "scripts/lib/attach_tracing.lua",
    "scripts/lib/bcc_lua.lua",
    "scripts/lib/bcc_python.lua",
    "scripts/lib/boot.lua",
    "scripts/lib/bpf.lua",
    "scripts/lib/buffers.lua",
    "scripts/lib/c_expression.lua",
    "scripts/lib/c_source.lua",
    "scripts/lib/cfunctions.lua",
    "scripts/lib/check.lua",
    "scripts/lib/class.lua",
    "scripts/lib/columns.lua",
    "scripts/lib/commands.lua",
    "scripts/lib/constants.lua",
    "scripts/lib/containers.lua",
    "scripts/lib/contract.lua",
    "scripts/lib/cost.lua",
    "scripts/lib/debugging.lua",
    "scripts/lib/docs.lua",
    "scripts/lib/errors.lua",
    "scripts/lib/events.lua",
    "scripts/lib/facts.lua",
    "scripts/lib/finding.lua",
    "scripts/lib/format.lua",
    "scripts/lib/globals.lua",
    "scripts/lib/hist.lua",
    "scripts/lib/inspect.lua",
    "scripts/lib/int128.lua",
    "scripts/lib/json.lua",
    "scripts/lib/json_lines.lua",
    "scripts/lib/kernel.lua",
    "scripts/lib/live.lua",
    "scripts/lib/loop.lua",
    "scripts/lib/loop_buffers.lua",
    "scripts/lib/loop_trace.lua",
    "scripts/lib/map.lua",
    "scripts/lib/map_batch.lua",
    "scripts/lib/map_cells.lua",
    "scripts/lib/map_counters.lua",
    "scripts/lib/map_handles.lua",
    "scripts/lib/map_losses.lua",
    "scripts/lib/map_queue.lua",
    "scripts/lib/map_text.lua",
    "scripts/lib/map_walk.lua",
    "scripts/lib/net.lua",
    "scripts/lib/objects.lua",
    "scripts/lib/oneliner_latency.lua",
    "scripts/lib/oneliner_live.lua",
    "scripts/lib/oneliner_make.lua",
    "scripts/lib/oneliner_print.lua",
    "scripts/lib/oneliner_request.lua",
    "scripts/lib/oneliner_rows.lua",
    "scripts/lib/oneliner_run.lua",
    "scripts/lib/oneliner_show.lua",
    "scripts/lib/oneliner_syscalls.lua",
    "scripts/lib/oneliner_text.lua",
    "scripts/lib/oneliner_values.lua",
    "scripts/lib/oneliners.lua",
    "scripts/lib/pack_test.lua",
    "scripts/lib/percpu.lua",
    "scripts/lib/posix.lua",
    "scripts/lib/printf.lua",
    "scripts/lib/probes.lua",
    "scripts/lib/programs.lua",
    "scripts/lib/repl/commands.lua",
    "scripts/lib/repl/commands_maps.lua",
    "scripts/lib/repl/commands_probes.lua",
    "scripts/lib/repl/commands_search.lua",
    "scripts/lib/repl/commands_session.lua",
    "scripts/lib/repl/commands_text.lua",
    "scripts/lib/repl/complete.lua",
    "scripts/lib/repl/complete_members.lua",
    "scripts/lib/repl/complete_notes.lua",
    "scripts/lib/repl/complete_options.lua",
    "scripts/lib/repl/complete_texts.lua",
    "scripts/lib/repl/files.lua",
    "scripts/lib/repl/frame.lua",
    "scripts/lib/repl/help.lua",
    "scripts/lib/repl/locals.lua",
    "scripts/lib/repl/meanwhile.lua",
    "scripts/lib/repl/prompt.lua",
    "scripts/lib/repl/ranked.lua",
    "scripts/lib/repl/reload.lua",
    "scripts/lib/repl/repeats.lua",
    "scripts/lib/repl/rows.lua",
    "scripts/lib/repl/session.lua",
    "scripts/lib/repl/shell.lua",
    "scripts/lib/repl/show.lua",
    "scripts/lib/repl/start.lua",
    "scripts/lib/repl/subjects.lua",
    "scripts/lib/sandbox.lua",
    "scripts/lib/show.lua",
    "scripts/lib/show_elements.lua",
    "scripts/lib/show_hist.lua",
    "scripts/lib/show_json.lua",
    "scripts/lib/show_map.lua",
    "scripts/lib/show_object.lua",
    "scripts/lib/show_stack.lua",
    "scripts/lib/show_table.lua",
    "scripts/lib/show_text.lua",
    "scripts/lib/show_units.lua",
    "scripts/lib/show_value.lua",
    "scripts/lib/source.lua",
    "scripts/lib/stacks.lua",
    "scripts/lib/stores.lua",
    "scripts/lib/str_format.lua",
    "scripts/lib/structs.lua",
    "scripts/lib/stubs.lua",
    "scripts/lib/surface.lua",
    "scripts/lib/symbols.lua",
    "scripts/lib/system.lua",
    "scripts/lib/tables.lua",
    "scripts/lib/test_run.lua",
    "scripts/lib/tool.lua",
    "scripts/lib/tool_allocators.lua",
    "scripts/lib/tool_argdist.lua",
    "scripts/lib/tool_args.lua",
    "scripts/lib/tool_attach.lua",
    "scripts/lib/tool_command.lua",
    "scripts/lib/tool_disks.lua",
    "scripts/lib/tool_dns.lua",
    "scripts/lib/tool_expression.lua",
    "scripts/lib/tool_fs.lua",
    "scripts/lib/tool_fsdist.lua",
    "scripts/lib/tool_fsslower.lua",
    "scripts/lib/tool_hist.lua",
    "scripts/lib/tool_irqs.lua",
    "scripts/lib/tool_lock_graph.lua",
    "scripts/lib/tool_locks.lua",
    "scripts/lib/tool_offcpu.lua",
    "scripts/lib/tool_output.lua",
    "scripts/lib/tool_paths.lua",
    "scripts/lib/tool_probe_stacks.lua",
    "scripts/lib/tool_probes.lua",
    "scripts/lib/tool_recent.lua",
    "scripts/lib/tool_report.lua",
    "scripts/lib/tool_sockets.lua",
    "scripts/lib/tool_stacks.lua",
    "scripts/lib/tool_stacks_show.lua",
    "scripts/lib/tool_trace.lua",
    "scripts/lib/tool_view.lua",
    "scripts/lib/tools.lua",
    "scripts/lib/trace.lua",
    "scripts/lib/types.lua",
    "scripts/lib/usdt.lua",
    "scripts/lib/utf8.lua",
    "scripts/lib/utils.lua",
    "scripts/lib/variables.lua",
    "scripts/lib/waiting.lua",
    "scripts/types/bpflua.lua",
}

/// The pack of tools, `scripts/tools/`, in a release build.
#[cfg(not(debug_assertions))]
static TOOLS: include_dir::Dir<'static> = include_dir::include_dir!("$CARGO_MANIFEST_DIR/scripts/tools");

/// What `bpflua pack new` begins with, `scripts/skeleton/`, in every build: paths and bytes.
pub const SKELETON: [(&str, &[u8]); 4] = [
    ("NAME.lua", include_bytes!("../../scripts/skeleton/NAME.lua")),
    ("README.md", include_bytes!("../../scripts/skeleton/README.md")),
    ("pack.toml", include_bytes!("../../scripts/skeleton/pack.toml")),
    ("tests/NAME.lua", include_bytes!("../../scripts/skeleton/tests/NAME.lua")),
];

/// A file of the pack of tools, by its path in that pack.
#[cfg(not(debug_assertions))]
pub fn tool(path: &str) -> Option<Cow<'static, [u8]>> {
    TOOLS.get_file(path).map(|file| Cow::Borrowed(file.contents()))
}

/// The files at the top of the pack of tools.
#[cfg(not(debug_assertions))]
pub fn tools() -> impl Iterator<Item = String> {
    TOOLS.files().map(|file| file.path().display().to_string())
}

/// A file of the pack of tools, by its path in that pack.
#[cfg(debug_assertions)]
pub fn tool(path: &str) -> Option<Cow<'static, [u8]>> {
    std::fs::read(on_disk::root().join("scripts/tools").join(path)).ok().map(Cow::Owned)
}

/// The files at the top of the pack of tools.
#[cfg(debug_assertions)]
pub fn tools() -> impl Iterator<Item = String> {
    let entries = std::fs::read_dir(on_disk::root().join("scripts/tools")).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().into_string().ok())
}

#[cfg(debug_assertions)]
mod on_disk {
    use std::borrow::Cow;
    use std::path::{Path, PathBuf};

    /// The source tree: the folder above `target/` that the executable is in, else where it was when this was built.
    pub(super) fn root() -> PathBuf {
        let has_scripts = |dir: &&Path| dir.join("scripts/lib").is_dir();
        let executable = std::env::current_exe().unwrap_or_default();
        let built_in = Path::new(env!("CARGO_MANIFEST_DIR"));
        executable.ancestors().find(has_scripts).unwrap_or(built_in).to_owned()
    }

    /// The text of a file of the tree; none when it is gone, which the caller sees as an empty file.
    pub(super) fn read(path: &str) -> Cow<'static, str> {
        Cow::Owned(std::fs::read_to_string(root().join(path)).unwrap_or_default())
    }
}

/// The Lua library file of that name (`map` for `scripts/lib/map.lua`), if there is one.
pub fn lua(name: &str) -> Option<Script> {
    let path = format!("scripts/lib/{name}.lua");
    let chunk = chunk(&path)?;
    Some(Script { chunk_name: format!("@{path}"), chunk })
}

#[cfg(not(debug_assertions))]
fn chunk(path: &str) -> Option<Cow<'static, [u8]>> {
    BYTECODE.iter().find(|(known, _)| *known == path).map(|(_, bytes)| Cow::Borrowed(*bytes))
}

#[cfg(debug_assertions)]
fn chunk(path: &str) -> Option<Cow<'static, [u8]>> {
    listed(path).or_else(|| not_listed(path)).map(|text| Cow::Owned(text.into_owned().into_bytes()))
}

#[cfg(debug_assertions)]
fn listed(path: &str) -> Option<Cow<'static, str>> {
    FILES.iter().find(|(known, _)| *known == path).map(|(_, read)| read())
}

/// A file that came into the tree after a debug build was made.
#[cfg(debug_assertions)]
fn not_listed(path: &str) -> Option<Cow<'static, str>> {
    Some(on_disk::read(path)).filter(|text| !text.is_empty())
}

#[cfg(not(debug_assertions))]
fn not_listed(_path: &str) -> Option<Cow<'static, str>> {
    None
}

/// The text of an embedded Lua file, by its path from the root of the source tree.
pub fn lua_file(path: &str) -> Option<Cow<'static, str>> {
    FILES.iter().find(|(known, _)| *known == path && is_embedded(path)).map(|(_, read)| read())
}

/// The paths of all files of the Lua library.
pub fn lua_files() -> impl Iterator<Item = &'static str> {
    FILES.iter().map(|(path, _)| *path).filter(|path| path.starts_with("scripts/lib/"))
}

/// Whether a Lua source name (`@scripts/lib/map.lua` or the same without `@`) is that of an embedded file.
pub fn is_embedded(source: &str) -> bool {
    let path = source.strip_prefix('@').unwrap_or(source);
    let is_library = ["scripts/lib/", "scripts/types/"].iter().any(|folder| path.starts_with(folder));
    is_library && (FILES.iter().any(|(known, _)| *known == path) || not_listed(path).is_some())
}

/// Every C header: its path below `bpf-include/` and its text.
pub fn c_headers() -> impl Iterator<Item = (&'static str, Cow<'static, str>)> {
    FILES.iter().filter_map(|(path, read)| Some((path.strip_prefix("bpf-include/")?, read())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn walk(dir: &Path, root: &Path, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                walk(&path, root, found);
            } else if path.extension().is_some_and(|end| end == "lua" || end == "h") {
                found.push(path.strip_prefix(root).unwrap().to_str().unwrap().to_owned());
            }
        }
    }

    #[test]
    fn every_file_of_the_tree_is_listed_and_no_other() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut on_disk = Vec::new();
        walk(&root.join("scripts/lib"), root, &mut on_disk);
        walk(&root.join("scripts/types"), root, &mut on_disk);
        walk(&root.join("bpf-include"), root, &mut on_disk);
        on_disk.sort();
        let mut listed: Vec<_> = FILES.iter().map(|(path, _)| (*path).to_owned()).collect();
        listed.sort();
        assert_eq!(listed, on_disk, "FILES in src/packs/embedded.rs against the tree");
    }

    #[test]
    fn a_library_file_is_found_by_its_short_name() {
        let script = lua("errors").unwrap();
        assert_eq!(script.chunk_name, "@scripts/lib/errors.lua");
        assert!(script.chunk.starts_with(b"-- SPDX-License-Identifier"));
        assert!(is_embedded(&script.chunk_name) && is_embedded("scripts/lib/errors.lua"));
        assert!(lua("no_such").is_none() && !is_embedded("@errors.lua"));
    }
}
