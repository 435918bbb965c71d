//! Lower bounds of scores, safe against the rounding of doubles.
//!
//! A linear score is, in exact arithmetic, the key of the offer minus the key of the task, but sorting by the computed key
//! does not sort by the computed score: both are rounded. With `u = 2^-53` and `n` terms, all of them not negative, every
//! sum of products computed here lies within a factor `1 ± (n + 4)u` of its exact value (three roundings a term, `n - 1`
//! additions; Higham, *Accuracy and Stability of Numerical Algorithms*, section 3.1). So a score is never below
//! `key * (1 - e) - cost * (1 + e)` for an `e` of a few times that. The factor 16 below is generous, costs nothing, and
//! covers the roundings of the bound itself.

use alloc::vec;
use alloc::vec::Vec;

use crate::policy::{Bound, Demand, Policy, Ranking};

use super::axes::Axes;

/// The keys of offers and tasks for one ranking.
#[derive(Debug, Clone)]
pub(super) struct KeyBound {
    /// The relative slack `e`.
    slack: f64,
    /// A demand of nothing.
    nothing: Vec<u64>,
    /// What rows of axes consist of.
    axes: Axes,
    /// Whether every offer scores zero: what is left over has no weight. The first in the list wins then, and keys are places in
    /// the list.
    pub(super) is_flat: bool,
}

/// The key of a task, on both sides of its rounding.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Cost {
    /// What to subtract from the lowered key of an offer: the difference is not above any score.
    pub(super) subtract: f64,
    /// No offer with a lowered key below this can serve the task: zero where a policy is not linear.
    pub(super) least_key: f64,
}

impl KeyBound {
    /// Bounds for a ranking, or none where its weights are so small or large that relative errors are not bounded (doubles
    /// below 2^-1022 lose digits, and above 2^1023 there is only infinity).
    pub(super) fn new<P: Policy>(ranking: &Ranking, axes: Axes) -> Option<Self> {
        let usable = |weight: &f64| *weight == 0.0 || (1e-200..=1e200).contains(weight);
        if !ranking.weights.iter().all(usable) {
            return None;
        }
        let terms = ranking.weights.len();
        let slack = 16.0 * (terms as f64 + 4.0) * (f64::EPSILON / 2.0);
        let counted = if axes.devices { &ranking.weights[..] } else { &ranking.weights[..axes.dimensions] };
        let is_flat = P::BOUND == Bound::Linear && counted.iter().all(|&weight| weight == 0.0);
        Some(Self { slack, nothing: vec![0; terms - 1], axes, is_flat })
    }

    /// The lowered key of an offer at a place in the list. Where a policy is not linear, a number that brings offers of nearly the same values
    /// together, the likely best ones first.
    pub(super) fn of_offer<P: Policy>(&self, policy: &P, ranking: &Ranking, values: &[u64], position: u32) -> f64 {
        match P::BOUND {
            Bound::Linear if self.is_flat => position.into(),
            Bound::Linear => self.key(policy, ranking, values) * (1.0 - self.slack),
            Bound::Antitone => PLACES - z_order(ranking, &values[..self.axes.quantities()]),
            Bound::Monotone | Bound::None => z_order(ranking, &values[..self.axes.quantities()]),
        }
    }

    /// The key of a task.
    pub(super) fn of_task<P: Policy>(&self, policy: &P, ranking: &Ranking, demand: &[u64]) -> Cost {
        let key = self.key(policy, ranking, demand);
        let least_key = if P::BOUND == Bound::Linear { key * (1.0 - 3.0 * self.slack) } else { 0.0 };
        Cost { subtract: key * (1.0 + self.slack), least_key }
    }

    /// The score of a row of axes for a demand of nothing.
    fn key<P: Policy>(&self, policy: &P, ranking: &Ranking, values: &[u64]) -> f64 {
        policy.score(ranking, Demand { quantities: &self.nothing, devices: 0 }, self.axes.as_leftover(values))
    }
}

/// More places than the curve below has: all of its bits have to fit a double.
const PLACES: f64 = (1_u64 << PLACE_BITS) as f64;
/// The bits of a place.
const PLACE_BITS: usize = f64::MANTISSA_DIGITS as usize - 1;

/// The place of an offer on a curve through all of its dimensions, so that offers which stand together differ little in
/// each (G. M. Morton, 1966). The bits of the values, as shares of their scales, are interleaved, the highest first.
fn z_order(ranking: &Ranking, values: &[u64]) -> f64 {
    let bits = PLACE_BITS / ranking.scales.len();
    let cells = (1_u64 << bits) as f64;
    let mut place = 0_u64;
    for bit in (0..bits).rev() {
        for (&value, scale) in values.iter().zip(&ranking.scales) {
            let cell = (value as f64 / scale * cells) as u64;
            place = place << 1 | cell.min((1 << bits) - 1) >> bit & 1;
        }
    }
    place as f64
}
