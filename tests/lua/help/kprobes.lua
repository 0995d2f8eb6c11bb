-- SPDX-License-Identifier: Apache-2.0
-- Whether this kernel has kprobes; and how a test attaches to one of its functions.

local M = {}

local type_file = io.open("/sys/bus/event_source/devices/kprobe/type")

---The reason not to run a test that needs them; false where they are.
M.lacking = not type_file and "this kernel has no kprobes"
if type_file then
    type_file:close()
end

---What the scheduler calls when a task has taken another's place. Compilers give it suffixes.
M.TASK_SWITCH = [[finish_task_switch(\.isra\.\d+)?]]

return M
