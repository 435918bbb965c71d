//! The offers of a list as they are planned to be, and what each of them costs a task.

use alloc::vec;
use alloc::vec::Vec;

use super::items::Items;
use super::rows::Rows;
use super::{Move, NO_VICTIM, RunningTable};
use crate::devices;
use crate::feasible::Task;
use crate::ledger::Ledger;
use crate::policy::{Bound, Leftover, Policy, Ranking};

/// Levels at most.
const LEVELS: usize = 32;
/// Numbers in the columns of all levels, at most.
const CELLS: usize = 1 << 22;

/// What an offer costs: the least comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Cost {
    /// The highest priority of a victim.
    pub(super) highest: i64,
    /// How many victims.
    pub(super) victims: u64,
    /// The score as a number of the same order, above zero.
    pub(super) score: u64,
    /// The place in the list.
    pub(super) place: u32,
    /// How many changes there had been when the offer changed.
    pub(super) version: u32,
}

impl Cost {
    /// Less than every cost.
    pub(super) const LEAST: Self = Self { highest: NO_VICTIM, victims: 0, score: 0, place: 0, version: 0 };

    /// More than every cost with victims of this priority at most.
    pub(super) const fn most(highest: i64) -> Self {
        Self { highest, victims: u64::MAX, score: u64::MAX, place: u32::MAX, version: u32::MAX }
    }
}

/// The offers. Columns go by place in the list.
pub(super) struct Offers<'a, P, R> {
    /// The pool.
    ledger: &'a Ledger,
    /// What runs.
    running: &'a RunningTable,
    /// How offers are ranked.
    policy: &'a P,
    /// Weights, scales and the maximal score.
    ranking: &'a Ranking,
    /// A row for each offer: how wide.
    rows: R,
    /// The least and the highest priority of each level.
    pub(super) levels: Vec<(i32, i32)>,
    /// The same that runs, to be walked through.
    items: Items,
    /// The free thousandths of each device.
    devices: Vec<Vec<u32>>,
    /// What each offer has once all below a level have ended, a column of rows for each level; the first is what is free.
    reach: Vec<Vec<u64>>,
    /// Where the items of those levels begin.
    begins: Vec<Vec<u32>>,
    /// How many changes there had been when each offer changed.
    pub(super) versions: Vec<u32>,
    /// The places of the offers that have changed, one after the other.
    pub(super) changed: Vec<u32>,
}

impl<'a, P: Policy, R: Rows> Offers<'a, P, R> {
    pub(super) fn new(
        ledger: &'a Ledger,
        running: &'a RunningTable,
        (policy, ranking): (&'a P, &'a Ranking),
        rows: R,
    ) -> Self {
        let count = ledger.list().len();
        let items = Items::new(ledger, running, rows);
        let most = (CELLS / (count * (rows.width() + 1)).max(1)).clamp(1, LEVELS);
        let priorities = (0..count).flat_map(|place| &items.priorities[items.of(place)]).copied().collect();
        let levels = levels(priorities, most);
        let mut offers = Self {
            ledger,
            running,
            policy,
            ranking,
            rows,
            reach: vec![vec![0; count * rows.width()]; levels.len() + 1],
            begins: vec![vec![0; count]; levels.len() + 1],
            levels,
            items,
            devices: ledger.list().iter().map(|&row| ledger.devices(row as usize).to_vec()).collect(),
            versions: vec![0; count],
            changed: Vec::new(),
        };
        (0..count).for_each(|place| offers.fill(place));
        offers
    }

    /// How many offers.
    pub(super) fn count(&self) -> usize {
        self.versions.len()
    }

    /// Fills the columns of all levels for one offer.
    fn fill(&mut self, place: usize) {
        let (of, rows) = (self.items.of(place), self.rows);
        let mut at = of.end;
        for (level, (begins, reach)) in self.begins.iter_mut().zip(&mut self.reach).enumerate() {
            if let Some(&(_, highest)) = level.checked_sub(1).and_then(|level| self.levels.get(level)) {
                while at > of.start && self.items.priorities[at - 1] <= highest {
                    at -= 1;
                }
            }
            begins[place] = at as u32;
            rows.row_mut(reach, place).copy_from_slice(rows.row(&self.items.reach, at));
        }
    }

