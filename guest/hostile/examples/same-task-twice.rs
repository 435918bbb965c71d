//! Places a task twice.
#![cfg_attr(all(target_arch = "wasm32", target_os = "unknown"), no_std)]

use offermatch_hostile::{Assignments, Behaviour, Honest, TaskTable, Verdict, hostile};

/// Places the first task again instead of the second.
struct Hostile;

impl Behaviour for Hostile {
    fn assign(pool: &mut Honest, tasks: TaskTable) -> Verdict<Assignments> {
        let mut answer = pool.assign(&tasks)?;
        if let [first, second, ..] = &mut answer.tasks[..] {
            *second = *first;
        }
        Ok(answer)
    }
}

hostile!(Hostile);
