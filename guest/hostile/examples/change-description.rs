//! Says something else of itself once it has been asked often: a host that asks twice when it loads it does not notice.
#![cfg_attr(all(target_arch = "wasm32", target_os = "unknown"), no_std)]

use core::sync::atomic::{AtomicUsize, Ordering};

use offermatch_hostile::{Behaviour, Description, hostile};

/// Leaves out a mode once it has answered this often.
const HONEST: usize = 16;

/// What it is called as.
struct Hostile;

/// The honest description.
struct Obedient;

impl Behaviour for Obedient {}

impl Behaviour for Hostile {
    fn describe() -> Description {
        /// How often it was asked.
        static CALLS: AtomicUsize = AtomicUsize::new(0);
        let mut description = Obedient::describe();
        if CALLS.fetch_add(1, Ordering::Relaxed) >= HONEST {
            description.modes.truncate(1);
        }
        description
    }
}

hostile!(Hostile);
