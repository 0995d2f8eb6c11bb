// SPDX-License-Identifier: Apache-2.0
//! What the dialect's maps are called and what they can do; `bpf-include/bpflua/map_*.h` is where it is made.

/// A kind of map.
pub struct Kind {
    /// The dialect's word, in the names of its structures.
    pub word: &'static str,
    /// What a person calls it.
    pub words: &'static str,
    /// The kernel's number of its type; 0 where another kind stands for that type.
    number: u32,
    /// Its own methods, besides those of [`KEYED`] where it has keys and values.
    pub methods: &'static [&'static str],
}

const fn kind(word: &'static str, words: &'static str, number: u32, methods: &'static [&'static str]) -> Kind {
    Kind { word, words, number, methods }
}

/// Every kind of map.
pub const KINDS: &[Kind] = &[
    kind("hash", "a hash", 1, &[]),
    kind("percpu_hash", "a per-CPU hash", 5, &[]),
    kind("lru_hash", "an LRU hash", 9, &[]),
    kind("lru_percpu_hash", "a per-CPU LRU hash", 10, &[]),
    kind("lpm_trie", "a longest-prefix trie", 11, &[]),
    kind("array", "an array", 2, &[]),
    kind("percpu_array", "a per-CPU array", 6, &[]),
    kind("histogram", "a histogram", 0, &[]),
    kind("table", "a table", 0, &[]),
    kind("stack_trace", "a stack-trace map", 7, &["get_stackid"]),
    kind("perf_output", "a perf buffer", 0, &["perf_submit", "perf_submit_skb"]),
    kind(
        "ringbuf",
        "a ring buffer",
        27,
        &["ringbuf_output", "ringbuf_reserve", "ringbuf_submit", "ringbuf_discard", "ringbuf_query"],
    ),
    kind("perf_array", "a perf counter array", 4, &["perf_read", "perf_counter_value"]),
    kind("prog_array", "a program array", 3, &["call"]),
    kind("array_of_maps", "an array of maps", 12, &[]),
    kind("hash_of_maps", "a hash of maps", 13, &[]),
    kind("queue", "a queue", 22, &["push", "pop", "peek"]),
    kind("stack", "a stack", 23, &["push", "pop", "peek"]),
    kind("devmap", "a device map", 14, &["redirect_map"]),
    kind("cpumap", "a CPU map", 16, &["redirect_map"]),
    kind("xskmap", "an AF_XDP socket map", 17, &["redirect_map"]),
    kind("sockmap", "a socket map", 15, &["sock_map_update", "msg_redirect_map", "sk_redirect_map"]),
    kind("sockhash", "a socket hash", 18, &["sock_hash_update", "msg_redirect_hash", "sk_redirect_hash"]),
    kind("cgroup_array", "a cgroup array", 8, &["check_current_task"]),
    kind("sk_storage", "a socket storage", 24, &["sk_storage_get", "sk_storage_delete"]),
    kind("inode_storage", "an inode storage", 28, &["inode_storage_get", "inode_storage_delete"]),
    kind("task_storage", "a task storage", 29, &["task_storage_get", "task_storage_delete"]),
    kind("cgroup_storage", "a cgroup storage", 19, &["get_local_storage"]),
    kind("percpu_cgroup_storage", "a per-CPU cgroup storage", 21, &["get_local_storage"]),
];

/// What maps with keys and values can do.
pub const KEYED: &[&str] =
    &["lookup", "lookup_or_try_init", "lookup_or_init", "update", "insert", "delete", "increment", "atomic_increment"];

/// What each method takes; what is in brackets may be left out.
const ARGUMENTS: &[(&str, &str)] = &[
    ("lookup", "&key"),
    ("lookup_or_try_init", "&key, &value"),
    ("lookup_or_init", "&key, &value"),
    ("update", "&key, &value"),
    ("insert", "&key, &value"),
    ("delete", "&key"),
    ("increment", "key[, n]"),
    ("atomic_increment", "key[, n]"),
    ("get_stackid", "ctx, flags"),
    ("perf_submit", "ctx, &event, size"),
    ("perf_submit_skb", "ctx, packet_size, &event, size"),
    ("perf_read", "cpu"),
    ("perf_counter_value", "cpu, &value, size"),
    ("ringbuf_output", "&event, size, flags"),
    ("ringbuf_reserve", "size"),
    ("ringbuf_submit", "event, flags"),
    ("ringbuf_discard", "event, flags"),
    ("ringbuf_query", "flags"),
    ("call", "ctx, index"),
    ("check_current_task", "index"),
    ("redirect_map", "index, flags"),
    ("push", "&value, flags"),
    ("pop", "&value"),
    ("peek", "&value"),
    ("sock_hash_update", "ctx, &key, flags"),
    ("sock_map_update", "ctx, &key, flags"),
    ("msg_redirect_hash", "msg, &key, flags"),
    ("sk_redirect_hash", "skb, &key, flags"),
    ("msg_redirect_map", "msg, index, flags"),
    ("sk_redirect_map", "skb, index, flags"),
    ("sk_storage_get", "sk, &value, flags"),
    ("sk_storage_delete", "sk"),
    ("inode_storage_get", "inode, &value, flags"),
    ("inode_storage_delete", "inode"),
    ("task_storage_get", "task, &value, flags"),
    ("task_storage_delete", "task"),
    ("get_local_storage", "flags"),
];

