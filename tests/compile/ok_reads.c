/* SPDX-License-Identifier: Apache-2.0 */
struct page_ { unsigned long flags; };
struct inode_ { unsigned long ino; int mode:12; int kind:4; };
struct dentry_ { struct inode_ *inode; struct { char name[16]; u32 len; } d; struct dentry_ *kids[4]; union { int a; u64 b; }; };
struct file_ { struct dentry_ *dentry; void *priv; u32 arr[8]; struct inode_ **ipp; };
#define GET(x, f) ((x)->f)
#define CONT(ptr, type, m) ((type *)((char *)(ptr) - __builtin_offsetof(type, m)))
struct key_t { u64 a; u32 b; char n[16]; };
BPF_HASH(ptrs, u32, struct file_ *);
BPF_HASH(out, struct key_t, u64);
static struct dentry_ *first_kid(struct dentry_ *d) { return d->kids[1] ? d->kids[1] : d; }
int f(struct pt_regs *ctx, struct file_ *file, int idx, unsigned char c6, void *x, long y, char z)
{
    struct key_t k = {};
    struct dentry_ *d = GET(file, dentry);
    k.a = first_kid(d)->inode->ino + file->arr[idx & 7] + (*file->ipp)->ino;
    struct inode_ *i = d->inode;
    k.b = i->kind + i->mode + d->b;
    __builtin_memcpy(k.n, d->d.name, 16);
    u32 tid = bpf_get_current_pid_tgid();
    ptrs.update(&tid, &file);
    struct dentry_ local = *d;
    k.a += local.d.len;
    for (int n = 0; n < 4; n++) { if (local.kids[n]) k.a += local.kids[n]->inode->ino; }
    struct dentry_ *cc = CONT(i, struct dentry_, d);
    k.a += cc->a;
    k.b += c6 + z + y;
    out.increment(k);
    return 0;
}
int r(struct pt_regs *ctx)
{
    u32 tid = bpf_get_current_pid_tgid();
    struct file_ **fp = ptrs.lookup(&tid);
    if (!fp) return 0;
    struct file_ *file = *fp;
    struct key_t k = { .a = file->dentry->inode->ino, .b = PT_REGS_RC(ctx) };
    out.increment(k);
    out.atomic_increment(k, 5);
    return 0;
}
int syscall__execve(struct pt_regs *ctx, const char *name, const char *const *argv) {
  struct key_t k = {};
  k.a = (u64)argv[1]; k.b = name[0];
  bpf_probe_read_user_str(k.n, sizeof(k.n), argv[2]);
  out.increment(k);
  return 0;
}
