//! The offers that have come into words of late: what a search has learned of the words stays true but for these.

use alloc::vec;
use alloc::vec::Vec;

use super::slots::Slots;

/// Offers that are remembered. More of them help demands that come seldom, and cost the more to look through.
const REMEMBERED: usize = 512;

/// The last offers that have come, in a ring.
#[derive(Debug, Clone, Default)]
pub(super) struct Arrivals {
    /// Numbers of a row of axes.
    width: usize,
    /// How many have come in all.
    count: u64,
    /// Which rows.
    rows: Vec<u32>,
    /// Their lowered keys.
    keys: Vec<f64>,
    /// What they have.
    values: Vec<u64>,
}

impl Arrivals {
    /// None, of rows of this many axes.
    pub(super) fn new(width: usize) -> Self {
        Self {
            width,
            count: 0,
            rows: vec![0; REMEMBERED],
            keys: vec![0.0; REMEMBERED],
            values: vec![0; REMEMBERED * width],
        }
    }

    /// How many have come in all.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// How many have come when there were already `seen`.
    pub(super) fn since(&self, seen: u64) -> u64 {
        self.count - seen
    }

    /// Takes note of an offer.
    pub(super) fn add(&mut self, row: usize, key: f64, values: &[u64]) {
        let at = (self.count % REMEMBERED as u64) as usize;
        self.rows[at] = row as u32;
        self.keys[at] = key;
        let place = &mut self.values[at * self.width..(at + 1) * self.width];
        place.iter_mut().zip(values).for_each(|(place, value)| *place = *value);
        self.count += 1;
    }

    /// Finds the rows with keys below this that serve a demand, have come when there were already `seen`, and are still as they
    /// came. Whether none of those is forgotten.
    pub(super) fn serving(&self, seen: u64, below: f64, asked: &[u64], slots: &Slots, found: &mut Vec<u32>) -> bool {
        let new = self.since(seen) as usize;
        if self.since(seen) > REMEMBERED as u64 {
            return false;
        }
        // The ring, from the oldest of them on.
        let begin = (seen % REMEMBERED as u64) as usize;
        for at in (begin..REMEMBERED.min(begin + new)).chain(0..(begin + new).saturating_sub(REMEMBERED)) {
            let values = &self.values[at * self.width..(at + 1) * self.width];
            let serves = || values.iter().zip(asked).all(|(has, asked)| has >= asked);
            if self.keys[at] < below && serves() && slots.has(self.rows[at] as usize, self.keys[at]) {
                found.push(self.rows[at]);
            }
        }
        true
    }
}
