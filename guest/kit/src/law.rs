//! The law that a policy's bound has to keep, for the tests of a policy.

use alloc::vec::Vec;

use offermatch_core::{Demand, Leftover, Method, Mode, OfferTable, Policy, Pool, Ranking, Settings, Shape, TaskTable};

/// How many pools are tried.
const POOLS: u64 = 200;
/// Offers of a pool: several words of the index.
const OFFERS: u32 = 200;
/// Tasks given to a pool.
const TASKS: u32 = 60;

/// Offers and tasks whose scores are estimated.
const ESTIMATES: u32 = 20_000;

/// Asserts that the index, which trusts [`Policy::BOUND`] and [`Policy::estimate`], answers as the plain loop does, bit for bit: on random pools with
/// small quantities, in which ties are common, with devices, weights and both modes. The pools are the same each time.
///
/// # Panics
/// If the answers differ, or a score is NaN; the message names the first pool and its seed.
pub fn assert_bound_holds<P: Policy + Clone>(policy: P) {
    if P::ESTIMATES {
        assert_estimates_hold(&policy);
    }
    for seed in 0..POOLS {
        let mut numbers = Numbers(seed);
        let shape = Shape { dimensions: 1 + (seed % 3) as u32, attributes: 0, ..Shape::default() };
        let (offers, tasks) = (offers(&mut numbers, shape), tasks(&mut numbers, shape));
        let settings = settings(&mut numbers, shape);
        let answer = |method| {
            let pool = Pool::open(policy.clone(), shape, &offers, &settings).expect("the pool is valid");
            pool.with_method(method).assign(&tasks).expect("the tasks are valid")
        };
        let (loops, index) = (answer(Method::Reference), answer(Method::Index));
        let differs = (0..loops.tasks.len().max(index.tasks.len())).find(|&at| {
            let row = |answer: &offermatch_core::Assignments| {
                Some((*answer.tasks.get(at)?, answer.offers[at], answer.scores[at].to_bits()))
            };
            row(&loops) != row(&index)
        });
        assert!(loops.scores.iter().all(|score| !score.is_nan()), "policy {}: a score is NaN, pool {seed}", P::NAME);
        assert!(
            differs.is_none(),
            "policy {}: the scores do not keep {:?}. In pool {seed}, {}, assignment {} is another one by the index than by \
             the plain loop; declare Bound::None, or a bound that holds",
            P::NAME,
            P::BOUND,
            settings.mode,
            differs.unwrap_or(0),
        );
    }
}

/// Asserts that no estimate is above the level of its score, from offers of a few units to the largest numbers, with weights from the
/// least to the largest that an index is made for.
///
/// # Panics
/// If one is; the message has the offer and the task.
fn assert_estimates_hold<P: Policy>(policy: &P) {
    let mut numbers = Numbers(0);
    for _ in 0..ESTIMATES {
        let dimensions = 1 + numbers.below(3) as usize;
        let devices = numbers.below(2) == 0;
        // A number up to a large one, each size as likely as any other.
        let mut up_to = |most: u64| match most {
            0 => 0,
            most => {
                [0, 1, most / 2, most - 1, most, numbers.below(most), numbers.below(most)][numbers.below(7) as usize]
            }
        };
        let mut of_any_size = || {
            let most = [3, 100, 1 << 37, u64::MAX][up_to(3) as usize];
            up_to(most)
        };
        let capacity: Vec<u64> = (0..dimensions).map(|_| of_any_size()).collect();
        let available: Vec<u64> = capacity.iter().map(|&most| up_to(most)).collect();
        let quantities: Vec<u64> = available.iter().map(|&most| up_to(most)).collect();
        let device_capacity = if devices { 1000 * (1 + up_to(8)) } else { 0 };
        let free_devices = up_to(device_capacity);
        let asked = up_to(free_devices);
        let scales = capacity.iter().chain([&device_capacity]).map(|&most| up_to(most).max(1) as f64).collect();
        let weights = (0..=dimensions).map(|_| [0.0, 1e-200, 0.1, 1.0, 3.7, 1e200][up_to(5) as usize]).collect();
        let ranking = Ranking { max_score: f64::INFINITY, weights, scales, used_first: false };
        let offer = Leftover {
            available: &available,
            capacity: &capacity,
            free_devices,
            device_capacity,
            devices: &[],
            attributes: &[],
            measures: &[],
            model: 0,
            before: 0.0,
            after: 0.0,
        };
        let demand = Demand { quantities: &quantities, devices: asked as u32 };
        let count = policy.feature_count(dimensions, devices);
        let (mut features, mut coefficients) = (alloc::vec![0.0; count], alloc::vec![0.0; count]);
        policy.features(&ranking, offer, &mut features);
        let line = policy.line(&ranking, demand, &mut coefficients);
        let columns: Vec<[f64; 1]> = features.iter().map(|&feature| [feature]).collect();
        let [estimate] = policy.estimate(line.constant, &coefficients, &columns);
        let score = policy.score(&ranking, demand, offer);
        assert!(
            estimate <= policy.level(score),
            "policy {}: the estimate {estimate} is above {}, the level of the score {score}, for {demand:?} on {offer:?} \
             with {ranking:?}",
            P::NAME,
            policy.level(score),
        );
        assert!(
            coefficients.iter().all(|by| (0.0..f64::INFINITY).contains(by)),
            "policy {}: {coefficients:?}",
            P::NAME
        );
    }
}

