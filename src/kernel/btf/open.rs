// SPDX-License-Identifier: Apache-2.0
//! Where type data comes from: the thin callers that know paths.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use object::{Object, ObjectSection};
use once_cell::sync::OnceCell;
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use super::reader::Btf;
use super::storage::{Later, Storage};
use crate::error::{Error, Result};

const ELF_MAGIC: &[u8] = b"\x7fELF";
pub(super) const SYSFS_BTF: &str = "sys/kernel/btf";

fn bad(name: &str, why: impl Into<String>) -> Error {
    Error::script(format!("cannot read type data (BTF) from {name}"), why)
}

impl Btf {
    /// Takes raw BTF.
    pub fn from_bytes(bytes: impl Into<Vec<u8>>) -> Result<Btf> {
        Btf::from_storage(Storage::Owned(bytes.into()), None).map_err(|why| bad("memory", why))
    }

    /// Takes the `.BTF` section of an ELF file (an object that was compiled, a `vmlinux`).
    pub fn from_elf(bytes: &[u8]) -> Result<Btf> {
        let section = elf_btf(bytes).map_err(|why| bad("an ELF file", why))?;
        Btf::from_bytes(section)
    }

    /// Reads a file of raw BTF, or an ELF file that has a `.BTF` section.
    pub fn open(path: impl AsRef<Path>) -> Result<Btf> {
        let path = path.as_ref();
        let name = format!("`{}`", path.display());
        let bytes =
            fs::read(path).map_err(|source| Error::io(format!("cannot read type data (BTF) from {name}"), &source))?;
        let bytes = if bytes.starts_with(ELF_MAGIC) { elf_btf(&bytes).map_err(|why| bad(&name, why))? } else { bytes };
        Btf::from_storage(Storage::Owned(bytes), None).map_err(|why| bad(&name, why))
    }

    /// Takes the raw BTF of a kernel module (or of anything split): it goes on where `base` ends.
    pub fn with_base(base: Arc<Btf>, bytes: impl Into<Vec<u8>>) -> Result<Btf> {
        Btf::from_storage(Storage::Owned(bytes.into()), Some(base)).map_err(|why| bad("memory", why))
    }

    /// The types of the running kernel.
    pub fn kernel() -> Result<Btf> {
        let kernel = Btf::kernel_later()?;
        kernel.check()?;
        Ok(kernel)
    }

    /// The types of the running kernel, of which nothing is read before a type is asked for: a name for a cache is then
    /// had for a tenth of the time. Whether they can be read says [`Btf::check`].
    pub fn kernel_later() -> Result<Btf> {
        let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        Btf::kernel_under(Path::new("/"), release.trim())
    }

    /// The types of the kernel `release` of the system mounted at `root`.
    pub fn kernel_under(root: &Path, release: &str) -> Result<Btf> {
        let mut looked_in = Vec::new();
        for path in kernel_candidates(release) {
            let whole = root.join(&path);
            if whole.exists() {
                let is_sysfs = path.starts_with(SYSFS_BTF);
                let mut btf = if is_sysfs { Btf::from_later(Later::open(&whole)?) } else { Btf::open(&whole)? };
                btf.notes = Some(root.join("sys/kernel/notes"));
                return Ok(btf);
            }
            looked_in.push(format!("/{}", path.display()));
        }
        Err(no_kernel_btf(root, release, &looked_in))
    }

    /// The types of a loaded kernel module.
    pub fn kernel_module(base: Arc<Btf>, name: &str) -> Result<Btf> {
        open_sysfs(&Path::new("/").join(SYSFS_BTF).join(name), base)
    }

    /// How many bytes there are, those not read yet among them.
    fn len(&self) -> usize {
        self.later.as_ref().map_or_else(|| self.bytes().len(), |later| later.len)
    }

