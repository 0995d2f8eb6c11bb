// SPDX-License-Identifier: Apache-2.0
//! Builds the C++ shim and links clang, LLVM and the unwinder into the executable, statically; compiles the Lua library to
//! bytecode.
//!
//! Only here and in the shim does an LLVM version stand. `LLVM_CONFIG` names another `llvm-config` than the one found.

#[cfg(feature = "compiler")]
mod llvm {
    use std::path::{Path, PathBuf};
    use std::process::Command;

    use anyhow::{Context as _, Result, ensure};

    /// The LLVM major version that `llvm-sys` and the shim are written for.
    const MAJOR: &str = "19";

    /// clang's libraries that a front end with code generation needs, in link order.
    const CLANG_LIBS: &[&str] = &[
        "clangFrontend",
        "clangCodeGen",
        "clangDriver",
        "clangParse",
        "clangSerialization",
        "clangSema",
        "clangAPINotes",
        "clangEdit",
        "clangAnalysis",
        "clangASTMatchers",
        "clangAST",
        "clangSupport",
        "clangLex",
        "clangBasic",
    ];

    /// LLVM components: code generation for BPF and what clang's libraries above refer to.
    const LLVM_COMPONENTS: &[&str] = &[
        "bpf",
        "passes",
        "coverage",
        "lto",
        "frontenddriver",
        "frontendhlsl",
        "frontendoffloading",
        "frontendopenmp",
        "option",
        "coroutines",
        "irreader",
        "bitwriter",
        "linker",
        "windowsdriver",
        "targetparser",
    ];

    pub fn link() -> Result<()> {
        let config = find_config()?;
        let run =
            |args: &[&str]| output(&config, args).with_context(|| format!("cannot ask LLVM {MAJOR} what to link"));
        let include_dir = run(&["--includedir"])?;
        compile_shim(&include_dir);

        println!("cargo:rustc-link-search=native={}", run(&["--libdir"])?.trim());
        for lib in CLANG_LIBS {
            println!("cargo:rustc-link-lib=static={lib}");
        }
        let mut args = vec!["--link-static", "--libnames"];
        args.extend(LLVM_COMPONENTS);
        for lib in run(&args)?.split_whitespace().filter(|lib| !lib.starts_with("libPolly")) {
            let name = lib.trim_start_matches("lib").trim_end_matches(".a");
            println!("cargo:rustc-link-lib=static={name}");
        }
        link_system()?;
        // LLVM's tables hold a quarter of a million addresses: at a fixed place they need no work at each start.
        println!("cargo:rustc-link-arg-bins=-no-pie");
        if links_with_lld() {
            // Templates of LLVM's that come out as the same instructions are kept once.
            println!("cargo:rustc-link-arg-bins=-Wl,--icf=all");
        }
        Ok(())
    }

    /// Whether rustc links with LLD, which it does by itself on x86-64 since 1.90; other linkers know no `--icf`.
    fn links_with_lld() -> bool {
        let by_itself = std::env::var("TARGET").is_ok_and(|target| target == "x86_64-unknown-linux-gnu");
        let told_otherwise = std::env::var("CARGO_ENCODED_RUSTFLAGS").is_ok_and(|flags| flags.contains("link"));
        by_itself && !told_otherwise && rustc_minor().is_some_and(|minor| minor >= 90)
    }

    fn rustc_minor() -> Option<u32> {
        let version = output(std::env::var_os("RUSTC")?, &["--version"]).ok()?;
        version.split('.').nth(1)?.parse().ok()
    }

    /// zlib and zstd (LLVM's compressed sections) and the C++ library, statically, so that the result needs libc alone.
    fn link_system() -> Result<()> {
        let compiler = cc::Build::new().cpp(true).get_compiler();
        for (lib, file) in [("zstd", "libzstd.a"), ("z", "libz.a"), ("stdc++", "libstdc++.a")] {
            let path = output(compiler.path(), &[&format!("-print-file-name={file}")])
                .with_context(|| format!("cannot ask the C++ compiler where `{file}` is"))?;
            if let Some(dir) = Path::new(path.trim()).parent().filter(|dir| dir.is_absolute()) {
                println!("cargo:rustc-link-search=native={}", dir.display());
            }
            println!("cargo:rustc-link-lib=static={lib}");
        }
        Ok(())
    }

    fn compile_shim(include_dir: &str) {
        for file in ["shim.cpp", "complete.cpp", "files.h"] {
            println!("cargo:rerun-if-changed=src/compiler/shim/{file}");
        }
        println!("cargo:rerun-if-changed=src/compiler/shim/shim.h");
        cc::Build::new()
            .cpp(true)
            .std("c++17")
            .file("src/compiler/shim/shim.cpp")
            .file("src/compiler/shim/complete.cpp")
            .flag(format!("-isystem{}", include_dir.trim()))
            .define("__STDC_CONSTANT_MACROS", None)
            .define("__STDC_LIMIT_MACROS", None)
            .flag("-fno-exceptions")
            .warnings_into_errors(true)
            .cpp_link_stdlib(None)
            .compile("bpflua_shim");
    }

