//! The plan of the plain loop at a fraction of its cost.
//!
//! What is given back first has the highest priority, so the highest victim has the least priority at which enough can end:
//! whatever is above it is given back. So for each of a few *levels* of priority, each dimension has a column of what offers
//! would have if all up to that level ended. Tasks that ask the same share a heap of offers, level by level: each with what it
//! costs, or with a bound of that, which takes as many victims as fill the gap if each is as large as the largest. What is
//! planned changes one offer, which is put into the heaps anew.

use alloc::collections::BinaryHeap;
use alloc::vec;
use alloc::vec::Vec;
use core::cmp::Reverse;
use core::ops::Range;

use hashbrown::HashMap;

use super::{Move, NO_VICTIM, Plan, RunningTable};
use crate::devices;
use crate::feasible::Task;
use crate::ledger::Ledger;
use crate::policy::{Leftover, Policy, Ranking};
use crate::table::TaskTable;

/// Levels at most.
const LEVELS: usize = 32;
/// Numbers in the columns of all levels, at most.
const CELLS: usize = 1 << 22;
/// No highest priority of victims, and no number of them.
const NO_LIMIT: (i64, u64) = (i64::MAX, u64::MAX);
/// Offers in all heaps together, at most: beyond that they are forgotten.
const HEAPED: usize = 1 << 20;

/// What an offer costs, or a bound of it: the least comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Cost {
    /// The highest priority of a victim.
    highest: i64,
    /// How many victims.
    victims: u64,
    /// The score as a number of the same order; zero for a bound, which is less than that of every score.
    score: u64,
    /// The place in the list.
    place: u32,
    /// How often the offer had changed.
    version: u32,
}

/// The offers for tasks that ask the same at the same priority.
#[derive(Debug, Default)]
struct Heap {
    /// The offers of the levels that were looked through.
    costs: BinaryHeap<Reverse<Cost>>,
    /// How many levels these are.
    levels: usize,
    /// How many changes are in it.
    changes: usize,
}

/// What runs on the offers of the list, offer after offer, each in the order in which it is given back.
#[derive(Debug, Default)]
struct Items {
    /// The rows of the running tasks.
    rows: Vec<u32>,
    /// Their priorities.
    priorities: Vec<i32>,
    /// What each uses in each dimension.
    demand: Vec<u64>,
    /// The items of each offer.
    of: Vec<Range<usize>>,
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
    /// The same that runs, to be walked through.
    items: Items,
    /// The free thousandths of each device.
    devices: Vec<Vec<u32>>,
    /// What each offer has in a dimension once all below a level have ended: `(levels + 1) x dimensions` columns; the first
    /// level is that of what is free.
    reach: Vec<Vec<u64>>,
    /// The most that one of those tasks uses of it, in the same way.
    largest: Vec<Vec<u64>>,
    /// How often each offer has changed.
    versions: Vec<u32>,
    /// The offers that have changed, one after the other.
    changed: Vec<u32>,
    /// The heaps, by what is asked.
    heaps: HashMap<Vec<u64>, Heap>,
    /// How many offers were put into them.
    heaped: usize,
    /// Room for a look into an offer.
    room: Room,
}

/// Room for a look into an offer.
#[derive(Debug, Default)]
struct Room {
    /// What is left of it.
    left: Vec<u64>,
    /// What is left of its devices.
    devices: Vec<u32>,
    /// Its victims.
    victims: Vec<u32>,
    /// Its score.
    score: f64,
    /// Whether each offer has enough at a level, and at the one before.
    fits: [Vec<bool>; 2],
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

impl Items {
    /// What runs on the offers of a list.
    fn new(ledger: &Ledger, running: &RunningTable) -> Self {
        let width = ledger.shape().dimensions as usize;
        let place = |row: u32| ledger.position(running.offers[row as usize] as usize);
        let mut rows: Vec<u32> = (0..running.rows).filter(|&row| place(row).is_some()).collect();
        rows.sort_unstable_by(|&one, &other| {
            place(one).cmp(&place(other)).then_with(|| running.stays_rather(one as usize, other as usize))
        });
        let mut items = Self { of: vec![0..0; ledger.list().len()], ..Self::default() };
        for row in rows {
            let Some(place) = place(row) else { continue };
            let at = items.rows.len();
            let of = &mut items.of[place as usize];
            *of = if of.start == of.end { at..at + 1 } else { of.start..at + 1 };
            items.rows.push(row);
            items.priorities.push(running.priorities[row as usize]);
            items.demand.extend_from_slice(running.demand(row as usize, width));
        }
        items
    }

