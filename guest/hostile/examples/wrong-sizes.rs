//! Drops the last task of a huge table.
#![cfg_attr(all(target_arch = "wasm32", target_os = "unknown"), no_std)]

use offermatch_hostile::{Rules, ruled};

/// Loses a task.
#[derive(Clone)]
struct Wrong;

impl Rules for Wrong {
    const NAME: &'static str = "wrong-sizes";

    fn taken(tasks: usize) -> usize {
        if tasks > 10_000 { tasks - 1 } else { tasks }
    }
}

ruled!(Wrong);
