// SPDX-License-Identifier: Apache-2.0
//! A histogram as an inline SVG: bars over buckets, both axes labelled, the numbers below it as a table.

use std::fmt::Write as _;

use super::escape::escape;
use super::model::{Bucket, Histogram};
use crate::digits::thousands;

const WIDTH: f64 = 600.0;
const HEIGHT: f64 = 230.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 18.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 46.0;
/// A bar that stands alone is no wall.
const WIDEST_BAR: f64 = 72.0;
/// Labels below the bars at most; more would run into each other.
const MOST_LABELS: usize = 14;

/// A whole number that came as a float.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts and bounds are whole and not below 0"
)]
fn whole(value: f64) -> u64 {
    value.max(0.0).round() as u64
}

/// A bound as short as a label is: powers of two from 1024 on by K, M, G, T.
fn short(value: f64) -> String {
    let mut number = value;
    for unit in ["", "K", "M", "G", "T", "P"] {
        if number < 1024.0 {
            return if number.fract() == 0.0 { format!("{number:.0}{unit}") } else { format!("{number:.1}{unit}") };
        }
        number /= 1024.0;
    }
    format!("{number:.0}E")
}

/// The distance of the lines behind the bars: 1, 2 or 5 times a power of ten, some four of them.
fn step(most: f64) -> f64 {
    let rough = (most / 4.0).max(1.0);
    let power = 10f64.powf(rough.log10().floor());
    let factor = [1.0, 2.0, 5.0, 10.0].into_iter().find(|factor| factor * power >= rough).unwrap_or(10.0);
    factor * power
}

/// The bucket in which a share of all values is reached.
fn quantile(buckets: &[Bucket], share: f64) -> Option<&Bucket> {
    let total: f64 = buckets.iter().map(|bucket| bucket.count).sum();
    let mut seen = 0.0;
    buckets.iter().find(|bucket| {
        seen += bucket.count;
        seen >= total * share && bucket.count > 0.0
    })
}

fn range(bucket: &Bucket) -> String {
    let (low, high) = (thousands(whole(bucket.low)), thousands(whole(bucket.high)));
    if low == high { low } else { format!("{low}–{high}") }
}

fn grid(out: &mut String, most: f64) {
    let step = step(most);
    let plot = HEIGHT - TOP - BOTTOM;
    let mut value = 0.0;
    while value <= most {
        let y = HEIGHT - BOTTOM - plot * value / most;
        let _ = write!(
            out,
            "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{:.0}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
             <text class=\"tick\" x=\"{:.0}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            WIDTH - RIGHT,
            LEFT - 6.0,
            y + 4.0,
            thousands(whole(value))
        );
        value += step;
    }
}

fn bars(out: &mut String, buckets: &[Bucket], most: f64, unit: &str) {
    let plot = HEIGHT - TOP - BOTTOM;
    #[allow(clippy::cast_precision_loss, reason = "no histogram has 2^52 buckets")]
    let slot = ((WIDTH - LEFT - RIGHT) / buckets.len() as f64).min(WIDEST_BAR);
    let total: f64 = buckets.iter().map(|bucket| bucket.count).sum();
    let every = buckets.len().div_ceil(MOST_LABELS).max(1);
    let gap = (slot * 0.12).min(3.0);
    let mut x = LEFT;
    for (at, bucket) in buckets.iter().enumerate() {
        let height = plot * bucket.count / most;
        let _ = write!(
            out,
            "<rect class=\"bar\" x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{height:.1}\"><title>{} {}: {} ({:.1} %)</title></rect>",
            x + gap / 2.0,
            HEIGHT - BOTTOM - height,
            slot - gap,
            range(bucket),
            escape(unit),
            thousands(whole(bucket.count)),
            100.0 * bucket.count / total
        );
        if at % every == 0 {
            // A bucket of one value is named in its middle, a range by where it begins.
            let middle = if bucket.low.to_bits() == bucket.high.to_bits() { x + slot / 2.0 } else { x };
            let _ = write!(
                out,
                "<text class=\"tick\" x=\"{middle:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
                HEIGHT - BOTTOM + 16.0,
                short(bucket.low)
            );
        }
        x += slot;
    }
}

