//! Tears gangs apart that are all or nothing.
#![cfg_attr(all(target_arch = "wasm32", target_os = "unknown"), no_std)]

use offermatch_hostile::{Assignments, Behaviour, Honest, TaskTable, Verdict, hostile};

/// Places as many members of a group as find an offer, be they too few.
struct Hostile;

impl Behaviour for Hostile {
    fn assign(pool: &mut Honest, mut tasks: TaskTable) -> Verdict<Assignments> {
        tasks.groups.least.clear();
        pool.assign(&tasks)
    }
}

hostile!(Hostile);
