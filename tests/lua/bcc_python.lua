-- SPDX-License-Identifier: Apache-2.0
-- bcc's Python modules by their names, and what of its class is nothing to do here.

local ffi = require("ffi")
local t = require("harness")

local utils, exec = require("bcc.utils"), require("bcc.exec")

t.test("processors are the kernel's", function()
    for name, path in pairs({ get_online_cpus = "online", get_possible_cpus = "possible" }) do
        local list = {}
        for range in io.open("/sys/devices/system/cpu/" .. path):read("*l"):gmatch("[^,]+") do
            local first, last = range:match("^(%d+)%-?(%d*)$")
            for cpu = tonumber(first), tonumber(last) or tonumber(first) do
                list[#list + 1] = cpu
            end
        end
        t.equal(table.concat(utils[name](), ","), table.concat(list, ","))
        t.equal(table.concat(BPF[name](), ","), table.concat(list, ","))
    end
end)

t.test("modules give what BPF has", function()
    t.equal(require("bcc.syscall").syscall_name, BPF.syscall_name)
    t.equal(require("bcc.containers").filter_by_containers, BPF.filter_by_containers)
    local tcp = require("bcc.tcp")
    t.equal(tcp.state2str(1) .. tcp.tcpstate[10] .. tcp.flags2str(0x12), "ESTABLISHEDLISTENSYN|ACK")
    t.equal(tcp.TCPHDR_SYN + tcp.TCPHDR_CWR, 130)
end)

t.test("headers by words", function()
    t.equal(BPF.generate_auto_includes({ "struct sk_buff *skb", "bio" }), "#include <linux/blkdev.h>\n#include <linux/netdevice.h>\n")
    t.equal(BPF.generate_auto_includes({}), "")
    t.equal(BPF.free_bcc_memory(), 0)
end)

t.test("names of system calls of another kernel", function()
    local clone = BPF.get_syscall_fnname("clone")
    for _, name in ipairs({ "sys_clone", "__x64_sys_clone", "__arm64_sys_clone", clone }) do
        t.equal(BPF.fix_syscall_fnname(name), clone)
    end
    t.equal(BPF.fix_syscall_fnname("vfs_read"), "vfs_read")
end)

t.test("STRCMP in an expression", function()
    local made = utils.StrcmpRewrite.rewrite_expr('STRCMP("abc", arg1) && STRCMP("x",arg2)', false, false, { "arg2" }, "", 3)
    t.equal(made.expr, 'streq_3("abc", arg1) && streq_4("x",arg2)')
    t.equal(made.probeid, 5)
    t.contains(made.streq_functions, 'bool streq_3(char const *ignored, uintptr_t address)')
    t.contains(made.streq_functions, 'bpf_probe_read(&found')
    t.contains(made.streq_functions, 'bpf_probe_read_user(&found')
    local bytes = utils.StrcmpRewrite.rewrite_expr('STRCMP("{1,2}",p)', true, true, {}, "", 0)
    t.contains(bytes.streq_functions, "wanted[] = {1,2}")
end)

t.test("a line at once, to any file", function()
    local name = os.tmpname()
    local file = assert(io.open(name, "w"))
    utils.printb("a", file)
    utils.printb(ffi.new("char[8]", "b"), file, 0)
    utils.printb(5ULL, file, true)
    file:close()
    t.equal(io.open(name):read("*a"), "a\nb5\n")
    os.remove(name)
end)

t.test("a command waits until it is let go, and is told of by its end", function()
    local name = os.tmpname()
    local pid = exec.run_cmd({ "sh", "-c", "echo $$ > " .. name .. "; exit 3" })
    BPF.sleep(0.05)
    t.equal(io.open(name):read("*a"), "")
    t.equal(exec.cmd_exited(), false)
    exec.cmd_ready()
    local waited = 0
    while not exec.cmd_exited() and waited < 1000 do
        BPF.sleep(0.01)
        waited = waited + 1
    end
    t.equal(io.open(name):read("*a"), pid .. "\n")
    os.remove(name)
    exec.run_cmd({ "no-such-program-of-ours", "x" })
    local err = t.fails(exec.cmd_ready)
    t.contains(err, "cannot run `no-such-program-of-ours`: no such file or directory (ENOENT)")
    t.contains(t.fails(exec.run_cmd, {}), "`run_cmd` is given no command")
    t.contains(t.fails(exec.run_cmd, { 5 }), "`args[1]` of `run_cmd` is a number")
end)

t.test("languages by what a process has mapped", function()
    local pid = tonumber(io.open("/proc/self/stat"):read("*a"):match("^%d+"))
    t.equal(utils.detect_language({ "java", "python", "ruby" }, pid), nil)
    t.equal(utils.detect_language({ "python" }, 2 ^ 22 - 1), nil)
    local perl = io.popen("command -v perl"):read("*l")
    t.test_unless(not perl and "there is no perl", "a perl", function()
        local child = exec.run_cmd({ perl, "-e", "sleep 60" })
        exec.cmd_ready()
        t.equal(utils.detect_language({ "node", "perl" }, child), "perl")
        ffi.cdef("int kill(int pid, int signal);")
        ffi.C.kill(child, 9)
    end)
end)
