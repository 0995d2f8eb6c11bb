// SPDX-License-Identifier: Apache-2.0
//! `scripts/lib/loop.lua` over the real functions and real events, without the Lua room.

use std::os::fd::AsRawFd as _;
use std::rc::Rc;

use bpflua::events::stop;
use mlua::Lua;

use super::events_fixture::{self, EVENT_BYTES, Fixture, expect_success, in_child, signal_after};

/// A Lua state with `loop` (losses go to the table `reports`), `Loop` (the module), and `submit`.
fn lua_with_loop() -> Lua {
    let lua = events_fixture::lua_with_loop();
    let text = "reports = {} loop = Loop.new(functions, { report = function(text) reports[#reports + 1] = text end })";
    lua.load(text).exec().unwrap();
    lua
}

/// The same with the fixture's maps in `fd` and its programs behind `submit`.
fn lua_with_events() -> Option<Lua> {
    let fixture = Rc::new(Fixture::load()?);
    let lua = lua_with_loop();
    let fds = lua.create_table().unwrap();
    for name in ["events", "ring", "dropped"] {
        fds.set(name, fixture.map(name).as_raw_fd()).unwrap();
    }
    lua.globals().set("fd", fds).unwrap();
    let submit = lua
        .create_function(move |_, (program, cpu, count, first): (String, u32, u64, u64)| {
            Ok(fixture.submit(&program, cpu, count, first, EVENT_BYTES))
        })
        .unwrap();
    lua.globals().set("submit", submit).unwrap();
    Some(lua)
}

fn run(lua: &Lua, script: &str) {
    lua.load(script).set_name("@test.lua").exec().unwrap_or_else(|err| panic!("{err}"));
}

#[test]
fn root_lua_handlers_get_typed_events() {
    let Some(lua) = lua_with_events() else { return };
    run(
        &lua,
        r#"
        local sum, by_pid, kept, cpus = 0, {}, nil, {}
        local source = loop:add_perf({ name = "events", fd = fd.events, ctype = event, handler = function(ev, cpu, size)
            sum = sum + tonumber(ev.val)
            by_pid[ev.pid] = (by_pid[ev.pid] or 0) + 1
            cpus[cpu] = (cpus[cpu] or 0) + 1
            assert(size == 44)
            if ev.val == 5ULL then kept = loop.copy(ev) end
        end })
        submit("perf_events", 0, 5000, 0)
        local n = 0
        while n < 5000 do n = n + loop:poll() end
        assert(n == 5000 and sum == 4999 * 5000 / 2 and cpus[0] == 5000)
        assert(by_pid[1000] == 79 and by_pid[1063] == 78)
        assert(kept.val == 5 and kept.pid == 1005 and ffi.string(kept.comm) == "comm-5")
        assert(ffi.sizeof(kept) == 40)
        assert(loop:poll(0) == 0 and loop:consume() == 0)
        assert(source:delivered() == 5000 and source:delivered(0) == 5000 and source:lost() == 0)
        source:close()
        submit("perf_events", 0, 10, 0)
        assert(loop:poll(0) == 0 and source:delivered() == 5000)
        "#,
    );
}

