// SPDX-License-Identifier: Apache-2.0
//! The same scripts by Debian's bcc-lua, for `tests/conformance/peer_lua`.

use super::scripts::{Launcher, Scripts};
use super::{Case, Outcome, examples, run_cases, table, tools};

/// Both run in one virtual machine; `BPFLUA_BCC_LUA` is bcc-lua's command, `BPFLUA_BCC_LUA_TABLE` the file to write.
#[test]
#[ignore = "a part of `tests/conformance/peer_lua`"]
fn scripts_by_bpflua_and_bcc_lua() {
    let command = std::env::var("BPFLUA_BCC_LUA").unwrap();
    let words: Vec<String> = command.split_whitespace().map(str::to_owned).collect();
    let parts: [(&'static str, &[Case]); 2] = [(examples::FOLDER, &examples::CASES), (tools::FOLDER, &tools::CASES)];
    let (mut rows, mut works, mut runs) = (String::new(), [0, 0], 0);
    for (folder, cases) in parts {
        let Ok(scripts) = Scripts::find(folder) else { continue };
        let (ours, theirs) = (Launcher::bpflua(&scripts), Launcher::other(&scripts, words.clone()));
        for case in cases.chunks(1) {
            let ((name, ours), (_, theirs)) = (run_cases(case, &ours).remove(0), run_cases(case, &theirs).remove(0));
            runs += 1;
            let (our_word, our_reason) = cells(&ours, "bpflua", &mut works[0]);
            let (their_word, their_reason) = cells(&theirs, "bcc-lua", &mut works[1]);
            let reasons: Vec<String> = [our_reason, their_reason].into_iter().flatten().collect();
            let row = format!("| {folder}/{name} | {our_word} | {their_word} | {} |\n", reasons.join("<br>"));
            println!("{}", row.trim_end());
            rows += &row;
            write(&rows, works, runs);
        }
    }
}

/// Writes what is known so far: a run takes long, and may be ended.
fn write(rows: &str, works: [usize; 2], runs: usize) {
    let text = format!(
        "{runs} runs: {} work by bpflua, {} by bcc-lua.\n\n| script | bpflua | bcc-lua | why not |\n|---|---|---|---|\n{rows}",
        works[0], works[1]
    );
    std::fs::write(std::env::var_os("BPFLUA_BCC_LUA_TABLE").unwrap(), text).unwrap();
}

fn cells(outcome: &Outcome, whose: &str, works: &mut usize) -> (&'static str, Option<String>) {
    let (word, what) = table::words(outcome);
    let is_seen = matches!(outcome, Outcome::Seen(_));
    *works += usize::from(is_seen);
    (word, (!is_seen).then(|| format!("{whose}: {what}")))
}
