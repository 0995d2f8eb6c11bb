// SPDX-License-Identifier: Apache-2.0
//! One process, and the names in its address space.

use std::cell::{Cell, RefCell};
use std::io;
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::folder::{Folder, Program};
use super::mappings::{Backing, Mapping, Mappings};
use super::perf_map::PerfMap;
use super::vdso;
use crate::error::{Error, Result, errno_name, errno_words};
use crate::kernel::privilege::{Capability, Privilege};
use crate::symbolize::elf::{self, Image};
use crate::symbolize::files::{FileId, Files};
use crate::symbolize::symbol::{Found, SourceLine, Symbolized, Unknown};

/// Looking again for addresses that stay unknown may take one part of this many of the time.
const LOOK_SHARE: u32 = 20;

/// How long a process is taken to be as it was: the frames of a stack come one right after the other.
const SAME_FOR: Duration = Duration::from_millis(1);

/// One process.
#[derive(Debug)]
pub struct Process {
    folder: Folder,
    files: Rc<Files>,
    known: RefCell<Known>,
    /// When it was last looked whether it is there, and whether it was.
    seen: Cell<(Instant, bool)>,
}

/// What was learned of a process; it stays when the process is gone.
#[derive(Debug)]
struct Known {
    mappings: Mappings,
    /// For each mapping, the file behind it, once it was looked at; or why there is none.
    opened: Vec<Option<std::result::Result<FileId, String>>>,
    program: Option<Program>,
    perf_map: PerfMap,
    read_at: Instant,
    cost: Duration,
}

impl Process {
    /// Looks at a process.
    pub fn open(pid: u32, files: Rc<Files>) -> Result<Self> {
        let folder = Folder::open(pid).map_err(|err| cannot_look(pid, &err))?;
        let known = Known::read(&folder, PerfMap::default()).map_err(|(err, _)| cannot_look(pid, &err))?;
        Ok(Process { folder, files, known: RefCell::new(known), seen: Cell::new((Instant::now(), true)) })
    }

    /// Its number, which may be another's by now.
    pub fn pid(&self) -> u32 {
        self.folder.pid()
    }

    /// Whether it still runs.
    pub fn is_there(&self) -> bool {
        self.folder.is_there()
    }

    /// Looks anew at what is mapped and at the perf map. Gives false when the process is gone; then what was known stays.
    pub fn refresh(&self) -> bool {
        let mut known = self.known.borrow_mut();
        let perf_map = std::mem::take(&mut known.perf_map);
        match Known::read(&self.folder, perf_map) {
            Ok(read) => *known = read,
            Err((_, perf_map)) => known.perf_map = perf_map,
        }
        drop(known);
        self.is_there()
    }

    /// Whether it still ran a moment ago. Forgets what was known when it runs another program since.
    pub fn was_there(&self) -> bool {
        let (at, there) = self.seen.get();
        if at.elapsed() < SAME_FOR {
            return there;
        }
        let program = self.folder.program();
        if program.is_some() && program != self.known.borrow().program {
            self.refresh();
        }
        let there = program.is_some() || self.is_there();
        self.seen.set((Instant::now(), there));
        there
    }

    /// The function that an address lies in.
    pub fn symbolize(&self, address: u64) -> Symbolized {
        self.was_there();
        let unknown = match self.look(address) {
            Ok(found) => return Ok(found),
            Err(unknown) => unknown,
        };
        if self.may_look_again() && self.refresh() {
            return self.look(address);
        }
        match unknown.module {
            None if !self.is_there() => Err(Unknown::nowhere(format!("process {} is gone", self.pid()))),
            _ => Err(unknown),
        }
    }

    /// The source line of an address.
    pub fn line(&self, address: u64) -> Option<SourceLine> {
        let (mapping, image) = self.image_at(address)?;
        image.line_at(mapping.file_offset(address))
    }

    /// The address of a function; `module` is a mapped file's path or name, and all are searched without it.
    pub fn address_of(&self, module: Option<&str>, name: &str) -> Option<u64> {
        let known = self.known.borrow();
        let mut tried: Vec<&Path> = Vec::new();
        for mapping in known.mappings.iter() {
            let Backing::File { path, .. } = &mapping.backing else { continue };
            if tried.contains(&path.as_path()) || !module.is_none_or(|module| is_module(path, module)) {
                continue;
            }
            tried.push(path);
            let Ok(file) = self.folder.open_mapped(mapping) else { continue };
            let Some(offset) = elf::offset_of(&file, &self.folder.place_of(path), name) else { continue };
            let holds = |other: &&Mapping| {
                other.backing == mapping.backing
                    && (other.offset..other.offset + (other.end - other.start)).contains(&offset)
            };
            if let Some(mapped) = known.mappings.iter().find(holds) {
                return Some(mapped.start + (offset - mapped.offset));
            }
        }
        known.perf_map.address_of(name).filter(|_| module.is_none())
    }

    /// The function at an offset in the mapped file with this build ID.
    pub fn symbolize_in(&self, is_wanted: impl Fn(&[u8]) -> bool, file_offset: u64) -> Option<Symbolized> {
        // Files are mapped for other ends, too: a debug file has the build ID of its program.
        let starts: Vec<u64> = self
            .known
            .borrow()
            .mappings
            .iter()
            .filter(|mapping| mapping.executable)
            .map(|mapping| mapping.start)
            .collect();
        starts.into_iter().find_map(|start| {
            let (mapping, image) = self.image_at(start)?;
            let Backing::File { path, .. } = &mapping.backing else { return None };
            image.facts().build_id.as_deref().is_some_and(&is_wanted).then(|| in_image(&image, path, file_offset))
        })
    }

