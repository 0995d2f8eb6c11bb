// SPDX-License-Identifier: Apache-2.0
//! Every kind of map with every method: the right pairs compile without a word, each wrong one is an error at the
//! user's line that says what the method needs and what the map is.

use bpflua::compiler::Source;

use super::compile::compile_for;

/// A method, its call with the map's name left out, and what the map must be.
struct Method {
    name: &'static str,
    arguments: &'static str,
    needs: &'static str,
}

const fn method(name: &'static str, arguments: &'static str, needs: &'static str) -> Method {
    Method { name, arguments, needs }
}

const KEYED: &str = "a map with keys and values";
const QUEUE: &str = "a queue or a stack";
const REDIRECT: &str = "a device map or a CPU map or an AF_XDP socket map";
const COUNTERS: &str = "a perf counter array";

const METHODS: &[Method] = &[
    method("lookup", "&key", KEYED),
    method("lookup_or_try_init", "&key, &value", KEYED),
    method("lookup_or_init", "&key, &value", KEYED),
    method("update", "&key, &value", KEYED),
    method("insert", "&key, &value", KEYED),
    method("delete", "&key", KEYED),
    method("increment", "key", KEYED),
    method("increment", "key, 2", KEYED),
    method("atomic_increment", "key", KEYED),
    method("atomic_increment", "key, 2", KEYED),
    method("get_stackid", "ctx, 0", "a stack-trace map"),
    method("perf_submit", "ctx, &value, sizeof(value)", "a perf buffer"),
    method("perf_submit_skb", "ctx, 10, &value, sizeof(value)", "a perf buffer"),
    method("perf_read", "0", COUNTERS),
    method("perf_counter_value", "0, &value, sizeof(value)", COUNTERS),
    method("ringbuf_output", "&value, sizeof(value), 0", "a ring buffer"),
    method("ringbuf_reserve", "8", "a ring buffer"),
    method("ringbuf_submit", "memory, 0", "a ring buffer"),
    method("ringbuf_discard", "memory, 0", "a ring buffer"),
    method("ringbuf_query", "0", "a ring buffer"),
    method("call", "ctx, 0", "a program array"),
    method("check_current_task", "0", "a cgroup array"),
    method("redirect_map", "0, 0", REDIRECT),
    method("push", "&value, 0", QUEUE),
    method("pop", "&value", QUEUE),
    method("peek", "&value", QUEUE),
    method("sock_hash_update", "ctx, &key, 0", "a socket hash"),
    method("msg_redirect_hash", "ctx, &key, 0", "a socket hash"),
    method("sk_redirect_hash", "ctx, &key, 0", "a socket hash"),
    method("sock_map_update", "ctx, &key, 0", "a socket map"),
    method("msg_redirect_map", "ctx, 0, 0", "a socket map"),
    method("sk_redirect_map", "ctx, 0, 0", "a socket map"),
    method("sk_storage_get", "memory, &value, 0", "a socket storage"),
    method("sk_storage_delete", "memory", "a socket storage"),
    method("inode_storage_get", "memory, &value, 0", "an inode storage"),
    method("inode_storage_delete", "memory", "an inode storage"),
    method("task_storage_get", "memory, &value, 0", "a task storage"),
    method("task_storage_delete", "memory", "a task storage"),
    method("get_local_storage", "0", "a cgroup storage or a per-CPU cgroup storage"),
];

const ELEMENTS: &str = "lookup lookup_or_try_init lookup_or_init update insert delete increment atomic_increment";
const SOCKETS: &str = "lookup update insert delete";
const SUBMITS: &str = "perf_submit perf_submit_skb";
const READS: &str = "perf_read perf_counter_value";
const RING: &str = "ringbuf_output ringbuf_reserve ringbuf_submit ringbuf_discard ringbuf_query";
const ENDS: &str = "push pop peek";
const HASH_METHODS: &str = "sock_hash_update msg_redirect_hash sk_redirect_hash";
const SOCKMAP_METHODS: &str = "sock_map_update msg_redirect_map sk_redirect_map";

