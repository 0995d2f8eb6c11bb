// SPDX-License-Identifier: Apache-2.0
//! Numbers as a person reads them.

/// A count with its thousands set apart: `201,334`.
pub fn thousands(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::thousands;

    #[test]
    fn a_comma_stands_before_each_three_digits() {
        assert_eq!([0, 999, 1000, 201_334, 1_000_000].map(thousands), ["0", "999", "1,000", "201,334", "1,000,000"]);
    }
}
