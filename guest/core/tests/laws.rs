//! Laws of the core, on random pools with heavy ties: small quantities, few attribute values, weights of zero.

mod stories;

use offermatch_core::{BestFit, Bound, Demand, Leftover, Method, Mode, Policy, Pool, Ranking, Settings};
use offermatch_policies::{DotProduct, Exponential, FirstFit, MostAllocated, WorstFit};
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;

use stories::{Step, Story, bound_tasks, clusters, crowded, parameters, racks, story};

fn open<P: Policy>(policy: P, story: &Story, method: Method, used_first: bool) -> Pool<P> {
    let settings = Settings { parameters: parameters::<P>(used_first), ..story.settings.clone() };
    Pool::open(policy, story.shape, &story.offers, &settings).expect("a valid pool").with_method(method)
}

/// A policy that is monotone and not linear: the sum of the squares of what is left over.
#[derive(Clone, Copy)]
struct Squares;

impl Policy for Squares {
    const NAME: &'static str = "squares";
    const BOUND: Bound = Bound::Monotone;

    fn score(&self, ranking: &Ranking, demand: Demand<'_>, offer: Leftover<'_>) -> f64 {
        let left = offer.available.iter().zip(demand.quantities).zip(&ranking.scales);
        left.fold(0.0, |score, ((available, asked), scale)| {
            let share = (available - asked) as f64 / scale;
            score + share * share
        })
    }
}

/// A policy of which nothing is known: the roomiest offer.
#[derive(Clone, Copy)]
struct Roomiest;

impl Policy for Roomiest {
    const NAME: &'static str = "roomiest";

    fn score(&self, ranking: &Ranking, demand: Demand<'_>, offer: Leftover<'_>) -> f64 {
        1.0 / (1.0 + BestFit.score(ranking, demand, offer))
    }
}

/// Runs a story with the index, with the plain loop and with whatever costs less, and compares all that is answered.
fn compare_methods<P: Policy + Copy>(policy: P, story: &Story, used_first: bool) -> Result<(), TestCaseError> {
    let mut indexed = open(policy, story, Method::Index, used_first);
    let mut reference = open(policy, story, Method::Reference, used_first);
    let mut automatic = open(policy, story, Method::Automatic, used_first);
    for (at, step) in story.steps.iter().enumerate() {
        match step {
            Step::Assign(tasks) => {
                let expected = reference.assign(tasks).expect("valid tasks");
                let valid = |score: &f64| (0.0..story.settings.max_score.unwrap_or(f64::INFINITY)).contains(score);
                prop_assert!(expected.scores.iter().all(valid), "step {}, scores {:?}", at, &expected.scores);
                prop_assert_eq!(&indexed.assign(tasks).expect("valid tasks"), &expected, "step {}, index", at);
                prop_assert_eq!(&automatic.assign(tasks).expect("valid tasks"), &expected, "step {}, automatic", at);
                // The plain loop explains groups by placing them again and again on copies: one table in five.
                if tasks.rows.is_multiple_of(5) {
                    let expected = reference.explain(tasks).expect("valid tasks");
                    prop_assert_eq!(&indexed.explain(tasks).expect("valid tasks"), &expected, "step {}, explain", at);
                }
            }
            Step::Update(changes) => {
                indexed.update(changes).expect("valid changes");
                reference.update(changes).expect("valid changes");
                automatic.update(changes).expect("valid changes");
            }
        }
    }
    Ok(())
}

/// So many cases, or as many as `PROPTEST_CASES` says. Failures are kept beside the tests.
fn config(cases: u32) -> ProptestConfig {
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { ProptestConfig::default().cases } else { cases };
    let kept = FileFailurePersistence::WithSource("regressions");
    ProptestConfig { cases, failure_persistence: Some(Box::new(kept)), ..ProptestConfig::default() }
}

// Stories of up to 3,000 tasks on hundreds of offers each.
proptest! {
    #![proptest_config(config(500))]

    /// The index answers as the plain loop does where demands come again and again, and most offers have changed in between.
    #[test]
    fn index_equals_reference_for_crowded_pools(story in crowded(), used_first: bool) {
        compare_methods(BestFit, &story, used_first)?;
        compare_methods(Exponential, &story, used_first)?;
    }

    /// The same for gangs, spread, preferences and measures.
    #[test]
    fn index_equals_reference_for_clusters(story in clusters(), used_first: bool) {
        compare_methods(BestFit, &story, used_first)?;
        compare_methods(WorstFit, &story, used_first)?;
        compare_methods(MostAllocated, &story, used_first)?;
    }

    /// The same for gangs on racks that are alike.
    #[test]
    fn index_equals_reference_for_racks(story in racks(), used_first: bool) {
        compare_methods(BestFit, &story, used_first)?;
        compare_methods(WorstFit, &story, used_first)?;
    }
}

proptest! {
    #![proptest_config(config(1500))]

    /// The index answers as the plain loop does, bit for bit, and leaves the same pool behind.
    #[test]
    fn index_equals_reference(story in story(), used_first: bool) {
        compare_methods(BestFit, &story, used_first)?;
    }

    /// The same where requirements are too many for a bit row each.
    #[test]
    fn index_equals_reference_for_bound_tasks(story in bound_tasks(), used_first: bool) {
        compare_methods(BestFit, &story, used_first)?;
    }

    /// The same for every other policy that is shipped.
    #[test]
    fn index_equals_reference_for_shipped_policies(story in story(), used_first: bool) {
        compare_methods(WorstFit, &story, used_first)?;
        compare_methods(FirstFit, &story, used_first)?;
        compare_methods(MostAllocated, &story, used_first)?;
        compare_methods(DotProduct, &story, used_first)?;
        compare_methods(Exponential, &story, used_first)?;
    }

    /// The same for a policy that is only known to be monotone, and one that is not even that.
    #[test]
    fn index_equals_reference_for_other_policies(story in story(), used_first: bool) {
        compare_methods(Squares, &story, used_first)?;
        compare_methods(Roomiest, &story, used_first)?;
    }

    /// The counts of first failures add up to the length of the list.
    #[test]
    fn first_failures_add_up(story in story()) {
        let mut pool = open(BestFit, &story, Method::Automatic, false);
        let mut listed = u64::from(story.offers.rows);
        for step in &story.steps {
            let Step::Assign(tasks) = step else { break };
            let placed = pool.assign(tasks).expect("valid tasks").tasks.len() as u64;
            if story.settings.mode == Mode::Exclusive {
                listed -= placed;
            }
            let why = pool.first_failures(tasks).expect("valid tasks");
            let width = story.shape.dimensions as usize;
            for row in 0..tasks.rows as usize {
                let requirements = match tasks.requirement_offsets.get(row..row + 2) {
                    Some(span) => span[0] as usize..span[1] as usize,
                    None => 0..0,
                };
                let counts = why.by_dimension[row * width..(row + 1) * width].iter()
                    .chain(&why.by_requirement[requirements])
                    .chain([&why.by_devices[row], &why.by_score[row], &why.candidates[row]]);
                prop_assert_eq!(counts.copied().map(u64::from).sum::<u64>(), listed, "task {}", row);
            }
        }
    }
}