/// Declarations of a map `m`, what it is, and its methods.
const MAPS: &[(&str, &str, &[&str])] = &[
    ("BPF_HASH(m, u32, u64);", "a hash", &[ELEMENTS]),
    ("BPF_PERCPU_HASH(m, u32, u64);", "a per-CPU hash", &[ELEMENTS]),
    ("BPF_LRU_HASH(m, u32, u64);", "an LRU hash", &[ELEMENTS]),
    ("BPF_LRU_PERCPU_HASH(m, u32, u64);", "a per-CPU LRU hash", &[ELEMENTS]),
    ("BPF_LPM_TRIE(m, u32, u64);", "a longest-prefix trie", &[ELEMENTS]),
    ("BPF_ARRAY(m, u64, 8);", "an array", &[ELEMENTS]),
    ("BPF_PERCPU_ARRAY(m, u64, 8);", "a per-CPU array", &[ELEMENTS]),
    ("BPF_HISTOGRAM(m);", "a histogram", &[ELEMENTS]),
    ("BPF_HISTOGRAM(m, u32);", "a histogram", &[ELEMENTS]),
    ("BPF_STACK_TRACE(m, 8);", "a stack-trace map", &["get_stackid"]),
    ("BPF_STACK_TRACE_BUILDID(m, 8);", "a stack-trace map", &["get_stackid"]),
    ("BPF_PERF_OUTPUT(m);", "a perf buffer", &[SUBMITS]),
    ("BPF_RINGBUF_OUTPUT(m, 8);", "a ring buffer", &[RING]),
    ("BPF_PERF_ARRAY(m, 8);", "a perf counter array", &[READS]),
    ("BPF_PROG_ARRAY(m, 8);", "a program array", &["call"]),
    ("BPF_CGROUP_ARRAY(m, 8);", "a cgroup array", &["check_current_task"]),
    ("BPF_DEVMAP(m, 8);", "a device map", &["redirect_map lookup"]),
    ("BPF_CPUMAP(m, 8);", "a CPU map", &["redirect_map"]),
    ("BPF_XSKMAP(m, 8);", "an AF_XDP socket map", &["redirect_map lookup"]),
    ("BPF_HASH(in); BPF_ARRAY_OF_MAPS(m, \"in\", 8);", "an array of maps", &["lookup"]),
    ("BPF_HASH(in); BPF_HASH_OF_MAPS(m, u32, \"in\", 8);", "a hash of maps", &["lookup"]),
    ("BPF_QUEUE(m, u64, 8);", "a queue", &[ENDS]),
    ("BPF_STACK(m, u64, 8);", "a stack", &[ENDS]),
    ("BPF_SOCKHASH(m);", "a socket hash", &[SOCKETS, HASH_METHODS]),
    ("BPF_SOCKMAP(m, 8);", "a socket map", &[SOCKETS, SOCKMAP_METHODS]),
    ("BPF_SK_STORAGE(m, u64);", "a socket storage", &["sk_storage_get sk_storage_delete"]),
    ("BPF_INODE_STORAGE(m, u64);", "an inode storage", &["inode_storage_get inode_storage_delete"]),
    ("BPF_TASK_STORAGE(m, u64);", "a task storage", &["task_storage_get task_storage_delete"]),
    ("BPF_CGROUP_STORAGE(m, u64);", "a cgroup storage", &["get_local_storage"]),
    ("BPF_PERCPU_CGROUP_STORAGE(m, u64);", "a per-CPU cgroup storage", &["get_local_storage"]),
    ("BPF_TABLE(\"hash\", u32, u64, m, 8);", "a hash", &[ELEMENTS]),
    ("BPF_TABLE(\"percpu_hash\", u32, u64, m, 8);", "a per-CPU hash", &[ELEMENTS]),
    ("BPF_TABLE(\"lru_hash\", u32, u64, m, 8);", "an LRU hash", &[ELEMENTS]),
    ("BPF_TABLE(\"lru_percpu_hash\", u32, u64, m, 8);", "a per-CPU LRU hash", &[ELEMENTS]),
    ("BPF_TABLE(\"lpm_trie\", u32, u64, m, 8);", "a longest-prefix trie", &[ELEMENTS]),
    ("BPF_TABLE(\"array\", int, u64, m, 8);", "an array", &[ELEMENTS]),
    ("BPF_TABLE(\"percpu_array\", int, u64, m, 8);", "a per-CPU array", &[ELEMENTS]),
    ("BPF_TABLE(\"histogram\", int, u64, m, 8);", "an array", &[ELEMENTS]),
    ("BPF_TABLE(\"histogram\", u32, u64, m, 8);", "a hash", &[ELEMENTS]),
    ("BPF_TABLE(\"stacktrace\", int, struct bpf_stacktrace, m, 8);", "a stack-trace map", &["get_stackid"]),
    ("BPF_TABLE(\"perf_output\", int, u32, m, 8);", "a perf counter array", &[SUBMITS, READS]),
    ("BPF_TABLE(\"perf_array\", int, u32, m, 8);", "a perf counter array", &[SUBMITS, READS]),
    ("BPF_TABLE(\"prog\", u32, u32, m, 8);", "a program array", &["call"]),
    ("BPF_TABLE(\"cgroup_array\", u32, u32, m, 8);", "a cgroup array", &["check_current_task"]),
    ("BPF_TABLE(\"devmap\", int, int, m, 8);", "a device map", &["redirect_map lookup"]),
    ("BPF_TABLE(\"cpumap\", int, int, m, 8);", "a CPU map", &["redirect_map"]),
    ("BPF_TABLE(\"xskmap\", int, int, m, 8);", "an AF_XDP socket map", &["redirect_map lookup"]),
    ("BPF_HASH(in); BPF_TABLE(\"array_of_maps$in\", int, int, m, 8);", "an array of maps", &["lookup"]),
    ("BPF_HASH(in); BPF_TABLE(\"hash_of_maps$in\", u32, int, m, 8);", "a hash of maps", &["lookup"]),
    ("BPF_TABLE(\"sockhash\", u32, int, m, 8);", "a socket hash", &[SOCKETS, HASH_METHODS]),
    ("BPF_TABLE(\"sockmap\", u32, int, m, 8);", "a socket map", &[SOCKETS, SOCKMAP_METHODS]),
    ("BPF_TABLE(\"sk_storage\", int, u64, m, 0);", "a socket storage", &["sk_storage_get sk_storage_delete"]),
    ("BPF_TABLE(\"inode_storage\", int, u64, m, 0);", "an inode storage", &["inode_storage_get inode_storage_delete"]),
    ("BPF_TABLE(\"task_storage\", int, u64, m, 0);", "a task storage", &["task_storage_get task_storage_delete"]),
];

