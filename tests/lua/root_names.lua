-- SPDX-License-Identifier: Apache-2.0
-- Every name of bcc's Python that tools use is there, where Python has it: at the object, at BPF, at maps, in modules.

local t = require("harness")

local b = BPF({ text = "BPF_HASH(counts, u32, u64); BPF_PERCPU_HASH(by_cpu, u32, u64); int f(struct pt_regs *ctx) { return 0; }" })

local NAMES = {
    [b] = [[
        attach_kprobe attach_kretprobe attach_tracepoint attach_uprobe attach_uretprobe attach_raw_tracepoint attach_perf_event
        attach_perf_event_raw attach_kfunc attach_kretfunc attach_fmod_ret attach_lsm attach_raw_socket attach_xdp attach_func
        detach_kprobe detach_kretprobe detach_tracepoint detach_uprobe detach_uretprobe detach_raw_tracepoint detach_perf_event
        detach_kfunc detach_kretfunc detach_fmod_ret detach_lsm detach_func remove_xdp
        trace_print trace_fields trace_readline trace_open perf_buffer_poll perf_buffer_consume ring_buffer_poll ring_buffer_consume
        kprobe_poll get_table load_func load_funcs dump_func disassemble_func decode_table cleanup close
        ksym ksymname sym num_open_kprobes num_open_uprobes num_open_tracepoints get_syscall_fnname get_syscall_prefix fix_syscall_fnname
        get_kprobe_functions get_tracepoints get_user_functions get_user_addresses get_user_functions_and_addresses tracepoint_exists
        kernel_struct_has_field kernel_enum_has_val support_kfunc support_lsm support_fmod_ret support_raw_tracepoint
        support_raw_tracepoint_in_module find_exe find_library monotonic_time generate_auto_includes free_bcc_memory add_module]],
    [BPF] = [[
        attach_raw_socket attach_xdp remove_xdp attach_func detach_func ksym ksymname sym num_open_kprobes num_open_uprobes
        num_open_tracepoints get_syscall_fnname get_syscall_prefix fix_syscall_fnname get_kprobe_functions get_tracepoints
        get_user_functions get_user_addresses get_user_functions_and_addresses tracepoint_exists kernel_struct_has_field
        kernel_enum_has_val support_kfunc support_lsm support_fmod_ret support_raw_tracepoint support_raw_tracepoint_in_module
        find_exe find_library monotonic_time generate_auto_includes free_bcc_memory add_module SymbolCache cleanup
        KPROBE TRACEPOINT RAW_TRACEPOINT PERF_EVENT SOCKET_FILTER SCHED_CLS SCHED_ACT XDP CGROUP_SKB CGROUP_SOCK SOCK_OPS SK_SKB SK_MSG LSM TRACING
        XDP_FLAGS_UPDATE_IF_NOEXIST XDP_FLAGS_SKB_MODE XDP_FLAGS_DRV_MODE XDP_FLAGS_HW_MODE XDP_ABORTED XDP_DROP XDP_PASS XDP_TX XDP_REDIRECT
        PerfType PerfHWConfig PerfSWConfig PerfEventSampleFormat BPFProgType BPFAttachType XDPAction XDPFlags Perf
        DEBUG_LLVM_IR DEBUG_BPF DEBUG_PREPROCESSOR DEBUG_SOURCE DEBUG_BPF_REGISTER_STATE DEBUG_BTF]],
    [b.counts] = [[
        items values keys clear zero items_lookup_and_delete_batch items_lookup_batch items_delete_batch items_update_batch
        print_log2_hist print_linear_hist print_json_hist open_perf_buffer open_ring_buffer push pop peek event walk
        getvalue sum max average open_perf_event get_fd key_sprintf leaf_sprintf key_scanf leaf_scanf Key Leaf]],
    [USDT({ path = "/proc/self/exe" })] = "enable_probe enable_probe_or_bail get_text get_probe_arg_ctype enumerate_probes",
    [require("bcc.utils")] = "printb get_online_cpus get_possible_cpus detect_language StrcmpRewrite",
    [require("bcc.containers")] = "filter_by_containers",
    [require("bcc.syscall")] = "syscall_name",
    [require("bcc.tcp")] = "state2str flags2str TCPHDR_FIN TCPHDR_CWR",
    [require("bcc.exec")] = "run_cmd cmd_ready cmd_exited",
}

t.test("each name", function()
    local count = 0
    for of, names in pairs(NAMES) do
        for name in names:gmatch("%S+") do
            local ok, found = pcall(function() return of[name] end)
            if not ok or found == nil then
                error(("%s has no `%s`"):format(tostring(of), name), 0)
            end
            count = count + 1
        end
    end
    t.equal(count > 170, true)
end)

t.test("the options of BPF{…}", function()
    local known = require("bpflua.source").OPTIONS
    for name in ("src_file hdr_file text debug cflags usdt_contexts allow_rlimit device attach_usdt_ignore_pid"):gmatch("%S+") do
        t.equal(known[name] and name, name)
    end
end)
