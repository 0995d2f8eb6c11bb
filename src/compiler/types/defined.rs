// SPDX-License-Identifier: Apache-2.0
//! The names that C text defines itself: its types, macros, enumerators, functions and variables.

use std::collections::{HashMap, HashSet};

use super::lexer::{Kind, Token, tokens};

const TAG_KEYWORDS: [&str; 3] = ["struct", "union", "enum"];

/// Names that are taken before kernel types are written: by the prelude, by `-D`, by the text.
#[derive(Clone, Debug, Default)]
pub struct Defined {
    /// Names of structs, unions and enums that have a body, with which of the three they are.
    pub tags: HashMap<String, &'static str>,
    /// Names of typedefs, functions, variables and enumerators.
    pub names: HashSet<String>,
    /// Names of macros.
    pub macros: HashSet<String>,
}

impl Defined {
    /// What these texts define. Best effort: no preprocessor runs, so what only one branch of an `#if` defines counts.
    pub fn by(texts: &[&str]) -> Defined {
        let mut defined = Defined::default();
        for text in texts {
            defined.add(&tokens(text));
        }
        defined
    }

    /// Adds the macro of a `-D` flag's text (`NAME`, `NAME=VALUE`, `NAME(x)=VALUE`).
    pub fn add_flag(&mut self, flag: &str) {
        let end = flag.find(['=', '(']).unwrap_or(flag.len());
        self.macros.insert(flag[..end].trim().to_owned());
    }

    /// Whether a name outside the tags is taken. Those of clang's own types always are.
    pub(super) fn has_name(&self, name: &str) -> bool {
        self.names.contains(name) || self.macros.contains(name) || name.starts_with("__builtin_")
    }

