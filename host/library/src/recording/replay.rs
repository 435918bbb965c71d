//! A recording asked anew, and what differs.

use std::collections::BTreeMap;
use std::fmt;

use offermatch_core::{Assignments, OfferTable, Plan, Settings, TaskTable};

use super::{Recording, Step};
use crate::error::Error;
use crate::number::shown_number;
use crate::pool::counts::Counts;
use crate::pool::ledger::Ledger;
use crate::pool::matcher::Matcher;
use crate::table::settings::scales_of_opening;
use crate::wasm::failure::Failure;

/// What a matcher answered to a recording.
///
/// Example: [`Difference`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Replay {
    /// How many steps were asked, opening not counted.
    pub steps: usize,
    /// What differs from the recording, in order.
    pub differences: Vec<Difference>,
}

impl Replay {
    /// Whether every answer was the recorded one, bit for bit.
    #[must_use]
    pub fn is_same(&self) -> bool {
        self.differences.is_empty()
    }
}

/// One thing that differs.
///
/// ```
/// use offermatch::{Change, Matcher, Recorder, Sample, Settings};
///
/// let (tasks, offers) = "uniform:20x10:3".parse::<Sample>()?.tables()?;
/// let (mut pool, recorder) = Recorder::open(&Matcher::reference(), &offers, &Settings::default())?;
/// pool.assign(&tasks)?;
/// let replay = recorder.recording().replay(&Matcher::bundled("worst-fit")?)?;
/// assert!(replay.steps == 1 && !replay.is_same());
/// let first = &replay.differences[0];
/// assert!(first.step == Some(0) && matches!(first.change, Change::Task { .. }), "{first}");
/// # Ok::<(), offermatch::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Difference {
    /// The step, counted from 0; none where it is about opening.
    pub step: Option<usize>,
    /// What differs there.
    pub change: Change,
}

/// What differs.
///
/// Example: [`Difference`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Change {
    /// A task goes elsewhere: offer row and score before and after, none where it is not placed.
    Task {
        /// The task row.
        task: u32,
        /// What is recorded.
        before: Option<(u32, f64)>,
        /// What was answered.
        after: Option<(u32, f64)>,
    },
    /// An explanation has other counts.
    Column {
        /// The column.
        column: &'static str,
        /// What is recorded.
        before: Vec<u32>,
        /// What was answered.
        after: Vec<u32>,
    },
    /// One is an answer and the other an error, or they are different errors.
    Outcome {
        /// What is recorded.
        before: String,
        /// What was answered.
        after: String,
    },
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.step {
            Some(step) => write!(f, "step {step}, ")?,
            None => f.write_str("open, ")?,
        }
        let place = |place: &Option<(u32, f64)>| match place {
            Some((offer, score)) => format!("offer {offer} at {}", shown_number(*score)),
            None => "not placed".to_owned(),
        };
        match &self.change {
            Change::Task { task, before, after } => write!(f, "task {task}: {} -> {}", place(before), place(after)),
            Change::Column { column, before, after } => write!(f, "{column}: {before:?} -> {after:?}"),
            Change::Outcome { before, after } => write!(f, "{before} -> {after}"),
        }
    }
}

