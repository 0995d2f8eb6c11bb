// SPDX-License-Identifier: Apache-2.0
//! The release file: its size, what it needs of the machine, how soon it says its version.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::time::Instant;

use super::model::{Row, Series};
use super::peers::{self, BPFLUA};
use super::process;
use super::rounds;

const ROUNDS: usize = 21;
/// What belongs to the C library.
const OF_LIBC: [&str; 4] = ["linux-vdso.so", "libc.so", "libm.so", "ld-linux"];

pub fn rows() -> Vec<Row> {
    let path = peers::bpflua();
    let size = fs::metadata(&path).map_or(0, |about| about.size());
    let mut file = Row::new("release", "the release file", "MB");
    file.series.push(Series::new(BPFLUA, vec![size as f64 / 1e6]));
    if let Some(lite) = peers::lite() {
        let size = fs::metadata(lite).map_or(0, |about| about.size());
        file.series.push(Series::new("bpflua without LLVM", vec![size as f64 / 1e6]));
    }
    file.must_stay_below(BPFLUA, 80.0);
    let others = libraries(&path);
    file.must(
        "no shared library but libc",
        if others.is_empty() { "none".to_owned() } else { others.join(", ") },
        others.is_empty(),
    );
    file.note("Built by `cargo build --release --locked`. What `ldd` lists beside the C library's own files counts.");

    let mut version = Row::new("version", "`--version`, from start to end", "ms");
    let commands: [(&str, &[&str]); 3] =
        [(BPFLUA, &[&path, "--version"]), ("bpftrace", &["bpftrace", "--version"]), ("true", &["/bin/true"])];
    let mut times = [const { Vec::new() }; 3];
    for _ in 0..rounds(ROUNDS) {
        for ((_, words), times) in commands.iter().zip(&mut times) {
            let start = Instant::now();
            if process::command(words).output().is_ok() {
                times.push(start.elapsed().as_secs_f64() * 1e3);
            }
        }
    }
    version.series.extend(commands.iter().zip(times).map(|((who, _), times)| Series::new(who, times)));
    version.must_stay_below(BPFLUA, 10.0);
    vec![file, version]
}

/// The shared libraries beside the C library's.
fn libraries(path: &str) -> Vec<String> {
    let output = process::command(&["ldd", path]).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    let names = text.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned);
    names
        .filter(|name| !OF_LIBC.iter().any(|own| name.contains(own)) && name != "statically" && name != "not")
        .collect()
}
