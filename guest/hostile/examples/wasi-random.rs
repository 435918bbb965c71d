//! Places tasks by chance.

use std::hash::{BuildHasher, RandomState};

use offermatch_hostile::{Assignments, Behaviour, Honest, TaskTable, Verdict, hostile};

/// Leaves out tasks by the numbers of a hash map.
struct Hostile;

impl Behaviour for Hostile {
    fn assign(pool: &mut Honest, tasks: TaskTable) -> Verdict<Assignments> {
        let chance = RandomState::new();
        let mut answer = pool.assign(&tasks)?;
        let left = (chance.hash_one(1_u32) % (answer.tasks.len() as u64 + 1)) as usize;
        answer.tasks.truncate(left);
        answer.offers.truncate(left);
        answer.scores.truncate(left);
        Ok(answer)
    }
}

hostile!(Hostile);
