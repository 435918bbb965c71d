//! Bit rows: one bit for each slot, set where the slot can serve a demand or passes a requirement.
//!
//! On each axis up to [`THRESHOLDS`] demands are drawn from the tasks. A task takes the row of the largest threshold that is
//! not above its demand: a superset of the slots that serve it. The rows of its requirements are exact.

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;

use hashbrown::{Equivalent, HashMap};

use crate::feasible::Task;
use crate::ledger::Ledger;
use crate::table::TaskTable;

use super::axes;
use super::slots::Slots;
use super::words::{SLOTS, Words};

/// Thresholds of one axis at most. More of them let fewer slots through in vain and cost more when an offer changes.
const THRESHOLDS: usize = 64;
/// Tasks from which thresholds are drawn at most.
const SAMPLE: usize = 1024;
/// Requirements with a bit row at most.
const REQUIREMENTS: usize = 256;

/// Words that are passed over at once where nothing in them is left.
const CHUNK: usize = 8;
/// Rows whose addresses a search keeps at hand.
const AT_HAND: usize = 4;

/// The rows.
#[derive(Debug, Clone, Default)]
pub(super) struct Rows {
    /// The axes on which some task asks for something.
    axes: Vec<Axis>,
    /// A row for each threshold of each axis.
    thresholds: Vec<Vec<u64>>,
    /// Which requirement has which row.
    known: HashMap<Requirement, usize>,
    /// The requirements, in the order of their rows.
    requirements: Vec<Requirement>,
    /// A row for each requirement. Empty where it is not made yet.
    passes: Vec<Vec<u64>>,
}

/// The thresholds of an axis.
#[derive(Debug, Clone)]
struct Axis {
    /// Which axis.
    axis: usize,
    /// The thresholds, rising; behind them as large numbers as there are.
    thresholds: Box<[u64; THRESHOLDS]>,
    /// How many thresholds there are.
    count: usize,
    /// The row of the first one.
    first_row: usize,
}

impl Axis {
    /// How many thresholds this reaches.
    #[inline]
    fn reached(&self, has: u64) -> usize {
        // The binary search of `partition_point`, but of known length: without a loop.
        const { assert!(THRESHOLDS == 64) };
        let mut at = 0;
        for step in [32, 16, 8, 4, 2, 1] {
            at += if self.thresholds[at + step - 1] <= has { step } else { 0 };
        }
        at += usize::from(self.thresholds[at] <= has);
        at.min(self.count)
    }
}

/// A requirement, apart from the task that has it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Requirement {
    /// The attribute it is about.
    attribute: u32,
    /// Whether it holds when the value is not in the set.
    excludes: bool,
    /// The set.
    values: Vec<u32>,
}

/// A requirement in a task table.
#[derive(Hash)]
struct RequirementOf<'a> {
    /// The attribute it is about.
    attribute: u32,
    /// Whether it holds when the value is not in the set.
    excludes: bool,
    /// The set.
    values: &'a [u32],
}

impl Equivalent<Requirement> for RequirementOf<'_> {
    fn equivalent(&self, key: &Requirement) -> bool {
        (self.attribute, self.excludes) == (key.attribute, key.excludes) && axes::equal(self.values, &key.values)
    }
}

impl Requirement {
    /// Whether an offer passes.
    fn passes(&self, ledger: &Ledger, row: usize) -> bool {
        self.values.contains(&ledger.attribute(row, self.attribute)) != self.excludes
    }
}

/// The rows that a task has to pass.
#[derive(Debug, Clone, Default)]
pub(super) struct Chosen {
    /// Rows of thresholds.
    thresholds: Vec<usize>,
    /// Rows of requirements.
    pub(super) requirements: Vec<usize>,
    /// Whether the rows of thresholds let through only what serves the demand: each axis has one of just that demand.
    pub(super) exact: bool,
    /// Requirements, as positions in the task table, that have no row.
    pub(super) unfiltered: Vec<usize>,
}

/// The chosen rows of one search. Most tasks have few of them, whose addresses are then found once and not at each word.
pub(super) struct Sieve<'a> {
    /// The slots that hold an offer.
    alive: &'a [u64],
    /// The first rows.
    at_hand: [&'a [u64]; AT_HAND],
    /// How many of them there are.
    used: usize,
    /// Where the other rows are.
    rows: &'a Rows,
    /// The other rows of thresholds.
    far: &'a [usize],
    /// The other rows of requirements.
    far_passes: &'a [usize],
}

impl Sieve<'_> {
    /// The first word of these ranks with slots that pass every row, and those slots.
    #[inline]
    pub(super) fn next(&self, ranks: Range<usize>) -> Option<(usize, u64)> {
        let [a, b, c, d] = self.at_hand;
        if self.used <= 2 {
            return first_left([self.alive, a, b], ranks);
        }
        let mut from = ranks.start;
        loop {
            let (rank, mut bits) = first_left([self.alive, a, b, c, d], from..ranks.end)?;
            self.far.iter().for_each(|&row| bits &= self.rows.thresholds[row][rank]);
            self.far_passes.iter().for_each(|&row| bits &= self.rows.passes[row][rank]);
            if bits != 0 {
                return Some((rank, bits));
            }
            from = rank + 1;
        }
    }
}

