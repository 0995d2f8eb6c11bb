// SPDX-License-Identifier: Apache-2.0
//! The event loop, pulled from Rust: nothing is lost uncounted, nothing comes twice, nothing is starved.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bpflua::events::poll::LOOK;
use bpflua::events::{Kind, Loop, PerfOptions, stop};

use super::events_fixture::{EVENT_BYTES, Event, Fixture, cpus, expect_success, in_child, signal_after};

const MILLISECOND_NS: u64 = 1_000_000;

fn perf_loop(fixture: &Fixture, page_cnt: usize) -> (Loop, usize) {
    perf_loop_with(fixture, PerfOptions { page_cnt, ..PerfOptions::default() })
}

fn perf_loop_with(fixture: &Fixture, options: PerfOptions) -> (Loop, usize) {
    let mut events = Loop::new().unwrap();
    let options = PerfOptions { min_len: EVENT_BYTES as usize, ..options };
    let source = events.add_perf(fixture.map("events"), options).unwrap();
    (events, source)
}

fn now_ns() -> u64 {
    let mut ts = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: a valid timespec.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut ts) };
    ts.tv_sec as u64 * 1_000_000_000 + ts.tv_nsec as u64
}

fn event_at(data: *const std::ffi::c_void) -> Event {
    // SAFETY: every record has, or was padded to, the size of an event; it is only 4-aligned.
    unsafe { data.cast::<Event>().read_unaligned() }
}

/// Takes every record of the slice; `each` gets the event, its CPU, and its length.
fn take_slice(events: &mut Loop, each: &mut dyn FnMut(Event, i32, u32)) {
    let (source, cpu) = (events.shared().source, events.shared().cpu);
    loop {
        let data = events.record(source);
        if data.is_null() {
            return;
        }
        each(event_at(data), cpu, events.shared().len);
    }
}

/// Takes what is there now; returns how many records that were.
fn take_all(events: &mut Loop, each: &mut dyn FnMut(Event, i32, u32)) -> u64 {
    let mut n = 0;
    loop {
        match events.wait(0, LOOK) {
            Kind::Events => take_slice(events, &mut |event, cpu, len| {
                n += 1;
                each(event, cpu, len);
            }),
            Kind::Lost => {}
            Kind::Timeout => return n,
            other => panic!("{other:?}"),
        }
    }
}

