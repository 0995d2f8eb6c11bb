// SPDX-License-Identifier: Apache-2.0
//! Packs that somebody is working on: made, checked, tested, run; what there is, told.

#[cfg(debug_assertions)]
use super::harness::{Bpflua, root_folder};
use super::harness::{Need, missing};
use super::packs_help::{Packs, golden, tool};

#[test]
fn a_new_pack_is_made_once() {
    let packs = Packs::new("packs-new");
    golden("new", &packs.shown(["pack", "new", "opens"]));
    golden("new_again", &packs.shown(["pack", "new", "opens"]));
    golden("new_bad_name", &packs.shown(["pack", "new", "Opens!"]));
    golden("info_new", &packs.shown(["pack", "info", "./opens"]));
}

#[cfg(feature = "compiler")]
#[test]
fn a_new_pack_passes_the_check() {
    if missing(&[Need::Btf, Need::Tracefs]) {
        return;
    }
    let packs = Packs::new("packs-new-check");
    packs.ok(["pack", "new", "opens"]);
    golden("check", &packs.shown(["pack", "check", "opens"]));
    golden("help_of_a_tool", &packs.shown(["run", "./opens/opens", "--", "--help"]));
}

#[cfg(feature = "compiler")]
#[test]
fn root_a_new_pack_passes_its_tests() {
    if missing(&[Need::Root, Need::Btf, Need::Tracefs]) {
        return;
    }
    let packs = Packs::new("packs-new-test");
    packs.ok(["pack", "new", "opens"]);
    assert_eq!(
        packs.ok(["pack", "test", "opens"]),
        "tests/opens.lua\n  ok a program that starts is shown\n  ok a process that is none is told\n1 of 1 test files passed\n"
    );
    // The test is one: a tool that does not do what it should is found out.
    let path = packs.path("opens/opens.lua");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("comm = ffi.string(event.comm)", "comm = 'other'")).unwrap();
    let ended = packs.run(["pack", "test", "opens"]).env("BPFLUA_TEST_DEADLINE", "3").run().expect(1);
    assert!(ended.stdout.contains("  failed a program that starts is shown\n"), "{}", ended.stdout);
    assert!(ended.stdout.contains("`opens` printed no row that fits"), "{}", ended.stdout);
    assert!(ended.stdout.ends_with("0 of 1 test files passed, 1 failed\n"), "{}", ended.stdout);
}

#[cfg(feature = "compiler")]
#[test]
fn the_check_tells_all_that_is_wrong() {
    if missing(&[Need::Btf]) {
        return;
    }
    let packs = Packs::new("packs-check");
    packs.pack("p", "p", "1.0.0", "made = \"made.lua\"\nbad = \"bad.lua\"\nneedy = \"needy.lua\"\n");
    packs.write("p/lib.lua", "return 1 +\n");
    packs.write("p/made.lua", tool("BPF{text = ('int NAME(void *ctx) { return 0; }'):gsub('NAME', 'f')}"));
    packs.write("p/bad.lua", tool("BPF{text = 'int f(void *ctx) { return x; }'}"));
    packs.write(
        "p/needy.lua",
        "--[==[ pack\nsummary = \"Wants much\"\nparameters = [{ name = \"top\", type = \"integer\", required = true, range = [3, 9] },\n{ name = \"file\", positional = true, required = true, type = \"path\", help = \"x\" }]\n]==]\nlocal tool = BPF.tool()\nassert(tool.args.top == 3)\nBPF{text = 'int f(void *ctx) { return y; }'}\n",
    );
    golden("check_wrong", &packs.shown(["pack", "check", "--no-cache", "p"]));
    packs.write("q/pack.toml", "[pack]\nname = \"q\"\nversion = \"1.0.0\"\napi = 1\n[dependencies]\nbase = \"^1\"\n");
    golden("check_dependency", &packs.shown(["pack", "check", "q"]));
    packs.write("r/pack.toml", "[pack]\nname = \"r\"\nverison = \"1.0.0\"\napi = 1\n");
    golden("check_manifest", &packs.shown(["pack", "check", "r"]));
    packs.write("s/readme", "");
    golden("check_no_pack", &packs.shown(["pack", "check", "s"]));
    golden("check_nothing", &packs.shown(["pack", "check", "nowhere"]));
}

