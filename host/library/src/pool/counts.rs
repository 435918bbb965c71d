//! How offers stand to tasks, as columns of counts.

use std::ops::Range;

pub use offermatch_core::{Explanations as ChecksFailed, FirstFailures};
use offermatch_core::{Shape, TaskTable};

use crate::pool::backend::{Widths, lengths};
use crate::pool::groups;

/// How the offers of the list stand to some tasks, as columns. A matcher counts as its contract says.
///
/// ```
/// # use offermatch::{Catalog, Matcher, Offer, Offers, Settings, Task, Tasks};
/// # let servers = [Offer::new("large", [("cpu", 4000)]), Offer::new("small", [("cpu", 2000)])];
/// # let rows = [Task::new("fits", [("cpu", 1000)]), Task::new("never", [("cpu", 9000)])];
/// # let catalog = Catalog::of(&servers, &rows);
/// # let (tasks, offers) = (Tasks::new(&rows, &catalog)?, Offers::new(&servers, &catalog)?);
/// let mut pool = Matcher::reference().open(&offers, &Settings::default())?;
/// assert_eq!(pool.explain(&tasks)?.counts().candidates(), [2, 0]);
/// # Ok::<(), offermatch::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub enum Counts {
    /// Each offer at every check it fails.
    ByCheck(Box<ChecksFailed>),
    /// Each offer once, at the first check it fails: matchers of contract 0.2.0.
    FirstFailures(FirstFailures),
}

impl Counts {
    /// Offers left to choose from, one number a task.
    #[must_use]
    pub fn candidates(&self) -> &[u32] {
        match self {
            Self::ByCheck(counts) => &counts.candidates,
            Self::FirstFailures(counts) => &counts.candidates,
        }
    }

    /// Offers that pass every other check but whose score is too high, one number a task.
    #[must_use]
    pub fn by_score(&self) -> &[u32] {
        match self {
            Self::ByCheck(counts) => &counts.score_fails,
            Self::FirstFailures(counts) => &counts.by_score,
        }
    }

    /// Whether the counts are the same, as far as both say: where only one counts by check, how many offers are left and
    /// how many have too high a score.
    #[must_use]
    pub fn agree(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::ByCheck(one), Self::ByCheck(two)) => one == two,
            (Self::FirstFailures(one), Self::FirstFailures(two)) => one == two,
            _ => self.candidates() == other.candidates() && self.by_score() == other.by_score(),
        }
    }

    /// Checks that counts have the right shape and can be, with so many offers in the list: they add up to that where each
    /// offer is counted once, and stay within it where it is counted at every check.
    pub(super) fn check(&self, tasks: &TaskTable, shape: Shape, listed: usize) -> Result<(), String> {
        for (name, found, expected) in lengths(self, &Widths::of(tasks, shape)) {
            if found != expected {
                return Err(format!("column {name} has {found} counts, not {expected}"));
            }
        }
        let mut limit = 0;
        for row in 0..tasks.rows as usize {
            let checked = match self {
                Self::FirstFailures(counts) => check_first_failures(counts, tasks, row, shape, listed),
                Self::ByCheck(counts) => {
                    let limits = limit..limit + groups::limits(tasks, row).len();
                    limit = limits.end;
                    check_failures(counts, tasks, row, shape, limits, listed)
                }
            };
            checked.map_err(|reason| format!("the counts of task row {row} {reason}"))?;
        }
        Ok(())
    }
}

/// Checks the counts of a task in which each offer is counted once.
fn check_first_failures(
    counts: &FirstFailures,
    tasks: &TaskTable,
    row: usize,
    shape: Shape,
    listed: usize,
) -> Result<(), String> {
    let width = shape.dimensions as usize;
    let sum = |counts: &[u32]| counts.iter().map(|&count| u64::from(count)).sum::<u64>();
    let counted = sum(&counts.by_dimension[row * width..(row + 1) * width])
        + sum(&counts.by_requirement[tasks.requirements(row)])
        + sum(&[counts.by_devices[row], counts.by_score[row], counts.candidates[row]]);
    if counted == listed as u64 {
        return Ok(());
    }
    Err(format!("add up to {counted}, not {listed}"))
}

/// Checks the counts of a task in which each offer is counted at every check it fails.
fn check_failures(
    counts: &ChecksFailed,
    tasks: &TaskTable,
    row: usize,
    shape: Shape,
    limits: Range<usize>,
    listed: usize,
) -> Result<(), String> {
    let width = shape.dimensions as usize;
    let mut checks = vec![
        (counts.devices_fails[row], counts.devices_alone[row]),
        (counts.together_fails[row], counts.together_alone[row]),
    ];
    checks.extend((row * width..(row + 1) * width).map(|at| (counts.dimension_fails[at], counts.dimension_alone[at])));
    checks.extend(limits.map(|at| (counts.limit_fails[at], counts.limit_alone[at])));
    for at in tasks.requirements(row) {
        if !tasks.is_preference(at) {
            checks.push((counts.requirement_fails[at], counts.requirement_alone[at]));
        } else if counts.requirement_fails[at] as usize > listed || counts.requirement_alone[at] > 0 {
            return Err("say that an offer fails a preference".to_owned());
        }
    }
    let listed = listed as u64;
    let left = u64::from(counts.candidates[row]) + u64::from(counts.score_fails[row]);
    let Some(failing) = listed.checked_sub(left) else {
        return Err(format!("leave {left} offers of the {listed} in the list"));
    };
    let nowhere = |missing: bool, alone: u32| missing && alone == 0;
    let dimensions = row * width..(row + 1) * width;
    if dimensions.into_iter().any(|at| nowhere(counts.dimension_missing[at] > 0, counts.dimension_alone[at]))
        || tasks
            .requirements(row)
            .any(|at| nowhere(counts.requirement_missing[at] != 0.0, counts.requirement_alone[at]))
        || nowhere(counts.devices_missing[row] > 0, counts.devices_alone[row])
        || nowhere(counts.score_missing[row] != 0.0, counts.score_fails[row])
    {
        return Err("say what is missing where no offer fails a check alone".to_owned());
    }
    let (mut all, mut alone) = (0, 0);
    for (fails, alone_fails) in checks {
        if u64::from(fails) > failing || alone_fails > fails {
            return Err(format!("have {fails} offers fail a check, {alone_fails} alone, of {failing} that fail"));
        }
        all += u64::from(fails);
        alone += u64::from(alone_fails);
    }
    if alone > failing || all < failing {
        return Err(format!("have {all} failures, {alone} alone, of {failing} offers that fail"));
    }
    if u64::from(counts.capable[row]) > listed || counts.candidates[row] > counts.capable[row] {
        return Err(format!("say that {} offers are capable", counts.capable[row]));
    }
    Ok(())
}
