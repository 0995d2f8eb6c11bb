// SPDX-License-Identifier: Apache-2.0
//! How much of a flood is shown: a budget of lines that fills up with time, and a count of what was held back.

use std::time::{Duration, Instant};

use crate::digits::thousands;

/// Lines that may come at once: a few histograms.
const BURST: f64 = 400.0;
/// Lines each second after that: more than anybody reads.
const EACH_SECOND: f64 = 100.0;
/// How often it is told what was held back.
const TELL_EVERY: Duration = Duration::from_secs(1);

/// The budget of one screen.
#[derive(Debug)]
pub struct Limit {
    budget: f64,
    at: Instant,
    held: u64,
    told_at: Instant,
}

impl Limit {
    /// A full budget.
    pub fn new(now: Instant) -> Limit {
        Limit { budget: BURST, at: now, held: 0, told_at: now }
    }

    /// Whether a line is shown; otherwise it is counted.
    pub fn admit(&mut self, now: Instant) -> bool {
        let passed = now.saturating_duration_since(self.at).as_secs_f64();
        self.budget = (self.budget + passed * EACH_SECOND).min(BURST);
        self.at = now;
        if self.budget < 1.0 {
            self.hold(now);
            return false;
        }
        self.budget -= 1.0;
        true
    }

    /// Counts a line that is not shown.
    pub fn hold(&mut self, now: Instant) {
        if self.held == 0 {
            self.told_at = now;
        }
        self.held += 1;
    }

    /// When it is to be told what was held back, if anything was.
    pub fn tell_at(&self) -> Option<Instant> {
        (self.held > 0).then(|| self.told_at + TELL_EVERY)
    }

    /// The line that tells what was held back since the last one, when it is time for it, or `now_or_never`.
    pub fn tell(&mut self, now: Instant, now_or_never: bool) -> Option<String> {
        if self.held == 0 || !(now_or_never || self.tell_at().is_some_and(|at| at <= now)) {
            return None;
        }
        let lines = if self.held == 1 { "line" } else { "lines" };
        let text = format!("… {} {lines} held back\n", thousands(self.held));
        self.held = 0;
        self.told_at = now;
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_cut_and_counted() {
        let start = Instant::now();
        let mut limit = Limit::new(start);
        let shown = (0..10_000).filter(|_| limit.admit(start)).count();
        assert_eq!(shown, 400);
        assert_eq!(limit.tell(start, false), None);
        let later = start + Duration::from_secs(1);
        assert_eq!(limit.tell(later, false).as_deref(), Some("… 9,600 lines held back\n"));
        assert_eq!(limit.tell(later, true), None);
        assert_eq!((0..10_000).filter(|_| limit.admit(later)).count(), 100);
        assert_eq!(limit.tell(later, true).as_deref(), Some("… 9,900 lines held back\n"));
    }

    #[test]
    fn what_comes_slowly_is_never_cut() {
        let start = Instant::now();
        let mut limit = Limit::new(start);
        assert!((0..100_000).all(|n| limit.admit(start + Duration::from_millis(n * 10))));
        assert_eq!(limit.tell_at(), None);
    }
}