#[test]
fn a_tool_runs_from_its_folder_with_its_own_files() {
    let packs = Packs::new("packs-run");
    packs.pack("p", "p", "1.0.0", "other = \"sub/other.lua\"\n");
    packs.write("p/sub/other.lua", tool("print(require('p.part'), arg[0] ~= nil, ...)"));
    // A file of the same name beside, and an installed pack of that name, do not come in between.
    packs.write("installed/p/part.lua", "return 'an impostor'");
    packs.write("p/sub/p/part.lua", "return 'another impostor'");
    assert_eq!(packs.ok(["run", "./p/other", "--", "--x", "1"]), "part of p 1.0.0\ttrue\t--x\t1\n");
    assert_eq!(packs.ok(["run", "./p/other", "--x"]), "part of p 1.0.0\ttrue\t--x\n");
    assert_eq!(packs.ok(["pack", "run", "./p/p"]), "p 1.0.0\n");
    golden("run_which", &packs.shown(["run", "./p"]));
    golden("run_no_tool", &packs.shown(["run", "./p/nothing"]));
    golden("run_no_pack", &packs.shown(["run", "nowhere/tool"]));
    golden("run_odd", &packs.shown(["run", "a/b/c"]));
    golden("run_embedded_no_tool", packs.run(["run", "tools/no_such_tool"]).run().stderr.lines().next().unwrap());
    packs.write("p/sub/other.lua", tool("require('p.gone')"));
    let ended = packs.run(["run", "./p/other"]).run().expect(1);
    golden("run_file_missing", &packs.mask(&ended));
}

#[test]
fn one_file_is_a_pack() {
    let packs = Packs::new("packs-file");
    let head = "[pack]\nname = \"one\"\nversion = \"0.1.0\"\napi = 1\n";
    packs.write("one.lua", format!("--[==[ pack\nsummary = \"One file\"\n{head}]==]\nprint('one', BPF.tool().name)\n"));
    assert_eq!(packs.ok(["run", "./one.lua"]), "one\tone\n");
    assert_eq!(packs.ok(["run", "one.lua"]), "one\tone\n");
    packs.ok(["pack", "install", "one.lua"]);
    assert_eq!(packs.ok(["one"]), "one\tone\n");
    assert_eq!(packs.ok(["run", "one"]), "one\tone\n");
    assert_eq!(packs.ok(["run", "one/one"]), "one\tone\n");
}

#[test]
fn what_is_there_is_told() {
    let packs = Packs::new("packs-list");
    packs.pack("base", "base", "1.2.0", "");
    packs.pack("tcp", "tcp", "2.0.0", "[dependencies]\nbase = \"^1\"\n");
    packs.ok(["pack", "install", "./tcp"]);
    packs.write("installed/byhand/init.lua", "return 1");
    packs.pack("installed/own", "own", "1.0.0", "");
    let listed = packs.shown(["pack", "list"]);
    let others: String =
        listed.lines().filter(|line| !line.starts_with("tools ")).map(|line| format!("{line}\n")).collect();
    golden("list", &others);
    assert!(listed.contains("a part of bpflua"), "{listed}");
    golden("info", &packs.shown(["pack", "info", "tcp"]));
    golden("info_missing", &packs.shown(["pack", "info", "udp"]));
    let found = packs.shown(["pack", "search", "Pack TCP"]);
    golden("search", &found);
    golden("search_nothing", &packs.shown(["pack", "search", "tcp", "quic"]));
    assert!(packs.ok(["pack", "search", "programs", "start"]).contains("tools/execsnoop"));
    let json = packs.ok(["pack", "list", "--json"]);
    let tcp: serde_json::Value = json
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .find(|pack: &serde_json::Value| pack["name"] == "tcp")
        .unwrap();
    assert_eq!(
        (tcp["version"].as_str(), tcp["tools"][0].as_str(), tcp["requested"].as_bool()),
        (Some("2.0.0"), Some("tcp"), Some(true))
    );
}

#[test]
fn one_tool_that_cannot_be_read_leaves_the_others() {
    let packs = Packs::new("packs-bad-head");
    packs.pack("installed/own", "own", "1.0.0", "worse = \"worse.lua\"\n");
    packs.write("installed/own/worse.lua", "--[==[ pack\nsummary = 3\n]==]\n");
    let listed = packs.shown(["pack", "list"]);
    golden("bad_head_list", &listed.lines().filter(|line| !line.starts_with("tools ")).collect::<Vec<_>>().join("\n"));
    golden("bad_head_search", &packs.shown(["pack", "search", "own"]));
}

