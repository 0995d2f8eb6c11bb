-- SPDX-License-Identifier: Apache-2.0
-- maps.lua ENTRIES ROUNDS: as benches/scripts/maps.lua, with bcc-lua. It has no batches, and reads one value of a per-CPU hash.
return function(BPF)
    local entries, rounds = tonumber(arg[1]), tonumber(arg[2])
    local file = assert(io.open(os.getenv("TEXT")))
    -- Its walks fail on keys that are numbers.
    local text = file:read("*a"):gsub("%(counts, u32", "(counts, struct key")
    local b = BPF:new({ text = "struct key { u32 id; };\n" .. text })
    local counts = b:get_table("counts")
    local wanted = entries * (entries + 1) / 2 * 3
    local function timed(name, work)
        local start = os.clock()
        work()
        io.write(("%s %.3f\n"):format(name, (os.clock() - start) * 1e9 / entries))
        io.flush()
    end
    local function walk()
        local sum = 0
        for _, value in counts:items() do
            sum = sum + tonumber(value)
        end
        assert(sum == wanted)
    end
    io.write("ready\n")
    io.flush()
    for i = 1, entries do
        counts:set({ { i } }, i * 3)
    end
    for _ = 1, rounds do
        timed("items", walk)
    end
end
