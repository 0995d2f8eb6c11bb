-- SPDX-License-Identifier: Apache-2.0
-- Maps that the C text has not: wherever a script can name one, the error says so, at the script's line, with the nearest name.

local t = require("harness")
local calls = require("shared.bad_calls")
local errors = require("bpflua.errors")

local b = BPF({
    text = [[
BPF_HASH(counts, u32, u64);
BPF_SOCKHASH(sockets, u32, 4);
BPF_PERF_OUTPUT(events);
SEC("sk_msg") int on_message(struct sk_msg_md *ctx) { return SK_PASS; }
SEC("iter/bpf_map_elem") int elements(struct bpf_iter__bpf_map_elem *ctx) { return 0; }
]],
})

-- What must fail when it is given the name of a map that there is not, by the function.
local CASES = {
    get_table = function(name) b:get_table(name) end,
    decode_table = function(name) b:decode_table(name) end,
    attach_sockmap = function(name) b:attach_sockmap({ fn_name = "on_message", map = name }) end,
    detach_sockmap = function(name) b:detach_sockmap({ fn_name = "on_message", map = name }) end,
    attach_iter = function(name) b:attach_iter({ fn_name = "elements", map = name }) end,
    iter = function(name) b:iter({ fn_name = "elements", map = name }) end,
}

local function refused(wanted, fn, ...)
    local ok, err = pcall(fn, ...)
    t.equal(ok, false)
    t.equal(errors.is_error(err), true)
    t.equal(err.kind, "script")
    t.contains(err, wanted)
    t.contains(err, "root_absent_maps.lua:")
    return err
end

t.test("every function that takes a map by its name", function()
    for name, call in pairs(CASES) do
        -- The nearest name, as a question or as one that is similar.
        t.contains(refused("no map `count`", call, "count"), "counts")
        refused("", call, "")
        -- The name of a map that is there is another error, or none.
        local ok, err = pcall(call, "counts")
        if not ok and tostring(err):find("no map `", 1, true) then
            error(name .. ": " .. tostring(err))
        end
        CASES[name] = true
    end
    for _, name in ipairs(calls.with_option("bpflua.BPF", "map")) do
        t.equal(name .. tostring(CASES[name]), name .. "true")
    end
end)

t.test("fields of the object, sizes, other objects", function()
    t.contains(refused("neither a method of a BPF object nor a map of its C text", function() return b.event end), "did you mean `events`?")
    refused("cannot set `counts` of a BPF object", function() b.counts = 5 end)
    refused("cannot set `nosuch` of a BPF object", function() b.nosuch = 5 end)
    t.contains(refused("the C text has no such map", BPF, { text = "BPF_HASH(counts);", maps = { count = { max_entries = 2 } } }), "`count`")
    refused("has no map `nosuch`", function() b:get_table("nosuch") end)
end)

t.test("methods that a map of this kind has not", function()
    local wrong = {
        { "counts", "open_perf_buffer", print }, { "counts", "open_ring_buffer", print }, { "counts", "push", 1 }, { "counts", "pop" },
        { "counts", "peek" }, { "counts", "open_perf_event", 1, 0 }, { "counts", "sum", 1 }, { "counts", "getvalue", 1 },
        { "counts", "max", 1 }, { "counts", "average", 1 }, { "counts", "walk", 1 }, { "counts", "event", nil },
        { "events", "open_ring_buffer", print }, { "events", "items" }, { "sockets", "push", 1 },
    }
    for _, case in ipairs(wrong) do
        local map, method = b[case[1]], case[2]
        refused(("`%s`"):format(case[1]), function() map[method](map, unpack(case, 3)) end)
    end
    t.contains(refused("map `counts` has no method `itmes`", function() b.counts:itmes() end), "did you mean `items`?")
    refused("map `counts` has no field `fields`", function() b.counts.fields = 1 end)
end)
