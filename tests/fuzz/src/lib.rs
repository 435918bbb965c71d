//! What must hold for whatever bytes come. A target takes bytes and panics where its sentence does not hold.
//!
//! `cargo test --package offermatch-fuzz` answers the kept corpus and a bounded number of changes of it; `tests/fuzz/run.sh`
//! lets libFuzzer look for new ones, led by coverage.

extern crate alloc;

#[path = "../../../guest/kit/src/digits.rs"]
mod digits;
mod packed;
mod pools;
mod readers;
#[path = "../../../guest/core/tests/stories/mod.rs"]
mod stories;

/// What must hold for some bytes.
pub type Target = fn(&[u8]);

/// The targets by name; the corpus of each lies in the folder of its name.
pub const TARGETS: [(&str, Target); 6] = [
    ("digits", packed::digits),
    ("stories", pools::stories),
    ("tables", pools::tables),
    ("recordings", readers::recordings),
    ("manifests", readers::manifests),
    ("rows", readers::rows),
];
