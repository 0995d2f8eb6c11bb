// SPDX-License-Identifier: Apache-2.0
//! What the command says when something is wrong: a script for each error in `tests/runtime/errors/`, with the golden
//! of what a user sees beside it. A script's first lines tell what it needs (`REQUIRES`), with which options it runs
//! (`OPTIONS`), in which place (`AS`), and that what is said `VARIES` with kprobes.

use std::path::Path;

use super::harness::{Bpflua, Need, kernel_release, missing, root_folder};

const FOLDER: &str = "tests/runtime/errors";

/// What the first lines of a script say after a word.
fn told<'a>(text: &'a str, word: &str) -> impl Iterator<Item = &'a str> {
    let line = text.lines().find_map(|line| line.strip_prefix(&format!("-- {word} ")));
    line.unwrap_or_default().split([',', ' ']).filter(|item| !item.is_empty())
}

fn need(word: &str) -> Need {
    match word {
        "root" => Need::Root,
        "btf" => Need::Btf,
        "kprobes" => Need::Kprobes,
        "x86_64" => Need::X86,
        other => panic!("REQUIRES {other}"),
    }
}

/// Without the type data, in a mount namespace of its own.
const WITHOUT_BTF: &str = "mount -t tmpfs tmpfs /sys/kernel/btf && exec \"$@\"";
/// Without any tracefs, wherever it is mounted.
const WITHOUT_TRACEFS: &str = "while read -r _ point kind _; do case $kind in tracefs|debugfs) umount -l \"$point\";; esac; done \
     </proc/self/mounts; exec \"$@\"";

/// The command that a place means.
fn place(name: &str) -> Vec<&'static str> {
    let apart = ["unshare", "--mount", "sh", "-c"];
    // A user without rights, apart from finding the executable wherever it was built.
    let nobody = "setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps +dac_read_search --ambient-caps +dac_read_search";
    match name {
        "" => Vec::new(),
        "nobody" => nobody.split(' ').collect(),
        "without_btf" => [&apart[..], &[WITHOUT_BTF, "sh"]].concat(),
        "without_tracefs" => [&apart[..], &[WITHOUT_TRACEFS, "sh"]].concat(),
        "without_tracefs_and_mount" => {
            [&apart[..], &[WITHOUT_TRACEFS, "sh", "setpriv", "--bounding-set", "-sys_admin"]].concat()
        }
        other => panic!("AS {other}"),
    }
}

/// Runs a script; gives what a user sees, without what differs from place to place.
fn seen(name: &str, text: &str) -> String {
    let wrapper = place(told(text, "AS").next().unwrap_or_default());
    let options = told(text, "OPTIONS").map(str::to_owned);
    let script = format!("{FOLDER}/{name}.lua");
    neutral(&Bpflua::under(&wrapper, options.chain([script])).run().transcript())
}

fn neutral(text: &str) -> String {
    let mut text = text.replace(&kernel_release(), "KERNEL").replace(env!("CARGO_BIN_EXE_bpflua"), "bpflua");
    let filters = [
        (r"searched: [\d,]+ kallsyms names(, \d+ loaded kernel modules?)?", "searched: N kallsyms names"),
        (r"searched: \d+ names", "searched: N names"),
        (r"0x[0-9a-f]{16}", "ADDRESS"),
        (r"\d+ of \d+ log lines", "N of M log lines"),
        (r"  /\S+: CONFIG_DEBUG_INFO_BTF[ =].*\n", ""),
        (r"kernel\.kptr_restrict = [01];", "kernel.kptr_restrict = N;"),
        // What a kernel has that is nearly what was asked for.
        (r"(hint: similar: vfs_read, vfs_readv).*", "$1, …"),
        (r"(hint: `struct task_struct` of this kernel has `static_prio`).*", "$1, …"),
    ];
    for (pattern, with) in filters {
        text = regex::Regex::new(pattern).unwrap().replace_all(&text, with).into_owned();
    }
    text
}

/// Compares with the golden; with another one on a kernel with kprobes when the script says `VARIES`.
fn compare(name: &str, text: &str, seen: &str) {
    let other = text.contains("\n-- VARIES ") && Need::Kprobes.lacking().is_none();
    let golden = if other { format!("{name}@kprobes") } else { name.to_owned() };
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../runtime/errors");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(golden, seen));
}

