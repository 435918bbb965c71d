//! Never comes back from `describe`.
#![cfg_attr(all(target_arch = "wasm32", target_os = "unknown"), no_std)]

use offermatch_hostile_next::{Behaviour, Description, hostile};

/// Never comes back.
struct Spinning;

impl Behaviour for Spinning {
    fn describe() -> Description {
        loop {
            core::hint::black_box(());
        }
    }
}

hostile!(Spinning);
