//! Reads environment and arguments.

use offermatch_hostile::{Assignments, Behaviour, Honest, TaskTable, Verdict, hostile};

/// Gives up where it finds anything.
struct Hostile;

impl Behaviour for Hostile {
    fn assign(pool: &mut Honest, tasks: TaskTable) -> Verdict<Assignments> {
        let variables = std::env::vars().count();
        let arguments = std::env::args().count();
        assert!(variables + arguments == 0, "{variables} variables, {arguments} arguments");
        pool.assign(&tasks)
    }
}

hostile!(Hostile);
