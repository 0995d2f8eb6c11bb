// SPDX-License-Identifier: Apache-2.0
//! What a probe hands to a program, by name: arguments, results, the fields of records.

use std::sync::Arc;

use super::kind::Kind;
use super::path::{self, Walk, unknown_name};
use super::shape::Shape;
use super::spec::Place;
use super::target::Target;
use crate::bpf::UsdtSource;
use crate::error::{Error, Result};
use crate::kernel::btf::{self, Btf, FuncProto, Kind as TypeKind, Type, TypeId};
use crate::kernel::kallsyms;
use crate::kernel::tracefs::Tracefs;

/// Arguments that come in registers, on each machine that bpflua runs on.
const REGISTER_ARGUMENTS: usize = 6;

/// Something a probe hands to a program.
#[derive(Clone, Debug)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Its declaration as the kernel has it: `struct file *file`.
    pub declaration: String,
    /// A C type that a program can hold it in: `struct file *`, `u64`; empty for a field of a record, which is read where
    /// it is.
    pub holder: String,
    /// Its form.
    pub shape: Shape,
    /// Where it is in a record, in bytes.
    pub offset: Option<u32>,
    /// What it is in the kernel's types, for the way to its members.
    types: Option<Typed>,
}

/// A type of the kernel's.
#[derive(Clone, Debug)]
struct Typed {
    btf: Arc<Btf>,
    id: TypeId,
    /// The value is a pointer to this type.
    behind_pointer: bool,
}

/// A value that a path of the user's leads to.
#[derive(Clone, Debug)]
pub struct Found {
    /// The number of the field that the path begins at, from 0.
    pub field: usize,
    /// The C expression of the value. The field itself is `f_NAME` in it, or `args->NAME` in a record.
    pub expression: String,
    /// Its form.
    pub shape: Shape,
    /// Its type in C's words.
    pub c_type: String,
}

impl Target {
    /// The fields, in their order. Unknown arguments of functions are six numbers, `arg0` to `arg5`.
    pub fn fields(&self, pid: Option<i32>) -> Result<Vec<Field>> {
        Ok(match (self.kind, &self.place) {
            (Kind::Kprobe, Place::Function { offset: 1.., .. }) => Vec::new(),
            (Kind::Kprobe, Place::Function { module, name, .. }) => {
                function_arguments(module.as_deref(), name).unwrap_or_else(numbers)
            }
            (Kind::Kretprobe, Place::Function { module, name, .. }) => result_of(module.as_deref(), name),
            (Kind::Fentry, Place::Function { module, name, .. }) => {
                function_arguments(module.as_deref(), name).unwrap_or_default()
            }
            (Kind::Fexit, Place::Function { module, name, .. }) => {
                let mut fields = function_arguments(module.as_deref(), name).unwrap_or_default();
                fields.extend(result_of(module.as_deref(), name));
                fields
            }
            (Kind::Tracepoint, Place::Event { category: Some(category), name }) => record_fields(category, name)?,
            (Kind::RawTracepoint, Place::Event { name, .. }) => raw_arguments(name),
            (Kind::Uprobe, Place::User { offset: 0, .. }) => numbers(),
            (Kind::Uretprobe, _) => vec![Field::number("retval", 8, true)],
            (Kind::Usdt, Place::Usdt { path, provider, name }) => usdt_arguments(path, provider.as_deref(), name, pid)?,
            _ => Vec::new(),
        })
    }

    /// The value that a path leads to; `None` when it does not begin with a field of the probe, or is no path. `what` is
    /// the headline of an error.
    pub fn find(&self, fields: &[Field], text: &str, what: &str) -> Result<Option<Found>> {
        let Some((root, steps)) = path::parse(text) else { return Ok(None) };
        let Some(at) = find_root(fields, root) else { return Ok(None) };
        let field = &fields[at];
        let expression = match self.kind {
            Kind::Tracepoint => format!("args->{}", field.name),
            _ => format!("f_{}", field.name),
        };
        let Some(typed) = field.types.as_ref().filter(|_| !steps.is_empty()) else {
            if steps.is_empty() {
                let (shape, c_type) = (field.shape.clone(), field.declaration.clone());
                return Ok(Some(Found { field: at, expression, shape, c_type }));
            }
            return untyped(field, &expression, &steps, at, what).map(Some);
        };
        let walk = Walk::new(&typed.btf, typed.id, &expression, root, what);
        let walk = if typed.behind_pointer { walk.behind_pointer() } else { walk }.go(&steps)?;
        let found = Found { field: at, shape: walk.shape(), c_type: walk.c_type(), expression: walk.expression };
        Ok(Some(found))
    }

