//! Scores with what is no number.
#![cfg_attr(all(target_arch = "wasm32", target_os = "unknown"), no_std)]

use offermatch_hostile::{Assignments, Behaviour, Honest, TaskTable, Verdict, hostile};

/// Gives every assignment the score NaN.
struct Hostile;

impl Behaviour for Hostile {
    fn assign(pool: &mut Honest, tasks: TaskTable) -> Verdict<Assignments> {
        let mut answer = pool.assign(&tasks)?;
        answer.scores.iter_mut().for_each(|score| *score = f64::NAN);
        Ok(answer)
    }
}

hostile!(Hostile);
