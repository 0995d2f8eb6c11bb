// SPDX-License-Identifier: Apache-2.0
/* The event that the traced program and the one that reads it share. */
struct event {
	__u32 pid, tid;
	__u64 ts, val;
	char comm[16];
};