#[test]
fn root_lua_arguments_and_bytes() {
    let Some(lua) = lua_with_events() else { return };
    run(
        &lua,
        r#"
        local seen = {}
        loop:add_ring({ fd = fd.ring, lost_fd = fd.dropped, args = { "cpu", "ev", "size" }, handler = function(cpu, bytes, size)
            seen[#seen + 1] = cpu .. " " .. bytes[0] + 256 * bytes[1] .. " " .. size
        end })
        submit("ring_events", 0, 2, 0)
        assert(loop:poll(1000) == 2)
        assert(seen[1] == "-1 1000 40" and seen[2] == "-1 1001 40")
        "#,
    );
}

#[test]
fn root_lua_an_error_in_a_handler_is_raised_once() {
    let Some(lua) = lua_with_events() else { return };
    run(
        &lua,
        r#"
        local seen, raised = {}, {}
        loop:add_perf({ fd = fd.events, ctype = event, handler = function(ev)
            seen[#seen + 1] = tonumber(ev.val)
            if ev.val % 300 == 299 then error("at " .. tostring(ev.val)) end
        end })
        submit("perf_events", 0, 3000, 0)
        local n = 0
        while #seen < 3000 do
            local ok, err = xpcall(loop.poll, function(e) return debug.traceback(e) end, loop, 1000)
            if not ok then raised[#raised + 1] = err end
        end
        assert(loop:poll(0) == 0)
        for i, val in ipairs(seen) do assert(val == i - 1, i) end
        assert(#raised == 10)
        assert(raised[1]:find("^test.lua:5: at 299ULL"), raised[1])
        assert(raised[1]:find("test.lua:5: in function 'handler'") and raised[1]:find("loop_buffers.lua:%d+: in"), raised[1])
        "#,
    );
}

#[test]
fn root_lua_several_sources_at_once() {
    let Some(lua) = lua_with_events() else { return };
    run(
        &lua,
        r#"
        local perf, ring = 0, 0
        loop:add_perf({ fd = fd.events, ctype = event, handler = function(ev) perf = perf + tonumber(ev.val) end })
        loop:add_ring({ fd = fd.ring, ctype = event, handler = function(ev) ring = ring + tonumber(ev.val) end })
        local ticks = 0
        loop:every(0.01, function()
            ticks = ticks + 1
            submit("perf_events", 0, 100, 0)
            submit("ring_events", 0, 200, 0)
            if ticks == 20 then loop:stop() end
        end)
        assert(loop:run() == "stopped")
        assert(perf == 20 * 4950 and ring == 20 * 19900)
        -- The run can go on.
        ticks = 18
        assert(loop:run(5) == "stopped")
        assert(perf == 22 * 4950 and ring == 22 * 19900)
        "#,
    );
}

#[test]
fn root_lua_losses_are_told() {
    let Some(lua) = lua_with_events() else { return };
    run(
        &lua,
        r#"
        local source = loop:add_perf({ name = "events", fd = fd.events, ctype = event, page_cnt = 1, handler = function() end })
        submit("perf_events", 0, 1000, 0)
        loop:poll(0)
        submit("perf_events", 0, 1, 0)
        -- Lost at the end, with no sample behind: known all the same.
        submit("perf_events", 0, 500, 0)
        assert(loop:run(0.05) == "timeout")
        local delivered, lost = source:delivered(), source:lost()
        assert(lost > 900 and delivered + lost == 1501, lost)
        assert(loop:lost("events") == lost and loop:lost("other") == 0)
        assert(reports[1]:match("^lost %d+ events of events on CPU 0 %(%d+ in total%)$"), reports[1])
        assert(#reports == 2 and reports[2] == ("lost %d of 1501 events of events in total"):format(lost), reports[2])
        loop:finish()
        assert(#reports == 2)
        "#,
    );
}

#[test]
fn root_lua_losses_go_to_a_function() {
    let Some(lua) = lua_with_events() else { return };
    run(
        &lua,
        r#"
        local told = 0
        local source = loop:add_perf({ fd = fd.events, ctype = event, page_cnt = 1,
            handler = function() end, lost = function(count, cpu) assert(cpu == 0) told = told + count end })
        for round = 1, 20 do
            submit("perf_events", 0, 200, 0)
            loop:poll(0)
        end
        loop:drain()
        assert(told == source:lost() and told + source:delivered() == 4000, told)
        assert(#reports == 0)
        "#,
    );
}

#[test]
fn lua_timers_and_descriptors() {
    run(
        &lua_with_loop(),
        r#"
        local once, fast = 0, 0
        loop:after(0.03, function() once = once + 1 end)
        local timer = loop:every(0.01, function() fast = fast + 1 end)
        assert(loop:poll(25) == 0 and fast >= 1)
        loop:cancel(timer)
        local before = fast
        assert(loop:run(0.05) == "timeout")
        assert(once == 1 and fast == before)

        ffi.cdef("int pipe(int *fds); long write(int, const void *, unsigned long); long read(int, void *, unsigned long);")
        local ends = ffi.new("int[2]")
        assert(ffi.C.pipe(ends) == 0)
        local got = 0
        local watch = loop:watch(ends[0], function(fd)
            got = got + 1
            ffi.C.read(fd, ffi.new("char[1]"), 1)
        end)
        ffi.C.write(ends[1], "ab", 2)
        loop:run(0.02)
        assert(got == 2)
        loop:unwatch(watch)
        ffi.C.write(ends[1], "c", 1)
        loop:run(0.02)
        assert(got == 2)
        "#,
    );
}

#[test]
fn lua_errors_of_the_host() {
    run(
        &lua_with_loop(),
        r#"
        local ok, err = pcall(loop.add_perf, loop, { name = "events", fd = 0, page_cnt = 3, handler = print })
        assert(not ok)
        assert(err == "error: cannot open the perf buffer: `page_cnt` must be a power of two\n  page_cnt = 3\n", err)
        local parts
        local other = Loop.new(functions, { fail = function(p) parts = p error("raised", 0) end })
        assert(select(2, pcall(other.add_ring, other, { name = "ring", fd = 0, handler = print })) == "raised")
        assert(parts.what == "map `ring`: cannot map the ring buffer" and parts.kind == "machine", parts.what)
        assert(parts.errno == 22 and parts.why == "invalid argument", parts.why)
        assert(select(2, pcall(other.add_perf, other, { fd = 0, page_cnt = 3, handler = print })) == "raised")
        assert(parts.kind == "script" and parts.evidence[1] == "page_cnt = 3" and not parts.errno)
        "#,
    );
}

#[test]
fn lua_trace_fields() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/events/trace_pipe.txt");
    let lua = lua_with_loop();
    lua.globals().set("path", path).unwrap();
    run(
        &lua,
        r#"
        loop:open_trace(path)
        local shown = {}
        while true do
            local task, pid, cpu, flags, ts, msg = loop:trace_fields()
            if not task then break end
            shown[#shown + 1] = ("%s|%d|%d|%s|%.6f|%s"):format(task, pid, cpu, flags, ts, msg)
        end
        assert(#shown == 26)
        assert(shown[1] == "python3|32188|1|...2.|3054.788580|plain message")
        assert(shown[4] == "python3|32188|1|...2.|3054.788632|a: b [001] x-12 [001] d..1 5.0: q: 7")
        local lost, malformed = loop:trace_losses()
        assert(lost == 2794 and malformed == 2)

        local lines, raw = 0, Loop.new(functions)
        raw:open_trace(path)
        for line in function() return raw:trace_line() end do
            lines = lines + 1
            if lines == 5 then assert(line == "lines") end
        end
        assert(lines == 30)

        local events, by_run = 0, Loop.new(functions)
        by_run:open_trace(path)
        by_run:on_trace(function(task, pid, cpu, flags, ts, msg) events = events + (msg == "plain message" and 1 or 0) end)
        assert(by_run:run(0.05) == "timeout" and events == 21, events)
        local drained = Loop.new(functions)
        drained:open_trace(path)
        drained:on_trace(function() end)
        assert(drained:drain() == 26)
        local ok, err = pcall(raw.open_trace, Loop.new(functions), "/nonexistent")
        assert(err == "error: cannot open `/nonexistent`: no such file or directory (ENOENT)\n", err)
        "#,
    );
}

#[test]
fn root_lua_a_signal_ends_the_run_and_the_code_after_it_runs() {
    let Some(lua) = lua_with_events() else { return };
    if let Some(child) = in_child("suite::events_lua::root_lua_a_signal_ends_the_run_and_the_code_after_it_runs") {
        return expect_success(child);
    }
    stop::install().unwrap();
    signal_after(100, libc::SIGINT);
    run(
        &lua,
        r#"
        local n = 0
        loop:add_perf({ fd = fd.events, ctype = event, handler = function(ev) n = n + 1 end })
        loop:every(0.005, function() submit("perf_events", 0, 10, 0) end)
        assert(loop:run() == "interrupted")
        assert(n > 0 and n % 10 == 0)
        -- The second time there is no return: a script that polls for ever would never end.
        for _, call in ipairs({ loop.run, loop.poll, loop.consume }) do
            assert(select(2, pcall(call, loop)) == "interrupted!")
        end
        assert(select(2, pcall(loop.sleep, loop, 10)) == "interrupted!")
        "#,
    );
    // The same for a script with its own loop around poll: it gets everything, and then the error.
    stop::rearm().unwrap();
    signal_after(50, libc::SIGINT);
    run(
        &lua,
        r#"
        local calls, last = 0
        local ok, err = pcall(function()
            while true do
                last = select(2, loop:poll())
                calls = calls + 1
            end
        end)
        assert(err == "interrupted!" and last == "interrupted")
        "#,
    );
    stop::rearm().unwrap();
    signal_after(50, libc::SIGINT);
    run(
        &lua,
        r#"
        ffi.cdef("int mkfifo(const char *, unsigned);")
        local path = os.tmpname() .. ".fifo"
        assert(ffi.C.mkfifo(path, 384) == 0)
        loop:open_trace(path)
        assert(loop:trace_fields(true) == nil)
        assert(select(2, pcall(loop.trace_fields, loop)) == "interrupted!")
        assert(select(2, pcall(loop.trace_fields, loop, true)) == "interrupted!")
        os.remove(path)
        "#,
    );
}
