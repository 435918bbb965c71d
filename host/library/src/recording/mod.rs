//! Recordings: what a pool was opened with, what was asked of it, and what it answered (`docs/recordings.md`).

mod call;
mod explained;
mod format;
mod real;
mod recorder;
mod replay;
mod rotation;
mod tables;

use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use offermatch_core::{Assignments, Changes, OfferTable, Plan, RunningTable, Settings, Shape, TaskTable};

pub use recorder::Recorder;
pub use replay::{Change, Difference, Replay};
pub use rotation::Rotation;

use crate::error::{Error, SEE_FORMATS};
use crate::pool::counts::Counts;
use crate::pool::matcher::Matcher;
use crate::read::strict_json::{self, Object};
use crate::reading::{self, MOST_OF_A_RECORDING};
use crate::writing::write_whole;

/// What a pool was opened with, what was asked of it, and what it answered. Conformance cases are recordings whose answers
/// somebody worked out.
///
/// Example: [`crate::Recorder`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Recording {
    /// What it is called; may be empty.
    pub name: String,
    /// Why it is there; may be empty.
    pub about: String,
    /// What it belongs to; may be empty.
    pub group: String,
    /// Who answered, where that is known.
    pub matcher: Option<RecordedMatcher>,
    /// How wide the tables are.
    pub shape: Shape,
    /// How the offers are ranked.
    pub settings: Settings,
    /// The offers.
    pub offers: OfferTable,
    /// The error of the contract with which opening is refused, by name.
    pub open_error: Option<String>,
    /// What was asked, and answered.
    pub steps: Vec<Step>,
}

/// Who gave the answers of a recording.
///
/// ```
/// use offermatch::{Matcher, RecordedMatcher};
///
/// assert_eq!(RecordedMatcher::from(&Matcher::reference()).policy, "best-fit");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RecordedMatcher {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its policy.
    pub policy: String,
    /// The contract it speaks.
    pub contract: String,
    /// The SHA-256 of its bytes; none for a reference.
    pub digest: Option<String>,
}

impl From<&Matcher> for RecordedMatcher {
    fn from(matcher: &Matcher) -> Self {
        let description = matcher.description();
        Self {
            name: description.name.clone(),
            version: description.version.clone(),
            policy: description.policy.clone(),
            contract: description.contract.clone(),
            digest: matcher.digest().map(str::to_owned),
        }
    }
}

/// One call, and what came of it: an answer, or the name of the contract's error that refused it. The name is empty where
/// the matcher failed; a replay compares nothing there.
///
/// ```
/// use offermatch::{Matcher, Recorder, Sample, Settings, Step};
///
/// let (tasks, offers) = "uniform:20x10:3".parse::<Sample>()?.tables()?;
/// let (mut pool, recorder) = Recorder::open(&Matcher::reference(), &offers, &Settings::default())?;
/// pool.assign(&tasks)?;
/// assert!(matches!(recorder.recording().steps[..], [Step::Assign { .. }]));
/// # Ok::<(), offermatch::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Step {
    /// Tasks were placed.
    Assign {
        /// The tasks.
        tasks: TaskTable,
        /// Who took what.
        answer: Result<Assignments, String>,
    },
    /// Offers changed.
    Update {
        /// What changed.
        changes: Changes,
        /// Nothing is said to that.
        answer: Result<(), String>,
    },
    /// Tasks were explained.
    Explain {
        /// The tasks.
        tasks: TaskTable,
        /// How the offers stood to them.
        answer: Result<Counts, String>,
    },
    /// It was planned which running tasks have to end.
    Preempt {
        /// The tasks.
        tasks: TaskTable,
        /// How much each of them matters.
        priorities: Vec<i32>,
        /// What runs.
        running: RunningTable,
        /// Who is to take what, and who ends for it.
        answer: Result<Plan, String>,
    },
}

impl Recording {
    /// The recording in a file, compressed or not.
    ///
    /// # Errors
    /// [`Error::FileUnreadable`] and [`Error::FileMalformed`].
    pub fn read(path: impl AsRef<Path>) -> Result<Self, Error> {
        let file = path.as_ref().display().to_string();
        let bytes = match reading::read_bounded(path.as_ref(), MOST_OF_A_RECORDING) {
            Ok(bytes) => bytes,
            Err(error) => return Err(Error::FileUnreadable { file, error }),
        };
        let malformed =
            |message| Error::FileMalformed { file: file.clone(), line: 1, column: 1, message, hint: SEE_FORMATS };
        let bytes = reading::unpacked(bytes, MOST_OF_A_RECORDING).map_err(|error| malformed(error.to_string()))?;
        let text = String::from_utf8(bytes).map_err(|error| malformed(format!("not UTF-8: {}", error.utf8_error())))?;
        Self::parse(&text, &file)
    }

    /// The recordings in a directory (`*.recording.json`, `*.recording.json.gz`), by name; or the one in a file.
    ///
    /// # Errors
    /// As [`Recording::read`].
    pub fn read_all(path: impl AsRef<Path>) -> Result<Vec<Self>, Error> {
        let path = path.as_ref();
        if !path.is_dir() {
            return Ok(vec![Self::read(path)?]);
        }
        let unreadable = |error| Error::FileUnreadable { file: path.display().to_string(), error };
        let mut files = Vec::new();
        for entry in std::fs::read_dir(path).map_err(unreadable)? {
            let name = entry.map_err(unreadable)?.file_name();
            if name
                .to_str()
                .is_some_and(|name| name.ends_with(".recording.json") || name.ends_with(".recording.json.gz"))
            {
                files.push(path.join(name));
            }
        }
        files.sort();
        files.iter().map(Self::read).collect()
    }

    /// The recording in a JSON text. `origin` says in errors where it came from.
    ///
    /// # Errors
    /// [`Error::FileMalformed`].
    pub fn parse(text: &str, origin: &str) -> Result<Self, Error> {
        let Object::<format::Document>(document) = strict_json::parse(text, origin)?;
        document.check_shape(text.len()).and_then(|()| document.recording()).map_err(|message| Error::FileMalformed {
            file: origin.to_owned(),
            line: 1,
            column: 1,
            message,
            hint: SEE_FORMATS,
        })
    }

    /// The recording in a JSON value, or what is wrong with it.
    pub(crate) fn from_value(value: serde_json::Value) -> Result<Self, String> {
        let document: format::Document = strict_json::object_of(value).map_err(|error| error.to_string())?;
        document.recording()
    }

    /// The recording as JSON.
    ///
    /// # Panics
    /// Never: what a recording holds can all be written.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(&format::Document::of(self)).expect("plain columns can be written") + "\n"
    }

    /// Writes the recording, compressed where the name ends in `.gz`.
    ///
    /// # Errors
    /// [`Error::FileUnwritable`].
    pub fn write(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        let path = path.as_ref();
        let text = self.to_json();
        if path.extension().is_none_or(|ending| ending != "gz") {
            return write_whole(path, text.as_bytes());
        }
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        let packed = encoder.write_all(text.as_bytes()).and_then(|()| encoder.finish());
        let packed = packed.map_err(|error| Error::FileUnwritable { file: path.display().to_string(), error })?;
        write_whole(path, &packed)
    }
}
