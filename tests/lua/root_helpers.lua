-- SPDX-License-Identifier: Apache-2.0
-- bcc's helpers and macros, each with its value checked.

local t = require("harness")
local ffi = require("ffi")

ffi.cdef([[
int getpid(void); int kill(int pid, int sig); int getuid(void); int getgid(void);
struct helpers_time { long sec, nsec; };
int clock_gettime(int clock, struct helpers_time *time);
]])
local C = ffi.C
local PID = C.getpid()

local TEXT = [[
#include <uapi/linux/ptrace.h>
#include <linux/sched.h>

struct seen_t {
	u64 now, pid_tgid, uid_gid, task_pid, ns_pid, ns_tgid;
	s64 ns_result, ns_wrong, user_result, user_str_result, kernel_result, kernel_str_result;
	u64 order_16, order_32, order_64, added;
	u32 random[8], cpus;
	char comm[TASK_COMM_LEN], user[16], user_str[16], kernel[16], kernel_str[8];
};
BPF_ARRAY(seen, struct seen_t, 1);
BPF_ARRAY(logs, u32, 130);
BPF_ARRAY(log2s, u32, 32);

TRACEPOINT_PROBE(syscalls, sys_enter_kill)
{
	int zero = 0, i;
	struct seen_t *s = seen.lookup(&zero);
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct bpf_pidns_info ns = {};

	if (!s || bpf_get_current_pid_tgid() >> 32 != OUR_PID || args->sig != 77)
		return 0;
	s->now = bpf_ktime_get_ns();
	s->pid_tgid = bpf_get_current_pid_tgid();
	s->uid_gid = bpf_get_current_uid_gid();
	bpf_get_current_comm(s->comm, sizeof(s->comm));
	s->task_pid = task->pid;
	s->ns_result = bpf_get_ns_current_pid_tgid(NS_DEV, NS_INO, &ns, sizeof(ns));
	s->ns_pid = ns.pid;
	s->ns_tgid = ns.tgid;
	s->ns_wrong = bpf_get_ns_current_pid_tgid(NS_DEV, NS_INO + 1, &ns, sizeof(ns));
	s->user_result = bpf_probe_read_user(s->user, sizeof(s->user), (void *)USER_ADDRESS);
	s->user_str_result = bpf_probe_read_user_str(s->user_str, sizeof(s->user_str), (void *)USER_ADDRESS);
	s->kernel_result = bpf_probe_read_kernel(s->kernel, sizeof(s->kernel), task->comm);
	s->kernel_str_result = bpf_probe_read_kernel_str(s->kernel_str, sizeof(s->kernel_str), task->comm);
	s->order_16 = bpf_ntohs(0x1234) == bpf_htons(0x1234) ? bpf_ntohs(0x1234) : 0;
	s->order_32 = bpf_ntohl(0x12345678) == bpf_htonl(0x12345678) ? bpf_ntohl(0x12345678) : 0;
	s->order_64 = bpf_ntohll(0x123456789abcdef0ULL);
	lock_xadd(&s->added, 5);
	lock_xadd(&s->added, 6);
	for (i = 0; i < 8; i++)
		s->random[i] = bpf_get_prandom_u32();
	s->cpus = bpf_num_cpus();
	for (i = 0; i < 64; i++) {
		u32 *exact, *below;
		int at = 2 * i, next = 2 * i + 1;

		exact = logs.lookup(&at);
		if (exact)
			*exact = bpf_log2l(1UL << i);
		below = logs.lookup(&next);
		if (below)
			*below = bpf_log2l((1UL << i) - 1);
	}
	for (i = 0; i < 32; i++) {
		// Not the counter itself: older verifiers do not follow one that lives in memory.
		int at = i;
		u32 *found = log2s.lookup(&at);

		if (found)
			*found = bpf_log2(1U << i);
	}
	return 0;
}
]]

local function stat(what, path)
    return io.popen(("stat -L -c %%%s %s"):format(what, path)):read("*l")
end

