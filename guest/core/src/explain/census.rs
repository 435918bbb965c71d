//! What offers have, sorted and as bit rows, so that all of those which fail a check are found at once.
//!
//! An offer is a bit: those of the list come first, in its order, then those that tasks have taken. What is compared lies on an
//! axis, on which the offers are sorted, with a bit row at every so many ranks: those below a bound are one of these rows and
//! a few bits more.

use alloc::vec;
use alloc::vec::Vec;

use hashbrown::HashMap;

use crate::devices::WHOLE;
use crate::feasible::Task;
use crate::ledger::Ledger;
use crate::table::{Kind, TaskTable};

/// Bits of a word.
const BITS: usize = u64::BITS as usize;
/// Bit rows of an axis.
const ROWS: usize = 64;
/// Requirements whose bit rows are kept, at most.
const KEPT: usize = 512;
/// So few bits are looked at one by one.
const FEW: u32 = 32;

/// The offers sorted by one number.
#[derive(Debug)]
pub(super) struct Axis {
    /// The numbers, rising.
    values: Vec<u64>,
    /// The offer of each.
    order: Vec<u32>,
    /// The number of each offer.
    of: Vec<u64>,
    /// Bit rows of the first 0, `step`, 2 x `step`, ... offers in order.
    rows: Vec<u64>,
    /// How many offers there are from one row to the next.
    step: usize,
}

impl Axis {
    /// Sorts offers by their numbers.
    fn new(of: Vec<u64>) -> Self {
        let mut order: Vec<u32> = (0..of.len() as u32).collect();
        order.sort_unstable_by_key(|&offer| of[offer as usize]);
        let values = order.iter().map(|&offer| of[offer as usize]).collect();
        let step = of.len().div_ceil(ROWS).max(1);
        let width = of.len().div_ceil(BITS);
        let mut row = vec![0; width];
        let mut rows = row.clone();
        for part in order.chunks(step) {
            part.iter().for_each(|&offer| set(&mut row, offer as usize));
            rows.extend_from_slice(&row);
        }
        Self { values, order, of, rows, step }
    }

    /// Makes a row of the offers whose number is below a bound.
    pub(super) fn below(&self, bound: u64, row: &mut [u64]) {
        let rank = self.values.partition_point(|&value| value < bound);
        let at = rank / self.step;
        row.copy_from_slice(&self.rows[at * row.len()..(at + 1) * row.len()]);
        self.order[at * self.step..rank].iter().for_each(|&offer| set(row, offer as usize));
    }

    /// The largest number below a bound that an offer of a row has; `count` says how many offers there are in the row.
    pub(super) fn largest_below(&self, bound: u64, row: &[u64], count: u32) -> Option<u64> {
        if count <= FEW {
            return ones(row).map(|offer| self.of[offer]).filter(|&value| value < bound).max();
        }
        let rank = self.values.partition_point(|&value| value < bound);
        let found = self.order[..rank].iter().rposition(|&offer| has(row, offer as usize));
        found.map(|at| self.values[at])
    }
}

/// The listed offers of a pool.
pub(super) struct Census<'a> {
    /// The pool.
    ledger: &'a Ledger,
    /// The row of each offer.
    pub(super) offers: Vec<u32>,
    /// The offer of each row, as large as can be where it is none.
    numbers: Vec<u32>,
    /// All of them, as a row.
    pub(super) listed: Vec<u64>,
    /// What is free in each dimension.
    pub(super) available: Vec<Axis>,
    /// What there is in all in each dimension.
    pub(super) capacity: Vec<Axis>,
    /// What serves a share, what serves whole devices, and how many devices there are; none where there are none.
    pub(super) devices: Option<[Axis; 3]>,
    /// What measures have, each in both orders.
    measures: HashMap<(u32, Kind), Axis>,
    /// The offers by value of an attribute.
    values: HashMap<u32, HashMap<u32, Vec<u32>>>,
    /// The rows of requirements that do not hold, by what they ask.
    failing: HashMap<Vec<u64>, Vec<u64>>,
}

impl<'a> Census<'a> {
    /// The offers of a ledger.
    pub(super) fn new(ledger: &'a Ledger) -> Self {
        let offers = ledger.list().to_vec();
        let mut numbers = vec![u32::MAX; ledger.rows()];
        offers.iter().zip(0..).for_each(|(&row, number)| numbers[row as usize] = number);
        let mut listed = vec![0; offers.len().div_ceil(BITS)];
        (0..offers.len()).for_each(|offer| set(&mut listed, offer));
        let axis = |of: &dyn Fn(usize) -> u64| Axis::new(offers.iter().map(|&row| of(row as usize)).collect());
        let dimensions = 0..ledger.shape().dimensions as usize;
        let whole = |row: usize| ledger.devices(row).iter().filter(|&&free| free == WHOLE).count() as u64;
        let largest = |row: usize| ledger.devices(row).iter().copied().max().unwrap_or(0).into();
        let count = |row: usize| ledger.devices(row).len() as u64;
        Self {
            available: dimensions.clone().map(|dimension| axis(&|row| ledger.available(row)[dimension])).collect(),
            capacity: dimensions.map(|dimension| axis(&|row| ledger.capacity(row)[dimension])).collect(),
            devices: ledger.has_devices().then(|| [axis(&largest), axis(&whole), axis(&count)]),
            ledger,
            offers,
            numbers,
            listed,
            measures: HashMap::new(),
            values: HashMap::new(),
            failing: HashMap::new(),
        }
    }

