// SPDX-License-Identifier: Apache-2.0
//! What the compiler asks for, and what it gets.

use super::absent::Absent;
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
    /// What is declared though the kernel has it not.
    pub absent: Option<&'a Absent>,
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
            if let Some((name, value)) = flag.split_once('=') {
                mentions.add_text(value, &mut Defined::default());
                mentions.add_alias(name, value);
            }
            own.add_flag(flag);
        }
        self.roots.iter().for_each(|root| mentions.add_root(root));
        self.members.iter().for_each(|name| mentions.add_member(name));
        mentions
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::btf::fixtures::{kernel_or_skip, layouts};

    /// What is written for a text, without the pragmas around it.
    fn written(text: &str) -> String {
        let request = Request { texts: &[text], ..Request::default() };
        let all = declarations(&layouts(), &request).text;
        all.lines().filter(|line| !line.starts_with("#pragma")).map(|line| format!("{line}\n")).collect()
    }

    #[test]
    fn a_pointed_struct_has_the_members_that_are_named() {
        assert_eq!(
            written("int f(struct anonymous *a) { return a->low + a->tail.c; }"),
            "struct anonymous {\n\tunsigned char __bpflua_0[8];\n\tunion {\n\t\tstruct {\n\t\t\tunsigned long long low;\n\
             \t\t\tunsigned char __bpflua_1[8];\n\t\t};\n\t};\n\tstruct {\n\t\tchar c;\n\t} tail;\n};\n"
        );
        assert_eq!(
            written("struct gap *g; g->b;"),
            "struct gap {\n\tunsigned char __bpflua_0[32];\n\tint b;\n\tunsigned char __bpflua_1[28];\n};\n"
        );
        assert_eq!(
            written("struct plain *p; p->a"),
            "struct plain {\n\tchar a;\n\tunsigned char __bpflua_0[15];\n} __attribute__((aligned(8)));\n"
        );
    }

    #[test]
    fn a_held_struct_is_whole_and_pointers_are_followed_by_name() {
        let whole = written("struct node n;");
        assert!(whole.contains("struct list {\n\tstruct list *next;\n\tstruct list *prev;\n};\n"), "{whole}");
        assert!(whole.contains("\tvoid *callback;\n"), "{whole}");
        assert!(!whole.contains("struct plain {"), "{whole}");
        let followed = written("struct node n; n.box.plain->c;");
        assert!(followed.contains("struct plain {\n\tunsigned char"), "{followed}");
    }

    #[test]
    fn bitfields_keep_their_place() {
        assert_eq!(
            written("struct bits *p; p->c"),
            "struct bits {\n\tunsigned long long __bpflua_1[0];\n\tunsigned char __bpflua_0[1];\n\tunsigned char : 7;\n\
             \tunsigned long long c : 40;\n};\n"
        );
        assert_eq!(
            written("struct bits_packed *b; b->b"),
            "struct bits_packed {\n\tunsigned char : 3;\n\tunsigned int b : 30;\n\
             \tunsigned char __bpflua_0[2];\n} __attribute__((packed));\n"
        );
    }

    #[test]
    fn what_the_text_defines_stays_its_own() {
        let text =
            written("struct plain { int mine; }; struct list { int x; }; struct node *n; n->list; n->box.plain;");
        assert!(text.contains("struct list___kernel {"), "{text}");
        assert!(text.contains("\tstruct list___kernel list;\n"), "{text}");
        assert!(text.contains("\tstruct plain *plain;\n"), "{text}");
        assert_eq!(written("typedef int box_t; box_t b;"), "");
        assert_eq!(written("enum mine { RED }; int x = RED;"), "");
        assert_eq!(written("#define GREEN 1\nint x = GREEN + BLUE;"), "enum color {\n\tBLUE = 6,\n};\n");
    }

    #[test]
    fn enums_are_written_as_far_as_needed() {
        assert_eq!(written("x == TINY_B"), "enum tiny : unsigned char {\n\tTINY_B = 1,\n};\n");
        assert_eq!(written("enum color c;"), "enum color {\n\tRED = 0, GREEN = 5, BLUE = 6,\n};\n");
        let members = written("struct enums *e; e->sign; e->inner; e->wide");
        assert!(members.starts_with("enum sign : int { __bpflua_none_73 };\nenum wide : unsigned long {"), "{members}");
        assert!(written("x == WIDER").contains("WIDER = 4294967297UL,"));
    }

    #[test]
    fn typedefs_are_written_when_they_are_named() {
        assert_eq!(written("u64 a; u8 b;"), "typedef unsigned long long u64;\ntypedef unsigned char u8;\n");
        assert_eq!(written("atomic_t *a; a->counter"), "typedef struct {\n\tint counter;\n} atomic_t;\n");
        assert!(written("callback_t x").contains("typedef int (*callback_t)(void *, enum color);\n"));
    }

    #[test]
    fn macros_of_flags_are_hidden_and_win() {
        let request =
            Request { texts: &["struct plain *p; p->a; p->b; RED"], flags: &["a=1", "RED=2"], ..Request::default() };
        let text = declarations(&layouts(), &request).text;
        assert!(text.starts_with("#pragma push_macro(\"a\")\n#undef a\n"), "{text}");
        assert!(text.ends_with("#pragma pop_macro(\"a\")\n"), "{text}");
        assert!(!text.contains("RED"), "{text}");
    }

    #[test]
    fn a_flag_may_stand_for_a_tag() {
        let request = Request { texts: &["struct CTX *p; p->a"], flags: &["CTX=plain"], ..Request::default() };
        assert!(declarations(&layouts(), &request).text.contains("struct plain {"));
    }

    #[test]
    fn the_prelude_is_not_repeated() {
        let prelude = Defined::by(&[
            "typedef unsigned long long u64; typedef struct { int counter; } atomic_t; struct list { int x; };",
        ]);
        let request = Request {
            texts: &["u64 a; atomic_t b; struct list *l; struct node *n; n->list; n->count"],
            defined: Some(&prelude),
            skip: &["plain"],
            roots: &["struct plain", "BLUE"],
            ..Request::default()
        };
        let text = declarations(&layouts(), &request).text;
        assert!(
            !text.contains("typedef") && !text.contains("struct list {") && !text.contains("struct plain {"),
            "{text}"
        );
        assert!(text.contains("\tstruct list list;\n") && text.contains("BLUE = 6,"), "{text}");
    }

    #[test]
    fn unknown_types_are_told() {
        let request = Request {
            texts: &["struct nobody *a; struct node *b; union noone c; struct nobody *d;"],
            ..Request::default()
        };
        assert_eq!(declarations(&layouts(), &request).unknown, ["struct nobody", "union noone"]);
    }

    #[test]
    fn the_kernels_structs_are_written_short() {
        let Some(btf) = kernel_or_skip() else { return };
        let texts = ["int f(struct file *file) { g(file->f_path.dentry->d_name.name); }"];
        let request = Request { texts: &texts, skip: &["pt_regs"], ..Request::default() };
        let found = declarations(&btf, &request);
        for part in ["struct file {", "struct path {", "struct dentry {", "struct qstr {", "name;\n"] {
            assert!(found.text.contains(part), "{part}\n{}", found.text);
        }
        assert!(found.text.lines().count() < 60, "{}", found.text);
        assert_eq!(found.text, declarations(&btf, &request).text);
    }

    #[test]
    fn damaged_data_never_panics() {
        let bytes = crate::kernel::btf::fixtures::layouts_bytes();
        let text = "struct node n; struct anonymous *a; a->high; a->x; struct enums e; box_t b; struct functions f; struct arrays r;
            struct bits i; BLUE; WIDER; callback_t c; union either u; a->prev; next; plain; self; nested; grid;";
        for at in (0..bytes.len()).step_by(3) {
            let mut damaged = bytes.clone();
            damaged[at] ^= [0x01, 0x80, 0xff][at % 3];
            if let Ok(btf) = Btf::from_bytes(damaged) {
                declarations(&btf, &Request { texts: &[text], ..Request::default() });
                vmlinux_h(&btf);
            }
        }
    }
}