/// A copy of bpflua in the folder of `packs`, with tools that can be spoilt. Only a debug build reads them from where it lies.
#[cfg(debug_assertions)]
fn copy_of_bpflua(packs: &Packs) -> impl Fn(&[&str]) -> String {
    use std::os::unix::fs::symlink;
    let root = root_folder();
    std::fs::create_dir_all(packs.path("scripts/tools")).unwrap();
    for name in ["scripts/lib", "scripts/types", "bpf-include"] {
        symlink(root.join(name), packs.path(name)).unwrap();
    }
    for entry in std::fs::read_dir(root.join("scripts/tools")).unwrap().flatten() {
        std::fs::copy(entry.path(), packs.path("scripts/tools").join(entry.file_name())).unwrap();
    }
    let program = packs.path("bpflua");
    std::fs::hard_link(env!("CARGO_BIN_EXE_bpflua"), &program).unwrap();
    let program = [program.display().to_string()];
    move |args| {
        let command = Bpflua::other(&[], &program, args).env("BPFLUA_PACKS", packs.path("installed"));
        packs.mask(&command.env("HOME", "/nonexistent").run())
    }
}

#[cfg(debug_assertions)]
#[test]
fn one_tool_of_bpflua_that_cannot_be_read_leaves_the_others() {
    let packs = Packs::new("packs-bad-tool");
    let run = copy_of_bpflua(&packs);
    packs.write("scripts/tools/opensnoop.lua", "--[==[ pack\nsumary = \"x\"\n]==]\n");
    let listed = run(&["pack", "list"]);
    assert!(listed.contains("a part of bpflua"), "{listed}");
    golden("bad_tool_list", listed.lines().find(|line| line.starts_with("bpflua: ")).unwrap());
    golden("bad_tool_search", &run(&["pack", "search", "programs", "start"]));
    golden("bad_tool_run", &run(&["opensnoop"]));
    assert!(run(&["execsnoop", "--help"]).contains("Programs as they start"));
}

#[cfg(all(debug_assertions, feature = "compiler"))]
#[test]
fn root_the_tools_of_bpflua_are_held_to_what_they_declare() {
    if missing(&[Need::Root, Need::Btf, Need::Tracefs]) {
        return;
    }
    let packs = Packs::new("packs-held-tool");
    let run = copy_of_bpflua(&packs);
    let file = "scripts/tools/execsnoop.lua";
    let text = std::fs::read_to_string(packs.path(file)).unwrap();
    let without = |declared: &str| packs.write(file, text.replace(declared, ""));
    without(", \"tracepoint:syscalls:sys_*_execveat\"");
    golden("held_tool_attach", &run(&["execsnoop"]));
    without("lua = [\"ffi\"]\n");
    golden("held_tool_lua", &run(&["execsnoop"]));
    packs.write(file, text.replace("local tool = BPF.tool()", "local tool = BPF.tool()\nos.execute(\"true\")"));
    golden("held_tool_execute", &run(&["execsnoop"]));
}

#[cfg(feature = "compiler")]
#[test]
fn root_features_that_a_pack_requires_are_looked_at() {
    use bpflua::kernel::features::{self, Feature, supports};
    if missing(&[Need::Root, Need::Btf]) {
        return;
    }
    let packs = Packs::new("packs-features");
    let requires = |features: &str| {
        packs.pack("p", "p", "1.0.0", &format!("[requires]\nfeatures = [{features}]\n"));
        packs.shown(["pack", "check", "p"])
    };
    golden("features_all", &requires("\"btf\", \"global variables\", \"perf-buffer\""));
    golden("features_unknown", &requires("\"ring-bufer\", \"time travel\""));
    assert_eq!(packs.run(["run", "./p"]).run().expect(1).stdout, "");
    for feature in
        [Feature::KprobePmu, Feature::KprobeMulti, Feature::Fentry, Feature::UprobeMulti, Feature::RingBuffer]
    {
        let word = features::Need::Feature(feature).word();
        let checked = requires(&format!("\"{word}\""));
        let line = checked.lines().find(|line| line.starts_with(&format!("requires `{word}`: ")));
        let is_here = supports(feature).is_supported();
        assert_eq!(line.is_some_and(|line| line.contains("not in this kernel (")), !is_here, "{checked}");
        let lacking = features::Need::Feature(feature).lacking();
        assert_eq!(line.is_some_and(|line| line.contains("not in Linux ")), !lacking.is_empty(), "{checked}");
        assert!(checked.trim_end().ends_with("nothing is wrong\nstatus 0"), "{checked}");
        let ran = packs.run(["run", "./p"]).run();
        match is_here {
            true => assert_eq!(ran.expect(0).stdout, "p 1.0.0\n"),
            false => {
                let told = ran.expect(3).stderr;
                let why = format!("error: cannot run `p`: this kernel lacks `{word}`, which pack `p` requires\n");
                assert!(told.starts_with(&why) && told.contains("hint: `bpflua doctor`"), "{told}");
            }
        }
    }
}
