//! Keeps the memory of every call.
#![cfg_attr(all(target_arch = "wasm32", target_os = "unknown"), no_std)]

extern crate alloc;

use alloc::vec;

use offermatch_hostile::{Assignments, Behaviour, Honest, TaskTable, Verdict, hostile};

/// Never gives back what a table took, and a megabyte more.
struct Hostile;

impl Behaviour for Hostile {
    fn assign(pool: &mut Honest, tasks: TaskTable) -> Verdict<Assignments> {
        let answer = pool.assign(&tasks)?;
        core::mem::forget(tasks);
        core::mem::forget(core::hint::black_box(vec![1_u8; 1 << 20]));
        Ok(answer)
    }
}

hostile!(Hostile);