    fn find_config() -> Result<PathBuf> {
        println!("cargo:rerun-if-env-changed=LLVM_CONFIG");
        if let Ok(path) = std::env::var("LLVM_CONFIG") {
            return Ok(path.into());
        }
        let candidates =
            [format!("llvm-config-{MAJOR}"), format!("/usr/lib/llvm-{MAJOR}/bin/llvm-config"), "llvm-config".into()];
        let is_right = |name: &&String| {
            Command::new(name).arg("--version").output().is_ok_and(|out| out.stdout.starts_with(MAJOR.as_bytes()))
        };
        let found = candidates.iter().find(is_right).with_context(|| {
            format!(
                "no llvm-config of LLVM {MAJOR}: install llvm-{MAJOR}-dev and libclang-{MAJOR}-dev, or set LLVM_CONFIG"
            )
        });
        found.map(PathBuf::from)
    }

    fn output(program: impl AsRef<std::ffi::OsStr>, args: &[&str]) -> Result<String> {
        let program = program.as_ref();
        let out = Command::new(program).args(args).output().with_context(|| format!("cannot run {program:?}"))?;
        ensure!(out.status.success(), "{program:?} {args:?} failed: {}", String::from_utf8_lossy(&out.stderr));
        Ok(String::from_utf8_lossy(&out.stdout).into_owned())
    }
}

/// The Lua library as LuaJIT's bytecode: lexing and parsing the texts at each start would be half of its time.
///
/// Names and lines stay in it, so that messages and stacks are those of the texts. The same bytes serve x86-64 and arm64.
mod bytecode {
    use std::fmt::Write as _;
    use std::path::{Path, PathBuf};

    use anyhow::{Context as _, Result, anyhow};
    use mlua::{Function, Lua, LuaString, Table};

    const LIBRARY: &str = "scripts/lib";

    /// Writes `lua_bytecode.rs`: a list of path and bytecode, which `src/packs/embedded.rs` includes.
    pub fn write() -> Result<()> {
        println!("cargo:rerun-if-changed={LIBRARY}");
        let out = PathBuf::from(std::env::var("OUT_DIR")?);
        let lua = Lua::new();
        let mut list = String::from("&[\n");
        for (index, path) in files(Path::new(LIBRARY))?.iter().enumerate() {
            let name = path.display().to_string();
            let text = std::fs::read(path).with_context(|| format!("cannot read {name}"))?;
            // mlua's errors do not leave their thread, which anyhow's must be able to.
            let bytes = compile(&lua, &name, &text).map_err(|error| anyhow!("cannot compile {name}: {error}"))?;
            let file = out.join(format!("{index}.bytecode"));
            std::fs::write(&file, bytes)?;
            writeln!(list, "    ({name:?}, include_bytes!({file:?})),")?;
        }
        list.push(']');
        std::fs::write(out.join("lua_bytecode.rs"), list)?;
        Ok(())
    }

    fn compile(lua: &Lua, name: &str, text: &[u8]) -> mlua::Result<Vec<u8>> {
        let chunk = lua.load(text).set_name(format!("@{name}")).into_function()?;
        let dump: Function = lua.globals().get::<Table>("string")?.get("dump")?;
        // "d": the same bytes at every build.
        let bytes: LuaString = dump.call((chunk, "d"))?;
        Ok(bytes.as_bytes().to_vec())
    }

    fn files(folder: &Path) -> Result<Vec<PathBuf>> {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                found.extend(files(&path)?);
            } else if path.extension().is_some_and(|end| end == "lua") {
                found.push(path);
            }
        }
        found.sort();
        Ok(found)
    }
}

/// Rust's own library asks the linker for `gcc_s`, the unwinder as a shared library, which a machine without a compiler need
/// not have. This gives it a file of that name that leads to the static one.
mod unwinder {
    use std::path::PathBuf;

    use anyhow::Result;

    /// Before all other folders are named: the first that has the file counts.
    pub fn link() -> Result<()> {
        if std::env::var("CARGO_CFG_TARGET_ENV")? == "gnu" {
            let folder = PathBuf::from(std::env::var("OUT_DIR")?).join("unwinder");
            std::fs::create_dir_all(&folder)?;
            std::fs::write(folder.join("libgcc_s.so"), "INPUT(-lgcc_eh)\n")?;
            println!("cargo:rustc-link-search=native={}", folder.display());
        }
        Ok(())
    }
}

fn main() -> anyhow::Result<()> {
    println!("cargo:rerun-if-changed=build.rs");
    unwinder::link()?;
    // A debug build reads the texts from the tree.
    if std::env::var_os("CARGO_CFG_DEBUG_ASSERTIONS").is_none() {
        bytecode::write()?;
    }
    #[cfg(feature = "compiler")]
    llvm::link()?;
    Ok(())
}
