//! What comes out of a cycle.

use std::ops::Range;
use std::time::Duration;

use offermatch_core::Assignments;

use crate::digest::sha256;
use crate::pool::counts::Counts;
use crate::pool::matcher::Matcher;
use crate::table::rows::Group;
use crate::table::tasks::Tasks;

/// The answer to one cycle: verified assignments and where the time went.
///
/// ```
/// # use offermatch::{Catalog, Matcher, Offer, Offers, Settings, Task, Tasks};
/// # let servers = [Offer::new("large", [("cpu", 4000)]), Offer::new("small", [("cpu", 2000)])];
/// # let rows = [Task::new("fits", [("cpu", 1000)]), Task::new("never", [("cpu", 9000)])];
/// # let catalog = Catalog::of(&servers, &rows);
/// # let (tasks, offers) = (Tasks::new(&rows, &catalog)?, Offers::new(&servers, &catalog)?);
/// let answer = Matcher::bundled("best-fit")?.match_tasks(&tasks, &offers, &Settings::default())?;
/// assert_eq!(answer.assignments.tasks, [0]);
/// assert_eq!(offers.names()[answer.assignments.offers[0] as usize], "small");
/// assert!(answer.fallback_reason.is_none());
/// # Ok::<(), offermatch::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Answer {
    /// Who takes what.
    pub assignments: Assignments,
    /// Which devices tasks get: the row of each task that gets any, and the number and the thousandths of each device, counted
    /// among those of its offer.
    pub devices: Vec<(u32, Vec<(u32, u32)>)>,
    /// Where the time went.
    pub timings: Timings,
    /// Which matcher gave the answer.
    pub matcher: Matcher,
    /// Why it is not the answer of the matcher that was asked first, where it is not.
    pub fallback_reason: Option<FallbackReason>,
    /// What was done as asked, though it can hardly be meant: a condition on an attribute that no offer has, a pool that does
    /// not follow its slot.
    pub remarks: Vec<String>,
}

/// Why a fallback answered.
///
/// Example: [`crate::FallbackMatcher`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FallbackReason {
    /// The code of the error, as in `docs/errors.md`, or `breaker-open`.
    pub code: &'static str,
    /// What happened.
    pub message: String,
}

/// Where the time of a pool went.
///
/// ```
/// # use offermatch::{Catalog, Matcher, Offer, Offers, Settings, Task, Tasks};
/// # let servers = [Offer::new("large", [("cpu", 4000)]), Offer::new("small", [("cpu", 2000)])];
/// # let rows = [Task::new("fits", [("cpu", 1000)]), Task::new("never", [("cpu", 9000)])];
/// # let catalog = Catalog::of(&servers, &rows);
/// # let (tasks, offers) = (Tasks::new(&rows, &catalog)?, Offers::new(&servers, &catalog)?);
/// let timings = Matcher::reference().match_tasks(&tasks, &offers, &Settings::default())?.timings;
/// println!("{:?} to open, {:?} to match, {:?} to verify", timings.open, timings.assign, timings.verify);
/// # Ok::<(), offermatch::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
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
///
/// ```
/// # use offermatch::{Catalog, Matcher, Offer, Offers, Settings, Task, Tasks};
/// # let servers = [Offer::new("large", [("cpu", 4000)]), Offer::new("small", [("cpu", 2000)])];
/// # let rows = [Task::new("fits", [("cpu", 1000)]), Task::new("never", [("cpu", 9000)])];
/// # let catalog = Catalog::of(&servers, &rows);
/// # let (tasks, offers) = (Tasks::new(&rows, &catalog)?, Offers::new(&servers, &catalog)?);
/// let mut pool = Matcher::reference().open(&offers, &Settings::default())?;
/// let explanations = pool.explain(&tasks)?;
/// let candidates: Vec<u32> = explanations.iter().map(|explanation| explanation.candidates).collect();
/// assert_eq!(candidates, [2, 0]);
/// # Ok::<(), offermatch::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Explanations {
    /// The tasks that were asked about.
    tasks: Tasks,
    counts: Counts,
    /// How many offers the list holds.
    offers: usize,
    /// How many members of each group run already.
    running: Vec<u64>,
}

