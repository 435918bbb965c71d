//! The component of each policy and the same policy compiled natively give the same answer, bit for bit, and the host takes it.

use crate::built;
use offermatch::{Mode, Sample, Settings};
use offermatch_core::{Method, Policy, Shape};

/// Compares a policy's component with the plain loop over the same columns, in both modes.
fn compare<P: Policy + Default>() {
    let matcher = built::matcher(&format!("policies/{}.wasm", P::NAME));
    assert_eq!(matcher.description().policy, P::NAME);
    for sample in
        ["uniform:300x300:1", "ties:300x200:2", "constrained:300x300:3", "devices:300x200:4", "realistic:400x300:5"]
    {
        let sample: Sample = sample.parse().unwrap();
        let (tasks, offers) = sample.tables().unwrap();
        // The columns of every row that there are, those that tables add for themselves included.
        let width = |column: usize| (column / offers.len()) as u32;
        let table = offers.table();
        let shape = Shape {
            dimensions: width(table.available.len()),
            attributes: width(table.attributes.len()),
            ..Shape::default()
        };
        for mode in [Mode::Exclusive, Mode::Shared] {
            let settings = Settings { mode, ..Settings::default() };
            let answer = matcher.open(&offers, &settings).unwrap().assign(&tasks).unwrap().assignments;
            let core = offermatch_core::Settings { mode, max_score: None, ..offermatch_core::Settings::default() };
            let mut pool = offermatch_core::Pool::open(P::default(), shape, offers.table(), &core)
                .unwrap()
                .with_method(Method::Reference);
            let expected = pool.assign(tasks.table()).unwrap();
            assert!(!expected.tasks.is_empty(), "{sample:?} places tasks");
            let bits = |scores: &[f64]| scores.iter().map(|score| score.to_bits()).collect::<Vec<_>>();
            assert_eq!(answer.tasks, expected.tasks, "{} {sample:?} {mode}", P::NAME);
            assert_eq!(answer.offers, expected.offers, "{} {sample:?} {mode}", P::NAME);
            assert_eq!(bits(&answer.scores), bits(&expected.scores), "{} {sample:?} {mode}", P::NAME);
        }
    }
}

/// Compares policies.
macro_rules! compare {
    ($($policy:ty,)*) => {
        $(compare::<$policy>();)*
    };
}

#[test]
fn components_answer_as_native_policies() {
    offermatch_policies::with_policies!(compare);
}
