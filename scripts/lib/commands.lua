-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- A command that is traced from its first instruction: started at once, it waits to become the program until the probes are
-- there. bcc's `bcc.exec`.

local ffi = require("ffi")
local errors = require("bpflua.errors")
local native = require("bpflua.native")

ffi.cdef([[
int bpflua_pipe2(int *ends, int flags) __asm__("pipe2");
int bpflua_fork(void) __asm__("fork");
int bpflua_execvp(const char *file, const char *const *arguments) __asm__("execvp");
int bpflua_waitpid(int pid, int *status, int flags) __asm__("waitpid");
void *bpflua_signal(int number, void *handler) __asm__("signal");
int bpflua_close(int fd) __asm__("close");
long bpflua_read(int fd, void *bytes, unsigned long size) __asm__("read");
long bpflua_write(int fd, const void *bytes, unsigned long size) __asm__("write");
void bpflua_exit_now(int status) __asm__("_exit");
]])

---@class bpflua.commands
local M = {}

local O_CLOEXEC, WNOHANG, SIGPIPE = 0x80000, 1, 13
-- What a shell gives for a command that there is not.
local NOT_FOUND = 127

-- The commands that run, by their process; the ends of the pipes that hold them back.
local waiting, running = {}, {}

-- C's view of a list of strings; the list keeps them.
local function argument_array(args)
    local array = ffi.new("const char *[?]", #args + 1)
    for i, arg in ipairs(args) do
        array[i - 1] = arg
    end
    return array
end

local function check(args)
    errors.arguments("run_cmd", { "args", "table!" }, args)
    if #args == 0 then
        errors.fail({ what = "`run_cmd` is given no command", why = "`args` must be a list of strings: the program and its arguments" })
    end
    for i, arg in ipairs(args) do
        if type(arg) ~= "string" then
            errors.fail({ what = ("`args[%d]` of `run_cmd` is a %s"):format(i, errors.type_name(arg)), why = "it must be a string" })
        end
    end
end

local function failed(what)
    local errno = ffi.errno()
    errors.fail({ what = what, why = native.kernel.errno_words(errno), errno = errno, kind = "machine" })
end

-- The child: waits for the parent's byte, becomes the command. Nothing is allocated between fork and exec.
local function become(command, gate, told, byte, number)
    if ffi.C.bpflua_read(gate, byte, 1) ~= 1 then
        ffi.C.bpflua_exit_now(0)
    end
    -- This process ignores the signal; commands count on it.
    ffi.C.bpflua_signal(SIGPIPE, nil)
    ffi.C.bpflua_execvp(command[0], command)
    number[0] = ffi.errno()
    ffi.C.bpflua_write(told, number, 4)
    ffi.C.bpflua_exit_now(NOT_FOUND)
end
jit.off(become)

---Starts a process that waits for `cmd_ready`, and then becomes a command. It goes when bpflua ends before.
---@param args string[] the program, by a path or its name in PATH, and its arguments
---@return integer pid
function M.run_cmd(args)
    check(args)
    local gate, told = ffi.new("int[2]"), ffi.new("int[2]")
    if ffi.C.bpflua_pipe2(gate, O_CLOEXEC) ~= 0 or ffi.C.bpflua_pipe2(told, O_CLOEXEC) ~= 0 then
        failed(("cannot start `%s`"):format(args[1]))
    end
    local command, byte, number = argument_array(args), ffi.new("char[1]"), ffi.new("int[1]")
    io.flush()
    local pid = ffi.C.bpflua_fork()
    if pid == 0 then
        ffi.C.bpflua_close(gate[1])
        become(command, gate[0], told[1], byte, number)
    end
    ffi.C.bpflua_close(gate[0])
    ffi.C.bpflua_close(told[1])
    if pid < 0 then
        failed(("cannot start `%s`"):format(args[1]))
    end
    waiting[#waiting + 1] = { pid = pid, gate = gate[1], told = told[0], name = args[1] }
    running[pid] = true
    return pid
end

---Lets the commands go that `run_cmd` started.
function M.cmd_ready()
    local started = waiting
    waiting = {}
    for _, one in ipairs(started) do
        ffi.C.bpflua_write(one.gate, "x", 1)
        ffi.C.bpflua_close(one.gate)
        local errno = ffi.new("int[1]")
        -- The pipe ends when the command has taken the process over, else it says why not.
        local got = ffi.C.bpflua_read(one.told, errno, 4)
        ffi.C.bpflua_close(one.told)
        if got == 4 then
            errors.fail({ what = ("cannot run `%s`"):format(one.name), why = native.kernel.errno_words(errno[0]), errno = errno[0] })
        end
    end
end

---Whether one of the commands has ended.
---@return boolean
function M.cmd_exited()
    for pid in pairs(running) do
        if running[pid] == true and ffi.C.bpflua_waitpid(pid, nil, WNOHANG) ~= 0 then
            running[pid] = "ended"
        end
    end
    for _, state in pairs(running) do
        if state == "ended" then
            return true
        end
    end
    return false
end

require("bpflua.surface").add_functions("bpflua.commands", M)

return M
