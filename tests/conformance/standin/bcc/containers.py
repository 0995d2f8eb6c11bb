# SPDX-License-Identifier: Apache-2.0
"""The C text that tools put before their own to leave out processes of other containers."""

CGROUPS = """
BPF_TABLE_PINNED("hash", u64, u64, wanted_cgroups, 1024, "%s");
static inline int in_wanted_cgroup(void)
{
    u64 id = bpf_get_current_cgroup_id();
    return wanted_cgroups.lookup(&id) != NULL;
}
"""
NAMESPACES = """
#include <linux/nsproxy.h>
#include <linux/mount.h>
#include <linux/ns_common.h>
/* It is private to the kernel's fs/. Tools that have a definition of their own look for this macro first. */
#define MNT_NAMESPACE_DEFINED
struct mnt_namespace {
#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 11, 0)
    atomic_t count;
#endif
    struct ns_common ns;
};
BPF_TABLE_PINNED("hash", u64, u32, wanted_namespaces, 1024, "%s");
static inline int in_wanted_namespace(void)
{
    struct task_struct *task = (struct task_struct *)bpf_get_current_task();
    u64 inum = task->nsproxy->mnt_ns->ns.inum;
    return wanted_namespaces.lookup(&inum) != NULL;
}
"""


def filter_by_containers(args):
    cgroups, namespaces = getattr(args, "cgroupmap", None), getattr(args, "mntnsmap", None)
    text, tests = "", []
    if cgroups:
        text += CGROUPS % cgroups
        tests.append("!in_wanted_cgroup()")
    if namespaces:
        text += NAMESPACES % namespaces
        tests.append("!in_wanted_namespace()")
    return text + "static inline int container_should_be_filtered(void) { return %s; }\n" % (" || ".join(tests) or "0")
