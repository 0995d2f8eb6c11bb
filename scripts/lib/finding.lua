-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- Where `require` finds the files of scripts: in the pack that runs and those that it needs, beside the script, then in the packs
-- that are installed.

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

local searchpath = package.searchpath

---The file of a module of the pack that runs, or of one that it needs: `NAME.part` is in the folder of NAME and nowhere else.
---@param name string
---@return string? path nil when it is none of these packs, or has no such file
---@return string? tried where it would be; nil when it is none of these packs
function M.own_file(name)
    local pack, rest = name:match("^([^.]+)%.?(.*)$")
    local folder = native.pack.folders()[pack]
    if not folder or not name:find("^[%w_.-]+$") or name:find("..", 1, true) then
        return nil
    end
    return searchpath(rest == "" and "init" or rest, templates(folder))
end

-- The loader of a file, by Lua's rules for `package.loaders`.
local function load_file(name, path)
    local chunk, why = loadfile(path)
    if not chunk then
        error(("error loading module '%s' from file '%s':\n\t%s"):format(name, path, why), 0)
    end
    return chunk
end

local function from_own_packs(name)
    local path, tried = M.own_file(name)
    if path then
        return load_file(name, path)
    elseif tried and name:find(".", 1, true) then
        error(("module '%s' not found in the pack '%s':%s"):format(name, name:match("^[^.]+"), tried), 0)
    end
    -- `NAME` alone may be a file beside the script that is called as its pack.
    return tried
end

-- The files of installed packs; one whose files are not those that were installed is refused.
local function from_installed(places)
    local verified = {}
    return function(name)
        local pack, tried = name:match("^[^.]+"), ""
        for _, place in ipairs(places) do
            if place.refused then
                tried = tried .. ("\n\tno pack of '%s': %s"):format(place.folder, place.refused)
            else
                local path, missing = searchpath(name, templates(place.folder))
                if path then
                    local folder = place.folder .. "/" .. pack
                    if not verified[folder] then
                        native.pack.verify(place.folder, pack)
                        verified[folder] = true
                    end
                    return load_file(name, path)
                end
                tried = tried .. missing
            end
        end
        return tried
    end
end

---Has `require` find what packs have: `require("NAME")` is `NAME/init.lua` in the folder of a pack of that name,
---`require("NAME.part")` is `NAME/part.lua`. A folder of packs that others could write to is left out, and the error of a
---`require` that finds nothing says so.
function M.add_packs()
    local after_preload = 2
    table.insert(package.loaders, after_preload, from_own_packs)
    table.insert(package.loaders, from_installed(native.run.pack_folders()))
end

return M
