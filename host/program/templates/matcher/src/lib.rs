//! The @NAME@ matcher.
#![cfg_attr(target_arch = "wasm32", no_std)]

use offermatch_kit::{Bound, Demand, Leftover, Policy, Ranking};

/// The offer wins that, in the dimension of which it has most left over, has least left over.
#[derive(Debug, Clone, Copy, Default)]
pub struct MyPolicy;

impl Policy for MyPolicy {
    const NAME: &'static str = "@NAME@";
    // The more is left over, the higher the score: the index may rely on it, and `the_bound_holds` tests it.
    const BOUND: Bound = Bound::Monotone;

    /// The largest of `weight * (available - demand) / scale` over all dimensions; the lowest score wins.
    fn score(&self, ranking: &Ranking, demand: Demand<'_>, offer: Leftover<'_>) -> f64 {
        let mut largest = 0.0;
        for (at, &asked) in demand.quantities.iter().enumerate() {
            let left = (offer.available[at] - asked) as f64;
            let share = ranking.weights[at] * left / ranking.scales[at];
            if share > largest {
                largest = share;
            }
        }
        largest
    }
}

offermatch_kit::export!(MyPolicy);

#[cfg(test)]
mod tests {
    use super::*;
    use offermatch_kit::{OfferTable, Pool, Settings, Shape, TaskTable};

    /// Two dimensions: the first offer leaves 1 of 8 and 7 of 8, the second 4 of 8 in both.
    #[test]
    fn it_looks_at_the_dimension_with_most_left() {
        let shape = Shape { dimensions: 2, attributes: 0, ..Shape::default() };
        let offers = OfferTable { rows: 2, available: vec![2, 8, 5, 5], capacity: vec![8; 4], ..OfferTable::default() };
        let tasks = TaskTable { rows: 1, demand: vec![1, 1], ..TaskTable::default() };
        let mut pool = Pool::open(MyPolicy, shape, &offers, &Settings::default()).expect("a valid pool");
        let answer = pool.assign(&tasks).expect("valid tasks");
        assert_eq!(answer.offers, [1]);
        assert_eq!(answer.scores, [0.5]);
    }

    /// The index, which trusts `BOUND`, answers as the plain loop does.
    #[test]
    fn the_bound_holds() {
        offermatch_kit::assert_bound_holds(MyPolicy);
    }
}
