//! Recurses without end.
#![cfg_attr(all(target_arch = "wasm32", target_os = "unknown"), no_std)]

use offermatch_hostile_next::{Assignments, Behaviour, Honest, TaskTable, Verdict, hostile};

/// Calls itself.
struct Hostile;

impl Behaviour for Hostile {
    fn assign(_: &mut Honest, tasks: TaskTable) -> Verdict<Assignments> {
        let depth = descend(u64::from(tasks.rows));
        Ok(Assignments { tasks: [depth as u32].into(), offers: [0].into(), scores: [0.0].into() })
    }
}

/// Goes one deeper.
#[allow(unconditional_recursion, reason = "that is what this matcher is for")]
fn descend(depth: u64) -> u64 {
    let here = core::hint::black_box([depth; 16]);
    let below = descend(depth.wrapping_add(1));
    here[(below % 16) as usize].wrapping_add(below)
}

hostile!(Hostile);
