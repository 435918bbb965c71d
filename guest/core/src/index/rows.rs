//! Bit rows: one bit for each slot, set where the slot can serve a demand or passes a requirement.
//!
//! On each axis up to [`THRESHOLDS`] demands are drawn from the tasks. A task takes the row of the largest threshold that is
//! not above its demand: a superset of the slots that serve it. The rows of its requirements are exact.
//!
//! The lines of a block lie side by side, one for each threshold: a search reads two or three of them at each block, and an
//! offer that changes sets bits in some that follow each other.

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;

use hashbrown::{Equivalent, HashMap};

use crate::feasible::Task;
use crate::ledger::Ledger;
use crate::table::{Kind, TaskTable};

use super::axes::{self, Axes, Measured};
use super::slots::Slots;
use super::words::{SLOTS, WORDS, Words, bits, mask};

/// Thresholds of one axis at most. More of them let fewer slots through in vain and cost more when an offer changes.
const THRESHOLDS: usize = 64;
/// Tasks from which thresholds are drawn at most.
const SAMPLE: usize = 1024;
/// Values of a requirement that are compared one by one with those of a whole word.
const FEW: usize = 4;
/// Requirements with a bit row at most.
const REQUIREMENTS: usize = 256;

/// The bits of a block's words in one row.
type Line = [u64; WORDS];

/// The rows.
#[derive(Debug, Clone, Default)]
pub(super) struct Rows {
    /// The axes on which some task asks for something.
    axes: Vec<Axis>,
    /// For each block a line for each threshold of each axis.
    thresholds: Vec<Line>,
    /// How many thresholds there are.
    count: usize,
    /// Which requirement has which row.
    known: HashMap<Requirement, usize>,
    /// The requirements, in the order of their rows.
    requirements: Vec<Requirement>,
    /// For each requirement a line for each block. Empty where it is not made yet.
    passes: Vec<Vec<Line>>,
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

/// What an offer has to be like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Trait {
    /// The attribute has a value of the set.
    In(u32),
    /// The attribute has none of these values.
    NotIn(u32),
    /// It reaches this on the axis.
    Reaches(usize, u64),
}

/// A requirement, apart from the task that has it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Requirement {
    /// What it asks.
    what: Trait,
    /// The set.
    values: Vec<u32>,
}

/// A requirement in a task table.
#[derive(Hash)]
pub(super) struct RequirementOf<'a> {
    /// What it asks.
    pub(super) what: Trait,
    /// The set.
    pub(super) values: &'a [u32],
}

impl<'a> RequirementOf<'a> {
    /// A requirement or preference of a task.
    pub(super) fn new(tasks: &'a TaskTable, requirement: usize, measured: &[Measured]) -> Self {
        let subject = tasks.requirement_subjects[requirement];
        let axis_of = |measured_here| measured.iter().position(|&axis| Some(axis) == measured_here);
        let about = Measured::of(tasks, requirement);
        // A measure has an axis before the first search that asks for it.
        if let (Some(measure), Some(axis)) = (about, axis_of(about)) {
            let bound = measure.on_axis(tasks.requirement_bounds[requirement]);
            return Self { what: Trait::Reaches(axis, bound), values: &[] };
        }
        let excludes = Kind::of(tasks.requirement_kinds[requirement]) == Kind::NotIn;
        let what = if excludes { Trait::NotIn(subject) } else { Trait::In(subject) };
        Self { what, values: tasks.values(requirement) }
    }
}

impl Equivalent<Requirement> for RequirementOf<'_> {
    fn equivalent(&self, key: &Requirement) -> bool {
        self.what == key.what && axes::equal(self.values, &key.values)
    }
}

impl Requirement {
    /// Whether an offer passes, which has this on the axes of measures.
    fn passes(&self, ledger: &Ledger, row: usize, measures: &[u64]) -> bool {
        match self.what {
            Trait::In(attribute) => self.values.contains(&ledger.attribute(row, attribute)),
            Trait::NotIn(attribute) => !self.values.contains(&ledger.attribute(row, attribute)),
            Trait::Reaches(axis, bound) => measures[axis] >= bound,
        }
    }

    /// Which offers have a value of the set, of those with these values.
    fn having(&self, values: &[u32; SLOTS]) -> u64 {
        if self.values.len() > FEW {
            return mask(values, |value| self.values.contains(value));
        }
        self.values.iter().fold(0, |found, wanted| found | mask(values, |value| value == wanted))
    }
}

