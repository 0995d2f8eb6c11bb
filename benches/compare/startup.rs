// SPDX-License-Identifier: Apache-2.0
//! From the start of the process to attached probes, cold and from the cache; memory of what then runs.

use std::process::Command;

use super::model::{Row, Series};
use super::peers::{self, BPFLUA, BPFTRACE, LIBBPF, LUA, PYTHON};
use super::process::{self, Running};
use super::rounds;

const ROUNDS: usize = 11;

/// One way to start, and what its starts took.
struct Way {
    who: &'static str,
    command: Box<dyn Fn() -> Command>,
    wall_ms: Vec<f64>,
    cpu_ms: Vec<f64>,
    whole_ms: Vec<f64>,
    resident_mib: Vec<f64>,
    failed: Option<String>,
}

impl Way {
    fn new(who: &'static str, command: impl Fn() -> Command + 'static) -> Way {
        let command = Box::new(command);
        let [wall_ms, cpu_ms, whole_ms, resident_mib] = [const { Vec::new() }; 4];
        Way { who, command, wall_ms, cpu_ms, whole_ms, resident_mib, failed: None }
    }

    fn run(&mut self) {
        if self.failed.is_some() {
            return;
        }
        let start = || -> Result<[f64; 4], String> {
            let mut running = Running::start(&mut (self.command)())?;
            let wall = running.ready()?;
            let cpu = running.cpu_ns();
            // What is given back is given back with the first wait, right after its word.
            std::thread::sleep(std::time::Duration::from_millis(30));
            let resident = running.kib("VmRSS");
            let whole = running.kill_counted();
            Ok([wall.as_secs_f64() * 1e3, cpu as f64 / 1e6, whole / 1e6, resident / 1024.0])
        };
        match start() {
            Ok([wall, cpu, whole, resident]) => {
                self.wall_ms.push(wall);
                self.cpu_ms.push(cpu);
                self.whole_ms.push(whole);
                self.resident_mib.push(resident);
            }
            Err(why) => self.failed = Some(why),
        }
    }
}

fn measure(ways: &mut [Way]) {
    // The first start warms the caches of files.
    ways.iter_mut().for_each(Way::run);
    for way in ways.iter_mut() {
        way.wall_ms.clear();
        way.cpu_ms.clear();
        way.whole_ms.clear();
        way.resident_mib.clear();
    }
    for _ in 0..rounds(ROUNDS) {
        ways.iter_mut().for_each(Way::run);
    }
}

fn fill(row: &mut Row, ways: &[Way], figures: impl Fn(&Way) -> &Vec<f64>) {
    for way in ways {
        match &way.failed {
            Some(why) => row.note(format!("{} could not run: {why}", way.who)),
            None => row.series.push(Series::new(way.who, figures(way).clone())),
        }
    }
}

const TRACED: &str = "uprobe:libc:getuid { printf(\"hello\\n\"); }";

fn bpftrace() -> Command {
    // It says nothing when it has attached, but starts this program then.
    process::command(&["bpftrace", "-e", TRACED, "-c", &peers::work().join("peers/ready").display().to_string()])
}

const COLD: &str = "bpflua, cold";
const CACHED: &str = "bpflua, cached";

pub fn rows() -> Vec<Row> {
    let mut ways = [
        Way::new(COLD, || peers::script("hello", &["--no-cache"])),
        Way::new(CACHED, || peers::script("hello", &[])),
        Way::new(PYTHON, || peers::python("hello")),
        Way::new(LUA, || peers::bcc_lua("hello")),
        Way::new(BPFTRACE, bpftrace),
        Way::new(LIBBPF, || peers::libbpf("hello")),
    ];
    measure(&mut ways);

    let mut cold = Row::new("startup", "start to attached: hello on a function of libc", "ms");
    fill(&mut cold, &ways, |way| &way.wall_ms);
    must_beat_peers(&mut cold);
    cold.must_keep_up(CACHED, LIBBPF, 2.0);
    cold.note("Wall time from the start of the process to its word that the probe is attached; compile included where it is not cached.");
    cold.note(format!("Where a cold start of bpflua's goes: {}", breakdown("--no-cache")));
    cold.note(format!("Where a start from the cache goes: {}", breakdown("--mechanism=auto")));

    let mut cpu = Row::new("startup-cpu", "the same, processor time of the process itself", "ms");
    fill(&mut cpu, &ways, |way| &way.cpu_ms);
    cpu.must_stay_below(CACHED, 15.0);
    cpu.must_keep_up(CACHED, LIBBPF, 2.0);
    cpu.note("Without that of bpflua's compiler, which is a process of its own: look at the cached start.");

    let mut whole = Row::new("startup-whole", "the same, processor time with the compiler's process and the end", "ms");
    fill(&mut whole, &ways, |way| &way.whole_ms);
    must_beat_peers(&mut whole);
    whole.note(
        "What wall time would be on an idle machine, but for the waits for the kernel; other work disturbs it least.",
    );

    let mut memory = Row::new("memory", "resident memory of the hello that runs", "MiB");
    fill(&mut memory, &ways, |way| &way.resident_mib);
    memory.must_stay_below(COLD, 20.0);
    memory.must_beat(COLD, PYTHON, 4.0);
    vec![cold, cpu, whole, memory]
}