    /// Takes away what ends on an offer.
    fn remove(&mut self, place: usize, victims: &[u32], width: usize) {
        let of = self.of[place].clone();
        let mut to = of.start;
        for at in of {
            if victims.binary_search(&self.rows[at]).is_ok() {
                continue;
            }
            self.rows[to] = self.rows[at];
            self.priorities[to] = self.priorities[at];
            self.demand.copy_within(at * width..(at + 1) * width, to * width);
            to += 1;
        }
        self.of[place].end = to;
    }
}

impl<'a, P: Policy> Offers<'a, P> {
    fn new(ledger: &'a Ledger, running: &'a RunningTable, policy: &'a P, ranking: &'a Ranking) -> Self {
        let (count, width) = (ledger.list().len(), ledger.shape().dimensions as usize);
        let items = Items::new(ledger, running);
        let levels = levels(items.priorities.clone(), (CELLS / (count * width).max(1)).clamp(1, LEVELS));
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
            items,
            devices: ledger.list().iter().map(|&row| ledger.devices(row as usize).to_vec()).collect(),
            versions: vec![0; count],
            changed: Vec::new(),
            heaps: HashMap::new(),
            heaped: 0,
            room: Room::default(),
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
        let mut items = self.items.of[place].clone().rev().peekable();
        for (level, &(_, highest)) in self.levels.iter().enumerate() {
            for dimension in 0..width {
                let (from, to) = (level * width + dimension, (level + 1) * width + dimension);
                self.reach[to][place] = self.reach[from][place];
                self.largest[to][place] = self.largest[from][place];
            }
            while let Some(at) = items.next_if(|&at| self.items.priorities[at] <= highest) {
                for (dimension, &used) in self.items.demand[at * width..(at + 1) * width].iter().enumerate() {
                    let column = (level + 1) * width + dimension;
                    self.reach[column][place] += used;
                    self.largest[column][place] = self.largest[column][place].max(used);
                }
            }
        }
    }

    /// What costs least for a task, if there is anything.
    fn best(&mut self, task: Task<'_>, priority: i32) -> Option<Move> {
        if self.heaped > HEAPED {
            self.heaps.clear();
            self.heaped = 0;
        }
        let mut key = Vec::new();
        task.key(&mut key);
        key.push(u64::from(priority.cast_unsigned()));
        let mut heap = self.heaps.remove(&key).unwrap_or_default();
        if heap.levels > 0 {
            for at in heap.changes..self.changed.len() {
                let place = self.changed[at] as usize;
                let level = (0..heap.levels).find(|&level| self.reaches(task, level, place));
                if let Some(cost) = level.and_then(|level| self.bound(task, level, place)) {
                    heap.costs.push(Reverse(cost));
                }
            }
        }
        heap.changes = self.changed.len();
        let found = self.search(task, priority, &mut heap);
        self.heaps.insert(key, heap);
        found
    }

