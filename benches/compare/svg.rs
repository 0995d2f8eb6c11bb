// SPDX-License-Identifier: Apache-2.0
//! Plots of rows: bars for sides that are compared, lines for what grows. Logarithmic, since ratios are what counts.

use std::fmt::Write as _;

use super::model::{Plot, Row, Series, number, quantile};

const WIDTH: f64 = 760.0;
const LEFT: f64 = 210.0;
const RIGHT: f64 = 90.0;
const BAR: f64 = 26.0;
const TOP: f64 = 34.0;
const LINES_HEIGHT: f64 = 300.0;
const COLOURS: [&str; 6] = ["#0b6e99", "#d9730d", "#6940a5", "#0f7b6c", "#ad1a72", "#787774"];

/// The row's plot as a file.
pub fn plot(row: &Row) -> String {
    match row.plot {
        Plot::Bars => bars(row),
        Plot::Lines => lines(row),
    }
}

fn open(height: f64, row: &Row) -> String {
    let title = escape(&format!("{} ({})", row.title, row.unit));
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height:.0}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n\
         <text x=\"8\" y=\"18\" font-size=\"13\" font-weight=\"bold\">{title}</text>\n"
    )
}

fn escape(words: &str) -> String {
    words.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A logarithmic scale over powers of ten that holds all figures.
struct Scale {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

impl Scale {
    fn over(figures: impl Iterator<Item = f64>, from: f64, to: f64) -> Scale {
        let (mut low, mut high) = (f64::MAX, f64::MIN_POSITIVE);
        for figure in figures.filter(|figure| figure.is_finite() && *figure > 0.0) {
            low = low.min(figure);
            high = high.max(figure);
        }
        let low = low.min(high).log10().floor();
        Scale { low, high: high.log10().ceil().max(low + 1.0), from, to }
    }

    fn place(&self, figure: f64) -> f64 {
        let part = (figure.max(1e-12).log10() - self.low) / (self.high - self.low);
        self.from + (self.to - self.from) * part.clamp(0.0, 1.0)
    }

    fn marks(&self) -> impl Iterator<Item = f64> {
        (self.low as i32..=self.high as i32).map(|power| 10_f64.powi(power))
    }
}

fn bars(row: &Row) -> String {
    let height = TOP + BAR * row.series.len() as f64 + 26.0;
    let mut text = open(height, row);
    let scale = Scale::over(row.series.iter().flat_map(|series| series.samples.iter().copied()), LEFT, WIDTH - RIGHT);
    for mark in scale.marks() {
        let (x, bottom) = (scale.place(mark), height - 22.0);
        let _ = writeln!(text, "<line x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{TOP}\" y2=\"{bottom:.1}\" stroke=\"#ddd\"/>");
        let _ = writeln!(
            text,
            "<text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\" fill=\"#777\">{}</text>",
            height - 8.0,
            number(mark)
        );
    }
    for (index, series) in row.series.iter().enumerate() {
        text.push_str(&bar(series, index, &scale));
    }
    text + "</svg>\n"
}

/// A bar as long as the median, a whisker between the quartiles.
fn bar(series: &Series, index: usize, scale: &Scale) -> String {
    let y = TOP + BAR * index as f64 + 3.0;
    let middle = y + (BAR - 6.0) / 2.0;
    let end = scale.place(series.median());
    let [low, high] = [0.25, 0.75].map(|part| scale.place(quantile(&series.samples, part)));
    let is_ours = series.who.starts_with("bpflua");
    let colour = COLOURS[usize::from(!is_ours) * 5];
    format!(
        "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>\n\
         <rect x=\"{LEFT}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{:.1}\" fill=\"{colour}\" fill-opacity=\"0.75\"/>\n\
         <line x1=\"{low:.1}\" x2=\"{high:.1}\" y1=\"{middle:.1}\" y2=\"{middle:.1}\" stroke=\"#000\"/>\n\
         <text x=\"{:.1}\" y=\"{:.1}\">{}</text>\n",
        LEFT - 6.0,
        middle + 4.0,
        escape(&series.who),
        (end - LEFT).max(1.0),
        BAR - 6.0,
        end.max(high) + 5.0,
        middle + 4.0,
        number(series.median()),
    )
}

fn lines(row: &Row) -> String {
    let bottom = TOP + LINES_HEIGHT;
    let mut text = open(bottom + 44.0, row);
    let figures = || row.series.iter().flat_map(|series| series.samples.iter().copied());
    let (across, up) =
        (Scale::over(row.places.iter().copied(), 70.0, WIDTH - LEFT), Scale::over(figures(), bottom, TOP));
    for mark in up.marks() {
        let y = up.place(mark);
        let _ =
            writeln!(text, "<line x1=\"70\" x2=\"{:.1}\" y1=\"{y:.1}\" y2=\"{y:.1}\" stroke=\"#ddd\"/>", WIDTH - LEFT);
        let _ = writeln!(
            text,
            "<text x=\"64\" y=\"{:.1}\" text-anchor=\"end\" fill=\"#777\">{}</text>",
            y + 4.0,
            number(mark)
        );
    }
    for place in &row.places {
        let x = across.place(*place);
        let _ = writeln!(
            text,
            "<text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\" fill=\"#777\">{}</text>",
            bottom + 18.0,
            number(*place)
        );
    }
    let _ =
        writeln!(text, "<text x=\"70\" y=\"{:.1}\" fill=\"#777\">{}</text>", bottom + 36.0, escape(&row.place_unit));
    for (index, series) in row.series.iter().enumerate() {
        let colour = COLOURS[index % COLOURS.len()];
        let points: Vec<(f64, f64)> = row
            .places
            .iter()
            .zip(&series.samples)
            .map(|(place, sample)| (across.place(*place), up.place(*sample)))
            .collect();
        let path: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        let _ = writeln!(
            text,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>",
            path.join(" ")
        );
        let y = TOP + 18.0 * (index as f64 + 1.0);
        let _ = writeln!(
            text,
            "<text x=\"{:.1}\" y=\"{y:.1}\" fill=\"{colour}\">{}</text>",
            WIDTH - LEFT + 12.0,
            escape(&series.who)
        );
    }
    text + "</svg>\n"
}
