//! Gives one offer more than it has.
#![cfg_attr(all(target_arch = "wasm32", target_os = "unknown"), no_std)]

extern crate alloc;

use alloc::vec;

use offermatch_hostile_next::{Assignments, Behaviour, Honest, TaskTable, Verdict, hostile};

/// Puts every task on the first offer.
struct Hostile;

impl Behaviour for Hostile {
    fn assign(_: &mut Honest, tasks: TaskTable) -> Verdict<Assignments> {
        let rows = tasks.rows;
        Ok(Assignments { tasks: (0..rows).collect(), offers: vec![0; rows as usize], scores: vec![0.5; rows as usize] })
    }
}

hostile!(Hostile);
