//! Answers with a million assignments.
#![cfg_attr(all(target_arch = "wasm32", target_os = "unknown"), no_std)]

extern crate alloc;

use alloc::vec;

use offermatch_hostile_next::{Assignments, Behaviour, Honest, TaskTable, Verdict, hostile};

/// Answers with a million assignments, however few the tasks.
struct Hostile;

impl Behaviour for Hostile {
    fn assign(_: &mut Honest, tasks: TaskTable) -> Verdict<Assignments> {
        let many = 1_000_000;
        let first = tasks.rows;
        Ok(Assignments {
            tasks: (first..first + many).collect(),
            offers: vec![0; 1_000_000],
            scores: vec![0.5; 1_000_000],
        })
    }
}

hostile!(Hostile);
