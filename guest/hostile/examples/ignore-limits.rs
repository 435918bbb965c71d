//! Does not look at how many members may be in one place.
#![cfg_attr(all(target_arch = "wasm32", target_os = "unknown"), no_std)]

use offermatch_hostile::{Assignments, Behaviour, Honest, TaskTable, Verdict, hostile};

/// Places any number of members on offers with one value.
struct Hostile;

impl Behaviour for Hostile {
    fn assign(pool: &mut Honest, mut tasks: TaskTable) -> Verdict<Assignments> {
        tasks.groups.limit_offsets.clear();
        tasks.groups.limit_attributes.clear();
        tasks.groups.limit_counts.clear();
        pool.assign(&tasks)
    }
}

hostile!(Hostile);
