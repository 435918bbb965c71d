//! Traps when it is asked what it is.
#![cfg_attr(all(target_arch = "wasm32", target_os = "unknown"), no_std)]

use offermatch_hostile_next::{Behaviour, Description, hostile};

/// Traps.
struct Hostile;

impl Behaviour for Hostile {
    fn describe() -> Description {
        panic!("no comment");
    }
}

hostile!(Hostile);
