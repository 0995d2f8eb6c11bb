// SPDX-License-Identifier: Apache-2.0
//! From a field to the members behind it: `file.f_path.dentry->d_name.name`. A dot serves for pointers, too.

use super::shape::{Shape, member_declarations, member_names};
use crate::error::{Error, Result};
use crate::kernel::btf::{Btf, Type, TypeId};
use crate::suggest;

/// Names that an error lists at most.
const MOST_LISTED: usize = 40;

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A member by its name.
    Member(String),
    /// An element of an array.
    Index(u32),
}

/// Cuts a path into its first name and the steps behind; `None` when it is no path but something else.
pub fn parse(text: &str) -> Option<(&str, Vec<Step>)> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let text = text.trim();
    let end = text.find(|c| !is_name(c)).unwrap_or(text.len());
    let (root, mut rest) = text.split_at(end);
    if root.is_empty() || root.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if let Some(inside) = rest.strip_prefix('[') {
            let (index, after) = inside.split_once(']')?;
            steps.push(Step::Index(index.trim().parse().ok()?));
            rest = after;
            continue;
        }
        rest = rest.strip_prefix("->").or_else(|| rest.strip_prefix('.'))?;
        let end = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
        if end == 0 {
            return None;
        }
        steps.push(Step::Member(rest[..end].to_owned()));
        rest = &rest[end..];
    }
    Some((root, steps))
}

/// Where a walk along a path is.
pub struct Walk<'a> {
    btf: &'a Btf,
    at: TypeId,
    /// The C expression so far.
    pub expression: String,
    /// The path so far, as the user wrote it.
    path: String,
    behind_pointer: bool,
    what: &'a str,
}

impl<'a> Walk<'a> {
    /// Begins at a value of this type. `what` is the headline of an error.
    pub fn new(btf: &'a Btf, at: TypeId, expression: &str, path: &str, what: &'a str) -> Walk<'a> {
        Walk { btf, at, expression: expression.to_owned(), path: path.to_owned(), behind_pointer: false, what }
    }

    /// The value is a pointer to the type that was given.
    pub fn behind_pointer(mut self) -> Walk<'a> {
        self.behind_pointer = true;
        self
    }

    /// Goes all the steps.
    pub fn go(mut self, steps: &[Step]) -> Result<Walk<'a>> {
        for step in steps {
            match step {
                Step::Member(name) => self.member(name)?,
                Step::Index(index) => self.index(*index)?,
            }
        }
        Ok(self)
    }

    /// What is there.
    pub fn shape(&self) -> Shape {
        Shape::of(self.btf, self.at)
    }

    /// Its type in C's words.
    pub fn c_type(&self) -> String {
        self.btf.c_type(self.at)
    }

    /// The members of the structure that is there, or is pointed to.
    pub fn members(&self) -> Vec<(String, String)> {
        let record = match self.btf.type_by_id(self.btf.resolve(self.at)) {
            Type::Ptr(to) => to,
            _ => self.at,
        };
        member_declarations(self.btf, record, 0)
    }

    fn member(&mut self, name: &str) -> Result<()> {
        let (record, arrow) = match self.btf.type_by_id(self.btf.resolve(self.at)) {
            Type::Ptr(to) => (self.btf.resolve(to), "->"),
            _ if std::mem::take(&mut self.behind_pointer) => (self.btf.resolve(self.at), "->"),
            _ => (self.btf.resolve(self.at), "."),
        };
        if !self.btf.is_composite(record) {
            return Err(self.no_record(name));
        }
        let field = self.btf.field(record, name).ok_or_else(|| self.no_member(record, name))?;
        self.expression += &format!("{arrow}{name}");
        self.path += &format!(".{name}");
        self.at = field.type_id;
        Ok(())
    }

    fn index(&mut self, index: u32) -> Result<()> {
        let (element, count) = match self.btf.type_by_id(self.btf.resolve(self.at)) {
            Type::Array(array) => (array.element, Some(array.count)),
            Type::Ptr(to) => (to, None),
            _ => return Err(Error::script(self.what, format!("`{}` is no array", self.path))),
        };
        if count.is_some_and(|count| index >= count && count > 0) {
            let why = format!("`{}` has {} elements, counted from 0", self.path, count.unwrap_or_default());
            return Err(Error::script(self.what, why));
        }
        self.expression += &format!("[{index}]");
        self.path += &format!("[{index}]");
        self.at = element;
        Ok(())
    }

    fn no_record(&self, name: &str) -> Error {
        let why = format!("`{}` is a `{}` and has no member `{name}`", self.path, self.c_type());
        Error::script(self.what, why)
    }

    fn no_member(&self, record: TypeId, name: &str) -> Error {
        let names = member_names(self.btf, record, 0);
        let of = self.btf.c_type(record);
        unknown_name(Error::script(self.what, format!("`{of}` has no member `{name}`")), name, &names, "members")
    }
}

/// Adds to an error about a name that is not there those that are.
pub fn unknown_name(error: Error, name: &str, known: &[String], of: &str) -> Error {
    let mut listed: Vec<&str> = known.iter().map(String::as_str).take(MOST_LISTED).collect();
    if known.len() > MOST_LISTED {
        listed.push("…");
    }
    let error = match listed.is_empty() {
        true => error.with_evidence(format!("there are no {of}")),
        false => error.with_evidence(format!("the {of} are {}", listed.join(", "))),
    };
    match suggest::nearest(name, known.iter().map(String::as_str))[..] {
        [] => error,
        ref near => error.with_hint(format!("did you mean `{}`?", near.join("` or `"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::btf::{Kind, shared};

    #[test]
    fn paths_are_cut() {
        let member = |name: &str| Step::Member(name.to_owned());
        assert_eq!(parse("file"), Some(("file", vec![])));
        assert_eq!(parse("a.b->c[3].d"), Some(("a", vec![member("b"), member("c"), Step::Index(3), member("d")])));
        for bad in ["", "1a", "a+b", "a.", "a[", "a[x]", "a..b", "(a)", "a->"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn members_of_the_kernels_structures() {
        let Ok(btf) = shared() else {
            println!("skipped: this kernel has no types");
            return;
        };
        let file = btf.find(Kind::Struct, "file").unwrap();
        let walk = |path: &str| {
            let (_, steps) = parse(path).unwrap();
            Walk::new(&btf, file, "(*f)", "file", "cannot read").go(&steps)
        };
        let name = walk("file.f_path.dentry.d_name.name").unwrap();
        assert_eq!(name.expression, "(*f).f_path.dentry->d_name.name");
        assert_eq!((name.shape(), name.c_type().as_str()), (Shape::Text { user: false }, "const unsigned char *"));
        let error = walk("file.f_path.dentri").err().map(|error| error.report()).unwrap();
        assert!(error.contains("`struct path` has no member `dentri`"), "{error}");
        assert!(error.contains("did you mean `dentry`?"), "{error}");
        let error = walk("file.f_path.dentry.d_name.name.x").err().map(|error| error.report()).unwrap();
        assert!(error.contains("is a `const unsigned char *` and has no member `x`"), "{error}");
        assert!(walk("file.f_flags[0]").err().is_some_and(|error| error.why().contains("no array")));
    }
}
