// SPDX-License-Identifier: Apache-2.0
//! What the compiler is told about the kernel and by the user.

use super::arch::Arch;
use super::cache::Cache;
use super::shown::Wanted;
use crate::error::Result;
use crate::kernel::btf::Btf;
use crate::kernel::config::KernelConfig;
use crate::kernel::headers::KernelHeaders;

/// The kernel modules whose types a text may name.
pub trait Modules {
    /// The kernel's types with those of modules beside them that have any of these names, and the modules' names. `None`
    /// when no module has one that the kernel has not.
    fn types(&self, names: &[String]) -> Option<(Btf, Vec<String>)>;

    /// For a struct or union that neither the kernel nor these modules have: where it is, as far as that was looked for.
    fn hint(&self, record: &str) -> Option<String>;
}

/// A kernel without modules.
pub struct NoModules;

impl Modules for NoModules {
    fn types(&self, _names: &[String]) -> Option<(Btf, Vec<String>)> {
        None
    }

    fn hint(&self, _record: &str) -> Option<String> {
        None
    }
}

/// What the kernel's own headers know of a name that BTF has not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InHeaders {
    /// They define it.
    Have {
        /// "a macro", "an inline function".
        what: &'static str,
        /// The file and the line.
        place: String,
        /// The folder for `--kernel-headers`.
        folder: String,
    },
    /// Those in this folder do not.
    Lack(String),
    /// This machine has none; what to do about that, as the end of a sentence.
    NoHeaders(String),
}

/// Everything but the text that decides what comes out.
pub struct Options<'a> {
    /// The user's flags in order, such as `-DN=4` and `-Idir`.
    pub flags: Vec<String>,
    /// The dialect's headers: path below the include root, text.
    pub headers: &'a [(&'a str, &'a str)],
    /// The kernel's types; without them only texts that need none compile.
    pub btf: Option<&'a Btf>,
    /// The types that only kernel modules have.
    pub modules: &'a dyn Modules,
    /// Writes a tracepoint's record as `struct tracepoint__CATEGORY__EVENT`; `None` for one that the kernel has not, an
    /// error when the kernel cannot be asked.
    pub tracepoint_struct: &'a dyn Fn(&str, &str) -> Result<Option<String>>,
    /// The tracepoints most like one that the kernel has not, as `CATEGORY:EVENT`, for an error.
    pub similar_tracepoints: &'a dyn Fn(&str, &str) -> Vec<String>,
    /// `LINUX_VERSION_CODE`.
    pub kernel_version_code: u32,
    /// How many processors are online: what `bpf_num_cpus()` is.
    pub online_cpus: u32,
    /// Ticks of the kernel's clock in a second: `HZ`.
    pub ticks_per_second: u32,
    /// How the kernel was configured, where it says so; asked only for texts that mention an option.
    pub kernel_config: &'a dyn Fn() -> Option<&'static KernelConfig>,
    /// What the kernel's own headers know of a name, for an error.
    pub in_headers: &'a dyn Fn(&str) -> InHeaders,
    /// The kernel's own headers, when the text is to be compiled against those instead of its BTF.
    pub kernel_headers: Option<&'a KernelHeaders>,
    /// The architecture of the kernel.
    pub arch: Arch,
    /// Whether the object is made to run on other kernels than the one whose types it is compiled with: then the loader is
    /// asked for more, which costs instructions.
    pub portable: bool,
    /// What a compilation may take.
    pub limits: Limits,
    /// What the user wants to see of the compilation.
    pub wanted: Wanted,
    /// Where finished objects are kept.
    pub cache: Option<&'a Cache>,
}

/// What a compilation may take. A text of a few lines can ask for any amount of both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Processor time.
    pub cpu_seconds: u64,
    /// Memory besides what the process has already.
    pub memory_bytes: u64,
}

impl Default for Limits {
    /// Far more than any text that people write takes, which is below a second and a tenth of a gigabyte.
    fn default() -> Self {
        Limits { cpu_seconds: 60, memory_bytes: 2 << 30 }
    }
}

impl<'a> Options<'a> {
    /// The same with other types of the kernel's.
    pub fn with_types<'b>(&self, btf: Option<&'b Btf>) -> Options<'b>
    where
        'a: 'b,
    {
        Options { flags: self.flags.clone(), btf, ..*self }
    }

    /// Whether the loader says where bit fields are. With the kernel's own headers there is nothing that it could ask.
    pub fn relocates_bits(&self) -> bool {
        self.portable && self.kernel_headers.is_none()
    }

    /// The files that the user's `-include` flags put before the text.
    pub fn forced_includes(&self) -> impl Iterator<Item = &str> {
        self.flags.windows(2).filter(|pair| pair[0] == "-include").map(|pair| pair[1].as_str())
    }

    /// The directories of the user's `-I` flags, in order.
    pub fn include_dirs(&self) -> impl Iterator<Item = &str> {
        let mut flags = self.flags.iter();
        std::iter::from_fn(move || match flags.find_map(|flag| flag.strip_prefix("-I"))? {
            "" => flags.next().map(String::as_str),
            dir => Some(dir),
        })
    }
}
