//! Scores without the penalties of preferences.
#![cfg_attr(all(target_arch = "wasm32", target_os = "unknown"), no_std)]

use offermatch_hostile::{Assignments, Behaviour, Honest, TaskTable, Verdict, hostile};

/// Takes every preference for one that costs nothing.
struct Hostile;

impl Behaviour for Hostile {
    fn assign(pool: &mut Honest, mut tasks: TaskTable) -> Verdict<Assignments> {
        for weight in tasks.requirement_weights.iter_mut().filter(|weight| weight.is_finite()) {
            *weight = 0.0;
        }
        pool.assign(&tasks)
    }
}

hostile!(Hostile);
