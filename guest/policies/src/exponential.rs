//! The tightest offer, where the last free share counts for more than the first.

use core::f64::consts::LN_10;

use offermatch_core::{Bound, Demand, Leftover, Line, Policy, Ranking};

use crate::{slack, terms, weighted};

/// The offer wins with the lowest sum over dimensions, and then over devices, of
/// `weight * (10^(left over / capacity) - 1) / 9`: from 0 where nothing is left over to the weight where all is.
///
/// This is the formula of ScoreFitBinPack in HashiCorp Nomad (`nomad/structs/funcs.go`), which calls it the BestFit v3 of
/// Google's work on datacenter scheduling: `20 - (10^free cpu + 10^free memory)`, between 0 and 18, the highest wins. For
/// two dimensions of weight 1.0 that is `18 - 9 * score`. What an offer has no capacity of counts as used.
#[derive(Debug, Clone, Copy, Default)]
pub struct Exponential;

impl Policy for Exponential {
    const NAME: &'static str = "exponential";
    const BOUND: Bound = Bound::Monotone;
    const ESTIMATES: bool = true;

    fn feature_count(&self, dimensions: usize, devices: bool) -> usize {
        2 * (dimensions + usize::from(devices))
    }

    fn features(&self, ranking: &Ranking, offer: Leftover<'_>, features: &mut [f64]) {
        // The share that is free, and what one unit of a demand takes from it.
        let terms = terms(ranking, offer, features.len() / 2);
        for (pair, (free, capacity, _)) in features.as_chunks_mut::<2>().0.iter_mut().zip(terms) {
            *pair = if capacity > 0.0 { [free / capacity, -1.0 / capacity] } else { [0.0, 0.0] };
        }
    }

    fn line(&self, ranking: &Ranking, demand: Demand<'_>, coefficients: &mut [f64]) -> Line {
        let asked = demand.quantities.iter().copied().chain([u64::from(demand.devices)]);
        let mut line = slack(ranking);
        let pairs = coefficients.as_chunks_mut::<2>().0.iter_mut();
        for ((pair, asked), &weight) in pairs.zip(asked).zip(&ranking.weights) {
            *pair = [weight / 9.0, asked as f64];
            line.constant -= weight / 9.0;
        }
        line
    }

    #[inline(always)]
    fn estimate<const N: usize>(&self, constant: f64, coefficients: &[f64], features: &[[f64; N]]) -> [f64; N] {
        let mut sums = [constant; N];
        let pairs = features.as_chunks::<2>().0.iter().zip(coefficients.as_chunks::<2>().0);
        for ([shares, units], [weight, asked]) in pairs {
            for ((sum, share), unit) in sums.iter_mut().zip(shares).zip(units) {
                let left = share + asked * unit;
                *sum += weight * at_most_power_of_ten(if left > 0.0 { left } else { 0.0 });
            }
        }
        sums
    }

    #[inline]
    fn score(&self, ranking: &Ranking, demand: Demand<'_>, offer: Leftover<'_>) -> f64 {
        weighted(ranking, demand, offer, |left, capacity| {
            // Nothing left over is 0.0 either way; there are often no devices.
            if left == 0 { 0.0 } else { (power_of_ten(left as f64 / capacity as f64) - 1.0) / 9.0 }
        })
    }
}

/// `ln(10)^k / k!` for k from 0 to 12: the Taylor series of `10^x`.
const TAYLOR: [f64; 13] = [
    1.0,
    LN_10,
    2.650949055239199,
    2.034678592293476,
    1.171255148912267,
    0.5393829291955814,
    0.2069958486968681,
    0.06808936507443707,
    0.019597694626478524,
    0.00501392883377544,
    0.0011544997789984348,
    0.00024166672554424694,
    4.6371516642572196e-05,
];

/// `10^x` for `x` from 0 to 1, within 1e-14 of it, and never less for a larger `x`.
///
/// Platforms have their own `pow`, each with other last bits. Here it is the eighth power of the Taylor series of
/// `10^(x / 8)`, by Horner's rule: sums and products of numbers that are not negative, each correctly rounded and each keeping
/// the order of its arguments. The first term left out is below 1e-16.
#[inline]
fn power_of_ten(x: f64) -> f64 {
    let eighth = x / 8.0;
    let series = TAYLOR.iter().rev().fold(0.0, |sum, coefficient| sum * eighth + coefficient);
    let fourth = series * series;
    let half = fourth * fourth;
    half * half
}

/// A number that is not above `10^x` for `x` from 0 on, within 2e-4 of it up to 1: the series cut short, all of whose terms have one sign.
#[inline(always)]
fn at_most_power_of_ten(x: f64) -> f64 {
    let eighth = x / 8.0;
    let series = (((TAYLOR[4] * eighth + TAYLOR[3]) * eighth + TAYLOR[2]) * eighth + TAYLOR[1]) * eighth + TAYLOR[0];
    let fourth = series * series;
    let half = fourth * fourth;
    half * half
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;

    /// What the library of the machine says, which is right but for its last bits.
    #[test]
    fn it_is_ten_to_the_power() {
        for step in 0..=100_000 {
            let x = f64::from(step) / 100_000.0;
            let (ours, theirs) = (power_of_ten(x), 10_f64.powf(x));
            assert!((ours / theirs - 1.0).abs() < 1e-14, "10^{x} is {theirs}, not {ours}");
        }
        assert_eq!(power_of_ten(0.0), 1.0);
    }

    /// The bits, as CPython computes them by the same formula: a compiler or platform that computes others is found out.
    #[test]
    fn every_platform_computes_these_bits() {
        let bits = [0.0, 0.1, 0.25, 0.5, 1.0 / 3.0, 0.7, 0.999, 1.0].map(|x| power_of_ten(x).to_bits());
        assert_eq!(
            bits,
            [
                0x3ff0_0000_0000_0000,
                0x3ff4_248e_f8fc_2609,
                0x3ffc_73d5_1c54_470b,
                0x4009_4c58_3ada_5b56,
                0x4001_3c48_4138_7051,
                0x4014_0c28_4300_12eb,
                0x4023_f439_6d7a_b31a,
                0x4023_ffff_ffff_ffff
            ]
        );
    }

    /// Neighbouring doubles, where rounding could turn the order.
    #[test]
    fn it_never_falls() {
        for start in [0.0, 1e-300, 1e-9, 0.1, 0.3, 0.5, 0.8, 0.99, 1.0 - 1e-12] {
            let mut x: f64 = start;
            for _ in 0..20_000 {
                let next = f64::from_bits(x.to_bits() + 1);
                assert!(power_of_ten(x) <= power_of_ten(next), "10^{x} is above 10^{next}");
                x = next;
            }
        }
    }
}