/// What each macro takes that declares a map; strings are in quotes.
const DECLARATIONS: &[(&str, &str)] = &[
    ("BPF_TABLE", "\"type\", key, leaf, name, size"),
    ("BPF_F_TABLE", "\"type\", key, leaf, name, size, flags"),
    ("BPF_TABLE_PUBLIC", "\"type\", key, leaf, name, size"),
    ("BPF_TABLE_SHARED", "\"type\", key, leaf, name, size[, flags]"),
    ("BPF_TABLE_PINNED", "\"type\", key, leaf, name, size, \"path\"[, flags]"),
    ("BPF_HASH", "name[, key, leaf, size]"),
    ("BPF_PERCPU_HASH", "name[, key, leaf, size]"),
    ("BPF_LRU_HASH", "name[, key, leaf, size]"),
    ("BPF_LRU_PERCPU_HASH", "name[, key, leaf, size]"),
    ("BPF_LPM_TRIE", "name[, key, leaf, size]"),
    ("BPF_ARRAY", "name[, leaf, size]"),
    ("BPF_PERCPU_ARRAY", "name[, leaf, size]"),
    ("BPF_HISTOGRAM", "name[, key, size]"),
    ("BPF_STACK_TRACE", "name, size"),
    ("BPF_STACK_TRACE_BUILDID", "name, size"),
    ("BPF_PERF_OUTPUT", "name"),
    ("BPF_RINGBUF_OUTPUT", "name, pages"),
    ("BPF_PERF_ARRAY", "name, size"),
    ("BPF_PROG_ARRAY", "name, size"),
    ("BPF_CGROUP_ARRAY", "name, size"),
    ("BPF_DEVMAP", "name, size"),
    ("BPF_CPUMAP", "name, size"),
    ("BPF_XSKMAP", "name, size[, \"path\"]"),
    ("BPF_ARRAY_OF_MAPS", "name, \"inner\", size"),
    // The key and the size may be left out, the string not: checked by its place from the end in `calls`.
    ("BPF_HASH_OF_MAPS", "name[, key], \"inner\"[, size]"),
    ("BPF_QUEUE", "name, leaf, size[, flags]"),
    ("BPF_STACK", "name, leaf, size[, flags]"),
    ("BPF_QUEUESTACK", "\"type\", name, leaf, size, flags"),
    ("BPF_QUEUESTACK_PUBLIC", "\"type\", name, leaf, size, flags"),
    ("BPF_QUEUESTACK_SHARED", "\"type\", name, leaf, size, flags"),
    ("BPF_QUEUESTACK_PINNED", "\"type\", name, leaf, size, flags, \"path\""),
    ("BPF_SOCKHASH", "name[, key, size]"),
    ("BPF_SOCKMAP", "name, size"),
    ("BPF_SK_STORAGE", "name, leaf"),
    ("BPF_INODE_STORAGE", "name, leaf"),
    ("BPF_TASK_STORAGE", "name, leaf"),
    ("BPF_CGROUP_STORAGE", "name, leaf"),
    ("BPF_PERCPU_CGROUP_STORAGE", "name, leaf"),
];

/// The strings that `BPF_TABLE` takes for a type.
pub const TABLE_TYPES: &[&str] = &[
    "hash",
    "array",
    "histogram",
    "percpu_hash",
    "percpu_array",
    "lru_hash",
    "lru_percpu_hash",
    "lpm_trie",
    "prog",
    "stacktrace",
    "perf_output",
    "perf_array",
    "cgroup_array",
    "devmap",
    "cpumap",
    "xskmap",
    "sockmap",
    "sockhash",
    "sk_storage",
    "inode_storage",
    "task_storage",
    "cgroup_storage",
    "percpu_cgroup_storage",
    "array_of_maps$INNER",
    "hash_of_maps$INNER",
    "extern",
];

/// The kind with the dialect's word.
pub fn by_word(word: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.word == word)
}

/// The kind of the kernel's type with this number.
pub fn by_number(number: u32) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.number == number && number != 0)
}

/// Whether there is such a method at all.
pub fn is_method(name: &str) -> bool {
    ARGUMENTS.iter().any(|(method, _)| *method == name)
}

/// What a method takes.
pub fn arguments(method: &str) -> Option<&'static str> {
    ARGUMENTS.iter().find(|(name, _)| *name == method).map(|(_, arguments)| *arguments)
}

/// What a macro takes that declares a map.
pub fn declaration(name: &str) -> Option<&'static str> {
    DECLARATIONS.iter().find(|(known, _)| *known == name).map(|(_, arguments)| *arguments)
}

/// The least and the most arguments of a list such as `key[, n]`.
pub fn bounds(arguments: &str) -> (usize, usize) {
    let optional: usize =
        arguments.split('[').skip(1).map(|rest| rest.split(']').next().unwrap_or_default().matches(',').count()).sum();
    let all = arguments.matches(',').count() + 1;
    (all - optional, all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_tell_how_many() {
        assert_eq!(bounds("&key"), (1, 1));
        assert_eq!(bounds("key[, n]"), (1, 2));
        assert_eq!(bounds("name[, key, leaf, size]"), (1, 4));
        assert_eq!(bounds("name[, key], \"inner\"[, size]"), (2, 4));
    }

    #[test]
    fn every_method_has_its_arguments() {
        let methods = KINDS.iter().flat_map(|kind| kind.methods.iter()).chain(KEYED);
        assert_eq!(methods.filter(|method| !is_method(method)).count(), 0);
    }
}
