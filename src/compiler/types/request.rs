// SPDX-License-Identifier: Apache-2.0
//! What the compiler asks for, and what it gets.

use super::closure::Closure;
use super::defined::Defined;
use super::mentions::Mentions;
use super::writer::Writer;
use crate::kernel::btf::Btf;

/// What the declarations are for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Request<'a> {
    /// The probe text, and the files of the user's own that it includes.
    pub texts: &'a [&'a str],
    /// The texts of `-D` flags: `NAME`, `NAME=VALUE`.
    pub flags: &'a [&'a str],
    /// Types and enumerators wanted though no text names them: `struct task_struct`, `pid_t`, `TCP_CLOSE`.
    pub roots: &'a [&'a str],
    /// Member names wanted though no text names them (those that macros of the prelude use).
    pub members: &'a [&'a str],
    /// What the prelude has already; `None` for nothing.
    pub defined: Option<&'a Defined>,
    /// Structs and unions that are never written, though they may be pointed to (`pt_regs`).
    pub skip: &'a [&'a str],
}

/// C text to put between the prelude and the probe text.
#[derive(Clone, Debug, Default)]
pub struct Declarations {
    /// The declarations.
    pub text: String,
    /// Types that the text names with a keyword (`struct nobody`), that nobody defines and the kernel does not have.
    pub unknown: Vec<String>,
}

/// Writes the declarations that the texts of a request need.
pub fn declarations(btf: &Btf, request: &Request<'_>) -> Declarations {
    let mut own = Defined::default();
    let mentions = request.mentions(&mut own);
    let nothing = Defined::default();
    let closure = Closure::of_text(btf, request, &mentions, &own, request.defined.unwrap_or(&nothing));
    let unknown = closure.unknown.clone();
    Declarations { text: Writer::new(&closure).write(), unknown }
}

/// Writes all types of the kernel (a `vmlinux.h`).
pub fn vmlinux_h(btf: &Btf) -> String {
    let (nothing, mentions) = (Defined::default(), Mentions::default());
    let closure = Closure::of_everything(btf, &mentions, &nothing);
    format!("#pragma once\n{}", Writer::new(&closure).write())
}

impl<'a> Request<'a> {
    pub(super) fn mentions(&self, own: &mut Defined) -> Mentions<'a> {
        let mut mentions = Mentions::default();
        for text in self.texts {
            mentions.add_text(text, own);
        }
        for flag in self.flags {
            if let Some((_, value)) = flag.split_once('=') {
                mentions.add_text(value, &mut Defined::default());
            }
            own.add_flag(flag);
        }
        self.roots.iter().for_each(|root| mentions.add_root(root));
        self.members.iter().for_each(|name| mentions.add_member(name));
        mentions
    }
}
