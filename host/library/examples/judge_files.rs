//! What the readers say of files: one line of JSON for each, what it holds or with which error it is refused.
//!
//! `tests/test_same_bytes.py` compares it with what the Python host says of the same bytes.

use offermatch::{Error, Manifest, Recording, Suite};
use serde_json::{Value, json};

/// Judges the files that the command line names, one kind for all: `recording`, `manifest`, or `cases` for directories.
fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let read = match arguments.next().as_deref() {
        Some("recording") => recording,
        Some("manifest") => manifest,
        Some("cases") => cases,
        _ => anyhow::bail!("usage: judge_files recording|manifest|cases PATH..."),
    };
    for path in arguments {
        let refused = |error: Error| json!({"refused": error.code(), "text": error.to_string(), "hint": error.hint()});
        let verdict = read(&path).unwrap_or_else(refused);
        println!("{verdict}");
    }
    Ok(())
}

/// What a recording holds.
fn recording(path: &str) -> Result<Value, Error> {
    Recording::read(path).map(|recording| json!({"recording": recording.to_json()}))
}

/// What a manifest asks for.
fn manifest(path: &str) -> Result<Value, Error> {
    let found = Manifest::read(path)?;
    Ok(json!({
        "matcher": found.matcher, "version": found.version, "policy": found.policy, "path": found.path,
        "digest": found.digest, "conformance": <&str>::from(found.conformance),
        "shadow_cycles": found.shadow_cycles, "probation_cycles": found.probation_cycles,
    }))
}

/// What the cases of a directory hold.
fn cases(path: &str) -> Result<Value, Error> {
    let groups = Suite::read(path)?.groups.into_iter().map(|group| {
        let cases: Vec<String> = group.cases.iter().map(Recording::to_json).collect();
        json!({"group": group.name, "about": group.about, "cases": cases})
    });
    Ok(json!({"groups": groups.collect::<Vec<_>>()}))
}
