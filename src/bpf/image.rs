// SPDX-License-Identifier: Apache-2.0
//! From ELF bytes to maps in the kernel and relocated programs in memory.
//!
//! libbpf opens the object and prepares it: CO-RE and map relocations, BTF into the kernel, maps created. Everything is
//! copied out and the object closed, with libbpf's parsed kernel BTF (tens of megabytes) freed with it.

use std::ffi::{CStr, CString};
use std::fs::File;
use std::io::Write as _;
use std::ops::Range;
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd, RawFd};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use libbpf_rs::{ObjectBuilder, OpenObject};
use object::{Object as _, ObjectSection as _};

use super::Variant;
use super::globals::{self, Variable};
use super::libbpf_log;
use super::map::{Map, public_name};
use super::map_kind::MapKind;
use super::module_btf::{self, ModuleBtf};
use super::notes::{self, PublicMap};
use super::options::ObjectOptions;
use super::patch;
use super::struct_ops::{self, StructOps};
use super::sys::map as sys;
use super::sys::memory::memory_file;
use super::sys::object::{self as raw, RawMap, RawProgram};
use super::usdt_records;
use crate::error::{Error, Result, errno_words};
use crate::kernel::btf::{self, Btf, BtfFolder, Kind};
use crate::kernel::module_files::{self, Search};
use crate::kernel::privilege;
use crate::suggest;
use crate::timings::{self, Phase};

/// What an opened and prepared object comes down to.
#[derive(Debug)]
pub struct Image {
    /// Relocated programs, in the order of the ELF.
    pub programs: Vec<RawProgram>,
    /// Maps, in the order of the ELF.
    pub maps: Vec<Rc<Map>>,
    /// The global variables.
    pub variables: Vec<Variable>,
    /// The object's BTF; `None` when it was compiled without types.
    pub types: Option<Arc<Btf>>,
    /// The same in the kernel.
    pub btf: Option<OwnedFd>,
    /// The BTF of the kernel modules whose functions the programs call.
    pub module_btf: ModuleBtf,
    /// The licence that the C text declares.
    pub license: CString,
    /// The object as it came.
    pub elf: Vec<u8>,
    /// How it was asked for.
    pub options: ObjectOptions,
    /// The structs of functions that the kernel is to call.
    pub struct_ops: Vec<StructOps>,
    btf_range: Range<usize>,
    /// Public maps live as long as any object that shares them.
    _shared: Vec<Rc<PublicMap>>,
}

impl Image {
    /// Opens `elf`, creates its maps and relocates its programs.
    pub fn create(elf: Vec<u8>, options: ObjectOptions) -> Result<Image> {
        let _phase = timings::enter(Phase::Object);
        let sections = Sections::read(&elf, &options.name)?;
        let (opened, messages) = libbpf_log::capture(|| open(&elf, &options));
        let Opened { mut object, _btf } = opened.map_err(|err| open_error(&options.name, &err, &messages))?;
        let declared = raw::programs(&object);
        let declared_maps = raw::maps(&object);
        let types = parse_btf(&elf[sections.btf.clone()])?.map(Arc::new);
        let variables = types.as_ref().map_or_else(|| Ok(Vec::new()), |btf| globals::variables(&elf, btf))?;
        prepare_contents(&mut object, &declared_maps, &variables, &options)?;
        forget_late_targets(&mut object, &declared);
        let optional = struct_ops::prepare(&object, &declared_maps, types.as_deref());
        let heeded = notes::heed(&object, &elf, &raw::maps(&object), &options)?;
        raw::autoload_all(&mut object);
        let told = types.as_deref().and_then(module_btf::told_about);
        let (prepared, mut messages) = libbpf_log::capture_and(told, || raw::prepare(&object));
        prepared.map_err(|err| prepare_error(&options, &err, &messages, &declared_maps))?;
        let struct_ops = struct_ops::read(&object, &raw::maps(&object), types.as_deref(), &optional);
        let (maps, renumber) = keep_maps(&object, &declared_maps, &options.name)?;
        let shared = heeded.finish(&maps, &options)?;
        let mut programs = raw::programs(&object);
        let module_btf = ModuleBtf::keep(&object, &mut programs, &mut messages)?;
        for (program, declared) in programs.iter_mut().zip(&declared) {
            program.prog_type = declared.prog_type;
            // The number of a member is libbpf's finding; all else is what the section says.
            if declared.prog_type != libbpf_sys::BPF_PROG_TYPE_STRUCT_OPS {
                program.expected_attach_type = declared.expected_attach_type;
            }
            program.autoload = declared.autoload;
            raw::renumber_maps(&mut program.insns, &renumber);
            patch::widen_constants(&mut program.insns);
            patch::batch_wakeups(&mut program.insns);
        }
        let btf = raw::btf(&object).map_err(|err| Error::io("cannot keep the BTF of the object", &err))?;
        drop(object);
        let license = sections.license;
        let btf_range = sections.btf;
        Ok(Image {
            programs,
            maps,
            variables,
            types,
            btf,
            module_btf,
            license,
            struct_ops,
            btf_range,
            elf,
            options,
            _shared: shared,
        })
    }

