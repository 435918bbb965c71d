//! The policies that are shipped, one file each. `docs/policies.md` compares them.
//!
//! Each is a sum of terms over the resource dimensions, in order, and then over the free device thousandths of an offer, so
//! that every platform computes the same bits. With weights of 1.0 a term is between 0 and 1 (best-fit: where scales are
//! those of the offers), and so none is refused by the default maximal score in pools of up to thirty dimensions.

mod best_fit;
mod dot_product;
mod exponential;
mod first_fit;
mod fragmentation;
mod most_allocated;
mod strand;
mod worst_fit;

pub use best_fit::BestFit;
pub use dot_product::DotProduct;
pub use exponential::Exponential;
pub use first_fit::FirstFit;
pub use fragmentation::Fragmentation;
pub use most_allocated::MostAllocated;
pub use strand::Strand;
pub use worst_fit::WorstFit;

use crate::policy::{Demand, Leftover, Ranking};

/// The sum of `weight * term(left over, capacity)` over dimensions and devices. Keeps the order of `term`: it is made of
/// correctly rounded sums and of products with weights, none of which is negative.
#[inline]
fn weighted(ranking: &Ranking, demand: Demand<'_>, offer: Leftover<'_>, term: impl Fn(u64, u64) -> f64) -> f64 {
    let dimensions = demand.quantities.len();
    let (available, capacity) = (&offer.available[..dimensions], &offer.capacity[..dimensions]);
    let weights = &ranking.weights[..=dimensions];
    let mut score = 0.0;
    for at in 0..dimensions {
        score += weights[at] * term(available[at] - demand.quantities[at], capacity[at]);
    }
    score + weights[dimensions] * term(offer.free_devices - u64::from(demand.devices), offer.device_capacity)
}
