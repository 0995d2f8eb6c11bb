// SPDX-License-Identifier: Apache-2.0
//! Files that travel with the program: the Lua library, the C headers; and packs of scripts: what one consists of, where they come
//! from, how they are installed and made ready to run.
//!
//! A pack goes through these, and each of them is the only way for what it does: [`fetched`] brings its files from a source,
//! [`tree`] admits plain files alone, [`contents`] reads what it is, [`plan`] chooses versions of what it needs, [`install`] puts
//! it in its place, [`open`] compares it with what was installed and makes it ready to run.
//!
//! Nothing here runs Lua or compiles C.

pub mod archive;
pub mod built;
pub mod catalog;
pub mod contents;
pub mod embedded;
pub mod entry;
pub mod fetched;
pub mod install;
pub mod installed;
pub mod limits;
pub mod manifest;
pub mod open;
pub mod plan;
pub mod policy;
pub mod record;
pub mod registry;
pub mod skeleton;
pub mod source;
pub mod tree;
pub mod trust;
pub mod units;

pub mod disk;
mod git;
mod head;
mod resolve;
mod rules;
mod shelf;
mod sys;

pub use disk::replace as write_whole;
pub use rules::is_name;
