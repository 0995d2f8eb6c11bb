// SPDX-License-Identifier: Apache-2.0
//! What a comparison comes to: figures of each side, what has to be reached, what was.

use serde::{Deserialize, Serialize};

/// One side's figures. Those of all sides with the same index were taken in the same round.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Series {
    pub who: String,
    pub samples: Vec<f64>,
}

impl Series {
    pub fn new(who: &str, samples: Vec<f64>) -> Series {
        Series { who: who.to_owned(), samples }
    }

    pub fn median(&self) -> f64 {
        quantile(&self.samples, 0.5)
    }
}

/// Something to reach.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Goal {
    /// "15 × faster than bcc-python, at least"
    pub must: String,
    /// What was reached, with its spread; or why that is not known.
    pub reached: String,
    /// `None`: it could not be measured.
    pub passes: Option<bool>,
}

/// How the figures are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Plot {
    /// A bar for each side, on a logarithmic scale.
    Bars,
    /// A line for each side: figure `i` belongs to place `i` of [`Row::places`].
    Lines,
}

/// One row of the table.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Row {
    /// Its file's name.
    pub id: String,
    /// What is measured.
    pub title: String,
    pub unit: String,
    pub series: Vec<Series>,
    pub goals: Vec<Goal>,
    /// What a reader has to know: how it was measured, what could not run and why.
    pub notes: Vec<String>,
    pub plot: Plot,
    /// What the figures of lines belong to.
    pub places: Vec<f64>,
    /// What the places are.
    pub place_unit: String,
}

impl Row {
    pub fn new(id: &str, title: &str, unit: &str) -> Row {
        Row {
            id: id.to_owned(),
            title: title.to_owned(),
            unit: unit.to_owned(),
            series: Vec::new(),
            goals: Vec::new(),
            notes: Vec::new(),
            plot: Plot::Bars,
            places: Vec::new(),
            place_unit: String::new(),
        }
    }

    pub fn find(&self, who: &str) -> Option<&Series> {
        self.series.iter().find(|series| series.who == who && !series.samples.is_empty())
    }

    /// Another figure of a side's.
    pub fn add(&mut self, who: &str, figure: f64) {
        match self.series.iter_mut().find(|series| series.who == who) {
            Some(series) => series.samples.push(figure),
            None => self.series.push(Series::new(who, vec![figure])),
        }
    }

    pub fn note(&mut self, words: impl Into<String>) {
        self.notes.push(words.into());
    }

    fn goal(&mut self, must: String, reached: Option<(String, bool)>) {
        let (reached, passes) = match reached {
            Some((reached, passes)) => (reached, Some(passes)),
            None => ("not measured".to_owned(), None),
        };
        self.goals.push(Goal { must, reached, passes });
    }

    /// The ratio of two sides' figures, round by round: median and quartiles.
    pub fn ratio(&self, above: &str, below: &str) -> Option<[f64; 3]> {
        let (above, below) = (self.find(above)?, self.find(below)?);
        let ratios: Vec<f64> = above.samples.iter().zip(&below.samples).map(|(a, b)| a / b).collect();
        Some([0.5, 0.25, 0.75].map(|part| quantile(&ratios, part)))
    }

    /// `who` takes `least` times as much as `ours`, at least.
    pub fn must_beat(&mut self, ours: &str, who: &str, least: f64) {
        let reached = self.ratio(who, ours).map(|ratio| (ratio_words(ratio), ratio[0] >= least));
        self.goal(format!("≥ {} × better than {who}", number(least)), reached);
    }

    /// `ours` takes `most` times as much as `who`, at most.
    pub fn must_keep_up(&mut self, ours: &str, who: &str, most: f64) {
        let reached = self.ratio(ours, who).map(|ratio| (ratio_words(ratio), ratio[0] <= most));
        self.goal(format!("≤ {} × {who}", number(most)), reached);
    }

    /// The median of `ours` is `most`, at most.
    pub fn must_stay_below(&mut self, ours: &str, most: f64) {
        let (unit, found) = (self.unit.clone(), self.find(ours).map(Series::median));
        let reached = found.map(|median| (format!("{} {unit}", number(median)), median <= most));
        self.goal(format!("{ours} ≤ {} {unit}", number(most)), reached);
    }

    /// Something else that holds or does not.
    pub fn must(&mut self, what: impl Into<String>, reached: impl Into<String>, passes: bool) {
        self.goal(what.into(), Some((reached.into(), passes)));
    }
}

fn ratio_words([median, low, high]: [f64; 3]) -> String {
    format!("{} × ({} – {})", number(median), number(low), number(high))
}

/// A part of sorted figures, interpolated.
pub fn quantile(samples: &[f64], part: f64) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let place = part * (sorted.len().max(1) - 1) as f64;
    let (low, high) = (place.floor() as usize, place.ceil() as usize);
    match (sorted.get(low), sorted.get(high)) {
        (Some(low), Some(high)) => low + (high - low) * place.fract(),
        _ => f64::NAN,
    }
}

/// A figure with three digits that count.
pub fn number(value: f64) -> String {
    let digits = match value.abs() {
        v if v == 0.0 || v >= 100.0 => 0,
        v if v >= 10.0 => 1,
        v if v >= 1.0 => 2,
        _ => 3,
    };
    let text = format!("{value:.digits$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { thousands(&text) }
}

fn thousands(digits: &str) -> String {
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |rest| ("-", rest));
    let groups: Vec<&str> = digits.as_bytes().rchunks(3).rev().filter_map(|group| str::from_utf8(group).ok()).collect();
    format!("{sign}{}", groups.join(","))
}
