// SPDX-License-Identifier: Apache-2.0
//! What the kernel does not have, though the text speaks of it behind a question (`bpf_core_field_exists` and its
//! siblings): declared all the same, so that the branch that this kernel never takes compiles.
//!
//! A question leaves a relocation, and so does every access: where the answer is no, the loader makes both harmless. The
//! types of such things are unknown. A value is a `__absent_long`; what the text looks into is a record `__absent_NAME`,
//! which no kernel has: on a kernel that does have the member the object is refused rather than guessing.

use std::collections::BTreeMap;

use super::lexer::{Token, tokens};

/// The type of a value nobody knows more about. Diagnostics that name it are about what was made up here.
pub const ABSENT_PREFIX: &str = "__absent_";
const VALUE: &str = "__absent_long";
const FIELD_QUESTIONS: [&str; 1] = ["bpf_core_field_exists"];
const TYPE_QUESTIONS: [&str; 2] = ["bpf_core_type_exists", "bpf_core_type_matches"];
const VALUE_QUESTIONS: [&str; 1] = ["bpf_core_enum_value_exists"];

/// What the texts ask the kernel about, and how they use what they ask about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Questions<'a> {
    fields: Vec<&'a str>,
    /// `struct NAME`
    types: Vec<String>,
    /// Enumerators, each with its `enum NAME`.
    values: BTreeMap<&'a str, String>,
    shapes: BTreeMap<&'a str, Shape>,
}

/// What a member must be for the text to use it as it does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Shape {
    #[default]
    Value,
    Elements,
    Record,
    PointerToRecord,
}

impl<'a> Questions<'a> {
    /// The questions that these texts ask.
    pub fn of(texts: &[&'a str]) -> Questions<'a> {
        let mut questions = Questions::default();
        for text in texts {
            let is_asked = [&FIELD_QUESTIONS[..], &TYPE_QUESTIONS, &VALUE_QUESTIONS].concat();
            if is_asked.iter().any(|question| text.contains(question)) {
                questions.read(&tokens(text));
            }
        }
        questions
    }

    fn read(&mut self, tokens: &[Token<'a>]) {
        let mut callees: Vec<&str> = Vec::new();
        for (at, token) in tokens.iter().enumerate() {
            match token.text {
                "(" => callees.push(at.checked_sub(1).map_or("", |before| tokens[before].text)),
                ")" => drop(callees.pop()),
                _ if token.is_name() => {
                    let in_chain = callees.last().is_some_and(|name| name.contains("_READ"));
                    self.note_shape(token.text, tokens.get(at + 1), in_chain);
                    if tokens.get(at + 1).is_some_and(|next| next.is("(")) {
                        self.note_question(token.text, arguments(&tokens[at + 2..]));
                    }
                }
                _ => {}
            }
        }
    }

    fn note_shape(&mut self, name: &'a str, next: Option<&Token<'a>>, in_chain: bool) {
        let shape = match next.map(|token| token.text) {
            Some("->") => Shape::PointerToRecord,
            Some(",") if in_chain => Shape::PointerToRecord,
            Some(".") => Shape::Record,
            Some("[") => Shape::Elements,
            _ => return,
        };
        let known = self.shapes.entry(name).or_default();
        *known = shape.max(*known);
    }

    fn note_question(&mut self, question: &str, inside: &[Token<'a>]) {
        let names = || inside.iter().filter(|token| token.is_name()).map(|token| token.text);
        let tag = || {
            let keyword = inside.iter().position(|token| ["struct", "union", "enum"].contains(&token.text))?;
            Some(format!("{} {}", inside[keyword].text, inside.get(keyword + 1)?.text))
        };
        if FIELD_QUESTIONS.contains(&question) {
            self.fields.extend(names());
        } else if TYPE_QUESTIONS.contains(&question) {
            self.types.extend(tag());
        } else if VALUE_QUESTIONS.contains(&question)
            && let (Some(tag), Some(name)) = (tag(), names().next_back())
        {
            self.values.insert(name, tag);
        }
    }
}

/// The tokens up to the parenthesis that closes a call.
fn arguments<'t, 'a>(tokens: &'t [Token<'a>]) -> &'t [Token<'a>] {
    let mut depth = 1_u32;
    let end = tokens.iter().position(|token| {
        depth += u32::from(token.is("("));
        depth -= u32::from(token.is(")"));
        depth == 0
    });
    &tokens[..end.unwrap_or(tokens.len())]
}

/// Members, types and enumerators to declare though the kernel has none such.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Absent {
    /// Record (`struct NAME`), and its members that are missing, each with its shape.
    members: Vec<(String, String, Shape)>,
    types: Vec<String>,
    values: Vec<(String, String)>,
}

impl Absent {
    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        *self == Absent::default()
    }

    /// Adds what an error of clang's is about, if the text asks whether the kernel has it; `false` if it does not, or
    /// if it was there already and the error came all the same. `names` are the words that clang quotes.
    pub fn add(&mut self, message: &str, names: &[&str], questions: &Questions<'_>) -> bool {
        let Some(name) = names.first().copied() else { return false };
        if message.starts_with("no member named") {
            return names.get(1).is_some_and(|record| self.add_member(name, record, questions));
        }
        if message.starts_with("use of undeclared identifier") {
            let Some(tag) = questions.values.get(name) else { return false };
            return push_new(&mut self.values, (tag.clone(), name.to_owned()));
        }
        let incomplete = message.contains("incomplete type") || message.starts_with("incomplete definition");
        let asked = names.iter().copied().find(|name| questions.types.iter().any(|asked| asked == name));
        incomplete && asked.is_some_and(|tag| push_new(&mut self.types, tag.to_owned()))
    }