fn drain(events: &mut Loop, each: &mut dyn FnMut(Event, i32, u32)) {
    events.begin_drain();
    loop {
        match events.wait(u64::MAX, 0) {
            Kind::Events => take_slice(events, each),
            Kind::Lost => {}
            Kind::Drained => return,
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn root_perf_delivered_and_lost_are_all_that_was_submitted() {
    account_for_every_event(PerfOptions { page_cnt: 1, ..PerfOptions::default() });
}

#[test]
fn root_perf_accounts_for_every_event_on_a_kernel_without_exact_counts() {
    account_for_every_event(PerfOptions { page_cnt: 1, exact_lost: false, ..PerfOptions::default() });
}

fn account_for_every_event(options: PerfOptions) {
    let Some(fixture) = Fixture::load() else { return };
    let (mut events, source) = perf_loop_with(&fixture, options);
    let cpus = cpus();
    let mut submitted = vec![0; cpus.len()];
    let mut taken = vec![0; cpus.len()];
    let mut last = vec![None; cpus.len()];
    let mut check = |event: Event, cpu: i32, _: u32| {
        let last = &mut last[cpu as usize];
        assert!(last.is_none_or(|last| event.val > last), "out of order on CPU {cpu}");
        assert_eq!(event.ts, event.val * 1000);
        *last = Some(event.val);
    };
    // A page holds 73 events: some rounds fit, most do not, and the losses at the end have no sample behind them.
    for round in 0..50 {
        for &cpu in &cpus {
            let count = 20 + round * 7;
            let first = submitted[cpu as usize];
            taken[cpu as usize] += fixture.submit("perf_events", cpu, count, first, EVENT_BYTES);
            submitted[cpu as usize] += count;
        }
        if round % 2 == 0 {
            take_all(&mut events, &mut check);
        }
    }
    drain(&mut events, &mut check);
    for &cpu in &cpus {
        let at = cpu as usize;
        let (delivered, lost) = (events.delivered(source, Some(cpu as i32)), events.lost(source, Some(cpu as i32)));
        assert!(lost > 0);
        assert_eq!(delivered + lost, submitted[at], "CPU {cpu}");
        assert_eq!(delivered, taken[at], "CPU {cpu}");
    }
    assert_eq!(events.delivered(source, None) + events.lost(source, None), submitted.iter().sum::<u64>());
}

#[test]
fn root_perf_records_wrap_and_are_padded() {
    let Some(fixture) = Fixture::load() else { return };
    let (mut events, _) = perf_loop(&fixture, 1);
    let mut seen = 0;
    for number in 0..2000 {
        let bytes = 1 + number * 7 % 256;
        assert_eq!(fixture.submit("perf_events", 0, 1, number, bytes), 1);
        take_all(&mut events, &mut |event, _, len| {
            // The kernel pads a record so that with its 4 bytes of length it fills words of 8.
            assert_eq!(u64::from(len), (bytes + 4).next_multiple_of(8) - 4);
            check_bytes(event, number, bytes);
            seen += 1;
        });
    }
    assert_eq!(seen, 2000);
}

/// An event of which `bytes` were submitted: those are right, the others zero.
fn check_bytes(event: Event, number: u64, bytes: u64) {
    let mut wanted = [0u8; 40];
    wanted[0..4].copy_from_slice(&(1000 + number as u32 % 64).to_ne_bytes());
    wanted[4..8].copy_from_slice(&(1000 + number as u32 % 64).to_ne_bytes());
    wanted[8..16].copy_from_slice(&(number * 1000).to_ne_bytes());
    wanted[16..24].copy_from_slice(&number.to_ne_bytes());
    wanted[24..30].copy_from_slice(b"comm-0");
    wanted[29] = wanted[29].wrapping_add((number % 64) as u8);
    // SAFETY: plain data without padding.
    let got: [u8; 40] = unsafe { std::mem::transmute(event) };
    let bytes = (bytes as usize).min(40);
    assert_eq!(got[..bytes], wanted[..bytes], "event {number}");
    // The kernel's own padding, up to 7 bytes behind a record, is not ours to check.
    let padded = (bytes + 4).next_multiple_of(8) - 4;
    assert!(got[padded.min(40)..].iter().all(|&byte| byte == 0), "event {number}");
}

#[test]
fn root_ring_delivers_in_order_and_skips_what_was_given_back() {
    let Some(fixture) = Fixture::load() else { return };
    let mut events = Loop::new().unwrap();
    let dropped = Some((fixture.map("dropped"), 0));
    let source = events.add_ring(fixture.map("ring"), dropped, EVENT_BYTES as usize).unwrap();
    let mut wanted = (0u64..).filter(|number| number % 3 != 0);
    for first in (0..64_000).step_by(640) {
        fixture.submit("ring_reserved", 1 % cpus().len() as u32, 640, first, 0);
        take_all(&mut events, &mut |event, cpu, len| {
            assert_eq!((Some(event.val), cpu, len), (wanted.next(), -1, 40));
        });
    }
    assert_eq!(events.delivered(source, None), 64_000 - 64_000_u64.div_ceil(3));
    assert_eq!(events.lost(source, None), 0);
}

#[test]
fn root_ring_counts_what_did_not_fit() {
    let Some(fixture) = Fixture::load() else { return };
    let mut events = Loop::new().unwrap();
    let source = events.add_ring(fixture.map("ring"), Some((fixture.map("dropped"), 0)), EVENT_BYTES as usize).unwrap();
    let mut taken = 0;
    for round in 0..5 {
        taken += fixture.submit("ring_events", 0, 4000, round * 4000, 33);
        let mut last = 0;
        take_all(&mut events, &mut |event, _, _| {
            assert!(event.val > last || event.val == 0);
            last = event.val;
            check_bytes(event, event.val, 33);
        });
    }
    drain(&mut events, &mut |_, _, _| {});
    let (delivered, lost) = (events.delivered(source, None), events.lost(source, None));
    assert!(lost > 0);
    assert_eq!((delivered, delivered + lost), (taken, 5 * 4000));
}

#[test]
fn root_less_than_a_batch_comes_soon_and_without_a_wake_up() {
    let Some(fixture) = Fixture::load() else { return };
    let (mut events, _) = perf_loop(&fixture, 8);
    let mut latest = Duration::ZERO;
    for number in 0..20 {
        // Idle for a while, so that the loop has slowed down.
        let before = Instant::now();
        assert_eq!(events.wait(now_ns() + 50 * MILLISECOND_NS, 0), Kind::Timeout);
        assert!(before.elapsed() >= Duration::from_millis(49));
        fixture.submit("perf_events", 0, 1, number, EVENT_BYTES);
        let before = Instant::now();
        assert_eq!(events.wait(now_ns() + 2000 * MILLISECOND_NS, 0), Kind::Events);
        latest = latest.max(before.elapsed());
        take_slice(&mut events, &mut |event, _, _| assert_eq!(event.val, number));
    }
    // 20 ms by design; the rest is for a busy machine.
    assert!(latest < Duration::from_millis(200), "{latest:?}");
}

#[test]
fn root_timers_keep_their_pace_under_load() {
    let Some(fixture) = Fixture::load() else { return };
    let (mut events, source) = perf_loop(&fixture, 64);
    let timer = events.add_timer(10 * MILLISECOND_NS, true);
    let (done, submitted) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let program = fixture.program("perf_events");
    let producer = {
        let (done, submitted) = (done.clone(), submitted.clone());
        let cpu = *cpus().last().unwrap();
        std::thread::spawn(move || {
            while !done.load(Ordering::Relaxed) {
                let first = submitted.fetch_add(1024, Ordering::Relaxed);
                program.submit(cpu, 1024, first, EVENT_BYTES);
            }
        })
    };
    let (mut ticks, mut delivered) = (0, 0u64);
    let deadline = now_ns() + 1000 * MILLISECOND_NS;
    while now_ns() < deadline {
        match events.wait(deadline, 0) {
            Kind::Events => take_slice(&mut events, &mut |_, _, _| delivered += 1),
            Kind::Timer => {
                assert_eq!(events.shared().source, timer as i32);
                ticks += 1;
            }
            _ => {}
        }
    }
    done.store(true, Ordering::Relaxed);
    producer.join().unwrap();
    drain(&mut events, &mut |_, _, _| delivered += 1);
    assert!((30..=100).contains(&ticks), "{ticks} ticks in a second");
    assert_eq!(delivered, events.delivered(source, None));
    assert_eq!(delivered + events.lost(source, None), submitted.load(Ordering::Relaxed));
}

#[test]
fn a_descriptor_with_input_is_told_of() {
    let mut events = Loop::new().unwrap();
    let (mut reader, mut writer) = std::io::pipe().unwrap();
    let number = events.add_descriptor(std::os::fd::AsRawFd::as_raw_fd(&reader)).unwrap();
    assert_eq!(events.wait(now_ns() + 5 * MILLISECOND_NS, 0), Kind::Timeout);
    std::io::Write::write_all(&mut writer, b"x").unwrap();
    assert_eq!(events.wait(u64::MAX, 0), Kind::Descriptor);
    assert_eq!(events.shared().source, number as i32);
    std::io::Read::read_exact(&mut reader, &mut [0]).unwrap();
    assert_eq!(events.wait(now_ns() + 5 * MILLISECOND_NS, 0), Kind::Timeout);
}

#[test]
fn a_wrong_map_is_an_error() {
    let mut events = Loop::new().unwrap();
    let file = std::fs::File::open("/dev/null").unwrap();
    let error = events.add_ring(std::os::fd::AsFd::as_fd(&file), None, 0).unwrap_err();
    assert_eq!(error.what(), "cannot map the ring buffer");
    let options = PerfOptions { page_cnt: 3, ..PerfOptions::default() };
    let error = events.add_perf(std::os::fd::AsFd::as_fd(&file), options).unwrap_err();
    assert_eq!(error.to_string(), "cannot open the perf buffer: `page_cnt` must be a power of two");
}

#[test]
fn root_a_signal_ends_the_wait_and_the_drain_ends_too() {
    let Some(fixture) = Fixture::load() else { return };
    if let Some(child) = in_child("suite::events_loop::root_a_signal_ends_the_wait_and_the_drain_ends_too") {
        return expect_success(child);
    }
    let (mut events, source) = perf_loop(&fixture, 8);
    stop::install().unwrap();
    signal_after(100, libc::SIGINT);
    let before = Instant::now();
    assert_eq!(events.wait(u64::MAX, 0), Kind::Stop);
    assert!(before.elapsed() < Duration::from_millis(1000));
    assert_eq!(stop::signal(), Some(libc::SIGINT));

    // A producer that does not stop must not keep the drain from its end.
    let program = fixture.program("perf_events");
    let submitted = fixture.submit("perf_events", 0, 100, 0, EVENT_BYTES);
    events.begin_drain();
    let mut taken = 0;
    loop {
        match events.wait(u64::MAX, 0) {
            Kind::Events => take_slice(&mut events, &mut |_, _, _| {
                taken += 1;
                program.submit(0, 1, 1_000_000, EVENT_BYTES);
            }),
            Kind::Drained => break,
            _ => {}
        }
    }
    assert_eq!((taken, submitted), (100, 100));
    assert_eq!(events.delivered(source, None), 100);
    assert_eq!(events.wait(u64::MAX, 0), Kind::Stop);

    // The flag can be lowered, and the next signal is taken again.
    stop::rearm().unwrap();
    assert_eq!(take_all(&mut events, &mut |_, _, _| {}), 100);
    signal_after(50, libc::SIGTERM);
    assert_eq!(events.wait(u64::MAX, 0), Kind::Stop);
    assert_eq!(stop::signal(), Some(libc::SIGTERM));
}

#[test]
fn a_second_signal_kills() {
    use std::os::unix::process::ExitStatusExt as _;
    let Some(child) = in_child("suite::events_loop::a_second_signal_kills") else {
        stop::install().unwrap();
        signal_after(50, libc::SIGINT);
        signal_after(100, libc::SIGINT);
        loop {
            std::thread::sleep(Duration::from_secs(1));
        }
    };
    assert_eq!(child.wait_with_output().unwrap().status.signal(), Some(libc::SIGINT));
}
