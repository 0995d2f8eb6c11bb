/* SPDX-License-Identifier: Apache-2.0 */
/* The tutorial's program: a hash with a lookup, a deletion and an update.
 * load
 * asm: call 0x1$
 * asm: call 0x2$
 * asm: call 0x3$
 * instructions: 46, of which 6 count an update that the map does not take */
BPF_HASH(last);

SEC("tracepoint/syscalls/sys_enter_sync")
int do_trace(void *ctx)
{
	u64 ts, *tsp, delta, key = 0;

	tsp = last.lookup(&key);
	if (tsp) {
		delta = bpf_ktime_get_ns() - *tsp;
		if (delta < NSEC_PER_SEC)
			bpf_trace_printk("%d\n", delta / NSEC_PER_MSEC);
		last.delete(&key);
	}
	ts = bpf_ktime_get_ns();
	last.update(&key, &ts);
	return 0;
}