/// How the offers in the list stand to one task. A matcher of contract 0.3.0 counts each offer at every check it fails; one of
/// 0.2.0 counts it once, at the first.
///
/// ```
/// # use offermatch::{Catalog, Matcher, Offer, Offers, Settings, Task, Tasks};
/// # let servers = [Offer::new("large", [("cpu", 4000)]), Offer::new("small", [("cpu", 2000)])];
/// # let rows = [Task::new("fits", [("cpu", 1000)]), Task::new("never", [("cpu", 9000)])];
/// # let catalog = Catalog::of(&servers, &rows);
/// # let (tasks, offers) = (Tasks::new(&rows, &catalog)?, Offers::new(&servers, &catalog)?);
/// let mut pool = Matcher::reference().open(&offers, &Settings::default())?;
/// let explanations = pool.explain(&tasks)?;
/// let never = explanations.iter().nth(1).expect("there is one for each task");
/// assert_eq!((never.task, never.offers, never.candidates), ("never", 2, 0));
/// let (dimension, check) = &never.by_dimension[0];
/// assert_eq!((*dimension, check.fails, check.alone, check.missing), ("cpu", 2, Some(2), Some(5000)));
/// # Ok::<(), offermatch::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Explanation<'a> {
    /// The task.
    pub task: &'a str,
    /// How many offers the list holds.
    pub offers: usize,
    /// Offers with too little, by dimension; what is missing is in the smallest unit.
    pub by_dimension: Vec<(&'a str, Check<u64>)>,
    /// Offers that do not meet each of the task's requirements and preferences, in order; what is missing is of the measure.
    pub by_requirement: Vec<Check<f64>>,
    /// Offers whose devices do not serve the task; what is missing is in thousandths.
    pub by_devices: Check<u32>,
    /// Offers away from the members of the task's group that run already, or without a value; none for a task of no group.
    pub by_together: Option<Check<()>>,
    /// Offers where members that run already reach each limit of the task's group, or without a value.
    pub by_limit: Vec<Check<()>>,
    /// Offers that fail nothing else but whose score is not below the maximal score; what is missing is of the score.
    pub by_score: Check<f64>,
    /// Offers left to choose from.
    pub candidates: u32,
    /// Offers of the list that could hold the task if they were empty; none where the matcher does not say.
    pub capable: Option<u32>,
    /// How its group stands; none for a task of no group, and where the matcher does not say.
    pub members: Option<Members<'a>>,
}

/// How the group of a task stands.
///
/// ```
/// use offermatch::{Catalog, Group, Matcher, Offer, Offers, Settings, Task, Tasks};
///
/// let servers = [Offer::new("a", [("cpu", 1000)])];
/// let both = Group { least: 2, ..Group::new("train") };
/// let rows = ["first", "second"].map(|name| Task { group: Some(both.clone()), ..Task::new(name, [("cpu", 1000)]) });
/// let catalog = Catalog::of(&servers, &rows);
/// let (tasks, offers) = (Tasks::new(&rows, &catalog)?, Offers::new(&servers, &catalog)?);
/// let mut pool = Matcher::reference().open(&offers, &Settings::default())?;
/// let answer = pool.assign(&tasks)?;
/// let why = pool.explain_unplaced(&tasks, &answer.assignments)?;
/// let members = why.iter().next().and_then(|explanation| explanation.members).expect("the task is of a group");
/// assert_eq!((members.group.map(|group| group.least), members.placed), (Some(2), 1));
/// # Ok::<(), offermatch::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Members<'a> {
    /// What it asks; none where the tasks were given as columns.
    pub group: Option<&'a Group>,
    /// How many of the members asked about find offers, placed with one another, before the least number is asked.
    pub placed: u32,
    /// How many run already.
    pub running: u64,
}

/// How many offers fail a check.
///
/// Example: [`Explanation`].
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Check<T> {
    /// How many offers fail it.
    pub fails: u32,
    /// How many fail nothing else; none where the matcher does not say.
    pub alone: Option<u32>,
    /// The least that is missing among these; none where there are none, or the matcher does not say.
    pub missing: Option<T>,
}

