-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- Python's `str.format`, as far as fields that are numbers and texts go: what bcc's scripts give to `trace_print`.

local errors = require("bpflua.errors")
local format = require("bpflua.format")

local M = {}

-- Digits in groups of three, as `{:,}` has them.
local function grouped(digits)
    local whole, rest = digits:match("^(%d+)(.*)$")
    if not whole then
        return digits
    end
    return whole:reverse():gsub("(%d%d%d)", "%1,"):reverse():gsub("^,", "") .. rest
end

local FLOAT = { f = "f", F = "f", e = "e", E = "E", g = "g", G = "G" }
local WHOLE = { d = "%d", n = "%d", x = "%x", X = "%X", o = "%o" }
local PREFIX = { x = "0x", X = "0X", o = "0o" }

-- A number's digits without its sign.
local function digits_of(value, spec)
    local kind = spec.kind
    if kind == "%" then
        return ("%." .. (spec.precision or 6) .. "f%%"):format(value * 100)
    elseif FLOAT[kind] then
        return ("%." .. (spec.precision or 6) .. FLOAT[kind]):format(value)
    elseif WHOLE[kind] then
        return (spec.alternative and PREFIX[kind] or "") .. WHOLE[kind]:format(value)
    elseif spec.precision then
        return ("%." .. spec.precision .. "g"):format(value)
    end
    return format.text(value)
end

local function number_text(value, spec)
    local digits = digits_of(math.abs(value), spec)
    local sign = value < 0 and "-" or spec.sign ~= "-" and spec.sign or ""
    return sign, spec.comma and grouped(digits) or digits
end

local function padded(text, spec, align, sign)
    local missing = (tonumber(spec.width) or 0) - #text - #sign
    if missing <= 0 then
        return sign .. text
    end
    local fill = spec.fill
    if align == "=" then
        return sign .. fill:rep(missing) .. text
    elseif align == "<" then
        return sign .. text .. fill:rep(missing)
    elseif align == "^" then
        local left = math.floor(missing / 2)
        return fill:rep(left) .. sign .. text .. fill:rep(missing - left)
    end
    return fill:rep(missing) .. sign .. text
end

-- The parts of what stands behind the colon; nil when it is no such thing.
local function parse(text)
    local fill, align, rest = text:match("^(.)([<>=^])(.*)$")
    if not fill then
        align, rest = text:match("^([<>=^]?)(.*)$")
    end
    local sign, alternative, zero, width, comma, precision, kind = rest:match("^([-+ ]?)(#?)(0?)(%d*)(,?)(%.?%d*)([bcdeEfFgGnosxX%%]?)$")
    if not sign or precision == "." or kind == "b" or kind == "c" then
        return nil
    end
    return {
        fill = fill or zero ~= "" and "0" or " ",
        align = align ~= "" and align or zero ~= "" and "=" or nil,
        sign = sign,
        alternative = alternative ~= "",
        width = width,
        comma = comma ~= "",
        precision = tonumber(precision:sub(2)),
        kind = kind,
    }
end

local function value_text(value, text, of, field)
    local spec = parse(text)
    local is_number = type(value) == "number"
    local fits = spec and (spec.kind == "" or (spec.kind == "s") ~= is_number)
    if not fits then
        errors.fail({
            what = ("`%s` does not understand `{%s:%s}`"):format(of, field, text),
            why = is_number and "a number takes a width, a precision and a kind: `{4:>12.3f}`" or "a text takes a width: `{5:<20}`",
        })
    end
    if is_number then
        local sign, digits = number_text(value, spec)
        return padded(digits, spec, spec.align or ">", sign)
    end
    value = format.text(value)
    return padded(spec.precision and value:sub(1, spec.precision) or value, spec, spec.align or "<", "")
end

---A template with its fields filled in: `{}` one after the other, `{0}` by number, `{pid}` by name, `{pid:>7}` in a width;
---`{{` and `}}` are braces.
---@param of string the function that took the template, for errors
---@param template string
---@param values any[] the fields
---@param names table<string, integer> where a field of a name is
---@return string
function M.format(of, template, values, names)
    local pieces, count, at = {}, 0, 1
    while at <= #template do
        local plain, brace, after = template:match("^([^{}]*)([{}]?)()", at)
        pieces[#pieces + 1] = plain
        local name, spec, behind = template:match("^([^{}:]*):?([^{}]*)}()", after)
        if brace == "" or template:sub(after, after) == brace then
            pieces[#pieces + 1], at = brace, after + #brace
        elseif brace == "{" and name then
            count = count + 1
            local value = values[name == "" and count or names[name] or tonumber(name) and tonumber(name) + 1]
            if value == nil then
                errors.unknown(("`%s` has no field `{%s}`"):format(of, name), name, names, "fields")
            end
            pieces[#pieces + 1], at = value_text(value, spec, of, name), behind
        else
            errors.fail({ what = ("`%s` cannot read `%s`"):format(of, template), why = "a brace of its own is written twice: `{{`, `}}`" })
        end
    end
    return table.concat(pieces)
end

return M
