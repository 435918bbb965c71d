//! Trials: what it would be like if members of a group had their offers, beside a pool that stays as it is.

use alloc::vec::Vec;

use crate::devices;
use crate::feasible::{Standing, Task};
use crate::members::Members;
use crate::mode::Mode;
use crate::policy::{Leftover, Policy};
use crate::pool::Pool;
use crate::reference::Placed;

/// What a trial has altered.
#[derive(Debug, Default)]
pub(crate) struct Trial {
    /// A mark for each row of the pool, whether it is altered.
    pub(crate) marks: Vec<bool>,
    /// The offers that are altered.
    altered: Vec<Altered>,
    /// What is free in each of them: `altered x dimensions`.
    available: Vec<u64>,
    /// The free thousandths of the devices of all of them.
    devices: Vec<u32>,
    /// How many offers are in the list.
    listed: usize,
    /// Who gets what, in the order of placing.
    pub(crate) placed: Vec<Placed>,
    /// The sum of the scores.
    pub(crate) sum: f64,
}

/// An offer that a trial has altered.
#[derive(Debug)]
struct Altered {
    /// Its row.
    row: usize,
    /// Its place in the list, if it is there.
    position: Option<u32>,
    /// Where its devices begin.
    devices: usize,
}

impl Trial {
    /// Begins anew, on a pool of this many rows and listed offers.
    pub(crate) fn begin(&mut self, rows: usize, listed: usize) {
        self.altered.iter().for_each(|altered| self.marks[altered.row] = false);
        self.marks.resize(rows, false);
        self.altered.clear();
        self.available.clear();
        self.devices.clear();
        self.placed.clear();
        self.listed = listed;
        self.sum = 0.0;
    }

    /// The number of an altered offer; what is not altered yet becomes so.
    fn alter<P>(&mut self, row: usize, pool: &Pool<P>) -> usize {
        if self.marks[row] {
            // The last ones are the likeliest.
            return self.altered.iter().rposition(|altered| altered.row == row).unwrap_or(0);
        }
        self.marks[row] = true;
        self.altered.push(Altered { row, position: pool.ledger.position(row), devices: self.devices.len() });
        self.available.extend_from_slice(pool.ledger.available(row));
        self.devices.extend_from_slice(pool.ledger.devices(row));
        self.altered.len() - 1
    }

    /// Gives an offer to a task at a score.
    pub(crate) fn place(&mut self, task: usize, (offer, score): (usize, f64)) {
        self.placed.push((task, offer, score));
        self.sum += score;
    }

    /// Alters an offer that a task has got.
    pub(crate) fn take<P>(&mut self, row: usize, task: Task<'_>, pool: &Pool<P>) {
        let number = self.alter(row, pool);
        match pool.mode {
            Mode::Exclusive => {
                // By swap-remove, as the ledger does it.
                self.listed -= 1;
                let (place, last) = (self.altered[number].position.take(), self.listed as u32);
                if place != Some(last) {
                    let at_last = self.altered.iter().position(|altered| altered.position == Some(last));
                    let moved = at_last.unwrap_or_else(|| self.alter(pool.ledger.list()[last as usize] as usize, pool));
                    self.altered[moved].position = place;
                }
            }
            Mode::Shared => {
                let width = task.demand.len();
                let available = &mut self.available[number * width..(number + 1) * width];
                available.iter_mut().zip(task.demand).for_each(|(available, asked)| *available -= asked);
                let begin = self.altered[number].devices;
                devices::take(&mut self.devices[begin..begin + pool.ledger.devices(row).len()], task.devices);
            }
        }
    }

    /// The best of the altered offers and the one that is found without them.
    pub(crate) fn better<P: Policy>(
        &self,
        found: Option<(usize, f64)>,
        task: Task<'_>,
        members: &Members,
        pool: &Pool<P>,
    ) -> Option<(usize, f64)> {
        if self.altered.is_empty() {
            return found;
        }
        let ledger = &pool.ledger;
        let place = |(row, score): (usize, f64)| (score, ledger.position(row).unwrap_or(u32::MAX), row);
        let mut best = found.map(place);
        let width = task.demand.len();
        for (number, altered) in self.altered.iter().enumerate() {
            let Some(position) = altered.position else { continue };
            // What has been taken from is mostly too small, and what has but moved in the list has mostly another value.
            let available = &self.available[number * width..(number + 1) * width];
            if available.iter().zip(task.demand).any(|(has, asked)| has < asked) || !members.admit(ledger, altered.row)
            {
                continue;
            }
            let devices = &self.devices[altered.devices..altered.devices + ledger.devices(altered.row).len()];
            let left = Leftover {
                available,
                free_devices: devices.iter().copied().map(u64::from).sum(),
                ..Leftover::of(ledger, altered.row)
            };
            let standing = task.standing_with(ledger, altered.row, left, devices, &pool.policy, &pool.ranking);
            if let Standing::Candidate(score) = standing
                && best.is_none_or(|(lowest, first, _)| (score, position) < (lowest, first))
            {
                best = Some((score, position, altered.row));
            }
        }
        best.map(|(score, _, row)| (row, score))
    }
}
