// SPDX-License-Identifier: Apache-2.0
//! Which CPUs there are.

use crate::error::{Error, Result};
use std::fs;

/// More CPUs than any kernel is built for; a list that says more is none.
const LIMIT: u32 = 1 << 16;

/// The CPUs that run now.
pub fn online() -> Result<Vec<u32>> {
    read("online")
}

/// The CPUs that may come to run while this kernel does: what per-CPU maps have a value for.
pub fn possible() -> Result<Vec<u32>> {
    read("possible")
}

/// Ticks of the kernel's clock in a second, its `HZ`.
pub fn ticks_per_second() -> u32 {
    ticks_in(crate::kernel::sys::os::tick_ns())
}

fn ticks_in(tick_ns: u64) -> u32 {
    const DEFAULT: u32 = 250;
    match tick_ns {
        0 => DEFAULT,
        // A tick of 300 Hz is 3333333 ns: nearest, not below.
        tick => u32::try_from((1_000_000_000 + tick / 2) / tick).unwrap_or(DEFAULT),
    }
}

fn read(which: &str) -> Result<Vec<u32>> {
    let path = format!("/sys/devices/system/cpu/{which}");
    let text = fs::read_to_string(&path).map_err(|err| Error::io(format!("cannot read `{path}`"), &err))?;
    let malformed = || Error::machine(format!("cannot read `{path}`"), format!("`{}` is no list", text.trim()));
    parse_list(&text).filter(|cpus| !cpus.is_empty()).ok_or_else(malformed)
}

/// Reads a list of numbers and ranges: `0-3,5`.
pub fn parse_list(text: &str) -> Option<Vec<u32>> {
    let mut numbers = Vec::new();
    for part in text.trim().split(',').filter(|part| !part.is_empty()) {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last): (u32, u32) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
        if first > last || last >= LIMIT {
            return None;
        }
        numbers.extend(first..=last);
    }
    numbers.sort_unstable();
    numbers.dedup();
    Some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_those_of_the_configuration() {
        assert_eq!([1_000_000, 3_333_333, 4_000_000, 10_000_000, 0].map(ticks_in), [1000, 300, 250, 100, 250]);
        match crate::kernel::config::KernelConfig::running() {
            Some(config) => {
                let wanted = crate::kernel::config::Setting::Value(ticks_per_second().to_string());
                assert_eq!(config.setting("HZ"), wanted);
            }
            None => println!("skipped: no configuration of the running kernel is to be found"),
        }
    }

    #[test]
    fn lists() {
        assert_eq!(parse_list("0-3,5\n").unwrap(), [0, 1, 2, 3, 5]);
        assert_eq!(parse_list("7").unwrap(), [7]);
        assert_eq!(parse_list("2,0-2").unwrap(), [0, 1, 2]);
        assert!(parse_list("\n").unwrap().is_empty());
        for bad in ["a", "1-", "-1", "3-1", "0-4294967295", "1;2"] {
            assert_eq!(parse_list(bad), None, "{bad}");
        }
    }

    #[test]
    fn this_machine_has_cpus() {
        let (online, possible) = (online().unwrap(), possible().unwrap());
        assert!(!online.is_empty() && online.iter().all(|cpu| possible.contains(cpu)));
    }
}
