-- SPDX-License-Identifier: Apache-2.0
-- A program whose functions are known: one that keeps its CPU busy, one that sleeps, one that waits for what another process does.

local programs = require("help.programs")
local tool = require("help.tool")

local M = {}

local TEXT = [[
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int to[2];

// What calls the C library has a frame of its own, which code without frame pointers would hide.
void inner_sleep(long ms) { struct timespec time = { ms / 1000, ms % 1000 * 1000000 }; syscall(SYS_nanosleep, &time, 0); }
void inner_wait(void) { char c; syscall(SYS_read, to[0], &c, 1); }
void inner_wake(void) { syscall(SYS_write, to[1], "x", 1); }

void spin_here(void) { for (volatile unsigned n = 0; ++n; ) ; }
void sleep_here(void) { inner_sleep(700); }
void wait_here(void) { inner_wait(); }
void wake_here(void) { inner_wake(); }

int main(int argc, char **argv)
{
    alarm(600);
    printf("%d\n", getpid());
    fflush(stdout);
    close(1);
    if (!strcmp(argv[1], "spin"))
        for (;;) spin_here();
    if (!strcmp(argv[1], "sleep"))
        for (;;) sleep_here();
    if (pipe(to))
        return 1;
    if (fork())
        for (;;) wait_here();
    // Its name is its own, so that one sees who wakes whom; it ends with its parent.
    FILE *comm = fopen("/proc/self/comm", "w");
    fputs("waker", comm);
    fclose(comm);
    alarm(600);
    for (pid_t parent = getppid(); getppid() == parent; ) {
        inner_sleep(200);
        wake_here();
    }
    return 0;
}
]]

---Compiles the program, and calls a function with a way to start it, `start(mode)` (`spin`, `sleep`, `wake`), which gives its process.
---It runs until the function has returned: the names of a process that has ended cannot be looked up.
---@param body fun(start: fun(mode: string): integer)
function M.with(body)
    programs.in_folder(function(folder)
        local path = programs.compile(folder .. "/named", TEXT, "-O0 -fno-omit-frame-pointer")
        local started = {}
        local ok, why = xpcall(body, debug.traceback, function(mode)
            local out = ("%s/out%d"):format(folder, #started)
            os.execute(("%s %s >%s 2>&1 &"):format(path, mode, out))
            started[#started + 1] = tool.wait_for("the process starts", function()
                return tonumber(tool.sh("cat " .. out .. " 2>/dev/null"):match("^%d+"))
            end)
            return started[#started]
        end)
        for _, pid in ipairs(started) do
            os.execute("kill -9 " .. pid)
        end
        assert(ok, why)
    end)
end

---The rows of stacks whose frames hold these names in order, the innermost first, with others between.
---@param rows table[]
---@param wanted string[]
---@return table[]
function M.holding(rows, wanted)
    local found = {}
    for _, row in ipairs(rows) do
        local at = 1
        for _, frame in ipairs(row.frames or {}) do
            at = at + (frame == wanted[at] and 1 or 0)
        end
        if at > #wanted then
            found[#found + 1] = row
        end
    end
    return found
end

return M