    fn add_member(&mut self, name: &str, record: &str, questions: &Questions<'_>) -> bool {
        let record = record.trim_start_matches("const ").trim_start_matches("volatile ");
        let asked = questions.fields.contains(&name)
            || self.types.iter().any(|known| known == record)
            || record.starts_with(&format!("struct {ABSENT_PREFIX}"));
        let is_tag = record.starts_with("struct ") || record.starts_with("union ");
        let shape = questions.shapes.get(name).copied().unwrap_or_default();
        asked && is_tag && push_new(&mut self.members, (record.to_owned(), name.to_owned(), shape))
    }

    /// The declarations that the made-up members need, to stand before all records.
    pub(super) fn head(&self) -> String {
        if self.is_empty() {
            return String::new();
        }
        let mut text = format!("typedef unsigned long {VALUE};\n");
        // What was found last is what the others contain.
        for (_, name, shape) in self.members.iter().rev() {
            if matches!(shape, Shape::Record | Shape::PointerToRecord) {
                text += &self.record(&format!("struct {ABSENT_PREFIX}{name}"));
            }
        }
        for tag in &self.types {
            match tag.strip_prefix("enum ") {
                Some(_) => text += &format!("{tag} : unsigned int;\n"),
                None => text += &self.record(tag),
            }
        }
        for (tag, name) in self.values.iter().filter(|(tag, _)| self.types.contains(tag)) {
            text += &format!("{tag} : unsigned int {{ {name} }};\n");
        }
        text
    }

    fn record(&self, tag: &str) -> String {
        format!("{tag} {{\n{}}} __attribute__((preserve_access_index));\n", self.members_of(tag, "\t"))
    }

    /// The made-up members of a record, one a line.
    pub(super) fn members_of(&self, tag: &str, indent: &str) -> String {
        let own = self.members.iter().filter(|(record, ..)| record == tag);
        own.map(|(_, name, shape)| format!("{indent}{};\n", declare(name, *shape))).collect()
    }

    /// The made-up enumerators of an enum.
    pub(super) fn values_of<'s>(&'s self, tag: &'s str) -> impl Iterator<Item = &'s str> {
        self.values.iter().filter(move |(of, _)| of == tag).map(|(_, name)| name.as_str())
    }
}

/// A member of this shape. Its place must not depend on its alignment: it lies over the record's own bytes.
fn declare(name: &str, shape: Shape) -> String {
    match shape {
        Shape::Value => format!("{VALUE} {name} __attribute__((packed))"),
        Shape::Elements => format!("{VALUE} *{name} __attribute__((packed))"),
        Shape::Record => format!("struct {ABSENT_PREFIX}{name} {name}"),
        Shape::PointerToRecord => format!("struct {ABSENT_PREFIX}{name} *{name} __attribute__((packed))"),
    }
}

fn push_new<T: PartialEq>(list: &mut Vec<T>, one: T) -> bool {
    let is_new = !list.contains(&one);
    if is_new {
        list.push(one);
    }
    is_new
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "
        if (bpf_core_field_exists(((struct request *)0)->rq_disk)) p = rq->rq_disk->disk_name[0];
        else if (bpf_core_field_exists(struct task_struct, __state)) s = t->__state;
        n = BPF_CORE_READ(rq, rq_disk, part, name); k = x->unasked;
        if (bpf_core_enum_value_exists(enum color, PINK)) c = bpf_core_enum_value(enum color, PINK);
        if (bpf_core_type_exists(struct nobody)) q = ((struct nobody *)p)->any;";

    #[test]
    fn what_is_asked_for_is_made_up() {
        let questions = Questions::of(&[TEXT]);
        let mut absent = Absent::default();
        let mut add = |message: &str, names: &[&str]| absent.add(message, names, &questions);
        assert!(add("no member named", &["rq_disk", "struct request"]));
        assert!(!add("no member named", &["rq_disk", "struct request"]), "twice");
        assert!(add("no member named", &["disk_name", "struct __absent_rq_disk"]));
        assert!(add("no member named", &["__state", "struct task_struct"]));
        assert!(!add("no member named", &["unasked", "struct x"]));
        assert!(add("use of undeclared identifier", &["PINK"]));
        assert!(!add("use of undeclared identifier", &["GREY"]));
        assert!(add("incomplete definition of type", &["struct nobody"]));
        assert!(add("no member named", &["any", "struct nobody"]));
        assert_eq!(
            absent.head(),
            "typedef unsigned long __absent_long;\n\
             struct __absent_rq_disk {\n\t__absent_long *disk_name __attribute__((packed));\n\
             } __attribute__((preserve_access_index));\n\
             struct nobody {\n\t__absent_long any __attribute__((packed));\n} __attribute__((preserve_access_index));\n"
        );
        assert_eq!(
            absent.members_of("struct request", ""),
            "struct __absent_rq_disk *rq_disk __attribute__((packed));\n"
        );
        assert_eq!(absent.values_of("enum color").collect::<Vec<_>>(), ["PINK"]);
    }

    #[test]
    fn a_text_without_questions_makes_nothing_up() {
        let questions = Questions::of(&["x = rq->rq_disk->disk_name;"]);
        assert_eq!(questions, Questions::default());
        assert!(!Absent::default().add("no member named", &["rq_disk", "struct request"], &questions));
    }
}
