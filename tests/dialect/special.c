/* SPDX-License-Identifier: Apache-2.0 */
/* Maps that hold something other than plain values.
 * load
 * notes: pinned_sockets:pin=/sys/fs/bpf/bpflua_xsk */
struct item { u64 a; u32 b; u32 c; };
BPF_QUEUE(queue, u64, 16);
BPF_QUEUE(queue_of, struct item, 16, 0);
BPF_STACK(stack, struct item, 16);
BPF_STACK(stack_flags, u32, 16, 0);
BPF_QUEUESTACK_PUBLIC("queue", public_queue, u64, 8, 0);
BPF_QUEUESTACK_SHARED("stack", shared_stack, u64, 8, 0);
BPF_PROG_ARRAY(stages, 4);
BPF_CGROUP_ARRAY(groups, 2);
BPF_PERF_ARRAY(cycles, 64);
BPF_DEVMAP(devices, 4);
BPF_CPUMAP(cpus, 4);
BPF_XSKMAP(sockets, 4);
BPF_XSKMAP(pinned_sockets, 4, "/sys/fs/bpf/bpflua_xsk");
BPF_SOCKHASH(sock_hash);
BPF_SOCKHASH(sock_hash_key, struct item);
BPF_SOCKHASH(sock_hash_size, u32, 64);
BPF_SOCKMAP(sock_map, 16);
BPF_SK_STORAGE(of_sock, struct item);
BPF_CGROUP_STORAGE(of_cgroup, u64);
BPF_PERCPU_CGROUP_STORAGE(of_cgroup_cpu, u64);

SEC("xdp")
int redirect(struct xdp_md *ctx)
{
	int slot = ctx->rx_queue_index;
	struct item item = { 1, 2, 3 };
	u64 v = 1;

	queue.push(&v, BPF_EXIST);
	queue.pop(&v);
	queue.peek(&v);
	queue_of.push(&item, 0);
	stack.push(&item, 0);
	stack.pop(&item);
	stack_flags.peek(&item.b);
	public_queue.push(&v, 0);
	shared_stack.pop(&v);
	stages.call(ctx, 1);
	if (sockets.lookup(&slot))
		return sockets.redirect_map(slot, 0);
	if (devices.lookup(&slot))
		return devices.redirect_map(slot, XDP_PASS);
	return cpus.redirect_map(1, 0);
}

SEC("raw_tracepoint/sched_switch")
int counters(void *ctx)
{
	struct { u64 counter, enabled, running; } now = {};

	if (groups.check_current_task(0) == 1)
		return 0;
	cycles.perf_counter_value(bpf_get_smp_processor_id(), &now, sizeof(now));
	return cycles.perf_read(bpf_get_smp_processor_id()) + now.counter > 0;
}

SEC("sockops")
int add_socket(struct bpf_sock_ops *ctx)
{
	u32 key = 1;
	struct item item = {};

	sock_hash.sock_hash_update(ctx, &key, BPF_ANY);
	sock_hash_key.sock_hash_update(ctx, &item, BPF_ANY);
	sock_map.sock_map_update(ctx, &key, BPF_ANY);
	sock_hash_size.delete(&key);
	return 0;
}

SEC("sk_msg")
int message(struct sk_msg_md *msg)
{
	u32 key = 1;

	if (msg->family == AF_INET)
		return sock_map.msg_redirect_map(msg, 0, 0);
	return sock_hash.msg_redirect_hash(msg, &key, BPF_F_INGRESS);
}

SEC("sk_skb/stream_verdict")
int verdict(struct __sk_buff *skb)
{
	u32 key = 1;

	if (skb->len > 100)
		return sock_map.sk_redirect_map(skb, 0, 0);
	return sock_hash.sk_redirect_hash(skb, &key, 0);
}

SEC("cgroup_skb/egress")
int account(struct __sk_buff *skb)
{
	u64 *bytes = of_cgroup.get_local_storage(0);

	__sync_fetch_and_add(bytes, skb->len);
	*of_cgroup_cpu.get_local_storage(0) += 1;
	return 1;
}
