// SPDX-License-Identifier: Apache-2.0
//! What can be probed: probes as people write them, lists of those that there are, and what each hands to a program.
//!
//! ```text
//! Spec::parse("kprobe:vfs_*")        what the user wrote, taken apart              (kind, spec)
//! list(&pattern)                     the probes there are                          (list, target)
//! target.fields(), target.find(..)   arguments, results and record fields by name, down to the members of the kernel's
//!                                    structures: `file.f_path.dentry.d_name.name`  (fields, shape, path)
//! ```
//!
//! Nothing is attached here.

mod complete;
mod fields;
mod kind;
mod list;
mod nothing;
mod path;
mod shape;
mod spec;
mod target;
mod user_names;

pub use complete::{
    Completion, complete_probe, complete_value, functions, members_of_type, prepare, signature, tracepoints,
};
pub use fields::{Field, Found};
pub use kind::Kind;
pub use list::{Listed, counter_number, list};
pub use nothing::nothing_matches;
pub use shape::Shape;
pub use spec::{Place, Spec};
pub use target::{Target, expand};
pub use user_names::{is_reading, read_ahead};
