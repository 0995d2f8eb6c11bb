// SPDX-License-Identifier: Apache-2.0
//! Tests over the whole program. Those that need root or a kernel feature say so when they are skipped.

mod suite;
