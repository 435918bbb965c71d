//! Never comes back from `explain`.
#![cfg_attr(all(target_arch = "wasm32", target_os = "unknown"), no_std)]

use offermatch_hostile::{Behaviour, Explanations, Honest, TaskTable, Verdict, hostile};

/// Never comes back.
struct Spinning;

impl Behaviour for Spinning {
    fn explain(_: &mut Honest, _: TaskTable) -> Verdict<Explanations> {
        loop {
            core::hint::black_box(());
        }
    }
}

hostile!(Spinning);