    /// Whether an offer has enough at a level.
    #[inline]
    pub(super) fn reaches(&self, task: Task<'_>, level: usize, place: usize) -> bool {
        has(self.rows.row(&self.reach[level], place), task.demand)
    }

    /// Passes on what those offers cost that have enough at a level and not at the one before, if they can serve a task and the
    /// cost is not above `most`, which each answer sets anew; of offers with devices any cost.
    pub(super) fn look_through(
        &self,
        of: (Task<'_>, i32),
        level: usize,
        mut most: Cost,
        mut found: impl FnMut(Cost) -> Cost,
    ) {
        let (task, rows) = (of.0, self.rows);
        let asked = rows.row(task.demand, 0);
        let reach = &self.reach[level];
        let before = level.checked_sub(1).map(|before| &self.reach[before]);
        let is_plain = task.required().next().is_none() && task.devices == 0 && !self.ledger.has_devices();
        let mut left = vec![0; rows.width()];
        for place in 0..self.count() {
            let is_first = || before.is_none_or(|before| !has(rows.row(before, place), asked));
            if !has(rows.row(reach, place), asked) || !is_first() {
                continue;
            }
            let cost = if is_plain {
                self.weigh(of, level, place, most, &mut left)
            } else {
                self.cost(of, level, place, most)
            };
            if let Some(cost) = cost {
                most = found(cost);
            }
        }
    }

    /// What one of these offers costs.
    pub(super) fn cost(&self, of: (Task<'_>, i32), level: usize, place: usize, most: Cost) -> Option<Cost> {
        let (task, row) = (of.0, self.ledger.list()[place] as usize);
        if !task.required().all(|requirement| task.holds(requirement, self.ledger, row)) {
            return None;
        }
        if self.devices[place].is_empty() {
            let mut left = vec![0; self.rows.width()];
            return if task.devices == 0 { self.weigh(of, level, place, most, &mut left) } else { None };
        }
        self.look(of, place).map(|found| Cost {
            highest: found.highest,
            victims: found.victims.len() as u64,
            score: in_order(found.score),
            place: found.position,
            version: self.versions[place],
        })
    }

    /// The same where neither devices nor requirements matter. All above the level is given back, as the others are enough, and so
    /// is all above the first task without which those behind it are not. What follows is given back if the victims before it
    /// and those behind it are enough. `left` is room for what is left of the offer.
    #[inline(always)]
    fn weigh(
        &self,
        (task, priority): (Task<'_>, i32),
        level: usize,
        place: usize,
        most: Cost,
        left: &mut [u64],
    ) -> Option<Cost> {
        let (items, rows) = (&self.items, self.rows);
        let (asked, left) = (rows.row(task.demand, 0), rows.row_mut(left, 0));
        let free = rows.row(&self.reach[0], place);
        left.copy_from_slice(free);
        let (mut highest, mut victims) = (NO_VICTIM, 0);
        if level > 0 {
            let reach = |at: usize| rows.row(&items.reach, at);
            let mut at = self.begins[level - 1][place] as usize - 1;
            let (mut behind, mut with) = (reach(at + 1), reach(at));
            while !has(with, asked) {
                at -= 1;
                (behind, with) = (with, reach(at));
            }
            let (least, last) = self.levels[level - 1];
            let of_victim = if least == last { least } else { items.priorities[at] };
            // A level may have priorities that are spared.
            if of_victim >= priority {
                return None;
            }
            (highest, victims) = (of_victim.into(), 1);
            loop {
                if (highest, victims) > (most.highest, most.victims) {
                    return None;
                }
                left.iter_mut().zip(with).zip(behind).for_each(|((left, with), behind)| *left += with - behind);
                if has(left, asked) {
                    break;
                }
                victims += 1;
                loop {
                    at += 1;
                    (with, behind) = (behind, reach(at + 1));
                    if !is_spared(left, behind, free, asked) {
                        break;
                    }
                }
            }
        }
        let row = self.ledger.list()[place] as usize;
        let left = Leftover { available: left, ..self.without_devices(row) };
        let score = task.total_with(self.ledger, row, left, &[], self.policy, self.ranking);
        let version = self.versions[place];
        let cost = Cost { highest, victims, score: in_order(score), place: place as u32, version };
        (score < self.ranking.max_score && cost <= most).then_some(cost)
    }

    /// What a policy has to know of an offer without devices, beside what is left.
    #[inline]
    fn without_devices(&self, row: usize) -> Leftover<'_> {
        if P::BOUND == Bound::None {
            return Leftover::of(self.ledger, row);
        }
        Leftover {
            available: &[],
            capacity: self.ledger.capacity(row),
            free_devices: 0,
            device_capacity: 0,
            devices: &[],
            attributes: &[],
            measures: &[],
            model: 0,
            before: f64::NAN,
            after: f64::NAN,
        }
    }

    /// Where a task goes if it goes to an offer, if that can serve it. The requirements are met.
    pub(super) fn look(&self, (task, priority): (Task<'_>, i32), place: usize) -> Option<Move> {
        let (running, items, rows) = (self.running, &self.items, self.rows);
        let of = items.of(place);
        let lower = of.start + items.priorities[of.clone()].partition_point(|&other| other >= priority)..of.end;
        let mut left = rows.row(&items.reach, lower.start).to_vec();
        let mut devices = self.devices[place].clone();
        lower.clone().for_each(|at| give(&mut devices, running, items.tasks[at] as usize));
        if !has(&left, task.demand) || !devices::serve(&devices, task.devices) {
            return None;
        }
        let offer = self.ledger.list()[place] as usize;
        let mut found = Move { offer, position: place as u32, highest: NO_VICTIM, score: 0.0, victims: Vec::new() };
        for at in lower {
            let (row, used) = (items.tasks[at], rows.row(&running.demand, items.tasks[at] as usize));
            if left.iter().zip(used).zip(task.demand).all(|((left, used), asked)| left - used >= *asked) {
                take(&mut devices, running, row as usize);
                if devices::serve(&devices, task.devices) {
                    left.iter_mut().zip(used).for_each(|(left, used)| *left -= used);
                    continue;
                }
                give(&mut devices, running, row as usize);
            }
            found.highest = found.highest.max(items.priorities[at].into());
            found.victims.push(row);
        }
        found.victims.sort_unstable();
        let left = Leftover {
            available: &left,
            free_devices: devices.iter().copied().map(u64::from).sum(),
            ..Leftover::of(self.ledger, offer)
        };
        found.score = task.total_with(self.ledger, offer, left, &devices, self.policy, self.ranking);
        (found.score < self.ranking.max_score).then_some(found)
    }

    /// Makes what is planned true.
    pub(super) fn take(&mut self, planned: &Move, task: Task<'_>) {
        let place = planned.position as usize;
        let devices = &mut self.devices[place];
        planned.victims.iter().for_each(|&victim| give(devices, self.running, victim as usize));
        devices::take(devices, task.devices);
        self.items.replace(place, &planned.victims, task.demand, self.running, self.rows);
        self.fill(place);
        self.changed.push(planned.position);
        self.versions[place] = self.changed.len() as u32;
    }
}

/// Whether there is enough in every dimension with what is behind a task, so that it is given back.
#[inline]
fn is_spared(left: &[u64], behind: &[u64], free: &[u64], asked: &[u64]) -> bool {
    let behind = behind.iter().zip(free).map(|(has, free)| has - free);
    left.iter().zip(behind).zip(asked).all(|((left, behind), asked)| left + behind >= *asked)
}

/// Whether there is enough in every dimension.
#[inline]
fn has(has: &[u64], asked: &[u64]) -> bool {
    has.iter().zip(asked).all(|(has, asked)| has >= asked)
}

/// A score as a number of the same order, above zero.
fn in_order(score: f64) -> u64 {
    // Zero has two signs, which are equal. Doubles below zero are ordered the other way round.
    let bits = (score + 0.0).to_bits();
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
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
