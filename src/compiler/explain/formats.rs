// SPDX-License-Identifier: Apache-2.0
//! What clang says of formats that makes no difference to the kernel, which takes every value as 64 bits.

/// Whether a warning is about two types of one size, such as `u64` for `%lu` or `%p`.
pub fn is_harmless(message: &str) -> bool {
    let Some(rest) = message.strip_prefix("format specifies type ") else { return false };
    let Some((wanted, given)) = rest.split_once(" but the argument has ") else { return false };
    match (bits(wanted), bits(given)) {
        (Some(wanted), Some(given)) => wanted == given,
        _ => false,
    }
}

/// The width of a type that is printed as a number, as clang names it last: `'u64' (aka 'unsigned long long')`.
fn bits(words: &str) -> Option<u32> {
    let name = words.rsplit('\'').nth(1)?;
    match name.trim_start_matches("unsigned ").trim_start_matches("signed ") {
        "int" | "unsigned" => Some(32),
        // Other pointers are wanted for what they point to.
        "long" | "long long" | "void *" => Some(64),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_of_one_size_are_told_apart_from_others() {
        let same = "format specifies type 'unsigned long' but the argument has type 'u64' (aka 'unsigned long long')";
        assert!(is_harmless(same));
        assert!(is_harmless("format specifies type 'long' but the argument has underlying type 'long long'"));
        assert!(is_harmless(
            "format specifies type 'void *' but the argument has type 'u64' (aka 'unsigned long long')"
        ));
        assert!(is_harmless("format specifies type 'unsigned long' but the argument has type 'void *'"));
        let other = "format specifies type 'int' but the argument has type 'u64' (aka 'unsigned long long')";
        assert!(!is_harmless(other));
        assert!(!is_harmless("format specifies type 'char *' but the argument has type 'int'"));
        assert!(!is_harmless("more '%' conversions than data arguments"));
    }
}