/// The first of these ranks at which bits are set in every row, and those bits.
#[inline(never)]
fn first_left<const N: usize>(rows: [&[u64]; N], ranks: Range<usize>) -> Option<(usize, u64)> {
    let rows = rows.map(|row| &row[ranks.clone()]);
    let chunks = rows.map(|row| row.as_chunks::<CHUNK>().0);
    let empty = (0..chunks[0].len()).take_while(|&at| is_empty(chunks.map(|row| &row[at]))).count();
    let left = |at: usize| rows.iter().fold(u64::MAX, |left, row| left & row[at]);
    let found = (empty * CHUNK..ranks.len()).map(|at| (at, left(at))).find(|&(_, left)| left != 0);
    found.map(|(at, left)| (ranks.start + at, left))
}

/// Whether no bit is set in every row. In vectors, natively by the compiler's own doing: most walks that are long are so
/// because nothing is left.
#[cfg(target_feature = "simd128")]
#[inline]
fn is_empty<const N: usize>(rows: [&[u64; CHUNK]; N]) -> bool {
    use core::arch::wasm32::{u64x2_splat, v128_and, v128_any_true, v128_load, v128_or};
    let left = |at: usize| {
        // SAFETY: both words are in the slice; a vector may be read from any address.
        let pairs = rows.map(|row| unsafe { v128_load(row[at..at + 2].as_ptr().cast()) });
        pairs.into_iter().fold(u64x2_splat(u64::MAX), |left, pair| v128_and(left, pair))
    };
    !v128_any_true((0..CHUNK).step_by(2).fold(u64x2_splat(0), |any, at| v128_or(any, left(at))))
}

/// Whether no bit is set in every row.
#[cfg(not(target_feature = "simd128"))]
#[inline]
fn is_empty<const N: usize>(rows: [&[u64; CHUNK]; N]) -> bool {
    let left = |at: usize| rows.iter().fold(u64::MAX, |left, row| left & row[at]);
    (0..CHUNK).fold(0, |any, at| any | left(at)) == 0
}

impl Rows {
    /// Draws thresholds from the tasks. All rows have to be filled anew.
    pub(super) fn draw(&mut self, tasks: &TaskTable, ledger: &Ledger) {
        let step = (tasks.rows as usize).div_ceil(SAMPLE).max(1);
        let mut sample = Vec::new();
        for row in (0..tasks.rows as usize).step_by(step) {
            axes::of_task(Task::new(tasks, row, ledger.shape()), &mut sample);
        }
        let width = ledger.shape().dimensions as usize + axes::DEVICE_AXES;
        self.axes.clear();
        let mut first_row = 0;
        for axis in 0..width {
            let mut demands: Vec<u64> =
                sample.iter().skip(axis).step_by(width).copied().filter(|&asked| asked > 0).collect();
            demands.sort_unstable();
            let mut thresholds = demands.clone();
            thresholds.dedup();
            if thresholds.len() > THRESHOLDS {
                thresholds = (0..THRESHOLDS).map(|at| demands[at * demands.len() / THRESHOLDS]).collect();
                thresholds.dedup();
            }
            if !thresholds.is_empty() {
                let mut padded = Box::new([u64::MAX; THRESHOLDS]);
                padded[..thresholds.len()].copy_from_slice(&thresholds);
                self.axes.push(Axis { axis, thresholds: padded, count: thresholds.len(), first_row });
                first_row += thresholds.len();
            }
        }
        self.thresholds = vec![Vec::new(); first_row];
    }

    /// Fills the rows for these words. Rows of requirements are made when a task asks for them.
    pub(super) fn fill(&mut self, words: &Words, slots: &Slots) {
        self.passes.iter_mut().for_each(Vec::clear);
        for row in &mut self.thresholds {
            row.clear();
            row.resize(words.len(), 0);
        }
        for axis in &self.axes {
            let rows = &mut self.thresholds[axis.first_row..axis.first_row + axis.count];
            for rank in 0..words.len() {
                // How many thresholds each slot reaches, as the bits that reach exactly so many.
                let mut reaching = [0_u64; THRESHOLDS + 1];
                let mut alive = words.alive()[rank];
                while alive != 0 {
                    let bit = alive.trailing_zeros();
                    alive &= alive - 1;
                    let has = slots.values(words.slot(rank, bit))[axis.axis];
                    reaching[axis.reached(has)] |= 1 << bit;
                }
                let mut bits = 0;
                for (at, row) in rows.iter_mut().enumerate().rev() {
                    bits |= reaching[at + 1];
                    row[rank] = bits;
                }
            }
        }
    }

