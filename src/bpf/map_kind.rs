// SPDX-License-Identifier: Apache-2.0
//! The kernel's map types by number and name.

use std::fmt;

/// The kernel's type of a map, by its number (`BPF_MAP_TYPE_*`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MapKind(pub u32);

/// The kernel's names, lower case, by number.
const NAMES: &[&str] = &[
    "unspec",
    "hash",
    "array",
    "prog_array",
    "perf_event_array",
    "percpu_hash",
    "percpu_array",
    "stack_trace",
    "cgroup_array",
    "lru_hash",
    "lru_percpu_hash",
    "lpm_trie",
    "array_of_maps",
    "hash_of_maps",
    "devmap",
    "sockmap",
    "cpumap",
    "xskmap",
    "sockhash",
    "cgroup_storage",
    "reuseport_sockarray",
    "percpu_cgroup_storage",
    "queue",
    "stack",
    "sk_storage",
    "devmap_hash",
    "struct_ops",
    "ringbuf",
    "inode_storage",
    "task_storage",
    "bloom_filter",
    "user_ringbuf",
    "cgrp_storage",
    "arena",
    "insn_array",
];

impl MapKind {
    /// `BPF_MAP_TYPE_HASH`
    pub const HASH: MapKind = MapKind(1);
    /// `BPF_MAP_TYPE_ARRAY`
    pub const ARRAY: MapKind = MapKind(2);
    /// `BPF_MAP_TYPE_PERF_EVENT_ARRAY`
    pub const PERF_EVENT_ARRAY: MapKind = MapKind(4);
    /// `BPF_MAP_TYPE_PERCPU_HASH`
    pub const PERCPU_HASH: MapKind = MapKind(5);
    /// `BPF_MAP_TYPE_PERCPU_ARRAY`
    pub const PERCPU_ARRAY: MapKind = MapKind(6);
    /// `BPF_MAP_TYPE_STACK_TRACE`
    pub const STACK_TRACE: MapKind = MapKind(7);
    /// `BPF_MAP_TYPE_LRU_PERCPU_HASH`
    pub const LRU_PERCPU_HASH: MapKind = MapKind(10);
    /// `BPF_MAP_TYPE_ARRAY_OF_MAPS`
    pub const ARRAY_OF_MAPS: MapKind = MapKind(12);
    /// `BPF_MAP_TYPE_HASH_OF_MAPS`
    pub const HASH_OF_MAPS: MapKind = MapKind(13);
    /// `BPF_MAP_TYPE_DEVMAP`
    pub const DEVMAP: MapKind = MapKind(14);
    /// `BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE`
    pub const PERCPU_CGROUP_STORAGE: MapKind = MapKind(21);
    /// `BPF_MAP_TYPE_QUEUE`
    pub const QUEUE: MapKind = MapKind(22);
    /// `BPF_MAP_TYPE_STACK`
    pub const STACK: MapKind = MapKind(23);
    /// `BPF_MAP_TYPE_DEVMAP_HASH`
    pub const DEVMAP_HASH: MapKind = MapKind(25);
    /// `BPF_MAP_TYPE_STRUCT_OPS`
    pub const STRUCT_OPS: MapKind = MapKind(26);
    /// `BPF_MAP_TYPE_RINGBUF`
    pub const RINGBUF: MapKind = MapKind(27);

    /// The kernel's name in lower case: `lru_percpu_hash`.
    pub fn name(self) -> &'static str {
        NAMES.get(self.0 as usize).copied().unwrap_or("unknown type")
    }

    /// Whether each CPU has its own value.
    pub fn is_per_cpu(self) -> bool {
        [Self::PERCPU_HASH, Self::PERCPU_ARRAY, Self::LRU_PERCPU_HASH, Self::PERCPU_CGROUP_STORAGE].contains(&self)
    }

    /// Whether values are maps.
    pub fn is_of_maps(self) -> bool {
        self == Self::ARRAY_OF_MAPS || self == Self::HASH_OF_MAPS
    }

    /// Whether values are network devices.
    pub fn is_devmap(self) -> bool {
        self == Self::DEVMAP || self == Self::DEVMAP_HASH
    }

    /// Whether elements belong to something of the kernel's (a socket, an inode, a task, a cgroup), which sets how many
    /// there are.
    pub fn is_storage(self) -> bool {
        self.name().ends_with("_storage")
    }

    /// Whether keys are indices that always exist.
    pub fn is_array(self) -> bool {
        self == Self::ARRAY || self == Self::PERCPU_ARRAY
    }
}

impl fmt::Display for MapKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_kernels() {
        assert_eq!(MapKind::RINGBUF.name(), "ringbuf");
        assert_eq!(MapKind(libbpf_sys::BPF_MAP_TYPE_ARENA).name(), "arena");
        assert_eq!(MapKind(libbpf_sys::BPF_MAP_TYPE_TASK_STORAGE).name(), "task_storage");
        assert_eq!(MapKind(999).name(), "unknown type");
    }
}