    /// The descriptor of the map for the places of USDT arguments, if programs read any.
    pub fn usdt_records(&self) -> Option<RawFd> {
        self.maps.iter().find(|map| map.name == usdt_records::MAP).map(|map| map.as_fd().as_raw_fd())
    }

    /// The object's BTF as bytes; empty when it has none.
    pub fn btf_bytes(&self) -> &[u8] {
        &self.elf[self.btf_range.clone()]
    }
}

fn parse_btf(bytes: &[u8]) -> Result<Option<Btf>> {
    if bytes.is_empty() { Ok(None) } else { Btf::from_bytes(bytes).map(Some) }
}

/// The global variables of an object that is not created yet, and its types; none when it was compiled without types.
pub fn read_variables(elf: &[u8], name: &str) -> Result<Option<(Vec<Variable>, Btf)>> {
    let sections = Sections::read(elf, name)?;
    let Some(btf) = parse_btf(&elf[sections.btf])? else { return Ok(None) };
    Ok(Some((globals::variables(elf, &btf)?, btf)))
}

/// Sets what the host decides: the values of global variables, and the sizes of maps.
fn prepare_contents(
    object: &mut OpenObject,
    maps: &[RawMap],
    variables: &[Variable],
    options: &ObjectOptions,
) -> Result<()> {
    let index_of = |name: &str| maps.iter().position(|map| public_name(map) == name);
    globals::write_values(&options.constants, variables, |variable, bytes| {
        let index = index_of(&variable.map).ok_or_else(|| std::io::Error::from_raw_os_error(libc::ENOENT))?;
        raw::set_contents(object, index, variable.offset, bytes)
    })?;
    for sizes in &options.map_sizes {
        let what = || format!("cannot set the sizes of map `{}`", sizes.map);
        let index = index_of(&sizes.map).ok_or_else(|| {
            let known: Vec<String> = maps.iter().map(public_name).collect();
            let error = Error::script(what(), "the C text has no such map");
            match suggest::similar_line(&suggest::nearest(&sizes.map, known.iter().map(String::as_str))) {
                Some(line) => error.with_hint(line),
                None => error,
            }
        })?;
        raw::set_sizes(object, index, sizes.max_entries, sizes.key_size, sizes.value_size)
            .map_err(|err| Error::io(what(), &err))?;
    }
    Ok(())
}

/// The sections that libbpf has no function for.
struct Sections {
    btf: Range<usize>,
    license: CString,
}

impl Sections {
    fn read(elf: &[u8], name: &str) -> Result<Sections> {
        let what = || format!("cannot read the object of `{name}`");
        let file = object::File::parse(elf).map_err(|err| Error::bug(what(), err.to_string()))?;
        let license = file.section_by_name("license").and_then(|section| section.data().ok()).unwrap_or(b"GPL\0");
        let license = CStr::from_bytes_until_nul(license).map(CStr::to_owned).unwrap_or_default();
        let btf = file.section_by_name(".BTF").and_then(|section| section.file_range());
        let btf = btf.map_or(0..0, |(start, size)| start as usize..(start + size) as usize);
        let btf = if elf.get(btf.clone()).is_some() { btf } else { 0..0 };
        Ok(Sections { btf, license })
    }
}