    /// A number that stays the same as long as the types do, for keys of caches. For the running kernel it comes from the
    /// kernel's build id, otherwise from all the bytes.
    pub fn identity(&self) -> u64 {
        *self.identity.get_or_init(|| {
            let notes = self.notes.as_ref().and_then(|path| fs::read(path).ok());
            let own = match notes.as_deref().and_then(build_id) {
                Some(build_id) => xxh3_64_with_seed(build_id, self.len() as u64),
                None => xxh3_64(self.bytes()),
            };
            self.base.as_ref().map_or(own, |base| xxh3_64_with_seed(&own.to_ne_bytes(), base.identity()))
        })
    }
}

fn elf_btf(bytes: &[u8]) -> std::result::Result<Vec<u8>, String> {
    let file = object::File::parse(bytes).map_err(|err| format!("damaged ELF file: {err}"))?;
    let section = file.section_by_name(".BTF").ok_or("the ELF file has no .BTF section")?;
    let data = section.data().map_err(|err| format!("damaged ELF file: {err}"))?;
    Ok(data.to_vec())
}

fn kernel_candidates(release: &str) -> Vec<PathBuf> {
    let fixed = PathBuf::from(SYSFS_BTF).join("vmlinux");
    let by_release = [
        format!("boot/vmlinux-{release}"),
        format!("lib/modules/{release}/vmlinux-{release}"),
        format!("lib/modules/{release}/build/vmlinux"),
        format!("usr/lib/debug/boot/vmlinux-{release}"),
        format!("usr/lib/debug/lib/modules/{release}/vmlinux"),
    ];
    std::iter::once(fixed).chain(by_release.into_iter().map(PathBuf::from)).collect()
}

/// The types of a kernel module, from a file of `/sys/kernel/btf`.
pub(super) fn open_sysfs(path: &Path, base: Arc<Btf>) -> Result<Btf> {
    let later = Later::open(path)?;
    Btf::from_storage(later.read()?, Some(base)).map_err(|why| later.damaged(why))
}

/// The running kernel's types, opened once.
pub fn shared() -> Result<Arc<Btf>> {
    static KERNEL: OnceCell<Arc<Btf>> = OnceCell::new();
    KERNEL.get_or_try_init(|| Btf::kernel().map(Arc::new)).cloned()
}

/// Whether the running kernel's type data have this name, found in its bytes without reading a type: a fraction of a
/// millisecond, where an index of all names takes two.
pub fn kernel_mentions(name: &str) -> bool {
    let whole = format!("\0{name}\0");
    Later::open(&Path::new("/").join(SYSFS_BTF).join("vmlinux"))
        .and_then(|later| later.read())
        .is_ok_and(|storage| memchr::memmem::find(storage.bytes(), whole.as_bytes()).is_some())
}

fn no_kernel_btf(root: &Path, release: &str, looked_in: &[String]) -> Error {
    let error = Error::machine("cannot read the kernel's type data (BTF)", "this kernel offers none")
        .with_evidence(format!("looked in: {}", looked_in.join(", ")));
    let config_path = format!("boot/config-{release}");
    let config = fs::read_to_string(root.join(&config_path)).unwrap_or_default();
    let setting =
        config.lines().find(|line| line.contains("CONFIG_DEBUG_INFO_BTF=") || line.contains("CONFIG_DEBUG_INFO_BTF "));
    let error = match setting {
        Some(line) => error.with_evidence(format!("/{config_path}: {}", line.trim_start_matches("# "))),
        None => error,
    };
    error.with_hint("give a BTF file of this kernel with `--btf FILE`")
}

