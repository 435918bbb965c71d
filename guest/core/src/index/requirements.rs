//! Bit rows of requirements: one bit for each slot, set where its offers have a value of an attribute.
//!
//! A requirement about a few values is a filter over the rows of these values, so that the sets which tasks ask for share their
//! rows, and an offer that comes into a slot changes the bits of its own values and of those that were there before. Larger sets, and
//! bounds of measures, have a row each.

use alloc::vec::Vec;

use hashbrown::{Equivalent, HashMap};

use crate::feasible::Task;
use crate::ledger::Ledger;
use crate::table::{Kind, TaskTable};

use super::axes::{self, Measured};
use super::postings::Postings;
use super::slots::{SLOTS, Slots};
use super::words::{Line, WORDS, Words};

/// Values of a set whose rows are joined in a search; a larger set has a row of its own.
const FEW: usize = 4;
/// Rows at most.
const ROWS: usize = 256;
/// Values below this are looked up by their number.
const SMALL: u32 = 1 << 16;
/// The row of a value that has none.
const NO_ROW: u16 = u16::MAX;

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

/// A requirement that has a row of its own, apart from the task that has it. Never [`Trait::NotIn`].
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
    /// Whether an offer passes, which has these values of the attributes and this on the axes of measures.
    fn passes(&self, attribute: impl Fn(u32) -> u32, measures: &[u64]) -> bool {
        match self.what {
            Trait::In(number) | Trait::NotIn(number) => self.values.contains(&attribute(number)),
            Trait::Reaches(axis, bound) => measures[axis] >= bound,
        }
    }
}

/// What a slot has to pass: a bit in one of a few rows, or in none of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Filter {
    /// The rows.
    rows: [u16; FEW],
    /// How many there are.
    count: u8,
    /// Whether a slot must have none of the bits.
    excludes: bool,
}

impl Filter {
    /// What passes where this does not.
    pub(super) fn reversed(self) -> Self {
        Self { excludes: !self.excludes, ..self }
    }

    /// The bits that are to be turned in what its rows show.
    fn turned(self) -> u64 {
        if self.excludes { u64::MAX } else { 0 }
    }
}

/// The rows of the values of an attribute.
#[derive(Debug, Clone)]
struct Attribute {
    /// Which attribute.
    number: u32,
    /// The row of each small value.
    small: Vec<u16>,
    /// Those of others.
    large: HashMap<u32, u16>,
}

impl Attribute {
    /// The row of a value.
    #[inline]
    fn row(&self, value: u32) -> Option<usize> {
        let row = match self.small.get(value as usize) {
            Some(&row) => row,
            None if value < SMALL => NO_ROW,
            None => self.large.get(&value).copied().unwrap_or(NO_ROW),
        };
        (row != NO_ROW).then_some(row as usize)
    }

    /// Takes note of the row of a value.
    fn set_row(&mut self, value: u32, row: usize) {
        if value < SMALL {
            self.small.resize(self.small.len().max(value as usize + 1), NO_ROW);
            self.small[value as usize] = row as u16;
        } else {
            self.large.insert(value, row as u16);
        }
    }
}

/// The slots and what is in them.
pub(super) struct Offers<'a> {
    /// The words.
    pub(super) words: &'a Words,
    /// What is in them.
    pub(super) slots: &'a Slots,
    /// The offers.
    pub(super) ledger: &'a Ledger,
    /// The first axis of measures.
    pub(super) measures: usize,
}

/// The rows.
#[derive(Debug, Clone, Default)]
pub(super) struct RequirementRows {
    /// Those of values.
    attributes: Vec<Attribute>,
    /// Which other requirement has which row.
    known: HashMap<Requirement, usize>,
    /// These requirements, with their rows.
    others: Vec<(Requirement, usize)>,
    /// What each row shows.
    shows: Vec<Requirement>,
    /// For each row a line for each block. Empty where it is not made yet.
    lines: Vec<Vec<Line>>,
}

