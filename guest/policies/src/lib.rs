//! The policies that are shipped, one file each. `docs/policies.md` compares them.
//!
//! A new policy is a new file here: `my_policy.rs` holds the type `MyPolicy`, and the build script finds it. best-fit is the
//! policy of the reference, too, and so its formula lives in the core.
//!
//! Each formula is a sum of terms over the resource dimensions, in order, and then over the free device thousandths of an offer, so
//! that every platform computes the same bits.
#![cfg_attr(target_arch = "wasm32", no_std)]

extern crate alloc;

use offermatch_core::WHOLE;
use offermatch_core::{Demand, Leftover, Line, Ranking};

include!(concat!(env!("OUT_DIR"), "/policies.rs"));

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

/// What is free, what there is in all, and the weight of a dimension or, last, of the devices; without them where `terms` is the
/// number of dimensions.
fn terms<'a>(ranking: &'a Ranking, offer: Leftover<'a>, terms: usize) -> impl Iterator<Item = (f64, f64, f64)> + 'a {
    let free = offer.available.iter().copied().chain([offer.free_devices]);
    let quantities = free.map(|free| free as f64).zip(offer.capacity.iter().copied().chain([offer.device_capacity]));
    let terms = quantities.zip(&ranking.weights).take(terms);
    terms.map(|((free, capacity), &weight)| (free, capacity as f64, weight))
}

/// The features of a score that is a sum of shares, each with the `sign` that it has: the sum for an empty task, and what one unit of
/// each dimension changes. `share` is that of an offer which has this free.
#[inline]
fn straight_features(
    (ranking, offer): (&Ranking, Leftover<'_>),
    sign: f64,
    share: impl Fn(f64, f64) -> f64,
    features: &mut [f64],
) {
    let Some((sum, units)) = features.split_first_mut() else { return };
    *sum = 0.0;
    let terms = terms(ranking, offer, units.len());
    for (unit, (free, capacity, weight)) in units.iter_mut().zip(terms) {
        // Nothing is asked, and nothing left, where there is no capacity.
        *unit = if capacity > 0.0 { sign * weight / capacity } else { 0.0 };
        *sum += if capacity > 0.0 { weight * share(free, capacity) } else { 0.0 };
    }
}

/// The line of such a score, which is the score but for roundings.
#[inline]
fn straight_line(ranking: &Ranking, demand: Demand<'_>, coefficients: &mut [f64]) -> Line {
    let Some((sum, units)) = coefficients.split_first_mut() else { return slack(ranking) };
    *sum = 1.0;
    let asked = demand.quantities.iter().copied().chain([u64::from(demand.devices)]);
    units.iter_mut().zip(asked).for_each(|(unit, asked)| *unit = asked as f64);
    slack(ranking)
}

/// A line that is below a sum of shares by more than all roundings. A share is at most 1, so that each of the few roundings a term is at
/// most 2^-53 of the sum of the weights.
fn slack(ranking: &Ranking) -> Line {
    let weights: f64 = ranking.weights.iter().sum();
    Line { constant: -weights * (ranking.weights.len() as f64 + 4.0) * 1e-13, flat: weights == 0.0 }
}

/// The thousandths that are asked of each device, and of how many.
fn asked(devices: u32) -> (u32, usize) {
    if devices < WHOLE { (devices, 1) } else { (WHOLE, (devices / WHOLE) as usize) }
}

/// What devices have free together.
fn thousandths(devices: &[u32]) -> u64 {
    devices.iter().copied().map(u64::from).sum()
}
