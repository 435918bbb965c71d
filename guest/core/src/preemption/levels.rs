//! The plan of the plain loop at a fraction of its cost.
//!
//! What is given back first has the highest priority, so the highest victim has the least priority at which enough can end:
//! whatever is above it is given back. So for each of a few *levels* of priority, each dimension has a column of what offers
//! would have if all up to that level ended. Tasks that ask the same share a heap of the few offers that cost least, which are
//! found level by level; more are looked for when these are used up. What is planned changes one offer, which is put into the
//! heaps anew.

use alloc::collections::BinaryHeap;
use alloc::vec::Vec;
use core::cmp::Reverse;

use hashbrown::HashMap;

use super::offers::{Cost, Offers};
use super::rows::{Any, Fixed, Rows};
use super::{Move, Plan, RunningTable};
use crate::feasible::Task;
use crate::ledger::Ledger;
use crate::policy::{Policy, Ranking};
use crate::table::TaskTable;

/// Offers that are first put into a heap, at most; each time that they do not do, twice as many.
const FIRST: usize = 16;
/// Offers in all heaps together, at most: beyond that they are forgotten.
const HEAPED: usize = 1 << 20;

/// The offers that cost least for tasks that ask the same at the same priority.
#[derive(Debug)]
struct Heap {
    /// Those that cost no more than the limit, and some that cost more.
    costs: BinaryHeap<Reverse<Cost>>,
    /// All that cost no more are there.
    limit: Cost,
    /// How many levels were looked through.
    levels: usize,
    /// More than every cost of these levels.
    end: Cost,
    /// How many offers are put into it when a level is looked through, at most.
    most: usize,
    /// How many changes are in it.
    changes: usize,
}

/// The heaps, by what is asked.
#[derive(Debug, Default)]
struct Heaps {
    /// Each of them.
    heaps: HashMap<Vec<u64>, Heap>,
    /// How many offers were put into them.
    heaped: usize,
    /// Room for what is asked.
    key: Vec<u64>,
    /// Room for the offers that cost least, the highest cost first.
    least: BinaryHeap<Cost>,
}

/// Plans for checked tables.
pub(super) fn plan<P: Policy>(
    ledger: &Ledger,
    asked: (&TaskTable, &[i32]),
    running: &RunningTable,
    policy: &P,
    ranking: &Ranking,
) -> Plan {
    let score_by = (policy, ranking);
    match ledger.shape().dimensions {
        2 => plan_by(asked, ledger, Offers::new(ledger, running, score_by, Fixed::<2>)),
        3 => plan_by(asked, ledger, Offers::new(ledger, running, score_by, Fixed::<3>)),
        width => plan_by(asked, ledger, Offers::new(ledger, running, score_by, Any(width as usize))),
    }
}

/// The same for rows of some width.
fn plan_by<P: Policy, R: Rows>(
    (tasks, priorities): (&TaskTable, &[i32]),
    ledger: &Ledger,
    mut offers: Offers<'_, P, R>,
) -> Plan {
    let mut heaps = Heaps::default();
    let mut plan = Plan::new();
    for (row, &priority) in priorities.iter().enumerate() {
        let task = Task::new(tasks, row, ledger.shape());
        if let Some(best) = heaps.best((task, priority), &offers) {
            offers.take(&best, task);
            plan.push(row, best);
        }
    }
    plan
}

impl Heap {
    /// A heap of nothing.
    fn new(changes: usize) -> Self {
        let costs = BinaryHeap::new();
        Self { costs, limit: Cost::LEAST, levels: 0, end: Cost::LEAST, most: FIRST, changes }
    }

    /// Goes on to the next level, if there is one with tasks of a lower priority.
    fn go_on(&mut self, levels: &[(i32, i32)], priority: i32) -> bool {
        // The first level is that of what is free.
        let least = |level: usize| levels.get(level - 1).map(|&(least, _)| least).filter(|&least| least < priority);
        if self.levels > 0 && least(self.levels).is_none() {
            return false;
        }
        self.levels += 1;
        self.end = Cost::most(least(self.levels).map_or(i64::MAX, |least| i64::from(least) - 1));
        true
    }

    /// Puts the offers that have changed into it, unless a look through a level will find them.
    fn catch_up<P: Policy, R: Rows>(&mut self, of: (Task<'_>, i32), offers: &Offers<'_, P, R>) {
        for at in self.changes..offers.changed.len() {
            let place = offers.changed[at] as usize;
            if offers.versions[place] as usize != at + 1 {
                continue;
            }
            let Some(level) = (0..self.levels).find(|&level| offers.reaches(of.0, level, place)) else { continue };
            let is_found = |cost: Cost| level + 1 == self.levels && cost > self.limit && cost <= self.end;
            let cost = offers.cost(of, level, place, self.limit).filter(|&cost| !is_found(cost));
            self.costs.extend(cost.map(Reverse));
        }
        self.changes = offers.changed.len();
    }
}

impl Heaps {
    /// What costs least for a task, if there is anything.
    fn best<P: Policy, R: Rows>(&mut self, of: (Task<'_>, i32), offers: &Offers<'_, P, R>) -> Option<Move> {
        if self.heaped > HEAPED {
            self.heaps.clear();
            self.heaped = 0;
        }
        of.0.key(&mut self.key);
        self.key.push(u64::from(of.1.cast_unsigned()));
        let known = self.heaps.remove(&self.key).filter(|heap| offers.changed.len() - heap.changes < offers.count());
        let mut heap = known.unwrap_or_else(|| Heap::new(offers.changed.len()));
        let before = heap.costs.len();
        heap.catch_up(of, offers);
        let found = self.search(of, offers, &mut heap);
        self.heaped += heap.costs.len().saturating_sub(before);
        self.heaps.insert(self.key.clone(), heap);
        found
    }

    /// Takes the first from a heap, for which levels are looked through as far as it takes.
    fn search<P: Policy, R: Rows>(
        &mut self,
        of: (Task<'_>, i32),
        offers: &Offers<'_, P, R>,
        heap: &mut Heap,
    ) -> Option<Move> {
        loop {
            let first = heap.costs.peek().map(|&Reverse(cost)| cost);
            if let Some(cost) = first.filter(|&cost| cost <= heap.limit) {
                heap.costs.pop();
                if cost.version == offers.versions[cost.place as usize] {
                    return offers.look(of, cost.place as usize);
                }
                continue;
            }
            let is_new = heap.limit == heap.end;
            if is_new && !heap.go_on(&offers.levels, of.1) {
                return None;
            }
            self.look_through(of, offers, heap, is_new);
        }
    }

    /// Puts those offers of the last level into a heap that cost least of those above its limit.
    fn look_through<P: Policy, R: Rows>(
        &mut self,
        of: (Task<'_>, i32),
        offers: &Offers<'_, P, R>,
        heap: &mut Heap,
        is_new: bool,
    ) {
        let Heap { costs, limit, end, most, .. } = heap;
        let least = &mut self.least;
        let mut highest = *end;
        offers.look_through(of, heap.levels - 1, highest, |cost| {
            if cost > *end {
                // For the devices, more has to end than up to this level.
                costs.extend(is_new.then_some(Reverse(cost)));
            } else if cost > *limit && cost <= highest {
                if least.len() == *most {
                    least.pop();
                }
                least.push(cost);
                highest = least.peek().copied().filter(|_| least.len() == *most).unwrap_or(*end);
            }
            highest
        });
        *limit = highest;
        *most *= if is_new { 1 } else { 2 };
        costs.extend(least.drain().map(Reverse));
    }
}
