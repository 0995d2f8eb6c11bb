-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- Maps whose values are things of the kernel's: programs, maps, cgroups, sockets. They are set by file descriptor; what
-- has one may be given in its place.

local errors = require("bpflua.errors")
local native = require("bpflua.native")

local M = {}

local EBADF, EINVAL, ENOENT, EOPNOTSUPP = 9, 22, 2, 95

-- What the values are, by the kernel's name of the map's type.
local HOLDS = {
    prog_array = "program",
    array_of_maps = "map",
    hash_of_maps = "map",
    cgroup_array = "cgroup",
    sockmap = "socket",
    sockhash = "socket",
    reuseport_sockarray = "socket",
    xskmap = "AF_XDP socket",
    perf_event_array = "perf event",
}

local function describe(value)
    if type(value) == "table" then
        return ("`%s`"):format(tostring(rawget(value, "name") or value))
    end
    return type(value) == "string" and ("`%s`"):format(value) or tostring(value)
end

-- A cgroup by the path of its folder; open only while the kernel takes it.
local function open_cgroup(self, path)
    local folder = native.maps.open_folder(path, ("cannot put cgroup `%s` into map `%s`"):format(path, self.name))
    return native.maps.fd(folder), function()
        native.maps.close(folder)
    end
end

---What stands for a value in the kernel's eyes: the descriptor of a program, map or other thing, anything else as it is.
---@param self bpflua.Map
---@param value any a descriptor; the result of `load_func`; a map; the path of a cgroup
---@return any
---@return function? release
function M.number_of(self, value)
    local holds = HOLDS[self.kind]
    if not holds then
        return value
    elseif holds == "cgroup" and type(value) == "string" then
        return open_cgroup(self, value)
    elseif type(value) == "table" and type(rawget(value, "fd")) == "number" then
        local is_map = rawget(value, "max_entries") ~= nil
        if is_map ~= (holds == "map") then
            errors.fail({
                what = ("cannot put %s into map `%s`"):format(describe(value), self.name),
                why = ("a map of type %s holds %ss"):format(self.kind, holds),
            })
        elseif value.fd < 0 then
            errors.fail({
                what = ("cannot put %s into map `%s`"):format(describe(value), self.name),
                why = "its BPF object was closed",
            })
        end
        return value.fd
    elseif type(value) ~= "number" and type(value) ~= "cdata" then
        errors.fail({
            what = ("cannot put a %s into map `%s`"):format(type(value), self.name),
            why = ("a map of type %s holds %ss, set by their file descriptors"):format(self.kind, holds),
        })
    end
    return value
end

---Why the kernel did not take a value; nil when there is no more to say than the errno.
---@param self bpflua.Map
---@param errno integer a number, also a negative one
---@param value any
---@return string?
function M.misfit(self, errno, value)
    local holds = HOLDS[self.kind]
    if not holds then
        return nil
    elseif errno == EBADF then
        return ("%s is no file descriptor of a %s"):format(describe(value), holds)
    elseif errno == EINVAL and holds == "program" then
        return ("%s is no program of the type that the map's other programs or callers have"):format(describe(value))
    elseif errno == EINVAL and holds == "map" then
        return ("%s is no map of the type and sizes that `%s` was made for"):format(describe(value), self.name)
    elseif (errno == EINVAL or errno == EOPNOTSUPP or errno == ENOENT) and holds ~= "map" and holds ~= "program" then
        return ("%s is no %s that it can hold"):format(describe(value), holds)
    end
end

return M
