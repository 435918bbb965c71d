//! Loses a member of every group that it has placed.
#![cfg_attr(all(target_arch = "wasm32", target_os = "unknown"), no_std)]

use offermatch_hostile::{Assignments, Behaviour, Honest, TaskTable, Verdict, hostile};

/// Leaves out the last member of each group.
struct Hostile;

impl Behaviour for Hostile {
    fn assign(pool: &mut Honest, tasks: TaskTable) -> Verdict<Assignments> {
        let found = pool.assign(&tasks)?;
        let group = |at: usize| tasks.group_of.get(found.tasks[at] as usize).copied().unwrap_or(0);
        let mut answer = Assignments::default();
        for at in 0..found.tasks.len() {
            let is_last = (at + 1..found.tasks.len()).all(|later| group(later) != group(at));
            if group(at) == 0 || !is_last {
                answer.tasks.push(found.tasks[at]);
                answer.offers.push(found.offers[at]);
                answer.scores.push(found.scores[at]);
            }
        }
        Ok(answer)
    }
}

hostile!(Hostile);
