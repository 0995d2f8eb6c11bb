/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* Open files and their paths, where the kernel allows no bpf_d_path(): at tracepoints and kprobes. A text asks for it with
 * `#include <bpflua/files.h>`; others do not pay for it. */
#ifndef __BPFLUA_FILES_H
#define __BPFLUA_FILES_H

/* The open file behind a descriptor of the current process; NULL when there is none. */
static __always_inline struct file *bpf_file_of(int fd)
{
    struct task_struct *task = (struct task_struct *)bpf_get_current_task();
    struct fdtable *table = task->files->fdt;
    struct file *file = 0;

    if (fd < 0 || (u32)fd >= table->max_fds)
        return 0;
    struct file **files = table->fd;
    bpf_probe_read_kernel(&file, sizeof(file), &files[fd]);
    return file;
}

/* The names that a path is made of, the innermost first, each with its NUL; `bpflua.tool_paths` makes text of it. What is
 * deeper than BPF_PATH_DEPTH names or longer than BPF_PATH_BYTES is cut at the root's end, and `is_cut` tells so. */
#define BPF_PATH_BYTES 4096
#define BPF_PATH_DEPTH 48
struct bpf_path_names {
    u32 size, is_cut;
    char names[BPF_PATH_BYTES + 256];
};

/* Reads the path from the root of the current process (or of its mount namespace) to `dentry` in `mnt`. `out` has to be a value of
 * a map: what is in memory the verifier does not follow, so that all turns of the loop are the same to it. */
static __always_inline void bpf_path_read(struct bpf_path_names *out, struct vfsmount *mnt, struct dentry *dentry)
{
    struct task_struct *task = (struct task_struct *)bpf_get_current_task();
    struct dentry *root = task->fs->root.dentry;
    struct vfsmount *root_mnt = task->fs->root.mnt;
    volatile u32 *size = &out->size;

    *size = 0;
    out->is_cut = 0;
    for (int i = 0; i < BPF_PATH_DEPTH; i++) {
        if ((dentry == root && mnt == root_mnt) || !dentry)
            return;
        struct dentry *parent = dentry->d_parent;
        if (dentry == parent || dentry == mnt->mnt_root) {
            struct mount *mount = container_of(mnt, struct mount, mnt);
            struct mount *above = mount->mnt_parent;
            if (above == mount)
                return;
            dentry = mount->mnt_mountpoint;
            mnt = &above->mnt;
            continue;
        }
        u32 at = *size;
        if (at >= BPF_PATH_BYTES)
            break;
        barrier_var(at); // else the mask is left out, which the verifiers of older kernels want to see
        at &= BPF_PATH_BYTES - 1;
        int length = bpf_probe_read_kernel_str(&out->names[at], 256, dentry->d_name.name);
        *size = at + length;
        dentry = parent;
    }
    out->is_cut = 1;
}

#endif