    pub(super) fn add(&mut self, tokens: &[Token<'_>]) {
        let (mut braces, mut parens) = (0_u32, 0_u32);
        for (at, token) in tokens.iter().enumerate() {
            if token.kind == Kind::MacroName {
                self.macros.insert(token.text.to_owned());
            }
            if token.in_macro {
                continue;
            }
            match token.text {
                "{" => braces += 1,
                "}" => braces = braces.saturating_sub(1),
                "(" => parens += 1,
                ")" => parens = parens.saturating_sub(1),
                "struct" | "union" | "enum" => self.add_tag(tokens, at),
                "typedef" => self.add_typedef(&tokens[at + 1..]),
                _ if braces == 0 && token.is_name() => self.add_at_file_scope(tokens, at, parens),
                _ => {}
            }
        }
    }

    /// `struct NAME {`, and the enumerators of an enum's body.
    fn add_tag(&mut self, tokens: &[Token<'_>], at: usize) {
        let Some(keyword) = TAG_KEYWORDS.into_iter().find(|keyword| tokens[at].is(keyword)) else { return };
        let name_at = skip_attributes(tokens, at + 1);
        let name = tokens.get(name_at).filter(|token| token.is_name());
        let mut body_at = name_at + usize::from(name.is_some());
        if tokens[at].is("enum") && tokens.get(body_at).is_some_and(|token| token.is(":")) {
            body_at = (body_at..tokens.len()).find(|at| tokens[*at].is("{") || tokens[*at].is(";")).unwrap_or(body_at);
        }
        if !tokens.get(body_at).is_some_and(|token| token.is("{")) {
            return;
        }
        if let Some(name) = name {
            self.tags.insert(name.text.to_owned(), keyword);
        }
        if tokens[at].is("enum") {
            let body = tokens[body_at..].split(|token| token.is("}")).next().unwrap_or_default();
            let values = body.windows(2).filter(|pair| (pair[0].is("{") || pair[0].is(",")) && pair[1].is_name());
            self.names.extend(values.map(|pair| pair[1].text.to_owned()));
        }
    }

    /// The name that a `typedef` gives: inside `(*NAME)`, else the last one before the end or a `[`.
    fn add_typedef(&mut self, tokens: &[Token<'_>]) {
        let (mut braces, mut last) = (0_u32, None);
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            match token.text {
                "{" => braces += 1,
                "}" => braces = braces.saturating_sub(1),
                _ if braces > 0 => {}
                "__attribute__" => {
                    at = skip_attributes(tokens, at);
                    continue;
                }
                "(" if tokens.get(at + 1).is_some_and(|next| next.is("*")) => {
                    last = tokens.get(at + 2).filter(|token| token.is_name()).or(last);
                    break;
                }
                ";" | "[" | "(" => break,
                _ if token.is_name() => last = Some(token),
                _ => {}
            }
            at += 1;
        }
        self.names.extend(last.map(|token| token.text.to_owned()));
    }

    /// Variables and functions, and the name a macro call at file scope defines: `BPF_HASH(NAME, …)`,
    /// `int BPF_KPROBE(NAME, …)`.
    fn add_at_file_scope(&mut self, tokens: &[Token<'_>], at: usize, parens: u32) {
        let before = at.checked_sub(1).map(|at| &tokens[at]);
        let after = tokens.get(at + 1);
        let declared = before.is_some_and(|token| token.is("*") || (token.is_name() && !is_tag_keyword(token)));
        // `int (*name)(…)` declares another name than `int`.
        let to_pointer = tokens.get(at + 2).is_some_and(|token| token.is("*"));
        let ends = after
            .is_some_and(|token| ["=", ";", "["].iter().any(|text| token.is(text)) || (token.is("(") && !to_pointer));
        let first_argument = parens == 1
            && before.is_some_and(|token| token.is("("))
            && at >= 2
            && tokens[at - 2].text.starts_with("BPF_")
            && after.is_some_and(|token| token.is(",") || token.is(")"));
        // `long (*const name)(…)`
        let function_pointer = parens == 1
            && before.is_some_and(|token| token.is("*") || token.is("const"))
            && after.is_some_and(|token| token.is(")"))
            && tokens.get(at + 2).is_some_and(|token| token.is("("));
        // `extern bool NAME __kconfig;`, `int NAME SEC(".data.mine")`
        let in_section = tokens[at + 1..]
            .iter()
            .find(|token| !token.is("__weak"))
            .is_some_and(|token| ["__kconfig", "__ksym", "SEC"].iter().any(|text| token.is(text)));
        if (parens == 0 && declared && (ends || in_section)) || first_argument || function_pointer {
            self.names.insert(tokens[at].text.to_owned());
        }
    }
}

fn is_tag_keyword(token: &Token<'_>) -> bool {
    TAG_KEYWORDS.into_iter().any(|keyword| token.is(keyword))
}

/// The place after any `__attribute__((…))` that starts at `at`.
pub(super) fn skip_attributes(tokens: &[Token<'_>], mut at: usize) -> usize {
    while tokens.get(at).is_some_and(|token| token.is("__attribute__")) {
        let mut depth = 0_u32;
        at += 1;
        while let Some(token) = tokens.get(at) {
            match token.text {
                "(" => depth += 1,
                ")" => depth = depth.saturating_sub(1),
                _ => {}
            }
            at += 1;
            if depth == 0 {
                break;
            }
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(set: &HashSet<String>) -> Vec<&str> {
        let mut names: Vec<&str> = set.iter().map(String::as_str).collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn finds_what_a_text_defines() {
        let defined = Defined::by(&["
            #define TASK_RUNNING 0
            #define GET(p) struct inside { int x; }
            struct key_t { u32 pid; struct rq *rq; };
            union __attribute__((packed)) u { int i; };
            struct forward; struct used *pointer;
            enum mine { MINE_A, MINE_B = sizeof(int), } ;
            enum small : unsigned char { SMALL };
            typedef struct { int a; } box_t;
            typedef int (*fn_t)(int arg);
            typedef unsigned long words_t[4];
            BPF_HASH(counts, struct key_t, u64);
            static u64 total = 0;
            extern int kfunc(struct path *p) __ksym;
            int probe(struct pt_regs *ctx) { u64 local = 1; return 0; }
            int BPF_KPROBE(entry, struct file *file) { return 0; }
        "]);
        let mut tags: Vec<(&str, &str)> = defined.tags.iter().map(|(name, keyword)| (*keyword, &name[..])).collect();
        tags.sort_unstable();
        assert_eq!(tags, [("enum", "mine"), ("enum", "small"), ("struct", "key_t"), ("union", "u")]);
        assert_eq!(sorted(&defined.macros), ["GET", "TASK_RUNNING"]);
        let names = ["BPF_KPROBE", "MINE_A", "MINE_B", "SMALL", "box_t", "counts", "entry", "fn_t", "kfunc", "pointer"];
        assert_eq!(sorted(&defined.names), [&names[..], &["probe", "total", "words_t"]].concat());
    }

    #[test]
    fn flags_define_macros() {
        let mut defined = Defined::default();
        for flag in ["A", "B=1", "C(x)=x"] {
            defined.add_flag(flag);
        }
        assert_eq!(sorted(&defined.macros), ["A", "B", "C"]);
    }
}
