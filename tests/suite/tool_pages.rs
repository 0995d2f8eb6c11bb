// SPDX-License-Identifier: Apache-2.0
//! The page and the flame graph of a tool, as a browser reads them: no name of a process becomes markup, tables sort, the
//! flame graph's own script runs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::harness::{Need, bpflua, missing, root_folder, scratch};

const BROWSER: &str = "chromium-headless-shell";

/// The document after its scripts ran.
fn dom(file: &Path) -> String {
    let mut command = Command::new(BROWSER);
    command.args(["--no-sandbox", "--disable-gpu", "--virtual-time-budget=3000", "--dump-dom"]);
    let output = command.arg(format!("file://{}", file.display())).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains('<'), "{BROWSER} shows nothing: {}", String::from_utf8_lossy(&output.stderr));
    text
}

/// What the test tool writes with an option.
fn written(option: &str, name: &str, words: &[&str]) -> PathBuf {
    let file = scratch(&format!("tool_pages_{name}")).join(name);
    let tool = root_folder().join("tests/lua/shared/shapes.lua");
    let head = [tool.to_str().unwrap(), option, file.to_str().unwrap()];
    bpflua(head.iter().chain(words)).run().expect(0);
    file
}

/// The page with a script at its end, which writes what it found into the document's title.
fn probe(page: &Path, script: &str) -> String {
    let text = fs::read_to_string(page).unwrap();
    let probed = page.with_extension("probed.html");
    fs::write(&probed, text.replace("</body>", &format!("<script>{script}</script></body>"))).unwrap();
    let shown = dom(&probed);
    let title = shown.split("<title>").nth(1).unwrap().split("</title>").next().unwrap();
    title.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

#[test]
fn a_page_is_what_the_browser_shows() {
    if missing(&[Need::Root, Need::Btf, Need::Tool(BROWSER)]) {
        return;
    }
    let page = written("--html", "page.html", &["-n", "rows", "hist", "sections", "stacks", "views", "say"]);
    let names = probe(
        &page,
        "const count = what => document.querySelectorAll(what).length;
         document.title = [count('img'), count('figure svg.histogram'), count('iframe'), count('details.older'),
            count('table.sortable'), document.querySelector('td').textContent.slice(0, 8)].join('|')",
    );
    // Rows, functions of the stacks, three views.
    assert_eq!(names, "0|3|1|2|5|<img src");
    let sorted = probe(
        &page,
        "const table = document.querySelector('section.rows table');
         const buttons = table.querySelectorAll('th button');
         const column = at => Array.from(table.tBodies[0].rows, row => row.cells[at].textContent).join(' ');
         const seen = [];
         buttons[1].click(); seen.push(column(1));
         buttons[1].click(); seen.push(column(1));
         buttons[2].click(); seen.push(column(2).trim());
         document.title = seen.join('|')",
    );
    assert_eq!(sorted, "10.00 9.50 1.23|1.23 9.50 10.00|18446744073709551615 3");
    let filtered = probe(
        &page,
        "const input = document.querySelector('input.filter');
         input.value = '17.00'; input.dispatchEvent(new Event('input'));
         const rows = Array.from(input.parentElement.querySelectorAll('tbody tr'));
         document.title = rows.filter(row => !row.hidden).length + '/' + rows.length",
    );
    assert_eq!(filtered, "1/40");
}

#[test]
fn a_flame_graph_is_drawn_by_the_browser() {
    if missing(&[Need::Root, Need::Btf, Need::Tool(BROWSER)]) {
        return;
    }
    let shown = dom(&written("--flamegraph", "graph.svg", &["-n", "stacks"]));
    assert!(!shown.contains("parsererror") && !shown.contains("<img"), "{shown}");
    // Its script gives the frames their places.
    assert!(shown.contains("<title>main (30 us, 75.00%)</title>") && shown.contains("id=\"frames\""), "{shown}");
    let page = written("--html", "inlined.html", &["stacks"]);
    let text = fs::read_to_string(&page).unwrap();
    let inner = text.split("srcdoc=\"").nth(1).unwrap().split('"').next().unwrap();
    let inner = inner
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&amp;", "&");
    let alone = page.with_file_name("frame.html");
    fs::write(&alone, inner + "<script>addEventListener('load', () => document.title = document.querySelectorAll('#frames g').length + ' ' + document.querySelector('#search').textContent)</script>").unwrap();
    let shown = dom(&alone);
    assert!(shown.contains("<title>7 Search</title>"), "{shown}");
}
