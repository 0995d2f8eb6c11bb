-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- C texts of our making that have expressions of the user's in them: what does not compile is told in the user's words.

local errors = require("bpflua.errors")

local M = {}

---Makes an object. The compiler speaks of lines that the user has not written; the expressions are what may be wrong in them.
---@param options table as `BPF` takes them
---@param what string what could not be done: "cannot use the filter `…`"
---@param evidence string[]|fun(report: string): string[] shown below it; `report`: what the compiler says, with its lines
---@return bpflua.BPF
function M.compile(options, what, evidence)
    local ok, result = pcall(require("bpflua.bpf"), options)
    if ok then
        return result
    elseif not errors.is_error(result) or result.kind ~= "script" then
        error(result, 0)
    end
    local report = tostring(result)
    errors.fail({
        what = what,
        why = report:match("%-%-> [^\n]-:%d+:%d+: ([^\n]*)") or result.message,
        evidence = type(evidence) == "function" and evidence(report) or evidence,
        hints = result.hints,
    })
end

return M
