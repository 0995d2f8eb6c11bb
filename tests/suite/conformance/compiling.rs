// SPDX-License-Identifier: Apache-2.0
//! Compiles the texts for a kernel whose own files are in a folder.

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use bpflua::compiler::arch::Arch;
use bpflua::compiler::{InHeaders, Limits, NoModules, Options, Source, Wanted, compile};
use bpflua::error::Error;
use bpflua::kernel::btf::Btf;
use bpflua::kernel::release::real_version;
use bpflua::kernel::tracefs::Tracefs;
use serde::{Deserialize, Serialize};

use super::super::compile::headers;
use super::texts::{Operation, Text, Tools};

/// One text on its way to the kernel. The same text with other operations is another one.
#[derive(Serialize, Deserialize)]
pub struct Job {
    /// The object's file, or why there is none.
    pub object: Result<String, String>,
    pub operations: Vec<Operation>,
}

/// The file of the jobs, in the order of the tools, their argument lists and texts.
pub const JOBS: &str = "jobs.json";

/// Compiles all texts; the objects and the jobs go to the folder.
pub fn compile_all(folder: &Path, kernel: &Path, tools: &Tools) {
    let texts: Vec<(&str, &Text)> =
        tools.runs.iter().flat_map(|run| run.texts.iter().map(|text| (run.tool.as_str(), text))).collect();
    // Many argument lists lead to the same text.
    let mut numbers: HashMap<(&str, &[String]), usize> = HashMap::new();
    let mut different: Vec<(&str, &Text)> = Vec::new();
    for (tool, text) in &texts {
        numbers.entry((&text.text, &text.cflags)).or_insert_with(|| {
            different.push((tool, text));
            different.len() - 1
        });
    }
    let objects = compile_in_parallel(folder, kernel, &different);
    let jobs: Vec<Job> = texts
        .iter()
        .map(|(_, text)| Job {
            object: objects[&numbers[&(text.text.as_str(), text.cflags.as_slice())]].clone(),
            operations: text.operations.clone(),
        })
        .collect();
    std::fs::write(folder.join(JOBS), serde_json::to_vec(&jobs).unwrap()).unwrap();
}

fn compile_in_parallel(
    folder: &Path,
    kernel: &Path,
    texts: &[(&str, &Text)],
) -> HashMap<usize, Result<String, String>> {
    let next = AtomicUsize::new(0);
    let worker = || {
        let compiler = Compiler::of(kernel);
        let mut done = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some((tool, text)) = texts.get(number) else { return done };
            let object = compiler.compile(tool, text).map(|bytes| {
                let name = format!("{number}-{tool}.o");
                std::fs::write(folder.join(&name), bytes).unwrap();
                name
            });
            done.push((number, object));
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    })
}

struct Compiler {
    btf: Btf,
    tracefs: Tracefs,
    version_code: u32,
    headers: Vec<(&'static str, String)>,
}

impl Compiler {
    fn of(kernel: &Path) -> Compiler {
        let file = |name: &str| std::fs::read_to_string(kernel.join(name)).unwrap();
        Compiler {
            btf: Btf::open(kernel.join("btf")).unwrap(),
            tracefs: Tracefs::at(kernel.join("tracing")),
            version_code: real_version(file("release").trim(), file("version").trim(), None).code(),
            headers: headers(),
        }
    }

    fn compile(&self, tool: &str, text: &Text) -> Result<Vec<u8>, String> {
        let headers: Vec<(&str, &str)> = self.headers.iter().map(|(path, text)| (*path, text.as_str())).collect();
        let tracepoint = |category: &str, event: &str| {
            let there = self.tracefs.has_tracepoint(category, event);
            there.then(|| self.tracefs.format(category, event).map(|format| format.c_struct())).transpose()
        };
        let options = Options {
            flags: text.cflags.clone(),
            headers: &headers,
            btf: Some(&self.btf),
            ticks_per_second: 250,
            kernel_config: &|| None,
            modules: &NoModules,
            in_headers: &|_| InHeaders::Lack(String::new()),
            kernel_headers: None,
            portable: false,
            tracepoint_struct: &tracepoint,
            similar_tracepoints: &|_, _| Vec::new(),
            kernel_version_code: self.version_code,
            online_cpus: 1,
            limits: Limits::default(),
            wanted: Wanted::default(),
            arch: Arch::X86_64,
            cache: None,
        };
        let source = Source::file(format!("{tool}.c"), text.text.clone());
        compile(&source, &options).map(|compiled| compiled.object).map_err(|error| reason(&error))
    }
}

/// One line: what of the kernel is missing where the hints say so, else the first message.
fn reason(error: &Error) -> String {
    let missing: Vec<&str> = error.hints().iter().filter(|hint| hint.contains("kernel")).map(String::as_str).collect();
    if !missing.is_empty() {
        return missing.join("; ");
    }
    let place = error.locations().first().map(|place| format!("line {}: {}", place.line, place.message));
    place.unwrap_or_else(|| error.to_string())
}
