-- SPDX-License-Identifier: Apache-2.0
-- Runs a tool in a process of its own beside a workload, and reads what it printed.

local ffi = require("ffi")
local t = require("harness")

pcall(ffi.cdef, "long readlink(const char *path, char *buffer, size_t size); int usleep(unsigned microseconds);")

local M = {}

-- An emulated machine under load is slow.
local LIMIT_SECONDS = 120
-- `epoll_wait`, `epoll_pwait`, `epoll_pwait2`: what a tool that is attached waits in; x86-64, then arm64.
local WAITING = { ["232"] = true, ["281"] = true, ["441"] = true, ["22"] = true }

local buffer = ffi.new("char[4096]")
local BPFLUA = ffi.string(buffer, ffi.C.readlink("/proc/self/exe", buffer, 4096))

local function quote(text)
    return "'" .. tostring(text):gsub("'", "'\\''") .. "'"
end

local function read(path)
    local file = io.open(path, "rb")
    local text = file and file:read("*a") or ""
    if file then
        file:close()
    end
    return text
end

local function wait_for(what, fn)
    local limit = os.time() + LIMIT_SECONDS
    while os.time() < limit do
        local got = fn()
        if got then
            return got
        end
        ffi.C.usleep(20000)
    end
    error(("not within %d s: %s"):format(LIMIT_SECONDS, what), 0)
end
M.wait_for = wait_for

---The path of the bpflua that runs this.
---@return string
function M.self()
    return BPFLUA
end

---@class Running
---@field pid integer
local Running = {}
Running.__index = Running