impl RequirementRows {
    /// Finds the filters of a task's requirements about attributes; those about measures are on axes. What gets none is
    /// unfiltered.
    pub(super) fn of_task(
        &mut self,
        (filters, unfiltered): (&mut Vec<Filter>, &mut Vec<usize>),
        task: Task<'_>,
        postings: &mut Postings,
        offers: &Offers<'_>,
    ) {
        for requirement in task.required() {
            if Kind::of(task.table.requirement_kinds[requirement]).is_measured() {
                continue;
            }
            let of = RequirementOf::new(task.table, requirement, &[]);
            let filter = self.present(&of).or_else(|| {
                if let Trait::In(attribute) = of.what {
                    postings.prepare_attribute(attribute, offers.ledger);
                    if postings.are_rare(attribute, of.values) {
                        return None;
                    }
                }
                self.filter(&of, offers)
            });
            match filter {
                Some(filter) => filters.push(filter),
                None => unfiltered.push(requirement),
            }
        }
    }

    /// The filter of a requirement whose rows are made.
    #[inline]
    fn present(&self, requirement: &RequirementOf<'_>) -> Option<Filter> {
        let (Trait::In(number) | Trait::NotIn(number)) = requirement.what else { return None };
        if !(1..=FEW).contains(&requirement.values.len()) {
            return None;
        }
        let attribute = self.attributes.iter().find(|attribute| attribute.number == number)?;
        let mut rows = [0; FEW];
        for (row, &value) in rows.iter_mut().zip(requirement.values) {
            let found = attribute.row(value).filter(|&row| !self.lines[row].is_empty())?;
            *row = found as u16;
        }
        let excludes = matches!(requirement.what, Trait::NotIn(_));
        Some(Filter { rows, count: requirement.values.len() as u8, excludes })
    }

    /// The filter of a requirement, whose rows are made if need be, unless there are too many.
    pub(super) fn filter(&mut self, requirement: &RequirementOf<'_>, offers: &Offers<'_>) -> Option<Filter> {
        let &RequirementOf { what, values } = requirement;
        let (what, excludes) = match what {
            Trait::NotIn(attribute) => (Trait::In(attribute), true),
            what => (what, false),
        };
        let mut rows = [0; FEW];
        let count = match what {
            Trait::In(attribute) if (1..=FEW).contains(&values.len()) => {
                for (row, &value) in rows.iter_mut().zip(values) {
                    *row = self.row_of_value(attribute, value)? as u16;
                }
                values.len()
            }
            _ => {
                rows[0] = self.row_of_other(&RequirementOf { what, values })? as u16;
                1
            }
        };
        for &row in &rows[..count] {
            if self.lines[row as usize].is_empty() {
                self.fill(row as usize, offers);
            }
        }
        Some(Filter { rows, count: count as u8, excludes })
    }

    /// The row of a value, unless there are too many.
    fn row_of_value(&mut self, number: u32, value: u32) -> Option<usize> {
        let at = self.attributes.iter().position(|attribute| attribute.number == number).unwrap_or_else(|| {
            self.attributes.push(Attribute { number, small: Vec::new(), large: HashMap::new() });
            self.attributes.len() - 1
        });
        if let Some(row) = self.attributes[at].row(value) {
            return Some(row);
        }
        let row = self.new_row(Requirement { what: Trait::In(number), values: [value].to_vec() })?;
        self.attributes[at].set_row(value, row);
        Some(row)
    }

    /// The row of a larger set or a bound, unless there are too many.
    fn row_of_other(&mut self, requirement: &RequirementOf<'_>) -> Option<usize> {
        if let Some(&row) = self.known.get(requirement) {
            return Some(row);
        }
        let requirement = Requirement { what: requirement.what, values: requirement.values.to_vec() };
        let row = self.new_row(requirement.clone())?;
        self.others.push((requirement.clone(), row));
        self.known.insert(requirement, row);
        Some(row)
    }

    /// A row that is not made yet, unless there are too many.
    fn new_row(&mut self, shows: Requirement) -> Option<usize> {
        if self.shows.len() == ROWS {
            return None;
        }
        self.shows.push(shows);
        self.lines.push(Vec::new());
        Some(self.shows.len() - 1)
    }