impl Recording {
    /// Asks a matcher what is recorded, and compares. What the tables allow is checked as well as what is recorded.
    ///
    /// # Errors
    /// What goes wrong in the matcher: [`Error::MatcherTrapped`], [`Error::LimitExceeded`], [`Error::AnswerRefused`] and
    /// [`Error::InstanceUnavailable`].
    pub fn replay(&self, matcher: &Matcher) -> Result<Replay, Error> {
        let mut differences = Vec::new();
        let mut session =
            match refused(matcher, "open", matcher.backend(self.shape, &self.offers, &self.settings_of(matcher)))? {
                Ok(session) if self.open_error.is_none() => session,
                opened => {
                    let after = opened.err();
                    if after != self.open_error {
                        let word = |error: &Option<String>| error.clone().unwrap_or_else(|| "opened".to_owned());
                        let change = Change::Outcome { before: word(&self.open_error), after: word(&after) };
                        differences.push(Difference { step: None, change });
                    }
                    return Ok(Replay { steps: 0, differences });
                }
            };
        let mut ledger = Ledger::new(self.shape, &self.offers, &self.settings);
        let mut rows = self.offers.rows as usize;
        let lied = |reason| Error::AnswerRefused { matcher: matcher.name(), reason };
        for (step, recorded) in self.steps.iter().enumerate() {
            let mut found = Vec::new();
            match recorded {
                Step::Assign { tasks, answer } => {
                    let now = refused(matcher, "assign", session.assign(tasks))?;
                    if let (Ok(answer), true) = (&now, tasks.check(self.shape).is_ok()) {
                        ledger.settle(tasks, answer).map_err(lied)?;
                    }
                    compare(answer, &now, &mut found, moved);
                }
                Step::Update { changes, answer } => {
                    let now = refused(matcher, "update", session.update(changes))?;
                    if now.is_ok() && changes.check(self.shape, rows).is_ok() {
                        ledger.apply(changes);
                        rows += changes.added.rows as usize;
                    }
                    compare(answer, &now, &mut found, |(), (), _| {});
                }
                Step::Explain { tasks, answer } => {
                    let now = refused(matcher, "explain", session.explain(tasks))?;
                    if let (Ok(answer), true) = (&now, tasks.check(self.shape).is_ok()) {
                        ledger.check_counts(tasks, answer).map_err(lied)?;
                    }
                    compare(answer, &now, &mut found, recounted);
                }
                Step::Preempt { tasks, priorities, running, answer } => {
                    let now = refused(matcher, "preempt", session.preempt(tasks, priorities, running))?;
                    let fits = ledger.check_running(tasks, priorities, running).is_ok();
                    if let (Ok(plan), true) = (&now, tasks.check(self.shape).is_ok() && fits) {
                        ledger.check_plan(tasks, priorities, running, plan).map_err(lied)?;
                    }
                    compare(answer, &now, &mut found, replanned);
                }
            }
            differences.extend(found.into_iter().map(|change| Difference { step: Some(step), change }));
        }
        Ok(Replay { steps: self.steps.len(), differences })
    }

    /// The settings for a matcher. Where scales kept those of opening, one whose scales grow is given them; what it takes
    /// since then stands behind the parameters that are recorded, and has its default.
    pub(crate) fn settings_of(&self, matcher: &Matcher) -> Settings {
        let mut settings = self.settings.clone();
        settings.raise_scales &= !matcher.keeps_scales();
        if self.open_error.is_some() {
            return settings;
        }
        if !self.settings.raise_scales && !matcher.keeps_scales() {
            settings.scales = scales_of_opening(self.shape, &self.offers, &settings.scales);
        }
        if !settings.parameters.is_empty() {
            let later = matcher.description().parameters.iter().skip(settings.parameters.len());
            settings.parameters.extend(later.map(|parameter| parameter.default));
        }
        settings
    }

    /// The offers that the recording begins with.
    #[must_use]
    pub fn offers(&self) -> &OfferTable {
        &self.offers
    }

    /// The task tables that are assigned in the recording.
    pub fn assigned(&self) -> impl Iterator<Item = &TaskTable> {
        self.steps.iter().filter_map(|step| match step {
            Step::Assign { tasks, .. } => Some(tasks),
            _ => None,
        })
    }
}

/// An answer, or the name of the contract's error; what is neither is the matcher's failure.
fn refused<T>(matcher: &Matcher, call: &'static str, answer: Result<T, Failure>) -> Result<Result<T, String>, Error> {
    match answer {
        Ok(answer) => Ok(Ok(answer)),
        Err(Failure::Refused(refusal)) => Ok(Err(refusal.case().to_owned())),
        Err(failure) => Err(failure.error(matcher.name(), call)),
    }
}

/// Compares what is recorded with what was answered.
fn compare<T>(
    before: &Result<T, String>,
    after: &Result<T, String>,
    found: &mut Vec<Change>,
    answers: impl Fn(&T, &T, &mut Vec<Change>),
) {
    match (before, after) {
        (Ok(before), Ok(after)) => answers(before, after, found),
        (Err(before), Err(after)) if before == after => {}
        (Err(before), _) if before.is_empty() => {}
        (before, after) => {
            let word = |outcome: &Result<T, String>| match outcome {
                Ok(_) => "answered".to_owned(),
                Err(error) => error.clone(),
            };
            found.push(Change::Outcome { before: word(before), after: word(after) });
        }
    }
}