/// The rows that a task has to pass.
#[derive(Debug, Clone, Default)]
pub(super) struct Chosen {
    /// Rows of requirements.
    pub(super) requirements: Vec<usize>,
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
    /// The chosen rows of requirements.
    requirements: &'a [usize],
    /// The rows that a slot must not pass.
    excluded: &'a [usize],
}

impl Sieve<'_> {
    /// How many of these blocks, from the first on, have keys up to a limit and no slot that passes every row.
    #[inline]
    pub(super) fn empty(&self, blocks: &[u32], keys: &[f64], limit: f64) -> usize {
        // What most searches are like, in a loop with nothing else in it.
        if let ([a, b], [], []) = (self.thresholds, self.requirements, self.excluded) {
            let rows = [*a as usize, *b as usize];
            return empty(rows, self.alive, &self.rows.thresholds, self.rows.count, blocks, keys, limit);
        }
        self.empty_of_any(blocks, keys, limit)
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
        for &row in self.requirements {
            keep(&mut left, &self.rows.passes[row][block]);
        }
        for &row in self.excluded {
            left.iter_mut().zip(&self.rows.passes[row][block]).for_each(|(left, bits)| *left &= !bits);
        }
        left
    }
}

/// Keeps the bits that are set in another line too.
#[inline]
fn keep(left: &mut Line, line: &Line) {
    left.iter_mut().zip(line).for_each(|(left, bits)| *left &= bits);
}

