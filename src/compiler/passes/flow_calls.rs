// SPDX-License-Identifier: Apache-2.0
//! Pointers through calls: helpers, the kernel's functions, LLVM's, and those of the text.

use super::flow::{Flow, of_argument};
use super::helpers::{self, Param, Returned};
use super::objects::Argument;
use super::pointees::{Pointee, Pointees};
use crate::compiler::ir::Value;

impl<'c> Flow<'_, 'c> {
    /// Of a call: what it returns. Hands arguments to parameters and notes what the call may write.
    pub(super) fn call(&mut self, call: Value<'c>) -> Pointees<'c> {
        let Some(callee) = call.callee() else { return Pointees::default() };
        let args = call.call_args();
        if let Some(number) = helpers::number_of(callee) {
            return self.call_helper(number, &args);
        }
        if callee.is_inline_asm() {
            // `barrier_var(p)` hands `p` on.
            return args.iter().flat_map(|&arg| self.pointees(arg).iter().collect::<Vec<_>>()).collect();
        }
        if !callee.is_function() {
            return Pointee::Unknown.into();
        }
        if callee.blocks().is_empty() {
            return self.call_outside(&callee.name(), &args);
        }
        for (param, &arg) in callee.params().into_iter().zip(&args) {
            let pointees = self.pointees(arg);
            self.add_all(param, &pointees);
        }
        self.returns.get(&callee).cloned().unwrap_or_default()
    }

    fn call_helper(&mut self, number: u64, args: &[Value<'c>]) -> Pointees<'c> {
        if !helpers::only_reads(number) {
            let what = if helpers::writes_user_values(number) { Pointee::User } else { Pointee::Number };
            self.written_by_call(args, what);
        }
        if let Some(callback) = helpers::callback(number) {
            self.call_back(&callback, args);
        }
        match helpers::returned(number) {
            Returned::Number => Pointee::Number.into(),
            Returned::Kernel => Pointee::Kernel.into(),
            Returned::Memory => Pointee::Memory.into(),
            Returned::Object("task_struct") => of_argument(Argument::Object(self.objects.task())).into(),
            Returned::Object(name) => of_argument(Argument::Object(self.objects.record(name))).into(),
            Returned::First => args.first().map(|&arg| self.pointees(arg)).unwrap_or_default(),
        }
    }

    fn call_back(&mut self, callback: &helpers::Callback, args: &[Value<'c>]) {
        let Some(&function) = args.get(callback.function).filter(|function| function.is_function()) else { return };
        for (param, source) in function.params().into_iter().zip(callback.params) {
            let pointees = match *source {
                Param::Argument(index) => args.get(index).map(|&arg| self.pointees(arg)).unwrap_or_default(),
                Param::Memory => Pointee::Memory.into(),
                Param::Object(name) => of_argument(Argument::Object(self.objects.record(name))).into(),
                Param::Number => Pointee::Number.into(),
            };
            self.add_all(param, &pointees);
        }
    }

    /// Of a call of LLVM's own functions or of the kernel's.
    fn call_outside(&mut self, name: &str, args: &[Value<'c>]) -> Pointees<'c> {
        if name.starts_with("llvm.bpf.passthrough") {
            return args.get(1).map(|&arg| self.pointees(arg)).unwrap_or_default();
        }
        if name.starts_with("llvm.memcpy.") || name.starts_with("llvm.memmove.") {
            self.copy(args);
            return Pointees::default();
        }
        if name.starts_with("llvm.") {
            return args.iter().flat_map(|&arg| self.pointees(arg).iter().collect::<Vec<_>>()).collect();
        }
        self.written_by_call(args, Pointee::Unknown);
        // A kernel function that calls back gives its functions memory of the program's.
        for &function in args.iter().filter(|arg| arg.is_function() && !arg.blocks().is_empty()) {
            for param in function.params() {
                self.add(param, [Pointee::Memory]);
            }
        }
        match self.objects.returned(name) {
            // The program's own objects, which it may write.
            Argument::Object(Some(_)) if name.starts_with("bpf_list_") || name.starts_with("bpf_rbtree_") => {
                Pointee::Memory.into()
            }
            Argument::Object(record) => of_argument(Argument::Object(record)).into(),
            _ => Pointee::Memory.into(),
        }
    }

    fn written_by_call(&mut self, args: &[Value<'c>], what: Pointee<'c>) {
        for &arg in args {
            for pointee in self.pointees(arg).iter() {
                if let Pointee::Slot { slot, offset } = pointee {
                    self.put(slot, offset, true, &what.into());
                }
            }
        }
    }

    /// A copy of memory: a slot then holds what the source held.
    fn copy(&mut self, args: &[Value<'c>]) {
        let [to, from, ..] = args else { return };
        let (to, from) = (self.pointees(*to), self.pointees(*from));
        for target in to.iter() {
            let Pointee::Slot { slot, offset } = target else { continue };
            for source in from.iter() {
                match source {
                    Pointee::Slot { slot: source, offset: at } => self.copy_slot((slot, offset), (source, at)),
                    other => {
                        let held = self.held_by(other.moved(None), 8, None);
                        self.put(slot, offset, true, &held.into());
                    }
                }
            }
        }
    }

    fn copy_slot(&mut self, to: (Value<'c>, Option<i64>), from: (Value<'c>, Option<i64>)) {
        let entries: Vec<(Option<i64>, bool, Pointees<'c>)> = self
            .slots
            .get(&from.0)
            .into_iter()
            .flatten()
            .map(|stored| (stored.offset, stored.by_call, stored.what.clone()))
            .collect();
        for (offset, by_call, what) in entries {
            let moved = match (offset, from.1, to.1) {
                (Some(offset), Some(from), Some(to)) => Some(offset - from + to),
                _ => None,
            };
            self.put(to.0, moved, by_call, &what);
        }
    }
}
