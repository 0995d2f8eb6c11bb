// SPDX-License-Identifier: Apache-2.0
//! The ways a program is attached. Each returns links and says what it chose.

mod target;

pub use target::{KprobeEvent, KprobeTarget, Mechanism, UprobePlace, UprobeTarget};
