// SPDX-License-Identifier: Apache-2.0
//! bpflua beside its peers and beside C with libbpf: the table of `docs/performance.md`.
//!
//! `benches/run [--quick] [--publish] [ROW…]` builds what is compared and runs this, as root. See `benches/README.md`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    missing_docs,
    reason = "a benchmark, not the program"
)]

mod compile;
mod drain;
mod live;
mod machine;
mod maps;
mod model;
mod peers;
mod probes;
mod process;
mod publish;
mod release;
mod scale;
mod startup;
mod svg;
mod symbols;
mod table;
mod vm;

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};

use model::Row;

/// A family of rows: its name on the command line, and what measures it.
struct Family {
    name: &'static str,
    about: &'static str,
    run: fn() -> Vec<Row>,
}

const FAMILIES: &[Family] = &[
    Family { name: "startup", about: "start to attached, cold and cached; resident memory", run: startup::rows },
    Family { name: "lite", about: "a built pack in the build without LLVM", run: startup::lite_rows },
    Family { name: "compile", about: "the texts of bcc's tools", run: compile::rows },
    Family {
        name: "drain",
        about: "what an event costs its reader: perf and ring buffer, summed and as text",
        run: drain::rows,
    },
    Family { name: "live", about: "events at full rate: the traced program, losses", run: live::rows },
    Family { name: "maps", about: "walking and emptying maps", run: maps::rows },
    Family { name: "attach", about: "a thousand kernel functions (VM)", run: probes::attach_rows },
    Family { name: "hits", about: "what a hit on vfs_read costs (VM)", run: probes::hit_rows },
    Family { name: "symbols", about: "the names of addresses", run: symbols::rows },
    Family { name: "release", about: "the release file: size, libraries, --version", run: release::rows },
    Family { name: "scale", about: "keys, programs, minutes at full rate", run: scale::rows },
];

static QUICK: AtomicBool = AtomicBool::new(false);

/// How many rounds to run of so many: a few with `--quick`.
fn rounds(usual: usize) -> usize {
    if QUICK.load(Ordering::Relaxed) { usual.min(3) } else { usual }
}

/// How many processes to measure of so many: one with `--quick`.
fn processes(usual: usize) -> usize {
    if QUICK.load(Ordering::Relaxed) { 1 } else { usual }
}

fn main() {
    let mut wanted: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let mut flag = |name: &str| {
        let before = wanted.len();
        wanted.retain(|word| word != name);
        before != wanted.len()
    };
    QUICK.store(flag("--quick"), Ordering::Relaxed);
    let (publish, list, inside) = (flag("--publish"), flag("--list"), flag("--inside"));
    let unknown: Vec<&String> = wanted.iter().filter(|word| !FAMILIES.iter().any(|f| f.name == **word)).collect();
    if list || !unknown.is_empty() {
        unknown.iter().for_each(|word| println!("there is no row `{word}`"));
        FAMILIES.iter().for_each(|family| println!("{:10} {}", family.name, family.about));
        std::process::exit(i32::from(!unknown.is_empty()));
    }
    machine::prefer_this_process();
    let chosen = FAMILIES.iter().filter(|family| wanted.is_empty() || wanted.iter().any(|word| word == family.name));
    for family in chosen {
        if !inside {
            eprintln!("-- {} ({})", family.name, machine::load());
        }
        let rows = (family.run)();
        if inside {
            println!("{}", serde_json::to_string(&rows).unwrap());
            continue;
        }
        rows.iter().for_each(|row| print!("{}", table::of_row(row)));
        keep(family.name, &rows);
    }
    if !inside {
        let families: Vec<&str> = FAMILIES.iter().map(|family| family.name).collect();
        publish::write(&families, publish);
    }
}

/// Keeps the rows for the page: each family's last figures.
fn keep(family: &str, rows: &[Row]) {
    let folder = peers::work().join("rows");
    fs::create_dir_all(&folder).unwrap();
    let kept = publish::Kept { measured: machine::now(), load: machine::load(), rows: rows.to_vec() };
    fs::write(folder.join(format!("{family}.json")), serde_json::to_string(&kept).unwrap()).unwrap();
}
