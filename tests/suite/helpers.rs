// SPDX-License-Identifier: Apache-2.0
//! The dialect's list of kernel helpers against libbpf's and against the running kernel's.

use std::collections::BTreeMap;

use bpflua::kernel::btf::{Btf, Kind, Type};
use bpflua::packs::embedded;

use super::harness::{Need, missing};

/// The helpers of `bpf-include/bpflua/helpers.h` by number.
fn ours() -> BTreeMap<i64, String> {
    let find = |wanted: &str| embedded::c_headers().find(|(path, _)| *path == wanted).unwrap().1.into_owned();
    let text = find("bpflua/helpers.h");
    let macros = text.lines().filter_map(|line| {
        let (name, rest) = line.strip_prefix("#define ")?.split_once(" ((")?;
        Some((name, rest.rsplit_once("))")?.1.strip_suffix(')')?))
    });
    let constants = text.lines().filter_map(|line| {
        let (name, rest) = line.strip_prefix("static ")?.split_once("(*const ")?.1.split_once(")(")?;
        Some((name, rest.rsplit_once("(void *)")?.1.strip_suffix(';')?))
    });
    macros.chain(constants).filter_map(|(name, number)| Some((number.parse().ok()?, name.to_owned()))).collect()
}

/// A helper whose name a type of the kernel has as well must be no macro.
#[test]
fn helpers_leave_the_kernels_types_their_names() {
    let names = ours();
    let Ok(btf) = Btf::kernel() else { return };
    let find = |wanted: &str| embedded::c_headers().find(|(path, _)| *path == wanted).unwrap().1.into_owned();
    let text = find("bpflua/helpers.h");
    for name in names.values().filter(|name| btf.find(Kind::Struct, name).is_some()) {
        assert!(!text.contains(&format!("#define {name} ")), "struct {name}");
    }
}

/// The macro around it counts the arguments, so the helper itself has another name.
fn public_name(name: &str) -> &str {
    if name == "__bpflua_trace_printk" { "bpf_trace_printk" } else { name }
}

#[test]
fn every_helper_of_libbpf_has_its_number() {
    let ours = ours();
    let numbers: Vec<i64> = ours.keys().copied().collect();
    let all: Vec<i64> = (1..i64::from(libbpf_sys::__BPF_FUNC_MAX_ID)).collect();
    assert_eq!(numbers, all);
    let some = [
        ("bpf_map_lookup_elem", libbpf_sys::BPF_FUNC_map_lookup_elem),
        ("bpf_trace_printk", libbpf_sys::BPF_FUNC_trace_printk),
        ("bpf_perf_event_output", libbpf_sys::BPF_FUNC_perf_event_output),
        ("bpf_override_return", libbpf_sys::BPF_FUNC_override_return),
        ("bpf_probe_read_user_str", libbpf_sys::BPF_FUNC_probe_read_user_str),
        ("bpf_ringbuf_reserve", libbpf_sys::BPF_FUNC_ringbuf_reserve),
        ("bpf_get_current_task_btf", libbpf_sys::BPF_FUNC_get_current_task_btf),
        ("bpf_loop", libbpf_sys::BPF_FUNC_loop),
        ("bpf_dynptr_data", libbpf_sys::BPF_FUNC_dynptr_data),
        ("bpf_user_ringbuf_drain", libbpf_sys::BPF_FUNC_user_ringbuf_drain),
        ("bpf_cgrp_storage_delete", libbpf_sys::BPF_FUNC_cgrp_storage_delete),
    ];
    for (name, number) in some {
        assert_eq!(public_name(&ours[&i64::from(number)]), name);
    }
}

#[test]
fn root_every_helper_of_this_kernel_is_known_by_name() {
    if missing(&[Need::Btf]) {
        return;
    }
    let btf = Btf::kernel().unwrap();
    let Type::Enum(helpers) = btf.type_by_id(btf.find(Kind::Enum, "bpf_func_id").unwrap()) else {
        panic!("bpf_func_id is an enum")
    };
    let ours = ours();
    let mut count = 0;
    for helper in helpers.enumerators() {
        let Some(name) = helper.name.strip_prefix("BPF_FUNC_").filter(|name| *name != "unspec") else { continue };
        let known = ours.get(&helper.value).unwrap_or_else(|| panic!("no helper {}: bpf_{name}", helper.value));
        assert_eq!(public_name(known), format!("bpf_{name}"));
        count += 1;
    }
    assert!(count > 100, "{count} helpers");
}
