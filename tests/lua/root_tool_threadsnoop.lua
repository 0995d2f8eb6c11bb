-- SPDX-License-Identifier: Apache-2.0
-- threadsnoop: threads of a process are told with the function that they run.

local t = require("harness")
local programs = require("help.programs")
local tool = require("help.tool")

local TEXT = [[
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>
void *thread_here(void *unused) { return unused; }
int main(void)
{
    pthread_t thread;
    printf("%d\n", getpid());
    fflush(stdout);
    // For as long as somebody reads its names.
    for (int i = 0; i < 3; i++) {
        getchar();
        pthread_create(&thread, 0, thread_here, 0);
        pthread_join(thread, 0);
        printf("done\n");
        fflush(stdout);
    }
    getchar();
    return 0;
}
]]

t.test_unless(programs.lacking(), "three threads", function()
    programs.in_folder(function(folder)
        local process = programs.serve(programs.compile(folder .. "/threads", TEXT, "-pthread"), folder)
        local found = tool.run("threadsnoop", { "--json" }, function(running)
            for _ = 1, 3 do
                t.equal(process:ask(""), "done")
            end
            running:sees("thread_here.*thread_here.*thread_here")
        end)
        process:close()
        local last = 0
        for _, row in ipairs(found:rows()) do
            if row.pid == process.pid then
                t.equal(row.func, "thread_here")
                t.equal(row.comm, "threads")
                assert(row.time >= last and row.time < 3600000, row.time)
                last = row.time
            end
        end
        assert(last > 0)
    end)
end)
