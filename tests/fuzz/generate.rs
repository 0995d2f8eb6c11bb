// SPDX-License-Identifier: Apache-2.0
//! Random but plausible C texts of the dialect: maps, probes, kernel structs, macros, loops, packets, and mistakes.
//!
//! Every choice is taken from the bytes given, so that a fuzzer can steer it and a seed gives one text for ever.

use std::fmt::Write as _;

/// Bytes that choices are taken from; zeros once they are used up.
pub struct Choices<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Choices<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Choices { bytes, at: 0 }
    }

    fn byte(&mut self) -> usize {
        self.at += 1;
        self.bytes.get(self.at - 1).copied().map_or(0, usize::from)
    }

    fn below(&mut self, limit: usize) -> usize {
        self.byte() % limit.max(1)
    }

    fn one<'b>(&mut self, of: &[&'b str]) -> &'b str {
        of[self.below(of.len())]
    }

    /// One time in `of`.
    fn rarely(&mut self, of: usize) -> bool {
        self.below(of) == 1
    }
}

const TYPES: &[&str] =
    &["u8", "u16", "u32", "u64", "int", "s64", "struct key_t", "struct value_t", "char", "bool", "pid_t"];
const NUMBERS: &[&str] =
    &["0", "1", "-1", "7", "0xffffffff", "1ULL << 40", "sizeof(key)", "PAGE_SIZE", "TASK_COMM_LEN"];
