//! Whether answers hold by the contract, whatever the policy.

use offermatch_core::{Assignments, TaskTable};

use super::book::{Asked, Book, Failed};
use super::play::Outcome;
use super::{Finding, Level};
use crate::number::shown_number;
use crate::pool::counts::{ChecksFailed, Counts, FirstFailures};
use crate::recording::{Recording, Step};

/// A maximal score that no policy's score reaches: every feasible offer can be chosen.
const NO_LIMIT: f64 = 1e300;

/// What does not hold: what it is about, what was expected, what was found.
pub(super) struct Wrong(pub(super) String, pub(super) String, pub(super) String);

impl Wrong {
    /// With its place, as a finding about the contract.
    pub(super) fn at(self, step: Option<usize>) -> Finding {
        Finding { level: Level::Contract, step, what: self.0, expected: self.1, found: self.2 }
    }
}

/// What is wrong with how the pool of a case was opened, or refused.
pub(super) fn opening(case: &Recording, has_mode: bool, opened: &Outcome) -> Option<Finding> {
    let expected = if has_mode { case.open_error.as_deref() } else { Some("unsupported-mode") };
    let expected = expected.unwrap_or("answered");
    let wrong = || Wrong("outcome".into(), expected.into(), opened.word().into()).at(None);
    (opened.word() != expected).then(wrong)
}

/// The first thing that does not hold in the outcomes of a case's steps.
pub(super) fn audit(case: &Recording, outcomes: &[Outcome]) -> Option<Finding> {
    let mut book = Book::new(case.shape, case.settings.mode, &case.offers);
    let steps = case.steps.iter().zip(outcomes).enumerate();
    steps
        .map(|(at, (step, outcome))| (at, check(&mut book, case, step, outcome)))
        .find_map(|(at, checked)| checked.err().map(|wrong| wrong.at(Some(at))))
}

