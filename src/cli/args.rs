// SPDX-License-Identifier: Apache-2.0
//! The command line as it is written, checked for form only.

use std::ffi::OsString;
use std::path::PathBuf;

use super::pack::{PackCommand, RunArgs};
use clap::{ArgAction, Args as ClapArgs, Parser, Subcommand};

/// The options of a run that take their value as the next argument, apart from `-e`.
const WITH_VALUE: [&str; 5] = ["-D", "-I", "--btf", "--kernel-headers", "--mechanism"];

const EXAMPLES: &str = "\
Examples:
  bpflua                              trace live from a prompt
  bpflua opens.lua                    run a script
  bpflua opens.lua -p 1234            options after the script are the script's
  bpflua -i opens.lua                 run a script and go on from a prompt, with its locals
  bpflua -e 'print(jit.version)'      run a line of Lua
  bpflua --json opens.lua | jq .event print events as lines of JSON
  bpflua -v latency.lua               tell how each probe was attached, and why so
  bpflua check --load probes/*.lua    compile C and pass it through the kernel's verifier
  bpflua compile probe.c -o probe.o   write a portable BPF object
  bpflua types opens.lua              complete a script's maps and events in an editor
  bpflua list -v 'tracepoint:sched:*' what can be probed, and what each probe hands out
  bpflua execsnoop -x                 run a tool of bpflua's, or of an installed pack
  bpflua pack new ./mine              make a pack of scripts, for others to install
  bpflua doctor                       what this machine can trace, and what to do about the rest
A script named like a command is reached by a path: bpflua ./check";

/// Trace a Linux kernel with Lua.
#[derive(Debug, Parser)]
#[command(
    name = "bpflua",
    disable_version_flag = true,
    about = "Trace a Linux kernel with Lua: C probes compiled in the process, no kernel headers needed",
    override_usage = "bpflua [OPTIONS] [SCRIPT.lua] [ARGS]...\n       bpflua [OPTIONS] -e LUA [ARGS]...\n       bpflua [OPTIONS] <COMMAND>",
    after_help = EXAMPLES,
    disable_help_subcommand = true,
    subcommand_precedence_over_arg = true,
    max_term_width = 110
)]
pub struct Args {
    /// Run this text in place of a script
    #[arg(short = 'e', value_name = "LUA")]
    pub execute: Option<String>,

    /// Read statements from the terminal: after the script or the text, with its locals
    #[arg(short = 'i', long)]
    pub interactive: bool,

    /// Attach kprobes this way when the script names none, not the cheapest way that works
    #[arg(long, value_name = "NAME", value_parser = ["auto", "fentry", "kprobe_multi", "kprobe", "sys_enter"])]
    pub mechanism: Option<String>,

    /// Print each event as a line of JSON; what the script prints goes to standard error
    #[arg(long)]
    pub json: bool,

    /// Print the versions of bpflua, LuaJIT, libbpf and the compiler
    #[arg(short = 'V', long)]
    pub version: bool,

    #[command(flatten)]
    pub common: Common,

    #[command(subcommand)]
    pub command: Option<Command>,

    /// The script, `-` for standard input, and the script's own arguments
    #[arg(value_name = "SCRIPT [ARGS]", trailing_var_arg = true, hide = true)]
    pub script: Vec<OsString>,
}

impl Args {
    /// Parses a command line. What follows `-e LUA` goes to the text, options and command names included.
    pub fn parse_line(line: impl IntoIterator<Item = OsString>) -> Result<Args, clap::Error> {
        let mut line: Vec<OsString> = line.into_iter().collect();
        if let Some(at) = end_of_options(&line) {
            line.insert(at, "--".into());
        }
        Args::try_parse_from(line)
    }
}

/// The place after `-e LUA`, if the line has it before any script or command.
fn end_of_options(line: &[OsString]) -> Option<usize> {
    let mut at = 1;
    while let Some(arg) = line.get(at)?.to_str() {
        match arg {
            _ if arg.starts_with('-')
                && arg.ends_with('e')
                && arg[1..arg.len() - 1].chars().all(|c| "vi".contains(c)) =>
            {
                return (at + 2 <= line.len()).then_some(at + 2);
            }
            "-" | "--" => return None,
            _ if WITH_VALUE.contains(&arg) => at += 2,
            _ if arg.starts_with('-') => at += 1,
            _ => return None,
        }
    }
    None
}

/// Options of a run, a check and a compilation alike.
#[derive(Clone, Debug, Default, ClapArgs)]
#[command(next_help_heading = "Options of runs, checks and compilations")]
pub struct Common {
    /// Define a macro in every C text
    #[arg(short = 'D', value_name = "NAME[=VALUE]", global = true)]
    pub defines: Vec<String>,

    /// Look for included files in this folder
    #[arg(short = 'I', value_name = "FOLDER", global = true)]
    pub includes: Vec<String>,

    /// Take kernel types from this BTF file, or folder of such files, not from the running kernel
    #[arg(long, value_name = "FILE", global = true)]
    pub btf: Option<PathBuf>,

    /// Compile against the kernel headers in this folder, for C that calls their inline functions [env: BCC_KERNEL_SOURCE]
    #[arg(long, value_name = "FOLDER", global = true)]
    pub kernel_headers: Option<PathBuf>,

    /// Compile anew and keep nothing: neither read nor write the cache of compiled C texts
    #[arg(long, global = true)]
    pub no_cache: bool,

    /// Show the verifier's whole log when it rejects a program
    #[arg(long, global = true)]
    pub verifier_log: bool,

    /// Tell what is done and how: mechanisms and cache hits; twice: timings too
    #[arg(short, long, action = ArgAction::Count, global = true)]
    pub verbose: u8,
}

impl Common {
    /// `-D` and `-I` as the compiler takes them.
    pub fn cflags(&self) -> Vec<String> {
        let defines = self.defines.iter().map(|define| format!("-D{define}"));
        let includes = self.includes.iter().map(|folder| format!("-I{folder}"));
        defines.chain(includes).collect()
    }
}

/// The commands beside running a script.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Compile C files, or the C texts of Lua scripts, and show what the compiler says
    Check {
        /// Pass the programs through the kernel's verifier too (needs root)
        #[arg(long)]
        load: bool,
        /// C files and Lua scripts
        #[arg(value_name = "FILE", required = true)]
        files: Vec<PathBuf>,
    },
    /// Compile a C file to a portable BPF object
    Compile {
        /// The C file
        #[arg(value_name = "FILE.c")]
        file: PathBuf,
        /// Where the object is written
        #[arg(short, long, value_name = "FILE.o")]
        output: PathBuf,
    },
    /// Print type stubs for editors: of bpflua itself, or of a script's own maps and events
    Types {
        /// The script; without one, the stubs of bpflua
        #[arg(value_name = "SCRIPT.lua")]
        script: Option<PathBuf>,
    },
    /// List what can be probed, with `-v` also what each probe hands to a program
    List {
        /// Tell the kernel module of each function and whether it can be traced; list those that cannot, too
        #[arg(short, long)]
        long: bool,
        /// Look in the program and the libraries of this process: `usdt:*:*`, `uprobe:c:*`
        #[arg(short, long, value_name = "PID")]
        pid: Option<i32>,
        /// A probe with wildcards, such as `kprobe:vfs_*`, `tracepoint:sched:*`, `uprobe:/bin/bash:read*`, `usdt:PATH:*`; or
        /// words in the names of the kernel's probes
        #[arg(value_name = "PATTERN")]
        pattern: String,
    },
    /// Complete this command's line in bash: source <(bpflua completions)
    Completions {
        /// Print what can stand at this place of the line, which follows
        #[arg(long, value_name = "NUMBER", hide = true)]
        at: Option<usize>,
        /// The line
        #[arg(hide = true, last = true)]
        words: Vec<String>,
    },
    /// Tell what this machine can trace, what it cannot, and what to do about it
    Doctor,
    /// Run a tool of a pack: bpflua run PACK/TOOL -- ARGS
    Run(RunArgs),
    /// Make, check, test, install and share packs of scripts
    Pack {
        /// What to do
        #[command(subcommand)]
        command: PackCommand,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &[&str]) -> Args {
        Args::parse_line(std::iter::once("bpflua").chain(line.iter().copied()).map(OsString::from)).unwrap()
    }

    #[test]
    fn what_follows_the_script_is_the_scripts() {
        let args = parse(&["-v", "-D", "X=1", "a.lua", "-v", "check", "--", "-e"]);
        assert_eq!(args.script, ["a.lua", "-v", "check", "--", "-e"]);
        assert!(args.command.is_none() && args.execute.is_none());
        assert_eq!((args.common.verbose, args.common.cflags()), (1, vec!["-DX=1".to_owned()]));
    }

    #[test]
    fn what_follows_the_text_of_e_is_the_texts() {
        let args = parse(&["-I", "inc", "-e", "print(1)", "check", "-x", "--", "-e"]);
        assert_eq!(args.execute.as_deref(), Some("print(1)"));
        assert_eq!(args.script, ["check", "-x", "--", "-e"]);
        let args = parse(&["--mechanism", "kprobe", "-e", "print(1)", "doctor"]);
        assert_eq!((args.execute.as_deref(), args.script), (Some("print(1)"), vec!["doctor".into()]));
        let args = parse(&["-ve", "print(1)", "-h"]);
        assert_eq!((args.common.verbose, args.script), (1, vec!["-h".into()]));
    }

    #[test]
    fn commands_take_the_common_options_on_either_side() {
        let args = parse(&["-v", "check", "--load", "a.c", "b.lua", "-D", "Y"]);
        assert_eq!((args.common.verbose, args.common.cflags()), (1, vec!["-DY".to_owned()]));
        assert!(matches!(args.command, Some(Command::Check { load: true, files }) if files.len() == 2));
    }

    #[test]
    fn a_path_reaches_a_script_named_like_a_command() {
        assert_eq!(parse(&["./check"]).script, ["./check"]);
        assert_eq!(parse(&["-"]).script, ["-"]);
    }
}
