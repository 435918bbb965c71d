//! Bit rows: one bit for each slot, set where the slot can serve a demand or passes a requirement.
//!
//! On each axis up to [`THRESHOLDS`] demands are drawn from the tasks. A task takes the row of the largest threshold that is
//! not above its demand: a superset of the slots that serve it. The rows of its `requirements` are exact.
//!
//! The lines of a block lie side by side, one for each threshold: a search reads two or three of them at each block, and an
//! offer that changes sets bits in some that follow each other.

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;

use crate::feasible::Task;
use crate::ledger::Ledger;
use crate::table::TaskTable;

use super::axes::{Axes, Measured};
use super::requirements::{Filter, Offers, RequirementRows, keep_turned};
use super::slots::Slots;
use super::words::{Line, WORDS, Words, bits};

/// Thresholds of one axis at most. More of them let fewer slots through in vain and cost more when an offer changes.
const THRESHOLDS: usize = 64;
/// Tasks from which thresholds are drawn at most.
const SAMPLE: usize = 1024;

/// The rows.
#[derive(Debug, Clone, Default)]
pub(super) struct Rows {
    /// The axes on which some task asks for something.
    axes: Vec<Axis>,
    /// For each block a line for each threshold of each axis.
    thresholds: Vec<Line>,
    /// How many thresholds there are.
    count: usize,
    /// The rows of requirements.
    pub(super) requirements: RequirementRows,
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

/// How many thresholds are reached on each of the first axes, a byte each.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Reached(u32);

impl Reached {
    /// Whether what reaches these may serve what asks for others: it does not where it reaches fewer on any axis.
    #[inline]
    pub(super) fn serves(self, asked: Self) -> bool {
        // Of each byte the high bit is free, as there are no more than 64 thresholds: it is lent to the subtraction, and
        // stays where nothing has to be borrowed.
        const LENT: u32 = 0x8080_8080;
        ((self.0 | LENT) - asked.0) & LENT == LENT
    }
}

/// The rows that a task has to pass.
#[derive(Debug, Clone, Default)]
pub(super) struct Chosen {
    /// The filters of requirements.
    pub(super) requirements: Vec<Filter>,
    /// Requirements, as positions in the task table, that have no row.
    pub(super) unfiltered: Vec<usize>,
}

/// The chosen rows of one search.
pub(super) struct Sieve<'a> {
    /// The slots that hold an offer, by block.
    alive: &'a [Line],
    /// All rows.
    rows: &'a Rows,
    /// The chosen rows of thresholds.
    thresholds: &'a [u32],
    /// The filters of requirements.
    filters: &'a [Filter],
}