/// A text that calls these methods of `m`, one a line from line 3 on.
fn text(declaration: &str, methods: &[&Method]) -> String {
    let mut text =
        format!("{declaration}\nint f(struct pt_regs *ctx) {{ u32 key = 0; u64 value = 0; void *memory = ctx;\n");
    for Method { name, arguments, .. } in methods {
        text += &format!("\tm.{name}({arguments});\n");
    }
    text + "\treturn 0;\n}\n"
}

fn compiled(text: &str) -> Result<Vec<String>, String> {
    let compiled = compile_for(None, &Source::file("pair.c", text), &[], None);
    compiled.map(|compiled| compiled.warnings).map_err(|error| error.report())
}

/// What is wrong about one map; empty when everything is as it should be.
fn check(declaration: &str, words: &str, methods: &[&str]) -> Vec<String> {
    let mut wrong = Vec::new();
    let has = |method: &Method| methods.iter().any(|list| list.split(' ').any(|name| name == method.name));
    let (right, others): (Vec<&Method>, Vec<&Method>) = METHODS.iter().partition(|method| has(method));
    // The value of a socket's map is a socket, and an array's elements are all there already.
    let warned = |line: &String| !line.contains("(value of `m`)") && !line.contains("never succeeds");
    match compiled(&text(declaration, &right)) {
        Ok(warnings) => wrong.extend(warnings.into_iter().filter(warned)),
        Err(report) => wrong.push(report),
    }
    // A report shows three errors.
    for three in others.chunks(3) {
        let Err(report) = compiled(&text(declaration, three)) else {
            wrong.push(format!(
                "{declaration}: {} compile",
                three.iter().map(|one| one.name).collect::<Vec<_>>().join(", ")
            ));
            continue;
        };
        for (line, Method { name, needs, .. }) in (3..).zip(three) {
            let place = format!("--> pair.c:{line}:");
            let message = format!(": `{name}` needs {needs}; `m` is {words}\n");
            if !report.lines().any(|line| line.contains(&place) && format!("{line}\n").ends_with(&message)) {
                wrong.push(format!("{declaration}: line {line}: no `{place}…{message}` in\n{report}"));
            }
        }
        if report.contains("bpflua_") || report.contains("BPFLUA") {
            wrong.push(format!("{declaration}: our names are in\n{report}"));
        }
    }
    wrong
}

