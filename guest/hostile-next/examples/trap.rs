//! Traps.
#![cfg_attr(all(target_arch = "wasm32", target_os = "unknown"), no_std)]

use offermatch_hostile_next::{Assignments, Behaviour, Honest, TaskTable, Verdict, hostile};

/// Traps.
struct Hostile;

impl Behaviour for Hostile {
    fn assign(_: &mut Honest, _: TaskTable) -> Verdict<Assignments> {
        #[cfg(target_arch = "wasm32")]
        core::arch::wasm32::unreachable();
        #[cfg(not(target_arch = "wasm32"))]
        unreachable!("a trap");
    }
}

hostile!(Hostile);
