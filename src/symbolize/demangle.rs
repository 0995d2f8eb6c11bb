// SPDX-License-Identifier: Apache-2.0
//! Names of C++ and Rust as the programmer wrote them.

use std::borrow::Cow;

/// The name as it was written; as it is when it is no mangled name.
pub fn demangle(name: &str) -> Cow<'_, str> {
    if !["_Z", "__Z", "___Z", "____Z", "_R", "__R"].iter().any(|start| name.starts_with(start)) {
        return Cow::Borrowed(name);
    }
    // Rust first: its older names are names of C++ as well, with a hash for a last part.
    if let Ok(rust) = rustc_demangle::try_demangle(name) {
        return Cow::Owned(format!("{rust:#}"));
    }
    let cpp = cpp_demangle::Symbol::new(name).ok().and_then(|symbol| symbol.demangle().ok());
    cpp.map_or(Cow::Borrowed(name), Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        assert_eq!(demangle("main"), "main");
        assert_eq!(demangle("_Z3fooi"), "foo(int)");
        assert_eq!(demangle("_ZN5outer5inner3addEii"), "outer::inner::add(int, int)");
        assert_eq!(demangle("_ZN4core3fmt5Write9write_fmt17h0123456789abcdefE"), "core::fmt::Write::write_fmt");
        assert_eq!(demangle("_RNvCs1234_7mycrate3foo"), "mycrate::foo");
        assert_eq!(demangle("_Z"), "_Z");
        assert_eq!(demangle("_Rubbish"), "_Rubbish");
        assert_eq!(demangle(""), "");
    }
}
