//! The plan of the plain loop at a fraction of its cost.
//!
//! What is given back first has the highest priority, so the highest victim has the least priority at which enough can end:
//! whatever is above it is given back. So for each of a few *levels* of priority, each dimension has a column of what offers
//! would have if all up to that level ended. A task looks through these columns, level by level, and ends at the first with an
//! offer for it. Of the offers found there it looks into those with the fewest victims to be expected: the least number of
//! running tasks that can fill the gap, if each were as large as the largest.

use alloc::vec;
use alloc::vec::Vec;

use super::{Move, NO_VICTIM, Plan, RunningTable};
use crate::devices;
use crate::feasible::{Standing, Task};
use crate::ledger::Ledger;
use crate::policy::{Leftover, Policy, Ranking};
use crate::table::TaskTable;

/// Levels at most.
const LEVELS: usize = 32;
/// Numbers in the columns of all levels, at most.
const CELLS: usize = 1 << 22;

/// What runs on one offer.
#[derive(Debug, Clone, Default)]
struct Running {
    /// The running tasks, in the order in which they are given back.
    rows: Vec<u32>,
    /// The free thousandths of each device.
    devices: Vec<u32>,
}

/// The offers of the list, as they are planned to be. Columns go by place in the list.
struct Offers<'a, P> {
    /// The pool.
    ledger: &'a Ledger,
    /// What runs.
    running: &'a RunningTable,
    /// How offers are ranked.
    policy: &'a P,
    /// Weights, scales and the maximal score.
    ranking: &'a Ranking,
    /// Dimensions.
    width: usize,
    /// The least and the highest priority of each level.
    levels: Vec<(i32, i32)>,
    /// What runs on each offer.
    on: Vec<Running>,
    /// What each has in a dimension once all below a level have ended: `(levels + 1) x dimensions` columns; the first level is
    /// that of what is free.
    reach: Vec<Vec<u64>>,
    /// The most that one of those tasks uses of it, in the same way.
    largest: Vec<Vec<u64>>,
    /// For each offer, the last task that has looked into it.
    looked: Vec<u32>,
    /// The offers that would serve the present task at the present level, and the victims to be expected.
    found: Vec<(u32, u64)>,
    /// Room for what is left of an offer.
    left: Vec<u64>,
    /// Room for its devices.
    devices: Vec<u32>,
}

/// Plans for checked tables.
pub(super) fn plan<P: Policy>(
    ledger: &Ledger,
    (tasks, priorities): (&TaskTable, &[i32]),
    running: &RunningTable,
    policy: &P,
    ranking: &Ranking,
) -> Plan {
    let mut offers = Offers::new(ledger, running, policy, ranking);
    let mut plan = Plan::new();
    for (row, &priority) in priorities.iter().enumerate() {
        let task = Task::new(tasks, row, ledger.shape());
        if let Some(best) = offers.best(task, priority) {
            offers.take(&best, task);
            plan.push(row, best);
        }
    }
    plan
}

impl<'a, P: Policy> Offers<'a, P> {
    fn new(ledger: &'a Ledger, running: &'a RunningTable, policy: &'a P, ranking: &'a Ranking) -> Self {
        let (count, width) = (ledger.list().len(), ledger.shape().dimensions as usize);
        let mut on: Vec<Running> = ledger
            .list()
            .iter()
            .map(|&row| Running { rows: Vec::new(), devices: ledger.devices(row as usize).to_vec() })
            .collect();
        let mut priorities = Vec::new();
        for row in 0..running.rows {
            if let Some(place) = ledger.position(running.offers[row as usize] as usize) {
                on[place as usize].rows.push(row);
                priorities.push(running.priorities[row as usize]);
            }
        }
        on.iter_mut().for_each(|on| on.rows.sort_unstable_by(|&a, &b| running.stays_rather(a as usize, b as usize)));
        let levels = levels(priorities, (CELLS / (count * width).max(1)).clamp(1, LEVELS));
        let columns = (levels.len() + 1) * width;
        let mut offers = Self {
            ledger,
            running,
            policy,
            ranking,
            width,
            reach: vec![vec![0; count]; columns],
            largest: vec![vec![0; count]; columns],
            levels,
            on,
            looked: vec![u32::MAX; count],
            found: Vec::new(),
            left: Vec::new(),
            devices: Vec::new(),
        };
        for (place, &row) in ledger.list().iter().enumerate() {
            for (column, &free) in offers.reach.iter_mut().zip(ledger.available(row as usize)) {
                column[place] = free;
            }
            offers.fill(place);
        }
        offers
    }

