-- SPDX-License-Identifier: Apache-2.0
print(arg[0] .. " " .. #arg .. " " .. table.concat(arg, " "))
