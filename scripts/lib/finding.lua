-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- Where `require` finds the files of scripts: beside the script, then in the packs that are installed.

local native = require("bpflua.native")

local M = {}

-- Files of a folder by their names, with the rest of the way: `part` is `part.lua` or `part/init.lua`.
local function templates(folder)
    return folder .. "/?.lua;" .. folder .. "/?/init.lua"
end

---Has `require` find the Lua files beside the script, before all others.
function M.add_beside()
    local folder = native.run.folder()
    if folder then
        package.path = templates(folder == "" and "." or folder) .. ";" .. package.path
    end
end

---Has `require` find what installed packs have: `require("NAME")` is `NAME/init.lua` in one of their folders,
---`require("NAME.part")` is `NAME/part.lua`. A folder that others could write to is left out, and the error of a `require` that
---finds nothing says so.
function M.add_packs()
    local refused = {}
    for _, place in ipairs(native.run.pack_folders()) do
        if place.refused then
            refused[#refused + 1] = ("\n\tno pack of '%s': %s"):format(place.folder, place.refused)
        else
            package.path = package.path .. ";" .. templates(place.folder)
        end
    end
    if #refused > 0 then
        table.insert(package.loaders, function()
            return table.concat(refused)
        end)
    end
end

return M
