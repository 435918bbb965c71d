//! What each shipped policy chooses, on the worked example of `docs/policies.md`, and that the index may trust its bound.

use offermatch_core::{Mode, OfferTable, Policy, Pool, Settings, Shape, TaskTable};
use offermatch_policies::{BestFit, DotProduct, Exponential, FirstFit, MostAllocated, WorstFit};

/// Places one task of 2 cores and 4 GiB on one of four offers, by a policy. Returns the offer's row and the score.
fn place<P: Policy>(policy: P) -> (u32, f64) {
    let shape = Shape { dimensions: 2, ..Shape::default() };
    let offers = OfferTable {
        rows: 4,
        // Half of a large server, a small one with little memory left, an empty large one, a small one that is nearly full.
        available: vec![16, 64, 6, 5, 32, 128, 3, 8],
        capacity: vec![32, 128, 8, 32, 32, 128, 8, 32],
        ..OfferTable::default()
    };
    let tasks = TaskTable { rows: 1, demand: vec![2, 4], ..TaskTable::default() };
    let settings = Settings { mode: Mode::Shared, ..Settings::default() };
    let mut pool = Pool::open(policy, shape, &offers, &settings).expect("a valid pool");
    let answer = pool.assign(&tasks).expect("valid tasks");
    assert_eq!(answer.tasks, [0], "the task is placed");
    (answer.offers[0], answer.scores[0])
}

/// Compares with what is computed by hand, but for the last bits.
fn expect<P: Policy>(policy: P, offer: u32, score: f64) {
    let (chosen, at) = place(policy);
    assert_eq!(chosen, offer, "{} chooses another offer, at {at}", P::NAME);
    assert!((at - score).abs() < 1e-12, "{} scores {at}, not {score}", P::NAME);
}

#[test]
fn best_fit_takes_what_leaves_least() {
    expect(BestFit, 3, 1.0 / 32.0 + 4.0 / 128.0);
}

#[test]
fn worst_fit_takes_the_least_used() {
    expect(WorstFit, 2, 2.0 / 32.0 + 4.0 / 128.0);
}

#[test]
fn first_fit_takes_the_first() {
    expect(FirstFit, 0, 0.0);
}

#[test]
fn most_allocated_takes_the_most_used() {
    expect(MostAllocated, 3, 1.0 / 8.0 + 4.0 / 32.0);
}

#[test]
fn dot_product_takes_what_has_most_of_what_is_asked() {
    expect(DotProduct, 2, 1.0 / (1.0 + 2.0 / 32.0 + 4.0 / 128.0));
}

#[test]
fn exponential_takes_the_tightest() {
    expect(Exponential, 3, (10_f64.powf(1.0 / 8.0) + 10_f64.powf(4.0 / 32.0) - 2.0) / 9.0);
}

/// Asserts the bounds of policies.
macro_rules! assert_bounds_hold {
    ($($policy:ty,)*) => {
        $(offermatch_kit::assert_bound_holds(<$policy>::default());)*
    };
}

#[test]
fn bounds_hold() {
    offermatch_policies::with_policies!(assert_bounds_hold);
}
