-- SPDX-License-Identifier: Apache-2.0
-- deadlock: two mutexes that two threads take in different orders are found, though nothing hangs; in one order they are not.

local t = require("harness")
local programs = require("help.programs")
local tool = require("help.tool")

local TEXT = [[
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

pthread_mutex_t first = PTHREAD_MUTEX_INITIALIZER, second = PTHREAD_MUTEX_INITIALIZER;

void take_first_here(void) { pthread_mutex_lock(&first); pthread_mutex_lock(&second); }
void take_second_here(void) { pthread_mutex_lock(&second); pthread_mutex_lock(&first); }
void release(void) { pthread_mutex_unlock(&first); pthread_mutex_unlock(&second); }
void *in_order(void *unused) { take_first_here(); release(); return 0; }
void *against_it(void *unused) { take_second_here(); release(); return 0; }

int main(void)
{
    static char line[64];
    pthread_t thread;
    printf("%d %p %p\n", getpid(), (void *)&first, (void *)&second);
    fflush(stdout);
    // One after the other: they never wait for each other.
    while (fgets(line, sizeof(line), stdin)) {
        pthread_create(&thread, 0, !strcmp(line, "against\n") ? against_it : in_order, 0);
        pthread_join(thread, 0);
        printf("done\n");
        fflush(stdout);
    }
    return 0;
}
]]

t.test_unless(programs.lacking(), "two mutexes", function()
    programs.in_folder(function(folder)
        programs.compile(folder .. "/locks", TEXT, "-O0 -fno-omit-frame-pointer -pthread")
        programs.run(("mkfifo %s/in %s/out"):format(folder, folder))
        os.execute(("%s/locks <%s/in >%s/out &"):format(folder, folder, folder))
        local to, from = assert(io.open(folder .. "/in", "we")), assert(io.open(folder .. "/out", "re"))
        to:setvbuf("line")
        local pid, first, second = from:read("*l"):match("^(%d+) (%S+) (%S+)$")
        local function ask(line)
            to:write(line, "\n")
            t.equal(from:read("*l"), "done")
        end

        local found = tool.run("deadlock", { "--json", "--verbose", "--dump-graph", folder .. "/graph", pid }, function()
            ask("in order")
            ask("in order")
        end)
        t.equal(found.out, "")
        t.contains(found.err, "2 mutexes, 1 orders of two")
        local graph = json.decode(tool.sh("cat " .. folder .. "/graph"))
        t.equal(#graph.nodes, 2)
        t.equal(graph.links[1].source, first)
        t.equal(graph.links[1].target, second)

        local running = tool.start("deadlock", { "--json", pid })
        ask("in order")
        ask("against")
        found = running:finish(false)
        t.equal(found.status, 1)
        t.contains(found.err, "Potential deadlock: mutexes are taken in a circle: M0 (")
        t.equal(#found:rows(), 2)
        local one, other = found:row({ held = first, taken = second }), found:row({ held = second, taken = first })
        assert(one.tid ~= other.tid)
        t.contains(one.held_stack .. ";", "take_first_here;in_order;")
        t.contains(one.taken_stack .. ";", "take_first_here;in_order;")
        t.contains(other.held_stack .. ";", "take_second_here;against_it;")
        t.equal(other.comm, "locks")
        t.equal(other.creator_tid, tonumber(pid))
        t.contains(other.creator_stack .. ";", "pthread_create;main;")

        running = tool.start("deadlock", { pid })
        ask("against")
        ask("in order")
        found = running:finish(false)
        t.equal(found.status, 1)
        assert(found.out:find("Mutex M%d %(" .. first .. "%) is taken here while mutex M%d %(" .. second .. "%) is held, by thread %d+ %(locks%):\n"), found.out)
        t.contains(found.out, "    take_second_here\n    against_it\n")
        to:close()
        from:close()
    end)
end)

t.test("no such process, none given", function()
    local found = tool.start("deadlock", { "4194300" }):finish(false)
    assert(found.status ~= 0 and found.err:find("4194300", 1, true), found.err)
    t.equal(tool.start("deadlock", {}):finish(false).status, 2)
end)
