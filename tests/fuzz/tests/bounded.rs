//! Each target, on its kept corpus and on a bounded number of changes of it; the same ones each time.

use std::fs;
use std::path::Path;

use offermatch_fuzz::TARGETS;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};

/// Changes of the corpus that each target is given, unless `PROPTEST_CASES` says otherwise.
const CASES: u32 = 1000;

/// What files are made of, and what breaks them.
const PIECES: [&str; 40] = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\\",
    "null",
    "true",
    "NaN",
    "Infinity",
    "-",
    "-0",
    "0",
    "1",
    "1e3",
    "1e999",
    "0.5",
    "4294967295",
    "4294967296",
    "18446744073709551615",
    "18446744073709551616",
    "\\ud800",
    "\\u0000",
    "\u{feff}",
    "é",
    "\n",
    "\r\n",
    "|",
    "!",
    "\"rows\":",
    "\"answer\":",
    "\"error\":",
    "\"update\":",
    "\"removed\":",
    "\"changed\":",
    "\"devices\":",
    "GiB",
    "\x1e",
];

/// One change of some bytes.
#[derive(Debug, Clone)]
enum Edit {
    Set(Index, u8),
    Cut(Index, Index),
    Repeat(Index, Index),
    Insert(Index, &'static str),
}

fn edit() -> impl Strategy<Value = Edit> {
    let at = any::<Index>;
    prop_oneof![
        (at(), any::<u8>()).prop_map(|(at, byte)| Edit::Set(at, byte)),
        (at(), at()).prop_map(|(at, end)| Edit::Cut(at, end)),
        (at(), at()).prop_map(|(at, end)| Edit::Repeat(at, end)),
        (at(), select(&PIECES[..])).prop_map(|(at, piece)| Edit::Insert(at, piece)),
    ]
}

fn edited(mut bytes: Vec<u8>, edits: &[Edit]) -> Vec<u8> {
    for edit in edits {
        let place = |at: &Index| at.index(bytes.len() + 1);
        match edit {
            Edit::Set(at, byte) => {
                let at = place(at);
                bytes.splice(at..(at + 1).min(bytes.len()), [*byte]);
            }
            Edit::Cut(at, end) => {
                let (at, end) = (place(at), place(end));
                // Mostly little: what is left should still be nearly a file.
                bytes.drain(at..end.clamp(at, (at + 16).min(bytes.len())));
            }
            Edit::Repeat(at, end) => {
                let (at, end) = (place(at), place(end));
                let piece = bytes[at..end.clamp(at, (at + 64).min(bytes.len()))].to_vec();
                bytes.splice(at..at, piece);
            }
            Edit::Insert(at, piece) => {
                let at = place(at);
                bytes.splice(at..at, piece.bytes());
            }
        }
    }
    bytes
}

#[test]
fn what_must_hold_holds_for_the_corpus_and_for_changes_of_it() {
    for (name, target) in TARGETS {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name);
        let mut files: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        assert!(!files.is_empty(), "{} has no corpus", folder.display());
        let corpus: Vec<Vec<u8>> = files.iter().map(|file| fs::read(file).unwrap()).collect();
        corpus.iter().for_each(|bytes| target(bytes));

        let cases = if std::env::var_os("PROPTEST_CASES").is_some() { ProptestConfig::default().cases } else { CASES };
        let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
        let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
        let changed = (select(corpus), vec(edit(), 1..6)).prop_map(|(bytes, edits)| edited(bytes, &edits));
        let held = runner.run(&changed, |bytes| {
            target(&bytes);
            Ok(())
        });
        if let Err(failed) = held {
            panic!("{name}: {failed}");
        }
    }
}
