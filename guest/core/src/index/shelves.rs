//! The offers of each value of an attribute, for members of a group that are to be on offers with one value.
//!
//! A gang is tried on every rack, and a rack has few offers: to look for them among the words of all racks would cost more
//! than to look at them. So each value has a *shelf*, its offers in the order of their keys, and identical ones side by side in
//! the order of the list. A search begins at the first that can hold the task and ends at the first which leaves too much.

use alloc::vec;
use alloc::vec::Vec;

use hashbrown::HashMap;

use crate::feasible::Task;
use crate::ledger::Ledger;
use crate::policy::{Bound, Demand, Policy, Ranking};

use super::Index;
use super::axes::{Axes, equal};
use super::bound::Cost;
use super::rows::Reached;
use super::within::Among;

/// Offers of one value, on average, beyond which the words are searched.
const OFFERS_A_SHELF: usize = 1 << 11;
/// Wider than the roundings of a sum of scores.
pub(crate) const SLACK: f64 = 1e-9;
/// Offers that are looked at together.
const CHUNK: usize = 8;
/// The shelf of a row that is on none.
const NO_SHELF: u32 = u32::MAX;

/// The listed offers of each value of an attribute.
#[derive(Debug, Clone)]
pub(crate) struct Shelves {
    /// What rows of axes consist of.
    axes: Axes,
    /// The shelves, by the place of their value.
    shelves: Vec<Shelf>,
    /// The shelf of each row.
    shelf_of: Vec<u32>,
}

/// The listed offers with one value, in the order of their keys; those of one key in the order of what they have, and then of
/// the list.
#[derive(Debug, Clone, Default)]
struct Shelf {
    /// Their lowered keys, or zeros where every offer scores zero.
    keys: Vec<f64>,
    /// Their rows.
    rows: Vec<u32>,
    /// The thresholds that each of them reaches.
    reached: Vec<Reached>,
    /// What they have on every axis.
    values: Vec<u64>,
}

/// A score, and the row that has it; infinite where no offer serves.
type Floor = (f64, Option<usize>);

/// The least score that tasks have found with one value, by what they ask, and the row that has it. In exclusive mode, where offers but
/// leave, no score is ever below that, and it stays the least until the row leaves.
#[derive(Debug, Clone, Default)]
pub(crate) struct Floors {
    /// The place of each in the next column.
    places: HashMap<Vec<u64>, usize>,
    /// The floor with each value, once it is known.
    floors: Vec<Vec<Option<Floor>>>,
    /// Room for what is asked.
    key: Vec<u64>,
}

impl Floors {
    /// The place of the floors of a task, for so many values.
    pub(crate) fn of(&mut self, task: Task<'_>, values: usize) -> usize {
        task.key(&mut self.key);
        if let Some(&place) = self.places.get(&self.key) {
            return place;
        }
        self.places.insert(self.key.clone(), self.floors.len());
        self.floors.push(vec![None; values]);
        self.floors.len() - 1
    }

    /// A floor of those at a place, with one value.
    pub(crate) fn floor(&self, of: usize, value: usize) -> Option<Floor> {
        self.floors[of][value]
    }

    /// A number that the sum of the floors at some places with one value is not below, if all of them are known; infinite where one
    /// of them is.
    pub(crate) fn sum(&self, of: impl Iterator<Item = usize>, value: usize) -> Option<f64> {
        let (mut sum, mut is_short) = (0.0, false);
        for of in of {
            let (floor, _) = self.floors[of][value]?;
            sum += floor;
            is_short |= floor == f64::INFINITY;
        }
        // Floors are finite, and their sum may be more than a double holds.
        Some(if is_short { f64::INFINITY } else { sum.min(f64::MAX) })
    }

    /// Takes note of a floor.
    pub(crate) fn set(&mut self, of: usize, value: usize, floor: Floor) {
        self.floors[of][value] = Some(floor);
    }
}

/// An offer on a shelf: its key, the thresholds it reaches, and what it has on every axis.
type Shelved<'a> = (f64, Reached, &'a [u64]);

/// What is known of a task before it is looked for on shelves.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seek {
    /// Whether some offer may serve it.
    is_possible: bool,
    /// What it asks on every axis.
    asked: Vec<u64>,
    /// The thresholds that it asks for.
    reached: Reached,
    /// The key of that.
    cost: Cost,
}

impl Seek {
    /// The highest key of an offer at which the task has a score.
    fn last_key(&self, score: f64) -> f64 {
        // Rounded up.
        const UP: f64 = 1.0 + 2.0 * f64::EPSILON;
        (score + self.cost.subtract) * UP
    }
}

impl Shelf {
    /// What an offer has.
    #[inline]
    fn values(&self, at: usize, width: usize) -> &[u64] {
        &self.values[at * width..][..width]
    }

