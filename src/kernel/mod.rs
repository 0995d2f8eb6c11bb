// SPDX-License-Identifier: Apache-2.0
//! kernel

pub mod btf;
