// SPDX-License-Identifier: Apache-2.0
//! compiler

pub mod types;
