-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- The globals of a pack's scripts: what a pack does not declare under `[requires]`, `lua`, it does not reach. It keeps packs to what
-- their users read in `bpflua pack info`, and costs nothing per event: handlers are the same functions, with other globals.
--
-- It is no wall against a pack that sets out to break it: cdata is memory, and events are cdata.

local errors = require("bpflua.errors")
local finding = require("bpflua.finding")

local M = {}

-- What every pack has.
local PLAIN = {
    "BPF", "USDT", "json", "assert", "error", "ipairs", "next", "pairs", "pcall", "xpcall", "select", "tonumber", "tostring", "type",
    "unpack", "rawequal", "rawget", "rawset", "rawlen", "setmetatable", "print", "bit", "coroutine", "math", "table", "_VERSION", "arg",
}
-- Members of libraries that everybody has; the others have to be declared, by these names or the library's.
local LIBRARIES = {
    os = { clock = true, date = true, difftime = true, time = true, getenv = true, exit = true },
    io = { write = true, stdout = true, stderr = true, type = true },
    string = true,
}
-- Libraries and functions that are nobody's unless declared.
local DECLARED = {
    "ffi", "debug", "package", "jit", "io.open", "io.lines", "io.read", "io.popen", "io.tmpfile", "io.stdin", "os.execute", "os.remove", "os.rename", "os.tmpname",
    "os.setlocale", "require", "load", "loadstring", "loadfile", "dofile", "getfenv", "setfenv", "newproxy", "collectgarbage", "module",
}

-- Modules that `require` gives without a declaration: bpflua's own, as scripts know them.
local MODULES = { bpf = true, bcc = true, bit = true, math = true, string = true, table = true, coroutine = true }

local function refuse(grants, name)
    errors.fail({
        what = ("cannot use `%s`"):format(name),
        why = ("%s does not declare it"):format(grants.who),
        hints = { ('its author adds "%s" to `lua` under `[requires]`'):format(name) },
    })
end

local function is_declarable(name)
    for _, one in ipairs(DECLARED) do
        if one == name then
            return true
        end
    end
    return false
end

-- A copy of a library with what is allowed of it; the rest says that it is not.
local function library(grants, granted, name)
    local allowed, real, copy = LIBRARIES[name], _G[name], {}
    for member, value in pairs(real) do
        if allowed == true or allowed[member] or granted[name] or granted[name .. "." .. member] then
            copy[member] = value
        end
    end
    return setmetatable(copy, {
        __index = function(_, member)
            if real[member] ~= nil then
                refuse(grants, name .. "." .. tostring(member))
            end
        end,
    })
end

-- What the tools that come with bpflua share, as a pack's own files.
local PARTS = "^bpflua%.tool_"

-- `require` of the pack's own modules and of those of the packs it depends on, whose code has the same globals.
local function own_require(grants, granted, environment)
    local loaded = {}
    return function(name)
        if type(name) ~= "string" then
            errors.arguments("require", { "name", "string!" }, name)
        elseif MODULES[name] or granted.require or grants.is_part and name:find(PARTS) then
            return require(name)
        elseif is_declarable(name) then
            return granted[name] and require(name) or refuse(grants, name)
        elseif loaded[name] ~= nil then
            return loaded[name]
        end
        local path, tried = grants.find(name)
        if not path and tried then
            errors.fail({
                what = ("cannot require `%s`"):format(name),
                why = ("the pack `%s` has no such file"):format(name:match("^[^.]+")),
                evidence = { "looked for:" .. tried:gsub("\n%s*no file", "") },
            })
        elseif not path then
            refuse(grants, "require")
        end
        local chunk = assert(loadfile(path))
        setfenv(chunk, environment)
        loaded[name] = chunk(name)
        if loaded[name] == nil then
            loaded[name] = true
        end
        return loaded[name]
    end
end

-- The file of a module beside the script.
local function finder(template)
    return function(name)
        return name:find("^[%w_.-]+$") and not name:find("..", 1, true) and package.searchpath(name, template) or nil
    end
end

---The globals of a pack's scripts.
---@param grants {who: string, lua: string[], is_part: boolean}
---@return table environment
function M.environment(grants)
    local granted = {}
    for _, name in ipairs(grants.lua) do
        granted[name] = true
    end
    local beside = finder(package.path)
    grants.find = function(name)
        local path, tried = finding.own_file(name)
        return path or beside(name), tried
    end
    local environment = {}
    for _, name in ipairs(PLAIN) do
        environment[name] = rawget(_G, name)
    end
    for name in pairs(LIBRARIES) do
        environment[name] = library(grants, granted, name)
    end
    for _, name in ipairs(DECLARED) do
        if granted[name] and not name:find(".", 1, true) and name ~= "require" then
            environment[name] = name == "ffi" and require("ffi") or rawget(_G, name)
        end
    end
    environment._G, environment.require = environment, own_require(grants, granted, environment)
    environment.getmetatable = function(value)
        -- The metatable of all strings is everybody's.
        return type(value) ~= "string" and getmetatable(value) or nil
    end
    return setmetatable(environment, {
        __index = function(_, name)
            if is_declarable(name) then
                refuse(grants, name)
            end
            errors.unknown(("there is no global `%s`"):format(tostring(name)), name, environment, "globals")
        end,
    })
end

---Gives a pack's script its globals.
---@param chunk function
---@param grants table as `native.pack.grants` gives it
function M.install(chunk, grants)
    setfenv(chunk, M.environment(grants))
end

return M