/// Random offers with more capacity than is available, and up to two devices.
fn offers(numbers: &mut Numbers, shape: Shape) -> OfferTable {
    let most = [2, 8, 50, 1 << 40][numbers.below(4) as usize];
    let available: Vec<u64> = (0..OFFERS * shape.dimensions).map(|_| numbers.below(most + 1)).collect();
    let capacity = available.iter().map(|available| available + numbers.below(3) * most / 2).collect();
    let mut offers = OfferTable { rows: OFFERS, available, capacity, ..OfferTable::default() };
    for _ in 0..OFFERS {
        let devices = numbers.below(3);
        offers.devices.push((0..devices).map(|_| numbers.below(3) as u32 * 500));
    }
    offers
}

/// Random tasks, one in four with devices.
fn tasks(numbers: &mut Numbers, shape: Shape) -> TaskTable {
    let most = [2, 8, 50, 1 << 38][numbers.below(4) as usize];
    TaskTable {
        rows: TASKS,
        demand: (0..TASKS * shape.dimensions).map(|_| numbers.below(most)).collect(),
        devices: (0..TASKS).map(|_| [0, 0, 0, 0, 0, 0, 500, 1000][numbers.below(8) as usize]).collect(),
        ..TaskTable::default()
    }
}

/// Random weights and modes; the maximal score is out of the way.
fn settings(numbers: &mut Numbers, shape: Shape) -> Settings {
    let weights = (0..=shape.dimensions).map(|_| [0.0, 0.1, 1.0, 3.7][numbers.below(4) as usize]).collect();
    let mode = if numbers.below(2) == 0 { Mode::Exclusive } else { Mode::Shared };
    Settings { mode, weights, ..Settings::default() }
}

/// SplitMix64 (Steele, Lea, Flood: "Fast Splittable Pseudorandom Number Generators", 2014).
struct Numbers(u64);

impl Numbers {
    /// The next number, below `bound`.
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (bits ^ bits >> 31) % bound
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use offermatch_core::{BestFit, Bound, Demand, Leftover, Ranking};

    use super::*;

    #[test]
    fn a_bound_that_holds_is_no_trouble() {
        assert_bound_holds(BestFit);
    }

    /// The offer that is used least, with a bound that it does not keep.
    #[derive(Clone, Copy)]
    struct Wrong<const BOUND: u8>;

    impl<const BOUND: u8> Policy for Wrong<BOUND> {
        const NAME: &'static str = "wrong";
        const BOUND: Bound = if BOUND == 0 { Bound::Linear } else { Bound::Monotone };

        fn score(&self, ranking: &Ranking, demand: Demand<'_>, offer: Leftover<'_>) -> f64 {
            let left = offer.available.iter().zip(demand.quantities).map(|(free, asked)| free - asked);
            let shares =
                left.zip(offer.capacity).map(|(left, &all)| if all == 0 { 1.0 } else { left as f64 / all as f64 });
            ranking.weights.iter().zip(shares).map(|(weight, share)| weight * (1.0 - share)).sum()
        }
    }

    #[test]
    fn wrong_bounds_are_found_out() {
        for found in [
            std::panic::catch_unwind(|| assert_bound_holds(Wrong::<0>)),
            std::panic::catch_unwind(|| assert_bound_holds(Wrong::<1>)),
        ] {
            let panic = found.expect_err("the bound does not hold");
            let message = panic.downcast_ref::<std::string::String>().expect("a message");
            assert!(message.contains("the scores do not keep"), "{message}");
        }
    }
}
