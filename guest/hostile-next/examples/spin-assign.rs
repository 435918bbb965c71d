//! Never comes back from `assign`.
#![cfg_attr(all(target_arch = "wasm32", target_os = "unknown"), no_std)]

use offermatch_hostile_next::{Assignments, Behaviour, Honest, TaskTable, Verdict, hostile};

/// Never comes back.
struct Spinning;

impl Behaviour for Spinning {
    fn assign(_: &mut Honest, _: TaskTable) -> Verdict<Assignments> {
        loop {
            core::hint::black_box(());
        }
    }
}

hostile!(Spinning);
