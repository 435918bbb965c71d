//! The offer whose free resources are most like what the task asks.

use offermatch_core::{Bound, Demand, Leftover, Line, Policy, Ranking};

use crate::terms;

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
    const ESTIMATES: bool = true;

    fn feature_count(&self, dimensions: usize, devices: bool) -> usize {
        dimensions + usize::from(devices)
    }

    fn features(&self, ranking: &Ranking, offer: Leftover<'_>, features: &mut [f64]) {
        let terms = terms(ranking, offer, features.len()).zip(&ranking.scales);
        features.iter_mut().zip(terms).for_each(|(feature, ((free, ..), scale))| *feature = -free / scale);
    }

    fn line(&self, ranking: &Ranking, demand: Demand<'_>, coefficients: &mut [f64]) -> Line {
        // The line is the product below zero. All of its terms have one sign, so that it is enlarged by more than their roundings.
        let larger = 1.0 + (coefficients.len() as f64 + 4.0) * 1e-15;
        let asked = demand.quantities.iter().copied().chain([u64::from(demand.devices)]);
        let scaled = asked.zip(&ranking.scales).map(|(asked, scale)| asked as f64 / scale * larger);
        coefficients.iter_mut().zip(scaled).zip(&ranking.weights).for_each(|((by, asked), weight)| *by = weight * asked);
        Line { constant: 0.0, flat: coefficients.iter().all(|by| *by == 0.0) }
    }

    fn level(&self, score: f64) -> f64 {
        // `1 / (1 + dot)` is rounded twice: a score that is not above this has a product that is not much below.
        1.0 - (1.0 - 1e-15) / score + 1e-15
    }

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
