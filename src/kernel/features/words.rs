// SPDX-License-Identifier: Apache-2.0
//! Features by the words that packs declare them with, and which of the kernels that bpflua is tested with lack them.

use super::{Feature, Support, supports};
use crate::error::{Error, Result};
use crate::kernel::btf::Btf;
use crate::suggest::{nearest, similar_line};

/// The kernels that bpflua is tested with, by series: Debian's, on x86-64.
pub const TESTED_KERNELS: [&str; 4] = ["5.10", "6.1", "6.12", "7.2"];

/// Something that a pack says the kernel has to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// The kernel's type data, which the compiler works by.
    TypeData,
    /// One of the features.
    Feature(Feature),
}

/// The word for the kernel's type data.
const TYPE_DATA: &str = "btf";

impl Need {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Need> {
        std::iter::once(Need::TypeData).chain(Feature::ALL.map(Need::Feature))
    }

    /// The one that a word names: `btf`, `kprobe-multi`, `ring-buffer`. Spaces and `_` are as good as `-`.
    pub fn named(word: &str) -> Result<Need> {
        let wanted = plain(word);
        Need::all().find(|need| plain(&need.word()) == wanted).ok_or_else(|| unknown(word))
    }

    /// Its word.
    pub fn word(self) -> String {
        match self {
            Need::TypeData => TYPE_DATA.to_owned(),
            Need::Feature(feature) => plain(feature.name()),
        }
    }

    /// Whether this kernel has it and lets this process use it.
    pub fn support(self) -> Support {
        match self {
            Need::Feature(feature) => supports(feature).clone(),
            Need::TypeData => match Btf::kernel() {
                Ok(_) => Support::Supported,
                Err(error) => Support::absent(error.to_string()),
            },
        }
    }

    /// Those of [`TESTED_KERNELS`] that do not have it.
    pub fn lacking(self) -> &'static [&'static str] {
        match self {
            // 6.1 could have the first of them; Debian builds it without CONFIG_FPROBE.
            Need::Feature(Feature::KprobeMulti | Feature::UprobeMulti) => &["5.10", "6.1"],
            Need::Feature(Feature::BpfCookie | Feature::MemcgAccounting) => &["5.10"],
            _ => &[],
        }
    }
}

fn plain(word: &str) -> String {
    word.to_lowercase().replace([' ', '_'], "-")
}

fn unknown(word: &str) -> Error {
    let words: Vec<String> = Need::all().map(Need::word).collect();
    let error = Error::script(format!("cannot tell whether the kernel has `{word}`"), "bpflua knows no such feature");
    match similar_line(&nearest(&plain(word), words.iter().map(String::as_str))) {
        Some(similar) => error.with_hint(similar),
        None => error.with_hint(format!("features: {}", words.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::release::Release;

    #[test]
    fn words_are_read_as_they_are_written() {
        assert_eq!(Need::named("ring buffer").unwrap(), Need::Feature(Feature::RingBuffer));
        assert_eq!(Need::named("LSM-program").unwrap(), Need::Feature(Feature::Lsm));
        assert_eq!(Need::named("fmod_ret").unwrap(), Need::Feature(Feature::FmodRet));
        assert_eq!(Need::named("btf").unwrap(), Need::TypeData);
        let error = Need::named("ring-bufer").unwrap_err();
        assert!(error.report().contains("similar: ring-buffer"), "{}", error.report());
        for need in Need::all() {
            assert_eq!(Need::named(&need.word()).unwrap(), need);
        }
    }

    /// The table is what the kernels themselves say, where one of them runs.
    #[test]
    fn root_kernels_lack_what_the_table_says() {
        let name = &Release::running().name;
        let is_debians = name.ends_with("-cloud-amd64");
        let series = TESTED_KERNELS.iter().find(|series| name.starts_with(&format!("{series}.")));
        let Some(series) = series.filter(|_| is_debians) else {
            println!("skipped: {name} is none of {TESTED_KERNELS:?}");
            return;
        };
        for need in Need::all() {
            let support = need.support();
            assert_eq!(support.is_supported(), !need.lacking().contains(series), "{}: {support}", need.word());
        }
    }
}
