//! Says something else of itself once it has placed tasks: a host that only asks when it loads it does not notice.
#![cfg_attr(all(target_arch = "wasm32", target_os = "unknown"), no_std)]

use core::sync::atomic::{AtomicBool, Ordering};

use offermatch_hostile::{Assignments, Behaviour, Description, Honest, TaskTable, Verdict, hostile};

/// Whether it was asked to place tasks.
static ASKED: AtomicBool = AtomicBool::new(false);

/// Leaves out a mode from then on.
struct Hostile;

/// The honest description.
struct Obedient;

impl Behaviour for Obedient {}

impl Behaviour for Hostile {
    fn describe() -> Description {
        let mut description = Obedient::describe();
        if ASKED.load(Ordering::Relaxed) {
            description.modes.truncate(1);
        }
        description
    }

    fn assign(pool: &mut Honest, tasks: TaskTable) -> Verdict<Assignments> {
        ASKED.store(true, Ordering::Relaxed);
        pool.assign(&tasks)
    }
}

hostile!(Hostile);
