// SPDX-License-Identifier: Apache-2.0
//! Addresses and names of user programs.

pub mod usdt;
