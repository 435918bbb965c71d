//! Never comes back from `update`.
#![cfg_attr(all(target_arch = "wasm32", target_os = "unknown"), no_std)]

use offermatch_hostile_next::{Behaviour, Changes, Honest, Verdict, hostile};

/// Never comes back.
struct Spinning;

impl Behaviour for Spinning {
    fn update(_: &mut Honest, _: Changes) -> Verdict<()> {
        loop {
            core::hint::black_box(());
        }
    }
}

hostile!(Spinning);
