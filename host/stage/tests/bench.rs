//! `offermatch-stage bench`: every way is measured, and nothing is left behind.
#![cfg(unix)]

use std::process::Command;

use serde_json::Value;

#[test]
fn every_way_is_measured_and_nothing_is_left_behind() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_offermatch-stage"));
    command.args(["bench", "--size", "1MiB", "--files", "20", "--rounds", "1", "--json", "-"]).arg(folder.path());
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let named = |rows: &Value, name: &str| rows.as_array().unwrap().iter().any(|row| row["name"] == name);
    assert!(named(&report["large"], "Python blocking") && named(&report["small"], "cp -r"), "{report}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}
