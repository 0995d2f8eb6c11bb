-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- Paths of files as C texts read them with `bpf_path_read` of <bpflua/files.h>: names, the innermost first.

local ffi = require("ffi")

local M = {}

---The text of a path.
---@param path cdata a `struct bpf_path_names`
---@return string # from the root, `/` itself for the root; begins with `…/` when it was too deep to be read whole
function M.text(path)
    local names = {}
    for name in ffi.string(path.names, path.size):gmatch("([^%z]*)%z") do
        table.insert(names, 1, name)
    end
    return (path.is_cut ~= 0 and "…/" or "/") .. table.concat(names, "/")
end

---A path from a base, without `.`, `..` and doubled slashes, as the kernel walks it where no link is in the way.
---@param base string an absolute path
---@param path string absolute, or from the base
---@return string
function M.join(base, path)
    local names = {}
    for name in (path:sub(1, 1) == "/" and path or base .. "/" .. path):gmatch("[^/]+") do
        if name == ".." then
            names[#names] = nil
        elseif name ~= "." then
            names[#names + 1] = name
        end
    end
    return "/" .. table.concat(names, "/")
end

return M
