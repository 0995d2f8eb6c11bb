-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
---@meta bpflua
-- What bpflua's scripts see, for editors. Made from the comments in scripts/lib by `bpflua types`; change those.

---@class bpflua.argparse.Parser
local _argparse_Parser = {}

---Adds `-h --help`, which is there unless this is called with false. Also takes the option's properties.
---@param value boolean|string|table false for no such option; or its spelling, or its properties
function _argparse_Parser:add_help(value) end

---Adds a positional argument: its value is `args[name]`, a list when it takes several.
function _argparse_Parser:argument(...) end

---Adds a command, a parser of its own; `args[name]` is true when it is given.
function _argparse_Parser:command(...) end

---Shows how the script is called and what is wrong, and ends it with status 1. A script may put its own in place.
---@param message string what is wrong
function _argparse_Parser:error(message) end

---Adds an option without a value: true when it is given.
function _argparse_Parser:flag(...) end

---The help: usage, description, arguments, options, commands.
---@return string
function _argparse_Parser:get_help() end

---The usage: how the script is called, in lines of 70 characters.
---@return string
function _argparse_Parser:get_usage() end

---Of these options only one may be given.
function _argparse_Parser:mutex(...) end

---Adds an option with a value: `args.pid` for "-p --pid".
function _argparse_Parser:option(...) end

---Reads the arguments of the script, or a list of them.
---@param args? string[] default: the global `arg`
---@return table<string, any>
function _argparse_Parser:parse(args) end

---As `parse`, but a wrong argument is a result.
---@param args? string[] a list of words; default: the script's own
---@return boolean ok
---@return table|string result the arguments, or what is wrong
function _argparse_Parser:pparse(args) end

---@class bpflua.Probe
---@field id integer for `b:detach`
---@field kind string kprobe, kretprobe, uprobe, uretprobe, usdt, tracepoint, raw_tracepoint, fentry, fexit, fmod_ret, lsm, tp_btf, iter, freplace, struct_ops, perf_event, xdp, tc, raw_socket, cgroup, sockmap, netns, netfilter …
---@field target string what was asked for
---@field resolved string[] what is really probed, when that differs
---@field fn_name string
---@field mechanism string how it is attached: fentry, kprobe_multi, kprobe, sys_enter, uprobe, uprobe_multi, link, tcx …; what stays after SIGKILL is `prog_attach`, `clsact` and `map_update`
---@field why string[] why not by a cheaper mechanism
---@field notes string[]
---@field places integer how many functions it probes: several for a regular expression
---@field runs number how often it ran, while kernel.bpf_stats_enabled is on
---@field missed number runs that the kernel left out

---@class bpflua.Iter
---@field name string the iterator's function
---@field bpf bpflua.BPF
local _Iter = {}

---Detaches the iterator.
function _Iter:detach() end

---Runs the iterator and gives the lines that it printed, as the kernel goes on: `for line in it:lines() do`.
---@return fun(): string?
function _Iter:lines() end

---Runs the iterator and gives all that it printed (`BPF_SEQ_PRINTF`, `bpf_seq_printf`).
---@return string
function _Iter:read() end

---Runs the iterator and gives the records that it wrote (`bpf_seq_write`), each a pointer that is good until the next.
---@param ctype string|ffi.ctype* the record's type, a C declaration: "struct { uint32_t pid; char comm[16]; }"
---@return fun(): ffi.cdata*?
function _Iter:records(ctype) end

---@class bpflua.bcc_utils
local _bcc_utils = {}

---The language that a process runs, of those that are asked about.
---@param candidates string[] of java, node, perl, php, python, ruby, and c for what has no other runtime
---@param pid integer the process
---@return string? language
function _bcc_utils.detect_language(candidates, pid) end

---Writes a text and a newline at once.
---@param text any
---@param file? file* default: standard output
---@param nl? integer|boolean 0 or false: no newline
function _bcc_utils.printb(text, file, nl) end

---@class bpflua.StrcmpRewrite
local _StrcmpRewrite = {}

---Replaces `STRCMP("text", pointer)` in a C expression by calls of functions that compare, and adds those functions.
---@param expr string
---@param bin_cmp boolean the text is a list of bytes: `{0x1, 0x2}` between the quotes
---@param is_user boolean pointers are of user space
---@param probe_user_list string[]|table<string, any> expressions that are
---@param streq_functions string the functions so far
---@param probeid integer the number of the next function
---@return {expr: string, streq_functions: string, probeid: integer}
function _StrcmpRewrite.rewrite_expr(expr, bin_cmp, is_user, probe_user_list, streq_functions, probeid) end

---@class bpflua.BPF
---@field [string] bpflua.Map the maps of the C text
local _BPF = {}

---The names in a process, which stay known when it is gone; without a process, those of the kernel.
---Raises when there is no such process, or it may not be looked at.
---@param pid? integer|ffi.cdata*|{pid?: integer|ffi.cdata*} nil or below 0: the kernel
---@return bpflua.SymbolCache
function _BPF:SymbolCache(pid) end

---Names a file for frames of stack maps with build IDs (`BPF_STACK_TRACE_BUILDID`), whose processes may be gone.
---@param path string a program or a library
function _BPF:add_module(path) end

---Attaches a function to what the processes of a control group (version 2) do: their packets, sockets, connections,
---devices, socket options, sysctls.
---@param options {fn_name: string, path?: string, fd?: integer, type?: string|integer, flags?: integer}
---the group by its folder or a descriptor of it; `type`: "ingress", "egress", "sock_create", "connect4", "sockops", "dev",
---"sysctl", "getsockopt" …, or one of `BPF.BPFAttachType`; default: what the function's section says
---@return bpflua.BPF self
function _BPF:attach_cgroup(options) end

---Attaches a function (`KMOD_RET`, `SEC("fmod_ret/…")`) whose result, unless it is 0, replaces that of a kernel function,
---which is then not called. The kernel lets only some be replaced: `security_…`, and those marked for error injection.
---@param options {fn_name: string, event?: string, cookie?: integer|ffi.cdata*} as for `attach_kfunc`; bcc's prefix is `kmod_ret__`
---@return bpflua.BPF self
function _BPF:attach_fmod_ret(options) end

---Puts a function (`SEC("freplace/FUNCTION")`) in the place of a function of a loaded program: whoever calls that one
---calls this one until it is detached. What can be replaced is the program itself and its functions that are neither
---`static` nor inlined (`__noinline`); the parameters must be the same. The kernel needs trampolines (5.10).
---@param options {fn_name: string, target: string|bpflua.Function|integer, func?: string}
---`target`: a function of the same C text, which is loaded if it is not yet; what `load_func` gave, of any object; or a
---descriptor of a program. `func`: the function in it; default: what the section says, else the program itself
---@return bpflua.BPF self
function _BPF:attach_freplace(options) end

---Attaches a function to what a descriptor stands for: a control group, a map of sockets, a network namespace. By a link
---where the kernel has one, which goes with the process.
---@param fn bpflua.Function|string what `load_func` gave, or the name of a function of the C text
---@param where integer|string|bpflua.Map a descriptor, a path, or a map
---@param attach_type integer|string `BPF.BPFAttachType.…`
---@param flags? integer `BPF_F_ALLOW_OVERRIDE` 1, `BPF_F_ALLOW_MULTI` 2, `BPF_F_REPLACE` 4; without 1 and 4 beside others
function _BPF:attach_func(fn, where, attach_type, flags) end

---Attaches an iterator (`BPF_ITER(task)`, `SEC("iter/task")`); `b:iter` runs it. Those that need no map are attached by
---themselves; attaching one again limits it anew.
---@param options {fn_name: string, map?: string|bpflua.Map, pid?: integer, tid?: integer, cgroup?: string, order?: "self"|"pre"|"post"|"up"}
---`fn_name` with or without `bpf_iter__`; through one `map`, the tasks of a process `pid` or a thread `tid`, or from a
---`cgroup` (its folder) on, in an `order`
---@return bpflua.BPF self
function _BPF:attach_iter(options) end

---Attaches a function (`KFUNC_PROBE`, `SEC("fentry/…")`) to the entry of a kernel function by BTF. Those that say to what
---are attached by themselves; attaching one again changes nothing but its cookie, if one is given.
---@param options {fn_name: string, event?: string, cookie?: integer|ffi.cdata*}
---`fn_name` with or without bcc's prefix `kfunc__`; `event`: a function, or `module:function`, in place of the own one;
---`cookie` is what `bpf_get_attach_cookie(ctx)` gives (5.19)
---@return bpflua.BPF self
function _BPF:attach_kfunc(options) end

