//! Does not look at measures.
#![cfg_attr(all(target_arch = "wasm32", target_os = "unknown"), no_std)]

use offermatch_hostile::{Assignments, Behaviour, Honest, TaskTable, Verdict, hostile};

/// Takes every bound for a preference that costs nothing.
struct Hostile;

impl Behaviour for Hostile {
    fn assign(pool: &mut Honest, mut tasks: TaskTable) -> Verdict<Assignments> {
        tasks.requirement_weights.resize(tasks.requirement_kinds.len(), f64::INFINITY);
        for (weight, &kind) in tasks.requirement_weights.iter_mut().zip(&tasks.requirement_kinds) {
            if kind >= 2 {
                *weight = 0.0;
            }
        }
        pool.assign(&tasks)
    }
}

hostile!(Hostile);
