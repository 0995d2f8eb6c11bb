// SPDX-License-Identifier: Apache-2.0
//! Texts of the dialect through the whole compiler: no fault, no hang, and every refusal in words for the user.
#![no_main]

use bpflua::error::Kind;
use bpflua::lua::Settings;
use bpflua::lua::compile::{Request, compile};
use libfuzzer_sys::fuzz_target;

#[path = "../generate.rs"]
mod generate;

fuzz_target!(|bytes: &[u8]| {
    let text = generate::text(bytes);
    let request = Request {
        name: "fuzz.c".into(),
        text: text.clone(),
        line: 1,
        column: 1,
        portable: bytes.first().is_some_and(|byte| byte % 4 == 0),
        ..Request::default()
    };
    let settings = Settings { use_cache: false, ..Settings::default() };
    if let Err(error) = compile(&request, &settings) {
        assert!(error.kind() == Kind::Script, "{}\n{text}", error.report());
    }
});