/// Runs and compares the script of this name.
fn check(name: &str) {
    let text = std::fs::read_to_string(root_folder().join(FOLDER).join(format!("{name}.lua"))).unwrap();
    let needs: Vec<Need> = told(&text, "REQUIRES").map(need).collect();
    if !missing(&needs) {
        compare(name, &text, &seen(name, &text));
    }
}

/// One test for each script.
macro_rules! errors {
    ($($test:ident: $name:literal,)*) => {
        $(#[test] fn $test() { check($name); })*
        const NAMES: &[&str] = &[$($name),*];
    };
}

errors! {
    root_a_packet_program_without_a_direction: "attach_cgroup_folder",
    root_an_iterator_over_nothing: "attach_iter_name",
    root_an_unknown_option_of_attach_kprobe: "attach_option",
    root_a_number_of_no_perf_event: "attach_perf_config",
    root_xdp_on_no_device: "attach_xdp_device",
    root_an_unknown_option_of_a_buffer: "buffer_option",
    root_a_second_handler_for_a_buffer: "buffer_twice",
    root_an_argument_of_the_wrong_type: "argument_type",
    root_a_dot_in_place_of_a_colon: "dot_for_colon",
    root_a_value_that_does_not_fit: "value_misfit",
    root_a_closed_object: "object_closed",
    root_an_error_in_a_handler: "handler",
    root_an_extern_map_of_nobody: "map_extern",
    root_a_full_map: "map_full",
    root_a_map_in_a_map_made_for_others: "map_holds",
    root_an_inner_map_that_does_not_exist: "map_inner",
    root_an_unknown_map: "map_name",
    root_a_map_pinned_nowhere: "map_no_bpffs",
    root_maps_misused_in_the_c_text: "map_text_misuse",
    root_an_unknown_method_of_a_map: "map_method",
    root_an_unknown_member: "member",
    root_an_unknown_type_of_program: "load_type",
    root_tracefs_is_mounted_when_needed: "mounts_tracefs",
    root_no_btf: "no_btf",
    root_a_function_that_does_not_exist: "no_function",
    root_no_tracefs_for_a_tracepoint: "no_tracepoint",
    root_no_tracefs_for_the_trace_pipe: "no_tracefs",
    root_not_root: "not_root",
    root_an_unknown_method_of_an_object: "object_method",
    root_the_stacks_of_a_hash: "stacks_of_a_hash",
    root_hidden_kernel_addresses: "symbols_hidden",
    an_address_beyond_a_number: "symbols_inexact",
    a_process_that_does_not_exist: "symbols_no_process",
    root_a_process_of_another_user: "symbols_others_process",
    root_a_slip_in_the_c_text: "syntax",
    root_a_function_that_must_not_be_traced: "untraceable",
    root_the_verifier_rejects: "verifier",
}

#[test]
fn every_script_is_run() {
    for entry in std::fs::read_dir(root_folder().join(FOLDER)).unwrap().flatten() {
        let path = entry.path();
        if path.extension().is_some_and(|ending| ending == "lua") {
            let name = path.file_stem().and_then(|stem| stem.to_str()).unwrap();
            assert!(NAMES.contains(&name), "{}", path.display());
        }
    }
    for name in NAMES {
        assert!(Path::new(FOLDER).join(format!("{name}.lua")).exists(), "{name}.lua");
    }
}

/// The whole log is shown on request, and only then.
#[test]
fn root_the_verifiers_log_is_shown_on_request() {
    if missing(&[Need::Root, Need::Btf]) {
        return;
    }
    let script = format!("{FOLDER}/verifier.lua");
    let short = Bpflua::under(&[], [&script]).run().expect(1).stderr;
    let long = Bpflua::under(&[], ["--verifier-log", &script]).run().expect(1).stderr;
    let call = "call bpf_map_lookup_elem#1";
    assert!(!short.contains(call) && short.lines().count() < 15, "{short}");
    assert!(long.contains(call) && long.lines().count() > short.lines().count() + 20, "{long}");
}
