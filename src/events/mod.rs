// SPDX-License-Identifier: Apache-2.0
//! Events on their way from the kernel to whoever pulls them.
//!
//! ```text
//! perf_ring, ring        mapped memory -> records
//! perf                   the descriptors and the losses of a perf buffer
//! lost_counter           where a program counts what did not fit into a ring buffer
//! source                 a ring with its counts
//! trace_line, trace_pipe a line -> its fields; the file, line by line
//! timers, stop           deadlines; the stop flag and the signals that raise it
//! members, poll, drain   the loop: what it waits for, "what next", and its end
//! ffi                    all of it as C functions for LuaJIT
//! ```
//!
//! Nothing here calls Lua or knows its types. The consumer asks [`poll::Loop`] what there is to do, takes records one
//! by one, and may stop between any two of them: an error in a handler loses nothing and repeats nothing.
//!
//! What is absent: libbpf's buffer managers. `ring_buffer__consume` does not return while a producer is faster than
//! the consumer, its callbacks would have to cross compiled Lua, and `perf_buffer__new` cannot ask for exact losses.

pub mod ctype;
mod drain;
pub mod ffi;
mod lost_counter;
mod members;
mod pace;
pub mod perf;
mod perf_ring;
pub mod poll;
mod record;
pub mod ring;
mod source;
pub mod stop;
mod sys;
pub mod terminal;
mod timers;
pub mod trace_line;
pub mod trace_pipe;

pub use perf::PerfOptions;
pub use poll::{Kind, Loop};