/// How many of these blocks, from the first on, have keys up to a limit and no slot that passes both rows of thresholds.
#[inline(never)]
fn empty(
    [a, b]: [usize; 2],
    alive: &[Line],
    thresholds: &[Line],
    count: usize,
    blocks: &[u32],
    keys: &[f64],
    limit: f64,
) -> usize {
    let is_empty = |(&block, &key): (&u32, &f64)| {
        let block = block as usize;
        let lines = &thresholds[block * count..][..count];
        let mut left = alive[block];
        keep(&mut left, &lines[a]);
        keep(&mut left, &lines[b]);
        key <= limit && is_empty(&left)
    };
    blocks.iter().zip(keys).position(|block| !is_empty(block)).unwrap_or(blocks.len())
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
            let task = Task::new(tasks, row, ledger.shape());
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
        self.passes.iter_mut().for_each(Vec::clear);
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
        for axis in &self.axes {
            let asked = asked[axis.axis];
            let reached = axis.reached(asked);
            if reached > 0 {
                rows[found] = (axis.first_row + reached - 1) as u32;
                found += 1;
                inexact -= usize::from(axis.thresholds[reached - 1] == asked);
            }
        }
        (found, inexact == 0)
    }

    /// Finds the rows of a task's requirements about attributes; those about measures are on axes.
    pub(super) fn of_requirements(&mut self, chosen: &mut Chosen, task: Task<'_>, words: &Words, slots: &Slots) {
        chosen.requirements.clear();
        chosen.unfiltered.clear();
        for requirement in task.required() {
            if Kind::of(task.table.requirement_kinds[requirement]).is_measured() {
                continue;
            }
            match self.row(&RequirementOf::new(task.table, requirement, &[]), 0, words, slots) {
                Some(row) => chosen.requirements.push(row),
                None => chosen.unfiltered.push(requirement),
            }
        }
    }

    /// The row of a requirement, made if need be, unless there are too many. `measures` is the first axis of measures.
    pub(super) fn row(
        &mut self,
        requirement: &RequirementOf<'_>,
        measures: usize,
        words: &Words,
        slots: &Slots,
    ) -> Option<usize> {
        let row = if let Some(&row) = self.known.get(requirement) {
            row
        } else {
            let row = self.requirements.len();
            if row == REQUIREMENTS {
                return None;
            }
            let requirement = Requirement { what: requirement.what, values: requirement.values.to_vec() };
            self.requirements.push(requirement.clone());
            self.passes.push(Vec::new());
            self.known.insert(requirement, row);
            row
        };
        if self.passes[row].is_empty() {
            self.fill_requirement(row, measures, words, slots);
        }
        Some(row)
    }

    /// Makes the row of a requirement.
    fn fill_requirement(&mut self, row: usize, measures: usize, words: &Words, slots: &Slots) {
        let requirement = &self.requirements[row];
        let lines = &mut self.passes[row];
        lines.resize(words.block_count(), [0; WORDS]);
        let values = match requirement.what {
            Trait::In(attribute) | Trait::NotIn(attribute) => slots.attribute(attribute),
            Trait::Reaches(..) => &[],
        };
        for cell in words.in_order() {
            let passing = match requirement.what {
                Trait::In(_) => requirement.having(&values[words.number(cell)]),
                Trait::NotIn(_) => !requirement.having(&values[words.number(cell)]),
                Trait::Reaches(axis, bound) => words.slots(cell).fold(0, |found, slot| {
                    found | u64::from(slots.values(slot)[measures + axis] >= bound) << (slot % SLOTS)
                }),
            };
            lines[cell / WORDS][cell % WORDS] = passing & words.alive()[cell];
        }
    }

    /// The chosen rows, at hand for one search of the slots that are `alive`.
    pub(super) fn sieve<'a>(&'a self, thresholds: &'a [u32], chosen: &'a Chosen, alive: &'a [u64]) -> Sieve<'a> {
        let (requirements, excluded) = (&chosen.requirements, &[]);
        Sieve { alive: alive.as_chunks().0, rows: self, thresholds, requirements, excluded }
    }

    /// The same, with other rows of requirements, and rows that a slot must not pass.
    pub(super) fn sieve_of<'a>(
        &'a self,
        thresholds: &'a [u32],
        requirements: &'a [usize],
        excluded: &'a [usize],
        alive: &'a [u64],
    ) -> Sieve<'a> {
        Sieve { alive: alive.as_chunks().0, rows: self, thresholds, requirements, excluded }
    }

    /// Sets the bits of a slot that is given an offer. What was in it before, even if it has left, is what its bits tell
    /// now, so only the thresholds between the two have to be looked at.
    /// `measures` is the first axis of measures.
    pub(super) fn set(
        &mut self,
        (cell, bit): (usize, u64),
        before: &[u64],
        values: &[u64],
        (row, measures): (usize, usize),
        ledger: &Ledger,
    ) {
        let (block, word) = (cell / WORDS, cell % WORDS);
        for axis in &self.axes {
            let [was, is] = [before, values].map(|has| axis.reached(has[axis.axis]));
            let lines = &mut self.thresholds[block * self.count + axis.first_row..];
            lines[was.min(is)..was.max(is)].iter_mut().for_each(|line| line[word] ^= bit);
        }
        for (lines, requirement) in
            self.passes.iter_mut().zip(&self.requirements).filter(|(lines, _)| !lines.is_empty())
        {
            let bits = &mut lines[block][word];
            let passes = requirement.passes(ledger, row, &values[measures..]);
            *bits = if passes { *bits | bit } else { *bits & !bit };
        }
    }

    /// Adds a block behind the others, with no slot that passes anything.
    pub(super) fn push_block(&mut self) {
        self.thresholds.resize(self.thresholds.len() + self.count, [0; WORDS]);
        self.made().for_each(|lines| lines.push([0; WORDS]));
    }

    /// Follows the split of a block: the upper half of its words has moved into a new one.
    pub(super) fn split_block(&mut self, block: usize) {
        self.push_block();
        let end = self.thresholds.len() - self.count;
        let (lines, new) = self.thresholds.split_at_mut(end);
        let lines = lines[block * self.count..].iter_mut().zip(new);
        let passes = self.passes.iter_mut().filter_map(|lines| {
            let (new, lines) = lines.split_last_mut()?;
            Some((&mut lines[block], new))
        });
        for (line, new) in lines.chain(passes) {
            new[..WORDS / 2].copy_from_slice(&line[WORDS / 2..]);
            line[WORDS / 2..].fill(0);
        }
    }

    /// Follows the split of a word: the slots of these bits have moved into a new word behind it.
    pub(super) fn split(&mut self, cell: usize, moved: u64) {
        let (block, word) = (cell / WORDS, cell % WORDS);
        let lines = self.thresholds[block * self.count..][..self.count].iter_mut();
        let passes = self.passes.iter_mut().filter_map(|lines| lines.get_mut(block));
        for line in lines.chain(passes) {
            line.copy_within(word + 1..WORDS - 1, word + 2);
            line[word + 1] = line[word] & moved;
        }
    }

    /// The rows of requirements that are made.
    fn made(&mut self) -> impl Iterator<Item = &mut Vec<Line>> {
        self.passes.iter_mut().filter(|lines| !lines.is_empty())
    }
}
