//! Explains with more offers that fail a check alone than fail it at all.
#![cfg_attr(all(target_arch = "wasm32", target_os = "unknown"), no_std)]

use offermatch_hostile::{Behaviour, Explanations, Honest, TaskTable, Verdict, hostile};

/// Counts what fails nothing else twice, and once more.
struct Hostile;

impl Behaviour for Hostile {
    fn explain(pool: &mut Honest, tasks: TaskTable) -> Verdict<Explanations> {
        let mut answer = pool.explain(&tasks)?;
        for (alone, fails) in answer.dimension_alone.iter_mut().zip(&answer.dimension_fails) {
            *alone = fails + 1;
        }
        Ok(answer)
    }
}

hostile!(Hostile);