/// An object that libbpf opened, and what it is yet to read.
pub(super) struct Opened {
    pub object: OpenObject,
    _btf: Option<File>,
}

/// Opens `elf` with libbpf.
pub(super) fn open(elf: &[u8], options: &ObjectOptions) -> libbpf_rs::Result<Opened> {
    let mut builder = ObjectBuilder::default();
    builder.name(object_name(&options.name))?;
    // libbpf reads it when the object is prepared.
    let mut whole = None;
    if let Some(path) = &options.btf_path {
        whole = with_modules(path, elf);
        let merged = whole.as_ref().map(|file| PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd())));
        builder.btf_custom_path(merged.as_ref().unwrap_or(path))?;
    }
    Ok(Opened { object: builder.open_memory(elf)?, _btf: whole })
}

/// The type data in a file with those of the kernel modules beside it that have types of the object's, as one file;
/// `None` when none has.
fn with_modules(path: &Path, elf: &[u8]) -> Option<File> {
    let folder = BtfFolder::around(path)?;
    let kernel = Arc::new(Btf::open(path).ok()?);
    let object = Btf::from_elf(elf).ok()?;
    let named = |kind| object.find_all_names(kind).map(|name| name.split("___").next().unwrap_or(name).to_owned());
    let names: Vec<String> = [Kind::Struct, Kind::Union, Kind::Enum].into_iter().flat_map(named).collect();
    let (types, _) = folder.with(&kernel, &names)?;
    let mut file = memory_file().ok()?;
    file.write_all(&types.flat()).ok()?;
    Some(file)
}

/// The characters that the kernel takes in a name; it becomes the prefix of `.bss` and the like.
fn object_name(name: &str) -> String {
    let stem = name.rsplit('/').next().unwrap_or(name);
    let stem = stem.split('.').next().unwrap_or(stem);
    let name: String = stem.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).take(15).collect();
    if name.is_empty() { "bpflua".to_owned() } else { name }
}

/// The targets of the compiler's own trampoline variants come with the attachment, and a kernel without BTF must not
/// stop the others from being used.
fn forget_late_targets(object: &mut OpenObject, programs: &[RawProgram]) {
    let late: Vec<&str> = programs
        .iter()
        .map(|program| program.symbol.as_str())
        .filter(|symbol| matches!(Variant::split(symbol).1, Variant::Fentry | Variant::Fexit))
        .collect();
    raw::forget_targets(object, &late);
}

/// The map descriptors in the instructions, and what they become.
type Renumbering = Vec<(i32, i32)>;

/// The maps with descriptors of their own, and the number that libbpf put into the instructions for each.
fn keep_maps(object: &OpenObject, declared: &[RawMap], name: &str) -> Result<(Vec<Rc<Map>>, Renumbering)> {
    let mut maps = Vec::new();
    let mut renumber = Vec::new();
    // Of those that the text leaves to chance, the kernel may have taken none.
    for (prepared, declared) in raw::maps(object).into_iter().zip(declared).filter(|(prepared, _)| prepared.fd >= 0) {
        let fd = raw::duplicate(object, prepared.fd)
            .map_err(|err| Error::io(format!("cannot keep map `{}` of `{name}`", declared.name), &err))?;
        renumber.push((prepared.fd, fd.as_raw_fd()));
        maps.push(Rc::new(Map::new(&prepared, declared, fd)));
    }
    Ok((maps, renumber))
}

fn open_error(name: &str, err: &libbpf_rs::Error, messages: &[String]) -> Error {
    let error = Error::bug(format!("cannot open the object of `{name}`"), err.to_string());
    with_messages(error, messages)
}

