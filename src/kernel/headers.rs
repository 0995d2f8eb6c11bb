// SPDX-License-Identifier: Apache-2.0
//! Where a kernel's headers are, in any of the forms in which distributions hand them out.
//!
//! A folder may hold all of them (a built source tree, Fedora's and Arch's packages, an unpacked `kheaders.tar.xz`), be
//! `/lib/modules/RELEASE` with its links `build` and `source`, or be the half with the generated headers of which the
//! other half lies beside it (Debian's `linux-headers-RELEASE` and `linux-headers-VERSION-common`).

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::kernel::release::Release;

/// What overrides where headers are, as in bcc.
pub const SOURCE_VARIABLE: &str = "BCC_KERNEL_SOURCE";
/// What only the sources have.
const SOURCE_MARK: &str = "include/linux/kconfig.h";
/// What only the build has.
const BUILD_MARK: &str = "include/generated/autoconf.h";

/// The two halves of a kernel's headers; often the same folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KernelHeaders {
    /// With `include/linux`.
    pub source: PathBuf,
    /// With `include/generated`.
    pub build: PathBuf,
}

/// What a folder lacks.
enum Lack {
    /// The folder itself.
    Folder(std::io::Error),
    /// What a build generates; whether the sources' part is there.
    Build { has_source: bool },
    /// The sources' part.
    Source,
}

impl KernelHeaders {
    /// The headers in a folder, or in what it leads to.
    ///
    /// # Errors
    /// Says what is missing in the folder, and what to do about the headers of the running kernel.
    pub fn find(folder: &Path) -> Result<KernelHeaders> {
        locate(folder).map_err(|lack| advise(cannot(folder, &lack)))
    }

    /// Those of the running kernel, where distributions put them.
    pub fn of_running() -> Option<KernelHeaders> {
        let release = &Release::running().name;
        let usual = [
            format!("/lib/modules/{release}"),
            format!("/usr/src/linux-headers-{release}"),
            format!("/usr/src/kernels/{release}"),
        ];
        usual.iter().find_map(|folder| locate(Path::new(folder)).ok())
    }

    /// Where those of the running kernel come from, when this machine has none: each a sentence of its own.
    pub fn how_to_get() -> Vec<String> {
        let release = &Release::running().name;
        let text = fs::read_to_string("/etc/os-release").or_else(|_| fs::read_to_string("/usr/lib/os-release"));
        let command = text.ok().and_then(|text| package(&text, release));
        let packaged = command.map(|command| format!("those of the running kernel come with: {command}"));
        let own = Path::new("/sys/kernel/kheaders.tar.xz").exists();
        let own =
            own.then(|| "the running kernel has its own: tar -xf /sys/kernel/kheaders.tar.xz -C FOLDER".to_owned());
        packaged.into_iter().chain(own).collect()
    }

    /// The include folders for an architecture (`x86`, `arm64`), in the order in which the kernel's own build has them.
    pub fn include_dirs(&self, arch: &str) -> Vec<PathBuf> {
        let parts = [
            format!("arch/{arch}/include"),
            format!("arch/{arch}/include/generated"),
            "include".to_owned(),
            format!("arch/{arch}/include/uapi"),
            format!("arch/{arch}/include/generated/uapi"),
            "include/uapi".to_owned(),
            "include/generated/uapi".to_owned(),
        ];
        let halves = || [&self.source, &self.build].into_iter().take(if self.source == self.build { 1 } else { 2 });
        parts.iter().flat_map(|part| halves().map(move |half| half.join(part))).filter(|dir| dir.is_dir()).collect()
    }

    /// The file that says how the kernel is configured, for every text.
    pub fn kconfig(&self) -> PathBuf {
        self.source.join(SOURCE_MARK)
    }
}

/// The sources that a build folder's Makefile names: `include /usr/src/linux-headers-6.1.0-50-common/Makefile`.
fn included_by_makefile(build: &Path) -> Vec<PathBuf> {
    let text = fs::read_to_string(build.join("Makefile")).unwrap_or_default();
    let words = text.lines().take(20).flat_map(str::split_whitespace);
    let folders = words.filter_map(|word| Path::new(word).parent()).filter(|at| at.is_absolute());
    // The package may have been unpacked elsewhere: then the other half is a sibling.
    folders.flat_map(|at| [at.to_owned(), sibling(build, at)]).collect()
}

fn sibling(build: &Path, named: &Path) -> PathBuf {
    build.parent().zip(named.file_name()).map(|(parent, name)| parent.join(name)).unwrap_or_default()
}

/// The other half by its name: the longest `NAME-common` whose NAME this folder's begins with.
fn beside(build: &Path) -> Option<PathBuf> {
    let (parent, name) = (build.parent()?, build.file_name()?.to_str()?);
    let entries = fs::read_dir(parent).ok()?.flatten().map(|entry| entry.path());
    let stem = |path: &PathBuf| Some(path.file_name()?.to_str()?.strip_suffix("-common")?.len());
    let fits = |path: &PathBuf| {
        let common = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_suffix("-common"));
        common.is_some_and(|common| name.starts_with(common))
    };
    entries.filter(fits).max_by_key(stem)
}

