//! Recordings of a pool that lives for long: one file after the other, each with the pool as it stood when it began.
//!
//! ```text
//! steps ──> recorder ──full──> NAME-1.recording.json ──> the offers as they stand ──> NAME-2.recording.json ──> ...
//! ```
//!
//! Each file is a recording of its own and is replayed on its own.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use super::recorder::{Notes, Recorded, begun, opened};
use super::{Recording, Step};
use crate::error::Error;
use crate::pool::Pool;
use crate::pool::ledger::Ledger;
use crate::pool::matcher::Matcher;
use crate::pool::matching::Matching;
use crate::pool::standing::Standing;
use crate::table::offers::Offers;
use crate::table::settings::Settings;

/// What the names of recordings end in; the number stands before.
const ENDINGS: [&str; 4] = [".recording.json.gz", ".recording.json", ".json.gz", ".json"];

/// Where a pool is recorded for as long as it lives.
///
/// ```
/// use offermatch::{Matcher, Recording, Rotation, Sample, Settings, Slot};
///
/// let folder = tempfile::tempdir().unwrap();
/// let (tasks, offers) = "uniform:20x10:3".parse::<Sample>()?.tables()?;
/// let rotation = Rotation { steps: 2, keep: 2, ..Rotation::new(folder.path().join("day.recording.json")) };
/// let mut pool = rotation.open(&Slot::new(Matcher::reference()), &offers, &Settings::default())?;
/// for _ in 0..7 {
///     pool.assign(&tasks)?;
/// }
/// drop(pool);
/// // Of the four files the last two are there; each goes on from where the one before has ended.
/// let found = Recording::read_all(folder.path())?;
/// assert_eq!(found.len(), 2);
/// for recording in found {
///     assert!(recording.replay(&Matcher::reference())?.is_same());
/// }
/// # Ok::<(), offermatch::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Rotation {
    /// The name of the files: of `day.recording.json.gz` they are `day-1.recording.json.gz` and so on.
    pub path: PathBuf,
    /// Calls in one file, at least 1.
    pub steps: usize,
    /// How many files are kept, at least 1; older ones are removed.
    pub keep: usize,
}

impl Rotation {
    /// Files of 1,000 calls, of which ten are kept.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), steps: 1000, keep: 10 }
    }

    /// A pool of these offers that is recorded until it is dropped. A file that cannot be written is a warning in the log, and
    /// the call has its answer all the same.
    ///
    /// # Errors
    /// [`Error::SettingMalformed`], and those of [`Matching::open`].
    pub fn open(
        &self,
        matcher: &(impl Matching + ?Sized),
        offers: &Offers,
        settings: &Settings,
    ) -> Result<Pool, Error> {
        for (setting, value) in [("steps", self.steps), ("keep", self.keep)] {
            if value == 0 {
                let (message, hint) = ("0 cannot be used".to_owned(), "give 1 or more".to_owned());
                return Err(Error::SettingMalformed { setting: setting.to_owned(), message, hint });
            }
        }
        let (session, recording, settings) = opened(matcher, offers, settings)?;
        let standing = Standing::new(recording.shape, offers.table(), &settings, session.matcher());
        let columns = recording.settings.clone();
        let notes = Rotating { recording, rotation: self.clone(), standing, written: VecDeque::new(), number: 0 };
        Ok(Pool::new(Box::new(Recorded { session, notes }), offers, &columns))
    }

    /// The path of one of the files, counted from 1.
    #[must_use]
    pub fn file(&self, number: usize) -> PathBuf {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        let own = Path::new(&*name).extension().map(|ending| format!(".{}", ending.to_string_lossy()));
        let ending = ENDINGS.into_iter().find(|ending| name.ends_with(ending)).map(str::to_owned).or(own);
        let ending = ending.unwrap_or_default();
        let stem = name.strip_suffix(&ending).unwrap_or(&name);
        self.path.with_file_name(format!("{stem}-{number}{ending}"))
    }
}

/// The recording of a session, in a new file when one is full.
struct Rotating {
    recording: Recording,
    rotation: Rotation,
    standing: Standing,
    /// The files that are there, the oldest first.
    written: VecDeque<PathBuf>,
    /// That of the last file.
    number: usize,
}

impl Notes for Rotating {
    fn note(&mut self, step: Step, matcher: &Matcher, ledger: &Ledger) {
        match &step {
            Step::Assign { answer: Ok(answer), .. } => self.standing.settle(&answer.offers),
            Step::Update { changes, .. } => {
                self.standing.sits_in(matcher);
                self.standing.apply(changes);
            }
            _ => {}
        }
        self.recording.steps.push(step);
        if self.recording.steps.len() >= self.rotation.steps {
            self.begin_anew(matcher, ledger);
        }
    }
}

impl Rotating {
    /// Writes the recording, and begins one with the offers as they stand.
    fn begin_anew(&mut self, matcher: &Matcher, ledger: &Ledger) {
        self.write();
        let (offers, settings, changes) = self.standing.opening(ledger, !matcher.keeps_scales());
        match begun(matcher, self.recording.shape, offers, &settings) {
            Ok(recording) => self.recording = recording,
            Err(error) => return tracing::warn!(code = error.code(), %error, "a recording is lost"),
        }
        let steps = changes.into_iter().map(|changes| Step::Update { changes, answer: Ok(()) });
        self.recording.steps.extend(steps);
    }

    /// Writes the recording to the next file, and removes one that is too old.
    fn write(&mut self) {
        self.number += 1;
        let path = self.rotation.file(self.number);
        if let Err(error) = self.recording.write(&path) {
            // The pool has its answer, whatever happens to the recording.
            tracing::warn!(code = error.code(), %error, "a recording is lost");
            return;
        }
        self.written.push_back(path);
        while self.written.len() > self.rotation.keep {
            // One that somebody else has removed is gone as well.
            let _ = self.written.pop_front().map(std::fs::remove_file);
        }
    }
}

impl Drop for Rotating {
    fn drop(&mut self) {
        self.write();
    }
}
