// SPDX-License-Identifier: Apache-2.0
//! Random texts of the dialect from fixed seeds: the compiler neither crashes nor hangs, its memory is bounded, and what it
//! refuses it refuses in words for the user. `BPFLUA_FUZZ_TEXTS` asks for more texts, `BPFLUA_FUZZ_SEED` for others.

use std::time::{Duration, Instant};

use bpflua::error::Kind;
use bpflua::lua::Settings;
use bpflua::lua::compile::{Request, compile};

use super::harness::{Need, missing};

#[path = "../fuzz/generate.rs"]
mod generate;

/// Texts of a run that nobody asked more of.
const TEXTS: u64 = 80;
/// Far more than any of these texts takes: a hang is what is looked for, on a busy machine.
const TEXT_LIMIT: Duration = Duration::from_secs(60);
/// Bytes that the largest compilation may have held: its child's, as the kernel keeps count.
const MEMORY_LIMIT_KB: i64 = 1 << 20;

/// What no report of these texts says: names of bpflua's own, what LLVM gives up on that nobody explained, and that a limit
/// of time or memory was met.
const UNEXPECTED: [&str; 3] = ["__bpflua_", "LLVM gives up", "it takes the compiler more than"];

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// The bytes of a seed: xorshift64*.
fn bytes(seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        (state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 56) as u8
    };
    (0..400).map(|_| next()).collect()
}

/// One text in four goes into an object that is made to travel.
fn compiled(seed: u64, text: &str) -> Result<(), bpflua::error::Error> {
    let portable = seed.is_multiple_of(4);
    let text = text.to_owned();
    let request = Request { name: "fuzz.c".into(), text, line: 1, column: 1, portable, ..Request::default() };
    compile(&request, &Settings { use_cache: false, ..Settings::default() }).map(drop)
}

#[test]
fn random_texts_compile_or_are_refused_in_words() {
    if missing(&[Need::Btf, Need::Tracefs]) {
        return;
    }
    let first = setting("BPFLUA_FUZZ_SEED", 1);
    let mut good = 0;
    for seed in first..first + setting("BPFLUA_FUZZ_TEXTS", TEXTS) {
        let text = generate::text(&bytes(seed));
        let start = Instant::now();
        match compiled(seed, &text) {
            Ok(()) => good += 1,
            Err(error) => {
                let report = error.report();
                // A crash of clang's is an error of the machine's.
                assert!(error.kind() == Kind::Script, "seed {seed}: {report}\n{text}");
                let unexpected = UNEXPECTED.iter().find(|words| report.contains(**words));
                assert_eq!(unexpected, None, "seed {seed}: {report}\n{text}");
            }
        }
        assert!(start.elapsed() < TEXT_LIMIT, "seed {seed} took {:?}\n{text}", start.elapsed());
    }
    assert!(good > 0, "no text of these compiles: the generator is of no use");
    // SAFETY: a zeroed rusage is valid, and the kernel fills it.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_CHILDREN, &mut usage);
        usage
    };
    assert!(usage.ru_maxrss < MEMORY_LIMIT_KB, "a compilation held {} KB", usage.ru_maxrss);
}

#[test]
fn a_seed_is_one_text() {
    assert_eq!(generate::text(&bytes(7)), generate::text(&bytes(7)));
    assert_ne!(generate::text(&bytes(7)), generate::text(&bytes(8)));
    assert!(generate::text(&[]).contains("return 0;"));
}