#[test]
fn every_kind_of_map_with_every_method() {
    assert!(METHODS.len() > 35 && MAPS.len() > 50);
    let halves = MAPS.split_at(MAPS.len() / 2);
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let run = |maps: &'static [(&str, &str, &[&str])]| {
            scope.spawn(move || {
                maps.iter().flat_map(|(text, words, methods)| check(text, words, methods)).collect::<Vec<_>>()
            })
        };
        let threads = [run(halves.0), run(halves.1)];
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong[..wrong.len().min(10)].join("\n"));
}

/// Which type an extern map has is the other object's business: every method compiles, but for those of maps without
/// keys, which cannot be declared so.
#[test]
fn an_extern_map_has_every_method() {
    let keyless =
        |method: &&Method| !["ringbuf", "push", "pop", "peek"].iter().any(|start| method.name.starts_with(start));
    let methods: Vec<&Method> = METHODS.iter().filter(keyless).collect();
    let warnings =
        compiled(&text("BPF_TABLE(\"extern\", u32, u64, m, 8);", &methods)).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(warnings, Vec::<String>::new());
}

/// A statement on these maps, and what is said of it.
const ARGUMENTS: &[(&str, &str)] = &[
    ("counts.lookup();", "`counts.lookup` takes (&key): none is given"),
    ("counts.update(&k);", "`counts.update` takes (&key, &value): 1 is given"),
    ("counts.lookup(\n\t\t&k, &k);", "`counts.lookup` takes (&key): 2 are given"),
    ("counts.increment();", "`counts.increment` takes (key[, n]): none is given"),
    ("counts.atomic_increment(k, 1, 2);", "`counts.atomic_increment` takes (key[, n]): 3 are given"),
    ("events.perf_submit(ctx, &s);", "`events.perf_submit` takes (ctx, &event, size): 2 are given"),
    ("events.perf_submit(ctx, &s, 8, 9);", "`events.perf_submit` takes (ctx, &event, size): 4 are given"),
    (
        "events.perf_submit(ctx, s, 8);",
        "`events.perf_submit` takes (ctx, &event, size): the event goes in by its address",
    ),
    ("ring.ringbuf_output(&s);", "`ring.ringbuf_output` takes (&event, size, flags): 1 is given"),
    ("ring.ringbuf_submit();", "`ring.ringbuf_submit` takes (event, flags): none is given"),
    ("counts.lookup(k);", "to parameter of type 'const unsigned int *' (key of `counts`); take the address with &"),
    ("counts.increment(&k);", "to parameter of type 'unsigned int' (key of `counts`); remove &"),
    ("structs.increment(s);", "only whole numbers can be incremented; the values of `structs` are none"),
    ("structs.increment(s, 2);", "only whole numbers can be incremented; the values of `structs` are none"),
    ("counts.lokup(&k);", "there is no map method `lokup`; `counts` is a hash"),
    ("counts->lookup(&k);", "member reference type `counts` (a hash) is not a pointer; did you mean to use '.'?"),
    // These compile, in bcc as well, and are warned of.
    (
        "counts.lookup(&wide);",
        "incompatible pointer types passing 'u64 *' (aka 'unsigned long long *') to parameter of type 'const unsigned int *' (key of `counts`)",
    ),
    ("structs.update(&s, &k);", "to parameter of type 'const struct key *' (value of `structs`)"),
    ("int *v = counts.lookup(&k); k = !v;", "with an expression of type 'unsigned long long *' (value of `counts`)"),
    ("slots.insert(&k, &wide);", "`insert` never succeeds in an array, whose elements are all there: use `update`"),
];

