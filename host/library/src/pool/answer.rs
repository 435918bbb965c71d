//! What comes out of a cycle.

use std::time::Duration;

use offermatch_core::{Assignments, FirstFailures as Counts};

use crate::digest::sha256;
use crate::pool::matcher::Matcher;
use crate::table::tasks::Tasks;

/// The answer to one cycle: verified assignments and where the time went.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Who takes what.
    pub assignments: Assignments,
    /// Where the time went.
    pub timings: Timings,
    /// Which matcher gave the answer.
    pub matcher: Matcher,
    /// Why it is not the answer of the matcher that was asked first, where it is not.
    pub fallback_reason: Option<FallbackReason>,
}

/// Why a fallback answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FallbackReason {
    /// The code of the error, as in `docs/errors.md`, or `breaker-open`.
    pub code: &'static str,
    /// What happened.
    pub message: String,
}

/// Where the time of a pool went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Timings {
    /// Making an instance and giving it the offers.
    pub open: Duration,
    /// Assigning, with the crossing of the border.
    pub assign: Duration,
    /// Checking the answers.
    pub verify: Duration,
}

/// The digest of who takes what: equal digests mean equal answers, bit for bit.
///
/// ```
/// let digest = offermatch::answer_digest(&offermatch::Assignments::default());
/// assert!(digest.starts_with("sha256:e3b0c44298fc1c14"));
/// ```
#[must_use]
pub fn answer_digest(assignments: &Assignments) -> String {
    let mut bytes = Vec::with_capacity(assignments.tasks.len() * 16);
    for ((task, offer), score) in assignments.tasks.iter().zip(&assignments.offers).zip(&assignments.scores) {
        bytes.extend_from_slice(&task.to_le_bytes());
        bytes.extend_from_slice(&offer.to_le_bytes());
        bytes.extend_from_slice(&score.to_le_bytes());
    }
    sha256(&bytes)
}

/// The rows of a task table that were not placed.
///
/// ```
/// let assignments = offermatch::Assignments { tasks: vec![1], offers: vec![0], scores: vec![0.5] };
/// assert_eq!(offermatch::unplaced(&assignments, 3), [0, 2]);
/// ```
#[must_use]
pub fn unplaced(assignments: &Assignments, tasks: usize) -> Vec<u32> {
    let mut placed = assignments.tasks.iter().peekable();
    let rows = (0..).take(tasks);
    rows.filter(|row| placed.next_if_eq(&row).is_none()).collect()
}

/// How the offers in the list stand to some tasks.
#[derive(Debug, Clone)]
pub struct Explanations {
    /// The tasks that were asked about.
    tasks: Tasks,
    counts: Counts,
    /// How many offers the list holds.
    offers: usize,
}

/// How the offers in the list stand to one task. Each is counted once, at the first check it fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation<'a> {
    /// The task.
    pub task: &'a str,
    /// How many offers the list holds.
    pub offers: usize,
    /// Offers with too little, by dimension.
    pub by_dimension: Vec<(&'a str, u32)>,
    /// Offers refused by each of the task's requirements, in order.
    pub by_requirement: &'a [u32],
    /// Offers whose devices do not serve the task.
    pub by_devices: u32,
    /// Offers whose score is not below the maximal score.
    pub by_score: u32,
    /// Offers left to choose from.
    pub candidates: u32,
}

impl Explanations {
    /// Counts that were checked to fit the tasks.
    pub(crate) fn new(tasks: Tasks, counts: Counts, offers: usize) -> Self {
        Self { tasks, counts, offers }
    }

    /// The counts, as columns.
    #[must_use]
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// One explanation for each task, in their order.
    pub fn iter(&self) -> impl Iterator<Item = Explanation<'_>> {
        let dimensions = self.tasks.catalog().dimensions();
        let offsets = &self.tasks.table().requirement_offsets;
        self.tasks.names().iter().enumerate().map(move |(row, task)| {
            let by_dimension = &self.counts.by_dimension[row * dimensions.len()..(row + 1) * dimensions.len()];
            let requirements = offsets.get(row..row + 2).map_or(0..0, |ends| ends[0] as usize..ends[1] as usize);
            Explanation {
                task,
                offers: self.offers,
                by_dimension: dimensions.iter().map(String::as_str).zip(by_dimension.iter().copied()).collect(),
                by_requirement: &self.counts.by_requirement[requirements],
                by_devices: self.counts.by_devices[row],
                by_score: self.counts.by_score[row],
                candidates: self.counts.candidates[row],
            }
        })
    }
}
