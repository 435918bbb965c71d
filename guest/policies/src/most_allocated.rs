//! The most used offer.

use offermatch_core::{Bound, Demand, Leftover, Line, Policy, Ranking};

use crate::{straight_features, straight_line, weighted};

/// The offer wins that is most used when it has taken the task: the sum over dimensions, and then over devices, of
/// `weight * left over / capacity`. Packs tasks, by shares of each offer's own capacity, so that a small offer and a large one
/// fill alike.
///
/// This is the strategy MostAllocated of Kubernetes' NodeResourcesFit, which scores with `weight * requested / capacity` and
/// takes the highest. What an offer has no capacity of counts as used.
#[derive(Debug, Clone, Copy, Default)]
pub struct MostAllocated;

impl Policy for MostAllocated {
    const NAME: &'static str = "most-allocated";
    const BOUND: Bound = Bound::Monotone;
    const ESTIMATES: bool = true;

    fn feature_count(&self, dimensions: usize, devices: bool) -> usize {
        1 + dimensions + usize::from(devices)
    }

    fn features(&self, ranking: &Ranking, offer: Leftover<'_>, features: &mut [f64]) {
        straight_features((ranking, offer), -1.0, |free, capacity| free / capacity, features);
    }

    fn line(&self, ranking: &Ranking, demand: Demand<'_>, coefficients: &mut [f64]) -> Line {
        straight_line(ranking, demand, coefficients)
    }

    #[inline]
    fn score(&self, ranking: &Ranking, demand: Demand<'_>, offer: Leftover<'_>) -> f64 {
        weighted(ranking, demand, offer, free_share)
    }
}

/// The part of a capacity that is left over: 0.0 of nothing, and 0.0 where there is no capacity.
#[inline]
fn free_share(left: u64, capacity: u64) -> f64 {
    if left == 0 { 0.0 } else { left as f64 / capacity as f64 }
}
