//! Does what is asked, with the standard library.

use std::collections::HashMap;

use offermatch_hostile::{Assignments, Behaviour, Honest, TaskTable, Verdict, hostile};

/// Does what is asked, and uses what the standard library has on the way.
struct Obedient;

impl Behaviour for Obedient {
    fn assign(pool: &mut Honest, tasks: TaskTable) -> Verdict<Assignments> {
        // A hash map asks for random numbers.
        let seen: HashMap<u32, u32> = (0..tasks.rows).map(|row| (row, row)).collect();
        assert_eq!(seen.len(), tasks.rows as usize);
        println!("placing {} tasks", tasks.rows);
        pool.assign(&tasks)
    }
}

hostile!(Obedient);