/// Checks what came of a step, and follows it in the book.
pub(super) fn check(book: &mut Book, case: &Recording, step: &Step, outcome: &Outcome) -> Result<(), Wrong> {
    check_word(step, outcome)?;
    match (step, outcome) {
        (Step::Assign { tasks, .. }, Outcome::Assigned(answer)) => {
            settle(book, tasks, answer, case.settings.max_score.unwrap_or(f64::MAX))
        }
        (Step::Explain { tasks, .. }, Outcome::Explained(answer)) => count(book, case, tasks, answer),
        (Step::Update { changes, .. }, Outcome::Done) => {
            book.apply(changes);
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Checks whether a step was answered, or refused as it has to be.
pub(super) fn check_word(step: &Step, outcome: &Outcome) -> Result<(), Wrong> {
    let expected = match step {
        Step::Assign { answer, .. } => answer.as_ref().err(),
        Step::Update { answer, .. } => answer.as_ref().err(),
        Step::Explain { answer, .. } => answer.as_ref().err(),
        Step::Preempt { answer, .. } => answer.as_ref().err(),
    };
    // A recording without an answer says nothing of one.
    let expected = expected.map(String::as_str).filter(|error| !error.is_empty()).unwrap_or("answered");
    // How many rows a matcher takes is its own affair.
    let takes_more = expected == "too-many-rows" && outcome.word() == "answered";
    if outcome.word() != expected && !takes_more {
        return Err(Wrong("outcome".into(), expected.into(), outcome.word().into()));
    }
    Ok(())
}

/// Checks who takes what, task by task, and follows it in the book.
pub(super) fn settle(book: &mut Book, tasks: &TaskTable, answer: &Assignments, max_score: f64) -> Result<(), Wrong> {
    let lengths = [answer.tasks.len(), answer.offers.len(), answer.scores.len()];
    if lengths.iter().any(|&length| length != lengths[0]) {
        return Err(Wrong("columns".into(), "tasks, offers and scores of one length".into(), format!("{lengths:?}")));
    }
    let mut next = 0;
    for ((&task, &offer), &score) in answer.tasks.iter().zip(&answer.offers).zip(&answer.scores) {
        if task >= tasks.rows || (task as usize) < next {
            let expected = format!("a row from {next} to {}", i64::from(tasks.rows) - 1);
            return Err(Wrong("task rows".into(), expected, task.to_string()));
        }
        let (task, offer) = (task as usize, offer as usize);
        (next..task).try_for_each(|left_out| unplaced(book, tasks, left_out, max_score))?;
        next = task + 1;
        let found = || format!("offer {offer} at {}", shown_number(score));
        let wrong = |expected: String| Err(Wrong(format!("task {task}"), expected, found()));
        if book.position(offer).is_none() {
            return wrong("an offer that is in the list".into());
        }
        let asked = Asked::new(tasks, task);
        match book.failed(asked, offer).first() {
            Some(Failed::Dimension(at)) => return wrong(format!("an offer with enough of dimension {at}")),
            Some(Failed::Requirement(at)) => return wrong(format!("an offer that meets requirement {at}")),
            Some(Failed::Devices) => return wrong("an offer whose devices serve".into()),
            None => {}
        }
        if !(score.is_finite() && score < max_score) {
            return wrong(format!("a finite score below {}", shown_number(max_score)));
        }
        if let Some(twin) = book.twin_before(offer) {
            return wrong(format!("offer {twin}, the first of equal ones in the list"));
        }
        book.place(asked, offer);
    }
    (next..tasks.rows as usize).try_for_each(|left_out| unplaced(book, tasks, left_out, max_score))
}

/// Checks that a task is left out for a reason.
fn unplaced(book: &Book, tasks: &TaskTable, task: usize, max_score: f64) -> Result<(), Wrong> {
    if max_score < NO_LIMIT {
        return Ok(());
    }
    match book.feasible(Asked::new(tasks, task)) {
        Some(offer) => {
            let expected =
                format!("placed: offer {offer} is feasible, and no score reaches {}", shown_number(max_score));
            Err(Wrong(format!("task {task}"), expected, "not placed".into()))
        }
        None => Ok(()),
    }
}

/// Checks counts. How many feasible offers score too high is the policy's affair, but together they are all that are left.
pub(super) fn count(book: &Book, case: &Recording, tasks: &TaskTable, answer: &Counts) -> Result<(), Wrong> {
    let (rows, width) = (tasks.rows as usize, case.shape.dimensions as usize);
    let mut right = FirstFailures {
        by_dimension: vec![0; rows * width],
        by_requirement: vec![0; tasks.requirement_subjects.len()],
        by_devices: vec![0; rows],
        ..FirstFailures::default()
    };
    let mut checks = Checks::of(tasks, width);
    let (mut feasible, mut dear) = (vec![0; rows], vec![0; rows]);
    for (task, feasible) in feasible.iter_mut().enumerate() {
        let asked = Asked::new(tasks, task);
        for &offer in book.list() {
            let failed = book.failed(asked, offer);
            match failed.first() {
                Some(Failed::Dimension(at)) => right.by_dimension[task * width + at] += 1,
                Some(Failed::Requirement(at)) => right.by_requirement[asked.requirements().start + at] += 1,
                Some(Failed::Devices) => right.by_devices[task] += 1,
                None => *feasible += 1,
            }
            dear[task] += u32::from(failed.is_empty() && book.is_dear(asked, offer));
            for number in book.not_preferred(asked, offer) {
                checks.requirement_fails[asked.requirements().start + number] += 1;
            }
            for check in &failed {
                checks.count(book, asked, (task, offer), *check, failed.len() == 1);
            }
        }
    }
    match answer {
        Counts::FirstFailures(answer) => {
            same_column("by_dimension", &right.by_dimension, &answer.by_dimension)?;
            same_column("by_requirement", &right.by_requirement, &answer.by_requirement)?;
            same_column("by_devices", &right.by_devices, &answer.by_devices)?;
        }
        Counts::ByCheck(answer) => checks.compare(answer)?,
    }
    for (name, column) in [("by_score", answer.by_score()), ("candidates", answer.candidates())] {
        if column.len() != rows {
            return Err(Wrong(name.into(), format!("{rows} counts"), format!("{} counts", column.len())));
        }
    }
    for (task, &feasible) in feasible.iter().enumerate() {
        let found = u64::from(answer.by_score()[task]) + u64::from(answer.candidates()[task]);
        if found != feasible {
            let what = format!("by_score[{task}] + candidates[{task}]");
            return Err(Wrong(what, feasible.to_string(), found.to_string()));
        }
        let (by_score, dear) = (answer.by_score()[task], dear[task]);
        if case.settings.max_score.is_none_or(|most| most >= NO_LIMIT) && by_score > dear {
            let expected = if dear == 0 { "0".to_owned() } else { format!("at most {dear}") };
            return Err(Wrong(format!("by_score[{task}]"), expected, by_score.to_string()));
        }
    }
    Ok(())
}

/// How many offers fail each check that is the same for every policy.
struct Checks {
    width: usize,
    dimension_fails: Vec<u32>,
    dimension_alone: Vec<u32>,
    /// The least that is missing among the offers that fail nothing else.
    dimension_missing: Vec<u64>,
    requirement_fails: Vec<u32>,
    requirement_alone: Vec<u32>,
    devices_fails: Vec<u32>,
    devices_alone: Vec<u32>,
}

impl Checks {
    /// None so far.
    fn of(tasks: &TaskTable, width: usize) -> Self {
        let (cells, requirements) = (tasks.rows as usize * width, tasks.requirement_subjects.len());
        Self {
            width,
            dimension_fails: vec![0; cells],
            dimension_alone: vec![0; cells],
            dimension_missing: vec![0; cells],
            requirement_fails: vec![0; requirements],
            requirement_alone: vec![0; requirements],
            devices_fails: vec![0; tasks.rows as usize],
            devices_alone: vec![0; tasks.rows as usize],
        }
    }

    /// Counts an offer at a check.
    fn count(&mut self, book: &Book, asked: Asked<'_>, (task, offer): (usize, usize), check: Failed, alone: bool) {
        let (fails, alone_fails, at) = match check {
            Failed::Dimension(at) => (&mut self.dimension_fails, &mut self.dimension_alone, task * self.width + at),
            Failed::Requirement(at) => {
                (&mut self.requirement_fails, &mut self.requirement_alone, asked.requirements().start + at)
            }
            Failed::Devices => (&mut self.devices_fails, &mut self.devices_alone, task),
        };
        fails[at] += 1;
        alone_fails[at] += u32::from(alone);
        if let (Failed::Dimension(dimension), true) = (check, alone) {
            let missing = book.missing(asked, offer, dimension);
            let least = &mut self.dimension_missing[at];
            *least = if *least == 0 { missing } else { missing.min(*least) };
        }
    }

    /// Compares them with what a matcher says.
    fn compare(&self, found: &ChecksFailed) -> Result<(), Wrong> {
        same_column("dimension_fails", &self.dimension_fails, &found.dimension_fails)?;
        same_column("dimension_alone", &self.dimension_alone, &found.dimension_alone)?;
        same_column("dimension_missing", &self.dimension_missing, &found.dimension_missing)?;
        same_column("requirement_fails", &self.requirement_fails, &found.requirement_fails)?;
        same_column("requirement_alone", &self.requirement_alone, &found.requirement_alone)?;
        same_column("devices_fails", &self.devices_fails, &found.devices_fails)?;
        same_column("devices_alone", &self.devices_alone, &found.devices_alone)
    }
}

/// Compares a column of counts.
pub(super) fn same_column<N: PartialEq + ToString>(name: &str, right: &[N], found: &[N]) -> Result<(), Wrong> {
    if right.len() != found.len() {
        return Err(Wrong(name.into(), format!("{} counts", right.len()), format!("{} counts", found.len())));
    }
    match right.iter().zip(found).position(|(right, found)| right != found) {
        Some(at) => Err(Wrong(format!("{name}[{at}]"), right[at].to_string(), found[at].to_string())),
        None => Ok(()),
    }
}
