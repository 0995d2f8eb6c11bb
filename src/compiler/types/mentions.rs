// SPDX-License-Identifier: Apache-2.0
//! What a text asks of the kernel's types: the types it names, and every name it may use as a member.

use std::collections::HashSet;

use super::defined::{Defined, skip_attributes};
use super::lexer::{Kind, Token, tokens};

/// How a text names a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Use {
    /// Only through a pointer, or for its size or a member's place.
    Pointed,
    /// As a thing of its own: a variable, a member, a map's value.
    Held,
}

/// One type that the text names, in the order of the text; a type may come several times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TypeMention<'a> {
    /// `struct`, `union`, `enum`; `""` for a name without a keyword.
    pub(super) keyword: &'a str,
    pub(super) name: &'a str,
    pub(super) how: Use,
}

/// All that the texts of a request mention.
#[derive(Debug, Default)]
pub(super) struct Mentions<'a> {
    pub(super) types: Vec<TypeMention<'a>>,
    /// Names that may be enumerators, in the order of the text.
    pub(super) values: Vec<&'a str>,
    /// Names that may be members.
    members: HashSet<&'a str>,
    /// Parts beside a `##`: a member that starts or ends so may be meant.
    prefixes: Vec<&'a str>,
    suffixes: Vec<&'a str>,
    /// Names with a member access behind them: variables, whatever the kernel has under this name.
    variables: HashSet<&'a str>,
    /// Names with `(` behind them, in the order of the text.
    pub(super) calls: Vec<&'a str>,
    seen: HashSet<&'a str>,
}

/// Macros whose type argument says where a member is, not that the program holds such a thing.
const PLACE_MACROS: [&str; 16] = [
    "sizeof",
    "offsetof",
    "offsetofend",
    "sizeof_field",
    "__builtin_offsetof",
    "container_of",
    "list_entry",
    "hlist_entry",
    "rb_entry",
    "bpf_core_cast",
    "bpf_rdonly_cast",
    "bpf_core_type_exists",
    "bpf_core_type_size",
    "bpf_core_type_id_kernel",
    "bpf_core_type_id_local",
    "bpf_core_field_exists",
];

/// Words that are never a kernel name.
const KEYWORDS: [&str; 34] = [
    "auto", "break", "case", "char", "const", "continue", "default", "do", "double", "else", "enum", "extern", "float",
    "for", "goto", "if", "inline", "int", "long", "register", "return", "short", "signed", "sizeof", "static",
    "struct", "switch", "typedef", "typeof", "union", "unsigned", "void", "volatile", "while",
];

impl<'a> Mentions<'a> {
    /// Reads one text, and adds what it defines to `defined`.
    pub(super) fn add_text(&mut self, text: &'a str, defined: &mut Defined) {
        let tokens = tokens(text);
        defined.add(&tokens);
        let mut callees = Vec::new();
        for (at, token) in tokens.iter().enumerate() {
            match token.text {
                "(" => callees.push(at.checked_sub(1).map_or("", |at| tokens[at].text)),
                ")" => drop(callees.pop()),
                "##" => self.add_paste(&tokens, at),
                "struct" | "union" | "enum" => self.add_tag(&tokens, at, callees.last().copied().unwrap_or("")),
                _ if token.is_name() => self.add_name(&tokens, at, callees.last().copied().unwrap_or("")),
                _ => {}
            }
        }
    }

    /// Adds a name that is wanted for another reason than the text: `struct task_struct`, `pid_t`, `TCP_CLOSE`.
    pub(super) fn add_root(&mut self, root: &'a str) {
        match root.split_once(' ') {
            Some((keyword @ ("struct" | "union" | "enum"), name)) => {
                self.types.push(TypeMention { keyword, name: name.trim(), how: Use::Pointed });
            }
            _ => {
                self.types.push(TypeMention { keyword: "", name: root, how: Use::Pointed });
                self.values.push(root);
            }
        }
    }

    /// Notes that a macro stands for a name: `struct CTX` means `struct xdp_md` with `-DCTX=xdp_md`.
    pub(super) fn add_alias(&mut self, name: &str, value: &'a str) {
        let named = self.types.iter().filter(|mention| mention.name == name);
        let meant: Vec<_> = named.map(|mention| TypeMention { name: value, ..*mention }).collect();
        self.types.extend(meant);
    }

    /// Adds a name that may be used as a member.
    pub(super) fn add_member(&mut self, name: &'a str) {
        self.members.insert(name);
    }

    /// Whether a member of this name may be accessed.
    pub(super) fn may_use_member(&self, name: &str) -> bool {
        self.members.contains(name)
            || self.prefixes.iter().any(|prefix| name.starts_with(prefix))
            || self.suffixes.iter().any(|suffix| name.ends_with(suffix))
    }

    /// Whether the name is a variable of the text.
    pub(super) fn is_variable(&self, name: &str) -> bool {
        self.variables.contains(name)
    }

