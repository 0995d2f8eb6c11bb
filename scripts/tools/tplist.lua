-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
--[==[ pack
summary = "Tracepoints of the kernel, and USDT probes of programs"
description = """
Without -p and -l it lists tracepoints. FILTER is a pattern with `*` and `?` over whole names: CATEGORY:EVENT of a
tracepoint, PROVIDER:PROBE of a USDT probe."""
parameters = [
  { name = "filter", positional = true, help = "which to list" },
  { name = "pid", flags = "-p --pid", type = "pid", help = "USDT probes of this process and its libraries" },
  { name = "lib", flags = "-l --lib", metavar = "FILE", help = "USDT probes of this program or library" },
  { name = "variables", flags = "-v --variables", type = "flag", help = "what each hands to a program, and where it is" },
]
columns = [
  { name = "tracepoint", width = 40 },
  { name = "fields", title = "", when = "variables" },
]
examples = [
  { run = "'sched:*'", help = "tracepoints of a category" },
  { run = "-v block:block_rq_complete", help = "the fields of one" },
  { run = "-l python3 -v", help = "USDT probes of a program" },
]
[outputs.usdt]
columns = [
  { name = "path", width = 40 },
  { name = "probe", width = 30 },
  { name = "locations", title = "PLACES", type = "integer" },
  { name = "semaphore", title = "SEMAPHORE" },
  { name = "arguments", title = "", when = "variables" },
]
[requires]
lua = ["require"]
]==]

local native = require("bpflua.native")

local tool = BPF.tool()
local args = tool.args

-- A pattern of a shell's as one of Lua's.
local function matcher(pattern)
    if not pattern then
        return function()
            return true
        end
    end
    local lua = "^" .. pattern:gsub("[%^%$%(%)%%%.%[%]%+%-]", "%%%0"):gsub("%*", ".*"):gsub("%?", ".") .. "$"
    return function(name)
        return name:find(lua) ~= nil
    end
end

local function fields_of(text)
    local handle = native.probes.expand(text, nil, ("cannot list `%s`"):format(text))[1]
    local list = {}
    for i, field in ipairs(native.probes.fields(handle)) do
        list[i] = field.declaration:gsub(";?$", ";")
    end
    return list
end

local function list_tracepoints(fits)
    local count = 0
    for _, probe in ipairs(BPF.list_probes("tracepoint:*")) do
        local name = probe.text:gsub("^tracepoint:", "")
        if fits(name) then
            tool:print({ tracepoint = name, fields = args.variables and fields_of(probe.text) or nil })
            count = count + 1
        end
    end
    return count
end

local function places(probe)
    local list = {}
    for i, location in ipairs(probe.locations) do
        local arguments = {}
        for j, argument in ipairs(location.arguments) do
            arguments[j] = ("%d: %s %s"):format(j, argument.ctype, argument.text)
        end
        list[i] = ("0x%x %s"):format(location.address, table.concat(arguments, ", "))
    end
    return list
end

local function list_usdt(fits)
    local count = 0
    for _, probe in ipairs(USDT({ pid = args.pid, path = args.lib }):enumerate_probes()) do
        if fits(probe:short_name()) then
            tool.out.usdt:print({
                path = probe.path, probe = probe:short_name(), locations = probe.num_locations,
                semaphore = probe.semaphore ~= 0 and ("0x%x"):format(probe.semaphore) or "-",
                arguments = args.variables and places(probe) or nil,
            })
            count = count + 1
        end
    end
    return count
end

local is_usdt = args.pid ~= nil or args.lib ~= nil
local count = (is_usdt and list_usdt or list_tracepoints)(matcher(args.filter))
if count == 0 then
    tool:fail(("cannot list `%s`"):format(args.filter or args.lib or args.pid), is_usdt and "it has no such USDT probe" or "there is no such tracepoint")
end
