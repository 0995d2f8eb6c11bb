-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- `BPF{…}`: a C text becomes an object in the kernel; its maps are fields, its probes attach by their names.

local attach = require("bpflua.attach")
local attach_functions = require("bpflua.attach_functions")
local attach_net = require("bpflua.attach_net")
local attach_tracing = require("bpflua.attach_tracing")
local buffers = require("bpflua.buffers")
local debugging = require("bpflua.debugging")
local constants = require("bpflua.constants")
local contract = require("bpflua.contract")
local cost = require("bpflua.cost")
local errors = require("bpflua.errors")
local events = require("bpflua.events")
local inspect = require("bpflua.inspect")
local map = require("bpflua.map")
local losses = require("bpflua.map_losses")
local native = require("bpflua.native")
local open_objects = require("bpflua.objects")
local programs = require("bpflua.programs")
local python = require("bpflua.bcc_python")
local source = require("bpflua.source")
local stacks = require("bpflua.stacks")
local surface = require("bpflua.surface")
local test_run = require("bpflua.test_run")
local trace = require("bpflua.trace")
local usdt = require("bpflua.usdt")
local variables = require("bpflua.variables")

---@class bpflua.BPF
---@field [string] bpflua.Map the maps of the C text
local Methods = {}

local Instance = {}

for _, methods in ipairs({ attach, attach_functions, attach_net, attach_tracing, programs, test_run, usdt.methods, cost.methods }) do
    for name, method in pairs(methods) do
        Methods[name] = method
    end
end
Methods.STATIC = nil
buffers.install(map.Map)
stacks.install(map.Map)

-- ---------------------------------------------------------------- construction

-- Attaches the functions `syscall__NAME` that the script left to us.
local function attach_deferred(self)
    if self._handle then
        for _, name in ipairs(native.attach.deferred(self._handle)) do
            native.attach.auto(self._handle, name)
        end
    end
end

-- Attaches the functions whose names say where, but for those that the script attached itself.
local function attach_named(self, names)
    local attached = {}
    for _, probe in ipairs(self:probes()) do
        attached[probe.fn_name] = true
    end
    for _, name in ipairs(names) do
        if not attached[name] then
            native.attach.auto(self._handle, name)
        end
    end
end

-- Attaches the functions that say what they probe, and those structs of functions that shall be.
local function attach_what_says_so(self)
    local names = native.object.auto_functions(self._handle)
    if not contract.active then
        attach_named(self, names)
    end
    for _, name in ipairs(native.object.auto_struct_ops(self._handle)) do
        native.tracing.attach_struct_ops(self._handle, name)
    end
    events.before_wait(function()
        -- bcc-lua attaches nothing by its name: its scripts do it themselves, and would be called twice.
        if contract.active and self._handle then
            attach_named(self, names)
        end
        attach_deferred(self)
    end)
end

