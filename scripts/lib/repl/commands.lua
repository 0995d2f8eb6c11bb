-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- Commands of the prompt: lines that begin with `:` or `!`, and questions, which end in `?`.

local errors = require("bpflua.errors")

local M = {}

---@class bpflua.Command
---@field name string without the colon
---@field args? string as the help shows them: "[-a]"
---@field help string one line
---@field run fun(session: bpflua.Session, rest: string) `rest` is what stands behind the name
---@field complete? fun(session: bpflua.Session): table<string, string> the words it takes, and what they are

---By name.
---@type table<string, bpflua.Command>
M.all = {}

---Adds a command.
---@param command bpflua.Command
function M.define(command)
    M.all[command.name] = command
end

---The commands' names, sorted.
---@return string[]
function M.names()
    local names = {}
    for name in pairs(M.all) do
        names[#names + 1] = name
    end
    table.sort(names)
    return names
end

-- The command of a name or of an unambiguous beginning.
local function find(name)
    if M.all[name] then
        return M.all[name]
    end
    local found = {}
    for _, known in ipairs(M.names()) do
        if name ~= "" and known:sub(1, #name) == name then
            found[#found + 1] = known
        end
    end
    if #found == 1 then
        return M.all[found[1]]
    elseif #found > 1 then
        errors.fail({ what = ("`:%s` is the beginning of several commands"):format(name), evidence = { ":" .. table.concat(found, ", :") } })
    end
    errors.unknown(("there is no command `:%s`"):format(name), name, M.all, "commands")
end

---Runs a command line.
---@param session bpflua.Session
---@param line string
function M.run(session, line)
    local name, rest = line:match("^:%s*([%a_]*)%s*(.-)$")
    if name then
        find(name).run(session, rest)
    elseif line:sub(1, 1) == "!" then
        require("bpflua.repl.shell").run(session, line:sub(2))
    else
        local ok, help = pcall(require, "bpflua.repl.help")
        if not ok then
            errors.fail({ what = "cannot answer a question", why = "this build has no help" })
        end
        help.question(session, line:match("^(.-)%s*%?+$"))
    end
end

-- A command's error is about its words, whatever script the prompt is in.
errors.begin_at(M.run)

for _, file in ipairs({ "commands_session", "commands_probes", "commands_maps", "commands_text", "commands_search" }) do
    require("bpflua.repl." .. file).define(M)
end

return M
