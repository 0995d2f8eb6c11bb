// SPDX-License-Identifier: Apache-2.0
//! The command line is completed in bash, from what commands and tools declare.

use std::path::Path;
use std::process::Command;

use super::harness::{Need, missing};
use super::packs_help::{Packs, tool};

/// What bash offers for the last word of a line.
fn offered(packs: &Packs, line: &[&str]) -> String {
    let folder = Path::new(env!("CARGO_BIN_EXE_bpflua")).parent().unwrap();
    let script =
        "source <(bpflua completions); COMP_WORDS=(bpflua \"$@\"); COMP_CWORD=$#; _bpflua; echo \"${COMPREPLY[*]}\"";
    let mut command = Command::new("bash");
    command.args(["--norc", "--noprofile", "-c", script, "bash"]).args(line).current_dir(&packs.folder);
    command.env("PATH", format!("{}:{}", folder.display(), std::env::var("PATH").unwrap()));
    command.env("BPFLUA_PACKS", packs.path("installed")).env("HOME", "/nonexistent");
    let output = command.output().unwrap();
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

#[test]
fn bash_completes_commands_tools_options_choices_and_files() {
    if missing(&[Need::Tool("bash")]) {
        return;
    }
    let packs = Packs::new("completions");
    packs.pack("tcp", "tcp", "1.0.0", "tcpwho = \"who.lua\"\n");
    let head = "parameters = [{ name = \"by\", flags = \"-b --by\", type = \"choice\", choices = [\"size\", \"time\"], help = \"x\" }]\n";
    packs.write("tcp/who.lua", tool("").replace("]==]", &format!("{head}]==]")));
    packs.ok(["pack", "install", "./tcp"]);
    for (line, wanted) in [
        (&["doc"][..], "doctor"),
        (&["tcpw"], "tcpwho"),
        (&["execsnoop", "--max"], "--max-args"),
        (&["tcpwho", "--b"], "--by"),
        (&["tcpwho", "-x", "--by", "s"], "size"),
        (&["run", "tcp/"], "tcp/tcp tcp/tcpwho"),
        (&["pack", "uninstall", ""], "tcp"),
        (&["./tc"], "./tcp"),
    ] {
        assert_eq!(offered(&packs, line), wanted, "{line:?}");
    }
}