    /// Puts an offer where it belongs.
    fn insert(&mut self, row: usize, (key, reached, values): Shelved<'_>, ledger: &Ledger) {
        let mut from = self.keys.partition_point(|&other| other < key);
        let mut to = from + self.keys[from..].partition_point(|&other| other == key);
        let position = |row: usize| ledger.position(row);
        while from < to {
            let middle = from.midpoint(to);
            let other = (self.values(middle, values.len()), position(self.rows[middle] as usize));
            (from, to) = if other < (values, position(row)) { (middle + 1, to) } else { (from, middle) };
        }
        self.keys.insert(from, key);
        self.rows.insert(from, row as u32);
        self.reached.insert(from, reached);
        self.values.extend_from_slice(values);
        self.values[from * values.len()..].rotate_right(values.len());
    }

    /// Takes an offer away.
    fn remove(&mut self, row: usize, width: usize) {
        let Some(at) = self.rows.iter().position(|&other| other as usize == row) else { return };
        self.keys.remove(at);
        self.rows.remove(at);
        self.reached.remove(at);
        self.values.drain(at * width..(at + 1) * width);
    }

    /// The first offer, from a place on and with a key that is not above the last, which may serve what asks for these thresholds.
    /// A function of its own, so that the loop has the registers for itself.
    #[inline(never)]
    fn next(&self, mut from: usize, asked: Reached, last_key: f64) -> Option<usize> {
        if *self.keys.get(from)? > last_key {
            return None;
        }
        while let Some(chunk) = self.reached[from..].first_chunk::<CHUNK>() {
            // Without a branch for each offer: none could be foretold.
            if chunk.iter().fold(false, |any, has| any | has.serves(asked)) {
                break;
            }
            from += CHUNK;
            if self.keys[from - 1] > last_key {
                return None;
            }
        }
        let at = from + self.reached[from..].iter().position(|has| has.serves(asked))?;
        (self.keys[at] <= last_key).then_some(at)
    }

    /// The place behind the offers that have what this one has.
    fn next_other(&self, at: usize, width: usize) -> usize {
        let (key, values) = (self.keys[at], self.values(at, width));
        if self.keys.get(at + 1) != Some(&key) {
            return at + 1;
        }
        let tied = self.keys[at..].partition_point(|&other| other == key);
        let (mut from, mut to) = (at + 1, at + tied);
        while from < to {
            let middle = from.midpoint(to);
            let is_same = equal(self.values(middle, width), values);
            (from, to) = if is_same { (middle + 1, to) } else { (from, middle) };
        }
        from
    }
}

impl Shelves {
    /// How many offers have the value at a place.
    pub(crate) fn count(&self, place: usize) -> usize {
        self.shelves[place].rows.len()
    }

    /// The place of the value that a listed row has, if it is on a shelf.
    pub(crate) fn place(&self, row: usize) -> Option<usize> {
        Some(self.shelf_of[row] as usize).filter(|&place| place < self.shelves.len())
    }