    /// The members of the structure that a path leads to, or points to, each with its declaration.
    pub fn members(&self, fields: &[Field], text: &str) -> Vec<(String, String)> {
        let Some((root, steps)) = path::parse(text.strip_prefix("args.").unwrap_or(text)) else { return Vec::new() };
        let typed = find_root(fields, root).and_then(|at| fields[at].types.as_ref());
        let Some(typed) = typed else { return Vec::new() };
        let walk = Walk::new(&typed.btf, typed.id, "", root, "");
        let walk = if typed.behind_pointer { walk.behind_pointer() } else { walk };
        walk.go(&steps).map(|walk| walk.members()).unwrap_or_default()
    }

    /// The error of a name that no field has; `also` are names that mean something else.
    pub fn no_field(&self, fields: &[Field], name: &str, also: &[String], what: &str) -> Error {
        let why = match fields.is_empty() {
            true => format!("`{}` has no fields of its own, and `{name}` is none that all have", self.text()),
            false => format!("`{}` has no field `{name}`", self.text()),
        };
        let own: Vec<String> = fields.iter().map(|field| field.name.clone()).collect();
        let known: Vec<String> = own.iter().chain(also).cloned().collect();
        let error = unknown_name(Error::script(what, why), name, &known, "names");
        let wants_arguments = self.kind == Kind::Kretprobe && name.starts_with("arg");
        if wants_arguments { error.with_note("a function's arguments are gone when it returns") } else { error }
    }
}

/// The field with this name. `argN` is the argument with the number N from 0, whatever its name; `args.x` is `x`.
fn find_root(fields: &[Field], root: &str) -> Option<usize> {
    let named = fields.iter().position(|field| field.name == root);
    let numbered = || {
        let number: usize = root.strip_prefix("arg")?.parse().ok()?;
        let arguments = fields.iter().take_while(|field| field.name != "retval").count();
        (number < arguments && fields.iter().all(|field| !field.holder.is_empty())).then_some(number)
    };
    named.or_else(numbered)
}

/// Steps into what the kernel's types do not describe: elements of an array of numbers in a record.
fn untyped(field: &Field, expression: &str, steps: &[path::Step], at: usize, what: &str) -> Result<Found> {
    let [path::Step::Index(index)] = steps else {
        let why = format!("nothing is known of what is behind `{}`", field.declaration);
        return Err(Error::script(what, why));
    };
    let element = field.declaration.split('[').next().unwrap_or_default().trim_end_matches(&field.name).trim();
    let size = match element {
        "unsigned long" | "long" | "u64" | "__u64" | "s64" => 8,
        "int" | "unsigned int" | "u32" | "__u32" | "s32" => 4,
        _ => return Err(Error::script(what, format!("`{}` is no array of numbers", field.declaration))),
    };
    let signed = matches!(element, "long" | "int" | "s64" | "s32");
    let expression = format!("{expression}[{index}]");
    Ok(Found { field: at, expression, shape: Shape::Int { size, signed }, c_type: element.to_owned() })
}

impl Field {
    fn number(name: &str, size: u32, signed: bool) -> Field {
        let holder = format!("{}{}", if signed { "s" } else { "u" }, size * 8);
        Field {
            name: name.to_owned(),
            declaration: format!("{holder} {name}"),
            holder,
            shape: Shape::Int { size, signed },
            offset: None,
            types: None,
        }
    }

    fn typed(btf: &Arc<Btf>, id: TypeId, name: &str) -> Option<Field> {
        Some(Field {
            name: name.to_owned(),
            declaration: btf.c_declaration(id, name),
            holder: holder(btf, id)?,
            shape: Shape::of(btf, id),
            offset: None,
            types: Some(Typed { btf: Arc::clone(btf), id, behind_pointer: false }),
        })
    }
}

/// The arguments of a function of which nothing is known.
fn numbers() -> Vec<Field> {
    (0..REGISTER_ARGUMENTS).map(|number| Field::number(&format!("arg{number}"), 8, false)).collect()
}

/// The types that describe a function: the kernel's, or its kernel module's.
fn types_of(module: Option<&str>, name: &str) -> Option<Arc<Btf>> {
    let kernel = btf::shared().ok()?;
    if module.is_none_or(|module| module == "vmlinux") && kernel.func_by_name(name).is_some() {
        return Some(kernel);
    }
    let owner = match module {
        Some(module) => module.to_owned(),
        None => kallsyms::shared().ok()?.find(name)?.kernel_module?.to_owned(),
    };
    Btf::kernel_module(kernel, &owner).ok().map(Arc::new)
}