---Starts `bpflua NAME ARGS…` and returns when it waits for events.
---@param name string
---@param args? (string|number)[]
---@return Running
function M.start(name, args)
    local folder = os.tmpname()
    os.remove(folder)
    os.execute("mkdir -p " .. quote(folder))
    local words = { quote(BPFLUA), quote(name) }
    for _, arg in ipairs(args or {}) do
        words[#words + 1] = quote(arg)
    end
    local command = ("cd %s; (sh -c 'echo $$ >pid; exec \"$@\"' sh env --default-signal=INT,QUIT,PIPE %s >out 2>err </dev/null; echo $? >status) &"):format(quote(folder), table.concat(words, " "))
    assert(os.execute(command))
    local self = setmetatable({ folder = folder, name = name }, Running)
    self.pid = wait_for("the process of " .. name, function()
        return tonumber(read(folder .. "/pid"))
    end)
    wait_for(name .. " waits for events", function()
        return WAITING[read("/proc/" .. self.pid .. "/syscall"):match("^%d+")] or self:status()
    end)
    return self
end

---The exit status, once it has ended.
---@return integer?
function Running:status()
    return tonumber(read(self.folder .. "/status"))
end

---What it has printed so far.
function Running:text()
    return read(self.folder .. "/out")
end

---Waits until it has printed something that a pattern matches.
function Running:sees(pattern)
    wait_for(("%s prints %s"):format(self.name, pattern), function()
        return self:text():find(pattern) or self:status()
    end)
    t.contains(self:text(), self:text():match(pattern) or pattern)
end

---@class Outcome
---@field status integer
---@field out string
---@field err string
local Outcome = {}
Outcome.__index = Outcome

---Ends it by a signal (Ctrl-C unless another is named; `false`: it ends by itself), and gives what it printed.
---@param signal? string|false
---@return Outcome
function Running:finish(signal)
    if signal ~= false and not self:status() then
        os.execute(("kill -%s %d 2>/dev/null"):format(signal or "INT", self.pid))
    end
    local status = wait_for(self.name .. " ends", function()
        return self:status()
    end)
    local outcome = setmetatable({ status = status, out = read(self.folder .. "/out"), err = read(self.folder .. "/err") }, Outcome)
    os.execute("rm -rf " .. quote(self.folder))
    return outcome
end

---The objects of its JSON lines.
---@return table[]
function Outcome:rows()
    local rows = {}
    for line in self.out:gmatch("[^\n]+") do
        rows[#rows + 1] = json.decode(line)
    end
    return rows
end

---The first row whose fields are these (a text that begins with `~` is a pattern); fails when there is none.
---@param wanted table<string, any>
---@return table
function Outcome:row(wanted)
    for _, row in ipairs(self:rows()) do
        local fits = true
        for name, value in pairs(wanted) do
            local pattern = type(value) == "string" and value:match("^~(.*)")
            fits = fits and (pattern and tostring(row[name]):find(pattern) ~= nil or row[name] == value)
        end
        if fits then
            return row
        end
    end
    error(("no row %s in:\n%s\n%s"):format(json.encode(wanted), self.out, self.err), 2)
end

---The buckets of a histogram of its JSON lines, of all its lines together: `{low, high, count}` by `low`.
---@param section? string|number which, of several
---@return table<integer, {low: integer, high: integer, count: integer}>
function Outcome:buckets(section)
    local found = {}
    for _, row in ipairs(self:rows()) do
        local hist = row.histogram
        if hist and (section == nil or hist.section == tostring(section)) then
            for _, bucket in ipairs(hist.buckets) do
                local one = found[bucket.low] or { low = bucket.low, high = bucket.high, count = 0 }
                one.count = one.count + bucket.count
                found[bucket.low] = one
            end
        end
    end
    return found
end

---What a histogram counted: how many values, the least and the greatest that their sum can be.
---@param section? string|number which, of several
---@return integer count
---@return integer least
---@return integer greatest
function Outcome:sums(section)
    local count, least, greatest = 0, 0, 0
    for _, bucket in pairs(self:buckets(section)) do
        count = count + bucket.count
        least = least + bucket.count * bucket.low
        greatest = greatest + bucket.count * (bucket.high + 1)
    end
    return count, least, greatest
end

---Starts a tool, runs the workload, ends the tool by Ctrl-C, and gives what it printed. The tool must end with status 0.
---@param name string
---@param args (string|number)[]
---@param workload fun(running: Running)
---@return Outcome
function M.run(name, args, workload)
    local running = M.start(name, args)
    local ok, why = pcall(workload, running)
    local outcome = running:finish()
    if not ok then
        error(("%s\n%s\n%s"):format(tostring(why), outcome.out, outcome.err), 0)
    end
    if outcome.status ~= 0 then
        error(("%s ended with status %s:\n%s%s"):format(name, outcome.status, outcome.out, outcome.err), 2)
    end
    return outcome
end

-- The parent reads what the kernel counted when they have ended, and only then takes note of their end.
local TWO_BUSY = [[
    for (@ARGV) { my $pid = fork; unless ($pid) { setpriority 0, 0, $_; 1 while (times)[0] < 0.1; exit } push @pids, $pid }
    sub of { open my $file, "<", "/proc/$_[0]/$_[1]"; scalar <$file> }
    for (@pids) { select undef, undef, undef, 0.01 until of($_, "stat") =~ /\) Z/ }
    print "@pids ", of($pids[0], "schedstat");
]]

---Two busy processes that share one CPU, each for a tenth of a second of it; `pid`, and what the kernel says of the first: nanoseconds
---on the CPU, nanoseconds of waiting for it, and how often it got it.
---@param nice? integer the first's; the other's is the opposite. With 19 the first waits for about a tenth of a second at once,
---whatever the slices of the machine's scheduler are
---@return {pid: integer, other: integer, ran: number, waited: number, times: integer}
function M.two_on_a_cpu(nice)
    local command = ("taskset -c 0 perl -e %s -- %d %d"):format(quote(TWO_BUSY), nice or 0, -(nice or 0))
    local pid, other, ran, waited, times = M.sh(command):match("^(%d+) (%d+) (%d+) (%d+) (%d+)")
    return { pid = tonumber(pid), other = tonumber(other), ran = tonumber(ran), waited = tonumber(waited), times = tonumber(times) }
end

---Runs a shell's command and gives what it printed.
function M.sh(command)
    local pipe = io.popen(command)
    local text = pipe:read("*a")
    pipe:close()
    return text
end

return M
