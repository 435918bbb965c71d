//! `stage --progress json`: one object a line to the last, also where the stage is stopped or a path is no text.
#![cfg(unix)]

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::ffi::OsStrExt as _;
use std::process::{Command, Output, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// The program with these options.
fn program(options: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_offermatch-stage"));
    command.args(["--exact", "--progress", "json"]).args(options);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// The objects in the lines, of which the first and the last are these events.
fn lines(output: &Output, last: &str) -> Vec<Value> {
    let text = str::from_utf8(&output.stdout).expect("lines are UTF-8");
    assert!(text.ends_with('\n'), "the last line is cut: {text}");
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let event = |line: Option<&Value>| line.and_then(|line| line["event"].as_str().map(str::to_owned));
    assert_eq!(
        (event(lines.first()).as_deref(), event(lines.last()).as_deref()),
        (Some("start"), Some(last)),
        "{text}"
    );
    lines
}

#[test]
fn a_stage_that_is_stopped_says_so_in_its_last_line_and_ends_with_130() {
    let place = tempfile::tempdir().unwrap();
    let (source, target) = (place.path().join("source.bin"), place.path().join("target.bin"));
    fs::write(&source, vec![7; 8 << 20]).unwrap();
    for signal in [Signal::INT, Signal::TERM] {
        let mut child = program(&["--bandwidth", "1MB"]).args([&source, &target]).spawn().unwrap();
        // The whole stage takes 8 s: it is stopped at the first progress.
        let mut told = BufReader::new(child.stdout.take().unwrap());
        let mut stdout = Vec::new();
        while !String::from_utf8_lossy(&stdout).contains(r#""event":"progress""#) {
            assert!(told.read_until(b'\n', &mut stdout).unwrap() > 0, "no progress is told");
        }
        kill_process(Pid::from_child(&child), signal).unwrap();
        told.read_to_end(&mut stdout).unwrap();
        let output = Output { stdout, ..child.wait_with_output().unwrap() };
        assert_eq!(output.status.code(), Some(130), "{}", String::from_utf8_lossy(&output.stderr));
        let lines = lines(&output, "error");
        assert!(lines.iter().any(|line| line["event"] == "progress" && line["bytes_found"] == 8 << 20), "{lines:?}");
        assert_eq!(lines.last().unwrap()["code"], "cancelled");
        assert!(!target.exists());
    }
    let output = program(&[]).args([&source, &target]).output().unwrap();
    assert!(output.status.success());
    assert_eq!(lines(&output, "done").last().unwrap()["bytes_done"], 8 << 20);
    assert_eq!(fs::read(&target).unwrap(), fs::read(&source).unwrap());
}

/// macOS takes no such name.
#[cfg(target_os = "linux")]
#[test]
fn a_name_that_is_no_text_is_staged_and_shown_as_far_as_it_is() {
    let place = tempfile::tempdir().unwrap();
    let source = place.path().join(OsStr::from_bytes(b"a\xffb"));
    let target = place.path().join(OsStr::from_bytes(b"c\xffd"));
    fs::write(&source, b"data").unwrap();
    let output = program(&[]).args([&source, &target]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = lines(&output, "done");
    let item = &lines.last().unwrap()["items"][0];
    assert!(item["source"].as_str().unwrap().ends_with("a\u{fffd}b"), "{item}");
    assert!(item["target"].as_str().unwrap().ends_with("c\u{fffd}d"), "{item}");
    assert_eq!(fs::read(&target).unwrap(), b"data");
}
