// SPDX-License-Identifier: Apache-2.0
//! `--json`: events as lines that a program can read, nothing else on standard output.

use super::harness::{Need, bpflua, missing, thread_id};

#[test]
fn root_events_become_lines_of_json() {
    if missing(&[Need::Root, Need::Btf]) {
        return;
    }
    let call = format!("__NR_CALL={}", libc::SYS_getpgid);
    let thread = format!("THREAD={}", thread_id());
    let mut tracer = bpflua(["--json", "-D", &thread, "-D", &call, "tests/runtime/lifecycle/json.lua"]).start();
    tracer.until_told("tracing");
    tracer.until_in_its_loop();
    let work = || {
        // SAFETY: takes no pointers.
        unsafe { libc::getpgid(0) };
    };
    tracer.work_until("both buffers", work, |lines| {
        (lines.contains("\"seen\"") && lines.contains("\"rest\"")).then_some(())
    });
    let ended = tracer.interrupt().expect(0);
    assert!(ended.stderr.contains("handled\t0"), "handlers do not run: {}", ended.stderr);
    for line in ended.stdout.lines() {
        let value: serde_json::Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        match value["map"].as_str() {
            Some("seen") => {
                let event = &value["event"];
                assert_eq!(event["pid"], std::process::id(), "{line}");
                assert_eq!((&event["minus"], &event["name"]), (&(-5).into(), &"a\"b".into()), "{line}");
                assert_eq!(event["pair"], serde_json::json!([1, 2]), "{line}");
                assert!(value["cpu"].is_u64(), "{line}");
            }
            Some("rest") => assert_eq!((&value["event"], &value["cpu"]), (&0xbeef.into(), &serde_json::Value::Null)),
            other => panic!("of map {other:?}: {line}"),
        }
    }
}

#[test]
fn root_every_part_of_an_event_is_in_its_line() {
    if missing(&[Need::Root, Need::Btf]) {
        return;
    }
    let ended = bpflua(["--json", "tests/runtime/lifecycle/json_members.lua"]).run().expect(0);
    let line = ended.stdout.trim_end();
    let event = line.strip_prefix("{\"map\":\"events\",\"cpu\":").and_then(|rest| rest.split_once(",\"event\":"));
    let wanted = "{\"parts\":[{\"state\":\"IDLE\",\"wide\":0,\"name\":\"\"},{\"state\":\"BUSY\",\"wide\":-3,\"name\":\"four\"}],\
                  \"either\":{\"whole\":258,\"bytes\":[2,1]},\"loose\":true,\"huge\":\"18446744073709551616\",\
                  \"grid\":[[0,0],[7,0]],\"bits\":\"BUSY\"}}";
    assert_eq!(event.map(|(_, event)| event), Some(wanted), "{line}");
    // Without the option, the same event goes to the handler.
    let ended = bpflua(["tests/runtime/lifecycle/json_members.lua"]).run().expect(0);
    assert!(
        ended.stdout.contains("name = \"four\"}}, either = {whole = 258, bytes = {2, 1}}, loose = true"),
        "{}",
        ended.stdout
    );
}
