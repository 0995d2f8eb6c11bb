/* SPDX-License-Identifier: Apache-2.0 */
/* What the compiler would have written from BTF for these tests: a few types, and the enumerators they name. */
#pragma clang system_header
#include "bpflua/fallback_enums.h"
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct qstr { u32 hash; u32 len; const unsigned char *name; };
struct dentry { struct dentry *d_parent; struct qstr d_name; };
struct path { void *mnt; struct dentry *dentry; };
struct file { unsigned f_mode; struct path f_path; };
struct mm_struct { unsigned long total_vm; };
struct task_struct { int pid; int tgid; struct task_struct *real_parent; struct mm_struct *mm; char comm[16]; unsigned sched_reset_on_fork : 1; unsigned in_execve : 1; };
struct sock_common { u32 skc_daddr; u16 skc_dport; u16 skc_num; u16 skc_family; unsigned char skc_state; };
struct sock { struct sock_common __sk_common; };
struct filename { const char *name; };
struct linux_binprm { struct file *file; };
struct seq_file;
#pragma clang attribute pop
struct bpf_raw_tracepoint_args { u64 args[0]; };
struct tracepoint__sched__sched_switch { u64 __do_not_use__; char prev_comm[16]; int prev_pid; int prev_prio; long prev_state; char next_comm[16]; int next_pid; int next_prio; };
struct tracepoint__irq__irq_handler_entry { u64 __do_not_use__; int irq; int data_loc_name; };
struct bpf_iter_meta { struct seq_file *seq; u64 session_id; u64 seq_num; };
struct bpf_iter__task { struct bpf_iter_meta *meta; struct task_struct *task; };
struct bpf_perf_event_data { bpf_user_pt_regs_t regs; u64 sample_period; u64 addr; };
struct xdp_md { u32 data; u32 data_end; u32 data_meta; u32 ingress_ifindex; u32 rx_queue_index; u32 egress_ifindex; };
struct __sk_buff { u32 len; u32 pkt_type; u32 mark; u32 queue_mapping; u32 protocol; u32 vlan_present; u32 vlan_tci; u32 vlan_proto; u32 priority; u32 ingress_ifindex; u32 ifindex; u32 tc_index; u32 cb[5]; u32 hash; u32 tc_classid; u32 data; u32 data_end; };
struct sk_msg_md { u64 data; u64 data_end; u32 family; };
struct bpf_sock_ops { u32 op; u32 args[4]; u32 family; u32 remote_ip4; u32 local_ip4; };
struct bpf_sock { u32 bound_dev_if; u32 family; u32 type; };
enum { STUB_ENUM_VALUE = 3 };
enum stub_kind { STUB_KIND_A = 1, STUB_KIND_B = 2 };
