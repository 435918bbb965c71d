//! The offer whose free resources are most like what the task asks.

use offermatch_core::{Bound, Demand, Leftover, Policy, Ranking};

/// The offer wins whose available quantities have the largest dot product with the demand: `1 / (1 + dot)`, where `dot` is the
/// sum over dimensions, and then over devices, of `weight * (demand / scale) * (available / scale)`.
///
/// This is the dot-product heuristic of vector bin packing (Panigrahy, Talwar, Uyeda, Wieder: "Heuristics for Vector Bin
/// Packing", 2011; the alignment score of Grandl, Ananthanarayanan, Kandula, Rao, Akella: "Multi-resource Packing for
/// Cluster Schedulers", SIGCOMM 2014). The reciprocal turns the largest product into the lowest score, between 0.0 and 1.0
/// and never below zero; products that differ by less than 1e-16 may tie.
#[derive(Debug, Clone, Copy, Default)]
pub struct DotProduct;

impl Policy for DotProduct {
    const NAME: &'static str = "dot-product";
    const BOUND: Bound = Bound::Antitone;

    #[inline]
    fn score(&self, ranking: &Ranking, demand: Demand<'_>, offer: Leftover<'_>) -> f64 {
        let dimensions = demand.quantities.len();
        let available = &offer.available[..dimensions];
        let (weights, scales) = (&ranking.weights[..=dimensions], &ranking.scales[..=dimensions]);
        // The product of the shares is finite, so that a weight makes it infinite at worst, never NaN.
        let term = |at: usize, asked: f64, free: u64| weights[at] * (asked / scales[at] * (free as f64 / scales[at]));
        let mut dot = 0.0;
        for (at, (&asked, &free)) in demand.quantities.iter().zip(available).enumerate() {
            dot += term(at, asked as f64, free);
        }
        dot += term(dimensions, f64::from(demand.devices), offer.free_devices);
        1.0 / (1.0 + dot)
    }
}