local memory = ffi.new("char[16]", "user's memory")
local numbers = {
    OUR_PID = PID,
    NS_DEV = stat("d", "/proc/self/ns/pid"),
    NS_INO = stat("i", "/proc/self/ns/pid"),
    USER_ADDRESS = ("%uULL"):format(ffi.cast("uint64_t", ffi.cast("void *", memory))),
}
local flags = {}
for name, value in pairs(numbers) do
    flags[#flags + 1] = ("-D%s=%s"):format(name, tostring(value))
end

local function now()
    local time = ffi.new("struct helpers_time")
    C.clock_gettime(1, time)
    return time.sec * 1000000000ULL + time.nsec
end

local b = BPF{ text = TEXT, cflags = flags }
local before = now()
C.kill(PID, 77)
local after = now()
local s = b.seen[0]

t.test("who runs, and when", function()
    assert(s.now >= before and s.now <= after, "the time is between those of this process")
    t.equal(s.pid_tgid, PID * 0x100000001ULL)
    t.equal(s.uid_gid, C.getuid() + C.getgid() * 0x100000000ULL)
    t.equal(ffi.string(s.comm), io.open("/proc/self/comm"):read("*l"))
    t.equal(s.task_pid, 0ULL + PID)
end)

t.test("process numbers of a name space", function()
    t.equal(s.ns_result, 0LL)
    t.equal(s.ns_pid, 0ULL + PID)
    t.equal(s.ns_tgid, 0ULL + PID)
    t.equal(s.ns_wrong, -22LL)
end)

t.test("memory of the user's and the kernel's", function()
    t.equal(s.user_result, 0LL)
    t.equal(ffi.string(s.user), "user's memory")
    t.equal(s.user_str_result, 14LL)
    t.equal(ffi.string(s.user_str), "user's memory")
    local comm = io.open("/proc/self/comm"):read("*l")
    t.equal(s.kernel_result, 0LL)
    t.equal(ffi.string(s.kernel), comm)
    t.equal(ffi.string(s.kernel_str), comm:sub(1, 7))
    t.equal(s.kernel_str_result, 0LL + math.min(#comm + 1, 8))
end)

t.test("byte order, addition, CPUs", function()
    t.equal(s.order_16, 0x3412ULL)
    t.equal(s.order_32, 0x78563412ULL)
    t.equal(s.order_64, 0xf0debc9a78563412ULL)
    t.equal(s.added, 11ULL)
    local online = tonumber(io.popen("getconf _NPROCESSORS_ONLN"):read("*l"))
    t.equal(s.cpus, online)
end)

t.test("random numbers differ", function()
    local different = {}
    for i = 0, 7 do
        different[s.random[i]] = true
    end
    local count = 0
    for _ in pairs(different) do
        count = count + 1
    end
    assert(count > 5, "eight numbers, " .. count .. " different ones")
end)

t.test("logarithms", function()
    for i = 0, 63 do
        t.equal(b.logs[2 * i], i + 1)
        -- floor(log2(2^i - 1)) + 1, and 1 for 0.
        t.equal(b.logs[2 * i + 1], math.max(i, 1))
    end
    for i = 0, 31 do
        t.equal(b.log2s[i], i)
    end
end)

t.test("bytes of packets", function()
    local packets = BPF{ text = [[
        BPF_ARRAY(words, u64, 4);
        int parse(struct __sk_buff *skb)
        {
            int i = 0;
            words.update(&i, &(u64){load_byte(skb, 1)});
            i = 1;
            words.update(&i, &(u64){load_half(skb, 1)});
            i = 2;
            words.update(&i, &(u64){load_word(skb, 1)});
            i = 3;
            words.update(&i, &(u64){load_dword(skb, 1)});
            return 0;
        }
    ]] }
    packets:test_run({ fn_name = "parse", data_in = ("\0"):rep(14) .. "\0\1\2\3\4\5\6\7\8\9" .. ("\0"):rep(40) })
    t.equal(packets.words[0], 0x01ULL)
    t.equal(packets.words[1], 0x0102ULL)
    t.equal(packets.words[2], 0x01020304ULL)
    t.equal(packets.words[3], 0x0102030405060708ULL)
end)

t.test("the string at the end of a tracepoint's record", function()
    local exec = BPF{
        text = [[
            struct name_t { char whole[64], part[8], text[64]; };
            BPF_ARRAY(names, struct name_t, 1);
            TRACEPOINT_PROBE(sched, sched_process_exec)
            {
                int zero = 0;
                struct name_t *n = names.lookup(&zero);
                struct task_struct *task = (void *)bpf_get_current_task();

                if (!n || task->real_parent->tgid != OUR_PID)
                    return 0;
                TP_DATA_LOC_READ(n->whole, filename);
                TP_DATA_LOC_READ_CONST(n->part, filename, 8);
                TP_DATA_LOC_READ_STR(n->text, filename, sizeof(n->text));
                return 0;
            }
        ]],
        cflags = flags,
    }
    os.execute("exec /usr/bin/env true")
    local name = exec.names[0]
    t.contains(ffi.string(name.text), "/true")
    t.equal(ffi.string(name.whole), ffi.string(name.text))
    t.equal(ffi.string(name.part, 8), ffi.string(name.text):sub(1, 8))
end)

t.test("a signal to the one who runs", function()
    local signals = BPF{ text = [[
        TRACEPOINT_PROBE(syscalls, sys_enter_kill)
        {
            if (args->pid == 7777777)
                bpf_send_signal(10);
            return 0;
        }
    ]] }
    local shell = io.popen("trap 'echo caught' USR1; kill -0 7777777 2>/dev/null; :")
    t.equal(shell:read("*l"), "caught")
    shell:close()
    signals:close()
end)

t.test("licences", function()
    local free = BPF{ text = "#define BPF_LICENSE Dual BSD/GPL\nint f(struct bpf_raw_tracepoint_args *ctx) { bpf_trace_printk(\"x\"); return 0; }" }
    free:load_func("f")
    local not_free = BPF{ text = "#define BPF_LICENSE Proprietary\nint f(struct bpf_raw_tracepoint_args *ctx) { bpf_trace_printk(\"x\"); return 0; }" }
    t.contains(t.fails(not_free.load_func, not_free, "f"), "GPL")
    local err = t.fails(BPF, { text = "int x;", cflags = { "-DBPF_LICENSE=GPL" } })
    t.contains(err, "BPF_LICENSE belongs in the probe text")
end)

t.test("bpf_override_return compiles; a kernel that has no error injection says so", function()
    local replaced = BPF{ text = "int f(struct pt_regs *ctx) { bpf_override_return(ctx, -12); return 0; }" }
    local ok, err = pcall(replaced.load_func, replaced, "f")
    assert(ok or tostring(err):find("`bpf_override_return` is for kprobes", 1, true), tostring(err))
end)
