//! Watches the clock, and sleeps.

use std::time::{Duration, Instant, SystemTime};

use offermatch_hostile::{Assignments, Behaviour, Honest, TaskTable, Verdict, hostile};

/// Gives up where time passes.
struct Hostile;

impl Behaviour for Hostile {
    fn assign(pool: &mut Honest, tasks: TaskTable) -> Verdict<Assignments> {
        let (begin, epoch) = (Instant::now(), SystemTime::now());
        std::thread::sleep(Duration::from_secs(3600));
        let passed = begin.elapsed();
        assert!(passed.is_zero() && epoch == SystemTime::now(), "{passed:?} passed");
        assert!(epoch == SystemTime::UNIX_EPOCH, "it is not the epoch");
        pool.assign(&tasks)
    }
}

hostile!(Hostile);
