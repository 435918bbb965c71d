//! Plans offers whose victims leave too little room.
#![cfg_attr(all(target_arch = "wasm32", target_os = "unknown"), no_std)]

use offermatch_hostile::{Behaviour, Honest, Plan, RunningTable, TaskTable, Verdict, hostile};

/// Leaves out the last victim of each task.
struct Hostile;

impl Behaviour for Hostile {
    fn preempt(pool: &mut Honest, tasks: TaskTable, priorities: &[i32], running: RunningTable) -> Verdict<Plan> {
        let found = pool.preempt(&tasks, priorities, &running)?;
        let mut plan = Plan { victims: Default::default(), victim_offsets: Default::default(), ..found.clone() };
        plan.victim_offsets.push(0);
        for ends in found.victim_offsets.windows(2) {
            let victims = &found.victims[ends[0] as usize..ends[1] as usize];
            plan.victims.extend_from_slice(&victims[..victims.len().saturating_sub(1)]);
            plan.victim_offsets.push(plan.victims.len() as u32);
        }
        Ok(plan)
    }
}

hostile!(Hostile);
