-- SPDX-License-Identifier: Apache-2.0
-- What the tests in this folder are written with. A file is a script; it fails by an error.

local M = {}

---Runs a test; its name is in the error when it fails.
function M.test(name, body)
    local ok, err = xpcall(body, function(raised)
        return tostring(raised) .. "\n" .. debug.traceback()
    end)
    if not ok then
        error(name .. ": " .. err, 0)
    end
end

---Says why a test of this file does not run here; the test runner passes it on.
function M.skip(name, reason)
    print("skipped: " .. name .. ": " .. reason)
end

---Runs a test unless this machine lacks what it takes.
---@param reason string|false|nil why it cannot run, if so
function M.test_unless(reason, name, body)
    if reason then
        return M.skip(name, reason)
    end
    M.test(name, body)
end

---Two values are the same, and of the same type.
function M.equal(got, wanted)
    if got ~= wanted or type(got) ~= type(wanted) then
        error(("got %s %q, wanted %s %q"):format(type(got), tostring(got), type(wanted), tostring(wanted)), 2)
    end
end

---The error that a function raises, as text.
function M.fails(body, ...)
    local ok, err = pcall(body, ...)
    if ok then
        error("it does not fail", 2)
    end
    return tostring(err)
end

---A text contains another.
function M.contains(text, part)
    if not tostring(text):find(part, 1, true) then
        error(("%q is not in:\n%s"):format(part, tostring(text)), 2)
    end
end

---Attaches by a mechanism that not every kernel has; tells, and gives false, where this one has it not.
---@param mechanism string? `nil` for what every kernel has
function M.attaches(mechanism, attach, ...)
    local ok, err = pcall(attach, ...)
    if ok then
        return true
    end
    if not mechanism or not M.lacks(err) then
        error(err, 0)
    end
    io.stderr:write(("skipped: %s: %s\n"):format(mechanism, (tostring(err):match("[^\n]*"))))
    return false
end

---Whether an error says that the kernel has no such mechanism.
function M.lacks(err)
    local text = tostring(err)
    for _, words in ipairs({ "this kernel has no ", "refuses programs of this kind", "this kernel does not have that helper",
        "this kernel's symbols do not have", "may not call that helper in this kernel", "carry no cookie" }) do
        if text:find(words, 1, true) then
            return true
        end
    end
    return false
end

return M
