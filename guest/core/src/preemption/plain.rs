//! The plain loop over tasks, offers and what runs on them, which says what is right.

use alloc::vec::Vec;

use super::{Move, NO_VICTIM, Plan, RunningTable};
use crate::devices;
use crate::feasible::{Standing, Task};
use crate::ledger::Ledger;
use crate::policy::{Leftover, Policy, Ranking};
use crate::table::TaskTable;

/// An offer as it is planned to be.
#[derive(Clone)]
struct Planned {
    /// What is free in each dimension.
    available: Vec<u64>,
    /// The free thousandths of each device.
    devices: Vec<u32>,
    /// The tasks that still run on it, in the order in which they are given back.
    running: Vec<usize>,
}

impl Planned {
    /// Takes a running task away, or, where `back`, gives it back.
    fn alter(&mut self, running: &RunningTable, row: usize, back: bool) {
        let width = self.available.len();
        for (free, &used) in self.available.iter_mut().zip(running.demand(row, width)) {
            *free = if back { *free - used } else { *free + used };
        }
        for at in running.devices(row) {
            let (number, used) = (running.device_numbers[at] as usize, running.device_thousandths[at]);
            let free = &mut self.devices[number];
            *free = if back { *free - used } else { *free + used };
        }
    }

    /// Whether it serves a task's demand and devices.
    fn serves(&self, task: Task<'_>) -> bool {
        task.demand.iter().zip(&self.available).all(|(asked, free)| asked <= free)
            && devices::serve(&self.devices, task.devices)
    }
}

/// Plans for checked tables.
pub(super) fn plan<P: Policy>(
    ledger: &Ledger,
    (tasks, priorities): (&TaskTable, &[i32]),
    running: &RunningTable,
    policy: &P,
    ranking: &Ranking,
) -> Plan {
    let mut offers: Vec<Planned> = (0..ledger.rows())
        .map(|row| Planned {
            available: ledger.available(row).to_vec(),
            devices: ledger.devices(row).to_vec(),
            running: Vec::new(),
        })
        .collect();
    for row in 0..running.rows as usize {
        offers[running.offers[row] as usize].running.push(row);
    }
    offers.iter_mut().for_each(|offer| offer.running.sort_by(|&one, &other| running.stays_rather(one, other)));

    let mut plan = Plan::new();
    for (row, &priority) in priorities.iter().enumerate() {
        let task = Task::new(tasks, row, ledger.shape());
        let mut best: Option<Move> = None;
        for (&offer, position) in ledger.list().iter().zip(0..) {
            let planned = &offers[offer as usize];
            let found = look(ledger, (task, priority), (offer as usize, position), planned, running, (policy, ranking));
            if let Some(found) = found
                && best.as_ref().is_none_or(|best| found.is_better(best))
            {
                best = Some(found);
            }
        }
        let Some(best) = best else { continue };
        let planned = &mut offers[best.offer];
        best.victims.iter().for_each(|&victim| planned.alter(running, victim as usize, false));
        planned.running.retain(|&row| !best.victims.contains(&(row as u32)));
        planned.available.iter_mut().zip(task.demand).for_each(|(free, asked)| *free -= asked);
        devices::take(&mut planned.devices, task.devices);
        plan.push(row, best);
    }
    plan
}

/// What it takes for an offer to serve a task, if it can.
fn look<P: Policy>(
    ledger: &Ledger,
    (task, priority): (Task<'_>, i32),
    (offer, position): (usize, u32),
    planned: &Planned,
    running: &RunningTable,
    (policy, ranking): (&P, &Ranking),
) -> Option<Move> {
    let mut freed = planned.clone();
    let lower: Vec<usize> = planned.running.iter().copied().filter(|&row| running.priorities[row] < priority).collect();
    lower.iter().for_each(|&row| freed.alter(running, row, false));
    if !freed.serves(task) {
        return None;
    }
    let mut victims = Vec::new();
    let mut highest = NO_VICTIM;
    for row in lower {
        freed.alter(running, row, true);
        if !freed.serves(task) {
            freed.alter(running, row, false);
            victims.push(row as u32);
            highest = highest.max(running.priorities[row].into());
        }
    }
    victims.sort_unstable();
    let left = Leftover {
        available: &freed.available,
        free_devices: freed.devices.iter().copied().map(u64::from).sum(),
        ..Leftover::of(ledger, offer)
    };
    match task.standing_with(ledger, offer, left, &freed.devices, policy, ranking) {
        Standing::Candidate(score) => Some(Move { offer, position, highest, score, victims }),
        _ => None,
    }
}