    /// The row and the score of the offer that a task gets among those with the value at a place.
    pub(crate) fn find<P: Policy>(
        &self,
        place: usize,
        seek: &Seek,
        (task, ledger): (Task<'_>, &Ledger),
        (policy, ranking): (&P, &Ranking),
        among: &Among<'_>,
    ) -> Option<(usize, f64)> {
        if !seek.is_possible {
            return None;
        }
        let (shelf, width) = (&self.shelves[place], self.axes.width());
        // What is as high as the ceiling may still be chosen.
        let (mut lowest, mut first) = (ranking.max_score.min(among.ceiling.next_up()), 0);
        let mut last_key = seek.last_key(lowest);
        let mut best = None;
        let is_plain = task.preferred().next().is_none();
        let mut at = shelf.keys.partition_point(|&key| key < seek.cost.least_key);
        while let Some(next) = shelf.next(at, seek.reached, last_key) {
            at = next + 1;
            let row = shelf.rows[next] as usize;
            if among.altered[row] || !among.members.are_within_limits(ledger, row) {
                continue;
            }
            let values = shelf.values(next, width);
            let Some((score, position)) = self.judge((row, values), seek, (task, ledger), (policy, ranking)) else {
                continue;
            };
            if (score, position) < (lowest, first) {
                (lowest, first, best) = (score, position, Some((row, score)));
                last_key = seek.last_key(score);
            }
            if is_plain {
                // Others with the same have the same score, and come later in the list.
                at = shelf.next_other(next, width);
            }
        }
        best
    }

    /// The offers with the value at a place that equal tasks would get if each of these took one and nothing else changed, the first
    /// of them first, at most so many: scores, positions and rows. Without those at which the sum of the scores is above a
    /// ceiling.
    pub(crate) fn firsts<P: Policy>(
        &self,
        (place, seek): (usize, &Seek),
        (task, ledger): (Task<'_>, &Ledger),
        (policy, ranking): (&P, &Ranking),
        (most, ceiling): (usize, f64),
        firsts: &mut Vec<(f64, u32, usize)>,
    ) {
        firsts.clear();
        if !seek.is_possible {
            return;
        }
        let (shelf, width) = (&self.shelves[place], self.axes.width());
        let mut sum = 0.0;
        // Of these only what comes before is chosen.
        let mut end = (ranking.max_score.min(ceiling.next_up()), 0);
        let mut last_key = seek.last_key(end.0);
        let is_plain = task.preferred().next().is_none();
        let mut at = shelf.keys.partition_point(|&key| key < seek.cost.least_key);
        while let Some(next) = shelf.next(at, seek.reached, last_key) {
            at = next + 1;
            let (row, values) = (shelf.rows[next] as usize, shelf.values(next, width));
            let Some((score, position)) = self.judge((row, values), seek, (task, ledger), (policy, ranking)) else {
                continue;
            };
            if (score, position) >= end {
                if is_plain {
                    // Others with the same have the same score, and come later in the list.
                    at = shelf.next_other(next, width);
                }
                continue;
            }
            let to = firsts.partition_point(|&(other, first, _)| (other, first) < (score, position));
            firsts.insert(to, (score, position, row));
            firsts.truncate(most);
            sum += score;
            // The scores of all before, too, are part of the sum.
            let room = (ceiling - sum + (ceiling + sum) * SLACK).next_up().min(ranking.max_score);
            if let Some(&(score, position, _)) = firsts.last() {
                end = if firsts.len() < most && room > score { (room, 0) } else { (score, position) };
            }
            last_key = seek.last_key(end.0);
        }
    }

    /// The score and the position of an offer with these values, if it can serve a task.
    #[inline(always)]
    fn judge<P: Policy>(
        &self,
        (row, values): (usize, &[u64]),
        seek: &Seek,
        (task, ledger): (Task<'_>, &Ledger),
        (policy, ranking): (&P, &Ranking),
    ) -> Option<(f64, u32)> {
        if !values.iter().zip(&seek.asked).all(|(has, asked)| asked <= has)
            || !task.required().all(|requirement| task.holds(requirement, ledger, row))
        {
            return None;
        }
        let demand = Demand { quantities: task.demand, devices: task.devices };
        let score = policy.score(ranking, demand, self.axes.as_leftover(values));
        Some((task.with_penalties(score, ledger, row), ledger.position(row).unwrap_or(u32::MAX)))
    }

    /// Takes note that a listed row has less than it had.
    pub(crate) fn shrunk(&mut self, row: usize, index: &Index, ledger: &Ledger) {
        let Some(shelf) = self.shelves.get_mut(self.shelf_of[row] as usize) else { return };
        shelf.remove(row, self.axes.width());
        shelf.insert(row, index.shelved(row), ledger);
    }

    /// Takes note that a row has left the list and that, by swap-remove, another one may have moved into its place.
    pub(crate) fn unlisted(&mut self, row: usize, moved: Option<usize>, index: &Index, ledger: &Ledger) {
        if let Some(shelf) = self.shelves.get_mut(self.shelf_of[row] as usize) {
            shelf.remove(row, self.axes.width());
        }
        if let Some(moved) = moved {
            self.shrunk(moved, index, ledger);
        }
    }
}

impl Index {
    /// The shelves of the values of an attribute, unless they would be too long, or the policy is not linear.
    pub(crate) fn shelves<P: Policy>(&self, (attribute, values): (u32, &[u32]), ledger: &Ledger) -> Option<Shelves> {
        let list = ledger.list();
        if P::BOUND != Bound::Linear || list.len() > OFFERS_A_SHELF * values.len() {
            return None;
        }
        let places: HashMap<u32, u32> = values.iter().copied().zip(0..).collect();
        let mut shelf_of = vec![NO_SHELF; ledger.rows()];
        let mut shelves = vec![Shelf::default(); values.len()];
        let mut order = Vec::with_capacity(list.len());
        for (&row, position) in list.iter().zip(0..) {
            if let Some(&place) = places.get(&ledger.attribute(row as usize, attribute)) {
                shelf_of[row as usize] = place;
                order.push((self.shelved(row as usize), position));
            }
        }
        order.sort_unstable_by(|((a, _, values), place), ((b, _, others), other)| {
            a.total_cmp(b).then_with(|| (values, place).cmp(&(others, other)))
        });
        for ((key, reached, values), position) in order {
            let row = list[position as usize];
            let shelf = &mut shelves[shelf_of[row as usize] as usize];
            shelf.keys.push(key);
            shelf.rows.push(row);
            shelf.reached.push(reached);
            shelf.values.extend_from_slice(values);
        }
        Some(Shelves { axes: self.axes, shelves, shelf_of })
    }

    /// A listed row on a shelf.
    fn shelved(&self, row: usize) -> Shelved<'_> {
        let slot = self.slots.slot_of(row);
        // Where keys are places in the list, scores are zero.
        let key = if self.bound.is_flat { 0.0 } else { self.slots.key(slot) };
        let values = self.slots.values(slot);
        (key, self.rows.reached(values), values)
    }

    /// Finds out what is known of a task that is looked for on shelves.
    pub(crate) fn seek<P: Policy>(&self, seek: &mut Seek, task: Task<'_>, policy: &P, ranking: &Ranking) {
        seek.is_possible = task.devices == 0 || self.axes.devices;
        seek.asked.resize(self.axes.width(), 0);
        self.axes.of_task(&self.measured, task, &mut seek.asked);
        seek.reached = self.rows.reached(&seek.asked);
        seek.cost = self.bound.of_task(policy, ranking, &seek.asked);
    }
}
