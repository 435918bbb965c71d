//! Panics with a huge message.

use offermatch_hostile_next::{Assignments, Behaviour, Honest, TaskTable, Verdict, hostile};

/// Panics with a megabyte of text.
struct Hostile;

impl Behaviour for Hostile {
    fn assign(_: &mut Honest, tasks: TaskTable) -> Verdict<Assignments> {
        panic!("{}", "help ".repeat((1 << 18) + tasks.rows as usize));
    }
}

hostile!(Hostile);