fn prepare_error(options: &ObjectOptions, err: &std::io::Error, messages: &[String], maps: &[RawMap]) -> Error {
    let name = &options.name;
    let errno = err.raw_os_error().unwrap_or_default();
    if errno == libc::EPERM {
        return privilege::cannot_load_bpf(&format!("cannot load the C text of `{name}`"));
    }
    if let Some(map) = maps.iter().find(|map| names_map(messages, &map.name)) {
        return map_error(name, map, errno);
    }
    let what = format!("cannot create the object of `{name}`");
    let told = |line: &String| external_error(name, line).or_else(|| struct_ops::meaning(&what, line));
    if let Some(error) = messages.iter().find_map(told) {
        return error.with_errno(errno);
    }
    if options.btf_path.is_none() && messages.iter().any(|line| line.contains("BTF")) {
        let error = Error::machine(what, "this kernel has no BTF, which the C text's kernel types need");
        return error.with_errno(errno).with_hint("give the BTF of this very kernel with `--btf FILE`");
    }
    with_messages(Error::io(what, err), messages)
}

/// What a text declares `extern … __ksym` or `__kconfig`, and does not get.
fn external_error(name: &str, line: &str) -> Option<Error> {
    let what = format!("cannot create the object of `{name}`");
    let function = between(line, "extern (func ksym) '", "': not found");
    let missing = function
        .or_else(|| between(line, "extern '", "' (strong): not resolved"))
        .or_else(|| between(line, "extern (var ksym) '", "': not found"));
    if let Some(missing) = missing {
        let error = Error::machine(what, format!("this kernel has no `{missing}`"));
        let hint = "declare it `__weak`, ask for it by `bpf_ksym_exists`, and do without where it is not";
        let error = if line.contains("ksym") { error.with_hint(hint) } else { error };
        return Some(match function.and_then(in_modules) {
            Some(Search { found: Some(module), .. }) => {
                error.with_hint(format!("kernel module `{module}`, which is not loaded, has it: `modprobe {module}`"))
            }
            Some(search) => error.with_evidence(search.words()),
            None => error,
        });
    }
    let other = between(line, "extern (func ksym) '", "': func_proto")
        .or_else(|| between(line, "extern (var ksym) '", "': incompatible types"))?;
    let why = format!("the C text declares `{other}` otherwise than this kernel has it");
    Some(Error::script(what, why).with_evidence(format!("libbpf: {line}")))
}

/// What the kernel modules that are installed and not loaded say of a function; none when there are none.
fn in_modules(function: &str) -> Option<Search> {
    let search = module_files::find_function(&btf::shared().ok()?, function);
    (search != Search::default()).then_some(search)
}

fn map_error(name: &str, map: &RawMap, errno: i32) -> Error {
    let what = format!("cannot create map `{}` of `{name}`", map.name);
    let kind = MapKind(map.kind);
    let error = match errno {
        libc::E2BIG => Error::script(what, "it asks for more elements or bytes than the kernel allows"),
        libc::ENOMEM => Error::machine(what, "the kernel has not enough memory for it"),
        libc::EOPNOTSUPP | 524 if kind.is_of_maps() => {
            Error::script(what, "the kernel does not put maps of that type into a map")
        }
        libc::EINVAL if sys::knows(kind) == Some(false) => {
            Error::machine(what, format!("this kernel has no maps of type {kind}"))
        }
        libc::EINVAL if map.max_entries == 0 && !kind.is_storage() => {
            Error::script(what, "it must have room for at least one element")
        }
        libc::EINVAL => Error::script(what, "the kernel does not take a map of this type with these sizes"),
        _ => Error::machine(what, errno_words(errno)),
    };
    let sizes = format!(
        "{kind}: key {} bytes, value {} bytes, {} elements, flags {:#x}",
        map.key_size, map.value_size, map.max_entries, map.flags
    );
    error.with_errno(errno).with_evidence(sizes)
}

fn names_map(messages: &[String], name: &str) -> bool {
    let start = format!("map '{name}': failed to");
    messages.iter().any(|line| line.starts_with(&start))
}

fn between<'a>(line: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let (_, rest) = line.split_once(before)?;
    rest.split_once(after).map(|(name, _)| name)
}

fn with_messages(error: Error, messages: &[String]) -> Error {
    messages.iter().fold(error, |error, line| error.with_evidence(format!("libbpf: {line}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn object_names_suit_the_kernel() {
        assert_eq!(object_name("examples/hello-fields.lua"), "hello_fields");
        assert_eq!(object_name(""), "bpflua");
        assert_eq!(object_name("a_very_long_name_of_a_script"), "a_very_long_nam");
    }
}
