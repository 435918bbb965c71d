//! Text of strangers on every way out for people: visible, on one line, short.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

const HOSTILE: &str = "a\nforged  done\r\u{1b}]0;title\u{7}\u{1b}[2J\u{202e}backwards\u{2028}<b>html</b>";
const SHOWN: &str = "a\\nforged  done\\r\\x1b]0;title\\x07\\x1b[2J\\u202ebackwards\\u2028<b>html</b>";

/// Runs the program in a folder.
fn run(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_offermatch-host"));
    command.args(arguments).current_dir(folder).output().expect("the program was built")
}

/// Asserts that what was printed holds visible characters alone, and no line that somebody else began.
#[track_caller]
fn is_safe(printed: Vec<u8>) -> String {
    let text = String::from_utf8(printed).unwrap();
    assert!(
        text.chars().all(|one| one == '\n' || !one.is_control() && one != '\u{202e}' && one != '\u{2028}'),
        "{text:?}"
    );
    assert!(text.lines().all(|line| line.split_whitespace().next() != Some("forged")), "{text:?}");
    assert!(text.len() < 20_000);
    text
}

#[test]
fn errors_of_every_command_are_safe() {
    let folder = tempfile::tempdir().unwrap();
    let nowhere = HOSTILE.replace('/', "");
    for arguments in [
        vec!["match", "--tasks", &nowhere, "--offers", "none"],
        vec!["match", "--sample", "uniform:2x2", "--matcher", &nowhere],
        vec!["match", "--sample", "uniform:2x2", "--limits", &nowhere],
        vec!["match", "--sample", &nowhere],
        vec!["inspect", &nowhere],
        vec!["replay", &nowhere],
        vec!["swap", "--manifest", &nowhere],
        vec!["conformance", &nowhere],
        vec!["conformance", "--cases", &nowhere],
        vec!["conformance", "--skip", &nowhere],
        vec!["pack", "--tasks", &nowhere, "--offers", "none"],
    ] {
        let output = run(folder.path(), &arguments);
        assert!(matches!(output.status.code(), Some(1 | 2)), "{arguments:?}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
        is_safe(output.stderr);
    }
}

#[test]
fn names_in_a_summary_are_safe_and_data_is_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let tasks =
        serde_json::json!([{"name": HOSTILE, "demand": {HOSTILE: 1}}, {"name": "large", "demand": {HOSTILE: 9}}]);
    fs::write(folder.path().join("tasks.json"), tasks.to_string()).unwrap();
    let offers = serde_json::json!([{"name": HOSTILE, "available": {HOSTILE: 1}}]);
    fs::write(folder.path().join("offers.json"), offers.to_string()).unwrap();
    let files = ["match", "--tasks", "tasks.json", "--offers", "offers.json"];
    let shown = run(folder.path(), &[&files[..], &["--output", "summary", "--explain"]].concat());
    assert!(shown.status.success(), "{}", String::from_utf8_lossy(&shown.stderr));
    assert!(is_safe(shown.stdout).contains(SHOWN));
    let exact = run(folder.path(), &files);
    let answer: serde_json::Value = serde_json::from_slice(&exact.stdout).unwrap();
    assert_eq!(answer["assignments"][0]["task"], HOSTILE);
}

#[test]
fn a_path_in_an_inspection_is_safe() {
    let folder = tempfile::tempdir().unwrap();
    let name = HOSTILE.replace('/', "");
    fs::write(folder.path().join(&name), offermatch::Matcher::bundled_bytes("best-fit").unwrap()).unwrap();
    let output = run(folder.path(), &["inspect", &name]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(is_safe(output.stdout).contains("a\\nforged"));
}

#[test]
fn the_log_and_the_report_for_build_servers_are_safe() {
    let folder = tempfile::tempdir().unwrap();
    let name = HOSTILE.replace('/', "");
    fs::write(folder.path().join(&name), offermatch::Matcher::bundled_bytes("best-fit").unwrap()).unwrap();
    let log = run(folder.path(), &["--verbose", "match", "--sample", "uniform:2x2", "--matcher", &name]);
    assert!(log.status.success(), "{}", String::from_utf8_lossy(&log.stderr));
    assert!(is_safe(log.stderr).contains("a\\nforged"), "the path is in the log");

    // A case whose answer is not right.
    let cases = folder.path().join("cases");
    fs::create_dir(&cases).unwrap();
    let step = serde_json::json!({"assign": {"rows": 1, "demand": [5]}, "answer": {"tasks": [0], "offers": [0], "scores": [0.0]}});
    let case = serde_json::json!({"name": HOSTILE, "about": HOSTILE, "offers": {"rows": 1, "available": [4]}, "steps": [step]});
    let group =
        serde_json::json!({"format": "offermatch-cases/1", "group": HOSTILE, "about": HOSTILE, "cases": [case]});
    fs::write(cases.join("own.json"), group.to_string()).unwrap();
    let arguments = ["conformance", "bundled", "--cases", "cases", "--generated", "0", "--junit", "report.xml"];
    let judged = run(folder.path(), &arguments);
    assert_eq!(judged.status.code(), Some(1), "{}", String::from_utf8_lossy(&judged.stderr));
    let report = fs::read(folder.path().join("report.xml")).unwrap();
    assert!(is_safe(report).contains("a\\nforged"), "the name of the case is in the report");
    is_safe(judged.stdout);
}
