//! Does not look at the members that run already.
#![cfg_attr(all(target_arch = "wasm32", target_os = "unknown"), no_std)]

use offermatch_hostile::{Assignments, Behaviour, Honest, TaskTable, Verdict, hostile};

/// Places members as if none were running.
struct Hostile;

impl Behaviour for Hostile {
    fn assign(pool: &mut Honest, mut tasks: TaskTable) -> Verdict<Assignments> {
        // A group must not ask for more members than there are.
        for (&group, &count) in tasks.groups.occupant_groups.iter().zip(&tasks.groups.occupant_counts) {
            if let Some(least) = tasks.groups.least.get_mut(group as usize) {
                *least = least.saturating_sub(count);
            }
        }
        tasks.groups.occupant_groups.clear();
        tasks.groups.occupant_offers.clear();
        tasks.groups.occupant_counts.clear();
        pool.assign(&tasks)
    }
}

hostile!(Hostile);
