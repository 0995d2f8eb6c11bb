// SPDX-License-Identifier: Apache-2.0
//! C text that proves the declarations: every size, alignment and offset against the type data.

use super::closure::{Closure, Level};
use super::defined::Defined;
use super::mentions::Mentions;
use super::naming::c_identifier;
use super::request::Request;
use super::writer::Writer;
use crate::kernel::btf::{Btf, Type, TypeId};

/// The declarations of a request, followed by a `_Static_assert` for each struct's size and alignment and for each
/// member's offset and size. Bit-fields have none in C; those after them show whether they are right.
pub fn layout_assertions(btf: &Btf, request: &Request<'_>) -> String {
    let mut own = Defined::default();
    let mentions = request.mentions(&mut own);
    let nothing = Defined::default();
    let closure = Closure::of_text(btf, request, &mentions, &own, request.defined.unwrap_or(&nothing));
    asserted(&closure)
}

/// [`layout_assertions`] of all types there are.
pub fn vmlinux_assertions(btf: &Btf) -> String {
    let (nothing, mentions) = (Defined::default(), Mentions::default());
    asserted(&Closure::of_everything(btf, &mentions, &nothing))
}

fn asserted(closure: &Closure<'_>) -> String {
    let mut writer = Writer::new(closure);
    let mut text = writer.write();
    for (id, name) in &writer.written {
        let (Type::Struct(composite) | Type::Union(composite)) = closure.btf.type_by_id(*id) else { continue };
        let (size, align) = (composite.size_bytes, closure.btf.align_of(*id));
        text += &format!("_Static_assert(sizeof({name}) == {size}, \"size\");\n");
        text += &format!("_Static_assert(_Alignof({name}) == {align}, \"alignment\");\n");
        let mut asserts = Asserts { closure, name, out: &mut text };
        asserts.members(*id, "", 0, closure.level(*id).unwrap_or(Level::Used));
    }
    text
}

struct Asserts<'a> {
    closure: &'a Closure<'a>,
    name: &'a str,
    out: &'a mut String,
}

impl Asserts<'_> {
    fn members(&mut self, id: TypeId, path: &str, start: u64, level: Level) {
        let btf = self.closure.btf;
        let (Type::Struct(composite) | Type::Union(composite)) = btf.type_by_id(id) else { return };
        for member in composite.members() {
            if member.bit_size != 0 || !self.closure.is_visible(level, member.name, member.type_id) {
                continue;
            }
            let Some(size) = btf.size_of(member.type_id) else { continue };
            let offset = start + u64::from(member.bit_offset / 8);
            let dot = if path.is_empty() || member.name.is_empty() { "" } else { "." };
            let path =
                format!("{path}{dot}{}", if member.name.is_empty() { "".into() } else { c_identifier(member.name) });
            let name = self.name;
            if !member.name.is_empty() {
                *self.out += &format!("_Static_assert(__builtin_offsetof({name}, {path}) == {offset}, \"offset\");\n");
                *self.out += &format!("_Static_assert(sizeof((({name} *)0)->{path}) == {size}, \"member size\");\n");
            }
            let inner = btf.resolve(member.type_id);
            if btf.is_composite(inner) && btf.name_of(inner).is_empty() {
                self.members(inner, &path, offset, self.closure.level(inner).unwrap_or(Level::Used));
            }
        }
    }
}
