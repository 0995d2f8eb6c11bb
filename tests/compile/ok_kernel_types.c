/* SPDX-License-Identifier: Apache-2.0 */
#include <linux/fs.h>
#include <linux/sched.h>
#include <net/sock.h>
struct seen_t { u32 pid; u64 ino; char name[32]; u16 port; u32 state; };
BPF_PERF_OUTPUT(events);
BPF_HASH(stats, struct seen_t);
int on_read(struct pt_regs *ctx, struct file *file, char *buf, size_t count)
{
	struct seen_t d = {};
	struct task_struct *t = (struct task_struct *)bpf_get_current_task();
	d.pid = t->real_parent->tgid;
	d.ino = file->f_inode->i_ino + file->f_path.dentry->d_inode->i_sb->s_dev + file->f_inode->i_kind;
	bpf_probe_read_kernel(&d.name, sizeof(d.name), file->f_path.dentry->d_name.name);
	d.state = t->__state + t->files->fd_array[3]->f_flags;
	events.perf_submit(ctx, &d, sizeof(d));
	stats.increment(d);
	return 0;
}
int on_socket(struct pt_regs *ctx, struct sock *sk)
{
	struct seen_t d = {};
	d.port = sk->__sk_common.skc_dport;
	if (sk->sk_family == AF_INET)
		d.state = FLAVOUR_SOUR;
	events.perf_submit(ctx, &d, sizeof(d));
	return 0;
}
