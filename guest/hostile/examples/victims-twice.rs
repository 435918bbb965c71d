//! Ends the same running task for two others.
#![cfg_attr(all(target_arch = "wasm32", target_os = "unknown"), no_std)]

use offermatch_hostile::{Behaviour, Honest, Plan, RunningTable, TaskTable, Verdict, hostile};

/// Gives the second task the victims of the first.
struct Hostile;

impl Behaviour for Hostile {
    fn preempt(pool: &mut Honest, tasks: TaskTable, priorities: &[i32], running: RunningTable) -> Verdict<Plan> {
        let mut plan = pool.preempt(&tasks, priorities, &running)?;
        if plan.tasks.len() > 1 {
            let first = plan.victims[..plan.victim_offsets[1] as usize].to_vec();
            let second = plan.victim_offsets[1] as usize..plan.victim_offsets[2] as usize;
            let (grown, before) = (first.len() as u32, second.len() as u32);
            plan.victims.splice(second, first);
            plan.victim_offsets[2..].iter_mut().for_each(|offset| *offset = *offset + grown - before);
        }
        Ok(plan)
    }
}

hostile!(Hostile);
