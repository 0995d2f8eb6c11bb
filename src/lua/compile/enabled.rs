// SPDX-License-Identifier: Apache-2.0
//! The interface of a build with the compiler.

use std::path::PathBuf;
use std::sync::Arc;

use super::header_hint;
use super::modules::KernelModules;
use super::place::{CPlace, CWords};
use super::request::{Compiled, Request};
use crate::compiler::arch::Arch;
use crate::compiler::cache::Cache;
use crate::compiler::{self, Limits, Options, Source};
use crate::error::Result;
use crate::kernel::btf::{self, Btf};
use crate::kernel::config::KernelConfig;
use crate::kernel::cpus;
use crate::kernel::headers::KernelHeaders;
use crate::kernel::release::{Release, VERSION_CODE_VARIABLE, Version};
use crate::kernel::tracefs::Tracefs;
use crate::lua::Settings;
use crate::packs::embedded;
use crate::timings::{self, Phase};

/// Compiles a C text for this machine, or for the one whose types were given.
pub fn compile(request: &Request, settings: &Settings) -> Result<Compiled> {
    let compiled = with_options(request, settings, || Btf::kernel_later().map(Arc::new), compiler::compile)?;
    Ok(Compiled {
        object: compiled.object,
        warnings: compiled.warnings,
        from_cache: compiled.from_cache,
        ir: compiled.shown.ir,
        preprocessed: compiled.shown.preprocessed,
    })
}

/// The words that may stand at a place in a C text.
pub fn complete_c(place: &CPlace, settings: &Settings) -> Result<CWords> {
    let request = Request { name: "prompt".into(), text: place.text.clone(), ..Request::default() };
    // What each completion looks into is made here, once, rather than in the child that completes.
    let kernel = || btf::shared().inspect(|kernel| kernel.make_indexes());
    let found = with_options(&request, settings, kernel, |source, options| {
        compiler::complete(source, options, place.line, place.column)
    })?;
    Ok((found.base, found.words.into_iter().map(|word| (word.text, word.note)).collect()))
}

/// Gathers what the compiler asks for, for one text. `kernel` gives the running kernel's types, for where no file of types was
/// given.
fn with_options<T>(
    request: &Request,
    settings: &Settings,
    kernel: impl FnOnce() -> Result<Arc<Btf>>,
    work: impl FnOnce(&Source, &Options<'_>) -> Result<T>,
) -> Result<T> {
    // A kernel without type data still runs programs that name none of its types.
    let phase = timings::enter(Phase::KernelTypes);
    let (btf, no_btf) = match &settings.btf {
        Some(path) => (Some(Arc::new(Btf::open(path)?)), None),
        None => match kernel() {
            Ok(btf) => (Some(btf), None),
            Err(error) => (None, Some(error)),
        },
    };
    drop(phase);
    let headers: Vec<_> = embedded::c_headers().collect();
    let headers: Vec<(&str, &str)> = headers.iter().map(|(path, text)| (*path, &**text)).collect();
    let tracepoint_struct = |category: &str, event: &str| {
        let tracefs = Tracefs::open()?;
        if !tracefs.has_tracepoint(category, event) {
            return Ok(None);
        }
        tracefs.format(category, event).map(|format| Some(format.c_struct()))
    };
    let cache = cache(settings);
    let kernel_headers = settings.kernel_headers.as_deref().map(KernelHeaders::find).transpose()?;
    let arch = request.arch.and_then(Arch::of_machine).unwrap_or(Arch::NATIVE);
    let options = Options {
        flags: flags(request, settings),
        headers: &headers,
        btf: btf.as_deref(),
        modules: &KernelModules { kernel: btf.as_ref(), given: settings.btf.as_deref() },
        tracepoint_struct: &tracepoint_struct,
        similar_tracepoints: &|category, event| {
            Tracefs::open().map_or_else(|_| Vec::new(), |tracefs| tracefs.similar_tracepoints(category, event))
        },
        kernel_version_code: version_code(settings),
        online_cpus: online_cpus(),
        ticks_per_second: cpus::ticks_per_second(),
        // Type data of another kernel come without its configuration.
        kernel_config: &|| KernelConfig::running().filter(|_| settings.btf.is_none()),
        in_headers: &|name| header_hint::find(name, arch.target_define(), settings.btf.as_deref()),
        kernel_headers: kernel_headers.as_ref(),
        arch,
        portable: request.portable,
        limits: Limits::default(),
        wanted: compiler::Wanted { ir: request.show_ir, preprocessed: request.show_preprocessed },
        cache: cache.as_ref(),
    };
    let source = Source {
        name: request.name.clone(),
        text: request.text.clone(),
        first_line: request.line,
        first_column: request.column,
    };
    work(&source, &options).map_err(|error| {
        let unread = btf.as_ref().and_then(|btf| btf.check().err());
        match no_btf.as_ref().or(unread.as_ref()) {
            Some(cause) => error.with_cause(cause),
            None => error,
        }
    })
}

/// The version of the kernel that is compiled for: the one in the file of its types, if that is a whole kernel, else the
/// running one's.
fn version_code(settings: &Settings) -> u32 {
    let overridden = || std::env::var_os(VERSION_CODE_VARIABLE).is_some();
    let image = settings.btf.as_ref().filter(|_| !overridden()).and_then(|path| std::fs::read(path).ok());
    let version = image.and_then(|bytes| Version::of_image(&bytes));
    version.map_or_else(|| Release::running().version_code(), Version::code)
}

/// How many processors are online; one when the kernel does not say.
fn online_cpus() -> u32 {
    cpus::online().map_or(1, |cpus| u32::try_from(cpus.len()).unwrap_or(1))
}

/// The command line's flags, then the script's, then the folder of the file.
fn flags(request: &Request, settings: &Settings) -> Vec<String> {
    // A bare `-I` would take the next flag for the folder's name.
    let here = std::path::Path::new(".");
    let folder = request.folder.iter().map(|folder| if folder.as_os_str().is_empty() { here } else { folder });
    let folder = folder.map(|folder| format!("-I{}", folder.display()));
    settings.cflags.iter().chain(&request.cflags).cloned().chain(folder).collect()
}

/// The user's cache: `$XDG_CACHE_HOME/bpflua` or `~/.cache/bpflua`.
fn cache(settings: &Settings) -> Option<Cache> {
    if !settings.use_cache {
        return None;
    }
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let folder = absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache")))?;
    Cache::open(&folder.join("bpflua"), &build_identity())
}

/// What tells this executable from others of the same version: its file's size and time.
fn build_identity() -> String {
    use std::os::unix::fs::MetadataExt;
    let about = std::env::current_exe().and_then(std::fs::metadata);
    about.map_or_else(|_| String::new(), |about| format!("{} {}.{}", about.size(), about.mtime(), about.mtime_nsec()))
}

/// The version of the compiler, if there is one.
pub fn version() -> Option<String> {
    Some(compiler::version())
}