fn locate(folder: &Path) -> std::result::Result<KernelHeaders, Lack> {
    let given = fs::canonicalize(folder).map_err(Lack::Folder)?;
    let build = [given.clone(), given.join("build")].into_iter().find(|at| at.join(BUILD_MARK).is_file());
    let Some(build) = build.and_then(|at| fs::canonicalize(at).ok()) else {
        return Err(Lack::Build { has_source: given.join(SOURCE_MARK).is_file() });
    };
    let mut candidates = vec![build.clone(), given.join("source"), build.join("source")];
    candidates.extend(included_by_makefile(&build));
    candidates.extend(beside(&build));
    let source = candidates.into_iter().find(|at| at.join(SOURCE_MARK).is_file()).ok_or(Lack::Source)?;
    Ok(KernelHeaders { source, build })
}

fn cannot(folder: &Path, lack: &Lack) -> Error {
    let what = format!("cannot use the kernel headers in `{}`", folder.display());
    match lack {
        Lack::Folder(error) => Error::io(what, error),
        Lack::Build { has_source } => {
            Error::script(what, format!("it has no `{BUILD_MARK}`")).with_evidence(if *has_source {
                "it has the headers of the sources, but not those that a build generates"
            } else {
                "it is no folder of kernel headers, and has no link `build` to one"
            })
        }
        Lack::Source => Error::script(what, format!("it has no `{SOURCE_MARK}`"))
            .with_evidence("it is the half that a build generates; the other half is not beside it"),
    }
}

/// What to do about missing headers of the running kernel on this distribution.
fn advise(error: Error) -> Error {
    match KernelHeaders::of_running() {
        Some(headers) => error.with_hint(format!("this kernel's are in `{}`", headers.build.display())),
        None => KernelHeaders::how_to_get().into_iter().fold(error, Error::with_hint),
    }
}

/// The command that installs a kernel's headers on the distribution of this os-release text.
fn package(os_release: &str, release: &str) -> Option<String> {
    let field = |name: &str| {
        let line = os_release.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        line.map(|value| value.trim_matches('"').to_owned())
    };
    let ids = format!("{} {}", field("ID").unwrap_or_default(), field("ID_LIKE").unwrap_or_default());
    ids.split_whitespace().find_map(|id| match id {
        "debian" | "ubuntu" => Some(format!("apt-get install linux-headers-{release}")),
        "fedora" | "rhel" | "centos" => Some(format!("dnf install kernel-devel-{release}")),
        "suse" | "opensuse" => Some("zypper install kernel-default-devel".to_owned()),
        "arch" => Some("pacman -S linux-headers".to_owned()),
        "alpine" => Some("apk add linux-lts-dev".to_owned()),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(name: &str, files: &[&str]) -> PathBuf {
        let root = std::env::temp_dir().join(format!("bpflua-headers-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&root);
        for file in files {
            let path = root.join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "include /usr/src/linux-headers-6.1-common/Makefile\n").unwrap();
        }
        fs::canonicalize(root).unwrap()
    }

    #[test]
    fn one_folder_or_two() {
        let root = tree(
            "two",
            &[
                "whole/include/linux/kconfig.h",
                "whole/include/generated/autoconf.h",
                "whole/arch/x86/include/uapi/a.h",
                "linux-headers-6.1-cloud/include/generated/autoconf.h",
                "linux-headers-6.1-cloud/Makefile",
                "linux-headers-6.1-common/include/linux/kconfig.h",
            ],
        );
        let whole = KernelHeaders::find(&root.join("whole")).unwrap();
        assert_eq!(whole.source, whole.build);
        let dirs = whole.include_dirs("x86");
        assert_eq!(dirs, ["arch/x86/include", "include", "arch/x86/include/uapi"].map(|dir| whole.source.join(dir)));

        let split = KernelHeaders::find(&root.join("linux-headers-6.1-cloud")).unwrap();
        assert_eq!(split.source, root.join("linux-headers-6.1-common"));
        // Also without the Makefile's word, and through the links of /lib/modules.
        fs::remove_file(root.join("linux-headers-6.1-cloud/Makefile")).unwrap();
        fs::create_dir_all(root.join("modules")).unwrap();
        std::os::unix::fs::symlink(root.join("linux-headers-6.1-cloud"), root.join("modules/build")).unwrap();
        assert_eq!(KernelHeaders::find(&root.join("modules")).unwrap(), split);

        let error = KernelHeaders::find(&root.join("linux-headers-6.1-common")).unwrap_err();
        assert!(error.report().contains("it has no `include/generated/autoconf.h`"), "{}", error.report());
        fs::remove_dir_all(root.join("linux-headers-6.1-common")).unwrap();
        let error = KernelHeaders::find(&root.join("linux-headers-6.1-cloud")).unwrap_err();
        assert!(error.report().contains("the other half is not beside it"), "{}", error.report());
        fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn a_folder_that_is_none() {
        let error = KernelHeaders::find(Path::new("/nowhere/at/all")).unwrap_err();
        assert!(error.to_string().contains("cannot use the kernel headers in `/nowhere/at/all`"), "{error}");
        assert_eq!(error.errno(), Some(libc::ENOENT));
    }

    #[test]
    fn packages_by_distribution() {
        let command = |text: &str| package(text, "6.1-x");
        assert_eq!(command("ID=debian\n").as_deref(), Some("apt-get install linux-headers-6.1-x"));
        assert_eq!(
            command("ID=mint\nID_LIKE=\"ubuntu debian\"\n").as_deref(),
            Some("apt-get install linux-headers-6.1-x")
        );
        assert_eq!(command("ID=\"fedora\"\n").as_deref(), Some("dnf install kernel-devel-6.1-x"));
        assert_eq!(command("ID=plan9\n"), None);
    }
}
