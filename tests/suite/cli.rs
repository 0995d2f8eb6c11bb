// SPDX-License-Identifier: Apache-2.0
//! The command as a user meets it: texts as goldens, exit statuses.

use std::process::{Command, Output, Stdio};

use super::harness::{Need, missing, scratch};

fn bpflua(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_bpflua"))
        .args(args)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env_remove("COLUMNS")
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Status and both outputs, as one golden.
fn shown(args: &[&str]) -> String {
    let output = bpflua(args);
    let status = output.status.code().map_or_else(|| output.status.to_string(), |code| code.to_string());
    let mut all = format!("status {status}\n");
    for (name, bytes) in [("stdout", &output.stdout), ("stderr", &output.stderr)] {
        if !bytes.is_empty() {
            all += &format!("--- {name}\n{}", text(bytes));
        }
    }
    all
}

fn script(name: &str) -> String {
    format!("tests/cli/{name}.lua")
}

macro_rules! golden {
    ($name:expr, $shown:expr) => {
        insta::with_settings!({ snapshot_path => "../cli", prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!($name, $shown);
        });
    };
}

#[test]
fn help() {
    golden!("help", shown(&["--help"]));
    golden!("help_check", shown(&["check", "--help"]));
    golden!("unknown_flag", shown(&["--frobnicate"]));
    assert!(text(&bpflua(&["--version"]).stdout).starts_with(concat!(
        "bpflua ",
        env!("CARGO_PKG_VERSION"),
        "\nLuaJIT 2.1"
    )));
}

#[test]
fn errors_of_scripts() {
    for name in
        ["runtime_error", "syntax_error", "error_value", "unknown_option", "unknown_function", "contract", "in_library"]
    {
        golden!(name, shown(&[&script(name)]));
    }
    golden!("missing_script", shown(&["tests/cli/no_such.lua"]));
    golden!("argument", shown(&["-e", "local x = nil + 1"]));
}

#[cfg(feature = "compiler")]
#[test]
fn checks() {
    golden!("check_good", shown(&["check", "--no-cache", &script("check_good")]));
    golden!("check_bad", shown(&["check", "--no-cache", &script("check_good"), &script("check_bad")]));
    golden!("check_no_text", shown(&["check", &script("arguments")]));
    golden!("check_missing", shown(&["check", "tests/cli/no_such.c"]));
    golden!("check_option", shown(&["check", &script("unknown_option")]));
}

#[cfg(not(feature = "compiler"))]
#[test]
fn a_build_without_the_compiler_says_so() {
    golden!("no_compiler", shown(&["-e", "BPF{text = 'int x;'}"]));
}

#[test]
fn doctor_reports_on_any_machine() {
    let output = bpflua(&["doctor"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output.stdout).contains("kprobes"), "{}", text(&output.stdout));
}

/// Whoever may write to the current folder decides nothing about the C that is compiled.
#[test]
fn files_of_our_headers_names_are_not_taken() {
    let folder = scratch("names-of-headers");
    std::fs::create_dir(folder.join("bpflua")).unwrap();
    for name in ["bpflua.h", "bpflua_footer.h", "bpflua/types.h", "bpflua/maps.h", "bpflua/kernel.h"] {
        std::fs::write(folder.join(name), "#error taken from the folder\n").unwrap();
    }
    std::fs::write(folder.join("probe.c"), "BPF_HASH(calls);\nint probe(void *ctx) { return 0; }\n").unwrap();
    let command = |args: &[&str]| Command::new(env!("CARGO_BIN_EXE_bpflua")).args(args).current_dir(&folder).output();
    let checked = command(&["check", "--no-cache", "probe.c"]).unwrap();
    assert!(checked.status.success(), "{}", text(&checked.stderr));
}

/// Under the name of bcc-lua, whose options mean other things.
#[test]
fn root_the_command_by_the_name_of_bcc_lua() {
    if missing(&[Need::Root, Need::Btf]) {
        return;
    }
    let folder = scratch("bcc-lua-name");
    let command = folder.join("bcc-lua");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_bpflua"), &command).unwrap();
    let script = folder.join("script.lua");
    let lua = "return function(BPF) log.info('told %d', 5) print(BCC_STANDALONE, log.enabled, arg[1], arg[2])
                  BPF:new{text = 'int one(void *ctx) { return 1; }'}:dump_func('one') end";
    std::fs::write(&script, lua).unwrap();
    let run = |options: &[&str]| {
        let output = Command::new(&command).args(options).arg(&script).args(["a", "-V"]).output().unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
        (text(&output.stdout), text(&output.stderr))
    };
    let (stdout, stderr) = run(&["-V"]);
    assert_eq!(stdout, "bcc-lua\ttrue\ta\t-V\n");
    assert!(stderr.contains("told 5"), "{stderr}");
    let (stdout, stderr) = run(&["--so-path=/no/such", "--llvm-debug", "--"]);
    assert_eq!(stdout, "bcc-lua\tfalse\ta\t-V\n");
    assert!(stderr.contains("define dso_local"), "{stderr}");
    let version = Command::new(&command).arg("-v").output().unwrap();
    assert!(text(&version.stdout).starts_with("bpflua "));
}

#[test]
fn exit_statuses() {
    let status = |args: &[&str]| bpflua(args).status.code();
    assert_eq!(status(&["-e", "return 5"]), Some(0));
    assert_eq!(status(&["-e", "os.exit(9)"]), Some(9));
    assert_eq!(status(&["-e", "BPF.exit(7)"]), Some(7));
    assert_eq!(status(&["-e", "BPF.interval(0.01, function() BPF.exit(6) end) while true do BPF.run() end"]), Some(6));
    assert_eq!(status(&["-e", "error('x')"]), Some(1));
    assert_eq!(status(&["-e", "require('bpflua.errors').fail{what = 'x', kind = 'machine'}"]), Some(3));
    assert_eq!(status(&["-e", "require('bpflua.errors').fail{what = 'x', kind = 'bug'}"]), Some(70));
}

#[test]
fn a_script_gets_its_arguments_untouched() {
    let output = bpflua(&["-v", "-e", "print(#arg, ...)", "check", "-v", "--help", "--", "x"]);
    assert_eq!(text(&output.stdout), "5\tcheck\t-v\t--help\t--\tx\n");
    let output = bpflua(&[&script("arguments"), "-v", "--version", "check"]);
    assert_eq!(text(&output.stdout), "tests/cli/arguments.lua 3 -v --version check\n");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_bpflua"))
        .args(["-e", "for i = 1, 1e7 do print(i) end"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), text(&output.stderr).as_str()), (Some(0), ""));
}