    /// Makes a row.
    fn fill(&mut self, row: usize, offers: &Offers<'_>) {
        let &Offers { words, slots, measures, .. } = offers;
        let (requirement, lines) = (&self.shows[row], &mut self.lines[row]);
        lines.resize(words.block_count(), [0; WORDS]);
        let values = match requirement.what {
            Trait::In(attribute) | Trait::NotIn(attribute) => slots.attribute(attribute),
            Trait::Reaches(..) => &[],
        };
        for cell in words.in_order() {
            let bits = if let (Trait::In(_), &[value]) = (requirement.what, &requirement.values[..]) {
                having(&values[words.number(cell)], value)
            } else {
                words.slots(cell).fold(0, |found, slot| {
                    let value = |_| values[slot / SLOTS][slot % SLOTS];
                    let passes = requirement.passes(value, &slots.values(slot)[measures..]);
                    found | u64::from(passes) << (slot % SLOTS)
                })
            };
            lines[cell / WORDS][cell % WORDS] = bits & words.alive()[cell];
        }
    }

    /// Forgets what the rows show: words are others now. They are made again when a task asks for them.
    pub(super) fn clear(&mut self) {
        self.lines.iter_mut().for_each(Vec::clear);
    }

    /// Keeps the bits of a block that pass a filter.
    #[inline(always)]
    pub(super) fn keep(&self, left: &mut Line, filter: &Filter, block: usize) {
        if let Some((row, turned)) = self.only_row(filter) {
            return keep_turned(left, &row[block], turned);
        }
        let line = |at: usize| &self.lines[filter.rows[at] as usize][block];
        let mut any = *line(0);
        for at in 1..filter.count as usize {
            any.iter_mut().zip(line(at)).for_each(|(any, bits)| *any |= bits);
        }
        keep_turned(left, &any, filter.turned());
    }

    /// The row of a filter that has but one, and the bits that are to be turned in it.
    #[inline(always)]
    pub(super) fn only_row(&self, filter: &Filter) -> Option<(&[Line], u64)> {
        (filter.count == 1).then(|| (&*self.lines[filter.rows[0] as usize], filter.turned()))
    }

    /// Sets the bits of a slot that is given an offer. Whatever was in it before, even if it has left, has a bit at most in the rows
    /// of its values, which `slots` still tells.
    #[inline]
    pub(super) fn set(
        &mut self,
        slot: usize,
        (cell, bit): (usize, u64),
        row: usize,
        measures: &[u64],
        of: &Offers<'_>,
    ) {
        let (block, word) = (cell / WORDS, cell % WORDS);
        for attribute in &self.attributes {
            let was = of.slots.attribute(attribute.number)[slot / SLOTS][slot % SLOTS];
            let is = of.ledger.attribute(row, attribute.number);
            if let Some(line) = attribute.row(was).and_then(|row| self.lines[row].get_mut(block)) {
                line[word] &= !bit;
            }
            if let Some(line) = attribute.row(is).and_then(|row| self.lines[row].get_mut(block)) {
                line[word] |= bit;
            }
        }
        for (requirement, number) in &self.others {
            if let Some(line) = self.lines[*number].get_mut(block) {
                let passes = requirement.passes(|attribute| of.ledger.attribute(row, attribute), measures);
                line[word] = if passes { line[word] | bit } else { line[word] & !bit };
            }
        }
    }

    /// Adds a block behind the others, with no slot that passes anything.
    pub(super) fn push_block(&mut self) {
        self.lines.iter_mut().filter(|lines| !lines.is_empty()).for_each(|lines| lines.push([0; WORDS]));
    }

    /// The lines of a block.
    pub(super) fn of_block(&mut self, block: usize) -> impl Iterator<Item = &mut Line> {
        self.lines.iter_mut().filter_map(move |lines| lines.get_mut(block))
    }

    /// The lines of a block, each with the last one of its row.
    pub(super) fn of_split(&mut self, block: usize) -> impl Iterator<Item = (&mut Line, &mut Line)> {
        self.lines.iter_mut().filter_map(move |lines| {
            let (new, lines) = lines.split_last_mut()?;
            Some((&mut lines[block], new))
        })
    }
}

/// Keeps the bits that are set in a line, some of which are turned.
#[inline(always)]
pub(super) fn keep_turned(left: &mut Line, line: &Line, turned: u64) {
    left.iter_mut().zip(line).for_each(|(left, bits)| *left &= bits ^ turned);
}

/// Which of these values are this one.
fn having(values: &[u32; SLOTS], wanted: u32) -> u64 {
    super::words::mask(values, |&value| value == wanted)
}
