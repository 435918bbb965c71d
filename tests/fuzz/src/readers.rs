//! What the host reads: recordings, manifests, files of tasks and offers.

use std::path::Path;

use offermatch::{
    Catalog, Format, Manifest, Matcher, Offers, Recording, Settings, Step, Tasks, parse_offers, parse_tasks,
};

/// Rows without a column cost memory, not bytes: above this many, a file is read but not used.
const MOST_ROWS: u32 = 1 << 12;

/// A recording that is read is written and read back as it was; a replay of it ends, with an answer or an error.
pub(crate) fn recordings(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match Recording::parse(text, "fuzz") {
        Ok(recording) => {
            let written = recording.to_json();
            let again = Recording::parse(&written, "fuzz").expect("what is written can be read");
            assert_eq!(again.to_json(), written, "what is read is written as it was");
            if is_small(&recording) {
                drop(recording.replay(&Matcher::reference()));
            }
        }
        Err(error) => assert_eq!(error.code(), "file-malformed", "{error}"),
    }
}

fn is_small(recording: &Recording) -> bool {
    let tables = recording.steps.iter().flat_map(|step| match step {
        Step::Assign { tasks, .. } | Step::Explain { tasks, .. } => [tasks.rows, 0],
        Step::Update { changes, .. } => [changes.changed.rows, changes.added.rows],
        _ => [0, 0],
    });
    recording.shape.dimensions < MOST_ROWS && tables.chain([recording.offers.rows]).all(|rows| rows < MOST_ROWS)
}

/// A manifest that is read has a digest that is one.
pub(crate) fn manifests(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match Manifest::parse(text, Path::new("folder/manifest.json")) {
        Ok(manifest) => {
            let digits = manifest.digest.strip_prefix("sha256:").expect("a digest of its kind");
            assert!(digits.len() == 64 && digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        }
        Err(error) => assert_eq!(error.code(), "manifest-malformed", "{error}"),
    }
}

/// Files of tasks and offers are read, put into columns and matched, or refused with an error of the input. The first byte
/// is the format; an ASCII record separator ends the tasks and begins the offers.
pub(crate) fn rows(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (format, text) = match text.split_at_checked(1) {
        Some(("{", text)) => (Format::Json, text),
        Some((",", text)) => (Format::Csv, text),
        Some(("o", text)) => (Format::Openb, text),
        _ => return,
    };
    let (tasks, offers) = text.split_once('\x1e').unwrap_or((text, text));
    let read = || {
        let (tasks, offers) = (parse_tasks(tasks, format, "tasks")?, parse_offers(offers, format, "offers")?);
        let catalog = Catalog::of(&offers, &tasks);
        let (tasks, offers) = (Tasks::new(&tasks, &catalog)?, Offers::new(&offers, &catalog)?);
        Matcher::reference().match_tasks(&tasks, &offers, &Settings::default())
    };
    if let Err(error) = read() {
        let hint = error.hint();
        assert!(!error.code().is_empty() && !error.to_string().is_empty() && !hint.is_empty(), "{error:?}");
    }
}
