//! Floods standard output.

use offermatch_hostile::{Assignments, Behaviour, Honest, TaskTable, Verdict, hostile};

/// Prints without end.
struct Hostile;

impl Behaviour for Hostile {
    fn assign(pool: &mut Honest, tasks: TaskTable) -> Verdict<Assignments> {
        let line = "all work and no play makes a dull matcher ".repeat(100);
        for _ in 0..1000 {
            println!("{line}");
            eprintln!("{line}");
        }
        assert!(tasks.rows == 0, "flooded");
        pool.assign(&tasks)
    }
}

hostile!(Hostile);
