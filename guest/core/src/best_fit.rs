//! The tightest offer.

use crate::policy::{Bound, Demand, Leftover, Policy, Ranking};

/// The tightest offer wins: the sum over dimensions, in order, and then over devices, of
/// `weight * (available - demand) / scale`.
///
/// This is the weighted best-fit heuristic of vector bin packing (Panigrahy, Talwar, Uyeda, Wieder: "Heuristics for
/// Vector Bin Packing", 2011), with the L1 norm.
#[derive(Debug, Clone, Copy, Default)]
pub struct BestFit;

impl Policy for BestFit {
    const NAME: &'static str = "best-fit";
    const BOUND: Bound = Bound::Linear;

    #[inline]
    fn score(&self, ranking: &Ranking, demand: Demand<'_>, offer: Leftover<'_>) -> f64 {
        // Slices of one length, so that the loop needs no bounds checks.
        let dimensions = demand.quantities.len();
        let available = &offer.available[..dimensions];
        let (weights, scales) = (&ranking.weights[..=dimensions], &ranking.scales[..=dimensions]);
        let mut score = 0.0;
        for at in 0..dimensions {
            score += weights[at] * (available[at] - demand.quantities[at]) as f64 / scales[at];
        }
        if offer.free_devices > 0 {
            let left = offer.free_devices - u64::from(demand.devices);
            score += weights[dimensions] * left as f64 / scales[dimensions];
        }
        // Without a free device the last term is 0.0, which changes no score.
        score
    }
}