const MAPS: &[&str] = &[
    "BPF_HASH(m, KEY, VALUE)",
    "BPF_HASH(m)",
    "BPF_HASH(m, KEY)",
    "BPF_ARRAY(m, VALUE, 16)",
    "BPF_HISTOGRAM(m)",
    "BPF_HISTOGRAM(m, KEY)",
    "BPF_PERCPU_ARRAY(m, VALUE, 4)",
    "BPF_PERCPU_HASH(m, KEY, VALUE)",
    "BPF_STACK_TRACE(m, 100)",
    "BPF_PERF_OUTPUT(m)",
    "BPF_RINGBUF_OUTPUT(m, 8)",
    "BPF_QUEUE(m, VALUE, 8)",
    "BPF_STACK(m, VALUE, 8)",
    "BPF_LPM_TRIE(m, struct key_t, VALUE)",
    "BPF_PROG_ARRAY(m, 4)",
    "BPF_TABLE(\"lru_hash\", KEY, VALUE, m, 64)",
    "BPF_TABLE(\"no such\", KEY, VALUE, m, 64)",
    "BPF_CGROUP_ARRAY(m, 2)",
    "BPF_PERF_ARRAY(m, 2)",
    "BPF_DEVMAP(m, 2)",
];
const METHODS: &[&str] = &[
    "m.increment(KEY_VALUE)",
    "m.increment(KEY_VALUE, NUMBER)",
    "m.atomic_increment(KEY_VALUE)",
    "m.update(&key, &value)",
    "m.insert(&key, &value)",
    "m.delete(&key)",
    "m.lookup(&key)",
    "m.lookup_or_try_init(&key, &value)",
    "m.lookup_or_init(&key, &value)",
    "m.perf_submit(ctx, &value, sizeof(value))",
    "m.ringbuf_output(&value, sizeof(value), 0)",
    "m.get_stackid(ctx, 0)",
    "m.push(&value, 0)",
    "m.pop(&value)",
    "m.peek(&value)",
    "m.call(ctx, NUMBER)",
    "m.perf_read(0)",
    "m.check_current_task(0)",
    "m.redirect_map(0, 0)",
    "m.nothing(&key)",
    "m.update(&key)",
    "m.increment((struct key_t){1, 2})",
    "m.lookup(key)",
    "m",
    "&m",
];
const READS: &[&str] = &[
    "task->pid",
    "task->real_parent->tgid",
    "task->comm[NUMBER]",
    "task->mm->pgd",
    "task->no_such_member",
    "!task->mm",
    "task->files->fdt->fd[1]->f_path.dentry->d_name.name[0]",
    "(&task->se)->vruntime",
    "container_of(&task->se, struct task_struct, se)->pid",
    "*(u64 *)task",
    "((struct sock *)task)->sk_family",
    "task->sched_class == 0",
    "task->cred->uid.val",
    "sizeof(*task)",
    "task[0].tgid",
    "PT_REGS_PARM1(ctx)",
    "PT_REGS_RC(ctx)",
    "bpf_core_field_exists(task->no_such_member)",
    "BPF_CORE_READ(task, mm, start_code)",
    "HELPER(task)",
    "helper(task)",
    "task->sched_reset_on_fork",
    "task->in_execve + task->jobctl",
    "value.bits",
    "value.rest++",
    "((struct iphdr *)task)->ihl",
    "BPF_CORE_READ_BITFIELD_PROBED(task, in_execve)",
    "skb_network_header((struct sk_buff *)task)",
    "SKB_MAX_ORDER",
    "task->pid + (task->in_execve = 1)",
    "({ struct iphdr ip = {}; ip.version = a; ip.version; })",
];
const CALLS: &[&str] = &[
    "bpf_trace_printk(\"%d %s\\n\", NUMBER, value.name)",
    "bpf_get_current_comm(&value.name, sizeof(value.name))",
    "bpf_probe_read_kernel(&value, sizeof(value), (void *)task)",
    "bpf_no_such_helper(1)",
    "bpf_ktime_get_ns()",
    "bpf_log2l(READ)",
    "bpf_get_prandom_u32()",
    "bpf_override_return(ctx, NUMBER)",
    "__builtin_memset(&value, 0, sizeof(value))",
    "bpf_probe_read_user_str(value.name, NUMBER, (void *)task)",
    "bpf_send_signal(9)",
    "recurse(NUMBER)",
];
const HEADS: &[&str] = &[
    "int probe(struct pt_regs *ctx)",
    "int probe(struct pt_regs *ctx, struct task_struct *task, int a, char *b)",
    "int kprobe__vfs_read(struct pt_regs *ctx, struct file *file)",
    "int kretprobe__vfs_read(struct pt_regs *ctx)",
    "TRACEPOINT_PROBE(sched, sched_switch)",
    "TRACEPOINT_PROBE(no, such)",
    "RAW_TRACEPOINT_PROBE(sched_switch)",
    "int probe(struct __sk_buff *ctx)",
    "int probe(struct xdp_md *ctx)",
    "int probe(struct bpf_perf_event_data *ctx)",
    "KFUNC_PROBE(vfs_open, const struct path *path)",
    "LSM_PROBE(file_open, struct file *file)",
    "BPF_ITER(task)",
    "SEC(\"fentry/vfs_open\") int BPF_PROG(probe, const struct path *path)",
    "int syscall__execve(struct pt_regs *ctx, const char *name)",
    "int probe(void *ctx)",
    "void probe(struct pt_regs *ctx)",
    "int probe(struct pt_regs *ctx, int a, int b, int c, int d, int e, int f, int g)",
    "SEC(\"nonsense\") int probe(void *ctx)",
    "int probe(struct no_such *ctx)",
    "static int probe(struct pt_regs *ctx)",
];
const MISTAKES: &[&str] = &[
    "}",
    "if (",
    "value.nothing = 1;",
    "task->pid = 1;",
    "char big[600] = {}; value.name[0] = big[a];",
    "return \"text\";",
    "goto nowhere;",
    "for (;;) a++;",
    "float f = 1.5; value.count += f * a;",
    "int n = a; char vla[n]; vla[0] = 1;",
    "asm(\"nonsense\");",
    "__builtin_trap();",
    "undeclared++;",
    "key = value;",
    "struct key_t key = {};",
    "#error stop\n",
    "void (*f)(void) = 0; f();",
    "value.count /= 0;",
    "__sync_fetch_and_add(&task->pid, 1);",
    "static int s; s++;",
    "'",
];

