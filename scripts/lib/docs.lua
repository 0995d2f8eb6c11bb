-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- The documentation of bpflua's functions: the `---` lines above them in the embedded sources, in LuaLS's notation.

local native = require("bpflua.native")
local surface = require("bpflua.surface")

local M = {}

---@class Doc
---@field source string the file, such as "scripts/lib/map.lua"
---@field line integer
---@field lines string[] the comment, without its dashes
---@field params string[] the names of the parameters, `self` not among them

local lines_of = setmetatable({}, { __mode = "v" })

local function source_lines(source)
    local lines = lines_of[source]
    if not lines then
        lines = {}
        for line in ((native.run.source(source) or "") .. "\n"):gmatch("(.-)\n") do
            lines[#lines + 1] = line
        end
        lines_of[source] = lines
    end
    return lines
end

-- The comment that ends right above a line.
local function comment_above(lines, at)
    local first = at
    while first > 1 and lines[first - 1]:match("^%s*%-%-%-") do
        first = first - 1
    end
    local comment = {}
    for i = first, at - 1 do
        comment[#comment + 1] = lines[i]:match("^%s*%-%-%-%s?(.*)$")
    end
    return comment
end

local function parameters(line)
    local names = {}
    for name in (line:match("function[^%(]*%(([^%)]*)%)") or ""):gmatch("[%w_%.]+") do
        if name ~= "self" then
            names[#names + 1] = name
        end
    end
    return names
end

---The documentation of a function; nil when it is none of bpflua's.
---@param fn function
---@return Doc?
function M.of(fn)
    local info = debug.getinfo(surface.original(fn), "S")
    local source = info.source:match("^@(scripts/lib/.*)$")
    if not source then
        return nil
    end
    local lines = source_lines(source)
    local line = lines[info.linedefined]
    if not line then
        return nil
    end
    return {
        source = source,
        line = info.linedefined,
        lines = comment_above(lines, info.linedefined),
        params = parameters(line),
    }
end

---The `---@class` and `---@alias` comments of all of bpflua's files: editors know the types by them.
---@return string[][] blocks of comment lines, without their dashes, in the order of the files
function M.classes()
    local blocks = {}
    for _, source in ipairs(native.run.sources()) do
        local block
        for _, line in ipairs(source_lines(source)) do
            local text = line:match("^%s*%-%-%-%s?(.*)$")
            if text and (text:match("^@class bpflua%.") or text:match("^@alias bpflua%.")) then
                block = { text }
                blocks[#blocks + 1] = block
            elseif block and text and text:match("^@field") then
                block[#block + 1] = text
            else
                block = nil
            end
        end
    end
    return blocks
end

return M
