//! Ends a running task of lower priority for nothing.
#![cfg_attr(all(target_arch = "wasm32", target_os = "unknown"), no_std)]

use offermatch_hostile::{Behaviour, Honest, Plan, RunningTable, TaskTable, Verdict, hostile};

/// Adds to the first task's victims one that need not end.
struct Hostile;

impl Behaviour for Hostile {
    fn preempt(pool: &mut Honest, tasks: TaskTable, priorities: &[i32], running: RunningTable) -> Verdict<Plan> {
        let mut plan = pool.preempt(&tasks, priorities, &running)?;
        let (Some(&task), Some(&offer)) = (plan.tasks.first(), plan.offers.first()) else { return Ok(plan) };
        let spare = (0..running.rows).find(|&row| {
            running.offers[row as usize] == offer
                && running.priorities[row as usize] < priorities[task as usize]
                && !plan.victims.contains(&row)
        });
        if let Some(row) = spare {
            let first = plan.victims[..plan.victim_offsets[1] as usize].partition_point(|&victim| victim < row);
            plan.victims.insert(first, row);
            plan.victim_offsets[1..].iter_mut().for_each(|offset| *offset += 1);
        }
        Ok(plan)
    }
}

hostile!(Hostile);
