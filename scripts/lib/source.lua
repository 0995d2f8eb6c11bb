-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- What `BPF{…}` is given: its options checked, its C text or object found.

local debugging = require("bpflua.debugging")
local errors = require("bpflua.errors")
local native = require("bpflua.native")
local variables = require("bpflua.variables")

---@class Source
---@field root? string the folder that `BPF.script_root` said
local M = {}

M.OPTIONS = {
    attach = "boolean",
    text = "string",
    src_file = "string",
    object = "string",
    cflags = "table",
    debug = "natural|string|table",
    constants = "table",
    maps = "table",
    maps_ns = "string",
    usdt_contexts = "table",
    usdt = "table",
    attach_usdt_ignore_pid = "boolean",
    hdr_file = "string",
    allow_rlimit = "boolean",
    device = "string",
}

local MAP_SIZES = { max_entries = "u32", key_size = "u32", value_size = "u32" }

local function exists(path)
    local file = io.open(path, "rb")
    if file then
        file:close()
    end
    return file ~= nil
end

-- As given, else beside the script.
local function find_file(name)
    if exists(name) then
        return name
    end
    local folder = M.root or native.run.folder()
    local beside = folder and folder ~= "" and folder .. "/" .. name
    if name:sub(1, 1) ~= "/" and beside and exists(beside) then
        return beside
    end
    errors.fail({
        what = ("cannot find the file `%s`"):format(name),
        evidence = { "looked in the current folder" .. (beside and " and for " .. beside or "") },
    })
end

local function read_file(name)
    local file, why = io.open(name, "rb")
    local text = file and file:read("*a")
    if not text then
        errors.fail({ what = ("cannot read `%s`"):format(name), why = why or "it is no file" })
    end
    file:close()
    return text
end

local function check_one(options)
    local given = {}
    for _, name in ipairs({ "text", "src_file", "object" }) do
        given[#given + 1] = options[name] and "`" .. name .. "`" or nil
    end
    if #given ~= 1 then
        errors.fail({
            what = "`BPF{…}` takes one of the options `text`, `src_file` and `object`",
            why = #given == 0 and "none is given" or table.concat(given, " and ") .. " are given",
        })
    end
end

local function check_cflags(cflags)
    for i, flag in ipairs(cflags or {}) do
        if type(flag) ~= "string" then
            errors.fail({ what = ("`cflags[%d]` of `BPF` is a %s"):format(i, errors.type_name(flag)), why = "it must be a string" })
        end
    end
end

local function check_maps(maps)
    for name, sizes in pairs(maps or {}) do
        errors.options(("BPF{maps.%s}"):format(tostring(name)), sizes, MAP_SIZES)
    end
end

-- The flags, with a header that is included before the text.
local function with_header(cflags, header)
    if not header then
        return cflags
    end
    local all = { unpack(cflags or {}) }
    all[#all + 1] = "-include"
    all[#all + 1] = find_file(header)
    return all
end

---Checks the options of `BPF{…}` and finds what they name.
---@param options table
---@return table request for `native.create.compile`, or `{object = path}`
function M.request(options)
    options = errors.options("BPF", options, M.OPTIONS)
    check_one(options)
    check_cflags(options.cflags)
    check_maps(options.maps)
    local show_ir, show_preprocessed = debugging.of_text(debugging.wanted(options.debug))
    if options.object then
        return { object = find_file(options.object) }
    end
    local request = { show_ir = show_ir, show_preprocessed = show_preprocessed }
    request.cflags = with_header(options.cflags, options.hdr_file)
    if options.src_file then
        request.file = find_file(options.src_file)
        request.text = read_file(request.file)
    else
        request.text, request.source = options.text, select(3, errors.user_frame())
    end
    return request
end

---@class CText
---@field text string
---@field line integer of the script or the file that it begins on

---Compiles the C text that the options of `BPF{…}` name, or opens their object.
---@param options table
---@return userdata? elf nil when the script is only being checked
---@return CText? text unless it is an object
function M.compile(options)
    local request = M.request(options)
    if request.object then
        return native.create.open(request.object), nil
    end
    local elf, line = native.create.compile(request)
    return elf, { text = request.text, line = line }
end

---Makes an object of what `BPF{…}` is given.
---@param options table
---@return userdata? object nil when the script is only being checked
---@return CText? text unless it is an object
function M.create(options)
    local elf, text = M.compile(options)
    if elf then
        local debug = debugging.wanted(options.debug)
        debugging.show_text(elf, debug)
        local values = variables.initial_values(elf, options.constants or {})
        if options.allow_rlimit == false then
            native.create.keep_memlock_limit()
        end
        local object = native.create.object(elf, {
            constants = values,
            maps = options.maps,
            maps_ns = options.maps_ns,
            log_level = debugging.log_level(debug),
        })
        return object, text
    end
end

return M
