//! Says that it speaks a newer contract than its interface.
#![cfg_attr(all(target_arch = "wasm32", target_os = "unknown"), no_std)]

extern crate alloc;

use alloc::borrow::ToOwned;

use offermatch_hostile_next::{Behaviour, Description, hostile};

/// Claims contract 0.4.0.
struct Hostile;

/// The honest description.
struct Obedient;

impl Behaviour for Obedient {}

impl Behaviour for Hostile {
    fn describe() -> Description {
        Description { contract: "0.4.0".to_owned(), ..Obedient::describe() }
    }
}

hostile!(Hostile);
