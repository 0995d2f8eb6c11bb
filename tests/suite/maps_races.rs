// SPDX-License-Identifier: Apache-2.0
//! Counting from several CPUs at once: keys are created while others count them, and nothing is lost.

use std::sync::{Arc, Barrier};
use std::thread;

use bpflua::bpf::{Map, Object, ObjectOptions};
use bpflua::compiler::Source;
use bpflua::kernel::btf::Btf;

use super::compile::compile_for;
use super::harness::skip;

const THREADS: u64 = 4;
const CALLS: u64 = 20_000;

/// Runs at each getpgid of this process, with a key that several CPUs may meet for the first time together.
const TEXT: &str = "
BPF_HASH(counted, u32, u64, 8192);
BPF_HASH(plain, u32, u64, 8192);
BPF_HASH(initialised, u32, u64, 8192);
BPF_PERCPU_HASH(percpu, u32, u64, 8192);
BPF_ARRAY(calls, u64, 1);

RAW_TRACEPOINT_PROBE(sys_enter) {
    if (bpf_get_current_pid_tgid() >> 32 != PID || ctx->args[1] != NUMBER)
        return 0;
    u32 key = bpf_get_prandom_u32() % 4096;
    u64 zero = 0, *value;
    calls.increment(0);
    counted.atomic_increment(key);
    plain.increment(key);
    percpu.increment(key);
    value = initialised.lookup_or_try_init(&key, &zero);
    if (value)
        __sync_fetch_and_add(value, 1);
    return 0;
}
";

fn create() -> Option<Object> {
    // SAFETY: no preconditions.
    if unsafe { libc::geteuid() } != 0 {
        skip("it needs root");
        return None;
    }
    let btf = match Btf::kernel() {
        Ok(btf) => btf,
        Err(error) => {
            skip(&error.to_string());
            return None;
        }
    };
    let flags = [format!("-DPID={}", std::process::id()), format!("-DNUMBER={}", libc::SYS_getpgid)];
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let compiled = compile_for(Some(&btf), &Source::file("races.c", TEXT), &flags, None);
    let compiled = compiled.unwrap_or_else(|error| panic!("{}", error.report()));
    let options = ObjectOptions { name: "races".to_owned(), ..ObjectOptions::default() };
    Some(Object::create(compiled.object, options).unwrap_or_else(|error| panic!("{}", error.report())))
}

/// The sum of a map's values, over all CPUs.
fn sum(map: &Map) -> u64 {
    let value = |key: Vec<u8>| map.lookup(&key).unwrap().unwrap();
    let words = |value: Vec<u8>| value.chunks(8).map(|word| u64::from_ne_bytes(word.try_into().unwrap())).sum::<u64>();
    map.keys().unwrap().into_iter().map(|key| words(value(key))).sum()
}

#[test]
fn root_counts_from_several_cpus_are_exact() {
    let Some(mut object) = create() else { return };
    object.attach_auto("raw_tracepoint__sys_enter").unwrap_or_else(|error| panic!("{}", error.report()));
    let start = Arc::new(Barrier::new(THREADS as usize));
    let threads: Vec<_> = (0..THREADS)
        .map(|_| {
            let start = Arc::clone(&start);
            thread::spawn(move || {
                start.wait();
                for _ in 0..CALLS {
                    // SAFETY: no preconditions.
                    unsafe { libc::getpgid(0) };
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    let calls = sum(object.map("calls").unwrap());
    // A program that was interrupted on its CPU by another task's is left out by the kernel, which counts that.
    let missed: u64 = object.probes().iter().map(|probe| probe.stats.missed).sum();
    assert!(calls <= THREADS * CALLS && calls + missed >= THREADS * CALLS, "{calls} calls, {missed} missed");
    for name in ["counted", "plain", "percpu", "initialised"] {
        assert_eq!(sum(object.map(name).unwrap()), calls, "{name}");
    }
    assert!(object.losses().unwrap().iter().all(|loss| loss.count == 0));
}
