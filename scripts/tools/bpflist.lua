-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
--[==[ pack
summary = "Processes that use BPF, with their programs, maps and links"
description = """
Counts what each process has a descriptor of. What nobody has (it is pinned, or attached without a link) is
shown for no process. Nothing is attached."""
parameters = [
  { name = "verbose", flags = "-v --verbosity", type = "flag", help = "count by kind: kprobe, tracepoint, hash, …" },
  { name = "objects", flags = "-o --objects", type = "flag", help = "show each program, map and link by its number and name" },
]
columns = [
  { name = "pid", width = 7, type = "integer", right = false },
  { name = "comm", width = 16 },
  { name = "type", width = 8 },
  { name = "kind", width = 20, when = "verbose" },
  { name = "id", width = 6, type = "integer", right = false, when = "objects" },
  { name = "name", width = 16, when = "objects" },
  { name = "count", width = 5, type = "integer" },
]
examples = [
  { run = "", help = "who uses BPF?" },
  { run = "-v", help = "which kinds of programs, maps and links?" },
  { run = "-o", help = "which of them?" },
]
]==]

local tool = BPF.tool()
local args = tool.args

local LISTS = {
    { "prog", BPF.list_programs },
    { "map", BPF.list_maps },
    { "link", BPF.list_links },
}

-- The row of a process and a type, or of what distinguishes it when more is wanted.
local function key_of(row)
    return table.concat({ row.pid, row.type, args.verbose and row.kind or "", args.objects and row.id or "" }, "/")
end

local rows, by_key = {}, {}

local function add(kind, object, holder)
    local row = {
        pid = holder.pid, comm = holder.comm, type = kind, kind = object.kind, id = object.id,
        name = object.name or object.target, count = 0,
    }
    local key = key_of(row)
    if not by_key[key] then
        by_key[key] = row
        rows[#rows + 1] = row
    end
    by_key[key].count = by_key[key].count + 1
end

for _, list in ipairs(LISTS) do
    for _, object in ipairs(list[2]()) do
        local seen = {}
        for _, holder in ipairs(object.holders) do
            if not seen[holder.pid] then
                seen[holder.pid] = true
                add(list[1], object, holder)
            end
        end
    end
end

table.sort(rows, function(a, c)
    if a.pid ~= c.pid then
        return a.pid < c.pid
    elseif a.type ~= c.type then
        return a.type > c.type
    elseif a.kind ~= c.kind then
        return a.kind < c.kind
    end
    return a.id < c.id
end)
tool:header()
for _, row in ipairs(rows) do
    tool:print(row)
end
