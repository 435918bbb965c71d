//! Takes an exclusive offer twice.
#![cfg_attr(all(target_arch = "wasm32", target_os = "unknown"), no_std)]

use offermatch_hostile::{Assignments, Behaviour, Honest, TaskTable, Verdict, hostile};

/// Gives the second task the offer of the first.
struct Hostile;

impl Behaviour for Hostile {
    fn assign(pool: &mut Honest, tasks: TaskTable) -> Verdict<Assignments> {
        let mut answer = pool.assign(&tasks)?;
        if let [first, second, ..] = &mut answer.offers[..] {
            *second = *first;
        }
        Ok(answer)
    }
}

hostile!(Hostile);
