//! The policies that are shipped, one file each. `docs/policies.md` compares them.
//!
//! A new policy is a new file here: `my_policy.rs` holds the type `MyPolicy`, and the build script finds it. best-fit is the
//! policy of the reference, too, and so its formula lives in the core.
//!
//! Each formula is a sum of terms over the resource dimensions, in order, and then over the free device thousandths of an offer, so
//! that every platform computes the same bits.
#![cfg_attr(target_arch = "wasm32", no_std)]

extern crate alloc;

use offermatch_core::table::WHOLE;
use offermatch_core::{Demand, Leftover, Ranking};

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

/// The thousandths that are asked of each device, and of how many.
fn asked(devices: u32) -> (u32, usize) {
    if devices < WHOLE { (devices, 1) } else { (WHOLE, (devices / WHOLE) as usize) }
}

/// What devices have free together.
fn thousandths(devices: &[u32]) -> u64 {
    devices.iter().copied().map(u64::from).sum()
}