    /// Finds the rows that a task has to pass.
    pub(super) fn choose(
        &mut self,
        chosen: &mut Chosen,
        task: Task<'_>,
        demand: &[u64],
        ledger: &Ledger,
        words: &Words,
        slots: &Slots,
    ) {
        chosen.thresholds.clear();
        chosen.requirements.clear();
        chosen.unfiltered.clear();
        let mut inexact = demand.iter().filter(|&&asked| asked > 0).count();
        for axis in &self.axes {
            let asked = demand[axis.axis];
            let reached = axis.reached(asked);
            if reached > 0 {
                chosen.thresholds.push(axis.first_row + reached - 1);
                inexact -= usize::from(axis.thresholds[reached - 1] == asked);
            }
        }
        chosen.exact = inexact == 0;
        for requirement in task.table.requirements(task.row) {
            match self.row_of(task.table, requirement) {
                Some(row) => {
                    if self.passes[row].is_empty() {
                        self.fill_requirement(row, ledger, words, slots);
                    }
                    chosen.requirements.push(row);
                }
                None => chosen.unfiltered.push(requirement),
            }
        }
    }

    /// The row of a requirement, unless there are too many.
    fn row_of(&mut self, tasks: &TaskTable, requirement: usize) -> Option<usize> {
        let attribute = tasks.requirement_attributes[requirement];
        let excludes = tasks.requirement_excludes[requirement];
        let values = tasks.values(requirement);
        if let Some(&row) = self.known.get(&RequirementOf { attribute, excludes, values }) {
            return Some(row);
        }
        let row = self.requirements.len();
        if row == REQUIREMENTS {
            return None;
        }
        let requirement = Requirement { attribute, excludes, values: values.to_vec() };
        self.requirements.push(requirement.clone());
        self.passes.push(Vec::new());
        self.known.insert(requirement, row);
        Some(row)
    }

    /// Makes the row of a requirement.
    fn fill_requirement(&mut self, row: usize, ledger: &Ledger, words: &Words, slots: &Slots) {
        let requirement = &self.requirements[row];
        self.passes[row].extend((0..words.len()).map(|rank| {
            let mut bits = 0;
            let mut alive = words.alive()[rank];
            while alive != 0 {
                let bit = alive.trailing_zeros();
                alive &= alive - 1;
                let offer = ledger.list()[slots.position(words.slot(rank, bit)) as usize];
                bits |= u64::from(requirement.passes(ledger, offer as usize)) << bit;
            }
            bits
        }));
    }

    /// The chosen rows, at hand for one search of the slots that are `alive`.
    pub(super) fn sieve<'a>(&'a self, chosen: &'a Chosen, alive: &'a [u64]) -> Sieve<'a> {
        let (near, far) = chosen.thresholds.split_at(chosen.thresholds.len().min(AT_HAND));
        let room = AT_HAND - near.len();
        let (near_passes, far_passes) = chosen.requirements.split_at(chosen.requirements.len().min(room));
        let mut at_hand = [alive; AT_HAND];
        let thresholds = near.iter().map(|&row| self.thresholds[row].as_slice());
        let passes = near_passes.iter().map(|&row| self.passes[row].as_slice());
        at_hand.iter_mut().zip(thresholds.chain(passes)).for_each(|(place, row)| *place = row);
        let used = near.len() + near_passes.len();
        Sieve { alive, at_hand, used, rows: self, far, far_passes }
    }

    /// Sets the bits of a slot that is given an offer. What was in it before, even if it has left, is what its bits tell
    /// now, so only the thresholds between the two have to be looked at.
    pub(super) fn set(&mut self, place: (usize, usize), before: &[u64], values: &[u64], row: usize, ledger: &Ledger) {
        let (rank, bit) = place;
        for axis in &self.axes {
            let [was, is] = [before, values].map(|has| axis.reached(has[axis.axis]));
            let rows = &mut self.thresholds[axis.first_row..];
            rows.iter_mut().take(is).skip(was).for_each(|row| row[rank] |= 1 << bit);
            rows.iter_mut().take(was).skip(is).for_each(|row| row[rank] &= !(1 << bit));
        }
        for (bits, requirement) in self.passes.iter_mut().zip(&self.requirements).filter(|(bits, _)| !bits.is_empty()) {
            bits[rank] = bits[rank] & !(1 << bit) | u64::from(requirement.passes(ledger, row)) << bit;
        }
    }

    /// Adds a word behind the others, with no slot that passes anything.
    pub(super) fn push_word(&mut self) {
        self.made().for_each(|row| row.push(0));
    }

    /// Follows the split of a word: `moved` are the bits that have moved into the new word behind it, in their new order.
    pub(super) fn split(&mut self, rank: usize, moved: &[usize; SLOTS / 2]) {
        for row in self.made() {
            let bits = moved.iter().enumerate().fold(0, |bits, (at, &bit)| bits | (row[rank] >> bit & 1) << at);
            row.insert(rank + 1, bits);
        }
    }

    /// The rows that are made.
    fn made(&mut self) -> impl Iterator<Item = &mut Vec<u64>> {
        self.thresholds.iter_mut().chain(self.passes.iter_mut().filter(|row| !row.is_empty()))
    }
}
