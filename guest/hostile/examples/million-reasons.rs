//! Explains with a million reasons.
#![cfg_attr(all(target_arch = "wasm32", target_os = "unknown"), no_std)]

extern crate alloc;

use offermatch_hostile::{Behaviour, Explanations, Honest, TaskTable, Verdict, hostile};

/// Gives a million reasons.
struct Hostile;

impl Behaviour for Hostile {
    fn explain(pool: &mut Honest, tasks: TaskTable) -> Verdict<Explanations> {
        Ok(Explanations { requirement_fails: alloc::vec![1; 1_000_000], ..pool.explain(&tasks)? })
    }
}

hostile!(Hostile);