---Compiles a C text, creates its maps, and attaches the functions whose sections or names say what they probe
---(`SEC("fentry/vfs_read")`, `kprobe__vfs_read`, `tracepoint__sched__sched_switch` …). Functions `syscall__NAME` are attached
---to the system call when the script first waits for events, unless it attached them itself before, as bcc's scripts do.
---Structs of functions in `SEC(".struct_ops")` and `SEC(".struct_ops.link")` are attached, too.
---@param options {text?: string, src_file?: string, object?: string, cflags?: string[], constants?: table<string, any>, maps?: table<string, {max_entries?: integer, key_size?: integer, value_size?: integer}>, maps_ns?: string, debug?: integer|string|string[], usdt_contexts?: bpflua.USDT[], usdt?: bpflua.USDT, attach_usdt_ignore_pid?: boolean, hdr_file?: string, device?: string, allow_rlimit?: boolean, attach?: boolean}
---`text`: the C text; `src_file`: a C file, here or beside the script; `object`: a file compiled by `bpflua compile`;
---`cflags` come after those of the command line; `constants`: what global variables of the C text hold when its programs
---are loaded, so that the verifier leaves out what a `const volatile` one rules out; `maps`: sizes of maps, in place of
---those in the C text; `maps_ns`: `BPF_TABLE_SHARED` maps are shared with the objects of the same name space;
---`usdt_contexts`: what `USDT{…}` gave; their enabled probes are attached, with `attach_usdt_ignore_pid` in every process;
---`usdt`: the same for one, as in bcc-lua; `debug`: what is shown on standard error, a sum of bcc's numbers, a name or a list of
---names: 1 "llvm_ir" LLVM's form of the text, 2 "bpf" each function's instructions and the verifier's log, 4 "preprocessor" the
---text behind the preprocessor, 8 "source" instructions under the lines they come from, 16 "bpf_register_state" the verifier's
---longest log, 32 "btf" what libbpf says from then on; `hdr_file`: a header included before the text; `device`: the network device that programs are loaded for; `allow_rlimit`: false leaves the limit of locked
---memory as it is, which kernels before 5.11 count maps against; `attach`: false leaves it to the script to attach functions that say what they probe
---@return bpflua.BPF
local function construct(options)
    local handle, c_text = contract.create(source.create, options)
    local self = { _handle = handle, _maps = {}, _sources = {}, _programs = {}, _device = options.device or false, _text = options.text, _src_file = options.src_file }
    self._c_text = c_text or false
    setmetatable(self, Instance)
    open_objects[#open_objects + 1] = self
    for _, facts in ipairs(native.object.maps(self._handle)) do
        if facts.name ~= losses.HIDDEN_MAP then
            self._maps[facts.name] = map.new(facts, self)
        end
    end
    debugging.show(self._handle, debugging.bits(options.debug), c_text)
    if options.attach ~= false then
        attach_what_says_so(self)
    end
    usdt.attach_contexts(self._handle, options)
    return self
end

-- ---------------------------------------------------------------- the object

function Methods:_object()
    if not self._handle then
        errors.fail({ what = "cannot use the BPF object", why = "it was closed" })
    end
    return self._handle
end

function Methods:_add_source(source)
    self._sources[#self._sources + 1] = source
end

---Detaches everything and frees the object's maps and programs.
function Methods:cleanup()
    if not self._handle then
        return
    end
    for _, source in ipairs(self._sources) do
        source:close()
    end
    losses.finish(self)
    for _, name in ipairs(native.attach.deferred(self._handle)) do
        native.run.notice(1, ("`%s` was never attached: the script did not wait for events"):format(name))
    end
    -- Ctrl-C may come at any place, and then the end begins anew: it must not meet a closed object.
    local handle = self._handle
    self._handle = false
    native.object.close(handle)
    for _, maps in ipairs({ self._maps, rawget(self, "_views") }) do
        for _, one in pairs(maps) do
            one.fd = -1
        end
    end
    for i, object in ipairs(open_objects) do
        if object == self then
            table.remove(open_objects, i)
            break
        end
    end
end
Methods.close = Methods.cleanup

---What the maps did not take from the C text, of those that lost something: full maps, indices beyond an array, full ring
---buffers. One map's count is `b.NAME:lost()`.
---@return bpflua.Loss[]
function Methods:losses()
    return losses.list(self)
end

---A map by its name in the C text.
---@param name string the map, as the C text calls it
---@param key_type? string accepted as in bcc; the types come from the C text
---@param leaf_type? string the same: accepted, not used
---@param reducer? fun(made: any, value: any): any of a per-CPU map: makes one value of all CPUs', wherever the map is read
---@return bpflua.Map
function Methods:get_table(name, key_type, leaf_type, reducer)
    local kinds = { "name", "string!", "key_type", "string", "leaf_type", "string", "reducer", "function" }
    errors.arguments("get_table", kinds, name, key_type, leaf_type, reducer)
    local found = self._maps[name]
    if not found then
        errors.unknown(("the C text has no map `%s`"):format(tostring(name)), name, self._maps, "maps")
    end
    if not reducer then
        return found
    end
    local view = found:_reduced(reducer)
    rawset(self, "_views", rawget(self, "_views") or {})
    table.insert(self._views, view)
    return view
end

---The global variables of the C text, in the memory that the programs use: `b:variables().count`, and to set one that is
---no constant `b:variables().enabled = true`. The field `b.vars` is the same, unless the C text has a map of that name.
---Structs and arrays come as copies; 64-bit integers as cdata.
---@return bpflua.Variables
function Methods:variables()
    self:_object()
    local known = rawget(self, "_variables") or variables.new(self)
    rawset(self, "_variables", known)
    return known
end

-- ---------------------------------------------------------------- events

---Delivers the events that are there to their handlers, or else waits until some are.
---After Ctrl-C or `BPF.exit` it delivers what is left and returns; called again, it ends the script quietly.
---@param timeout? number milliseconds to wait at most; -1 or nil: for ever
---@return number delivered
---@return integer|"interrupted"? stop a negative number that a ring buffer's handler returned: what is left waits for the next call
function Methods:perf_buffer_poll(timeout)
    if timeout ~= nil and type(timeout) ~= "number" or timeout ~= timeout then
        errors.arguments("perf_buffer_poll", { "timeout", "number" }, timeout)
    end
    return events.poll(timeout)
end
Methods.ring_buffer_poll = Methods.perf_buffer_poll
Methods.kprobe_poll = Methods.perf_buffer_poll

---Delivers the events that are there, without waiting.
---@return number delivered
---@return integer|"interrupted"? stop as of `perf_buffer_poll`
function Methods:perf_buffer_consume()
    return events.poll(0)
end
Methods.ring_buffer_consume = Methods.perf_buffer_consume

---Delivers events until Ctrl-C or `BPF.exit`. The code after it runs.
---@return false ended as in bcc-lua, where the loop knows no other end
---@return "interrupted!" why
function Methods:perf_buffer_poll_loop()
    events.run()
    return false, events.interrupted
end
Methods.kprobe_poll_loop = Methods.perf_buffer_poll_loop

local function run(options)
    options = errors.options("run", options, { duration = "seconds" })
    return events.run(options.duration)
end

---Runs handlers and timers until Ctrl-C, `BPF.exit`, or the end of the duration.
---@param options? {duration?: number} seconds
---@return "interrupted"|"timeout" why
function Methods:run(options)
    return run(options)
end

for name, fn in pairs(trace) do
    Methods[name] = surface.as_method(fn)
end

-- ---------------------------------------------------------------- the class

function Instance.__index(self, name)
    local found = Methods[name] or rawget(self, "_maps")[name]
    if found == nil and name == "vars" then
        return self:variables()
    end
    if found == nil then
        local what = ("`%s` is neither a method of a BPF object nor a map of its C text"):format(tostring(name))
        errors.unknown(what, name, rawget(self, "_maps"), "maps", Methods)
    end
    return found
end

function Instance.__newindex(_, name)
    errors.fail({ what = ("cannot set `%s` of a BPF object"):format(tostring(name)), why = "its fields are the maps of the C text" })
end

function Instance.__tostring(self)
    return rawget(self, "_handle") and "BPF object" or "BPF object (closed)"
end

---@class bpflua.Class
---@overload fun(options: bpflua.BPFOptions): bpflua.BPF
local Class = {}

---Closes every BPF object of the script; given one, that one.
---@param object? bpflua.BPF the object to close; default: all
function Class.cleanup(object)
    if object ~= nil and object ~= package.loaded.bpf then
        return Methods.cleanup(object)
    end
    for i = #open_objects, 1, -1 do
        open_objects[i]:cleanup()
    end
end

---Asks the script to end, as Ctrl-C does: loops deliver what is left and return, and the code after them runs.
---@param status? integer exit status of the script (default 0)
function Class.exit(status)
    errors.arguments("exit", { "status", "u8" }, status)
    Class._status = status or 0
    native.run.request_stop()
end

---Whether Ctrl-C was pressed or `BPF.exit` called: `while not BPF.stopped() do b:perf_buffer_poll() end`.
---@return boolean
function Class.stopped()
    return events.stopped()
end

---Waits for so many seconds, or until Ctrl-C or `BPF.exit`. Handlers and timers run meanwhile.
---@param seconds number 0 or more, with fractions
---@return boolean whole false when it was cut short
function Class.sleep(seconds)
    errors.arguments("sleep", { "seconds", "seconds!" }, seconds)
    return events.run(seconds) == "timeout"
end

---Runs handlers and timers until Ctrl-C, `BPF.exit`, or the end of the duration.
---@param options? {duration?: number} seconds
---@return "interrupted"|"timeout" why
function Class.run(options)
    return run(options)
end

---Opens a prompt whose statements see and set the caller's locals, and returns when it is left. Events are handled
---meanwhile; without a terminal, statements are read from standard input.
function Class.repl()
    require("bpflua.repl.start").repl()
end

for name, method in pairs(inspect.methods) do
    Methods[name] = method
end

-- What needs no BPF object.
for _, module in ipairs({ "columns", "containers", "facts", "kernel", "net", "oneliners", "printf", "probes", "symbols", "system", "tools", "waiting" }) do
    for name, fn in pairs(require("bpflua." .. module)) do
        Class[name] = fn
    end
end
-- What bcc has as methods of an object too.
for _, set in ipairs({ require("bpflua.kernel"), require("bpflua.symbols"), inspect.functions, python.functions }) do
    for name, fn in pairs(set) do
        Class[name], Methods[name] = fn, surface.as_method(fn)
    end
end
Methods.monotonic_time = surface.as_method(Class.monotonic_time)

Class._status = false
constants.install(Class)
for _, name in ipairs(programs.STATIC) do
    Class[name] = programs[name]
end

local BPF = {}

---Where `src_file` is looked for besides the current folder; in place of the script's own folder.
---@param path string a file in that folder, such as the script
---@return bpflua.Class
function Class.script_root(path)
    errors.arguments("script_root", { "path", "string!" }, path)
    source.root = path:match("^(.*)/") or "."
    return package.loaded.bpf
end

---bcc-lua's way to say `BPF{…}`: `BPF:new{…}`.
---@return bpflua.BPF
function Class.new(first, options)
    return construct(first == BPF and options or first)
end

-- Those that find out by themselves how they were called.
local IN_BOTH_WAYS, STATIC = { new = true, cleanup = true }, {}
for _, name in ipairs(programs.STATIC) do
    IN_BOTH_WAYS[name], STATIC[name] = true, true
end

-- What can be done with an object that was closed.
local ANY_TIME = { cleanup = true, close = true }

local receiver = {
    noun = "BPF object",
    is = function(value)
        return getmetatable(value) == Instance
    end,
    ready = function(self, name)
        if not rawget(self, "_handle") and not ANY_TIME[name] then
            errors.fail({ what = ("cannot call `%s` of the BPF object"):format(name), why = "it was closed" })
        end
    end,
}

-- bcc-lua's limit of probes, which its scripts may set.
Class.KPROBE_LIMIT = 1000

surface.add_functions("bpflua.Class", Class, "BPF", IN_BOTH_WAYS)
surface.add_methods("bpflua.BPF", Methods, receiver, STATIC)
surface.add_methods("bpflua.Map", map.Map, map.receiver)

return setmetatable(BPF, {
    __call = function(_, options)
        return construct(options)
    end,
    __index = function(_, name)
        local found = Class[name]
        if found == nil then
            errors.unknown(("`BPF` has no function `%s`"):format(tostring(name)), name, Class, "functions of BPF")
        end
        return found
    end,
})