/// A text of the dialect.
pub fn text(bytes: &[u8]) -> String {
    let mut choices = Choices::new(bytes);
    let mut text = String::from("#include <linux/sched.h>\nstruct key_t { u32 a; u32 b; };\n");
    text.push_str("struct value_t { u64 count; char name[16]; struct key_t key; u8 bits:3, rest:5; };\n");
    text.push_str("#define HELPER(t) ((t)->real_parent->pid)\n#define TWICE(x) x; x\n");
    text.push_str("static int helper(struct task_struct *t) { return t->tgid; }\n");
    text.push_str(
        "static __noinline int recurse(int n) { return n > 0 ? n + helper((void *)bpf_get_current_task()) : 0; }\n",
    );
    let map = expand(choices.one(MAPS), &mut choices);
    let _ = writeln!(text, "{map};");
    for number in 0..=choices.below(2) {
        let head = choices.one(HEADS).replace("probe(", &format!("probe{number}("));
        let _ = writeln!(text, "{head}\n{{");
        text.push_str("\tstruct task_struct *current_task = (void *)bpf_get_current_task();\n\tu64 a = 0;\n");
        text.push_str("\tstruct key_t key = {};\n\tstruct value_t value = {};\n\t(void)current_task;\n");
        for _ in 0..1 + choices.below(8) {
            let line = statement(&mut choices, 0);
            let _ = writeln!(text, "\t{line}");
        }
        text.push_str("\treturn 0;\n}\n");
    }
    if choices.rarely(8) {
        text.push_str("#define BPF_LICENSE Dual BSD/GPL\n");
    }
    text
}

fn statement(choices: &mut Choices<'_>, depth: usize) -> String {
    let of = if depth > 2 { 5 } else { 10 };
    match choices.below(of) {
        0 | 1 => format!("{};", expand(choices.one(METHODS), choices)),
        2 | 3 => format!("a {} {};", choices.one(&["+=", "=", "^=", "<<="]), expression(choices)),
        4 if choices.rarely(4) => choices.one(MISTAKES).to_owned(),
        4 => format!("{};", expand(choices.one(CALLS), choices)),
        5 => format!("if ({}) {{ {} }}", expression(choices), statement(choices, depth + 1)),
        6 => format!("for (int i = 0; i < {}; i++) {{ {} }}", choices.below(40), statement(choices, depth + 1)),
        7 => format!("TWICE({})", statement(choices, depth + 1).trim_end_matches(';')),
        8 => format!("switch (a) {{ case 1: {} break; case 2: a = 9; default: a++; }}", statement(choices, depth + 1)),
        _ => format!("while (a-- & {}) {{ {} }}", choices.below(16), statement(choices, depth + 1)),
    }
}

fn expression(choices: &mut Choices<'_>) -> String {
    let left = expand(choices.one(READS), choices);
    match choices.below(4) {
        0 => left,
        1 => {
            format!("{left} {} {}", choices.one(&["+", "-", "*", "/", "%", "&", "==", "<"]), expand("NUMBER", choices))
        }
        2 => format!("{left} ? {} : a", expand(choices.one(READS), choices)),
        _ => format!("(u32)({left}) >> {}", choices.below(70)),
    }
}

/// Fills in the places that a pattern leaves open.
fn expand(pattern: &str, choices: &mut Choices<'_>) -> String {
    let mut text = pattern.to_owned();
    for (name, of) in
        [("KEY_VALUE", &["key", "a", "1", "value"][..]), ("KEY", TYPES), ("VALUE", TYPES), ("NUMBER", NUMBERS)]
    {
        while text.contains(name) {
            text = text.replacen(name, choices.one(of), 1);
        }
    }
    if text.contains("READ") && !text.contains("CORE_READ") {
        text = text.replacen("READ", "current_task->pid", 1);
    }
    // Not every probe has a parameter of this name.
    if choices.rarely(3) {
        text
    } else {
        text.replace("task->", "current_task->").replace("current_current_", "current_")
    }
}
