//! The least used offer.

use offermatch_core::{Bound, Demand, Leftover, Line, Policy, Ranking};

use crate::{straight_features, straight_line, weighted};

/// The offer wins that is least used when it has taken the task: the sum over dimensions, and then over devices, of
/// `weight * (1 - left over / capacity)`. Spreads tasks.
///
/// This is the worst-fit heuristic of bin packing on shares of capacity, as in the strategy LeastAllocated of Kubernetes'
/// NodeResourcesFit, which scores with `weight * (capacity - requested) / capacity` and takes the highest. What an offer has
/// no capacity of counts as unused.
#[derive(Debug, Clone, Copy, Default)]
pub struct WorstFit;

impl Policy for WorstFit {
    const NAME: &'static str = "worst-fit";
    const BOUND: Bound = Bound::Antitone;
    const ESTIMATES: bool = true;

    fn feature_count(&self, dimensions: usize, devices: bool) -> usize {
        1 + dimensions + usize::from(devices)
    }

    fn features(&self, ranking: &Ranking, offer: Leftover<'_>, features: &mut [f64]) {
        straight_features((ranking, offer), 1.0, |free, capacity| 1.0 - free / capacity, features);
    }

    fn line(&self, ranking: &Ranking, demand: Demand<'_>, coefficients: &mut [f64]) -> Line {
        straight_line(ranking, demand, coefficients)
    }

    #[inline]
    fn score(&self, ranking: &Ranking, demand: Demand<'_>, offer: Leftover<'_>) -> f64 {
        weighted(ranking, demand, offer, used_share)
    }
}

/// The part of a capacity that is not left over. As a difference to 1.0 it keeps the order of its arguments, which
/// `(capacity - left) / capacity`, rounded, would not.
#[inline]
fn used_share(left: u64, capacity: u64) -> f64 {
    if left >= capacity { 0.0 } else { 1.0 - left as f64 / capacity as f64 }
}
