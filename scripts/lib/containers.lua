-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- Programs that look at some containers only: C for `container_should_be_filtered()`, as bcc's tools call it.
--
-- Which containers is in a pinned hash, kept up to date by whoever knows them: cgroup ids (`--cgroupmap`) or the
-- numbers of mount namespaces (`--mntnsmap`).

local errors = require("bpflua.errors")

local M = {}

local OPTIONS = { cgroupmap = "string", mntnsmap = "string" }

local CGROUPS = [[
BPF_TABLE_PINNED("hash", u64, u64, cgroupset, 1024, "%s");
static inline int _cgroup_filter(void)
{
	u64 id = bpf_get_current_cgroup_id();

	return cgroupset.lookup(&id) == NULL;
}
]]

local MOUNT_NAMESPACES = [[
BPF_TABLE_PINNED("hash", u64, u32, mount_ns_set, 1024, "%s");
static inline int _mntns_filter(void)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	u64 id = task->nsproxy->mnt_ns->ns.inum;

	return mount_ns_set.lookup(&id) == NULL;
}
]]

local function part(text, path, name)
    if path then
        return text:format(path)
    end
    return ("static inline int %s(void) { return 0; }\n"):format(name)
end

---C text that declares `container_should_be_filtered()`: whether the current task is in none of the containers.
---@param args? {cgroupmap?: string, mntnsmap?: string} paths of pinned maps; without either, nothing is filtered
---@return string c_text to put before a program's own
function M.filter_by_containers(args)
    errors.arguments("filter_by_containers", { "args", "table" }, args)
    local given = {}
    -- The whole of a script's parsed arguments may be passed.
    for name in pairs(OPTIONS) do
        given[name] = args and args[name]
    end
    errors.options("filter_by_containers", given, OPTIONS)
    return part(CGROUPS, given.cgroupmap, "_cgroup_filter")
        .. part(MOUNT_NAMESPACES, given.mntnsmap, "_mntns_filter")
        .. "static inline int container_should_be_filtered(void) { return _cgroup_filter() || _mntns_filter(); }\n"
end

return M