/// The build id among ELF notes (`/sys/kernel/notes`).
fn build_id(mut notes: &[u8]) -> Option<&[u8]> {
    const NT_GNU_BUILD_ID: u32 = 3;
    while let Some((header, rest)) = notes.split_at_checked(12) {
        let word = |at| super::index::u32_at(header, at);
        let (name_len, data_len) = (word(0) as usize, word(4) as usize);
        let name = rest.get(..name_len)?;
        let data_start = name_len.checked_next_multiple_of(4)?;
        let data = rest.get(data_start..data_start.checked_add(data_len)?)?;
        if word(8) == NT_GNU_BUILD_ID && name == b"GNU\0" {
            return Some(data);
        }
        notes = rest.get(data_start + data_len.checked_next_multiple_of(4)?..)?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{LAYOUTS, layouts};
    use super::*;

    #[test]
    fn a_kernel_without_types_is_explained() {
        let root = std::env::temp_dir().join(format!("bpflua-no-btf-{}", std::process::id()));
        fs::create_dir_all(root.join("boot")).unwrap();
        fs::write(root.join("boot/config-5.4.0"), "CONFIG_BPF=y\n# CONFIG_DEBUG_INFO_BTF is not set\n").unwrap();
        let report = Btf::kernel_under(&root, "5.4.0").unwrap_err().report();
        fs::remove_dir_all(&root).unwrap();
        let lines: Vec<&str> = report.lines().collect();
        assert_eq!(lines[0], "error: cannot read the kernel's type data (BTF): this kernel offers none");
        assert!(lines[1].starts_with("  looked in: /sys/kernel/btf/vmlinux, /boot/vmlinux-5.4.0, "), "{report}");
        assert_eq!(lines[2], "  /boot/config-5.4.0: CONFIG_DEBUG_INFO_BTF is not set");
        assert_eq!(lines[3], "hint: give a BTF file of this kernel with `--btf FILE`");
    }

    #[test]
    fn a_kernels_types_are_read_when_they_are_asked_for() {
        let root = std::env::temp_dir().join(format!("bpflua-later-{}", std::process::id()));
        let file = root.join(SYSFS_BTF).join("vmlinux");
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, elf_btf(LAYOUTS).unwrap()).unwrap();
        let good = Btf::kernel_under(&root, "6").unwrap();
        assert_eq!((good.check().is_ok(), good.type_count()), (true, layouts().type_count()));
        fs::write(&file, [7; 64]).unwrap();
        let bad = Btf::kernel_under(&root, "6").unwrap();
        fs::remove_dir_all(&root).unwrap();
        assert_eq!(bad.len(), 64);
        let why =
            format!("cannot read type data (BTF) from `{}`: not BTF (the magic number is missing)", file.display());
        assert_eq!(bad.check().unwrap_err().to_string(), why);
        assert_eq!((bad.type_count(), bad.find(super::super::Kind::Struct, "packed")), (1, None));
    }

    #[test]
    fn files_that_are_no_btf_are_refused_with_words() {
        let why = |bytes: &[u8]| Btf::from_bytes(bytes).unwrap_err().why().to_owned();
        assert_eq!(why(b"short"), "5 bytes are too few for BTF");
        assert_eq!(why(&[7; 64]), "not BTF (the magic number is missing)");
        assert_eq!(why(&[&[0xeb, 0x9f], &[0_u8; 30][..]].concat()), "BTF of the other byte order");
        let err = Btf::open("/nonexistent/btf").unwrap_err();
        assert_eq!(
            err.to_string(),
            "cannot read type data (BTF) from `/nonexistent/btf`: no such file or directory (ENOENT)"
        );
    }

    #[test]
    fn the_identity_follows_the_bytes() {
        let mut bytes = elf_btf(LAYOUTS).unwrap();
        assert_eq!(Btf::from_bytes(bytes.clone()).unwrap().identity(), layouts().identity());
        let at = bytes.len() - 2;
        bytes[at] ^= 1;
        assert_ne!(Btf::from_bytes(bytes).unwrap().identity(), layouts().identity());
    }

    #[test]
    fn finds_the_build_id_among_notes() {
        let mut notes = Vec::new();
        for (name, kind, data) in [(&b"Xen\0"[..], 6_u32, &b"12345"[..]), (b"GNU\0", 3, b"id-bytes")] {
            for word in [name.len() as u32, data.len() as u32, kind] {
                notes.extend(word.to_ne_bytes());
            }
            notes.extend(name);
            notes.extend(data);
            notes.resize(notes.len().next_multiple_of(4), 0);
        }
        assert_eq!(build_id(&notes), Some(&b"id-bytes"[..]));
        assert_eq!(build_id(&notes[..20]), None);
    }
}