---Attaches a function to the entry of kernel functions, by the cheapest mechanism that this kernel has for it.
---@param options {event?: string|integer|ffi.cdata*, event_re?: string, event_off?: integer, fn_offset?: integer, fn_name: string, mechanism?: "auto"|"fentry"|"kprobe_multi"|"kprobe"|"sys_enter", retprobe?: boolean, maxactive?: integer, cookie?: integer|ffi.cdata*}
---`event` is a name, or an address; `event_re` must match a function's whole name; `event_off` is in bytes from the function's start
---(default 0; `fn_offset` is bcc-lua's name of it); `mechanism` is "auto" unless `--mechanism` says otherwise; `retprobe` (default false) and `maxactive` (default 0) are
---those of `attach_kretprobe`; `cookie` is what `bpf_get_attach_cookie(ctx)` gives (5.15; a mechanism that carries none in
---this kernel is passed over). The kernel needs kprobes, or fentry (5.5)
---@return bpflua.BPF self
function _BPF:attach_kprobe(options) end

---Attaches a function (`KRETFUNC_PROBE`, `SEC("fexit/…")`) to the return of a kernel function by BTF.
---@param options {fn_name: string, event?: string, cookie?: integer|ffi.cdata*} as for `attach_kfunc`; bcc's prefix is `kretfunc__`
---@return bpflua.BPF self
function _BPF:attach_kretfunc(options) end

---Attaches a function to the return of kernel functions.
---@param options {event?: string|integer|ffi.cdata*, event_re?: string, fn_name: string, maxactive?: integer, mechanism?: string, cookie?: integer|ffi.cdata*}
---`maxactive`: how many calls may be under way at once; 0 leaves it to the kernel
---@return bpflua.BPF self
function _BPF:attach_kretprobe(options) end

---Attaches a function (`LSM_PROBE`, `SEC("lsm/…")`) to a hook of the security modules: a result other than 0 forbids.
---@param options {fn_name: string, event?: string, cookie?: integer|ffi.cdata*} as for `attach_kfunc`; bcc's prefix is `lsm__`
---@return bpflua.BPF self
function _BPF:attach_lsm(options) end

---Attaches a function (`SEC("netfilter")`) to a hook of netfilter in this network namespace. It returns 1 for packets that
---go on and 0 for those that are dropped.
---@param options {fn_name: string, hook: "prerouting"|"input"|"forward"|"output"|"postrouting", family?: "ipv4"|"ipv6", priority?: integer, defragment?: boolean}
---low priorities run first; two programs at a hook differ in it
---@return bpflua.BPF self
function _BPF:attach_netfilter(options) end

---Attaches a function to a network namespace: to the choice of a socket for a connection (`SEC("sk_lookup")`), or to the
---dissection of packets (`SEC("flow_dissector")`).
---@param options {fn_name: string, path?: string, fd?: integer, pid?: integer, type?: string|integer}
---the namespace of a process, of a file (`/run/netns/blue`) or a descriptor; default: this process's own
---@return bpflua.BPF self
function _BPF:attach_netns(options) end

---Attaches a function to samples of a perf event, on one CPU or on each that is online.
---@param options {ev_type: integer, ev_config: integer, fn_name: string, sample_period?: integer, sample_freq?: integer, pid?: integer, cpu?: integer, group_fd?: integer, cookie?: integer|ffi.cdata*}
---`ev_type` is one of `BPF.PerfType`, `ev_config` of `BPF.PerfSWConfig` or `BPF.PerfHWConfig`; a sample is taken once
---every `sample_period` events, or `sample_freq` times a second; `pid` limits it to a process and those it starts. `pid`, `cpu`
---and `group_fd` are -1 unless given: every process, every CPU that is online, no group; `cookie` is what
---`bpf_get_attach_cookie(ctx)` gives (5.15)
---@return bpflua.BPF self
function _BPF:attach_perf_event(options) end

---Attaches a function to a perf event of which every attribute is given.
---@param options {attr: table|ffi.cdata*, fn_name: string, pid?: integer, cpu?: integer, group_fd?: integer, cookie?: integer|ffi.cdata*}
---`attr`: members of the kernel's `struct perf_event_attr` by name, or what `BPF.Perf.perf_event_attr()` made; `cookie` as for
---`attach_perf_event`
---@return bpflua.BPF self
function _BPF:attach_perf_event_raw(options) end

---Lets a packet socket see what a function says of each packet, and puts the socket's descriptor, which does not wait,
---into `fn.sock`; `fn:recv()` reads a packet. The socket is closed with the object.
---@param fn bpflua.Function|string a socket filter: its result is how many bytes of the packet are kept, 0 for none
---@param dev? string the device; "" or nil for all
---@return bpflua.Function fn
function _BPF:attach_raw_socket(fn, dev) end

---Attaches a function to a raw tracepoint.
---@param options {tp: string, fn_name: string, cookie?: integer|ffi.cdata*}
---`tp` is the event without its category; `cookie` is what `bpf_get_attach_cookie(ctx)` gives (6.10)
---@return bpflua.BPF self
function _BPF:attach_raw_tracepoint(options) end

---Attaches a function to the data of the sockets in a map (`BPF_SOCKMAP`, `BPF_SOCKHASH`).
---@param options {fn_name: string, map: string|bpflua.Map, type?: string|integer}
---`type`: "sk_msg" for what is sent, "stream_parser", "stream_verdict" and "verdict" for what is received; default: what
---the function's section says
---@return bpflua.BPF self
function _BPF:attach_sockmap(options) end

---Has the kernel call the functions of a struct: a variable in `SEC(".struct_ops.link")` or `SEC(".struct_ops")`, such as a
---`struct tcp_congestion_ops`. Those are attached by themselves unless the section begins with `?`; attaching one again
---changes nothing. By a link where the kernel has them (6.4), which goes with the process.
---@param options {name: string}|string the variable's name
---@return bpflua.BPF self
function _BPF:attach_struct_ops(options) end

---Attaches a function to the packets that come to a device or leave it, after the network code has taken them or before
---it lets go of them. Its result decides: `TC_ACT_OK`, `TC_ACT_SHOT` …
---@param options {fn_name: string, dev: string, direction?: "ingress"|"egress", priority?: integer, handle?: integer, mechanism?: "auto"|"tcx"|"clsact"}
---By a tcx link where the kernel has it (6.6), which goes with the process; else, or for a `priority` or `handle`, by a
---filter on the queueing discipline `clsact`, which is removed at the script's end
---@return bpflua.BPF self
function _BPF:attach_tc(options) end

---Attaches a function to a tracepoint, or to all that match.
---@param options {tp?: string, tp_re?: string, fn_name: string, cookie?: integer|ffi.cdata*}
---`tp` is "category:event"; `tp_re` a regular expression that matches from its start; `cookie`, with `tp` only, is what
---`bpf_get_attach_cookie(ctx)` gives (5.15)
---@return bpflua.BPF self
function _BPF:attach_tracepoint(options) end

---Attaches a function to a place in a program or library, or to all functions that match.
---@param options {name: string, sym?: string, sym_re?: string, addr?: integer|ffi.cdata*, sym_off?: integer, pid?: integer, fn_name: string, retprobe?: boolean, cookie?: integer|ffi.cdata*}
---`name` is a path, a program in PATH, or a library ("c", "libc.so.6"); `sym_re` a regular expression that matches from a
---name's start; `addr` an address as `nm` shows it, or else an offset in the file; `sym_off` bytes behind `sym`: like `addr`, where
---an instruction begins; `cookie`, which `sym_re` takes none of, is what `bpf_get_attach_cookie(ctx)` gives (5.15)
---@return bpflua.BPF self
function _BPF:attach_uprobe(options) end

---Attaches a function to the return of a function in a program or library.
---@param options {name: string, sym?: string, sym_re?: string, addr?: integer|ffi.cdata*, sym_off?: integer, pid?: integer, fn_name: string, cookie?: integer|ffi.cdata*}
---@return bpflua.BPF self
function _BPF:attach_uretprobe(options) end

---Attaches a function to a USDT probe, at all its locations.
---@param options {pid?: integer, path?: string, provider?: string, probe: string, fn_name: string, cookie?: integer|ffi.cdata*}
---`path`: a path, a program in PATH, or a library; without it, the program and libraries of the process `pid`; `pid`: only
---this process; `probe`: "name" or "provider:name"; `cookie`: what `bpf_usdt_cookie(ctx)` gives
---@return bpflua.BPF self
function _BPF:attach_usdt(options) end

---Attaches a function to the packets that come to a device, before the kernel's own network code. Positional, as in bcc, or
---with a table of options.
---@param dev string|{dev: string, fn_name: string, flags?: integer}
---@param fn bpflua.Function|string what `load_func` gave, or the name of a function of the C text
---@param flags? integer `BPF.XDP_FLAGS_…`: 1 only when the device has no program, 2 generic, 4 by the driver, 8 by the device
function _BPF:attach_xdp(dev, fn, flags) end

---Detaches everything and frees the object's maps and programs.
function _BPF:cleanup() end

---Detaches everything and frees the object's maps and programs.
function _BPF:close() end

---What the attached probes cost: the kernel counts the runs of their programs for so many seconds, in which handlers and
---timers run. The counting itself costs each run of any program some 20 ns.
---@param seconds? number (default 1)
---@return bpflua.Cost[]
function _BPF:cost(seconds) end

---The layout of a map's keys and values as C, in bcc's form.
---@param name string a map of the C text
---@param sizeinfo? boolean with offsets and sizes in bytes
---@return string lines
function _BPF:decode_table(name, sizeinfo) end

---Detaches one probe, whatever its kind.
---@param probe bpflua.Probe|integer of `b:probes()`, or its `id`
---@return bpflua.BPF self
function _BPF:detach(probe) end

---Detaches what `attach_cgroup` attached.
---@param options {path?: string, fd?: integer, fn_name?: string, type?: string|integer}
---@return bpflua.BPF self
function _BPF:detach_cgroup(options) end

---Detaches what replaces the result of a kernel function.
---@param options {fn_name: string}|string
---@return bpflua.BPF self
function _BPF:detach_fmod_ret(options) end

---Takes a function out of the place of the others that `attach_freplace` put it in.
---@param options {fn_name: string}|string
---@return bpflua.BPF self
function _BPF:detach_freplace(options) end

---Detaches what `attach_func` attached.
---@param fn bpflua.Function|string what was attached
---@param where integer|string|bpflua.Map a descriptor, a path, or a map
---@param attach_type integer|string as it was attached
function _BPF:detach_func(fn, where, attach_type) end

---Detaches an iterator.
---@param options {fn_name: string}|string
---@return bpflua.BPF self
function _BPF:detach_iter(options) end

---Detaches what is attached to the entry of a kernel function by BTF.
---@param options {fn_name: string}|string
---@return bpflua.BPF self
function _BPF:detach_kfunc(options) end

---Detaches what `attach_kprobe` attached to this event.
---@param options {event: string, fn_name?: string} without `fn_name`: every function
---@return bpflua.BPF self
function _BPF:detach_kprobe(options) end

---Detaches what is attached to the return of a kernel function by BTF.
---@param options {fn_name: string}|string
---@return bpflua.BPF self
function _BPF:detach_kretfunc(options) end

---Detaches what `attach_kretprobe` attached to this event.
---@param options {event: string, fn_name?: string}
---@return bpflua.BPF self
function _BPF:detach_kretprobe(options) end

---Detaches what is attached to a hook of the security modules.
---@param options {fn_name: string}|string
---@return bpflua.BPF self
function _BPF:detach_lsm(options) end

---Detaches what `attach_netfilter` attached.
---@param options {hook: string, family?: string, priority?: integer, fn_name?: string}
---@return bpflua.BPF self
function _BPF:detach_netfilter(options) end

---Detaches what `attach_netns` attached.
---@param options {fn_name?: string, path?: string, fd?: integer, pid?: integer, type?: string|integer}
---@return bpflua.BPF self
function _BPF:detach_netns(options) end

---Detaches what `attach_perf_event` or `attach_perf_event_raw` attached to this event.
---@param ev_type integer|{ev_type: integer, ev_config: integer}
---@param ev_config? integer as it was attached
---@return bpflua.BPF self
function _BPF:detach_perf_event(ev_type, ev_config) end

---Detaches what `attach_raw_tracepoint` attached to this raw tracepoint.
---@param options {tp: string, fn_name?: string}
---@return bpflua.BPF self
function _BPF:detach_raw_tracepoint(options) end

---Detaches what `attach_sockmap` attached.
---@param options {map: string|bpflua.Map, fn_name?: string, type?: string|integer}
---@return bpflua.BPF self
function _BPF:detach_sockmap(options) end

---Detaches a struct of functions. What uses it at the moment, such as a socket, keeps it until it is done.
---@param options {name: string}|string the variable's name
---@return bpflua.BPF self
function _BPF:detach_struct_ops(options) end

---Detaches what `attach_tc` attached.
---@param options {dev: string, direction?: "ingress"|"egress", fn_name?: string}
---@return bpflua.BPF self
function _BPF:detach_tc(options) end

---Detaches what `attach_tracepoint` attached to this tracepoint.
---@param options {tp: string, fn_name?: string}
---@return bpflua.BPF self
function _BPF:detach_tracepoint(options) end

---Detaches what `attach_uprobe` attached with the same options.
---@param options {name: string, sym?: string, addr?: integer|ffi.cdata*, sym_off?: integer, pid?: integer, fn_name?: string}
---@return bpflua.BPF self
function _BPF:detach_uprobe(options) end

---Detaches what `attach_uretprobe` attached with the same options.
---@param options {name: string, sym?: string, addr?: integer|ffi.cdata*, sym_off?: integer, pid?: integer, fn_name?: string}
---@return bpflua.BPF self
function _BPF:detach_uretprobe(options) end

---Detaches what was attached to this USDT probe.
---@param options {probe: string, provider?: string, pid?: integer, fn_name?: string} without `fn_name`: every function;
---without `pid`: what was attached for every process
---@return bpflua.BPF self
function _BPF:detach_usdt(options) end

---The instructions of a function as text, in bcc's form: `   0: (b7) r0 = 1`.
---@param name string a function of the C text
---@param with_source? boolean under the lines of the C text that they come from, each of which begins with `;`
---@return string lines
function _BPF:disassemble_func(name, with_source) end

---The instructions of a function, as bytes: eight for each.
---@param name string a function of the C text
---@return string
function _BPF:dump_func(name) end

---Iterates over the fields of trace lines until Ctrl-C or `BPF.exit`.
---`for task, pid, cpu, flags, ts, msg in b:each_trace_fields() do`
---@return fun(): string?, integer, integer, string, number, string
function _BPF:each_trace_fields() end

---The path of a program in PATH.
---@param name string of a program in PATH
---@return string? path nil when there is none
function _BPF:find_exe(name) end

---The path of a library, as a process has it mapped or as the dynamic linker would find it.
---@param name string "c", "libc.so.6"
---@param pid? integer looks at what this process has mapped first
---@return string? path nil when there is none
function _BPF:find_library(name, pid) end

---The name that a system call's function has in this kernel, from the name it has in any: "__x64_sys_clone", "sys_clone". Other
---names stay as they are.
---@param name string
---@return string
function _BPF:fix_syscall_fnname(name) end

---Frees the compiler's memory, in bcc. Here it went with the compiler's process.
---@return integer zero
function _BPF:free_bcc_memory() end

---The `#include` lines that bcc would want for words of a C text. Here types come from BTF, and the lines change nothing.
---@param program_words string[] words of the C text
---@return string lines
function _BPF:generate_auto_includes(program_words) end

---The functions of the kernel that kprobes can be placed on and whose whole name a regular expression matches.
---@param regex string "vfs_.*"
---@return string[]
function _BPF:get_kprobe_functions(regex) end

---The name of the kernel function behind a system call: "clone" gives "__x64_sys_clone" on x86-64.
---@param name string of the system call: "openat"
---@return string
function _BPF:get_syscall_fnname(name) end

---What the kernel puts before a system call's name in its function's.
---@return string
function _BPF:get_syscall_prefix() end

---A map by its name in the C text.
---@param name string the map, as the C text calls it
---@param key_type? string accepted as in bcc; the types come from the C text
---@param leaf_type? string the same: accepted, not used
---@param reducer? fun(made: any, value: any): any of a per-CPU map: makes one value of all CPUs', wherever the map is read
---@return bpflua.Map
function _BPF:get_table(name, key_type, leaf_type, reducer) end

---The tracepoints whose name, `category:event`, a regular expression matches from its start, as for `attach_tracepoint`.
---@param regex string "sched:sched_wake"
---@return string[]
function _BPF:get_tracepoints(regex) end

---The addresses of such functions, as `nm` shows them and `attach_uprobe{addr = …}` takes them.
---@param name string a path, a program in PATH, or a library ("c")
---@param sym_re string a regular expression, from the name's start
---@return ffi.cdata*[] uint64_t
function _BPF:get_user_addresses(name, sym_re) end

---The names of such functions.
---@param name string a path, a program in PATH, or a library ("c")
---@param sym_re string a regular expression, from the name's start
---@return string[]
function _BPF:get_user_functions(name, sym_re) end

---The functions of a program or library whose names a regular expression matches from their start.
---@param name string a path, a program in PATH, or a library ("c")
---@param sym_re string a regular expression, from the name's start
---@return {[1]: string, [2]: ffi.cdata*}[] pairs of name and address (uint64_t) as `nm` shows it, in the file's order
function _BPF:get_user_functions_and_addresses(name, sym_re) end

---An iterator, to be run as often as wanted: `for line in b:iter("bpf_iter__task"):lines() do`.
---@param fn_name string|{fn_name: string, map?: string|bpflua.Map, pid?: integer, tid?: integer, cgroup?: string, order?: string} a function, or the options of `attach_iter`, which attaches it first
---@return bpflua.Iter
function _BPF:iter(fn_name) end

---Whether an enum of the kernel has an enumerator.
---@param enum string its name: "bpf_map_type"
---@param value string the enumerator's: "BPF_MAP_TYPE_RINGBUF"
---@return 1|0|-1 has 1 yes, 0 no, -1 when the kernel has no such enum or no type data
function _BPF:kernel_enum_has_val(enum, value) end

---Whether a struct or union of the kernel has a member, also inside anonymous members.
---@param struct string its name: "task_struct"
---@param member string its name: "comm"
---@return 1|0|-1 has 1 yes, 0 no, -1 when the kernel has no such struct or no type data
function _BPF:kernel_struct_has_field(struct, member) end

---Delivers the events that are there to their handlers, or else waits until some are.
---After Ctrl-C or `BPF.exit` it delivers what is left and returns; called again, it ends the script quietly.
---@param timeout? number milliseconds to wait at most; -1 or nil: for ever
---@return number delivered
---@return integer|"interrupted"? stop a negative number that a ring buffer's handler returned: what is left waits for the next call
function _BPF:kprobe_poll(timeout) end

---Delivers events until Ctrl-C or `BPF.exit`. The code after it runs.
---@return false ended as in bcc-lua, where the loop knows no other end
---@return "interrupted!" why
function _BPF:kprobe_poll_loop() end

---The kernel function that an address lies in, as text: `name`, `name+0x12 [kernel]`, `[unknown]`.
---@param addr number|string|ffi.cdata* a number, hexadecimal digits, or 64-bit cdata
---@param show_module? boolean|{show_module: boolean?, show_offset: boolean?} `[kernel]` or the kernel module (default false)
---@param show_offset? boolean the distance from the function's start (default false)
---@return string
function _BPF:ksym(addr, show_module, show_offset) end

---The address of a kernel symbol. That the kernel hides its addresses is said once on standard error.
---@param name string of a function or variable of the kernel
---@return ffi.cdata*|integer address uint64_t; 0 when the kernel hides it; -1 when there is none of that name
function _BPF:ksymname(name) end

---Loads a function into the kernel without attaching it.
---@param name string a function of the C text
---@param prog_type? integer|string `BPF.SOCKET_FILTER`, `BPF.SCHED_CLS` …, or the name; default: what its section or its context says
---@param device? string the network device that is to run it, for devices that can
---@param attach_type? integer|string what it will be attached as (`BPF.BPFAttachType.CGROUP_SETSOCKOPT`), for types with several
---@return bpflua.Function
function _BPF:load_func(name, prog_type, device, attach_type) end

---Loads every function of the C text.
---@param prog_type? integer|string the type of all of them, as for `load_func`; default: what each says
---@return bpflua.Function[]
function _BPF:load_funcs(prog_type) end

---What the maps did not take from the C text, of those that lost something: full maps, indices beyond an array, full ring
---buffers. One map's count is `b.NAME:lost()`.
---@return bpflua.Loss[]
function _BPF:losses() end

---The time of `bpf_ktime_get_ns`.
---@return ffi.cdata* uint64_t nanoseconds
function _BPF:monotonic_time() end

---How many kprobes and kretprobes the script's objects have attached: one for each function of a regular expression.
---@return integer
function _BPF:num_open_kprobes() end

---How many tracepoints the script's objects have attached.
---@return integer
function _BPF:num_open_tracepoints() end

---How many uprobes, uretprobes and USDT probes the script's objects have attached: one for each place in a program.
---@return integer
function _BPF:num_open_uprobes() end

---Delivers the events that are there, without waiting.
---@return number delivered
---@return integer|"interrupted"? stop as of `perf_buffer_poll`
function _BPF:perf_buffer_consume() end

---Delivers the events that are there to their handlers, or else waits until some are.
---After Ctrl-C or `BPF.exit` it delivers what is left and returns; called again, it ends the script quietly.
---@param timeout? number milliseconds to wait at most; -1 or nil: for ever
---@return number delivered
---@return integer|"interrupted"? stop a negative number that a ring buffer's handler returned: what is left waits for the next call
function _BPF:perf_buffer_poll(timeout) end

---Delivers events until Ctrl-C or `BPF.exit`. The code after it runs.
---@return false ended as in bcc-lua, where the loop knows no other end
---@return "interrupted!" why
function _BPF:perf_buffer_poll_loop() end

---The trace pipe, as in bcc-lua: `b:pipe():trace_fields()`.
---@return bpflua.Pipe
function _BPF:pipe() end

---What is attached, by which mechanism, and why not by a cheaper one.
---@return bpflua.Probe[]
function _BPF:probes() end

---Takes the XDP program off a device: this script's, else whichever is there and held by no link. That there is none is
---no error.
---@param dev string the network device
---@param flags? integer the mode, as for `attach_xdp`
function _BPF:remove_xdp(dev, flags) end

---Delivers the events that are there, without waiting.
---@return number delivered
---@return integer|"interrupted"? stop as of `perf_buffer_poll`
function _BPF:ring_buffer_consume() end

---Delivers the events that are there to their handlers, or else waits until some are.
---After Ctrl-C or `BPF.exit` it delivers what is left and returns; called again, it ends the script quietly.
---@param timeout? number milliseconds to wait at most; -1 or nil: for ever
---@return number delivered
---@return integer|"interrupted"? stop a negative number that a ring buffer's handler returned: what is left waits for the next call
function _BPF:ring_buffer_poll(timeout) end

---Runs handlers and timers until Ctrl-C, `BPF.exit`, or the end of the duration.
---@param options? {duration?: number} seconds
---@return "interrupted"|"timeout" why
function _BPF:run(options) end

---The C text of a function, with the numbers of its lines in the script or the file. Of an object that was compiled before,
---only the lines that instructions come from.
---@param name string a function of the C text
---@return string lines
function _BPF:source_func(name) end

---Whether programs replace the result of kernel functions (`KMOD_RET`).
---@return boolean works
---@return string? why not
function _BPF:support_fmod_ret() end

---Whether programs attach to the entry and the end of kernel functions (`KFUNC_PROBE`, `KRETFUNC_PROBE`). Like the
---other `support_` functions it is tried once, and kept.
---@return boolean works
---@return string? why not
function _BPF:support_kfunc() end

---Whether programs attach to the hooks of security modules (`LSM_PROBE`).
---@return boolean works
---@return string? why not
function _BPF:support_lsm() end

---Whether programs attach to raw tracepoints (`RAW_TRACEPOINT_PROBE`).
---@return boolean works
---@return string? why not
function _BPF:support_raw_tracepoint() end

---Whether programs attach to the raw tracepoints of kernel modules.
---@return boolean works
---@return string? why not
function _BPF:support_raw_tracepoint_in_module() end

---The function that an address of a process lies in, as text: `name`, `name+0x12 [module]`, `[unknown]`.
---What cannot be looked at (another user's process, hidden kernel addresses) is said once on standard error.
---A process that was asked about before it ended stays known; of one that is gone at the first question nothing is, but frames of a
---stack map with build IDs have their names all the same, once `BPF.add_module` knows the file.
---Takes its options in order as bcc does, or as a table: `BPF.sym(addr, pid, {show_offset = true})`,
---`BPF.sym{addr = addr, pid = pid}`.
---@param addr number|string|ffi.cdata* also a frame of a stack map with build IDs
---@param pid integer|ffi.cdata* below 0: the kernel
---@param show_module? boolean|{show_module: boolean?, show_offset: boolean?, demangle: boolean?} the module's name in brackets (default false)
---@param show_offset? boolean the distance from the function's start (default false)
---@param demangle? boolean names of C++ and Rust as they were written (default true)
---@return string
function _BPF:sym(addr, pid, show_module, show_offset, demangle) end

---Runs a program once without attaching it. The kernel does this for programs on packets (XDP, tc, socket filters,
---cgroup_skb, sk_lookup, flow_dissector, netfilter), for `SEC("syscall")`, raw tracepoints, and fentry, fexit, fmod_ret. One that
---`load_func` has loaded as another kind than its section says is run as that.
---@param options {fn_name: string, data_in?: string|ffi.cdata*, ctx_in?: string|ffi.cdata*, times?: integer, cpu?: integer, live_frames?: boolean}
---`data_in`: the packet, from its Ethernet header; `ctx_in`: the context, where the kernel's own will not do; `times`: how
---often to run it (default 1); `cpu`: where (raw tracepoints); `live_frames`: XDP's verdict is carried out
---@return bpflua.TestRun
function _BPF:test_run(options) end

---The fields of the next line that `bpf_trace_printk` wrote.
---@param nonblocking? boolean nil instead of waiting
---@return string? task nil when there is none, or after Ctrl-C and `BPF.exit`
---@return integer pid
---@return integer cpu
---@return string flags
---@return number ts seconds
---@return string msg
function _BPF:trace_fields(nonblocking) end

---The trace pipe, as in bcc's Python: `for line in b:trace_open():lines() do`.
---@param nonblocking? boolean reading it does not wait
---@return bpflua.Pipe
function _BPF:trace_open(nonblocking) end

---Prints lines of the trace pipe until Ctrl-C or `BPF.exit`.
---@param fmt? string Python's `str.format`: "{1} {5}", fields by number from 0 (task, pid, cpu, flags, ts, msg) or by name, `{pid:>7}` in
---a width; default: whole lines
function _BPF:trace_print(fmt) end

---The next line of the trace pipe as it is.
---@param nonblocking? boolean nil instead of waiting
---@return string?
function _BPF:trace_readline(nonblocking) end

---Whether the kernel has a tracepoint. The kernel needs tracefs.
---@param category string "sched"
---@param event string "sched_switch"
---@return boolean
function _BPF:tracepoint_exists(category, event) end

---The global variables of the C text, in the memory that the programs use: `b:variables().count`, and to set one that is
---no constant `b:variables().enabled = true`. The field `b.vars` is the same, unless the C text has a map of that name.
---Structs and arrays come as copies; 64-bit integers as cdata.
---@return bpflua.Variables
function _BPF:variables() end

---@class bpflua.Class
BPF = {}

---The names in a process, which stay known when it is gone; without a process, those of the kernel.
---Raises when there is no such process, or it may not be looked at.
---@param pid? integer|ffi.cdata*|{pid?: integer|ffi.cdata*} nil or below 0: the kernel
---@return bpflua.SymbolCache
function BPF.SymbolCache(pid) end

---Names a file for frames of stack maps with build IDs (`BPF_STACK_TRACE_BUILDID`), whose processes may be gone.
---@param path string a program or a library
function BPF.add_module(path) end

---Calls a function once, after so many seconds, while a loop, a poll or `BPF.sleep` runs.
---@param seconds number above 0, with fractions
---@param fn fun() called without arguments
---@return integer timer for `BPF.cancel`
function BPF.after(seconds, fn) end

---Attaches a function to what a descriptor stands for: a control group, a map of sockets, a network namespace. By a link
---where the kernel has one, which goes with the process.
---@param fn bpflua.Function|string what `load_func` gave, or the name of a function of the C text
---@param where integer|string|bpflua.Map a descriptor, a path, or a map
---@param attach_type integer|string `BPF.BPFAttachType.…`
---@param flags? integer `BPF_F_ALLOW_OVERRIDE` 1, `BPF_F_ALLOW_MULTI` 2, `BPF_F_REPLACE` 4; without 1 and 4 beside others
function BPF.attach_func(fn, where, attach_type, flags) end

---Lets a packet socket see what a function says of each packet, and puts the socket's descriptor, which does not wait,
---into `fn.sock`; `fn:recv()` reads a packet. The socket is closed with the object.
---@param fn bpflua.Function|string a socket filter: its result is how many bytes of the packet are kept, 0 for none
---@param dev? string the device; "" or nil for all
---@return bpflua.Function fn
function BPF.attach_raw_socket(fn, dev) end

---Attaches a function to the packets that come to a device, before the kernel's own network code. Positional, as in bcc, or
---with a table of options.
---@param dev string|{dev: string, fn_name: string, flags?: integer}
---@param fn bpflua.Function|string what `load_func` gave, or the name of a function of the C text
---@param flags? integer `BPF.XDP_FLAGS_…`: 1 only when the device has no program, 2 generic, 4 by the driver, 8 by the device
function BPF.attach_xdp(dev, fn, flags) end

---Ends an interval, or what `BPF.after` has not called yet.
---@param timer integer what `interval` or `after` gave
function BPF.cancel(timer) end

---Closes every BPF object of the script; given one, that one.
---@param object? bpflua.BPF the object to close; default: all
function BPF.cleanup(object) end

---Rows of fixed widths, printed as they come:
---`local out = BPF.columns{ {"PID", width = 7}, "COMM" }:header()`, then `out:row(event.pid, event.comm)`.
---@param columns (string|bpflua.Column)[] from left to right: a heading, or a table of a heading, `width`, `right`, `cut`, see below
---@return bpflua.Columns
function BPF.columns(columns) end

---Counts how often probes are hit, by any number of keys: `count("kprobe:vfs_*", "comm")`. Names of keys are `comm`, `pid`,
---`tid`, `ppid`, `uid`, `gid`, `cpu`, `cgroup`, `probe`, `func`, `kstack`, `ustack`, the arguments of functions (by name, or
---`arg0` to `arg5`), `retval`, the fields of tracepoints, and members behind them: `file.f_path.dentry.d_name.name`.
---`str(arg0)` is the text that a number points to; a field that is called like one of the first is `args.pid`.
---@param probe string|string[] in bpftrace's spelling, with wildcards: `kprobe:FUNCTION`, `tracepoint:CATEGORY:EVENT` …; several apart by commas, or as a list
---@param ... string|bpflua.OnelinerOptions? keys, then options
---@return bpflua.Oneliner
function BPF.count(probe, ...) end

---Detaches what `attach_func` attached.
---@param fn bpflua.Function|string what was attached
---@param where integer|string|bpflua.Map a descriptor, a path, or a map
---@param attach_type integer|string as it was attached
function BPF.detach_func(fn, where, attach_type) end

---The name of an errno, with or without its minus: 2 and -2 are "ENOENT".
---@param errno integer|ffi.cdata* a number, also a negative one
---@return string
function BPF.errno_name(errno) end

---Asks the script to end, as Ctrl-C does: loops deliver what is left and return, and the code after them runs.
---@param status? integer exit status of the script (default 0)
function BPF.exit(status) end

---C text that declares `container_should_be_filtered()`: whether the current task is in none of the containers.
---@param args? {cgroupmap?: string, mntnsmap?: string} paths of pinned maps; without either, nothing is filtered
---@return string c_text to put before a program's own
function BPF.filter_by_containers(args) end

---The path of a program in PATH.
---@param name string of a program in PATH
---@return string? path nil when there is none
function BPF.find_exe(name) end

---The path of a library, as a process has it mapped or as the dynamic linker would find it.
---@param name string "c", "libc.so.6"
---@param pid? integer looks at what this process has mapped first
---@return string? path nil when there is none
function BPF.find_library(name, pid) end

---The name that a system call's function has in this kernel, from the name it has in any: "__x64_sys_clone", "sys_clone". Other
---names stay as they are.
---@param name string
---@return string
function BPF.fix_syscall_fnname(name) end

---As `BPF.printf`, to an open file.
---@param file file* what `io.open` or `io.popen` gave
---@param fmt string as of `string.format`
---@param ... any
function BPF.fprintf(file, fmt, ...) end

---Frees the compiler's memory, in bcc. Here it went with the compiler's process.
---@return integer zero
function BPF.free_bcc_memory() end

---The `#include` lines that bcc would want for words of a C text. Here types come from BTF, and the lines change nothing.
---@param program_words string[] words of the C text
---@return string lines
function BPF.generate_auto_includes(program_words) end

---The functions of the kernel that kprobes can be placed on and whose whole name a regular expression matches.
---@param regex string "vfs_.*"
---@return string[]
function BPF.get_kprobe_functions(regex) end

---The numbers of the processors that are online.
---@return integer[]
function BPF.get_online_cpus() end

---The numbers of the processors that this machine may have: a value of a per-CPU map has one for each.
---@return integer[]
function BPF.get_possible_cpus() end

---The name of the kernel function behind a system call: "clone" gives "__x64_sys_clone" on x86-64.
---@param name string of the system call: "openat"
---@return string
function BPF.get_syscall_fnname(name) end

---What the kernel puts before a system call's name in its function's.
---@return string
function BPF.get_syscall_prefix() end

---The tracepoints whose name, `category:event`, a regular expression matches from its start, as for `attach_tracepoint`.
---@param regex string "sched:sched_wake"
---@return string[]
function BPF.get_tracepoints(regex) end

---The addresses of such functions, as `nm` shows them and `attach_uprobe{addr = …}` takes them.
---@param name string a path, a program in PATH, or a library ("c")
---@param sym_re string a regular expression, from the name's start
---@return ffi.cdata*[] uint64_t
function BPF.get_user_addresses(name, sym_re) end

---The names of such functions.
---@param name string a path, a program in PATH, or a library ("c")
---@param sym_re string a regular expression, from the name's start
---@return string[]
function BPF.get_user_functions(name, sym_re) end

---The functions of a program or library whose names a regular expression matches from their start.
---@param name string a path, a program in PATH, or a library ("c")
---@param sym_re string a regular expression, from the name's start
---@return {[1]: string, [2]: ffi.cdata*}[] pairs of name and address (uint64_t) as `nm` shows it, in the file's order
function BPF.get_user_functions_and_addresses(name, sym_re) end

---The distribution of a number in powers of two, by keys: `hist("kretprobe:vfs_read", "retval", "comm")`.
---@param probe string|string[]
---@param value string a name as of `count`, or a C expression over such names: `"args.len / 1024"`
---@param ... string|bpflua.OnelinerOptions? keys, then options
---@return bpflua.Oneliner
function BPF.hist(probe, value, ...) end

---A 32-bit number from network order to this machine's.
---@param value integer|ffi.cdata* 32 bits
---@return integer
function BPF.htonl(value) end

---A 64-bit number from network order to this machine's.
---@param value integer|ffi.cdata* 64 bits
---@return ffi.cdata* uint64_t
function BPF.htonll(value) end

---A 16-bit number from network order to this machine's.
---@param value integer|ffi.cdata* 16 bits
---@return integer
function BPF.htons(value) end

---The text of an address: `inet_ntop(2, event.daddr)` gives "127.0.0.1".
---@param family integer|string|ffi.cdata* 2 or "inet", 10 or "inet6"
---@param address any as the kernel has it, in network order: a u32, an array or struct of 4 or 16 bytes, `__int128`, a string of bytes
---@return string
function BPF.inet_ntop(family, address) end

---The bytes of an address, in network order, from its text; nil when it is none.
---@param family integer|string|ffi.cdata* 2 (AF_INET) or 10 (AF_INET6)
---@param text string "127.0.0.1", "::1"
---@return string? bytes 4 or 16
function BPF.inet_pton(family, text) end

---Calls a function every so many seconds while a loop, a poll or `BPF.sleep` runs.
---@param seconds number above 0, with fractions
---@param fn fun() called without arguments
---@return integer timer for `BPF.cancel`
function BPF.interval(seconds, fn) end

---Whether an enum of the kernel has an enumerator.
---@param enum string its name: "bpf_map_type"
---@param value string the enumerator's: "BPF_MAP_TYPE_RINGBUF"
---@return 1|0|-1 has 1 yes, 0 no, -1 when the kernel has no such enum or no type data
function BPF.kernel_enum_has_val(enum, value) end

---Whether a struct or union of the kernel has a member, also inside anonymous members.
---@param struct string its name: "task_struct"
---@param member string its name: "comm"
---@return 1|0|-1 has 1 yes, 0 no, -1 when the kernel has no such struct or no type data
function BPF.kernel_struct_has_field(struct, member) end

---The kernel function that an address lies in, as text: `name`, `name+0x12 [kernel]`, `[unknown]`.
---@param addr number|string|ffi.cdata* a number, hexadecimal digits, or 64-bit cdata
---@param show_module? boolean|{show_module: boolean?, show_offset: boolean?} `[kernel]` or the kernel module (default false)
---@param show_offset? boolean the distance from the function's start (default false)
---@return string
function BPF.ksym(addr, show_module, show_offset) end

---The address of a kernel symbol. That the kernel hides its addresses is said once on standard error.
---@param name string of a function or variable of the kernel
---@return ffi.cdata*|integer address uint64_t; 0 when the kernel hides it; -1 when there is none of that name
function BPF.ksymname(name) end

---The distribution of how long calls take, by keys: `latency("vfs_read")`, `latency("uprobe:c:malloc", "comm")`,
---`latency("tracepoint:syscalls:sys_enter_openat")`. Keys are those of the beginning, and `retval`.
---@param probe string|string[] a kernel function, or a probe at either end of what is timed
---@param ... string|bpflua.OnelinerOptions? keys, then options; `units` is "ns", "us" (the default), "ms" or "s"
---@return bpflua.Oneliner
function BPF.latency(probe, ...) end

---All BPF links that the kernel holds: what is attached, but for what is attached without a link. It takes CAP_SYS_ADMIN.
---@return bpflua.SystemLink[]
function BPF.list_links() end

---All BPF maps that the kernel holds. It takes CAP_SYS_ADMIN.
---@return bpflua.SystemMap[]
function BPF.list_maps() end

---The probes that a pattern matches. Raises when there are none, with the names that are like it.
---@param pattern string `kprobe:tcp_*`, `tracepoint:sched:*`, `rawtracepoint:*`, `kfunc:vfs_*`, `uprobe:PATH:*`, `usdt:PATH:*`, `*:sched*`, or a word
---that kernel probes have in their names
---@param pid? integer the process whose program and libraries user probes are looked for in
---@return bpflua.ListedProbe[]
function BPF.list_probes(pattern, pid) end

---All BPF programs that the kernel holds. It takes CAP_SYS_ADMIN.
---@return bpflua.SystemProgram[]
function BPF.list_programs() end

---A live view of a value on all of the terminal, sorted, until `q` or Ctrl-C is pressed; handlers and timers run meanwhile. Of a
---map of numbers, what comes in each second is shown, too; the space bar holds the view.
---@param value any a map, a one-liner, or anything that `BPF.show` shows
---@param seconds? number between two looks at it (default 1)
---@return "interrupted"? stop when something else asked the script to end
function BPF.live(value, seconds) end

---The time of `bpf_ktime_get_ns`.
---@return ffi.cdata* uint64_t nanoseconds
function BPF.monotonic_time() end

---bcc-lua's way to say `BPF{…}`: `BPF:new{…}`.
---@return bpflua.BPF
function BPF.new(first, options) end

---A 32-bit number from network order to this machine's.
---@param value integer|ffi.cdata* 32 bits
---@return integer
function BPF.ntohl(value) end

---A 64-bit number from network order to this machine's.
---@param value integer|ffi.cdata* 64 bits
---@return ffi.cdata* uint64_t
function BPF.ntohll(value) end

---A 16-bit number from network order to this machine's.
---@param value integer|ffi.cdata* 16 bits
---@return integer
function BPF.ntohs(value) end

---How many kprobes and kretprobes the script's objects have attached: one for each function of a regular expression.
---@return integer
function BPF.num_open_kprobes() end

---How many tracepoints the script's objects have attached.
---@return integer
function BPF.num_open_tracepoints() end

---How many uprobes, uretprobes and USDT probes the script's objects have attached: one for each place in a program.
---@return integer
function BPF.num_open_uprobes() end

---Prints a whole table; each column is as wide as what is in it.
---@param rows any[][] one list of values for each row
---@param columns (string|bpflua.Column)[] from left to right, as of `BPF.columns`
function BPF.print_table(rows, columns) end

---Writes a line of text to standard output, as `io.write(fmt:format(…))` does, at a fraction of the cost: for handlers of events.
---The arguments may be values of the kernel's: 64-bit integers, `char[N]`.
---@param fmt string as of `string.format`
---@param ... any
function BPF.printf(fmt, ...) end

---Takes the XDP program off a device: this script's, else whichever is there and held by no link. That there is none is
---no error.
---@param dev string the network device
---@param flags? integer the mode, as for `attach_xdp`
function BPF.remove_xdp(dev, flags) end

---Opens a prompt whose statements see and set the caller's locals, and returns when it is left. Events are handled
---meanwhile; without a terminal, statements are read from standard input.
function BPF.repl() end

---Runs handlers and timers until Ctrl-C, `BPF.exit`, or the end of the duration.
---@param options? {duration?: number} seconds
---@return "interrupted"|"timeout" why
function BPF.run(options) end

---Where `src_file` is looked for besides the current folder; in place of the script's own folder.
---@param path string a file in that folder, such as the script
---@return bpflua.Class
function BPF.script_root(path) end

---A value as a person reads it, and as the prompt prints results: aligned, no wider than the terminal, cut with a mark,
---numbers in the units that their names tell (`delta_us`, `bytes`). Of a map its elements, those that count most first; of a
---histogram its bars; of stacks the functions.
---@param value any anything: a map, an event, a table, a number
---@param options? bpflua.ShowOptions
---@return string lines
function BPF.show(value, options) end

---The name of a signal: 9 is "SIGKILL".
---@param signal integer|ffi.cdata* a number
---@return string
function BPF.signal_name(signal) end

---Waits for so many seconds, or until Ctrl-C or `BPF.exit`. Handlers and timers run meanwhile.
---@param seconds number 0 or more, with fractions
---@return boolean whole false when it was cut short
function BPF.sleep(seconds) end

---Counts the stacks that lead to probes: of the kernel, for user probes those of the process; by further keys, of which
---`kstack` or `ustack` may be one. `stacks("tracepoint:sched:sched_switch", "comm", {top = 10})`.
---@param probe string|string[]
---@param ... string|bpflua.OnelinerOptions? keys, then options
---@return bpflua.Oneliner
function BPF.stacks(probe, ...) end

---Whether Ctrl-C was pressed or `BPF.exit` called: `while not BPF.stopped() do b:perf_buffer_poll() end`.
---@return boolean
function BPF.stopped() end

---What an errno means, in words.
---@param errno integer|ffi.cdata* a number, also a negative one
---@return string
function BPF.strerror(errno) end

---The wall time of a time stamp, as `os.date` formats it; `%N` is its nanoseconds, `%L` its milliseconds.
---@param fmt string such as "%H:%M:%S.%L"
---@param ktime_ns? number|ffi.cdata* of `bpf_ktime_get_ns`; nil: now
---@return string
function BPF.strftime(fmt, ktime_ns) end

---Whether programs replace the result of kernel functions (`KMOD_RET`).
---@return boolean works
---@return string? why not
function BPF.support_fmod_ret() end

---Whether programs attach to the entry and the end of kernel functions (`KFUNC_PROBE`, `KRETFUNC_PROBE`). Like the
---other `support_` functions it is tried once, and kept.
---@return boolean works
---@return string? why not
function BPF.support_kfunc() end

---Whether programs attach to the hooks of security modules (`LSM_PROBE`).
---@return boolean works
---@return string? why not
function BPF.support_lsm() end

---Whether programs attach to raw tracepoints (`RAW_TRACEPOINT_PROBE`).
---@return boolean works
---@return string? why not
function BPF.support_raw_tracepoint() end

---Whether programs attach to the raw tracepoints of kernel modules.
---@return boolean works
---@return string? why not
function BPF.support_raw_tracepoint_in_module() end

---The function that an address of a process lies in, as text: `name`, `name+0x12 [module]`, `[unknown]`.
---What cannot be looked at (another user's process, hidden kernel addresses) is said once on standard error.
---A process that was asked about before it ended stays known; of one that is gone at the first question nothing is, but frames of a
---stack map with build IDs have their names all the same, once `BPF.add_module` knows the file.
---Takes its options in order as bcc does, or as a table: `BPF.sym(addr, pid, {show_offset = true})`,
---`BPF.sym{addr = addr, pid = pid}`.
---@param addr number|string|ffi.cdata* also a frame of a stack map with build IDs
---@param pid integer|ffi.cdata* below 0: the kernel
---@param show_module? boolean|{show_module: boolean?, show_offset: boolean?, demangle: boolean?} the module's name in brackets (default false)
---@param show_offset? boolean the distance from the function's start (default false)
---@param demangle? boolean names of C++ and Rust as they were written (default true)
---@return string
function BPF.sym(addr, pid, show_module, show_offset, demangle) end

---The name of a system call of this machine's: 0 is "read" on x86-64.
---@param number integer|ffi.cdata* of a system call of this machine
---@return string "[unknown: 9999]" for one that there is not
function BPF.syscall_name(number) end

---The names of the flags of a TCP header's flags byte: 0x12 is "SYN|ACK".
---@param flags integer|ffi.cdata* the byte of flags of a TCP header
---@return string
function BPF.tcp_flag_names(flags) end

---The name of a TCP state: 1 is "ESTABLISHED".
---@param state integer|ffi.cdata* the kernel's number, from 1
---@return string
function BPF.tcp_state_name(state) end

---What the script says of itself in its head (`--[==[ pack … ]==]`, or the `pack.toml` of its pack), put to use: its arguments are
---read, `--help`, wrong values and unknown options answered. Called again, it gives the same.
---@return bpflua.Tool
function BPF.tool() end

---Prints a line for each event, with any number of values: `trace("tracepoint:syscalls:sys_enter_openat", "filename")`.
---Without names, all fields of the probe.
---@param probe string|string[]
---@param ... string|bpflua.OnelinerOptions|fun(event: table)? values; then options, or a function that gets each event
---@return bpflua.Oneliner
function BPF.trace(probe, ...) end

---Whether the kernel has a tracepoint. The kernel needs tracefs.
---@param category string "sched"
---@param event string "sched_switch"
---@return boolean
function BPF.tracepoint_exists(category, event) end

---Ends a watch.
---@param watch integer what `watch` gave
function BPF.unwatch(watch) end

---Calls a function with a descriptor whenever it has input, while a loop, a poll or `BPF.sleep` runs. The function reads the
---input, else it is called again at once.
---@param fd integer a file descriptor: of a socket, a pipe, a terminal
---@param fn fun(fd: integer)
---@return integer watch for `BPF.unwatch`
function BPF.watch(fd, fn) end

---@class bpflua.BufferOptions
---@field callback? fun(cpu: integer, event: ffi.cdata*, size: integer)
---@field page_cnt? integer pages of memory per CPU, a power of two (default 64)
---@field lost_cb? fun(count: number, cpu: integer) called in place of a line on standard error
---@field wakeup_events? integer wake up once so many events are there (default: batched, a few milliseconds late at most)
---@field ctype? string|ffi.ctype* the event's C type, when the C text does not tell

---@class bpflua.UserClass
---@field name string
---@field super? bpflua.UserClass
---@field static table what the class has and its instances have not
---@field subclasses table<bpflua.UserClass, true>

---@class bpflua.Column
---@field [1] string the heading
---@field width? integer characters; default: the heading's length, at least 6
---@field right? boolean align to the right; default for numbers
---@field cut? boolean cut what is longer, with a `~` at the end; else it pushes the rest of its row

---@class bpflua.Columns
local _Columns = {}

---Prints the headings.
---@return bpflua.Columns self
function _Columns:header() end

---Prints a row: one value for each column.
function _Columns:row(...) end

---@class bpflua.ShowOptions
---@field width? integer cells of a line (default: those of the terminal, or 80)
---@field rows? integer elements of a map, records of a list, members of a table at most (default 30)
---@field unit? string what the values of a map are: `ns`, `us`, `ms`, `sec`, `bytes`, or a word of your own
---@field histogram? "log2"|"linear" shows a map as a histogram, also one that was not declared as one
---@field json? boolean as JSON, whole, in place of text

---@class bpflua.commands
local _commands = {}

---Whether one of the commands has ended.
---@return boolean
function _commands.cmd_exited() end

---Lets the commands go that `run_cmd` started.
function _commands.cmd_ready() end

---Starts a process that waits for `cmd_ready`, and then becomes a command. It goes when bpflua ends before.
---@param args string[] the program, by a path or its name in PATH, and its arguments
---@return integer pid
function _commands.run_cmd(args) end

---@class bpflua.Cost what one program costs: probes that share a program are counted together
---@field probes integer[] the `id`s of its probes, as `b:probes()` has them
---@field kind string of the first of them
---@field targets string[] what they probe
---@field fn_name string
---@field mechanism string
---@field program integer the kernel's number for the program
---@field runs number in the time that was measured
---@field time_ns number nanoseconds of these
---@field ns_per_run? number nil when it did not run
---@field cpu number the share of one processor's time: 0.01 is one hundredth
---@field missed number runs that the kernel left out since it was attached
---@field lost number updates and events that its maps lost; a map that several programs use counts for each
---@field maps string[] the maps that it uses

---@class bpflua.HistOptions
---@field val_type? string what the numbers are, for the header (default "value")
---@field section_header? string what a section is, for a struct key (default "Bucket ptr")
---@field section_print_fn? fun(bucket: any): string the section's text
---@field bucket_fn? fun(bucket: any): any the section that a bucket belongs to
---@field bucket_sort_fn? fun(buckets: any[]): any[] the order of the sections
---@field strip_leading_zero? boolean leave out the empty rows before the first that counts

---@class bpflua.json
json = {}

---The value of a text in JSON: objects and arrays are tables, null is nil, numbers are the nearest that Lua has.
---@param text string in JSON
---@return any
function json.decode(text) end

---A value as one line of JSON. Structs of events and maps become objects, in the order of their members; `char[N]` is
---text, enums are their names, 64-bit integers all their digits. Lua tables with the keys 1 to n are arrays; members of
---others are sorted. Numbers that JSON cannot say (not a number, infinite) are null.
---@param value any nil, booleans, numbers, texts, lists and tables, events, 64-bit cdata
---@return string
function json.encode(value) end

---@class bpflua.Map
---@field name string as in the C text
---@field fd integer the map's descriptor; -1 once its BPF object is closed
---@field kind string the kernel's name of the map's type: hash, array, perf_event_array …
---@field max_entries integer
---@field key_type? bpflua.Type
---@field value_type? bpflua.Type
---@field event_type? bpflua.Type what the C text submits through this map
local _Map = {}

---A key of the map's type, made of a value or of a table of members.
---@param value? any as of `set`; default: zero
---@return ffi.cdata*
function _Map:Key(value) end

---A value of the map's type, made of a value or of a table of members.
---@param value? any as of `set`; default: zero
---@return ffi.cdata*
function _Map:Leaf(value) end

---The mean of a key's values.
---@param key any as of `get`
---@return number?
function _Map:average(key) end

---Deletes every element; sets an array's elements to zero.
function _Map:clear() end

---How many elements there are; an array's size.
---@return integer
function _Map:count() end

---Deletes a key. An array's element is set to zero.
---@param key any as of `get`
---@return boolean there whether the key was there
function _Map:delete(key) end

---Iterates over keys and values, and deletes what it gives.
---@return fun(): any, any
function _Map:drain() end

---The event behind a pointer to its bytes.
---@param self bpflua.Map
---@param data ffi.cdata* a pointer to the bytes of an event, or the event
---@return ffi.cdata*
function _Map:event(data) end

---The value of a key. Of a stack map: the stack as a list, innermost frame first (`b.stacks[id]` is the value as it is in C).
---@param key any number, 64-bit cdata, struct cdata, a table of the struct's members, or a string for `char[N]`; what `get_stackid` gave
---@param resolver? fun(frame: ffi.cdata*): any of a stack map: what to give for each frame (default: the frame, as `walk` gives it)
---@return any value nil when the key is not there; per-CPU maps give a `bpflua.PerCpu`
---@return string? why of a stack map: why there is no stack, in words
function _Map:get(key, resolver) end

---The map's descriptor.
---@return integer
function _Map:get_fd() end

---The values of a key by CPU; the same as `get`, unless the map was asked for with a reducer.
---@param key any as of `get`
---@return bpflua.PerCpu? nil when the key is not there
function _Map:getvalue(key) end

---Iterates over keys and values. Elements that come or go meanwhile may or may not be seen; every other exactly once.
---`for key, value in b.counts:items() do`
---@param with_index? boolean of an array: true gives each value's number, counted from 1, in place of its index; false gives
---values alone, and so does none in a script of bcc-lua's contract
---@return fun(): any, any
function _Map:items(with_index) end

---Deletes many keys, or all. Keys that are not there do not matter.
---@param keys? any[]|ffi.cdata* a list, or a C array of keys
function _Map:items_delete_batch(keys) end

---Iterates over keys and values, and deletes what it gives.
---@return fun(): any, any
function _Map:items_lookup_and_delete_batch() end

---bcc's name for the way that `items` goes everywhere: in batches where the kernel has them.
---@return fun(): any, any
function _Map:items_lookup_batch() end

---Sets many values: `b.counts:items_update_batch({1, 2}, {10, 20})`.
---@param keys any[]|ffi.cdata* a list, or a C array of keys
---@param values any[]|ffi.cdata* as many values
function _Map:items_update_batch(keys, values) end

---A key from the text that `key_sprintf` makes.
---@param text string the text of a key
---@return any
function _Map:key_scanf(text) end

---A key as text: numbers in hexadecimal, structs in braces, arrays in brackets, `char[N]` in quotes.
---@param key any as `set` takes it; or what initialises an array of one such key, `{{1, 2}}`
---@return string
function _Map:key_sprintf(key) end

---Iterates over the keys.
---@return fun(): any
function _Map:keys() end

---A value from the text that `leaf_sprintf` makes.
---@param text string the text of a value
---@return any
function _Map:leaf_scanf(text) end

---A value as text.
---@param leaf any as `set` takes it
---@return string
function _Map:leaf_sprintf(leaf) end

---How many updates of the C text the map did not take since it was created: by `update`, `insert` (for another reason
---than that the key was there), `lookup_or_try_init`, `increment` and `push`, not by the kernel's helpers themselves. Of a
---ring buffer, how many events. A script that asks is not told of this map's losses any more.
---@return number
function _Map:lost() end

---The greatest of a key's values.
---@param key any as of `get`
---@return number|ffi.cdata*|nil
function _Map:max(key) end

---Has a handler called for each event of a perf buffer, while `perf_buffer_poll` or a loop runs.
---The event is the struct that the C text submits. It is good until the handler returns; `event:copy()` keeps it.
---`b.events:open_perf_buffer(function(cpu, event) print(event.pid) end)`
---@param self bpflua.Map
---@param callback fun(cpu: integer, event: ffi.cdata*, size: integer)|bpflua.BufferOptions
---@param options? bpflua.BufferOptions|string `page_cnt`, `lost_cb`, `wakeup_events`, `ctype`, see below; or bcc-lua's C type
---@return bpflua.Map self
function _Map:open_perf_buffer(callback, options, params, page_cnt, lost_cb) end

---Opens a perf event on every online CPU, for the C text's `perf_read` and `perf_counter_value`. The counters run until
---the BPF object is closed.
---`b.cycles:open_perf_event(PerfType.HARDWARE, PerfHWConfig.CPU_CYCLES)`, or by the kernel's numbers: 1, 2 are the page faults
---@param type integer PERF_TYPE_*: 0 hardware, 1 software, 2 tracepoint, 3 cache, 4 raw
---@param config integer|ffi.cdata* which event of that type
---@param pid? integer only in this process (default: in all)
---@return bpflua.Map self
function _Map:open_perf_event(type, config, pid) end

---Has a handler called for each record of a ring buffer. A negative number that it returns ends the poll or consume under
---way, as in bcc; what is left waits for the next one. `b:run` and what is delivered at the script's end go on.
---Records whose `flags` are 0 wake the script once per batch, some milliseconds late; `BPF_RB_FORCE_WAKEUP` wakes it at once.
---@param self bpflua.Map
---@param callback fun(cpu: integer, event: ffi.cdata*, size: integer): integer?|bpflua.BufferOptions cpu is -1
---@param options? bpflua.BufferOptions
---@return bpflua.Map self
function _Map:open_ring_buffer(callback, options) end

---Iterates over keys and values, in scripts of every kind: what `pairs(map)` does.
---@return fun(): any, any
function _Map:pairs() end

---The value that `pop` would take.
---@return any value nil when it is empty
function _Map:peek() end

---Takes the oldest value out of a queue, the newest out of a stack.
---@return any value nil when it is empty
function _Map:pop() end

---Prints the map as histograms in JSON, one line each: `ts`, `val_type`, `data`, and the section under its header.
---@param val_type? string|bpflua.HistOptions what is counted ("usecs"; default "value"), or all options as one table
---@param section_header? string what a section is, in the line above it; default "Bucket ptr"
---@param section_print_fn? fun(bucket: any): string
---@param bucket_fn? fun(bucket: any): any
---@param bucket_sort_fn? fun(buckets: any[]): any[]
function _Map:print_json_hist(val_type, section_header, section_print_fn, bucket_fn, bucket_sort_fn) end

---Prints the map as a linear histogram; arguments as `print_log2_hist`.
function _Map:print_linear_hist(val_type, section_header, section_print_fn, bucket_fn, strip_leading_zero, bucket_sort_fn) end

---Prints the map as a log2 histogram: keys are slots (`bpf_log2l`), or structs whose last member is the slot.
---@param val_type? string|bpflua.HistOptions what is counted ("usecs"), or all options as one table
---@param section_header? string what a section is, in the line above it; default "Bucket ptr"
---@param section_print_fn? fun(bucket: any): string
---@param bucket_fn? fun(bucket: any): any
---@param strip_leading_zero? boolean leaves out the empty rows before the first that counts, default false
---@param bucket_sort_fn? fun(buckets: any[]): any[]
function _Map:print_log2_hist(val_type, section_header, section_print_fn, bucket_fn, strip_leading_zero, bucket_sort_fn) end

---Adds a value at the end of a queue, on top of a stack.
---@param value any as of `set`
---@param flags? integer 2 (BPF_EXIST): when it is full, the oldest value makes room
function _Map:push(value, flags) end

---Sets a value; a per-CPU map takes one value for all CPUs, or a table by CPU from 0. A program array takes the result
---of `load_func`, a map of maps a map, a cgroup array the path of a cgroup, and each of them a file descriptor.
---@param key any as of `get`
---@param value any number, 64-bit cdata, struct cdata, a table of the struct's members, a string for `char[N]`
---@param flags? integer 0 set (default), 1 only when the key is new, 2 only when it is there
---@return boolean done false when the flags forbade it
function _Map:set(key, value, flags) end

---How many elements there are; an array's size.
---@return integer
function _Map:size() end

---The sum of a key's values over all CPUs.
---@param key any as of `get`
---@return number|ffi.cdata*|nil
function _Map:sum(key) end

---Iterates over the values. Those of a queue or a stack are popped.
---@return fun(): any
function _Map:values() end

---Walks a stack, innermost frame first: `for addr in b.stacks:walk(id) do print(BPF.ksym(addr)) end`.
---@param id integer|ffi.cdata* what `get_stackid` gave; also a number that stands for an errno (-14)
---@param resolver? fun(frame: ffi.cdata*): any what to give for each frame (default: the frame)
---@return (fun(): any)? next gives an address (`uint64_t`), or with build IDs a frame for `BPF.sym`; nil when there is no stack
---@return string? why there is no stack, in words
function _Map:walk(id, resolver) end

---Sets every element's value to zero; the keys stay.
function _Map:zero() end

---@class bpflua.Loss
---@field map string
---@field lost number updates, or events of a ring buffer
---@field why string the reason of the last of them

---@class bpflua.OnelinerOptions
---@field pid? integer only in this process
---@field comm? string only in threads of this name
---@field filter? string a C expression over the probe's names: `count > 4096 && comm != "sshd"`
---@field interval? number seconds after which what came meanwhile is printed, again and again
---@field seconds? number stops by itself after so many, and prints
---@field top? integer only so many, the largest
---@field units? string of `hist`: what the numbers are; of `latency`: "ns", "us" (the default), "ms" or "s"
---@field max_keys? integer how many different keys there is room for (default 10240); what finds none is counted
---@field strings? integer bytes kept of a text (default 64, of `trace` 256)
---@field folded? boolean stacks a line each, as flame graphs want them
---@field handler? fun(event: table) of `trace`: called with each event in place of printing it

---@class bpflua.Oneliner
---@field kind "count"|"stacks"|"hist"|"latency"|"trace"
---@field spec string the probes, as they were given
---@field code string the C text that was made of it
---@field bpf bpflua.BPF the object, with the maps `counts`, `stacks`, `events`
---@field is_running boolean
local _Oneliner = {}

---Prints what was found; with the option `interval`, what came since the last time.
function _Oneliner:print() end

---What was found, the largest first: each row has the values by their names and `count`; of histograms also `slots`, the
---counts by slot (slot i counts values of i significant bits, slot 0 those below zero). A value that is called like one
---of these two is `args.count`.
---@return table[]
function _Oneliner:rows() end

---Waits until Ctrl-C, or until it stops by itself (option `seconds`); then prints it.
---@return bpflua.Oneliner self
function _Oneliner:run() end

---Detaches it; what it found until now stays to be read.
---@return bpflua.Oneliner self
function _Oneliner:stop() end

---What was found, as `print` shows it.
---@return string
function _Oneliner:text() end

---@class bpflua.PackTest

---@class bpflua.PerCpu values by CPU number, from 0 to `cpus - 1`
---@field cpus integer
local _PerCpu = {}

---The mean over all CPUs.
---@return number
function _PerCpu:average() end

---The greatest value.
---@return number|ffi.cdata*
function _PerCpu:max() end

---One value made of all CPUs' by a function of two: of the first and the second CPU's, of what it gave and the third's …
---@param fn fun(made: any, value: any): any
---@return any
function _PerCpu:reduce(fn) end

---The sum over all CPUs; 64-bit values are summed exactly.
---@return number|ffi.cdata*
function _PerCpu:sum() end

---@class bpflua.posix
local _posix = {}

---Processors that are online.
---@return integer
function _posix.cpu_count() end

---Waits. Handlers and timers of the script run meanwhile; Ctrl-C ends the wait.
---@param seconds number fractions count
---@param clock? integer accepted as in bcc-lua; time is the monotonic clock's
---@return boolean whole false when it was cut short
function _posix.sleep(seconds, clock) end

---The time of a clock.
---@param clock? integer of `CLOCK`, default MONOTONIC_RAW; MONOTONIC is the one of `bpf_ktime_get_ns`
---@return number nanoseconds
function _posix.time_ns(clock) end

---A number of 64 bits from its digits. One below zero is what its bits are without a sign.
---@param text string digits
---@param base? integer 2 to 36, default 10; 0 lets `0x` and `0` decide
---@return ffi.cdata* uint64_t
function _posix.tonumber64(text, base) end

---@class bpflua.ListedProbe
---@field text string as one-liners take it: `kprobe:vfs_read`
---@field kernel_module? string that its function is of
---@field is_traceable? boolean nil when the machine does not tell

---@class bpflua.Function
---@field name string
---@field fd integer the program's descriptor
---@field bpf bpflua.BPF
---@field prog_type? integer|string as given to `load_func`
---@field sock? integer the packet socket of `attach_raw_socket`
local _Function = {}

---The next packet of the socket that `attach_raw_socket` opened, without waiting.
---@param max_bytes? integer of the packet at most (default: all of it)
---@return string? packet nil when there is none now
function _Function:recv(max_bytes) end

---@class bpflua.Command
---@field name string without the colon
---@field args? string as the help shows them: "[-a]"
---@field help string one line
---@field run fun(session: bpflua.Session, rest: string) `rest` is what stands behind the name
---@field complete? fun(session: bpflua.Session): table<string, string> the words it takes, and what they are

---@class bpflua.Place where the cursor is
---@field session bpflua.Session
---@field text string what stands before the cursor
---@field tokens bpflua.Token[] the tokens of it

---@class bpflua.Token
---@field kind "name"|"string"|"number"|"symbol"
---@field text string
---@field first integer where it begins
---@field last integer where it ends

---@class bpflua.Candidate
---@field text string
---@field note? string

---@class bpflua.Session
---@field environment table what statements see as globals
---@field record {number: integer?, path: string?, text: string, is_expression: boolean?}[] what succeeded, in order
---@field number integer of the next statement
---@field texts table<integer, string> all statements by their numbers, those that failed among them
---@field makers table<bpflua.BPF, integer|string> the number of the statement, or the file, that made an object
---@field is_json boolean results are printed as JSON

---@class bpflua.Struct a struct as it comes out of the kernel: an event, a key or value of a map, or one of their members.
local _Struct = {}

---The value on its own: an event's is gone when its handler returns, and so is that of a member. The elements of a flexible
---array at its end stay behind; `ffi.string(event, size)` keeps them as bytes.
---@return bpflua.Struct
function _Struct:copy() end

---The name that the C text's enum has for what is in a member: `event:name_of("state")`.
---@param member string whose type is an enum
---@return string? name nil when the value has none
function _Struct:name_of(member) end

---The members as a Lua table that owns what is in it: structs become tables, arrays lists from 1, `char[N]` strings; 64-bit
---integers and `__int128` stay cdata. A map takes such a table as a key or a value, unless there is a named union in it.
---@return table<string, any>
function _Struct:to_table() end

---The value as one string: equal strings for equal values, good as a key of a Lua table.
---@return string
function _Struct:tuple() end

---@class bpflua.SymbolCache
---@field pid integer|false the process; false for the kernel
local _SymbolCache = {}

---Where an address is in the source code, if debug information tells; the process's files only.
---@param addr number|string|ffi.cdata* as of `resolve`
---@return string? file
---@return integer? line from 1; 0 when unknown
---@return integer? column from 1; 0 when unknown
function _SymbolCache:line(addr) end

---Looks anew: at what the process has mapped and what its JIT compiler told, or at the kernel's symbols. Addresses that
---stay unknown are looked for anew by themselves, now and then.
---@return boolean there false when the process is gone; then what was known is kept
function _SymbolCache:refresh() end

---The function that an address lies in.
---@param addr number|string|ffi.cdata* a number, hexadecimal digits, or 64-bit cdata
---@param demangle? boolean names of C++ and Rust as they were written (default true)
---@return string name `[unknown]` when there is none
---@return number offset from the function's start, in bytes; 0 when there is no name
---@return string? module `kernel`, a kernel module, or the path of a file as the process sees it
---@return string? why there is no name, in words
function _SymbolCache:resolve(addr, demangle) end

---The address of a function by its name, as it is in the file (not demangled); -1 when there is none.
---@param module string? a mapped file's path or name, or a kernel module; nil: any. May be left out: `resolve_name(name)`
---@param name string of a function
---@return ffi.cdata*|integer address uint64_t, or -1
function _SymbolCache:resolve_name(module, name) end

---@class bpflua.Holder a process that has a descriptor
---@field pid integer
---@field comm string

---@class bpflua.SystemProgram
---@field id integer the kernel's number, as `bpftool prog` shows it
---@field kind string the type: kprobe, tracing, xdp …
---@field name string up to 15 characters of it
---@field loaded_ns number when it was loaded, nanoseconds since the start of the system
---@field uid integer who loaded it
---@field xlated_bytes integer its instructions
---@field jited_bytes integer its machine code; 0 when it is interpreted
---@field memory_bytes integer
---@field runs number while the kernel counts them
---@field time_ns number nanoseconds of these
---@field missed number runs that the kernel left out
---@field maps integer[] numbers of the maps that it uses
---@field holders bpflua.Holder[]

---@class bpflua.SystemMap
---@field id integer the kernel's number, as `bpftool map` shows it
---@field kind string the type: hash, array, ringbuf …
---@field name string up to 15 characters of it
---@field key_size integer bytes
---@field value_size integer bytes
---@field max_entries integer
---@field flags integer
---@field memory_bytes integer
---@field holders bpflua.Holder[]

---@class bpflua.SystemLink an attachment
---@field id integer the kernel's number, as `bpftool link` shows it
---@field kind string the type: perf_event, tracing, kprobe_multi, tcx …
---@field program integer the number of its program
---@field target string what it is attached to, in words; empty where the kernel does not tell
---@field missed number runs that the kernel left out at it
---@field holders bpflua.Holder[]

---@class bpflua.TestRun
---@field retval integer what the program returned, as an unsigned 32-bit number
---@field data_out string the packet as the program left it (flow_dissector: its flow keys)
---@field ctx_out string the context as the program left it
---@field duration integer nanoseconds that one run took, on average

---@class bpflua.Tool
---@field args table<string, any> the values of its parameters by name; nil when not given and without a default
---@field name string what it is called by
---@field form {json: boolean?, csv: boolean?, folded: boolean?, flamegraph: string?, html: string?} how it was asked to print, and the files to write
---@field out table<string, bpflua.ToolOutput> its outputs by name, when it has several
local _Tool = {}

---Attaches by the first of several ways that this kernel has; when it has none, the error tells why of each.
---@param b bpflua.BPF an object made with `attach = false`
---@param ways table[][] each a list of attachments that belong together: `{ {tp = "sched:sched_switch", fn_name = "f"} }`,
---`{ {event = "vfs_read", fn_name = "f"}, {event = "vfs_read", fn_name = "g", retprobe = true} }`; besides `tp` and `event` (a kernel
---function, by fentry or kprobe) `raw_tp` and `kfunc`, `kretfunc`
---@return integer way which of them it was
function _Tool:attach(b, ways) end

---Attaches to those of some system calls that this kernel has, by their tracepoints; an error when it has none of them.
---@param b bpflua.BPF an object made with `attach = false`
---@param names string[] as in `sys_enter_NAME`: "openat", "newfstatat"
---@param functions {enter?: string, exit?: string} functions of the C text, as
---`int enter_open(struct tracepoint__raw_syscalls__sys_enter *ctx)` and `int exit_open(struct tracepoint__raw_syscalls__sys_exit *ctx)`
---@return string[] attached those that it has
function _Tool:attach_syscalls(b, names, functions) end

---Ends the tool with an error: what could not be done, and why.
---@param what string what could not be done
---@param why? string the reason, in words
function _Tool:fail(what, why) end

---The names of a stack's functions, for `tool:stacks`: those of the kernel, then those of the process, the innermost first. What is
---on top only because it is traced is left out; stacks that the map did not keep are told at the end.
---@param map bpflua.Map a `BPF_STACK_TRACE`
---@param options {kernel?: integer, user?: integer, pid?: integer, delimited?: boolean, annotate?: boolean, offset?: boolean, address?: boolean}
---`kernel`, `user`: what `get_stackid` gave; `pid`: whose the user stack is; `delimited`: `--` between the two; `annotate`: functions
---of the kernel end in `_[k]`; `offset`: with the distance from the function's start; `address`: with the address
---@return string[]
function _Tool:frames(map, options) end

---Prints the headings, unless they are there: for tools that wait for their first row.
function _Tool:header() end

---Shows a histogram.
---@param map bpflua.Map one of the C text (`BPF_HISTOGRAM`), also by a struct key, or a hash of counts by slot
---@param options? {unit?: string, title?: string, section?: string, section_fn?: fun(bucket: any): string, linear?: boolean, clear?: boolean}
---`unit`: what the values are ("usecs", "bytes"); `title`: a line above it; `section`: what the sections of a struct key are, and
---`section_fn` their text; `linear`: slots count themselves, not powers of two; `clear`: empties the map afterwards
function _Tool:hist(map, options) end

---Whether text for people is printed: neither JSON nor CSV nor folded stacks.
---@return boolean
function _Tool:is_text() end

---Prints a row of the tool's output: values by the names of the columns. The headings come before the first.
---@param row table<string, any> numbers, texts, booleans, 64-bit cdata; nil is an empty cell
function _Tool:print(row) end

---Runs until Ctrl-C, for a duration, or for a number of intervals; `each` is called after each interval and at the end.
---@param options? {interval?: number, count?: integer, duration?: number, each?: fun(is_last: boolean)} seconds
function _Tool:run(options) end

---A line for people: on standard output as text, on standard error beside JSON and CSV.
---@param text string the line
function _Tool:say(text) end

---Shows stacks, those that count most last, or writes them folded or as a flame graph when that was asked for.
---@param stacks {frames: string[], value: number, comm?: string, pid?: integer, slots?: table<integer, number>, target?: string, waker?: string, count?: integer}[]
---`frames`: the innermost first; `slots`: a log2 histogram of the stack's values, counts by slot, that is shown below it; `target`,
---`waker`: a thread that the innermost frame leads to; what else is in them is in JSON, too
---@param options? {unit?: string, title?: string, counted?: string, is_snapshot?: boolean} `unit`: what `value` counts ("samples", "us",
---"bytes"); `counted`: what the stacks' `count` is, if they have one ("allocations"); `is_snapshot`: they take the place of those before in a
---flame graph, and are not added to them
function _Tool:stacks(stacks, options) end

---Shows rows as a whole: a view that is drawn anew on a terminal, a table below the last one elsewhere.
---@param rows table<string, any>[] as for `print`
---@param options? {title?: string, output?: string, keep?: boolean} `title`: a line above it; `output`: which of several;
---`keep`: leaves what is on the screen
function _Tool:view(rows, options) end

---Sets widths of columns of the text, before anything is printed: for options such as `--wide`.
---@param widths table<string, integer> characters by the names of columns
function _Tool:widths(widths) end

---Writes a text for people as it is, and a row in its place where data was asked for (JSON, CSV, a page).
---@param text string
---@param row table<string, any> as for `print`
function _Tool:write(text, row) end

---@class bpflua.ToolOutput
local _ToolOutput = {}

---Prints the headings, unless they are there already: for tools that want them before the first row comes.
function _ToolOutput:header() end

---Prints a row: values by the names of the columns.
---@param row table<string, any>
function _ToolOutput:print(row) end

---@class bpflua.Pipe the trace pipe as an object
local _Pipe = {}

---Nothing: the pipe stays open for as long as the script runs, since every object reads the same one.
function _Pipe:close() end

---Iterates over the lines, until Ctrl-C or `BPF.exit`; of a pipe that does not wait, over those that are there.
---@return fun(): string?
function _Pipe:lines() end

---The next line as it is.
---@param nonblocking? boolean nil instead of waiting
---@return string?
function _Pipe:readline(nonblocking) end

---The fields of the next line; see `b:trace_fields`.
---@param nonblocking? boolean nil instead of waiting
---@return string? task
---@return integer pid
---@return integer cpu
---@return string flags
---@return number ts seconds
---@return string msg
function _Pipe:trace_fields(nonblocking) end

---@class bpflua.Type a C type of the object's
---@field name string as the C text calls it
---@field size integer bytes
---@field kind string int, char, bool, float, enum, pointer, int128, array, struct, union, bytes
---@field ctype ffi.ctype*
---@field pointer ffi.ctype* to a constant one

---@class bpflua.USDTArgument
---@field text string as the file has it: "-4@-20(%rbp)"
---@field size integer bytes
---@field signed boolean
---@field ctype string "int32_t"; of a probe: the widest of its locations
---@field unreadable? string why no program can read it

---@class bpflua.USDTLocation
---@field path string the file
---@field address integer where it is, as the file is linked
---@field offset? integer where it is in the file
---@field semaphore integer the address of its semaphore, or 0
---@field num_arguments integer
---@field arguments bpflua.USDTArgument[]

---@class bpflua.USDTProbe
---@field provider string
---@field name string
---@field path string the file of the first location
---@field semaphore integer the address of its semaphore, or 0
---@field num_locations integer
---@field num_arguments integer
---@field arguments bpflua.USDTArgument[]
---@field locations bpflua.USDTLocation[]
local _USDTProbe = {}

---"provider:name"
---@return string
function _USDTProbe:short_name() end

---@class bpflua.USDT
local _USDT = {}

---There is nothing to free; probes are detached with the BPF object.
function _USDT:close() end

---Has a function attached to a probe when the object is given to `BPF{usdt_contexts = {u}}`.
---@param options {probe: string, fn_name: string, cookie?: integer|ffi.cdata*} `probe`: "name" or "provider:name"; `cookie`: what
---`bpf_usdt_cookie(ctx)` gives
---@return bpflua.USDT self
function _USDT:enable_probe(options) end

---bcc's other name for it: here, too, an error ends the script unless it is caught.
---@param options {probe: string, fn_name: string, cookie?: integer|ffi.cdata*}
---@return bpflua.USDT self
function _USDT:enable_probe_or_bail(options) end

---All probes there are.
---@return bpflua.USDTProbe[]
function _USDT:enumerate_probes() end

---The C type that holds an argument of a probe at all its locations.
---@param probe string "name" or "provider:name"
---@param index integer from 0, as in bcc
---@return string ctype "int32_t"
function _USDT:get_probe_arg_ctype(probe, index) end

---bcc puts this text before the program. Here nothing has to be: programs find the arguments by themselves.
---@return string text always empty
function _USDT:get_text() end

---@class bpflua.USDTClass
USDT = {}

---bcc-lua calls this at the end; there is nothing to free.
function USDT.cleanup() end

---bcc-lua's way to say `USDT{…}`: `USDT:new{…}`.
---@return bpflua.USDT
function USDT.new(first, options) end

---@class bpflua.utils
---@field argparse fun(name?: string, description?: string): bpflua.argparse.Parser
---@field posix bpflua.posix clocks and sleep
---@field USDT table as the global of that name

---@class bpflua.Variables
---@field [string] any the variable's value
