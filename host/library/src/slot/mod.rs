//! The slot: holds the matcher in use, and swaps it while others call it.

mod history;
pub(crate) mod judge;
mod manifest;
mod seated;
mod shadow;
mod watch;

use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use arc_swap::{ArcSwap, ArcSwapOption};
use offermatch_core::{OfferTable, Shape};

pub use history::{Event, EventKind};
pub use manifest::{Manifest, WantedLevel};
pub use shadow::ShadowReport;
pub use watch::Watch;

use crate::error::Error;
use crate::limits::Limits;
use crate::meter;
use crate::pool::answer::Answer;
use crate::pool::matcher::Matcher;
use crate::pool::matching::{Matching, traced};
use crate::pool::session::Session;
use crate::recording::Recording;
use crate::table::offers::Offers;
use crate::table::settings::{PoolSettings, Settings};
use crate::table::tasks::Tasks;
use crate::wasm::elsewhere;
use seated::Seated;
use shadow::Shadow;

/// Cycles within which a failure takes the slot back, unless others are asked for.
const PROBATION_CYCLES: u64 = 10;
/// Events that a history keeps; older ones go.
const MOST_EVENTS: usize = 1000;

/// Holds the matcher in use. A call takes the matcher that is current when it begins, and ends on it. A pool moves to the
/// matcher that was promoted at its next call, with its offers as they stand. A clone is the same slot.
///
/// ```
/// use offermatch::{Matcher, Matching, Sample, Settings, Slot};
///
/// let slot = Slot::new(Matcher::reference());
/// let (tasks, offers) = "uniform:20x10".parse::<Sample>()?.tables()?;
/// let before = slot.match_tasks(&tasks, &offers, &Settings::default())?;
///
/// slot.promote(Matcher::bundled("best-fit")?, 10);
/// let after = slot.match_tasks(&tasks, &offers, &Settings::default())?;
/// assert_eq!(before.assignments, after.assignments);
/// assert_ne!(before.matcher.digest(), after.matcher.digest());
///
/// slot.rollback()?;
/// assert_eq!(slot.current().description().name, "offermatch-reference");
/// # Ok::<(), offermatch::Error>(())
/// ```
#[derive(Clone)]
pub struct Slot {
    /// What all clones share.
    inner: Arc<Inner>,
}

/// What all clones of a slot share.
struct Inner {
    /// The matcher in use. Callers read it, and nobody waits for anybody.
    current: ArcSwap<Seat>,
    /// The candidate that answers in shadow.
    shadow: ArcSwapOption<Shadow>,
    /// What candidates have to answer.
    cases: Vec<Recording>,
    /// How much of everything candidates get.
    limits: Limits,
    /// What is needed to change anything.
    control: Mutex<Control>,
}

/// A matcher in use.
struct Seat {
    matcher: Matcher,
    /// Cycles on probation that it has answered.
    passed: AtomicU64,
    /// A failure before it has answered so many takes the slot back.
    probation_cycles: u64,
}

impl Seat {
    /// Whether a failure takes the slot back.
    fn is_on_probation(&self) -> bool {
        self.passed.load(Ordering::Relaxed) < self.probation_cycles
    }
}

/// What is needed to change anything.
#[derive(Default)]
struct Control {
    /// The matcher that was in use before.
    previous: Option<Arc<Seat>>,
    history: Vec<Event>,
    /// What the last shadow did.
    report: Option<ShadowReport>,
    /// Tells the candidate in shadow from those before it, which may still be at their last cycle.
    shadow: u64,
}

/// A matcher, put in use.
fn seat(matcher: Matcher, probation_cycles: u64) -> Arc<Seat> {
    Arc::new(Seat { matcher, passed: AtomicU64::new(0), probation_cycles })
}

impl Slot {
    /// A slot with this matcher in use, which asks candidates nothing. Their limits are those in force, or the defaults where
    /// those cannot be read.
    #[must_use]
    pub fn new(matcher: Matcher) -> Self {
        Self::with(matcher, Vec::new(), Limits::in_force().unwrap_or_default())
    }

