// SPDX-License-Identifier: Apache-2.0
//! Arguments, printing and exit statuses of the `bpflua` command. No other room prints.
//!
//! | exit status | meaning |
//! |---|---|
//! | 0 | the script ran to its end, also when Ctrl-C ended its event loop or the reader of its output went away |
//! | 1 | an error in the script, its C text or an argument of it |
//! | 2 | an error in the command line |
//! | 3 | this machine lacks what was asked for |
//! | 70 | a fault of bpflua |
//! | 130 | stopped by Ctrl-C outside of an event loop, or by a second Ctrl-C |

mod args;
mod bcc_lua;
mod check;
mod compile;
mod completions;
mod doctor;
mod exit;
mod list;
mod pack;
mod run;
mod settings;
mod types;
mod version;

pub use run::main;
