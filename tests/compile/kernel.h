/* SPDX-License-Identifier: Apache-2.0 */
/* A kernel of a few types, in the words of the real one: what the tests of the compiler take their BTF from. */
struct qstr { u64 hash_len; const unsigned char *name; };
struct super_block { u32 s_dev; };
struct inode { unsigned long i_ino; struct super_block *i_sb; unsigned short i_mode : 12, i_kind : 4; };
struct dentry { struct dentry *d_parent; struct qstr d_name; struct inode *d_inode; unsigned char d_iname[40]; };
struct vfsmount { int mnt_flags; };
struct path { struct vfsmount *mnt; struct dentry *dentry; };
struct file { union { struct { int f_lock; }; long f_other; }; struct path f_path; struct inode *f_inode; u32 f_flags; };
struct files_struct { struct file *fd_array[64]; };
struct task_struct { unsigned int __state; int pid; int tgid; struct task_struct *real_parent, *group_leader;
	struct files_struct *files; char comm[16]; };
struct sock_common { union { struct { u32 skc_daddr, skc_rcv_saddr; }; u64 skc_addrpair; }; u16 skc_dport, skc_num;
	u16 skc_family; };
struct sock { struct sock_common __sk_common; };
struct rq { int lock; unsigned int nr_running; struct task_struct *curr; };
enum flavour { FLAVOUR_SWEET, FLAVOUR_SOUR = 7 };
typedef struct { int counter; } atomic_t;

struct everything {
	struct file file;
	struct task_struct task;
	struct sock sock;
	struct rq rq;
	enum flavour flavour;
	atomic_t atomic;
	struct vfsmount mnt;
	struct super_block sb;
	struct inode inode;
	struct dentry dentry;
	struct files_struct files;
};
struct everything everything;
