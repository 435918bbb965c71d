//! Does not look at requirements.
#![cfg_attr(all(target_arch = "wasm32", target_os = "unknown"), no_std)]

use offermatch_hostile::{Assignments, Behaviour, Honest, TaskTable, Verdict, hostile};

/// Places tasks as if they had no requirements.
struct Hostile;

impl Behaviour for Hostile {
    fn assign(pool: &mut Honest, mut tasks: TaskTable) -> Verdict<Assignments> {
        tasks.requirement_offsets.clear();
        tasks.requirement_kinds.clear();
        tasks.requirement_subjects.clear();
        tasks.requirement_bounds.clear();
        tasks.requirement_weights.clear();
        tasks.value_offsets.clear();
        tasks.values.clear();
        pool.assign(&tasks)
    }
}

hostile!(Hostile);
