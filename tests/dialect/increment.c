/* SPDX-License-Identifier: Apache-2.0 */
/* increment in all its forms: by value, with a step, with compound literals whose commas look like arguments.
 * load */
struct key { u32 pid; char comm[TASK_COMM_LEN]; };
struct pair { u32 a, b; };
typedef struct { u64 ip; u64 sp; u32 cpu; } place_t;

BPF_HASH(counts, struct key);
BPF_HASH(pairs, struct pair, u32);
BPF_HASH(places, place_t);
BPF_HASH(by_pid, u32);
BPF_HASH(small, u32, u16);
BPF_ARRAY(slots, u64, 16);
BPF_PERCPU_ARRAY(cpu_slots, u64, 16);
BPF_PERCPU_HASH(cpu_counts, u32, u32);
BPF_LRU_HASH(recent, struct pair);
BPF_HISTOGRAM(dist);
BPF_HISTOGRAM(dist_by, struct pair);

/* A text may have its own function of the name. */
static int increment(int x) { return x + 1; }
static int atomic_increment(int *p, int n) { return *p += n; }

SEC("raw_tracepoint/sched_switch")
int forms(void *ctx)
{
	struct key key = { .pid = bpf_get_current_pid_tgid() };
	struct pair p = { 1, 2 }, *pp = &p;
	int n = 3;

	bpf_get_current_comm(key.comm, sizeof(key.comm));
	counts.increment(key);
	counts.increment(key, 2);
	counts.increment(key, n);
	counts.atomic_increment(key);
	counts.atomic_increment(key, -1);
	counts.increment((struct key){ 7 });
	counts.increment((struct key){ .pid = 7, .comm = "x" });
	counts.increment((struct key){ .pid = 7, .comm = "x" }, 4);
	counts.atomic_increment((struct key){ .pid = 7, .comm = "x" }, n);
	pairs.increment((struct pair){ 1, 2 });
	pairs.increment((struct pair){ key.pid, n }, 5);
	pairs.increment(*pp, 5);
	pairs.increment((*pp));
	pairs.increment((*pp), 6);
	places.increment((place_t){ 1, 2, 3 });
	by_pid.increment(key.pid);
	by_pid.increment((u32)bpf_ktime_get_ns(), 9);
	by_pid.increment((n) + 1, 9);
	by_pid.increment((u64)key.pid << 2, n);
	by_pid.increment(({ u32 x = n; x; }), 2);
	by_pid.increment(n++);
	small.increment(1);
	small.atomic_increment(1, 2);
	slots.increment(n & 15);
	slots.atomic_increment(n & 15, 100);
	cpu_slots.increment(3);
	cpu_slots.increment(3, 7);
	cpu_slots.atomic_increment(3);
	cpu_slots.atomic_increment(3, 7);
	cpu_counts.increment(5);
	recent.increment((struct pair){ 3, 4 });
	dist.increment(bpf_log2l(n));
	dist.atomic_increment(bpf_log2l(n), 2);
	dist_by.increment(p);
	dist_by.increment((struct pair){ .a = 1, .b = bpf_log2(n) });
	return increment(n) + atomic_increment(&n, 2);
}