/// Sends SIGINT once the script has printed a line; the status and what it printed after that.
fn interrupted(script: &str) -> (Option<i32>, String, String) {
    use std::io::{BufRead, BufReader, Read};
    let mut child = Command::new(env!("CARGO_BIN_EXE_bpflua"))
        .args(["-e", script])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut reader = BufReader::new(child.stdout.take().unwrap());
    reader.read_line(&mut String::new()).unwrap();
    // Past the line that follows: into the loop.
    std::thread::sleep(std::time::Duration::from_millis(200));
    // SAFETY: a signal to a child that was not waited for yet.
    unsafe { libc::kill(child.id() as i32, libc::SIGINT) };
    let mut rest = String::new();
    reader.read_to_string(&mut rest).unwrap();
    let output = child.wait_with_output().unwrap();
    (output.status.code(), rest, text(&output.stderr))
}

#[test]
fn ctrl_c_ends_a_compiled_loop() {
    let spinning = "print('go') io.flush() local x = 0 while true do x = x + 1 end";
    assert_eq!(interrupted(spinning), (Some(130), String::new(), String::new()));
}

#[test]
fn ctrl_c_ends_an_event_loop_and_the_code_after_it_runs() {
    let told = "print('go') io.flush() while not BPF.stopped() do BPF.sleep(0.01) end print('after')";
    assert_eq!(interrupted(told), (Some(0), "after\n".to_owned(), String::new()));
    let endless = "print('go') io.flush() while true do BPF.sleep(0.01) end";
    assert_eq!(interrupted(endless), (Some(0), String::new(), String::new()));
    let in_handler =
        "print('go') io.flush() BPF.interval(0.001, function() for i = 1, 1e6 do end end) BPF.run() print('after')";
    assert_eq!(interrupted(in_handler), (Some(0), "after\n".to_owned(), String::new()));
}