    /// Takes offers from a heap until what comes first is no bound.
    fn search(&mut self, task: Task<'_>, priority: i32, heap: &mut Heap) -> Option<Move> {
        loop {
            // Tasks of this level, and of those that follow, have at least this priority.
            let level = self.levels.get(heap.levels.wrapping_sub(1)).filter(|(least, _)| *least < priority);
            let next = match heap.levels {
                0 => Some(NO_VICTIM),
                _ => level.map(|&(least, _)| least.into()),
            };
            let first = heap.costs.peek().map(|&Reverse(cost)| cost);
            if let Some(next) = next
                && first.is_none_or(|first| first.highest >= next)
            {
                self.look_through(task, priority, heap);
                continue;
            }
            let cost = first?;
            heap.costs.pop();
            let place = cost.place as usize;
            if cost.version != self.versions[place] {
                continue;
            }
            let found = self.look((task, priority), None, place, NO_LIMIT);
            if cost.score == 0 {
                heap.costs.extend(found.map(Reverse));
                continue;
            }
            // Looked into again, for the names of the victims.
            let found = found?;
            let mut victims = self.room.victims.clone();
            victims.sort_unstable();
            return Some(Move {
                offer: self.ledger.list()[place] as usize,
                position: found.place,
                highest: found.highest,
                score: self.room.score,
                victims,
            });
        }
    }

    /// Puts the offers of one more level into a heap, and looks into those at once of which the fewest victims are expected.
    fn look_through(&mut self, task: Task<'_>, priority: i32, heap: &mut Heap) {
        let level = heap.levels;
        heap.levels += 1;
        let [mut fits, mut before] = core::mem::take(&mut self.room.fits);
        self.fit(task, level, &mut fits);
        before.clear();
        before.resize(fits.len(), false);
        if level > 0 {
            self.fit(task, level - 1, &mut before);
        }
        let places = (0..fits.len()).filter(|&place| fits[place] && !before[place]);
        let mut costs: Vec<Reverse<Cost>> =
            places.filter_map(|place| self.bound(task, level, place)).map(Reverse).collect();
        self.room.fits = [fits, before];
        let fewest = costs.iter().map(|Reverse(cost)| cost.victims).min();
        let mut most = NO_LIMIT;
        costs.retain_mut(|Reverse(cost)| {
            if Some(cost.victims) != fewest {
                return true;
            }
            let Some(found) = self.look((task, priority), Some(level), cost.place as usize, most) else { return false };
            if found.score > 0 {
                most = most.min((found.highest, found.victims));
            }
            *cost = found;
            true
        });
        self.heaped += costs.len();
        if heap.costs.is_empty() {
            heap.costs = costs.into();
        } else {
            heap.costs.extend(costs);
        }
    }

    /// Says which offers have enough in every dimension at a level.
    fn fit(&self, task: Task<'_>, level: usize, fits: &mut Vec<bool>) {
        fits.clear();
        fits.resize(self.versions.len(), true);
        for (column, &asked) in self.reach[level * self.width..].iter().zip(task.demand) {
            fits.iter_mut().zip(column).for_each(|(fits, &has)| *fits &= has >= asked);
        }
    }

    /// Whether an offer has enough in every dimension at a level.
    fn reaches(&self, task: Task<'_>, level: usize, place: usize) -> bool {
        let columns = self.reach[level * self.width..].iter();
        columns.zip(task.demand).all(|(column, &asked)| column[place] >= asked)
    }

    /// A bound of what an offer costs that has enough at a level and not at the one before, if it meets the requirements.
    fn bound(&self, task: Task<'_>, level: usize, place: usize) -> Option<Cost> {
        let row = self.ledger.list()[place] as usize;
        if !task.required().all(|requirement| task.holds(requirement, self.ledger, row)) {
            return None;
        }
        let (mut highest, mut victims) = (NO_VICTIM, 0);
        if level > 0 {
            (highest, victims) = (self.levels[level - 1].0.into(), 1);
            for (dimension, &asked) in task.demand.iter().enumerate() {
                let missing = asked.saturating_sub(self.reach[dimension][place]);
                let largest = self.largest[level * self.width + dimension][place];
                if missing > largest && largest > 0 {
                    victims = victims.max(missing.div_ceil(largest));
                }
            }
        }
        Some(Cost { highest, victims, score: 0, place: place as u32, version: self.versions[place] })
    }