    /// A slot with this matcher in use. Candidates have to answer these conformance cases, within these limits.
    #[must_use]
    pub fn with(matcher: Matcher, cases: Vec<Recording>, limits: Limits) -> Self {
        let inner = Inner {
            current: ArcSwap::new(seat(matcher, 0)),
            shadow: ArcSwapOption::empty(),
            cases,
            limits,
            control: Mutex::default(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// The matcher in use.
    #[must_use]
    pub fn current(&self) -> Matcher {
        self.inner.current.load().matcher.clone()
    }

    /// The seat of the matcher in use.
    fn seat(&self) -> Arc<Seat> {
        self.inner.current.load_full()
    }

    /// Asks the matcher in use and, where it fails on probation, the one before, which is then back; the answer, and whether
    /// the one in use gave it.
    fn ask<T>(&self, seat: &Arc<Seat>, ask: impl Fn(&Matcher) -> Result<T, Error>) -> Result<(T, bool), Error> {
        let error = match ask(&seat.matcher) {
            Ok(answer) => return Ok((answer, true)),
            Err(error) if seat.is_on_probation() => error,
            Err(error) => return Err(error),
        };
        if error.is_the_matchers() {
            return match self.go_back(seat, &error) {
                Some(before) => Ok((ask(&before.matcher)?, false)),
                None => Err(error),
            };
        }
        let Some(before) = self.previous().filter(|_| error.may_be_the_matchers()) else { return Err(error) };
        let Ok(answer) = ask(&before) else { return Err(error) };
        // What the one before takes, only the new one finds wrong.
        self.go_back(seat, &error);
        Ok((answer, false))
    }

    /// The matcher that was in use before, and that a rollback puts back.
    #[must_use]
    pub fn previous(&self) -> Option<Matcher> {
        self.control().previous.as_ref().map(|seat| seat.matcher.clone())
    }

    /// What has happened to the slot, the oldest first.
    #[must_use]
    pub fn history(&self) -> Vec<Event> {
        self.control().history.clone()
    }

    /// What the last candidate in shadow did, once it is through.
    #[must_use]
    pub fn shadow_report(&self) -> Option<ShadowReport> {
        self.control().report.clone()
    }

    /// What a slot would do with the matcher that a manifest asks for: the matcher, if it would be used.
    ///
    /// # Errors
    /// [`Error::DigestMismatch`], [`Error::ManifestMalformed`], [`Error::ConformanceFailed`] and those of
    /// [`Matcher::load`].
    pub fn judge(&self, manifest: &Manifest) -> Result<Matcher, Error> {
        judge::judge(manifest, &self.inner.limits, &self.inner.cases)
    }

    /// Reads a manifest and does what it asks for.
    ///
    /// # Errors
    /// Those of [`Manifest::read`] and [`Slot::follow`].
    pub fn swap(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        let origin = path.as_ref().display().to_string();
        let manifest = Manifest::read(path).map_err(|error| self.refuse(&origin, error))?;
        self.follow(&manifest)
    }

    /// Does what a manifest asks for: judges the candidate and, when it has answered in shadow for as long as is asked,
    /// promotes it. A matcher that is in use already stays, and a candidate in shadow is given up.
    ///
    /// # Errors
    /// Those of [`Slot::judge`]; the matcher in use stays. What a shadow finds stands in the history.
    pub fn follow(&self, manifest: &Manifest) -> Result<(), Error> {
        if self.current().digest() == Some(&manifest.digest) {
            // A candidate that was asked for before is asked for no more.
            self.end_shadow(&mut self.control());
            return Ok(());
        }
        let origin = manifest.path.display().to_string();
        let candidate = self.judge(manifest).map_err(|error| {
            // What nobody waits for any more is not refused.
            if elsewhere::is_stopped() { error } else { self.refuse(&origin, error) }
        })?;
        self.note(EventKind::Loaded, label(&candidate), String::new());
        if manifest.shadow_cycles == 0 {
            self.promote(candidate, manifest.probation_cycles);
            return Ok(());
        }
        self.shadow(candidate, manifest.shadow_cycles, Some(manifest.probation_cycles))
    }

    /// Puts a matcher in use. Cycles that have begun end on the one before, which stays at hand; a failure of the new one
    /// before it has answered `probation_cycles` cycles takes the slot back to it. A candidate in shadow is given up.
    pub fn promote(&self, matcher: Matcher, probation_cycles: u64) {
        self.put(&mut self.control(), matcher, probation_cycles);
    }

    /// Puts a matcher in use.
    fn put(&self, control: &mut Control, matcher: Matcher, probation_cycles: u64) {
        let label = label(&matcher);
        self.end_shadow(control);
        control.previous = Some(self.inner.current.swap(seat(matcher, probation_cycles)));
        control.note(EventKind::Promoted, label, String::new());
    }

    /// Puts the matcher before back in use.
    ///
    /// # Errors
    /// [`Error::NothingToRollBack`], also after a rollback.
    pub fn rollback(&self) -> Result<(), Error> {
        let mut control = self.control();
        let Some(previous) = control.previous.take() else {
            return Err(Error::NothingToRollBack { matcher: self.current().name() });
        };
        self.end_shadow(&mut control);
        let left = self.inner.current.swap(previous);
        control.note(EventKind::RolledBack, label(&left.matcher), "asked for".to_owned());
        Ok(())
    }

    /// The seat that is to answer where one has failed: that in use by now, or the one before, to which the slot has gone back
    /// where the failure is the matcher's for sure.
    fn instead(&self, failed: &Arc<Seat>, error: &Error) -> Option<Arc<Seat>> {
        let current = self.seat();
        if !error.may_be_the_matchers() {
            return None;
        }
        if !Arc::ptr_eq(&current, failed) {
            return Some(current);
        }
        if !failed.is_on_probation() {
            return None;
        }
        if error.is_the_matchers() { self.go_back(failed, error) } else { self.control().previous.clone() }
    }

    /// Goes back from a matcher that failed on probation, unless somebody has swapped it since; the seat now in use, where
    /// that is another one.
    fn go_back(&self, failed: &Arc<Seat>, error: &Error) -> Option<Arc<Seat>> {
        let mut control = self.control();
        let current = self.inner.current.load_full();
        if !Arc::ptr_eq(&current, failed) {
            return Some(current);
        }
        let previous = control.previous.take()?;
        self.end_shadow(&mut control);
        self.inner.current.store(previous.clone());
        control.note(EventKind::RolledBack, label(&failed.matcher), error.to_string());
        Some(previous)
    }

    /// Takes note that a matcher has answered one more cycle of its probation.
    fn pass(&self, seat: &Arc<Seat>) {
        if !seat.is_on_probation() {
            return;
        }
        let is_last = seat.passed.fetch_add(1, Ordering::Relaxed) + 1 == seat.probation_cycles;
        if is_last && Arc::ptr_eq(&self.inner.current.load(), seat) {
            self.note(EventKind::Confirmed, label(&seat.matcher), String::new());
        }
    }

    /// Writes down that a candidate was refused.
    fn refuse(&self, candidate: &str, error: Error) -> Error {
        self.note(EventKind::Refused, candidate.to_owned(), format!("{}: {error}", error.code()));
        error
    }

    /// Writes down what happened.
    fn note(&self, kind: EventKind, matcher: String, reason: String) {
        self.control().note(kind, matcher, reason);
    }

    /// What is needed to change anything. A thread that panicked has left it whole.
    fn control(&self) -> MutexGuard<'_, Control> {
        self.inner.control.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Control {
    /// Writes down what happened.
    fn note(&mut self, kind: EventKind, matcher: String, reason: String) {
        match kind {
            EventKind::Refused | EventKind::RolledBack => tracing::warn!(%kind, matcher, reason, "slot"),
            _ => tracing::info!(%kind, matcher, reason, "slot"),
        }
        if self.history.len() == MOST_EVENTS {
            self.history.remove(0);
        }
        meter::happened(kind);
        self.history.push(Event { at: SystemTime::now(), kind, matcher, reason });
    }
}

/// A matcher, as the history calls it.
fn label(matcher: &Matcher) -> String {
    let description = matcher.description();
    format!("{} {} {}", matcher.name(), description.version, matcher.digest().unwrap_or("reference"))
}

impl Matching for Slot {
    fn matcher(&self) -> Matcher {
        self.current()
    }

    /// A session that follows the slot.
    fn session(&self, shape: Shape, offers: &OfferTable, settings: &PoolSettings) -> Result<Box<dyn Session>, Error> {
        Ok(Box::new(Seated::open(self, shape, offers, settings)?))
    }

    fn match_tasks(&self, tasks: &Tasks, offers: &Offers, settings: &Settings) -> Result<Answer, Error> {
        let seat = self.seat();
        let ask = || self.ask(&seat, |matcher| matcher.match_tasks(tasks, offers, settings));
        let (answer, by_it) = traced(tasks, offers, ask, |(answer, _)| answer)?;
        if by_it {
            self.pass(&seat);
        }
        if let Some(shadow) = &*self.inner.shadow.load() {
            shadow.show(tasks, offers, settings, &answer);
        }
        Ok(answer)
    }
}

impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slot")
            .field("current", &self.current())
            .field("previous", &self.previous())
            .finish_non_exhaustive()
    }
}
