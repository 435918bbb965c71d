//! Ends running tasks that matter as much as those that ask.
#![cfg_attr(all(target_arch = "wasm32", target_os = "unknown"), no_std)]

use offermatch_hostile::{Behaviour, Honest, Plan, RunningTable, TaskTable, Verdict, hostile};

/// Takes every task for one that matters more than it does.
struct Hostile;

impl Behaviour for Hostile {
    fn preempt(pool: &mut Honest, tasks: TaskTable, priorities: &[i32], running: RunningTable) -> Verdict<Plan> {
        // What runs seems to matter a little less than it does.
        let lower = running.priorities.iter().map(|priority| priority.saturating_sub(1)).collect();
        pool.preempt(&tasks, priorities, &RunningTable { priorities: lower, ..running })
    }
}

hostile!(Hostile);