/// Which tasks go elsewhere, or there at another score, bit for bit.
fn moved(before: &Assignments, after: &Assignments, found: &mut Vec<Change>) {
    let places = |answer: &Assignments| -> BTreeMap<u32, (u32, u64)> {
        let rows = answer.tasks.iter().zip(&answer.offers).zip(&answer.scores);
        rows.map(|((&task, &offer), score)| (task, (offer, score.to_bits()))).collect()
    };
    let (before, after) = (places(before), places(after));
    let tasks: std::collections::BTreeSet<u32> = before.keys().chain(after.keys()).copied().collect();
    let place = |places: &BTreeMap<u32, (u32, u64)>, task| {
        places.get(&task).map(|&(offer, bits)| (offer, f64::from_bits(bits)))
    };
    for task in tasks.into_iter().filter(|task| before.get(task) != after.get(task)) {
        found.push(Change::Task { task, before: place(&before, task), after: place(&after, task) });
    }
}

/// Which tasks are planned elsewhere, and whether others end.
fn replanned(before: &Plan, after: &Plan, found: &mut Vec<Change>) {
    let places = |plan: &Plan| Assignments {
        tasks: plan.tasks.clone(),
        offers: plan.offers.clone(),
        scores: plan.scores.clone(),
    };
    moved(&places(before), &places(after), found);
    let columns = [
        ("victim_offsets", &before.victim_offsets, &after.victim_offsets),
        ("victims", &before.victims, &after.victims),
    ];
    for (column, before, after) in columns.into_iter().filter(|(_, before, after)| before != after) {
        found.push(Change::Column { column, before: before.clone(), after: after.clone() });
    }
}

/// Which columns have other counts.
fn recounted(before: &Counts, after: &Counts, found: &mut Vec<Change>) {
    let (Counts::FirstFailures(before), Counts::FirstFailures(after)) = (before, after) else {
        return recounted_by_check(before, after, found);
    };
    let columns = [
        ("by_dimension", &before.by_dimension, &after.by_dimension),
        ("by_requirement", &before.by_requirement, &after.by_requirement),
        ("by_devices", &before.by_devices, &after.by_devices),
        ("by_score", &before.by_score, &after.by_score),
        ("candidates", &before.candidates, &after.candidates),
    ];
    for (column, before, after) in columns.into_iter().filter(|(_, before, after)| before != after) {
        found.push(Change::Column { column, before: before.clone(), after: after.clone() });
    }
}

/// Which columns have other counts, where one side at least counts by check.
fn recounted_by_check(before: &Counts, after: &Counts, found: &mut Vec<Change>) {
    let mut columns = vec![
        ("by_score", before.by_score(), after.by_score()),
        ("candidates", before.candidates(), after.candidates()),
    ];
    if let (Counts::ByCheck(one), Counts::ByCheck(two)) = (before, after) {
        columns.extend([
            ("dimension_fails", &one.dimension_fails[..], &two.dimension_fails[..]),
            ("dimension_alone", &one.dimension_alone, &two.dimension_alone),
            ("requirement_fails", &one.requirement_fails, &two.requirement_fails),
            ("requirement_alone", &one.requirement_alone, &two.requirement_alone),
            ("devices_fails", &one.devices_fails, &two.devices_fails),
            ("devices_alone", &one.devices_alone, &two.devices_alone),
            ("together_fails", &one.together_fails, &two.together_fails),
            ("limit_fails", &one.limit_fails, &two.limit_fails),
            ("capable", &one.capable, &two.capable),
            ("members_placed", &one.members_placed, &two.members_placed),
        ]);
    }
    for (column, before, after) in columns.into_iter().filter(|(_, before, after)| before != after) {
        found.push(Change::Column { column, before: before.to_vec(), after: after.to_vec() });
    }
}