/// A wrong declaration, and what is said of it.
const DECLARATIONS: &[(&str, &str)] = &[
    ("BPF_HASH(m, u32, u64, 8, 9);", "`BPF_HASH` takes name[, key, leaf, size]: 5 are given"),
    ("BPF_HASH();", "`BPF_HASH` takes name[, key, leaf, size]: none is given"),
    ("BPF_ARRAY(m, u64, 8, 9);", "`BPF_ARRAY` takes name[, leaf, size]: 4 are given"),
    ("BPF_STACK_TRACE(m);", "`BPF_STACK_TRACE` takes name, size: 1 is given"),
    ("BPF_QUEUE(m, u64);", "`BPF_QUEUE` takes name, leaf, size[, flags]: 2 are given"),
    ("BPF_HASH(\"m\");", "`BPF_HASH` takes name[, key, leaf, size]: the name is a plain word"),
    ("BPF_HASH(m); BPF_HASH(m);", "there are two maps `m`"),
    ("BPF_HASH(m, struct nobodys);", "variable has incomplete type 'struct nobodys' (key of `m`)"),
    ("BPF_TABLE(\"hush\", u32, u64, m, 8);", "there is no map type \"hush\"\nhint: similar: \"hash\""),
    ("BPF_TABLE(\"queue\", u32, u64, m, 8);", "there is no map type \"queue\"\nhint: use `BPF_QUEUE`"),
    (
        "BPF_TABLE(hash, u32, u64, m, 8);",
        "`BPF_TABLE` takes \"type\", key, leaf, name, size: `hash` must be in quotes, \"hash\"",
    ),
    ("BPF_TABLE(\"histogram\", int, u32, m, 8);", "a histogram counts in u64: that must be its leaf"),
    ("BPF_ARRAY_OF_MAPS(m, in, 8);", "`BPF_ARRAY_OF_MAPS` takes name, \"inner\", size: `in` must be in quotes, \"in\""),
    (
        "BPF_HASH_OF_MAPS(m, in);",
        "`BPF_HASH_OF_MAPS` takes name[, key], \"inner\"[, size]: `in` must be in quotes, \"in\"",
    ),
    ("BPF_QUEUESTACK(\"heap\", m, u64, 8, 0);", "the first argument is \"queue\", \"stack\" or \"extern\""),
];

#[test]
fn wrong_arguments_are_told_in_the_users_words() {
    const MAPS: &str = "struct key { u32 a, b; };\nBPF_HASH(counts, u32); BPF_HASH(structs, struct key, struct key); \
                        BPF_ARRAY(slots); BPF_PERF_OUTPUT(events); BPF_RINGBUF_OUTPUT(ring, 8);\n\
                        int f(struct pt_regs *ctx) { u32 k = 0; u64 wide = 0; struct key s = {};\n";
    let told = |text: &str| compiled(text).map_or_else(|report| report, |warnings| warnings.concat());
    let without_excerpt = |report: &str| {
        let is_excerpt = |line: &&str| line.contains(" | ") || line.contains(" > ");
        report.lines().filter(|line| !is_excerpt(line)).collect::<Vec<_>>().join("\n")
    };
    let statements = ARGUMENTS.iter().map(|(text, message)| (format!("{MAPS}\t{text}\n\treturn 0;\n}}\n"), 4, message));
    let declarations = DECLARATIONS.iter().map(|(text, message)| (format!("{text}\n"), 1, message));
    for (text, line, message) in statements.chain(declarations) {
        let report = without_excerpt(&told(&text));
        assert!(report.contains(message), "no `{message}` in\n{report}");
        assert_eq!(report.matches("pair.c:").count(), 1, "one remark is enough:\n{report}");
        assert!([line, line + 1].iter().any(|line| report.contains(&format!("pair.c:{line}:"))), "{report}");
        assert!(!report.contains("bpflua_") && !report.contains("BPFLUA"), "our names are in\n{report}");
    }
}
