//! Says something else of itself from call to call.
#![cfg_attr(all(target_arch = "wasm32", target_os = "unknown"), no_std)]

use core::sync::atomic::{AtomicUsize, Ordering};

use offermatch_hostile::{Behaviour, Description, hostile};

/// Leaves out a mode whenever it is asked again.
struct Hostile;

/// The honest description.
struct Obedient;

impl Behaviour for Obedient {}

impl Behaviour for Hostile {
    fn describe() -> Description {
        /// How often it was asked.
        static CALLS: AtomicUsize = AtomicUsize::new(0);
        let mut description = Obedient::describe();
        if CALLS.fetch_add(1, Ordering::Relaxed) > 0 {
            description.modes.truncate(1);
        }
        description
    }
}

hostile!(Hostile);
