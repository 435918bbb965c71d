//! Names rows that do not exist.
#![cfg_attr(all(target_arch = "wasm32", target_os = "unknown"), no_std)]

use offermatch_hostile::{Assignments, Behaviour, Honest, TaskTable, Verdict, hostile};

/// Names an offer that does not exist.
struct Hostile;

impl Behaviour for Hostile {
    fn assign(pool: &mut Honest, tasks: TaskTable) -> Verdict<Assignments> {
        let mut answer = pool.assign(&tasks)?;
        answer.offers.iter_mut().for_each(|offer| *offer = u32::MAX);
        Ok(answer)
    }
}

hostile!(Hostile);
