//! Explains with counts that do not add up.
#![cfg_attr(all(target_arch = "wasm32", target_os = "unknown"), no_std)]

use offermatch_hostile::{Behaviour, Explanations, Honest, TaskTable, Verdict, hostile};

/// Counts every candidate twice.
struct Hostile;

impl Behaviour for Hostile {
    fn explain(pool: &mut Honest, tasks: TaskTable) -> Verdict<Explanations> {
        let mut answer = pool.explain(&tasks)?;
        answer.candidates.iter_mut().for_each(|candidates| *candidates += 1);
        Ok(answer)
    }
}

hostile!(Hostile);
