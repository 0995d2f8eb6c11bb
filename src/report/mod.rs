// SPDX-License-Identifier: Apache-2.0
//! What a run leaves behind for people to look at: flame graphs as SVG, and a page with all that was shown.
//!
//! Everything here is a function from data to text. What comes in is hostile: names of processes and files are whatever
//! somebody called them.

mod escape;
mod flamegraph;
mod histogram;
mod model;
mod page;
mod stacks;
mod table;

pub use flamegraph::{Graph, svg};
pub use model::{Bucket, Column, Histogram, Page, Rows, Section, Stack, Stacks};
pub use page::render;
