// SPDX-License-Identifier: Apache-2.0
//! The arguments of `bpflua pack`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand};

const SOURCES: &str = "\
Sources:
  ./tcp, tcp.lua                     a folder with a `pack.toml`, or a Lua file that is a pack
  tcp-1.0.0.tar.zst                  an archive, or what `bpflua pack export` wrote
  https://example.org/tcp.git        a git repository: the newest version that has a tag
  git+ssh://host/packs#v1.0.0:tcp    a branch, tag or commit of it, and a folder in it
  oci://host/packs/tcp:1.0.0         a repository of an OCI registry";

/// The commands of `bpflua pack`.
#[derive(Debug, Subcommand)]
pub enum PackCommand {
    /// Make a pack to begin with: a tool, a test, a manifest
    New {
        /// The new folder; the pack is called as it is
        #[arg(value_name = "FOLDER")]
        folder: PathBuf,
    },
    /// Check a pack: manifest, heads, files, dependencies; its Lua is parsed, its C texts are compiled
    Check {
        /// Pass the programs through the kernel's verifier too (needs root)
        #[arg(long)]
        load: bool,
        /// The folder, or the Lua file, of a pack
        #[arg(value_name = "PACK", default_value = ".")]
        pack: PathBuf,
    },
    /// Run the tests of a pack
    Test {
        /// Seconds for a test file to end
        #[arg(long, value_name = "SECONDS", default_value_t = 300)]
        timeout: u64,
        /// The folder, or the Lua file, of a pack
        #[arg(value_name = "PACK", default_value = ".")]
        pack: PathBuf,
        /// Run these test files only
        #[arg(value_name = "TEST")]
        only: Vec<String>,
    },
    /// Run a tool of a pack, as `bpflua run` does
    Run(RunArgs),
    /// List the packs that are installed
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Tell what a pack is: its tools, what they take, what it needs and asks for
    Info {
        /// The name of an installed pack, or a source
        #[arg(value_name = "PACK")]
        pack: String,
    },
    /// Search the installed packs and the tools of bpflua for words
    Search {
        /// Words in names, summaries and keywords; all must be there
        #[arg(value_name = "WORD", required = true)]
        words: Vec<String>,
    },
    /// Install packs, and the packs that they need
    #[command(after_help = SOURCES)]
    Install {
        #[command(flatten)]
        how: How,
        /// Take a version that fits, such as ^1.2, not the newest
        #[arg(long, value_name = "VERSIONS")]
        versions: Option<String>,
        /// Where the packs are
        #[arg(value_name = "SOURCE", required = true)]
        sources: Vec<String>,
    },
    /// Remove installed packs
    Uninstall {
        /// Remove packs of the whole machine
        #[arg(long)]
        system: bool,
        /// Their names
        #[arg(value_name = "NAME", required = true)]
        names: Vec<String>,
    },
    /// Bring packs, and those that they need, to the newest versions that will do
    Update {
        #[command(flatten)]
        how: How,
        /// Their names; without any, all packs that were asked for
        #[arg(value_name = "NAME")]
        names: Vec<String>,
    },
    /// Write down which versions of other packs a pack is used with, in its `pack.lock`
    Lock {
        /// Choose anew, whatever is written down
        #[arg(long)]
        update: bool,
        /// Look for other packs there, too
        #[arg(long, value_name = "SOURCE")]
        from: Vec<String>,
        /// The folder of a pack
        #[arg(value_name = "FOLDER", default_value = ".")]
        folder: PathBuf,
    },
    /// Write a pack and those that it needs to one file, or store the pack in a registry
    Export {
        /// Where the file is written; by default NAME-VERSION.tar.zst
        #[arg(short, long, value_name = "FILE.tar.zst", conflicts_with = "to")]
        output: Option<PathBuf>,
        /// Store it in this registry's repository, under its version
        #[arg(long, value_name = "oci://HOST/REPOSITORY")]
        to: Option<String>,
        /// The name of an installed pack, or the folder of one
        #[arg(value_name = "PACK")]
        pack: String,
    },
    /// Install from a file that `export` wrote, and from nowhere else
    Import {
        /// Install for the whole machine
        #[arg(long)]
        system: bool,
        #[command(flatten)]
        trust: Trust,
        /// The file
        #[arg(value_name = "FILE.tar.zst")]
        file: PathBuf,
    },
    /// Compile every C text of a pack ahead, so that it runs where there is no compiler
    Build {
        /// Where the pack is written; by default NAME-VERSION.tar.zst
        #[arg(short, long, value_name = "FILE.tar.zst")]
        output: Option<PathBuf>,
        /// Check the texts against the type data (BTF) of this kernel, too
        #[arg(long, value_name = "BTF")]
        kernel: Vec<PathBuf>,
        /// The folder of a pack
        #[arg(value_name = "FOLDER", default_value = ".")]
        folder: PathBuf,
    },
    /// Sign a pack with a secret key of minisign
    Sign {
        /// The secret key
        #[arg(long, value_name = "FILE", required_unless_present = "new_key")]
        key: Option<PathBuf>,
        /// Make a pair of keys first: FILE and FILE.pub
        #[arg(long, value_name = "FILE", conflicts_with = "key")]
        new_key: Option<PathBuf>,
        /// The folder or archive of a pack; with `--new-key` it may be left out
        #[arg(value_name = "PACK", required_unless_present = "new_key")]
        pack: Option<PathBuf>,
    },
    /// Check who signed a pack
    Verify {
        /// Trust this public key of minisign: its text, or the file that it is in
        #[arg(long, value_name = "KEY")]
        key: Vec<String>,
        /// Print the text that is signed, for minisign itself
        #[arg(long, conflicts_with = "key")]
        listing: bool,
        /// The folder or archive of a pack
        #[arg(value_name = "PACK", default_value = ".")]
        pack: PathBuf,
    },
    /// Run one test file; what `test` starts
    #[command(hide = true)]
    RunTest {
        /// The pack
        pack: PathBuf,
        /// The test file, from the pack's folder
        file: String,
    },
}

/// Whom to trust, as far as the policy of the machine leaves that to its users.
#[derive(Debug, Default, ClapArgs)]
pub struct Trust {
    /// Trust this public key of minisign for this command: its text, or the file that it is in
    #[arg(long, value_name = "KEY")]
    pub key: Vec<String>,
    /// Take packs that came over a network without a signature
    #[arg(long)]
    pub allow_unsigned: bool,
}

/// How packs are installed.
#[derive(Debug, Default, ClapArgs)]
pub struct How {
    #[command(flatten)]
    pub trust: Trust,
    /// Install for the whole machine, in /usr/local/share/bpflua/packs
    #[arg(long)]
    pub system: bool,
    /// Look for the packs that they need in this folder of packs, or below this path of a registry, too
    #[arg(long, value_name = "SOURCE")]
    pub from: Vec<String>,
    /// Tell what would be done, and do nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,
}

/// A tool to run.
#[derive(Debug, ClapArgs)]
pub struct RunArgs {
    /// `PACK/TOOL`, `PACK` with one tool, or the path of a pack's folder with the tool behind it
    #[arg(value_name = "PACK/TOOL")]
    pub tool: String,
    /// The tool's own arguments, behind `--`
    #[arg(value_name = "ARGS", trailing_var_arg = true, allow_hyphen_values = true)]
    pub args: Vec<OsString>,
}
