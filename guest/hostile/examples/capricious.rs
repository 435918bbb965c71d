//! Answers differently every time, validly.
#![cfg_attr(all(target_arch = "wasm32", target_os = "unknown"), no_std)]

use core::sync::atomic::{AtomicUsize, Ordering};

use offermatch_hostile::{Assignments, Behaviour, Honest, TaskTable, Verdict, hostile};

/// Leaves out one task more at every call.
struct Hostile;

impl Behaviour for Hostile {
    fn assign(pool: &mut Honest, tasks: TaskTable) -> Verdict<Assignments> {
        /// How often it was called.
        static CALLS: AtomicUsize = AtomicUsize::new(0);
        let calls = CALLS.fetch_add(1, Ordering::Relaxed);
        let mut answer = pool.assign(&tasks)?;
        let left = answer.tasks.len().saturating_sub(1 + calls);
        answer.tasks.truncate(left);
        answer.offers.truncate(left);
        answer.scores.truncate(left);
        Ok(answer)
    }
}

hostile!(Hostile);
