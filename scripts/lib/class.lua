-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- `class(name, super)`: the classes that bcc-lua's scripts know (those of middleclass 4).
--
--     local Point = class("Point")
--     function Point:initialize(x) self.x = x end
--     local p = Point:new(1)          -- or Point(1)
--
-- A class is callable; `C.static` holds what instances do not see; metamethods are inherited like methods.

---@class bpflua.UserClass
---@field name string
---@field super? bpflua.UserClass
---@field static table what the class has and its instances have not
---@field subclasses table<bpflua.UserClass, true>

-- Puts a method into a class and into those subclasses that have no own one of the name.
local function inherit(class, name, method)
    if name == "__index" and method ~= nil then
        -- Instances find their methods first, then ask the class's own `__index`.
        local methods, own = class.__instanceDict, method
        method = function(self, key)
            local found = methods[key]
            if found ~= nil then
                return found
            end
            return type(own) == "function" and own(self, key) or type(own) == "table" and own[key] or nil
        end
    elseif name == "__index" then
        method = class.__instanceDict
    end
    class.__instanceDict[name] = method
    for subclass in pairs(class.subclasses) do
        if rawget(subclass.__declaredMethods, name) == nil then
            inherit(subclass, name, class.__declaredMethods[name])
        end
    end
end

local function declare(class, name, method)
    class.__declaredMethods[name] = method
    if method == nil and class.super then
        method = class.super.__instanceDict[name]
    end
    inherit(class, name, method)
end

local function new_class(name, super)
    local methods = {}
    methods.__index = methods
    local static = setmetatable({}, {
        __index = function(_, key)
            local found = rawget(methods, key)
            if found == nil and super then
                found = super.static[key]
            end
            return found
        end,
    })
    local class = {
        name = name,
        super = super,
        static = static,
        subclasses = setmetatable({}, { __mode = "k" }),
        __instanceDict = methods,
        __declaredMethods = {},
    }
    return setmetatable(class, {
        __index = static,
        __newindex = declare,
        __tostring = function()
            return "class " .. name
        end,
        __call = function(self, ...)
            return self:new(...)
        end,
    })
end

local function is_class(value)
    return type(value) == "table" and type(rawget(value, "__instanceDict")) == "table"
end

-- ---------------------------------------------------------------- what every class has

local Root = { static = {} }

function Root:initialize() end

function Root:__tostring()
    return "instance of " .. tostring(self.class)
end

---Whether this is an instance of the class or of one below it.
function Root:isInstanceOf(class)
    return is_class(self.class) and is_class(class) and (self.class == class or self.class:isSubclassOf(class))
end

---An instance that `initialize` has not seen.
function Root.static:allocate()
    return setmetatable({ class = self }, self.__instanceDict)
end

function Root.static:new(...)
    local instance = self:allocate()
    instance:initialize(...)
    return instance
end

function Root.static:subclass(name)
    assert(type(name) == "string", "a class needs a name")
    local subclass = new_class(name, self)
    for key, method in pairs(self.__instanceDict) do
        if key ~= "__index" then
            inherit(subclass, key, method)
        end
    end
    if self.__declaredMethods.__index then
        inherit(subclass, "__index", self.__declaredMethods.__index)
    end
    self.subclasses[subclass] = true
    self:subclassed(subclass)
    return subclass
end

---Called with each new subclass; for classes that want to know.
function Root.static:subclassed() end

function Root.static:isSubclassOf(other)
    local super = self.super
    return is_class(other) and is_class(super) and (super == other or super:isSubclassOf(other))
end

---Takes the methods of mixins; `mixin.included(mixin, class)` is called after.
function Root.static:include(...)
    for _, mixin in ipairs({ ... }) do
        assert(type(mixin) == "table", "a mixin is a table")
        for name, method in pairs(mixin) do
            if name ~= "included" and name ~= "static" then
                self[name] = method
            end
        end
        for name, value in pairs(mixin.static or {}) do
            self.static[name] = value
        end
        if type(mixin.included) == "function" then
            mixin:included(self)
        end
    end
    return self
end

---Makes a class.
---@param name string shown by `tostring`
---@param super? bpflua.UserClass
---@return bpflua.UserClass
return function(name, super)
    assert(type(name) == "string", "a class needs a name")
    if super then
        return super:subclass(name)
    end
    return Root.static.include(new_class(name), Root)
end