/// The arguments by name, as far as they come in registers; `None` when nothing is known of the function.
fn function_arguments(module: Option<&str>, name: &str) -> Option<Vec<Field>> {
    let types = types_of(module, name)?;
    Some(parameters(&types, types.func_by_name(name)?.proto()?, 0))
}

fn parameters(types: &Arc<Btf>, proto: FuncProto<'_>, skip: usize) -> Vec<Field> {
    let named = proto.params().skip(skip).take(REGISTER_ARGUMENTS).enumerate();
    let field = |(number, param): (usize, btf::Param<'_>)| {
        let numbered = format!("arg{number}");
        Field::typed(types, param.type_id, if param.name.is_empty() { &numbered } else { param.name })
    };
    // What follows a structure handed over by value is no one knows where.
    named.map_while(field).collect()
}

fn result_of(module: Option<&str>, name: &str) -> Vec<Field> {
    let known = types_of(module, name).and_then(|types| {
        let proto = types.func_by_name(name)?.proto()?;
        if proto.returns_void() {
            return Some(Vec::new());
        }
        Some(vec![Field::typed(&types, proto.return_type, "retval")?])
    });
    known.unwrap_or_else(|| vec![Field::number("retval", 8, true)])
}

/// The arguments of a raw tracepoint, by the names that the kernel's function which calls the probes gives them.
fn raw_arguments(event: &str) -> Vec<Field> {
    let Ok(kernel) = btf::shared() else { return numbers() };
    let named = ["__probestub_", "__traceiter_"].into_iter();
    let proto = named
        .filter_map(|prefix| kernel.func_by_name(&format!("{prefix}{event}"))?.proto())
        .next()
        .or_else(|| proto_of_typedef(&kernel, &format!("btf_trace_{event}")));
    // The first is the tracepoint's own.
    proto.map_or_else(numbers, |proto| parameters(&kernel, proto, 1))
}

fn proto_of_typedef<'a>(kernel: &'a Btf, name: &str) -> Option<FuncProto<'a>> {
    let Type::Ptr(to) = kernel.type_by_id(kernel.resolve(kernel.find(TypeKind::Typedef, name)?)) else { return None };
    match kernel.type_by_id(to) {
        Type::FuncProto(proto) => Some(proto),
        _ => None,
    }
}

fn record_fields(category: &str, name: &str) -> Result<Vec<Field>> {
    let format = Tracefs::open()?.format(category, name)?;
    let of_system_calls = category == "syscalls";
    let kernel = btf::shared().ok();
    let field = |field: &crate::kernel::tracefs::TracepointField| {
        let count = field.array_len.map(|count| format!("[{count}]")).unwrap_or_default();
        let space = if field.c_type.ends_with('*') { "" } else { " " };
        let dynamic = if field.data_loc.is_some() { "[]" } else { "" };
        Field {
            name: field.name.clone(),
            declaration: format!("{}{space}{}{count}{dynamic}", field.c_type, field.name),
            holder: String::new(),
            shape: Shape::of_record_field(field, of_system_calls),
            offset: Some(field.offset),
            types: kernel.as_ref().and_then(|kernel| pointer_to_record(kernel, &field.c_type)),
        }
    };
    Ok(format.own_fields().map(field).collect())
}

/// The kernel's type of a field that is a pointer to one of its structures.
fn pointer_to_record(kernel: &Arc<Btf>, c_type: &str) -> Option<Typed> {
    let base = c_type.strip_prefix("const ").unwrap_or(c_type).strip_suffix('*')?.trim();
    let id = kernel.find(TypeKind::Struct, base.strip_prefix("struct ")?)?;
    Some(Typed { btf: Arc::clone(kernel), id, behind_pointer: true })
}

fn usdt_arguments(path: &str, provider: Option<&str>, name: &str, pid: Option<i32>) -> Result<Vec<Field>> {
    let source = UsdtSource { path: (path != "*").then(|| path.to_owned()), pid };
    let probes = source.probes()?;
    let probe = probes.find(provider, name, &format!("cannot read the arguments of USDT probe `{name}`"))?;
    let count = probes.locations(probe).map(|(file, location)| file.arguments(location).len()).max().unwrap_or(0);
    let field = |index: usize| {
        let c_type = probes.argument_type(probe, index).unwrap_or_default();
        let bits: u32 = c_type.trim_matches(|c: char| !c.is_ascii_digit()).parse().unwrap_or(64);
        Field::number(&format!("arg{index}"), bits / 8, c_type.starts_with("int"))
    };
    Ok((0..count).map(field).collect())
}

