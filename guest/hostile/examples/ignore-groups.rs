//! Does not look at groups.
#![cfg_attr(all(target_arch = "wasm32", target_os = "unknown"), no_std)]

use offermatch_hostile::{Assignments, Behaviour, Honest, TaskTable, Verdict, hostile};

/// Places every task as if it belonged to no group.
struct Hostile;

impl Behaviour for Hostile {
    fn assign(pool: &mut Honest, mut tasks: TaskTable) -> Verdict<Assignments> {
        tasks.group_of.clear();
        tasks.groups = Default::default();
        pool.assign(&tasks)
    }
}

hostile!(Hostile);
