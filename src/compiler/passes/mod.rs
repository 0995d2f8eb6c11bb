// SPDX-License-Identifier: Apache-2.0
//! The passes over LLVM's form of the user's text, in the order they run:
//!
//! 1. [`entries`] turns the user's functions into programs: extra parameters become reads of the context. Then LLVM
//!    optimises; everything is inlined.
//! 2. [`events`] notes which struct each buffer carries.
//! 3. [`variants`] copies each probe for the other mechanisms that can serve it.
//! 4. [`reads`] turns loads through kernel and user pointers into helper calls; [`provenance`] tells which those are.
//! 5. [`ranges`] keeps LLVM from relying on what the verifier does not know.

pub mod entries;
pub mod events;
pub mod program;
pub mod provenance;
pub mod ranges;
pub mod reads;
mod slots;
pub mod variants;