fn drawing(histogram: &Histogram, label: &str) -> String {
    let buckets = &histogram.buckets;
    let most = buckets.iter().map(|bucket| bucket.count).fold(1.0, f64::max);
    let unit = histogram.unit.as_deref().unwrap_or("value");
    let suffixes = if buckets.iter().any(|bucket| bucket.low >= 1024.0) { " (K = 1,024)" } else { "" };
    let mut out = format!(
        "<svg class=\"histogram\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\">",
        escape(label)
    );
    grid(&mut out, most);
    bars(&mut out, buckets, most, unit);
    let base = HEIGHT - BOTTOM;
    let _ = write!(
        out,
        "<line class=\"axis\" x1=\"{LEFT}\" x2=\"{:.0}\" y1=\"{base}\" y2=\"{base}\"/>\
         <text class=\"label\" x=\"{:.0}\" y=\"{:.0}\" text-anchor=\"middle\">{}{suffixes}</text>\
         <text class=\"label\" transform=\"translate(13 {:.0}) rotate(-90)\" text-anchor=\"middle\">count</text></svg>",
        WIDTH - RIGHT,
        LEFT.midpoint(WIDTH - RIGHT),
        HEIGHT - 8.0,
        escape(unit),
        TOP.midpoint(base)
    );
    out
}

fn numbers(histogram: &Histogram) -> String {
    let unit = escape(histogram.unit.as_deref().unwrap_or("value"));
    let mut out = format!(
        "<details><summary>Numbers</summary><div class=\"scroll\"><table><thead><tr><th class=\"n\">from <small>{unit}</small></th>\
         <th class=\"n\">to <small>{unit}</small></th><th class=\"n\">count</th></tr></thead><tbody>"
    );
    for bucket in &histogram.buckets {
        let _ = write!(
            out,
            "<tr><td class=\"n\">{:.0}</td><td class=\"n\">{:.0}</td><td class=\"n\">{:.0}</td></tr>",
            bucket.low, bucket.high, bucket.count
        );
    }
    out + "</tbody></table></div></details>"
}

/// The histogram with its heading, what a person wants to know of it first, the drawing and the numbers.
pub fn figure(histogram: &Histogram) -> String {
    let parts = [&histogram.title, &histogram.section, &histogram.at];
    let names: Vec<&str> = parts.into_iter().flatten().map(String::as_str).filter(|name| !name.is_empty()).collect();
    let heading = if names.is_empty() { "Distribution".to_owned() } else { names.join(" · ") };
    let total: f64 = histogram.buckets.iter().map(|bucket| bucket.count).sum();
    let unit = escape(histogram.unit.as_deref().unwrap_or(""));
    let of = |share| quantile(&histogram.buckets, share).map(range).unwrap_or_default();
    format!(
        "<figure><figcaption><strong>{}</strong><span>{} values · median {} {unit} · 99 % up to {} {unit}</span></figcaption>{}{}</figure>",
        escape(&heading),
        thousands(whole(total)),
        of(0.5),
        of(0.99),
        drawing(histogram, &heading),
        numbers(histogram)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log2(counts: &[f64]) -> Histogram {
        let mut low = 0.0;
        let mut buckets = Vec::new();
        let mut next = 2.0;
        for count in counts {
            buckets.push(Bucket { low, high: next - 1.0, count: *count });
            (low, next) = (next, next * 2.0);
        }
        Histogram { unit: Some("usecs".to_owned()), buckets, ..Histogram::default() }
    }

    #[test]
    fn bars_are_as_high_as_their_counts() {
        let drawn = figure(&log2(&[5.0, 0.0, 10.0]));
        let plot = HEIGHT - TOP - BOTTOM;
        for height in [plot / 2.0, 0.0, plot] {
            assert!(drawn.contains(&format!("height=\"{height:.1}\"><title>")), "{height}: {drawn}");
        }
        assert!(drawn.contains("<title>4–7 usecs: 10 (66.7 %)</title>"), "{drawn}");
        assert!(drawn.contains(">count</text>") && drawn.contains(">usecs</text>"), "{drawn}");
        assert!(drawn.contains("15 values · median 4–7 usecs · 99 % up to 4–7 usecs"), "{drawn}");
    }

    #[test]
    fn lines_stand_at_round_numbers() {
        assert_eq!([1.0, 4.0, 7.0, 90.0, 1234.0].map(step), [1.0, 1.0, 2.0, 50.0, 500.0]);
    }

    #[test]
    fn bounds_are_short() {
        assert_eq!([0.0, 512.0, 1024.0, 1_048_576.0, 1500.0].map(short), ["0", "512", "1K", "1M", "1.5K"]);
        assert!(figure(&log2(&[1.0; 12])).contains("usecs (K = 1,024)"));
    }

    #[test]
    fn names_are_escaped() {
        let mut histogram = log2(&[1.0]);
        histogram.section = Some("<b>&\"".to_owned());
        histogram.unit = Some("<i>".to_owned());
        let drawn = figure(&histogram);
        assert!(!drawn.contains("<b>") && !drawn.contains("<i>"), "{drawn}");
        assert!(drawn.contains("aria-label=\"&lt;b&gt;&amp;&quot;\""), "{drawn}");
    }
}
