-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- Stack maps (`BPF_STACK_TRACE`, `BPF_STACK_TRACE_BUILDID`): the frames behind the number that `get_stackid` gave.

local ffi = require("ffi")
local BuildIdFrame = require("bpflua.addresses").BuildIdFrame
local C = require("bpflua.cfunctions")
local cells = require("bpflua.map_cells")
local errors = require("bpflua.errors")
local format = require("bpflua.format")
local native = require("bpflua.native")

local M = {}

local ENOENT, EFAULT, EEXIST, ENOMEM = 2, 14, 17, 12
local BPF_F_STACK_BUILD_ID = 32
local FRAME_EMPTY, FRAME_IP = 0, 2
local i64 = ffi.typeof("int64_t")
local addresses = ffi.typeof("uint64_t[?]")
local build_id_frames = ffi.typeof("$[?]", BuildIdFrame)

-- What get_stackid says in place of a number.
local REFUSALS = {
    [EFAULT] = "the kernel could not walk the stack (EFAULT): a user stack in a kernel thread, or a kernel stack from user space, has no frames",
    [EEXIST] = "another stack had its place in the map (EEXIST): a larger map, or BPF_F_REUSE_STACKID, loses fewer",
    [ENOMEM] = "the map had no room for it (ENOMEM)",
}

-- The number as the 32 bits that the kernel has; negative when it is an errno.
local function stack_number(self, id)
    local number = id
    if type(number) ~= "number" or number % 1 ~= 0 then
        number = errors.number("walk", "id", id)
    end
    if number < -2 ^ 31 or number >= 2 ^ 32 then
        errors.fail({
            what = ("cannot look up stack %s of map `%s`"):format(format.text(id), self.name),
            why = "a stack's number is what `get_stackid` gave, a whole number of 32 bits",
        })
    end
    return number >= 2 ^ 31 and number - 2 ^ 32 or number
end

local function needs_stacks(self, method)
    if self.kind ~= "stack_trace" then
        errors.fail({
            what = ("cannot call `%s` of map `%s`"):format(method, self.name),
            why = ("it is of type %s, not stack_trace"):format(self.kind),
        })
    end
end

-- The frames in memory of their own, and how many there may be; or nil and why there are none.
local function read(self, id)
    local number = stack_number(self, id)
    if number < 0 then
        return nil, 0, REFUSALS[-number] or native.kernel.errno_words(-number)
    end
    local by_build_id = math.floor(self.flags / BPF_F_STACK_BUILD_ID) % 2 == 1
    local depth = self.lookup_size / (by_build_id and ffi.sizeof(BuildIdFrame) or 8)
    local frames = (by_build_id and build_id_frames or addresses)(depth)
    local key = ffi.new("uint32_t[1]", number)
    local res = C.bpflua_map_lookup(cells.open_fd(self), key, frames)
    if res == -ENOENT then
        return nil, 0, "the map has no stack of this number"
    elseif res ~= 0 then
        cells.failed(self, "look up a stack of", -res)
    end
    return frames, depth, by_build_id
end

-- A frame whose file has no build ID has its address. Where a stack ends in address 0, the kernel counts that from the
-- file of the frame before: an offset below 0.
local function next_build_id(frames, depth)
    local at = -1
    return function()
        at = at + 1
        if at >= depth or frames[at].status == FRAME_EMPTY or ffi.cast(i64, frames[at].offset) < 0 then
            return nil
        elseif frames[at].status == FRAME_IP then
            return frames[at].ip
        end
        return BuildIdFrame(frames[at])
    end
end

local function next_address(frames, depth)
    local at = -1
    return function()
        at = at + 1
        if at < depth and frames[at] ~= 0 then
            return frames[at]
        end
    end
end

local Stacks = {}

---Walks a stack, innermost frame first: `for addr in b.stacks:walk(id) do print(BPF.ksym(addr)) end`.
---@param id integer|ffi.cdata* what `get_stackid` gave; also a number that stands for an errno (-14)
---@param resolver? fun(frame: ffi.cdata*): any what to give for each frame (default: the frame)
---@return (fun(): any)? next gives an address (`uint64_t`), or with build IDs a frame for `BPF.sym`; nil when there is no stack
---@return string? why there is no stack, in words
function Stacks:walk(id, resolver)
    needs_stacks(self, "walk")
    errors.arguments("walk", { "resolver", "function" }, resolver)
    local frames, depth, detail = read(self, id)
    if not frames then
        return nil, detail
    end
    local next = (detail and next_build_id or next_address)(frames, depth)
    if not resolver then
        return next
    end
    return function()
        local frame = next()
        if frame ~= nil then
            local resolved = resolver(frame)
            -- nil would end the loop in the middle of the stack.
            return resolved == nil and false or resolved
        end
    end
end

-- A stack as a list, or nil and why there is none.
local function get_stack(self, id, resolver)
    local next, why = Stacks.walk(self, id, resolver)
    if not next then
        return nil, why
    end
    local list = {}
    for frame in next do
        list[#list + 1] = frame
    end
    return list
end

---Gives maps the methods of stack maps.
---@param Map table methods of a map
function M.install(Map)
    local get_value = Map.get
    Map.walk = Stacks.walk

    ---The value of a key. Of a stack map: the stack as a list, innermost frame first (`b.stacks[id]` is the value as it is in C).
    ---@param key any number, 64-bit cdata, struct cdata, a table of the struct's members, or a string for `char[N]`; what `get_stackid` gave
    ---@param resolver? fun(frame: ffi.cdata*): any of a stack map: what to give for each frame (default: the frame, as `walk` gives it)
    ---@return any value nil when the key is not there; per-CPU maps give a `bpflua.PerCpu`
    ---@return string? why of a stack map: why there is no stack, in words
    function Map:get(key, resolver)
        if self.kind == "stack_trace" then
            errors.arguments("get", { "resolver", "function" }, resolver)
            return get_stack(self, key, resolver)
        elseif resolver ~= nil then
            errors.fail({
                what = ("cannot call `get` of map `%s` with a resolver"):format(self.name),
                why = ("it is of type %s, not stack_trace"):format(self.kind),
            })
        end
        return get_value(self, key)
    end
end

return M