impl Sieve<'_> {
    /// How many of these blocks, from the first on, have keys up to a limit and no slot that passes every row.
    #[inline]
    pub(super) fn empty(&self, blocks: &[u32], keys: &[f64], limit: f64) -> usize {
        // What most searches are like, in loops with nothing else in them.
        let all = |_: &mut Line, _: usize| ();
        let row = |filter: &Filter| self.rows.requirements.only_row(filter);
        match (self.thresholds, self.filters) {
            (&[a, b], []) => self.empty_of([a, b], all, blocks, keys, limit),
            (&[a, b, c, d], []) => self.empty_of([a, b, c, d], all, blocks, keys, limit),
            (&[a, b], [filter]) if let Some(row) = row(filter) => {
                self.empty_of([a, b], of_row(row), blocks, keys, limit)
            }
            (&[a, b, c], [filter]) if let Some(row) = row(filter) => {
                self.empty_of([a, b, c], of_row(row), blocks, keys, limit)
            }
            _ => self.empty_of_any(blocks, keys, limit),
        }
    }

    /// The same, for so many rows of thresholds, and `also`, which keeps the bits of a block that pass the filters.
    #[inline(never)]
    fn empty_of<const ROWS: usize>(
        &self,
        rows: [u32; ROWS],
        also: impl Fn(&mut Line, usize),
        blocks: &[u32],
        keys: &[f64],
        limit: f64,
    ) -> usize {
        let (alive, thresholds, count) = (self.alive, &*self.rows.thresholds, self.rows.count);
        let is_empty = |(&block, &key): (&u32, &f64)| {
            let block = block as usize;
            let lines = &thresholds[block * count..][..count];
            let mut left = alive[block];
            rows.iter().for_each(|&row| keep(&mut left, &lines[row as usize]));
            also(&mut left, block);
            key <= limit && is_empty(&left)
        };
        blocks.iter().zip(keys).position(|block| !is_empty(block)).unwrap_or(blocks.len())
    }

    /// The same, for any rows.
    #[inline(never)]
    fn empty_of_any(&self, blocks: &[u32], keys: &[f64], limit: f64) -> usize {
        let is_empty = |(&block, &key): (&u32, &f64)| key <= limit && is_empty(&self.passing(block as usize));
        blocks.iter().zip(keys).position(|block| !is_empty(block)).unwrap_or(blocks.len())
    }

    /// The slots of a block that pass every row.
    #[inline(never)]
    pub(super) fn left(&self, block: usize) -> Line {
        self.passing(block)
    }

    /// The same, in the place where it is called: the line then need not go through memory.
    #[inline(always)]
    fn passing(&self, block: usize) -> Line {
        let mut left = self.alive[block];
        let lines = &self.rows.thresholds[block * self.rows.count..];
        for &row in self.thresholds {
            keep(&mut left, &lines[row as usize]);
        }
        for filter in self.filters {
            self.rows.requirements.keep(&mut left, filter, block);
        }
        left
    }
}

/// Keeps the bits that are set in another line too.
#[inline]
fn keep(left: &mut Line, line: &Line) {
    left.iter_mut().zip(line).for_each(|(left, bits)| *left &= bits);
}

/// Keeps the bits that are set in a block of a row, some of which are turned.
fn of_row((row, turned): (&[Line], u64)) -> impl Fn(&mut Line, usize) {
    move |left, block| keep_turned(left, &row[block], turned)
}

/// Whether no bit is set.
#[inline]
fn is_empty(line: &Line) -> bool {
    line.iter().fold(0, |any, bits| any | bits) == 0
}

impl Rows {
    /// How many axes have thresholds: a task passes at most one row on each.
    pub(super) fn axes(&self) -> usize {
        self.axes.len()
    }

