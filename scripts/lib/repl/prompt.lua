-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- The loop behind the prompt: events, timers and typed lines, one after the other, until the session ends.

local errors = require("bpflua.errors")
local events = require("bpflua.events")
local native = require("bpflua.native")
local repeats = require("bpflua.repl.repeats")
local sessions = require("bpflua.repl.session")
local subjects = require("bpflua.repl.subjects")

local M = {}

local SIGINT = 2

-- The prompt that is open, if one is.
local current

---Whether a prompt is open.
---@return bpflua.Session?
function M.session()
    return current and current.session
end

local function ask(prompt)
    io.stdout:flush()
    prompt.is_asked = true
    if prompt.question then
        native.prompt.screen("keys")
        native.prompt.ask(prompt.question, "", false)
    else
        native.prompt.screen("keys")
        native.prompt.ask(("bpflua %d> "):format(prompt.session.number), prompt.initial or "", true)
        prompt.initial = nil
    end
end

---Ends the session after the statement that runs now.
function M.leave()
    if current then
        current.is_over = true
    end
end

---Puts text into the next line, to be edited.
---@param text string
function M.put(text)
    if current then
        current.initial = text
    end
end

-- Ctrl-D, or the end of what is piped in.
local function at_end(prompt)
    local live = prompt.is_person and not prompt.question and subjects.count_probes() or 0
    if live == 0 then
        prompt.is_over = true
    else
        local words = live == 1 and "1 probe is" or live .. " probes are"
        prompt.question = words .. " attached. Detach and leave? [y/N] "
    end
end

local function take_answer(prompt, text)
    prompt.question = nil
    prompt.is_over = text:lower():match("^%s*y") ~= nil
end

-- A stop that was asked for: Ctrl-C was for what ran, anything else ends the session.
local function settle_stop(prompt)
    if native.prompt.stop_signal() ~= SIGINT or not prompt.is_person and prompt.is_idle then
        prompt.is_over = true
        return
    end
    native.prompt.rearm()
end

local function run_line(prompt, text)
    native.prompt.screen("statement")
    prompt.is_idle, prompt.loops = false, 0
    if prompt.session:submit(text) == "incomplete" then
        prompt.initial = text .. "\n"
    end
    prompt.is_idle = true
    if events.stop_requested() then
        settle_stop(prompt)
    end
end

local function complete(prompt, line, cursor)
    local start, list = cursor, {}
    local ok, completer = pcall(require, "bpflua.repl.complete")
    if ok then
        local good, first, found = sessions.guarded(completer.complete, prompt.session, line, cursor)
        if good then
            start, list = first, found
        end
    end
    if #list == 0 and native.complete.is_reading() then
        return native.prompt.postpone()
    end
    native.prompt.answer(start, list)
end

local function take_input(prompt)
    local kind, text, cursor = native.prompt.take()
    if kind == "complete" then
        return complete(prompt, text, cursor)
    elseif not kind then
        return
    end
    prompt.is_asked = false
    if kind == "end" then
        at_end(prompt)
    elseif prompt.question then
        take_answer(prompt, text)
    else
        run_line(prompt, text)
    end
end

-- Does what the loop found. An error of a handler is told and ends nothing.
local function serve(prompt)
    native.prompt.busy(true)
    local ok, failure = sessions.guarded(events.serve_next)
    native.prompt.busy(false)
    if not ok then
        prompt.errors:tell(sessions.report(failure))
    end
    prompt.errors:tell_repeats()
end

---Handles events while a statement waits for something that is no event.
---@param is_done fun(): boolean
function M.serve_until(is_done)
    local prompt = current
    local loop, was_used = events.loop(), events.loop().used
    loop.used = true
    while not is_done() and not (prompt and prompt.is_over) do
        local kind = events.next()
        if kind == "stop" then
            settle_stop(prompt)
        elseif kind == "ready" then
            serve(prompt)
        end
        loop.used = true
    end
    loop.used = was_used
end

-- One thing: a line, or what the loop found.
local function step(prompt)
    if not prompt.is_asked then
        ask(prompt)
    end
    if events.is_unprepared() then
        local ok, failure = sessions.guarded(events.prepare)
        if not ok then
            sessions.say(sessions.report(failure))
        end
    end
    local kind = events.next(prompt.errors:deadline())
    if kind == "stop" then
        return settle_stop(prompt)
    elseif kind == "ready" then
        serve(prompt)
        if events.stop_requested() then
            settle_stop(prompt)
        end
    else
        prompt.errors:tell_repeats()
    end
    if prompt.has_input then
        prompt.has_input = false
        take_input(prompt)
    end
end

-- Losses and the like are told as lines of our own.
local function report_losses(text)
    sessions.say(text .. "\n")
end

-- While a loop runs in a statement, its output is limited as at the prompt.
local function on_loop(prompt, is_running)
    if prompt.is_idle then
        return
    end
    prompt.loops = prompt.loops + (is_running and 1 or -1)
    if prompt.loops == (is_running and 1 or 0) then
        io.stdout:flush()
        native.prompt.screen(is_running and "events" or "statement")
    end
end

local function open(session)
    -- What reads standard input besides us gets what comes next, not what was read ahead.
    io.stdin:setvbuf("no")
    local fd, is_person = native.prompt.open()
    local loop = events.loop()
    local prompt = { session = session, is_person = is_person, is_idle = true, errors = repeats.new(sessions.say), loop = loop }
    prompt.watch = loop:watch(fd, function()
        prompt.has_input = true
    end)
    prompt.report, loop.report = loop.report, report_losses
    events.on_loop(function(is_running)
        on_loop(prompt, is_running)
    end)
    native.prompt.keep_signals(true)
    native.prompt.rearm()
    loop.used = true
    return prompt
end

local function close(prompt)
    events.on_loop(nil)
    prompt.loop:unwatch(prompt.watch)
    prompt.loop.report = prompt.report
    io.stdout:flush()
    native.prompt.close()
    native.prompt.keep_signals(false)
    if native.prompt.stop_signal() == SIGINT or not events.stop_requested() then
        native.prompt.rearm()
    end
    prompt.loop.used, prompt.loop.stop_told = false, false
end

-- Where a script opened the prompt says nothing about what is typed there.
errors.begin_at(step)

---Reads and runs statements until the session ends.
---@param session bpflua.Session
function M.run(session)
    current = open(session)
    local exit = os.exit
    os.exit = function(status)
        BPF.exit(type(status) == "number" and status or status == false and 1 or 0)
    end
    while not current.is_over do
        -- A fault of ours, or a Ctrl-C in our own code, must not end the session either.
        local ok, why = xpcall(step, debug.traceback, current)
        if not ok and not tostring(why):match("^interrupted!") then
            sessions.say("bpflua: " .. tostring(why) .. "\n")
        end
    end
    os.exit = exit
    local prompt = current
    current = nil
    close(prompt)
end

return M