/// A type of a program's variable for a value of the kernel's; `None` for structures handed over by value.
fn holder(btf: &Btf, id: TypeId) -> Option<String> {
    let sized = |size: u32, signed: bool| format!("{}{}", if signed { "s" } else { "u" }, size * 8);
    Some(match btf.type_by_id(btf.resolve(id)) {
        Type::Int(int) if int.size_bytes > 8 => return None,
        Type::Int(int) => sized(int.size_bytes, int.encoding == btf::IntEncoding::Signed),
        Type::Enum(e) => sized(e.size_bytes, e.is_signed),
        Type::Ptr(to) => pointer_holder(btf, to),
        _ => return None,
    })
}

fn pointer_holder(btf: &Btf, to: TypeId) -> String {
    match btf.type_by_id(btf.resolve(to)) {
        Type::Struct(composite) if !composite.name.is_empty() => format!("struct {} *", composite.name),
        Type::Union(composite) if !composite.name.is_empty() => format!("union {} *", composite.name),
        // A structure without a name has that of its typedef.
        Type::Struct(_) | Type::Union(_) => {
            typedef_name(btf, to).map_or("void *".to_owned(), |name| format!("{name} *"))
        }
        Type::Int(int) if matches!(int.size_bytes, 2 | 4 | 8) => {
            let sign = if int.encoding == btf::IntEncoding::Signed { "s" } else { "u" };
            format!("{sign}{} *", int.size_bytes * 8)
        }
        Type::Int(_) => "char *".to_owned(),
        Type::Ptr(_) => "void **".to_owned(),
        _ => "void *".to_owned(),
    }
}

fn typedef_name(btf: &Btf, id: TypeId) -> Option<&str> {
    let mut at = id;
    for _ in 0..8 {
        match btf.type_by_id(at) {
            Type::Typedef { name, .. } => return Some(name),
            Type::Const(to) | Type::Volatile(to) | Type::Restrict(to) | Type::TypeTag { to, .. } => at = to,
            _ => return None,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probes::{Spec, expand};

    fn target(text: &str) -> Target {
        expand(&Spec::parse(text, "x").unwrap(), None, "x").unwrap().remove(0)
    }

    fn declarations(text: &str) -> Vec<String> {
        target(text).fields(None).unwrap().into_iter().map(|field| field.declaration).collect()
    }

    #[test]
    fn arguments_and_results_of_kernel_functions() {
        if btf::shared().is_err() {
            println!("skipped: this kernel has no types");
            return;
        }
        let arguments = ["struct file *file", "char *buf", "size_t count", "loff_t *pos"];
        assert_eq!(declarations("kprobe:vfs_read"), arguments);
        assert_eq!(declarations("kretprobe:vfs_read"), ["ssize_t retval"]);
        assert_eq!(declarations("fexit:vfs_read").len(), 5);
        assert_eq!(declarations("kprobe:vfs_read+4"), [""; 0]);
        let read = target("kprobe:vfs_read");
        let fields = read.fields(None).unwrap();
        let found = read.find(&fields, "file.f_path.dentry.d_name.name", "x").unwrap().unwrap();
        assert_eq!((found.field, found.expression.as_str()), (0, "f_file->f_path.dentry->d_name.name"));
        assert_eq!(read.find(&fields, "arg2", "x").unwrap().unwrap().expression, "f_count");
        assert!(read.find(&fields, "arg4", "x").unwrap().is_none());
        assert!(read.find(&fields, "count + 1", "x").unwrap().is_none());
        let report = read.no_field(&fields, "flie", &["comm".to_owned()], "cannot count").report();
        assert!(report.contains("did you mean `file`?") && report.contains("file, buf, count, pos, comm"), "{report}");
    }

    #[test]
    fn root_fields_of_tracepoints() {
        assert_eq!(declarations("tracepoint:syscalls:sys_enter_openat")[2], "const char *filename");
        let switch = target("tracepoint:sched:sched_switch");
        let fields = switch.fields(None).unwrap();
        assert_eq!(switch.find(&fields, "prev_comm", "x").unwrap().unwrap().expression, "args->prev_comm");
        let raw = declarations("rawtracepoint:sched_switch");
        assert!(raw.contains(&"struct task_struct *prev".to_owned()), "{raw:?}");
    }
}
