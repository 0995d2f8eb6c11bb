// SPDX-License-Identifier: Apache-2.0
//! Calls of every helper that the newest libbpf knows, made of libbpf's own list of prototypes: each compiles, and is a
//! call of that helper's number.

use bpflua::compiler::Source;
use object::{Object as _, ObjectSection as _, ObjectSymbol as _};

use super::compile::compile_for;

/// `call`, and its immediate.
const CALL: u8 = 0x85;

struct Helper {
    name: String,
    number: i32,
    returns_nothing: bool,
    /// The parameters as C declares them.
    params: Vec<String>,
}

/// The helpers of `bpf_helper_defs.h`: `static TYPE (* const NAME)(PARAMETERS) = (void *) NUMBER;`.
fn helpers() -> Vec<Helper> {
    let (_, text) = libbpf_sys::API_HEADERS.iter().find(|(name, _)| *name == "bpf_helper_defs.h").unwrap();
    let parse = |line: &str| {
        let (head, rest) = line.strip_prefix("static ")?.split_once("(* const ")?;
        let (name, rest) = rest.split_once(")(")?;
        let (params, number) = rest.rsplit_once(") = (void *) ")?;
        Some(Helper {
            name: name.to_owned(),
            number: number.trim_end_matches(';').parse().unwrap(),
            returns_nothing: head.trim() == "void",
            params: params.split(", ").filter(|param| *param != "void").map(str::to_owned).collect(),
        })
    };
    text.lines().filter_map(parse).collect()
}

/// What a caller would write for a parameter.
fn argument(param: &str) -> &'static str {
    let is = |word: &str| param.ends_with(&format!("*{word}")) || param.ends_with(&format!(" {word}"));
    match () {
        () if param == "..." => "1, 2",
        () if is("map") => "&table",
        () if is("ctx") || is("skb") || is("xdp_md") || is("msg") => "ctx",
        () if is("callback_fn") => "callback",
        () if is("fmt") => "format",
        () if param.contains('*') => "bytes",
        () if is("fmt_size") => "sizeof(format)",
        () if is("size") || is("len") || is("data_len") => "8",
        () => "0",
    }
}

fn text(helpers: &[Helper]) -> String {
    let mut text = String::from(
        "struct {\n\t__uint(type, BPF_MAP_TYPE_HASH);\n\t__type(key, u64);\n\t__type(value, u64);\n\t__uint(max_entries, 8);\n\
         } table SEC(\".maps\");\nstatic const char format[] = \"%d %d\";\n\
         static long callback(u32 index, void *data) { return 0; }\n",
    );
    for helper in helpers {
        let args: Vec<&str> = helper.params.iter().map(|param| argument(param)).collect();
        let call = format!("{}({})", helper.name, args.join(", "));
        let body = if helper.returns_nothing { format!("{call}; return 0;") } else { format!("return (u64){call};") };
        text += &format!(
            "SEC(\"?tc\") int call_{}(struct __sk_buff *ctx) {{ u64 bytes[8] = {{}}; {body} }}\n",
            helper.number
        );
    }
    text
}

#[test]
fn every_helper_of_libbpf_is_called_by_its_number() {
    let helpers = helpers();
    assert_eq!(helpers.len(), libbpf_sys::__BPF_FUNC_MAX_ID as usize - 1);
    let compiled = compile_for(None, &Source::file("helpers.c", text(&helpers)), &[], None);
    let object = compiled.unwrap_or_else(|error| panic!("{}", error.report())).object;
    let file = object::File::parse(object.as_slice()).unwrap();
    let code = file.section_by_name("?tc").unwrap().data().unwrap();
    for helper in &helpers {
        let symbol =
            file.symbol_by_name(&format!("call_{}", helper.number)).unwrap_or_else(|| panic!("{}", helper.name));
        let (start, size) = (symbol.address() as usize, symbol.size() as usize);
        let instructions = code[start..start + size].chunks_exact(8);
        let called: Vec<i32> = instructions
            .filter(|insn| insn[0] == CALL && insn[1] >> 4 == 0)
            .map(|insn| i32::from_le_bytes(insn[4..].try_into().unwrap()))
            .collect();
        assert!(called.contains(&helper.number), "{} ({}) calls {called:?}", helper.name, helper.number);
    }
}
