// SPDX-License-Identifier: Apache-2.0
//! What the C text asks of a map beyond its type and sizes: that it lives under a path, that other objects of the process
//! find it, that it holds maps like another. The dialect writes such notes into a section of the object, and they are
//! heeded between opening it and creating its maps.

mod inner;
mod note;
mod pins;
mod public;

use std::os::fd::{AsFd as _, OwnedFd};
use std::rc::Rc;

use libbpf_rs::OpenObject;
use object::{Object as _, ObjectSection as _};

use super::options::ObjectOptions;
use super::sys::map::MapInfo;
use super::sys::object::{self as raw, RawMap};
use crate::error::{Error, Result};
use crate::suggest;
use note::Note;
pub use public::PublicMap;

/// The section of the notes; `bpf-include/README.md` lists them.
const SECTION: &str = ".bpflua.pins";

/// The notes of an object, heeded.
#[derive(Debug, Default)]
pub struct Heeded {
    /// Maps to pin once they exist: index and path.
    to_pin: Vec<(usize, String)>,
    /// Maps to make public once they exist: index, and the name space if they are only for that.
    to_publish: Vec<(usize, Option<String>)>,
    /// Public maps that this object uses, and its own: they live as long as any user.
    kept: Vec<Rc<PublicMap>>,
    /// Maps that existed before.
    existing: Vec<usize>,
    /// What the kernel looks at while it creates maps of maps.
    templates: Vec<OwnedFd>,
}

/// The maps of an object whose keys are slots of a histogram.
pub fn histograms(elf: &[u8]) -> Vec<String> {
    let notes = note::parse(&section(elf)).into_iter();
    notes.filter(|(_, note)| *note == Note::Histogram).map(|(map, _)| map).collect()
}

/// Reads the notes of `elf` and does what has to be done before the maps are created.
pub fn heed(object: &OpenObject, elf: &[u8], maps: &[RawMap], options: &ObjectOptions) -> Result<Heeded> {
    let notes = note::parse(&section(elf));
    let notes = notes.into_iter().filter_map(|(name, note)| {
        let index = maps.iter().position(|map| map.name == name)?;
        Some((index, note))
    });
    let (inner, others): (Vec<_>, Vec<_>) = notes.partition(|(_, note)| matches!(note, Note::Inner(_)));
    let mut heeded = Heeded::default();
    for (index, note) in others {
        heeded.heed_one(object, index, note, &maps[index], options)?;
    }
    // Last: what a map of maps holds may be one of those that exist already.
    for (index, note) in inner {
        let Note::Inner(name) = note else { continue };
        let template = inner::set(object, (index, &name), maps, &heeded.existing, options)?;
        heeded.templates.push(template);
    }
    Ok(heeded)
}

impl Heeded {
    fn heed_one(
        &mut self,
        object: &OpenObject,
        index: usize,
        note: Note,
        map: &RawMap,
        options: &ObjectOptions,
    ) -> Result<()> {
        let found = match note {
            // A stand-in that programs can be checked against.
            Note::Extern if options.alone => {
                return raw::set_sizes(object, index, map.max_entries.max(1), 0, 0)
                    .map_err(|err| cannot(map, options, &err));
            }
            Note::Extern => {
                let found = public::find(map, options)?;
                let fd = found.fd().try_clone_to_owned().map_err(|err| cannot(map, options, &err))?;
                self.kept.push(found);
                Some(fd)
            }
            Note::Pin(path) if !options.alone => {
                let found = pins::find(&path, map, options)?;
                if found.is_none() {
                    self.to_pin.push((index, path));
                }
                found
            }
            Note::Public => {
                self.to_publish.push((index, None));
                None
            }
            Note::Shared => {
                self.to_publish.push((index, Some(options.namespace.clone())));
                None
            }
            Note::Pin(_) | Note::Inner(_) | Note::Histogram => None,
        };
        if let Some(fd) = found {
            raw::reuse(object, index, fd.as_fd()).map_err(|err| cannot(map, options, &err))?;
            self.existing.push(index);
        }
        Ok(())
    }

    /// Pins and publishes what the maps are for, now that they exist.
    pub fn finish(mut self, maps: &[Rc<super::Map>], options: &ObjectOptions) -> Result<Vec<Rc<PublicMap>>> {
        for (index, path) in &self.to_pin {
            pins::pin(&maps[*index], path, options)?;
        }
        for (index, namespace) in self.to_publish {
            self.kept.push(public::publish(&maps[index], namespace, options)?);
        }
        Ok(self.kept)
    }
}

fn section(elf: &[u8]) -> Vec<u8> {
    let file = object::File::parse(elf).ok();
    let section = file.as_ref().and_then(|file| file.section_by_name(SECTION));
    section.and_then(|section| section.data().ok()).unwrap_or_default().to_vec()
}

fn cannot(map: &RawMap, options: &ObjectOptions, err: &std::io::Error) -> Error {
    Error::io(format!("cannot create map `{}` of `{}`", map.name, options.name), err)
}

/// What a declaration and an existing map have in different ways; empty when they fit each other.
fn differences(declared: &MapInfo, found: &MapInfo) -> Vec<String> {
    let mut differences = Vec::new();
    let mut compare = |what: &str, declared: String, found: String| {
        if declared != found {
            differences.push(format!("{what}: {found} there, {declared} in the C text"));
        }
    };
    compare("type", declared.kind.to_string(), found.kind.to_string());
    compare("key", format!("{} bytes", declared.key_size), format!("{} bytes", found.key_size));
    compare("value", format!("{} bytes", declared.value_size), format!("{} bytes", found.value_size));
    if declared.max_entries != 0 {
        compare("size", format!("{} elements", declared.max_entries), format!("{} elements", found.max_entries));
    }
    // Whether memory is taken beforehand makes no other map of it; bcc looks at no flags at all.
    let flags = |flags: u32| format!("{:#x}", flags & !libbpf_sys::BPF_F_NO_PREALLOC);
    compare("flags", flags(declared.flags), flags(found.flags_as_declared()));
    differences
}

/// The nearest names as a hint, or all of them as evidence.
fn with_names(error: Error, name: &str, known: &[String], are: &str) -> Error {
    let near = suggest::nearest(name, known.iter().map(String::as_str));
    match suggest::similar_line(&near) {
        Some(line) => error.with_hint(line),
        None if known.is_empty() => error.with_evidence(format!("there are no {are}")),
        None => error.with_evidence(format!("the {are} are {}", known.join(", "))),
    }
}
