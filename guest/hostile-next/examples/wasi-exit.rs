//! Exits.

use offermatch_hostile_next::{Assignments, Behaviour, Honest, TaskTable, Verdict, hostile};

/// Exits in the middle of a call.
struct Hostile;

impl Behaviour for Hostile {
    fn assign(_: &mut Honest, _: TaskTable) -> Verdict<Assignments> {
        eprintln!("I am leaving");
        std::process::exit(0)
    }
}

hostile!(Hostile);
