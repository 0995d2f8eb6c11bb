// SPDX-License-Identifier: Apache-2.0
//! Timers: periodic or once, kept as deadlines that the loop looks at between slices of records.

/// One timer. A cancelled one keeps its place, so that the numbers of the others stay.
#[derive(Clone, Copy, Debug)]
struct Timer {
    /// When it is due; `u64::MAX` when never again.
    due_ns: u64,
    /// 0: once.
    interval_ns: u64,
}

/// The timers of a loop.
#[derive(Debug, Default)]
pub struct Timers {
    timers: Vec<Timer>,
}

impl Timers {
    /// Adds a timer that is due `interval_ns` from `now_ns`, again and again if `repeat`. Returns its number.
    pub fn add(&mut self, now_ns: u64, interval_ns: u64, repeat: bool) -> usize {
        let interval_ns = interval_ns.max(1);
        let due_ns = now_ns.saturating_add(interval_ns);
        self.timers.push(Timer { due_ns, interval_ns: if repeat { interval_ns } else { 0 } });
        self.timers.len() - 1
    }

    /// Ends a timer. False when there is none of this number.
    pub fn cancel(&mut self, index: usize) -> bool {
        self.timers.get_mut(index).map(|timer| timer.due_ns = u64::MAX).is_some()
    }

    /// When the next timer is due; `u64::MAX` when none is.
    pub fn next_due_ns(&self) -> u64 {
        self.timers.iter().map(|timer| timer.due_ns).min().unwrap_or(u64::MAX)
    }

    /// Takes the timer that has been due for longest, and sets its next deadline. A timer that missed several
    /// deadlines fires once and keeps its phase: late ticks are dropped, not made up for in a burst.
    pub fn take_due(&mut self, now_ns: u64) -> Option<usize> {
        let (index, timer) = self.timers.iter_mut().enumerate().min_by_key(|(_, timer)| timer.due_ns)?;
        if timer.due_ns > now_ns || timer.due_ns == u64::MAX {
            return None;
        }
        timer.due_ns = match timer.interval_ns {
            0 => u64::MAX,
            interval => timer.due_ns + ((now_ns - timer.due_ns) / interval + 1) * interval,
        };
        Some(index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_in_order_and_keeps_its_phase() {
        let mut timers = Timers::default();
        let slow = timers.add(0, 100, true);
        let fast = timers.add(0, 30, true);
        assert_eq!(timers.next_due_ns(), 30);
        assert_eq!(timers.take_due(29), None);
        assert_eq!(timers.take_due(30), Some(fast));
        assert_eq!(timers.take_due(30), None);
        // 60, 90 and 120 have passed: one tick, the next at 150.
        assert_eq!(timers.take_due(125), Some(fast));
        assert_eq!(timers.take_due(125), Some(slow));
        assert_eq!(timers.take_due(125), None);
        assert_eq!(timers.next_due_ns(), 150);
    }

    #[test]
    fn once_and_cancelled() {
        let mut timers = Timers::default();
        let once = timers.add(0, 10, false);
        let other = timers.add(0, 20, true);
        assert_eq!(timers.take_due(15), Some(once));
        assert!(timers.cancel(other));
        assert!(!timers.cancel(7));
        assert_eq!(timers.take_due(1000), None);
        assert_eq!(timers.next_due_ns(), u64::MAX);
    }
}
