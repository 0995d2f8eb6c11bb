// SPDX-License-Identifier: Apache-2.0
//! Files that travel with the program: the Lua library, the C headers; and where packs of scripts are installed.
//!
//! Nothing here runs Lua or compiles C; this room only says what files there are and under which name.

pub mod built;
pub mod catalog;
pub mod embedded;
pub mod entry;
pub mod installed;
pub mod manifest;
pub mod policy;
pub mod trust;
pub mod units;

mod head;
mod rules;