    /// Fills the columns of all levels but the first for one offer.
    fn fill(&mut self, place: usize) {
        let width = self.width;
        // From the lowest priority up.
        let mut rows = self.on[place].rows.iter().rev().copied().peekable();
        for (level, &(_, highest)) in self.levels.iter().enumerate() {
            for dimension in 0..width {
                let (from, to) = (level * width + dimension, (level + 1) * width + dimension);
                self.reach[to][place] = self.reach[from][place];
                self.largest[to][place] = self.largest[from][place];
            }
            while let Some(row) = rows.next_if(|&row| self.running.priorities[row as usize] <= highest) {
                for (dimension, &used) in self.running.demand(row as usize, width).iter().enumerate() {
                    let column = (level + 1) * width + dimension;
                    self.reach[column][place] += used;
                    self.largest[column][place] = self.largest[column][place].max(used);
                }
            }
        }
    }

    /// What costs least for a task, if there is anything.
    fn best(&mut self, task: Task<'_>, priority: i32) -> Option<Move> {
        let mut best: Option<Move> = None;
        for level in 0..=self.levels.len() {
            let least = match level {
                0 => NO_VICTIM,
                // All that follow are of this priority or a higher one.
                _ if self.levels[level - 1].0 >= priority => break,
                _ => self.levels[level - 1].0.into(),
            };
            if best.as_ref().is_some_and(|best| best.highest < least) {
                break;
            }
            let mut found = core::mem::take(&mut self.found);
            self.find(task, level, &mut found);
            let mut expected = found.iter().map(|&(_, victims)| victims).min();
            while let Some(victims) = expected {
                if best.as_ref().is_some_and(|best| (best.highest, best.victims.len() as u64) < (least, victims)) {
                    break;
                }
                for &(place, _) in found.iter().filter(|&&(_, other)| other == victims) {
                    self.look(task, priority, place as usize, &mut best);
                }
                expected = found.iter().map(|&(_, other)| other).filter(|&other| other > victims).min();
            }
            self.found = found;
        }
        best
    }

    /// Finds the offers that have enough in every dimension at a level, meet the requirements and were not looked into, with a
    /// number of victims that there are at least.
    fn find(&mut self, task: Task<'_>, level: usize, found: &mut Vec<(u32, u64)>) {
        found.clear();
        let width = self.width;
        let columns = &self.reach[level * width..(level + 1) * width];
        for (place, &row) in self.ledger.list().iter().enumerate() {
            let fits = columns.iter().zip(task.demand).all(|(column, &asked)| column[place] >= asked);
            if !fits || self.looked[place] == task.row as u32 {
                continue;
            }
            self.looked[place] = task.row as u32;
            if !task.required().all(|requirement| task.holds(requirement, self.ledger, row as usize)) {
                continue;
            }
            let mut victims = u64::from(level > 0);
            for (dimension, &asked) in task.demand.iter().enumerate() {
                let missing = asked.saturating_sub(self.reach[dimension][place]);
                let largest = self.largest[level * width + dimension][place];
                if missing > largest && largest > 0 {
                    victims = victims.max(missing.div_ceil(largest));
                }
            }
            found.push((place as u32, if level == 0 { 0 } else { victims }));
        }
    }