    /// Words of a row.
    pub(super) fn width(&self) -> usize {
        self.listed.len()
    }

    /// The axis of a measure for requirements of a kind: what does not hold is below the number of the bound.
    pub(super) fn measure(&mut self, measure: u32, kind: Kind) -> &Axis {
        let Self { measures, offers, ledger, .. } = self;
        measures.entry((measure, kind)).or_insert_with(|| {
            let on_axis = |&row: &u32| on_axis(ledger.measure(row as usize, measure), kind);
            Axis::new(offers.iter().map(on_axis).collect())
        })
    }

    /// The offers with a value of an attribute, zero being unset.
    pub(super) fn with_value(&mut self, attribute: u32, value: u32) -> &[u32] {
        let Self { values, offers, ledger, .. } = self;
        let by_value = values.entry(attribute).or_insert_with(|| {
            let mut by_value: HashMap<u32, Vec<u32>> = HashMap::new();
            for (&row, offer) in offers.iter().zip(0..) {
                by_value.entry(ledger.attribute(row as usize, attribute)).or_default().push(offer);
            }
            by_value
        });
        by_value.get(&value).map_or(&[], Vec::as_slice)
    }

    /// The offer of a row of the pool.
    pub(super) fn offer(&self, row: u32) -> Option<usize> {
        Some(self.numbers[row as usize]).filter(|&number| number != u32::MAX).map(|number| number as usize)
    }

    /// Makes a row of the offers for which a requirement does not hold.
    pub(super) fn failing(&mut self, table: &TaskTable, requirement: usize, row: &mut [u64]) {
        let kind = Kind::of(table.requirement_kinds[requirement]);
        let subject = table.requirement_subjects[requirement];
        let mut key = vec![u64::from(table.requirement_kinds[requirement]) << 32 | u64::from(subject)];
        if kind.is_measured() {
            let bound = on_axis(table.requirement_bounds[requirement], kind);
            return self.measure(subject, kind).below(bound, row);
        }
        key.extend(table.values(requirement).iter().copied().map(u64::from));
        if let Some(known) = self.failing.get(&key) {
            row.copy_from_slice(known);
            return;
        }
        row.fill(0);
        for &value in table.values(requirement) {
            self.with_value(subject, value).iter().for_each(|&offer| set(row, offer as usize));
        }
        if kind == Kind::In {
            row.iter_mut().for_each(|word| *word = !*word);
            self.trim(row);
        }
        if self.failing.len() < KEPT {
            self.failing.insert(key, row.to_vec());
        }
    }

    /// Clears the bits behind the last offer.
    pub(super) fn trim(&self, row: &mut [u64]) {
        let rest = self.offers.len() % BITS;
        if let Some(last) = row.last_mut().filter(|_| rest > 0) {
            *last &= (1 << rest) - 1;
        }
    }
}

/// A measure, or a bound, as a number of the order in which a requirement of a kind compares. What is unset is below all.
pub(super) fn on_axis(value: f64, kind: Kind) -> u64 {
    if value.is_nan() {
        return 0;
    }
    // Zero has two signs, which are equal. Doubles below zero are ordered the other way round.
    let bits = (value + 0.0).to_bits();
    let rising = if bits >> 63 == 1 { !bits } else { bits | 1 << 63 };
    if kind == Kind::AtMost { !rising } else { rising }
}

/// The measure of a number on an axis.
pub(super) fn of_axis(number: u64, kind: Kind) -> f64 {
    if number == 0 {
        return f64::NAN;
    }
    let rising = if kind == Kind::AtMost { !number } else { number };
    f64::from_bits(if rising >> 63 == 1 { rising & !(1 << 63) } else { !rising })
}

/// What a task asks on the axes of devices: which of the first two, the number there, and how many devices.
pub(super) fn asked_devices(task: Task<'_>) -> (usize, u64, u64) {
    let whole = u64::from(task.devices / WHOLE);
    if task.devices < WHOLE { (0, task.devices.into(), u64::from(task.devices > 0)) } else { (1, whole, whole) }
}

/// Sets a bit.
pub(super) fn set(row: &mut [u64], bit: usize) {
    row[bit / BITS] |= 1 << (bit % BITS);
}

/// Whether a bit is set.
fn has(row: &[u64], bit: usize) -> bool {
    row[bit / BITS] >> (bit % BITS) & 1 == 1
}

/// How many bits are set.
pub(super) fn count(row: impl IntoIterator<Item = u64>) -> u32 {
    row.into_iter().map(u64::count_ones).sum()
}

/// The bits that are set.
pub(super) fn ones(row: &[u64]) -> impl Iterator<Item = usize> {
    row.iter().enumerate().flat_map(|(at, &word)| {
        let mut left = word;
        core::iter::from_fn(move || {
            (left != 0).then(|| {
                let bit = left.trailing_zeros() as usize;
                left &= left - 1;
                at * BITS + bit
            })
        })
    })
}