    /// Draws thresholds from the tasks. All rows have to be filled anew.
    pub(super) fn draw(&mut self, tasks: &TaskTable, axes: Axes, measured: &[Measured], ledger: &Ledger) {
        let step = (tasks.rows as usize).div_ceil(SAMPLE).max(1);
        let width = axes.width();
        let mut sample = vec![0; (tasks.rows as usize).div_ceil(step) * width];
        for (at, row) in (0..tasks.rows as usize).step_by(step).enumerate() {
            let used = measured.contains(&Measured::USED);
            let task = Task { used, ..Task::new(tasks, row, ledger.shape()) };
            axes.of_task(measured, task, &mut sample[at * width..(at + 1) * width]);
        }
        self.axes.clear();
        self.count = 0;
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
                self.axes.push(Axis { axis, thresholds: padded, count: thresholds.len(), first_row: self.count });
                self.count += thresholds.len();
            }
        }
    }

    /// Fills the rows for these words. Rows of requirements are made when a task asks for them.
    pub(super) fn fill(&mut self, words: &Words, slots: &Slots) {
        self.requirements.clear();
        self.thresholds.clear();
        self.thresholds.resize(words.block_count() * self.count, [0; WORDS]);
        for cell in words.in_order() {
            let (block, word) = (cell / WORDS, cell % WORDS);
            for axis in &self.axes {
                // How many thresholds each slot reaches, as the bits that reach exactly so many.
                let mut reaching = [0_u64; THRESHOLDS + 1];
                let first_slot = words.slot(cell, 0);
                for bit in bits(words.alive()[cell]) {
                    let has = slots.values(first_slot + bit as usize)[axis.axis];
                    reaching[axis.reached(has)] |= 1 << bit;
                }
                let lines = &mut self.thresholds[block * self.count + axis.first_row..][..axis.count];
                let mut reached = 0;
                for (line, reaching) in lines.iter_mut().zip(&reaching[1..]).rev() {
                    reached |= reaching;
                    line[word] = reached;
                }
            }
        }
    }

    /// Finds the rows of thresholds that a demand has to pass, one for each axis where it has to pass any. Says how many, and
    /// whether they let through only what serves it: each axis has a threshold of just that demand.
    pub(super) fn of_demand(&self, asked: &[u64], rows: &mut [u32]) -> (usize, bool) {
        let mut inexact = asked.iter().filter(|&&asked| asked > 0).count();
        let mut found = 0;
        // No threshold is zero, and most tasks ask for no device.
        for (axis, asked) in self.axes.iter().map(|axis| (axis, asked[axis.axis])).filter(|&(_, asked)| asked > 0) {
            let reached = axis.reached(asked);
            if reached > 0 {
                rows[found] = (axis.first_row + reached - 1) as u32;
                found += 1;
                inexact -= usize::from(axis.thresholds[reached - 1] == asked);
            }
        }
        (found, inexact == 0)
    }

    /// How many thresholds these values reach on each of the first axes.
    pub(super) fn reached(&self, values: &[u64]) -> Reached {
        let axes = self.axes.iter().take(size_of::<Reached>()).enumerate();
        Reached(
            axes.fold(0, |all, (at, axis)| all | (axis.reached(values[axis.axis]) as u32) << (u8::BITS as usize * at)),
        )
    }

    /// The chosen rows, at hand for one search of the slots that are `alive`.
    pub(super) fn sieve<'a>(&'a self, thresholds: &'a [u32], filters: &'a [Filter], alive: &'a [u64]) -> Sieve<'a> {
        Sieve { alive: alive.as_chunks().0, rows: self, thresholds, filters }
    }

    /// Sets the bits of a slot that is given an offer. What was in it before, even if it has left, is what its bits tell
    /// now, so only the thresholds between the two have to be looked at. `slots` still has what was there before.
    pub(super) fn set(&mut self, slot: usize, place: (usize, u64), row: usize, values: &[u64], of: &Offers<'_>) {
        let (cell, bit) = place;
        let (block, word) = (cell / WORDS, cell % WORDS);
        let before = of.slots.values(slot);
        for axis in &self.axes {
            let (was, is) = (axis.reached(before[axis.axis]), axis.reached(values[axis.axis]));
            let lines = &mut self.thresholds[block * self.count + axis.first_row..];
            lines[was.min(is)..was.max(is)].iter_mut().for_each(|line| line[word] ^= bit);
        }
        self.requirements.set(slot, place, row, &values[of.measures..], of);
    }

    /// Adds a block behind the others, with no slot that passes anything.
    pub(super) fn push_block(&mut self) {
        self.thresholds.resize(self.thresholds.len() + self.count, [0; WORDS]);
        self.requirements.push_block();
    }

    /// Follows the split of a block: the upper half of its words has moved into a new one.
    pub(super) fn split_block(&mut self, block: usize) {
        self.push_block();
        let end = self.thresholds.len() - self.count;
        let (lines, new) = self.thresholds.split_at_mut(end);
        let lines = lines[block * self.count..].iter_mut().zip(new);
        for (line, new) in lines.chain(self.requirements.of_split(block)) {
            new[..WORDS / 2].copy_from_slice(&line[WORDS / 2..]);
            line[WORDS / 2..].fill(0);
        }
    }

    /// Follows the split of a word: the slots of these bits have moved into a new word behind it.
    pub(super) fn split(&mut self, cell: usize, moved: u64) {
        let (block, word) = (cell / WORDS, cell % WORDS);
        let lines = self.thresholds[block * self.count..][..self.count].iter_mut();
        for line in lines.chain(self.requirements.of_block(block)) {
            line.copy_within(word + 1..WORDS - 1, word + 2);
            line[word + 1] = line[word] & moved;
        }
    }
}
