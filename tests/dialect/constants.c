/* SPDX-License-Identifier: Apache-2.0 */
/* Constants and everyday macros have the kernel's values. */
#define is(x, y) _Static_assert((x) == (y), #x)
is(TASK_COMM_LEN, 16); is(PAGE_SIZE, 4096); is(PATH_MAX, 4096); is(NAME_MAX, 255);
is(EPERM, 1); is(EAGAIN, 11); is(EWOULDBLOCK, 11); is(EDEADLK, 35); is(EOPNOTSUPP, 95); is(EHWPOISON, 133); is(ERESTARTSYS, 512);
is(AF_INET, 2); is(AF_INET6, 10); is(PF_PACKET, 17); is(AF_UNIX, 1); is(SOL_SOCKET, 1);
is(S_IFREG, 0100000); is(O_CREAT, 0100); is(O_CLOEXEC, 02000000); is(AT_FDCWD, -100);
is(MAP_ANONYMOUS, 0x20); is(PROT_EXEC, 4); is(CLONE_THREAD, 0x10000); is(SIGKILL, 9);
is(PF_KTHREAD, 0x200000); is(PF_EXITING, 4); is(TASK_UNINTERRUPTIBLE, 2);
is(MAJOR(MKDEV(8, 3)), 8); is(MINOR(MKDEV(8, 3)), 3); is(ETH_P_IPV6, 0x86dd);
is(ARRAY_SIZE(((int[3]){})), 3); is(offsetof(struct pt_regs, ip), 128); is(sizeof(struct pt_regs), 168);
is(TC_ACT_SHOT, 2); is(XDP_PASS, 2); is(BPF_ANY, 0); is(BPF_NOEXIST, 1); is(IPPROTO_TCP, 6); is(TCP_LISTEN, 10);
is(true, 1); is(DIV_ROUND_UP(7, 4), 2); is(BIT(3), 8);

int sockets(struct pt_regs *ctx, struct sock *sk)
{
	struct dentry *d = container_of(&((struct path *)ctx->si)->dentry, struct path, dentry)->dentry;
	int n = min(3, 4) + max_t(u64, sk->sk_dport, 7) + READ_ONCE(sk->sk_num);

	if (likely(IS_ERR(d)))
		return PTR_ERR(d);
	WRITE_ONCE(n, n + 1);
	return n + sk->sk_family;
}
