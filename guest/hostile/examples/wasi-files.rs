//! Tries to read and to write files.

use offermatch_hostile::{Assignments, Behaviour, Honest, TaskTable, Verdict, hostile};

/// Goes on only if it finds a file.
struct Hostile;

impl Behaviour for Hostile {
    fn assign(pool: &mut Honest, tasks: TaskTable) -> Verdict<Assignments> {
        let read = std::fs::read_to_string("/etc/passwd").map(|text| text.len());
        let written = std::fs::write("/tmp/loot", "loot");
        let listed = std::fs::read_dir("/").map(Iterator::count);
        assert!(read.is_err() && written.is_err() && listed.is_err(), "files: {read:?} {written:?} {listed:?}");
        pool.assign(&tasks)
    }
}

hostile!(Hostile);
