// SPDX-License-Identifier: Apache-2.0
//! What grows: keys of a map, programs of a text, functions of a pattern, minutes at full rate. The cost of each more has to stay what it was.

use std::time::{Duration, Instant};

use super::maps::{figures, sides};
use super::model::{Plot, Row, Series, number, quantile};
use super::peers::{self, BPFLUA, LIBBPF};
use super::process::{self, Running, pinned};
use super::rounds;

const ROUNDS: usize = 5;
/// The environment's word for how long the storm goes on.
const MINUTES: &str = "BENCH_MINUTES";

fn line_row(id: &str, title: &str, unit: &str, places: &[f64], place_unit: &str) -> Row {
    let mut row = Row::new(id, title, unit);
    row.plot = Plot::Lines;
    row.places = places.to_vec();
    row.place_unit = place_unit.to_owned();
    row
}

/// The last figure of a side is no more than `most` times its first.
fn must_stay_flat(row: &mut Row, who: &str, most: f64) {
    let found = row.find(who).map(|series| series.samples.clone()).unwrap_or_default();
    let (Some(first), Some(last)) = (found.first(), found.last()) else { return };
    let words = format!("{} × the first", number(last / first));
    row.must(format!("flat: the last ≤ {} × the first", number(most)), words, last / first <= most);
}

fn keys() -> Row {
    let places = [10_000.0, 100_000.0, 1_000_000.0];
    let mut row = line_row("scale-keys", "walk a hash, by its size", "ns of processor time for a key", &places, "keys");
    let mut medians = vec![(BPFLUA, Vec::new()), (LIBBPF, Vec::new())];
    for place in places {
        for (who, mut command) in sides(&format!("{place:.0}"), rounds(ROUNDS)) {
            let Some((_, medians)) = medians.iter_mut().find(|(whose, _)| *whose == who) else { continue };
            let told = Running::start(pinned(&mut command, 0)).and_then(Running::rest);
            match told {
                Ok(text) => medians.push(quantile(&figures(&text, "items "), 0.5)),
                Err(why) => row.note(format!("{who} could not run with {place} keys: {why}")),
            }
        }
    }
    row.series.extend(medians.into_iter().map(|(who, samples)| Series::new(who, samples)));
    must_stay_flat(&mut row, BPFLUA, 2.0);
    row.note("What grows with the size is the kernel's walk through memory that no cache holds: C's line shows it.");
    row
}

fn programs() -> Row {
    let places = [1.0, 4.0, 16.0, 64.0];
    let title = "start to attached, by programs in a text";
    let mut row = line_row("scale-programs", title, "ms of processor time", &places, "programs");
    let mut times = Vec::new();
    for place in places {
        let found: Vec<f64> = (0..rounds(ROUNDS)).filter_map(|_| start_programs(place)).collect();
        times.push(quantile(&found, 0.5));
    }
    let each = (times[3] - times[0]) / 63.0;
    let middle = (times[2] - times[0]) / 15.0;
    row.series.push(Series::new(BPFLUA, times));
    let words = format!("{} ms for each of 16, {} ms for each of 64", number(middle), number(each));
    row.must("each more costs the same (≤ 1.5 ×)", words, each <= 1.5 * middle);
    row.note("From the cache, so that it is the loading and attaching.");
    row
}

fn start_programs(count: f64) -> Option<f64> {
    let mut command = peers::script("programs", &[]);
    command.arg(format!("{count:.0}"));
    let mut running = Running::start(&mut command).ok()?;
    running.ready().ok()?;
    let cpu = running.cpu_ns() as f64 / 1e6;
    running.kill();
    Some(cpu)
}

fn points() -> Row {
    let places = [1.0, 10.0, 100.0, 1000.0];
    let mut row =
        line_row("scale-points", "attach to functions of a program by one pattern", "ms", &places, "functions");
    let program = peers::work().join("peers/points").display().to_string();
    let (mut attach, mut detach) = (Vec::new(), Vec::new());
    for place in places {
        let mut command = peers::script("points", &[]);
        command.args([program.clone(), format!("{place:.0}")]);
        let told: Vec<String> =
            (0..rounds(ROUNDS)).filter_map(|_| Running::start(&mut command).and_then(Running::rest).ok()).collect();
        let median = |word: &str| quantile(&told.iter().flat_map(|text| figures(text, word)).collect::<Vec<_>>(), 0.5);
        attach.push(median("attach "));
        detach.push(median("detach "));
    }
    let each = [(attach[2] - attach[0]) / 99.0, (attach[3] - attach[0]) / 999.0];
    let words = format!("{} ms for each of 100, {} ms for each of 1,000", number(each[0]), number(each[1]));
    // Attaching has a part that all share, which varies by more than a hundred functions cost.
    row.must("each more costs the same (≤ 1.5 ×, or ≤ 0.05 ms)", words, each[1] <= (1.5 * each[0]).max(0.05));
    row.series.push(Series::new(BPFLUA, attach));
    row.series.push(Series::new("bpflua, detaching", detach));
    row.note("Wall time, the reading of the program's symbols included; one link for all of them.");
    row
}

fn minutes() -> Row {
    let minutes: f64 = std::env::var(MINUTES).ok().and_then(|minutes| minutes.parse().ok()).unwrap_or(1.0);
    let seconds = if rounds(100) < 100 { 12.0 } else { minutes * 60.0 };
    let step = (seconds / 12.0_f64).max(1.0);
    let mut row = line_row("scale-minutes", "resident memory at full rate", "MiB", &[], "seconds");
    row.note(format!("{seconds:.0} seconds of `getppid` as fast as it goes; {MINUTES}=10 for ten minutes."));
    if let Err(why) = at_full_rate(&mut row, seconds, step) {
        row.note(format!("Could not run: {why}"));
    }
    must_stay_flat(&mut row, BPFLUA, 1.1);
    row
}

fn at_full_rate(row: &mut Row, seconds: f64, step: f64) -> Result<(), String> {
    let mut command = peers::script("live", &[]);
    command.arg("perf");
    let mut running = Running::start(pinned(&mut command, 0))?;
    running.ready()?;
    let storm = [peers::work().join("peers/storm").display().to_string(), seconds.to_string()];
    let mut storm = pinned(&mut process::command(&storm), 1).spawn().map_err(|error| error.to_string())?;
    let start = Instant::now();
    let mut resident = Vec::new();
    while start.elapsed().as_secs_f64() + step < seconds + 0.5 {
        std::thread::sleep(Duration::from_secs_f64(step));
        row.places.push(start.elapsed().as_secs_f64().round());
        resident.push(running.kib("VmRSS") / 1024.0);
    }
    let _ = storm.wait();
    running.signal(libc::SIGINT);
    let told = running.line_of("told ")?;
    running.kill();
    row.series.push(Series::new(BPFLUA, resident));
    let figures: Vec<f64> = told.split(' ').filter_map(|word| word.parse().ok()).collect();
    let [delivered, lost, hits] = figures[..] else { return Err(format!("it said `{told}`")) };
    let words = format!("{} delivered, {} lost, {} submitted", number(delivered), number(lost), number(hits));
    row.must("delivered and lost are what was submitted", words, delivered + lost == hits);
    Ok(())
}

pub fn rows() -> Vec<Row> {
    vec![keys(), programs(), points(), minutes()]
}