    /// What an offer costs, if it can serve a task, or a bound of that where it has victims of a higher priority, or more of them,
    /// than `most`. The requirements are met. `level` is the first at which it has enough in every dimension, where that
    /// is known. Its victims and its score are left in `room`.
    #[inline]
    fn look(
        &mut self,
        (task, priority): (Task<'_>, i32),
        level: Option<usize>,
        place: usize,
        most: (i64, u64),
    ) -> Option<Cost> {
        let (width, running, items) = (self.width, self.running, &self.items);
        let of = items.of[place].clone();
        let Room { left, devices, victims, score: found_score, .. } = &mut self.room;
        victims.clear();
        left.clear();
        devices.clear();
        devices.extend_from_slice(&self.devices[place]);
        let has_devices = !devices.is_empty();
        // Without devices all above the level are given back: the others are enough. A level may have priorities that are spared.
        let level = level.filter(|&level| !has_devices && (level == 0 || self.levels[level - 1].1 < priority));
        let lower = match level {
            Some(0) => of.end..of.end,
            Some(level) => {
                let highest = self.levels[level - 1].1;
                of.start + items.priorities[of.clone()].partition_point(|&priority| priority > highest)..of.end
            }
            None => of.start + items.priorities[of.clone()].partition_point(|&other| other >= priority)..of.end,
        };
        match level {
            Some(level) => {
                left.extend(self.reach[level * width..(level + 1) * width].iter().map(|column| column[place]))
            }
            None => {
                left.extend(self.reach[..width].iter().map(|column| column[place]));
                for at in lower.clone() {
                    left.iter_mut().zip(&items.demand[at * width..]).for_each(|(left, used)| *left += used);
                    if has_devices {
                        give(devices, running, items.rows[at] as usize);
                    }
                }
            }
        }
        let enough = left.iter().zip(task.demand).all(|(left, asked)| left >= asked);
        if !enough || !devices::serve(devices, task.devices) {
            return None;
        }
        let mut cost =
            Cost { highest: NO_VICTIM, victims: 0, score: 0, place: place as u32, version: self.versions[place] };
        for at in lower {
            let used = &items.demand[at * width..(at + 1) * width];
            let serves = left.iter().zip(used).zip(task.demand).all(|((&left, &used), &asked)| left - used >= asked);
            if serves {
                if has_devices {
                    take(devices, running, items.rows[at] as usize);
                }
                if !has_devices || devices::serve(devices, task.devices) {
                    left.iter_mut().zip(used).for_each(|(left, used)| *left -= used);
                    continue;
                }
                give(devices, running, items.rows[at] as usize);
            }
            cost.highest = cost.highest.max(items.priorities[at].into());
            victims.push(items.rows[at]);
            cost.victims = victims.len() as u64;
            if (cost.highest, cost.victims) > most {
                return Some(cost);
            }
        }
        let row = self.ledger.list()[place] as usize;
        let left = Leftover {
            available: left,
            free_devices: devices.iter().copied().map(u64::from).sum(),
            ..Leftover::of(self.ledger, row)
        };
        let score = task.total_with(self.ledger, row, left, devices, self.policy, self.ranking);
        *found_score = score;
        Some(Cost { victims: victims.len() as u64, score: in_order(score), ..cost })
            .filter(|_| score < self.ranking.max_score)
    }

    /// Makes what is planned true.
    fn take(&mut self, planned: &Move, task: Task<'_>) {
        let place = planned.position as usize;
        let (width, running) = (self.width, self.running);
        let devices = &mut self.devices[place];
        for &victim in &planned.victims {
            for (column, used) in self.reach.iter_mut().zip(running.demand(victim as usize, width)) {
                column[place] += used;
            }
            give(devices, running, victim as usize);
        }
        self.reach.iter_mut().zip(task.demand).for_each(|(column, asked)| column[place] -= asked);
        devices::take(devices, task.devices);
        self.items.remove(place, &planned.victims, width);
        self.fill(place);
        self.versions[place] += 1;
        self.changed.push(place as u32);
    }
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
