//! A candidate that answers live cycles without anybody acting on it.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use offermatch_core::Assignments;

use super::{Control, EventKind, Slot, label};
use crate::error::Error;
use crate::pool::answer::Answer;
use crate::pool::matcher::Matcher;
use crate::table::offers::Offers;
use crate::table::settings::Settings;
use crate::table::tasks::Tasks;

/// What a shadow did.
///
/// ```
/// use offermatch::{Matcher, Matching, Sample, Settings, Slot};
///
/// let slot = Slot::new(Matcher::reference());
/// slot.shadow(Matcher::bundled("best-fit")?, 1, None)?;
/// let (tasks, offers) = "uniform:20x10".parse::<Sample>()?.tables()?;
/// slot.match_tasks(&tasks, &offers, &Settings::default())?;
/// // The candidate answers on a thread of its own.
/// let report = loop {
///     if let Some(report) = slot.shadow_report() {
///         break report;
///     }
///     std::thread::yield_now();
/// };
/// assert_eq!((report.cycles, report.different), (1, 0));
/// # Ok::<(), offermatch::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct ShadowReport {
    /// Cycles it answered, or failed to.
    pub cycles: u64,
    /// Cycles that passed while it was still busy with another.
    pub skipped: u64,
    /// Cycles it answered otherwise than the matcher in use.
    pub different: u64,
    /// Cycles it failed in.
    pub failed: u64,
    /// Tasks placed by the matcher in use, and by the shadow.
    pub placed: (u64, u64),
    /// The sum of the scores of the matcher in use, and of the shadow.
    pub scores: (f64, f64),
    /// Time of the matcher in use, and of the shadow.
    pub time: (Duration, Duration),
    /// The first difference or failure, for people.
    pub first: Option<String>,
}

impl ShadowReport {
    /// Whether every answer was that of the matcher in use.
    #[must_use]
    pub fn is_same(&self) -> bool {
        self.different == 0 && self.failed == 0
    }
}

impl Slot {
    /// Lets a candidate answer so many live cycles, on a thread of its own and on input of its own. Then, where a probation
    /// is given, it is promoted if all its answers were those of the matcher in use. A shadow before it ends.
    ///
    /// # Errors
    /// [`Error::InstanceUnavailable`] when there is no thread to be had.
    pub fn shadow(&self, candidate: Matcher, cycles: u64, promote: Option<u64>) -> Result<(), Error> {
        // The thread must not keep the slot alive, and with it the channel that ends the thread.
        let slot = Arc::downgrade(&self.inner);
        let number = self.end_shadow(&mut self.control());
        let shadow = Shadow::start(candidate, cycles, move |candidate, report| {
            let Some(inner) = slot.upgrade() else { return };
            let slot = Self { inner };
            let mut control = slot.control();
            if control.shadow != number {
                return;
            }
            slot.end_shadow(&mut control);
            control.report = Some(report.clone());
            if report.is_same() {
                let reason = format!("{} cycles answered the same", report.cycles);
                control.note(EventKind::Shadowed, label(&candidate), reason);
            }
            match promote {
                Some(probation) if report.is_same() => slot.put(&mut control, candidate, probation),
                Some(_) => {
                    drop(control);
                    let reason = report.first.unwrap_or_default();
                    let error = Error::ShadowDiffers { matcher: candidate.name(), reason };
                    slot.refuse(&label(&candidate), error);
                }
                None => {}
            }
        })?;
        let control = self.control();
        if control.shadow == number {
            self.inner.shadow.store(Some(Arc::new(shadow)));
        }
        Ok(())
    }

    /// Gives up the candidate in shadow, if there is one; the number of the next.
    pub(super) fn end_shadow(&self, control: &mut Control) -> u64 {
        self.inner.shadow.store(None);
        control.shadow += 1;
        control.shadow
    }
}

/// A live cycle, on input of the shadow's own.
struct Cycle {
    tasks: Tasks,
    offers: Offers,
    settings: Settings,
    /// What the matcher in use answered.
    assignments: Assignments,
    /// How long that took.
    time: Duration,
}

/// The way to a candidate's thread. Dropping it ends the thread after the cycle it is at.
pub(super) struct Shadow {
    /// Takes one cycle ahead.
    cycles: SyncSender<Cycle>,
    /// Cycles that found it busy.
    skipped: std::sync::Arc<std::sync::atomic::AtomicU64>,
}

impl Shadow {
    /// Starts a candidate's thread. When it has answered so many cycles, `done` gets the report.
    ///
    /// # Errors
    /// [`Error::InstanceUnavailable`] when there is no thread to be had.
    pub(super) fn start(
        candidate: Matcher,
        cycles: u64,
        done: impl FnOnce(Matcher, ShadowReport) + Send + 'static,
    ) -> Result<Self, Error> {
        let (sender, receiver) = sync_channel(1);
        let skipped = std::sync::Arc::new(std::sync::atomic::AtomicU64::new(0));
        let counter = skipped.clone();
        let name = candidate.name();
        let run = move || {
            if let Some(mut report) = follow(&candidate, cycles, &receiver) {
                report.skipped = counter.load(std::sync::atomic::Ordering::Relaxed);
                done(candidate, report);
            }
        };
        let thread = std::thread::Builder::new().name("offermatch-shadow".to_owned()).spawn(run);
        thread.map_err(|error| Error::InstanceUnavailable { matcher: name, reason: error.to_string() })?;
        Ok(Self { cycles: sender, skipped })
    }

    /// Shows the shadow a live cycle, if it is not busy. The caller does not wait.
    pub(super) fn show(&self, tasks: &Tasks, offers: &Offers, settings: &Settings, answer: &Answer) {
        let cycle = Cycle {
            tasks: tasks.clone(),
            offers: offers.clone(),
            settings: settings.clone(),
            assignments: answer.assignments.clone(),
            time: answer.timings.open + answer.timings.assign,
        };
        if self.cycles.try_send(cycle).is_err() {
            self.skipped.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        }
    }
}

/// Answers live cycles; none where the slot has lost interest first.
fn follow(candidate: &Matcher, cycles: u64, live: &Receiver<Cycle>) -> Option<ShadowReport> {
    let mut report = ShadowReport::default();
    // The first difference says enough.
    while report.cycles < cycles && report.is_same() {
        let cycle = live.recv().ok()?;
        let begin = Instant::now();
        let answer = candidate.match_tasks(&cycle.tasks, &cycle.offers, &cycle.settings);
        report.time.0 += cycle.time;
        report.time.1 += begin.elapsed();
        report.cycles += 1;
        let number = report.cycles;
        let was = &cycle.assignments;
        report.placed.0 += was.tasks.len() as u64;
        report.scores.0 += was.scores.iter().sum::<f64>();
        match answer {
            Err(error) => {
                report.failed += 1;
                report.first.get_or_insert(format!("cycle {number}: {error}"));
            }
            Ok(answer) => {
                let now = &answer.assignments;
                report.placed.1 += now.tasks.len() as u64;
                report.scores.1 += now.scores.iter().sum::<f64>();
                if now != was {
                    report.different += 1;
                    let (before, after) = (was.tasks.len(), now.tasks.len());
                    let text = format!(
                        "cycle {number}: {before} tasks placed by the matcher in use, {after} in shadow, elsewhere or at other scores"
                    );
                    report.first.get_or_insert(text);
                }
            }
        }
    }
    Some(report)
}