fn must_beat_peers(row: &mut Row) {
    for (who, least) in [(PYTHON, 15.0), (LUA, 15.0), (BPFTRACE, 2.0)] {
        row.must_beat(COLD, who, least);
    }
}

/// The phases of a start as `bpflua -vv` tells them, the median one of seven.
fn breakdown(option: &str) -> String {
    let mut told: Vec<(f64, String)> = (0..7).filter_map(|_| phases(option)).collect();
    told.sort_by(|a, b| a.0.total_cmp(&b.0));
    told.get(told.len() / 2).map_or_else(|| "not told".to_owned(), |(_, line)| line.clone())
}

fn phases(option: &str) -> Option<(f64, String)> {
    let mut running = Running::start(&mut peers::script("hello", &["-vv", option])).ok()?;
    running.ready().ok()?;
    // It is told behind the script's own word, with the first wait.
    std::thread::sleep(std::time::Duration::from_millis(20));
    let words = running.errors();
    running.kill();
    let line = words.lines().find_map(|line| line.split_once("ready after ").map(|(_, rest)| rest.to_owned()))?;
    let total = line.split(' ').next()?.parse().ok()?;
    Some((total, line))
}

/// The build without the compiler runs a pack that was built before.
pub fn lite_rows() -> Vec<Row> {
    let mut row = Row::new("lite", "start to attached: a built pack in the build without LLVM", "ms");
    let mut memory = Row::new("lite-memory", "resident memory of the same", "MiB");
    let Some(lite) = peers::lite() else {
        row.note("There is no such build: cargo build --release --no-default-features --target-dir target/lite");
        row.must_keep_up(BPFLUA, LIBBPF, 1.3);
        return vec![row];
    };
    let pack = match built_pack() {
        Ok(pack) => pack,
        Err(why) => {
            row.note(format!("The pack cannot be built: {why}"));
            return vec![row];
        }
    };
    let run = move || process::command(&[&lite, "run", &format!("{pack}/hello")]);
    let mut ways = [Way::new(BPFLUA, run), Way::new(LIBBPF, || peers::libbpf("hello"))];
    measure(&mut ways);
    fill(&mut row, &ways, |way| &way.wall_ms);
    row.must_keep_up(BPFLUA, LIBBPF, 1.3);
    fill(&mut memory, &ways, |way| &way.resident_mib);
    memory.must_stay_below(BPFLUA, 12.0);
    vec![row, memory]
}

/// The folder of a pack whose C texts were compiled ahead, by this build of bpflua.
fn built_pack() -> Result<String, String> {
    let folder = peers::work().join("packs/benchhello");
    let archive = peers::work().join("benchhello.tar.zst").display().to_string();
    let run = |words: &[&str]| {
        let output = process::command(words).output().map_err(|error| format!("{}: {error}", words[0]))?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        if output.status.success() { Ok(()) } else { Err(said.lines().collect::<Vec<_>>().join(" / ")) }
    };
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    let folder = folder.display().to_string();
    run(&[&peers::bpflua(), "pack", "build", &peers::file("packs/benchhello"), "-o", &archive])?;
    run(&["tar", "--zstd", "-xf", &archive, "-C", &folder])?;
    Ok(folder)
}
