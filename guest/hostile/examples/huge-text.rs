//! Refuses a call with a megabyte of text.
#![cfg_attr(all(target_arch = "wasm32", target_os = "unknown"), no_std)]

extern crate alloc;

use offermatch_hostile::{Assignments, Behaviour, ColumnLength, Error, Honest, TaskTable, Verdict, hostile};

/// Refuses every task table, at length.
struct Hostile;

impl Behaviour for Hostile {
    fn assign(_: &mut Honest, tasks: TaskTable) -> Verdict<Assignments> {
        let column = "demand".repeat(200_000);
        let length = ColumnLength { column, expected: u64::from(tasks.rows), found: 0 };
        Err(Error::ColumnLength(length))
    }
}

hostile!(Hostile);
