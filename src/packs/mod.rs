// SPDX-License-Identifier: Apache-2.0
//! Files that travel with the program: the Lua library, the C headers, and later packs of scripts.
//!
//! Nothing here runs Lua or compiles C; this room only says what bytes there are and under which name.

pub mod embedded;
