//! Allocates without end.
#![cfg_attr(all(target_arch = "wasm32", target_os = "unknown"), no_std)]

extern crate alloc;

use alloc::vec;
use alloc::vec::Vec;

use offermatch_hostile_next::{Assignments, Behaviour, Honest, TaskTable, Verdict, hostile};

/// Takes all the memory it can get.
struct Hostile;

impl Behaviour for Hostile {
    fn assign(_: &mut Honest, tasks: TaskTable) -> Verdict<Assignments> {
        let mut hoard: Vec<Vec<u8>> = Vec::new();
        loop {
            hoard.push(vec![tasks.rows as u8; 1 << 20]);
            core::hint::black_box(&hoard);
        }
    }
}

hostile!(Hostile);