    fn add_tag(&mut self, tokens: &[Token<'a>], at: usize, callee: &str) {
        let name_at = skip_attributes(tokens, at + 1);
        let Some(name) = tokens.get(name_at).filter(|token| token.is_name()) else { return };
        let next = skip_qualifiers(tokens, name_at + 1);
        if tokens.get(next).is_some_and(|token| token.is("{") || token.is(";")) {
            return;
        }
        let how = use_before(tokens.get(next), callee);
        self.types.push(TypeMention { keyword: tokens[at].text, name: name.text, how });
    }

    fn add_name(&mut self, tokens: &[Token<'a>], at: usize, callee: &str) {
        let name = tokens[at];
        let before = at.checked_sub(1).map(|at| tokens[at]);
        let is_before = |texts: &[&str]| before.is_some_and(|token| texts.iter().any(|text| token.is(text)));
        if is_before(&["struct", "union", "enum"]) || KEYWORDS.contains(&name.text) {
            return;
        }
        // Members also come as arguments of macros and in initialisers: any name may be one. (Measured: to look at the
        // place of each name saves one line in twenty.)
        self.members.insert(name.text);
        if is_before(&[".", "->"]) {
            return;
        }
        let next = tokens.get(skip_qualifiers(tokens, at + 1));
        if next.is_some_and(|token| token.is(".") || token.is("->")) {
            self.variables.insert(name.text);
            return;
        }
        let may_be_type =
            name.in_macro || next.is_some_and(|token| token.is_name() || ["*", ")", ","].contains(&token.text));
        if may_be_type {
            self.types.push(TypeMention { keyword: "", name: name.text, how: use_before(next, callee) });
        }
        if self.seen.insert(name.text) {
            self.values.push(name.text);
            let is_call = tokens.get(at + 1).is_some_and(|token| token.is("("));
            // `bpf_ksym_exists(f)` may come before `f(…)`.
            if is_call || callee == "bpf_ksym_exists" {
                self.calls.push(name.text);
            }
        }
    }

    /// `left ## right`: the name is made by the preprocessor, so any member that starts or ends so is taken.
    fn add_paste(&mut self, tokens: &[Token<'a>], at: usize) {
        let neighbour = |at: Option<usize>| at.and_then(|at| tokens.get(at)).filter(|token| token.kind == Kind::Name);
        let parameters = macro_parameters(tokens, at);
        let is_fixed = |token: &&Token<'a>| !parameters.iter().any(|parameter| parameter.text == token.text);
        let left = neighbour(at.checked_sub(1)).filter(is_fixed);
        let right = neighbour(Some(at + 1)).filter(is_fixed);
        match (left, right) {
            (Some(left), _) => self.prefixes.push(left.text),
            (None, Some(right)) => self.suffixes.push(right.text),
            // Two parameters: any name can come out.
            (None, None) => self.prefixes.push(""),
        }
    }
}

/// The parameters of the macro whose body contains the token at `at`.
fn macro_parameters<'t, 'a>(tokens: &'t [Token<'a>], at: usize) -> &'t [Token<'a>] {
    let start = tokens[..at].iter().rposition(|token| token.kind == Kind::MacroName);
    let Some(head) = start.and_then(|start| tokens.get(start + 1..at)) else { return &[] };
    if !head.first().is_some_and(|token| token.is("(")) {
        return &[];
    }
    head.split(|token| token.is(")")).next().unwrap_or_default()
}

/// The place of the first token that says whether a type is pointed to.
fn skip_qualifiers(tokens: &[Token<'_>], mut at: usize) -> usize {
    const QUALIFIERS: [&str; 6] = ["const", "volatile", "restrict", "__user", "__rcu", "__percpu"];
    while tokens.get(at).is_some_and(|token| QUALIFIERS.contains(&token.text)) {
        at += 1;
    }
    at
}

fn use_before(next: Option<&Token<'_>>, callee: &str) -> Use {
    let pointed = next.is_some_and(|token| token.is("*")) || PLACE_MACROS.contains(&callee);
    if pointed { Use::Pointed } else { Use::Held }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mentions(text: &str) -> Mentions<'_> {
        let mut mentions = Mentions::default();
        mentions.add_text(text, &mut Defined::default());
        mentions
    }

    fn how(text: &str, name: &str) -> Option<Use> {
        mentions(text).types.iter().filter(|mention| mention.name == name).map(|mention| mention.how).max()
    }

    #[test]
    fn types_are_held_or_pointed_to() {
        let text = "struct rq copy; struct task_struct *t; const struct path const *p; sizeof(struct sock);
            BPF_HASH(h, struct key, pid_t); container_of(x, struct cfs_rq, m); struct own { int a; }; struct later;";
        assert_eq!(how(text, "rq"), Some(Use::Held));
        assert_eq!(how(text, "key"), Some(Use::Held));
        assert_eq!(how(text, "pid_t"), Some(Use::Held));
        for name in ["task_struct", "path", "sock", "cfs_rq"] {
            assert_eq!(how(text, name), Some(Use::Pointed), "{name}");
        }
        assert_eq!(how(text, "own"), None);
        assert_eq!(how(text, "later"), None);
    }

    #[test]
    fn any_name_may_be_a_member() {
        let found = mentions("p->comm[0]; x.pid; BPF_CORE_READ(f, f_path.dentry, d_inode); \"text\" /* comment */");
        for name in ["comm", "pid", "f_path", "dentry", "d_inode"] {
            assert!(found.may_use_member(name), "{name}");
        }
        assert!(!found.may_use_member("text") && !found.may_use_member("comment"));
        assert!(mentions("#define COMM comm").may_use_member("comm"));
    }

    #[test]
    fn pasted_names_match_by_their_fixed_part() {
        let found = mentions("#define SK(p, f) (p)->__sk_common.skc_##f\n#define T(a) a##_time");
        assert!(found.may_use_member("skc_family") && found.may_use_member("start_time"));
        assert!(!found.may_use_member("family"));
        assert!(mentions("#define ANY(a, b) x->a##b").may_use_member("anything"));
    }

    #[test]
    fn values_are_names_that_are_no_members() {
        let found = mentions("if (s->state == TCP_CLOSE) return XDP_PASS; struct tag *x; s->state = 1;");
        assert_eq!(found.values, ["TCP_CLOSE", "XDP_PASS", "x"]);
        assert!(found.is_variable("s"));
    }
}
