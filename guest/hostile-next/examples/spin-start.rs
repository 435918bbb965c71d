//! Never comes back from its own initialisation.
#![cfg_attr(all(target_arch = "wasm32", target_os = "unknown"), no_std)]

use offermatch_hostile_next::{Behaviour, hostile};

/// Does what is asked, once it is there.
struct Obedient;

impl Behaviour for Obedient {}

/// What the component model runs when an instance is made.
#[cfg(target_arch = "wasm32")]
#[unsafe(no_mangle)]
extern "C" fn _initialize() {
    loop {
        core::hint::black_box(());
    }
}

hostile!(Obedient);
