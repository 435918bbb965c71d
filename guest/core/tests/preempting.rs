//! Laws of preemption: the indexed plan is that of the plain loop, and plans are what they promise.

mod stories;

use offermatch_core::{BestFit, Method, Plan, Policy, Pool, RunningTable, TaskTable};
use proptest::prelude::*;

use stories::{Story, preemptions};

/// The plan of a policy by a method.
fn plan<P: Policy>(policy: P, (story, tasks, priorities, running): &Case, method: Method) -> Plan {
    let pool = Pool::open(policy, story.shape, &story.offers, &story.settings).expect("a valid pool");
    pool.with_method(method).preempt(tasks, priorities, running).expect("valid tables")
}

/// A pool, tasks with priorities, and what runs.
type Case = (Story, TaskTable, Vec<i32>, RunningTable);

/// A policy of which nothing is known.
#[derive(Clone, Copy)]
struct Roomiest;

impl Policy for Roomiest {
    const NAME: &'static str = "roomiest";

    fn score(
        &self,
        ranking: &offermatch_core::Ranking,
        demand: offermatch_core::Demand<'_>,
        offer: offermatch_core::Leftover<'_>,
    ) -> f64 {
        1.0 / (1.0 + BestFit.score(ranking, demand, offer))
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn the_index_plans_as_the_plain_loop_does(case in preemptions()) {
        prop_assert_eq!(plan(BestFit, &case, Method::Index), plan(BestFit, &case, Method::Reference));
    }

    #[test]
    fn so_it_does_for_policies_of_which_nothing_is_known(case in preemptions()) {
        prop_assert_eq!(plan(Roomiest, &case, Method::Index), plan(Roomiest, &case, Method::Reference));
    }

    /// No victim of equal or higher priority, and none twice.
    #[test]
    fn victims_are_of_lower_priority_and_end_once(case in preemptions()) {
        let (_, _, priorities, running) = &case;
        let plan = plan(BestFit, &case, Method::Automatic);
        let mut seen = std::collections::HashSet::new();
        for (at, &task) in plan.tasks.iter().enumerate() {
            let victims = plan.victim_offsets[at] as usize..plan.victim_offsets[at + 1] as usize;
            for &victim in &plan.victims[victims] {
                prop_assert!(running.priorities[victim as usize] < priorities[task as usize]);
                prop_assert_eq!(running.offers[victim as usize], plan.offers[at]);
                prop_assert!(seen.insert(victim), "victim {} ends twice", victim);
            }
        }
    }
}