    fn may_look_again(&self) -> bool {
        let known = self.known.borrow();
        known.read_at.elapsed() >= known.cost * LOOK_SHARE
    }

    fn look(&self, address: u64) -> Symbolized {
        let number = self.known.borrow().mappings.number_at(address);
        let Some(number) = number else { return Err(Unknown::nowhere("nothing is mapped there")) };
        let mapping = self.known.borrow().mappings.get(number).cloned();
        let unknown = match mapping.as_ref().map(|mapping| (mapping, &mapping.backing)) {
            Some((mapping, Backing::File { path, .. })) => match self.image(number, mapping) {
                Ok(image) => match in_image(&image, path, mapping.file_offset(address)) {
                    Ok(found) => return Ok(found),
                    Err(unknown) => unknown,
                },
                Err(why) => Unknown::within(&path.to_string_lossy(), why),
            },
            Some((mapping, Backing::Vdso)) => return in_vdso(address - mapping.start),
            _ => Unknown::nowhere("that is memory without a file, and no perf map tells of it"),
        };
        // A compiler may have put its code into a file, too.
        let known = self.known.borrow();
        let jitted = known.perf_map.find(address).zip(known.perf_map.path());
        jitted
            .map(|((name, offset), path)| {
                let module = format!("/tmp/{}", path.file_name().unwrap_or_default().to_string_lossy());
                Found { name: name.to_owned(), offset, module }
            })
            .ok_or(unknown)
    }

    fn image_at(&self, address: u64) -> Option<(Mapping, Rc<Image>)> {
        let number = self.known.borrow().mappings.number_at(address)?;
        let mapping = self.known.borrow().mappings.get(number)?.clone();
        let image = self.image(number, &mapping).ok()?;
        Some((mapping, image))
    }

    /// The file behind a mapping, opened when first asked for; or why it cannot be had.
    fn image(&self, number: usize, mapping: &Mapping) -> std::result::Result<Rc<Image>, String> {
        let Backing::File { path, .. } = &mapping.backing else { return Err("it is no file".to_owned()) };
        let kept = self.known.borrow().opened.get(number).cloned().flatten();
        match kept {
            Some(Ok(id)) => {
                if let Some(image) = self.files.kept(&id) {
                    return Ok(image);
                }
            }
            Some(Err(why)) => return Err(why),
            None => {}
        }
        let opened = match self.folder.open_mapped(mapping) {
            Ok(file) => {
                self.files.open(file, self.folder.place_of(path)).map_err(|why| format!("`{}` {why}", path.display()))
            }
            Err(err) => Err(format!("`{}` cannot be read: {}", path.display(), words(&err))),
        };
        let note = opened.as_ref().map(|(id, _)| id.clone()).map_err(Clone::clone);
        if let Some(place) = self.known.borrow_mut().opened.get_mut(number) {
            *place = Some(note);
        }
        opened.map(|(_, image)| image)
    }
}

impl Known {
    fn read(folder: &Folder, mut perf_map: PerfMap) -> std::result::Result<Self, (io::Error, PerfMap)> {
        let read_at = Instant::now();
        let program = folder.program();
        let mappings = match folder.mappings() {
            // The address space of a process that is ending is empty before it is gone; so are those of kernel threads.
            Ok(mappings) if !mappings.is_empty() || program.is_none() => mappings,
            Ok(_) => return Err((io::Error::from_raw_os_error(libc::ESRCH), perf_map)),
            Err(err) => return Err((err, perf_map)),
        };
        perf_map.read_on(&folder.perf_maps());
        let opened = vec![None; mappings.len()];
        Ok(Known { mappings, opened, program, perf_map, read_at, cost: read_at.elapsed() })
    }
}

fn in_image(image: &Image, path: &Path, file_offset: u64) -> Symbolized {
    let module = path.to_string_lossy();
    match image.function_at(file_offset) {
        Some(function) => Ok(Found { name: function.name, offset: function.offset, module: module.into_owned() }),
        None => Err(Unknown::within(&module, format!("`{module}` has no symbol there"))),
    }
}

fn in_vdso(offset: u64) -> Symbolized {
    let function = vdso::ours().and_then(|ours| elf::function_in_vdso(offset, ours));
    match function {
        Some(function) => Ok(Found { name: function.name, offset: function.offset, module: "[vdso]".to_owned() }),
        None => Err(Unknown::within("[vdso]", "the vDSO has no symbol there")),
    }
}

fn is_module(path: &Path, module: &str) -> bool {
    path == Path::new(module) || path.file_name().is_some_and(|name| name.to_string_lossy() == module)
}

fn words(err: &io::Error) -> String {
    match err.raw_os_error() {
        Some(errno) => format!("{} ({})", errno_words(errno), errno_name(errno)),
        None => err.to_string(),
    }
}

fn cannot_look(pid: u32, err: &io::Error) -> Error {
    let what = format!("cannot look up names in process {pid}");
    match err.raw_os_error() {
        Some(libc::ENOENT | libc::ESRCH) => Error::script(what, "there is no such process").with_errno(libc::ESRCH),
        Some(errno @ (libc::EACCES | libc::EPERM)) => {
            let privilege = Privilege::read();
            let error = Error::machine(what, "its address space may not be read").with_errno(errno);
            if privilege.effective.has(Capability::SysPtrace) {
                return error;
            }
            let hint =
                if privilege.uid == 0 { "start it with CAP_SYS_PTRACE" } else { "run as root, or with CAP_SYS_PTRACE" };
            error
                .with_evidence(format!("uid {} lacks CAP_SYS_PTRACE, and the process is another's", privilege.uid))
                .with_hint(hint)
        }
        _ => Error::io(what, err),
    }
}
