/* SPDX-License-Identifier: Apache-2.0 */
/* A program in libbpf's style compiles as it is.
 * license: Dual BSD/GPL
 * sections: kprobe/do_unlinkat kretprobe/do_unlinkat ksyscall/unlinkat fentry/do_unlinkat uprobe uretprobe */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>

#define MAX_ENTRIES 256

char LICENSE[] SEC("license") = "Dual BSD/GPL";
const volatile pid_t target = 0;
u64 total = 0;

struct event { int pid; u16 family; char comm[TASK_COMM_LEN]; };

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAX_ENTRIES);
	__type(key, u32);
	__type(value, struct event);
	__uint(pinning, LIBBPF_PIN_NONE);
} starts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 12);
} rb SEC(".maps");

SEC("kprobe/do_unlinkat")
int BPF_KPROBE(on_unlink, int dfd, struct filename *name)
{
	struct event e = {}, *found;
	u32 pid = bpf_get_current_pid_tgid() >> 32;
	const char *path = BPF_CORE_READ(name, name);

	if (target && pid != target)
		return 0;
	bpf_map_update_elem(&starts, &pid, &e, BPF_ANY);
	found = bpf_map_lookup_elem(&starts, &pid);
	if (found)
		__sync_fetch_and_add(&total, 1);
	bpf_printk("%d %s", dfd, path);
	return 0;
}

SEC("kretprobe/do_unlinkat")
int BPF_KRETPROBE(on_unlinked, long ret)
{
	struct event *e = bpf_ringbuf_reserve(&rb, sizeof(*e), 0);

	if (!e)
		return 0;
	e->pid = ret;
	bpf_ringbuf_submit(e, 0);
	return 0;
}

SEC("ksyscall/unlinkat")
int BPF_KSYSCALL(on_call, int dfd, const char *path, int flags)
{
	bpf_printk("%d %s %x", dfd, path, flags);
	return 0;
}

SEC("uprobe")
int BPF_UPROBE(on_user, int a, void *b)
{
	return a + (long)b;
}

SEC("uretprobe")
int BPF_URETPROBE(on_user_ret, int r)
{
	return r;
}

static long each(u32 i, void *sum)
{
	*(u32 *)sum += i;
	return 0;
}

SEC("fentry/do_unlinkat")
int BPF_PROG(fentry_unlink, int dfd, struct filename *name)
{
	struct task_struct *t = (void *)bpf_get_current_task();
	u16 sk_family = 2, sk_state = 3;
	struct event e;
	int i, sum = 0, v;
	u32 total_steps = 0;

	e.pid = BPF_CORE_READ(t, real_parent, real_parent, tgid);
	BPF_CORE_READ_INTO(&e.pid, t, real_parent, tgid);
	BPF_CORE_READ_STR_INTO(&e.comm, t, real_parent, comm);
	bpf_core_read(&e.pid, sizeof(e.pid), &t->pid);
	bpf_core_read_str(e.comm, sizeof(e.comm), &t->comm);
	BPF_PROBE_READ_INTO(&v, t, pid);
	v += BPF_PROBE_READ(t, mm, total_vm) + BPF_CORE_READ_USER(t, pid) + BPF_PROBE_READ_USER(t, real_parent, pid);
	v += BPF_CORE_READ_BITFIELD_PROBED(t, in_execve) + BPF_CORE_READ_BITFIELD(t, in_execve);
	if (bpf_core_field_exists(t->mm) && bpf_core_field_exists(struct task_struct, comm) &&
	    bpf_core_type_exists(struct task_struct) && bpf_core_enum_value_exists(enum stub_kind, STUB_KIND_B))
		v += bpf_core_field_size(t->comm) + bpf_core_type_size(struct file) +
		     bpf_core_field_offset(struct task_struct, pid) + bpf_core_enum_value(enum stub_kind, STUB_KIND_B);
	bpf_for(i, 0, 10)
		sum += i;
	bpf_repeat(3)
		sum++;
	bpf_loop(10, each, &total_steps, 0);
	barrier_var(sum);
	if (unlikely(sum > 3))
		e.family = bpf_htons(sk_family + sk_state);
	bpf_printk("%s %d %d", e.comm, v, sum);
	return 0;
}