    /// Looks into an offer, and keeps it where it costs less than the best so far.
    fn look(&mut self, task: Task<'_>, priority: i32, place: usize, best: &mut Option<Move>) {
        let (width, running) = (self.width, self.running);
        let on = &self.on[place];
        let lower = on.rows.partition_point(|&row| running.priorities[row as usize] >= priority);
        let lower = &on.rows[lower..];
        let Self { left, devices, .. } = self;
        left.clear();
        left.extend(self.reach[..width].iter().map(|column| column[place]));
        for &row in lower {
            left.iter_mut().zip(running.demand(row as usize, width)).for_each(|(left, used)| *left += used);
        }
        devices.clear();
        devices.extend_from_slice(&on.devices);
        // Devices of running tasks are counted back and forth only where that makes a difference.
        let has_devices = !devices.is_empty();
        if has_devices {
            lower.iter().for_each(|&row| give(devices, running, row as usize));
        }
        let serves = |left: &[u64], used: &[u64]| {
            left.iter().zip(used).zip(task.demand).all(|((&left, &used), &asked)| left - used >= asked)
        };
        if !left.iter().zip(task.demand).all(|(left, asked)| left >= asked) || !devices::serve(devices, task.devices) {
            return;
        }
        let mut victims = Vec::new();
        let mut highest = NO_VICTIM;
        for &row in lower {
            let used = running.demand(row as usize, width);
            if serves(left, used) {
                if has_devices {
                    take(devices, running, row as usize);
                }
                if !has_devices || devices::serve(devices, task.devices) {
                    left.iter_mut().zip(used).for_each(|(left, used)| *left -= used);
                    continue;
                }
                give(devices, running, row as usize);
            }
            highest = highest.max(running.priorities[row as usize].into());
            victims.push(row);
            if let Some(best) = best
                && (highest, victims.len()) > (best.highest, best.victims.len())
            {
                return;
            }
        }
        let row = self.ledger.list()[place] as usize;
        let available = Leftover {
            available: left,
            free_devices: devices.iter().copied().map(u64::from).sum(),
            ..Leftover::of(self.ledger, row)
        };
        let standing = task.standing_with(self.ledger, row, available, devices, self.policy, self.ranking);
        let Standing::Candidate(score) = standing else { return };
        victims.sort_unstable();
        let found = Move { offer: row, position: place as u32, highest, score, victims };
        if best.as_ref().is_none_or(|best| found.is_better(best)) {
            *best = Some(found);
        }
    }

    /// Makes what is planned true.
    fn take(&mut self, planned: &Move, task: Task<'_>) {
        let place = planned.position as usize;
        let (width, running) = (self.width, self.running);
        let on = &mut self.on[place];
        for &victim in &planned.victims {
            for (column, used) in self.reach.iter_mut().zip(running.demand(victim as usize, width)) {
                column[place] += used;
            }
            give(&mut on.devices, running, victim as usize);
        }
        self.reach.iter_mut().zip(task.demand).for_each(|(column, asked)| column[place] -= asked);
        devices::take(&mut on.devices, task.devices);
        on.rows.retain(|row| planned.victims.binary_search(row).is_err());
        self.fill(place);
    }
}

/// Gives an offer the devices back that a running task uses.
fn give(devices: &mut [u32], running: &RunningTable, row: usize) {
    for at in running.devices(row) {
        devices[running.device_numbers[at] as usize] += running.device_thousandths[at];
    }
}

/// Takes them again.
fn take(devices: &mut [u32], running: &RunningTable, row: usize) {
    for at in running.devices(row) {
        devices[running.device_numbers[at] as usize] -= running.device_thousandths[at];
    }
}

/// The least and the highest priority of so many levels at most, the lowest first.
fn levels(mut priorities: Vec<i32>, most: usize) -> Vec<(i32, i32)> {
    priorities.sort_unstable();
    priorities.dedup();
    let size = priorities.len().div_ceil(most).max(1);
    priorities.chunks(size).map(|level| (level[0], level[level.len() - 1])).collect()
}
