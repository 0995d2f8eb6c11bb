// SPDX-License-Identifier: Apache-2.0
//! What a value may point to.

use crate::compiler::ir::Value;
use crate::kernel::btf::TypeId;

/// One thing that a value may point to. Offsets are in bytes; `None` for one that is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pointee<'c> {
    /// Memory that the verifier lets programs use and whose contents are numbers to it: map values, ring buffer records,
    /// packets, globals.
    Memory,
    /// The context of the program of this number.
    Context { program: usize, offset: Option<i64> },
    /// A variable on the stack.
    Slot { slot: Value<'c>, offset: Option<i64> },
    /// An object of the kernel's that the verifier knows the type of; `None` where we do not.
    Object { record: Option<TypeId>, offset: Option<i64> },
    /// Registers that user space passed to a system call, in kernel memory.
    Registers,
    /// Kernel memory.
    Kernel,
    /// User memory.
    User,
    /// A number to the verifier; it may be the address of kernel or of user memory.
    Number,
    /// Nothing is known: perhaps memory that the verifier follows, perhaps a number.
    Unknown,
}

impl<'c> Pointee<'c> {
    /// The same object at another place.
    pub fn moved(self, by: Option<i64>) -> Self {
        let add = |offset: Option<i64>| Some(offset?.wrapping_add(by?));
        match self {
            Pointee::Context { program, offset } => Pointee::Context { program, offset: add(offset) },
            Pointee::Slot { slot, offset } => Pointee::Slot { slot, offset: add(offset) },
            Pointee::Object { record, offset } => Pointee::Object { record, offset: add(offset) },
            other => other,
        }
    }

    /// Whether the two differ in their offsets at most.
    fn is_of(self, other: Self) -> bool {
        self.moved(None) == other.moved(None)
    }
}

/// A set of pointees; empty for what points nowhere, such as NULL, and for what was not looked at yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pointees<'c>(Vec<Pointee<'c>>);

/// Offsets into one object before all count as unknown: a pointer that a loop advances has no end of them.
const OFFSETS: usize = 6;
/// Objects before nothing is said of any.
const OBJECTS: usize = 24;

impl<'c> Pointees<'c> {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = Pointee<'c>> + '_ {
        self.0.iter().copied()
    }

    /// Adds one; tells whether that changed the set.
    pub fn insert(&mut self, pointee: Pointee<'c>) -> bool {
        if self.0.contains(&pointee) || self.0.contains(&pointee.moved(None)) {
            return false;
        }
        if self.0.iter().filter(|other| other.is_of(pointee)).count() >= OFFSETS {
            self.0.retain(|other| !other.is_of(pointee));
            self.0.push(pointee.moved(None));
        } else if self.0.len() >= OBJECTS {
            if self.0 == [Pointee::Unknown] {
                return false;
            }
            self.0 = vec![Pointee::Unknown];
        } else {
            self.0.push(pointee);
        }
        true
    }

    /// Adds all of `others`; tells whether that changed the set.
    pub fn extend(&mut self, others: impl IntoIterator<Item = Pointee<'c>>) -> bool {
        let mut changed = false;
        for pointee in others {
            changed |= self.insert(pointee);
        }
        changed
    }

    /// The same objects at other places.
    pub fn moved(&self, by: Option<i64>) -> Self {
        self.iter().map(|pointee| pointee.moved(by)).collect()
    }
}

impl<'c> FromIterator<Pointee<'c>> for Pointees<'c> {
    fn from_iter<I: IntoIterator<Item = Pointee<'c>>>(pointees: I) -> Self {
        let mut set = Pointees::default();
        set.extend(pointees);
        set
    }
}

impl<'c> From<Pointee<'c>> for Pointees<'c> {
    fn from(pointee: Pointee<'c>) -> Self {
        Pointees(vec![pointee])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_that_is_advanced_for_ever_has_an_end() {
        let mut set = Pointees::default();
        let at = |offset| Pointee::Object { record: None, offset: Some(offset) };
        let changes = (0..100).filter(|&n| set.insert(at(n * 8))).count();
        assert_eq!(changes, OFFSETS + 1);
        assert_eq!(set, Pointees::from(at(0).moved(None)));
        assert!(!set.insert(at(5)));
    }

    #[test]
    fn sets_know_each_thing_once() {
        let mut set: Pointees<'_> = [Pointee::Kernel, Pointee::User, Pointee::Kernel].into_iter().collect();
        assert!(!set.extend([Pointee::User]));
        assert!(set.insert(Pointee::Memory));
        assert_eq!(set.iter().count(), 3);
    }
}
