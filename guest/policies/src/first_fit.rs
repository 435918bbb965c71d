//! The first offer that can take the task.

use offermatch_core::{Bound, Demand, Leftover, Policy, Ranking};

/// The offer wins that stands earliest in the list: every score is 0.0, and a tie goes to the earliest.
///
/// This is the first-fit heuristic of bin packing (D. S. Johnson: "Near-optimal Bin Packing Algorithms", 1973).
#[derive(Debug, Clone, Copy, Default)]
pub struct FirstFit;

impl Policy for FirstFit {
    const NAME: &'static str = "first-fit";
    const BOUND: Bound = Bound::Linear;

    #[inline]
    fn score(&self, _: &Ranking, _: Demand<'_>, _: Leftover<'_>) -> f64 {
        0.0
    }
}
