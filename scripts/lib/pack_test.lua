-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- For the tests of packs, which `bpflua pack test` runs: `require("bpflua.pack_test")`. A test runs the tools of its pack beside
-- work that they should see, and looks at their rows.

local errors = require("bpflua.errors")
local json = require("bpflua.json")

---@class bpflua.PackTest
local M = {}

-- Set by `bpflua pack test`: this program, the pack's folder, the seconds for anything to happen.
local EXECUTABLE, FOLDER = os.getenv("BPFLUA_TEST_EXECUTABLE"), os.getenv("BPFLUA_TEST_PACK")
local DEADLINE = tonumber(os.getenv("BPFLUA_TEST_DEADLINE")) or 30

local skipped

---Ends the test that runs: this machine cannot run it, and why.
---@param reason string
function M.skip(reason)
    errors.arguments("skip", { "reason", "string!" }, reason)
    skipped = reason
    error("skipped", 0)
end

-- Runs a test, and says how it went in a line.
local function test(_, name, run)
    errors.arguments("test", { "name", "string!", "run", "function!" }, name, run)
    skipped = nil
    local ok, failure = xpcall(run, function(raised)
        return skipped and raised or { raised, debug.traceback("", 2) }
    end)
    if ok then
        print("ok " .. name)
    elseif skipped then
        print(("skipped %s: %s"):format(name, skipped))
    else
        print("failed " .. name)
        io.flush()
        error(failure[1], 0)
    end
end

local function quoted(word)
    return "'" .. tostring(word):gsub("'", "'\\''") .. "'"
end

local function read(path)
    local file = io.open(path)
    local text = file and file:read("*a") or ""
    if file then
        file:close()
    end
    return text
end

-- `exec bpflua run PACK/TOOL -- ARGS`, with both outputs in files.
local function command(options, more, out)
    if not EXECUTABLE then
        errors.fail({ what = "cannot test a pack", why = "this is not run by `bpflua pack test`" })
    end
    local words = { "exec", quoted(EXECUTABLE), "run", quoted(FOLDER .. "/" .. options.tool), "--" }
    for _, list in ipairs({ more, options.args or {} }) do
        for _, word in ipairs(list) do
            words[#words + 1] = quoted(word)
        end
    end
    return ("%s >%s 2>%s.err </dev/null"):format(table.concat(words, " "), out, out)
end

local function with_files(run)
    local out = os.tmpname()
    local ok, result = pcall(run, out)
    os.remove(out)
    os.remove(out .. ".err")
    if not ok then
        error(result, 0)
    end
    return result
end

---Runs a tool of the pack to its end.
---@param options {tool: string, args?: string[]}
---@return {status: integer, stdout: string, stderr: string}
function M.run(options)
    options = errors.options("run", options, { tool = "string", args = "table" })
    return with_files(function(out)
        -- In a shell of its own, whose status is told by a line.
        local pipe = assert(io.popen(("(%s); echo $?"):format(command(options, {}, out))))
        local status = tonumber(pipe:read("*a"))
        pipe:close()
        return { status = status, stdout = read(out), stderr = read(out .. ".err") }
    end)
end

local function is_alive(pid)
    local ended = os.execute("kill -0 " .. pid .. " 2>/dev/null")
    return ended == true or ended == 0
end

-- The first whole line of the output that is a row as wanted.
local function find(text, where)
    for line in text:gmatch("([^\n]*)\n") do
        local row = line:sub(1, 1) == "{" and json.decode(line)
        if row and where(row) then
            return row
        end
    end
end

---Runs a tool of the pack and does work beside it, again and again, until it prints a row that fits; then the tool is ended.
---@param options {tool: string, args?: string[], work?: fun(), where?: fun(row: table): boolean}
---@return table<string, any> row as in the tool's JSON
function M.row(options)
    options = errors.options("row", options, { tool = "string", args = "table", work = "function", where = "function" })
    local where = options.where or function() return true end
    return with_files(function(out)
        local pipe = assert(io.popen(command(options, { "--json" }, out) .. " & echo $!"))
        local pid = pipe:read("*l")
        local limit = BPF.monotonic_time() + DEADLINE * 1000000000LL
        local row
        repeat
            local alive = is_alive(pid)
            if options.work then
                options.work()
            end
            BPF.sleep(0.05)
            row = find(read(out), where)
        until row or not alive or BPF.monotonic_time() > limit
        os.execute("kill " .. pid .. " 2>/dev/null")
        pipe:close()
        if not row then
            error(("`%s` printed no row that fits\n--- stdout\n%s--- stderr\n%s"):format(options.tool, read(out), read(out .. ".err")), 0)
        end
        return row
    end)
end

return setmetatable(M, { __call = test })
