// SPDX-License-Identifier: Apache-2.0
//! Rust types and functions with their C declarations, written once: what Lua is told cannot drift from what is.

use std::ffi::{c_char, c_void};

/// A type with a name in C.
pub trait CType {
    /// The name, as it is written in a declaration.
    const NAME: &'static str;
}

macro_rules! c_names {
    ($($ty:ty => $name:literal),* $(,)?) => { $(impl CType for $ty { const NAME: &'static str = $name; })* };
}

c_names! {
    () => "void",
    i32 => "int32_t",
    u32 => "uint32_t",
    u64 => "uint64_t",
    f64 => "double",
    *const c_void => "const void *",
    *const c_char => "const char *",
}

/// A function for Lua: `ffi.cast(ctype, address)`.
#[derive(Clone, Debug)]
pub struct Export {
    /// The name by which `scripts/lib/` knows it.
    pub name: &'static str,
    /// Its type as a C function pointer.
    pub ctype: String,
    /// Where it is.
    pub address: *const c_void,
}

/// A function pointer's type, from the names of what it takes and gives.
pub fn pointer_type(gives: &str, takes: &[&str]) -> String {
    let takes = if takes.is_empty() { "void".to_owned() } else { takes.join(", ") };
    format!("{gives} (*)({takes})")
}

/// Declares a `#[repr(C)]` struct and, as its `CDEF`, the C declaration of the same struct.
macro_rules! c_struct {
    ($(#[$meta:meta])* pub struct $name:ident as $c_name:literal { $($(#[$doc:meta])* $field:ident: $ty:ty,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug)]
        #[repr(C)]
        pub struct $name { $($(#[$doc])* pub $field: $ty,)* }

        impl $name {
            /// The C declaration.
            pub fn cdef() -> String {
                let fields = [$(format!("{} {};", <$ty as $crate::events::ctype::CType>::NAME, stringify!($field))),*];
                format!("typedef struct {{ {} }} {};\n", fields.join(" "), $c_name)
            }
        }

        impl $crate::events::ctype::CType for *mut $name { const NAME: &'static str = concat!($c_name, " *"); }
        impl $crate::events::ctype::CType for *const $name {
            const NAME: &'static str = concat!("const ", $c_name, " *");
        }
    };
}

/// Declares `extern "C"` functions, and `exports()` which lists them with their C types. A panic in one gives its
/// `or` value: nothing may unwind into compiled Lua.
macro_rules! exports {
    ($($(#[$doc:meta])* fn $name:ident($($arg:ident: $ty:ty),* $(,)?) -> $ret:ty, or $fault:expr; $body:block)*) => {
        $($(#[$doc])*
        extern "C" fn $name($($arg: $ty),*) -> $ret {
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| $body)).unwrap_or($fault)
        })*

        /// The functions of this file, for Lua.
        pub fn exports() -> Vec<$crate::events::ctype::Export> {
            use $crate::events::ctype::{CType, Export, pointer_type};
            vec![$(Export {
                name: stringify!($name),
                ctype: pointer_type(<$ret as CType>::NAME, &[$(<$ty as CType>::NAME),*]),
                address: $name as *const std::ffi::c_void,
            }),*]
        }
    };
}

pub(crate) use {c_struct, exports};