impl<T> Check<T> {
    /// A count of a matcher that says no more.
    fn of(fails: u32) -> Self {
        Self { fails, alone: None, missing: None }
    }

    /// A count with those that fail nothing else.
    fn with(fails: u32, alone: u32, missing: T) -> Self {
        Self { fails, alone: Some(alone), missing: (alone > 0).then_some(missing) }
    }
}

impl Explanations {
    /// Counts that were checked to fit the tasks.
    pub(crate) fn new(tasks: Tasks, counts: Counts, offers: usize, running: Vec<u64>) -> Self {
        Self { tasks, counts, offers, running }
    }

    /// The counts, as columns.
    #[must_use]
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// How many members of each group find offers when they are placed, before its least number is asked; none where the
    /// matcher does not say.
    #[must_use]
    pub fn members_placed(&self) -> Option<&[u32]> {
        match &self.counts {
            Counts::ByCheck(counts) => Some(&counts.members_placed),
            Counts::FirstFailures(_) => None,
        }
    }

    /// One explanation for each task, in their order.
    pub fn iter(&self) -> impl Iterator<Item = Explanation<'_>> {
        let mut limits = 0;
        self.tasks.names().iter().enumerate().map(move |(row, task)| {
            let begin = limits;
            limits += super::groups::limits(self.tasks.table(), row).len();
            self.explanation(row, task, begin..limits)
        })
    }

    /// The explanation of one task.
    fn explanation<'a>(&'a self, row: usize, task: &'a str, limits: Range<usize>) -> Explanation<'a> {
        let table = self.tasks.table();
        let dimensions = self.tasks.catalog().dimensions();
        let cells = row * dimensions.len()..(row + 1) * dimensions.len();
        let requirements = table.requirements(row);
        let names = dimensions.iter().map(String::as_str);
        let offers = self.offers;
        let group = table.group(row);
        match &self.counts {
            Counts::FirstFailures(counts) => Explanation {
                task,
                offers,
                by_dimension: names.zip(counts.by_dimension[cells].iter().map(|&fails| Check::of(fails))).collect(),
                by_requirement: counts.by_requirement[requirements].iter().map(|&fails| Check::of(fails)).collect(),
                by_devices: Check::of(counts.by_devices[row]),
                by_together: None,
                by_limit: Vec::new(),
                by_score: Check::of(counts.by_score[row]),
                candidates: counts.candidates[row],
                capable: None,
                members: None,
            },
            Counts::ByCheck(of) => {
                let dimension =
                    |at: usize| Check::with(of.dimension_fails[at], of.dimension_alone[at], of.dimension_missing[at]);
                let requirement = |at: usize| {
                    let check =
                        Check::with(of.requirement_fails[at], of.requirement_alone[at], of.requirement_missing[at]);
                    // An attribute misses nothing that can be counted, and neither does an unset measure.
                    Check { missing: check.missing.filter(|&missing| missing > 0.0), ..check }
                };
                let limit =
                    |at: usize| Check { missing: None, ..Check::with(of.limit_fails[at], of.limit_alone[at], ()) };
                let together =
                    Check { missing: None, ..Check::with(of.together_fails[row], of.together_alone[row], ()) };
                Explanation {
                    task,
                    offers,
                    by_dimension: names.zip(cells.map(dimension)).collect(),
                    by_requirement: requirements.map(requirement).collect(),
                    by_devices: Check::with(of.devices_fails[row], of.devices_alone[row], of.devices_missing[row]),
                    by_together: group.map(|_| together),
                    by_limit: limits.map(limit).collect(),
                    by_score: Check::with(of.score_fails[row], of.score_fails[row], of.score_missing[row]),
                    candidates: of.candidates[row],
                    capable: Some(of.capable[row]),
                    members: group.map(|group| Members {
                        group: self.tasks.groups().rules(group),
                        placed: of.members_placed[group],
                        running: self.running[group],
                    }),
                }
            }
        }
    }
}
