//! The offers that have come into words of late: what a search has learned of the words stays true but for these.

use alloc::vec;
use alloc::vec::Vec;

use super::slots::Slots;
use super::words::{bits, mask};

/// Offers that are remembered. More of them help demands that come seldom, and cost the more to look through.
const REMEMBERED: usize = 512;
/// Offers that are looked at together.
const CHUNK: usize = u64::BITS as usize;

/// The last offers that have come, in a ring. One column each for their rows, their keys, and what they have on each axis.
#[derive(Debug, Clone, Default)]
pub(super) struct Arrivals {
    /// How many have come in all.
    count: u64,
    /// Which rows.
    rows: Vec<u32>,
    /// Their lowered keys.
    keys: Vec<f64>,
    /// What they have, axis after axis.
    values: Vec<u64>,
}

impl Arrivals {
    /// None, of rows of this many axes.
    pub(super) fn new(width: usize) -> Self {
        Self {
            count: 0,
            rows: vec![0; REMEMBERED],
            keys: vec![f64::INFINITY; REMEMBERED],
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
        for (column, value) in self.values.chunks_exact_mut(REMEMBERED).zip(values) {
            column[at] = *value;
        }
        self.count += 1;
    }

    /// Finds the rows with keys below this that serve a demand, have come when there were already `seen`, and are still as they
    /// came; perhaps others that came before. Whether none of those is forgotten.
    pub(super) fn serving(&self, seen: u64, below: f64, asked: &[u64], slots: &Slots, found: &mut Vec<u32>) -> bool {
        if self.since(seen) > REMEMBERED as u64 {
            return false;
        }
        // The chunks of the ring that hold them: what is older in them does no harm.
        const CHUNKS: u64 = (REMEMBERED / CHUNK) as u64;
        let [first, end] = [seen / CHUNK as u64, self.count.div_ceil(CHUNK as u64)];
        for chunk in first..end.min(first + CHUNKS) {
            let begin = (chunk % CHUNKS) as usize * CHUNK;
            for bit in bits(self.serving_of(begin, below, asked)) {
                let at = begin + bit as usize;
                if slots.has(self.rows[at] as usize, self.keys[at]) {
                    found.push(self.rows[at]);
                }
            }
        }
        true
    }

    /// Which offers of a chunk have keys below this and serve a demand. Without a branch in the loop: none could be foretold.
    #[inline]
    fn serving_of(&self, begin: usize, below: f64, asked: &[u64]) -> u64 {
        let chunk = |column: usize| column * REMEMBERED + begin..column * REMEMBERED + begin + CHUNK;
        let mut serving = mask(&self.keys[chunk(0)], |&key| key < below);
        for (axis, &asked) in asked.iter().enumerate() {
            serving &= mask(&self.values[chunk(axis)], |&has| has >= asked);
        }
        serving
    }
}
