-- SPDX-License-Identifier: Apache-2.0
local function inner(event)
    return event.pid.value
end

local function outer()
    local value = inner({})
    return value
end

outer()
