//! The small matcher of rules, with none overridden, answers as the core does, though it shares none of its code: two people
//! who have read the same page.

#[path = "../../core/tests/stories/mod.rs"]
mod stories;

use offermatch_hostile::model::{BestFit, Mode, Pool, RunningTable, TaskTable};
use offermatch_hostile::{Calls, Ruled, Rules};
use proptest::prelude::*;

use stories::{Step, Story, clusters, preemptions, story};

/// Overrides nothing.
#[derive(Debug, Clone)]
struct Right;

impl Rules for Right {
    const NAME: &'static str = "right";
}

/// Runs a story with both, and compares all that is answered.
fn compare(mut story: Story) -> Result<(), TestCaseError> {
    story.settings.raise_scales = true;
    let mut pool = Pool::open(BestFit, story.shape, &story.offers, &story.settings).expect("a valid pool");
    let rules = Ruled::<Right>::open(story.shape, story.offers.clone(), story.settings.clone());
    let mut rules = rules.expect("a valid pool");
    for (at, step) in story.steps.into_iter().enumerate() {
        match step {
            Step::Assign(tasks) => {
                let found = Ruled::explain(&mut rules, tasks.clone()).expect("valid tasks");
                prop_assert_eq!(found, pool.explain(&tasks).expect("valid tasks"), "step {}, explain", at);
                let found = Ruled::assign(&mut rules, tasks.clone()).expect("valid tasks");
                prop_assert_eq!(found, pool.assign(&tasks).expect("valid tasks"), "step {}", at);
                let found = Ruled::explain(&mut rules, tasks.clone()).expect("valid tasks");
                prop_assert_eq!(found, pool.explain(&tasks).expect("valid tasks"), "step {}, explain after", at);
            }
            Step::Update(changes) => {
                pool.update(&changes).expect("valid changes");
                Ruled::update(&mut rules, changes).expect("valid changes");
            }
        }
    }
    Ok(())
}

/// Plans with both.
fn compare_plans(
    story: &Story,
    tasks: &TaskTable,
    priorities: &[i32],
    running: &RunningTable,
) -> Result<(), TestCaseError> {
    let mut pool = Pool::open(BestFit, story.shape, &story.offers, &story.settings).expect("a valid pool");
    let rules = Ruled::<Right>::open(story.shape, story.offers.clone(), story.settings.clone());
    let mut rules = rules.expect("a valid pool");
    let found = Ruled::preempt(&mut rules, tasks.clone(), priorities, running.clone()).expect("valid tables");
    let expected = pool.preempt(tasks, priorities, running).expect("valid tables");
    prop_assert_eq!(story.settings.mode, Mode::Shared);
    prop_assert_eq!(found, expected);
    Ok(())
}

/// So many cases, or as many as `PROPTEST_CASES` says.
fn config(cases: u32) -> ProptestConfig {
    let asked = std::env::var_os("PROPTEST_CASES").map(|_| ProptestConfig::default().cases);
    ProptestConfig { cases: asked.unwrap_or(cases), ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config(150))]

    #[test]
    fn stories_end_alike(story in story()) {
        compare(story)?;
    }

    #[test]
    fn plans_are_the_same((story, tasks, priorities, running) in preemptions()) {
        compare_plans(&story, &tasks, &priorities, &running)?;
    }
}

proptest! {
    #![proptest_config(config(25))]

    #[test]
    fn clusters_end_alike(story in clusters()) {
        compare(story)?;
    }
}
