// SPDX-License-Identifier: Apache-2.0
//! Values of parameters as people type them: numbers, times with a unit, amounts of memory, words of a list.

use super::entry::{Kind, Parameter, Value};

/// A value as a script gets it.
#[derive(Clone, Debug, PartialEq)]
pub enum Given {
    /// Of a flag.
    Flag(bool),
    /// Of every kind of number: seconds, bytes, what was typed.
    Number(f64),
    /// Of all others.
    Text(String),
}

/// Whether a value of a manifest will do for its parameter, and if not, why.
pub fn check(parameter: &Parameter, value: &Value) -> Result<(), String> {
    match (parameter.kind, value) {
        (Kind::Flag, Value::Flag(_)) => Ok(()),
        (Kind::Flag, _) => Err("a flag is true or false".to_owned()),
        (_, Value::Flag(value)) => Err(format!("{value} is no {}", noun(parameter.kind))),
        _ => parse(parameter, &value.text()).map(drop),
    }
}

/// Understands a text as a value of a parameter.
pub fn parse(parameter: &Parameter, text: &str) -> Result<Given, String> {
    let kind = parameter.kind;
    let not = || format!("`{text}` is no {}", noun(kind));
    let number = match kind {
        Kind::Flag => return text.parse().map(Given::Flag).map_err(|_| not()),
        Kind::String | Kind::Path => return Ok(Given::Text(text.to_owned())),
        Kind::Choice if parameter.choices.iter().any(|choice| choice == text) => {
            return Ok(Given::Text(text.to_owned()));
        }
        Kind::Choice => return Err(format!("`{text}` is none of {}", parameter.choices.join(", "))),
        Kind::Integer => integer(text).ok_or_else(not)?,
        Kind::Pid => integer(text).filter(|pid| (1.0..=f64::from(i32::MAX)).contains(pid)).ok_or_else(not)?,
        Kind::Number => text.parse().ok().filter(|number: &f64| number.is_finite()).ok_or_else(not)?,
        Kind::Duration => with_unit(text, &TIMES).ok_or_else(not)?,
        Kind::Size => with_unit(text, &SIZES).ok_or_else(not)?,
    };
    match parameter.range {
        Some((least, most)) if !(least..=most).contains(&number) => {
            Err(format!("{text} is not within {least} to {most}"))
        }
        _ => Ok(Given::Number(number)),
    }
}

/// What a value of a kind is called.
fn noun(kind: Kind) -> &'static str {
    match kind {
        Kind::Flag => "true or false",
        Kind::Integer => "whole number",
        Kind::Number => "number",
        Kind::String => "text",
        Kind::Duration => "time (such as 5, 0.5, 100ms, 2m)",
        Kind::Size => "size (such as 4096, 64K, 1M)",
        Kind::Pid => "process ID",
        Kind::Path => "file name",
        Kind::Choice => "choice",
    }
}

/// In seconds.
const TIMES: [(&str, f64); 6] = [("ms", 1e-3), ("us", 1e-6), ("ns", 1e-9), ("s", 1.0), ("m", 60.0), ("h", 3600.0)];
/// In bytes.
const SIZES: [(&str, f64); 4] = [("K", 1024.0), ("M", 1048576.0), ("G", 1073741824.0), ("T", 1099511627776.0)];

fn integer(text: &str) -> Option<f64> {
    let (sign, digits) = text.strip_prefix('-').map_or((1.0, text), |digits| (-1.0, digits));
    let value = match digits.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).ok()?,
        None => digits.parse().ok().filter(|_| digits.starts_with(|c: char| c.is_ascii_digit()))?,
    };
    // Beyond 2^53, a number of Lua's is not exact.
    (value <= 1 << 53).then_some(sign * value as f64)
}

fn with_unit(text: &str, units: &[(&str, f64)]) -> Option<f64> {
    let unit = units.iter().find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, *factor)));
    let (digits, factor) = unit.unwrap_or((text, 1.0));
    let number: f64 = digits.trim_end().parse().ok()?;
    (number.is_finite() && number >= 0.0).then_some(number * factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(kind: Kind, text: &str) -> Result<Given, String> {
        parse(&Parameter { kind, ..Parameter::default() }, text)
    }

    #[test]
    fn numbers_have_units() {
        let cases = [
            (Kind::Duration, "100ms", 0.1),
            (Kind::Duration, "2m", 120.0),
            (Kind::Duration, "5", 5.0),
            (Kind::Size, "64K", 65536.0),
            (Kind::Integer, "0x10", 16.0),
            (Kind::Integer, "-3", -3.0),
            (Kind::Number, "0.5", 0.5),
        ];
        for (kind, text, expected) in cases {
            assert_eq!(of(kind, text), Ok(Given::Number(expected)), "{text}");
        }
    }

    #[test]
    fn what_is_no_number_is_told() {
        assert_eq!(of(Kind::Integer, "1.5").unwrap_err(), "`1.5` is no whole number");
        assert_eq!(of(Kind::Pid, "0").unwrap_err(), "`0` is no process ID");
        for (kind, text) in [(Kind::Duration, "5x"), (Kind::Size, "-1"), (Kind::Integer, "+1"), (Kind::Number, "inf")] {
            assert!(of(kind, text).is_err(), "{text}");
        }
    }
}
