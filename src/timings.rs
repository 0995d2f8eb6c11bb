// SPDX-License-Identifier: Apache-2.0
//! Where the time of a start goes (`-vv`): each moment from the process's first to the script's first wait is some phase's.
//!
//! One clock for the process. While it does not run, a phase costs a lock that nobody else wants.

use std::sync::Mutex;
use std::time::{Duration, Instant};

/// What the time went into. A phase inside another is taken out of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The kernel's and the C library's work before `main`, as processor time.
    Process,
    /// Making the VM and its library, and Lua's share of everything after.
    Lua,
    /// Opening the kernel's types.
    KernelTypes,
    /// Looking into the cache, and writing to it.
    Cache,
    /// The compiler's process: its start, its end, and what it hands over.
    CompilerProcess,
    /// What goes before the text: the kernel's types that it needs, as C.
    Declarations,
    /// clang, from C to LLVM's form.
    FrontEnd,
    /// bpflua's own passes.
    Passes,
    /// LLVM's optimiser.
    Optimiser,
    /// LLVM's code generator, and the writing of the ELF file.
    CodeGenerator,
    /// From an ELF file to maps in the kernel and relocated programs.
    Object,
    /// The verifier.
    Load,
    /// Links.
    Attach,
}

/// All of them in the order in which they come, with the words of the report.
const PHASES: [(Phase, &str); 13] = [
    (Phase::Process, "process"),
    (Phase::Lua, "Lua"),
    (Phase::KernelTypes, "kernel types"),
    (Phase::Cache, "cache"),
    (Phase::CompilerProcess, "compiler's process"),
    (Phase::Declarations, "declarations"),
    (Phase::FrontEnd, "front end"),
    (Phase::Passes, "passes"),
    (Phase::Optimiser, "optimiser"),
    (Phase::CodeGenerator, "code generator"),
    (Phase::Object, "maps and relocation"),
    (Phase::Load, "load"),
    (Phase::Attach, "attach"),
];

#[derive(Debug)]
struct Clock {
    #[cfg(any(feature = "compiler", test))]
    started: Instant,
    phase: Phase,
    /// When the time was last given to a phase.
    since: Instant,
    spent: [Duration; PHASES.len()],
}

static CLOCK: Mutex<Option<Clock>> = Mutex::new(None);

fn with_clock<T>(body: impl FnOnce(&mut Clock) -> T) -> Option<T> {
    CLOCK.lock().ok()?.as_mut().map(body)
}

impl Clock {
    fn new() -> Clock {
        let now = Instant::now();
        Clock {
            #[cfg(any(feature = "compiler", test))]
            started: now,
            phase: Phase::Lua,
            since: now,
            spent: [Duration::ZERO; PHASES.len()],
        }
    }

    /// Gives the time until now to the current phase, and goes on with another; gives the one that ended.
    fn switch(&mut self, to: Phase, now: Instant) -> Phase {
        self.spent[self.phase as usize] += now.saturating_duration_since(self.since);
        self.since = self.since.max(now);
        std::mem::replace(&mut self.phase, to)
    }

    /// Gives some of the current phase's time to another.
    #[cfg(any(feature = "compiler", test))]
    fn charge(&mut self, phase: Phase, time: Duration) {
        self.spent[phase as usize] += time;
        self.since += time;
    }

    fn report(&mut self) -> String {
        self.switch(self.phase, Instant::now());
        let millis = |time: Duration| time.as_secs_f64() * 1e3;
        let times = PHASES.iter().map(|&(phase, words)| (self.spent[phase as usize], words));
        let parts: Vec<String> = times
            .filter(|(time, _)| *time >= Duration::from_micros(5))
            .map(|(time, words)| format!("{words} {:.2}", millis(time)))
            .collect();
        let total = millis(self.spent.iter().sum());
        format!("ready after {total:.2} ms: {}", parts.join(", "))
    }
}

/// Starts the clock.
pub fn start() {
    let mut clock = Clock::new();
    clock.spent[Phase::Process as usize] = processor_time();
    if let Ok(mut place) = CLOCK.lock() {
        *place = Some(clock);
    }
}

/// The processor time of this process.
fn processor_time() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the kernel fills a timespec of ours.
    let status = unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &raw mut time) };
    let nanos = u64::try_from(time.tv_nsec).unwrap_or_default();
    if status == 0 {
        Duration::from_secs(time.tv_sec.unsigned_abs()) + Duration::from_nanos(nanos)
    } else {
        Duration::ZERO
    }
}

/// Until it is dropped the time is a phase's; then it is again that of the phase before.
#[derive(Debug)]
#[must_use = "the phase ends when this is dropped"]
pub struct Within(Option<Phase>);

/// Begins a phase.
pub fn enter(phase: Phase) -> Within {
    Within(with_clock(|clock| clock.switch(phase, Instant::now())))
}

impl Drop for Within {
    fn drop(&mut self) {
        if let Some(before) = self.0 {
            with_clock(|clock| clock.switch(before, Instant::now()));
        }
    }
}

/// Gives some of the current phase's time to another that it learned of later.
#[cfg(feature = "compiler")]
pub fn charge(phase: Phase, time: Duration) {
    with_clock(|clock| clock.charge(phase, time));
}

/// The time since the clock started, also in a forked child; `None` when it does not run.
#[cfg(feature = "compiler")]
pub fn elapsed() -> Option<Duration> {
    with_clock(|clock| clock.started.elapsed())
}

/// Stops the clock: one line of what went where. `None` when it does not run.
pub fn stop() -> Option<String> {
    CLOCK.lock().ok()?.take().map(|mut clock| clock.report())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_moment_is_one_phases() {
        let mut clock = Clock::new();
        let at = |millis| clock.started + Duration::from_millis(millis);
        let (start, inner, end, last) = (at(1), at(3), at(7), at(20));
        assert_eq!(clock.switch(Phase::Attach, start), Phase::Lua);
        assert_eq!(clock.switch(Phase::Load, inner), Phase::Attach);
        assert_eq!(clock.switch(Phase::Attach, end), Phase::Load);
        clock.charge(Phase::Passes, Duration::from_millis(5));
        assert_eq!(clock.switch(Phase::Lua, last), Phase::Attach);
        let spent = |phase| clock.spent[phase as usize].as_millis();
        assert_eq!([Phase::Lua, Phase::Attach, Phase::Load, Phase::Passes].map(spent), [1, 10, 4, 5]);
    }

    #[test]
    fn the_phases_are_told_in_their_order() {
        assert!(PHASES.iter().enumerate().all(|(at, (phase, _))| *phase as usize == at));
    }
}
