// SPDX-License-Identifier: Apache-2.0
//! Which tracepoints a text names, and the C of their records.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::LazyLock;

use regex::Regex;

use crate::error::Result;

/// `TRACEPOINT_PROBE(category, event)`.
static PROBE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?-u)\bTRACEPOINT_PROBE\s*\(\s*(\w+)\s*,\s*(\w+)\s*\)").ok());
/// `struct tracepoint__category__event`.
static RECORD: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"(?-u)\btracepoint__(\w+)").ok());

/// The C of all records that the texts name, each once, in the order of their names.
pub fn structs(texts: &[String], write: &dyn Fn(&str, &str) -> Result<Option<String>>) -> Result<String> {
    let mut found: BTreeMap<String, Option<String>> = BTreeMap::new();
    for text in texts.iter().filter(|text| text.contains("racepoint__") || text.contains("TRACEPOINT_PROBE")) {
        for probe in PROBE.iter().flat_map(|regex| regex.captures_iter(text)) {
            let (category, event) = (&probe[1], &probe[2]);
            if let Entry::Vacant(place) = found.entry(format!("{category}__{event}")) {
                place.insert(write(category, event)?);
            }
        }
        for record in RECORD.iter().flat_map(|regex| regex.captures_iter(text)) {
            if let Entry::Vacant(place) = found.entry(record[1].to_owned()) {
                place.insert(first_known(&record[1], write)?);
            }
        }
    }
    Ok(found.into_values().flatten().collect())
}

/// The record of the first way to take the name apart that the kernel knows.
fn first_known(name: &str, write: &dyn Fn(&str, &str) -> Result<Option<String>>) -> Result<Option<String>> {
    for (category, event) in splits(name) {
        if let Some(text) = write(category, event)? {
            return Ok(Some(text));
        }
    }
    Ok(None)
}

/// The ways to take `category__event` apart, the last `__` first, as bcc does.
fn splits(name: &str) -> impl Iterator<Item = (&str, &str)> {
    name.rmatch_indices("__").map(|(at, _)| (&name[..at], &name[at + 2..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_both_forms_once() {
        let texts = vec![
            "TRACEPOINT_PROBE(sched, sched_switch) { return 0; }".to_owned(),
            "int f(struct tracepoint__sched__sched_switch *a); int g(struct tracepoint__my__cat__evt *b);".to_owned(),
        ];
        let write =
            |category: &str, event: &str| Ok((category != "my__cat__x").then(|| format!("{category}:{event}\n")));
        assert_eq!(structs(&texts, &write).unwrap(), "my__cat:evt\nsched:sched_switch\n");
    }

    #[test]
    fn unknown_tracepoints_give_nothing() {
        assert_eq!(structs(&["TRACEPOINT_PROBE(a, b)".to_owned()], &|_, _| Ok(None)).unwrap(), "");
    }
}
