//! As few offers as can be found for all tasks: first-fit of the largest, then an iterated search. Not a matcher.
//!
//! The search empties a few offers, puts what they held elsewhere or back into fewer of them, and keeps what is no worse: what
//! counts is how many offers are used, and then how unevenly they are filled, since an offer that is nearly empty is the next one
//! to go. All of it is integers, and random numbers come from one generator, so that both programs find the same after the same
//! number of rounds. `docs/pack.md` has the rules and their sources.

mod bound;
mod problem;
mod search;

use crate::error::Error;
use crate::table::offers::Offers;
use crate::table::tasks::Tasks;

pub use problem::{Kind, Problem};

/// A packing that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Packing {
    /// The offers in use: the number of the kind of each, and the rows of the tasks on it, rising.
    pub offers: Vec<(usize, Vec<usize>)>,
    /// The rows of the tasks that no offer takes, rising.
    pub unplaced: Vec<usize>,
    /// How many offers first-fit used, before the search.
    pub at_once: usize,
    /// How many are needed at least.
    pub bound: u128,
    /// Rounds of the search.
    pub rounds: u64,
}

impl Packing {
    /// A packing of tasks on offers, each of which may be used once, or any number of times: that of first-fit, improved for as
    /// long as `goes_on` says so of the number of rounds.
    ///
    /// ```
    /// use offermatch::{Catalog, Offer, Offers, Packing, Task, Tasks};
    ///
    /// let offers = [Offer::new("server", [("cpu", 10)])];
    /// let tasks = [("a", 6), ("b", 5), ("c", 5), ("d", 4)].map(|(name, cpu)| Task::new(name, [("cpu", cpu)]));
    /// let catalog = Catalog::of(&offers, &tasks);
    /// let (tasks, offers) = (Tasks::new(&tasks, &catalog)?, Offers::new(&offers, &catalog)?);
    /// let (found, _) = Packing::find(&tasks, &offers, true, 1, |_| false)?;
    /// assert_eq!((found.offers.len(), found.bound), (2, 2));
    /// # Ok::<(), offermatch::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::DevicesMalformed`] for a task that asks for a share of a device and [`Error::GroupUnpacked`] for one of a group,
    /// which are not packed.
    pub fn find(
        tasks: &Tasks,
        offers: &Offers,
        is_unlimited: bool,
        seed: u64,
        goes_on: impl FnMut(u64) -> bool,
    ) -> Result<(Self, Problem), Error> {
        let problem = Problem::of(tasks, offers, is_unlimited)?;
        let found = Self::of(&problem, seed, goes_on);
        Ok((found, problem))
    }

    /// The same for a problem.
    #[must_use]
    pub fn of(problem: &Problem, seed: u64, mut goes_on: impl FnMut(u64) -> bool) -> Self {
        let mut search = search::Search::new(problem, seed);
        search.first_fit();
        let at_once = search.bins.len();
        let bound = bound::lower_bound(problem, &search.unplaced);
        let mut rounds = 0;
        while search.bins.len() as u128 > bound.max(1) && goes_on(rounds) {
            search.round();
            rounds += 1;
        }
        let sorted = |mut rows: Vec<usize>| {
            rows.sort_unstable();
            rows
        };
        let offers = search.bins.iter().map(|one| (one.kind, sorted(one.tasks.clone()))).collect();
        Self { offers, unplaced: sorted(search.unplaced), at_once, bound, rounds }
    }
}
