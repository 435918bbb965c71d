//! Does not look at devices.
#![cfg_attr(all(target_arch = "wasm32", target_os = "unknown"), no_std)]

use offermatch_hostile::{Assignments, Behaviour, Honest, TaskTable, Verdict, hostile};

/// Places tasks as if they asked for no devices.
struct Hostile;

impl Behaviour for Hostile {
    fn assign(pool: &mut Honest, mut tasks: TaskTable) -> Verdict<Assignments> {
        tasks.devices.clear();
        pool.assign(&tasks)
    }
}

hostile!(Hostile);
