//! Does what is asked.
#![cfg_attr(all(target_arch = "wasm32", target_os = "unknown"), no_std)]

use offermatch_hostile_next::{Behaviour, hostile};

/// Does what is asked.
struct Obedient;

impl Behaviour for Obedient {}

hostile!(Obedient);
