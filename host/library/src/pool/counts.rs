//! How offers stand to tasks, as columns of counts.

pub use offermatch_core::{Explanations as ChecksFailed, FirstFailures};

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
}
