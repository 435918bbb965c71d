//! Tables of offers and tasks, as columns.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::ops::Range;

use crate::columns::{Shape, cell, check_length, check_number, check_offsets, check_rows, out_of_range, span};
use crate::devices::{Devices, WHOLE};
use crate::error::Error;
use crate::groups::GroupTable;

/// Offers, one row each. Plain columns: [`OfferTable::check`] says whether they fit together.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct OfferTable {
    /// How many offers.
    pub rows: u32,
    /// What is free: `rows x dimensions`, row by row.
    pub available: Vec<u64>,
    /// What there is in all: `rows x dimensions`, row by row. Empty: the same as `available`.
    pub capacity: Vec<u64>,
    /// Interned attribute values: `rows x attributes`, row by row. Zero is unset.
    pub attributes: Vec<u32>,
    /// What is compared and not used up: `rows x measures`, row by row. NaN is unset. Empty: no offer has a measure.
    pub measures: Vec<f64>,
    /// The devices of each offer.
    pub devices: Devices,
}

/// Tasks, one row each, in the order in which they are placed. Plain columns: [`TaskTable::check`] says whether they fit
/// together.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TaskTable {
    /// How many tasks.
    pub rows: u32,
    /// What is asked: `rows x dimensions`, row by row.
    pub demand: Vec<u64>,
    /// Device thousandths asked, one number a task: 0, a share of 1 to 999, or a multiple of 1000. Empty: no devices.
    pub devices: Vec<u32>,
    /// Where each task's requirements and preferences begin: `rows + 1` numbers. Empty: no requirements.
    pub requirement_offsets: Vec<u32>,
    /// What each asks: a [`Kind`] as a number.
    pub requirement_kinds: Vec<u32>,
    /// The attribute or the measure that each is about.
    pub requirement_subjects: Vec<u32>,
    /// The bound of each that is about a measure. Empty: none has a bound.
    pub requirement_bounds: Vec<f64>,
    /// What each costs where it does not hold: infinite, it is required; finite, it is a preference and this is added to the
    /// score. Empty: all are required.
    pub requirement_weights: Vec<f64>,
    /// Where each requirement's set begins in `values`: one number more than there are requirements.
    pub value_offsets: Vec<u32>,
    /// The interned values of the sets, never zero.
    pub values: Vec<u32>,
    /// The group of each task: 0 for none, else a row of `groups` and one more. Empty: no groups.
    pub group_of: Vec<u32>,
    /// The groups.
    pub groups: GroupTable,
}

/// What a requirement or a preference asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum Kind {
    /// The attribute has a value of the set.
    In = 0,
    /// The attribute has none of these values.
    NotIn = 1,
    /// The measure is at least the bound.
    AtLeast = 2,
    /// The measure is at most the bound.
    AtMost = 3,
}

impl Kind {
    /// The largest number of a kind.
    const LAST: u32 = Self::AtMost as u32;

    /// The kind of a checked number.
    #[inline]
    pub(crate) fn of(number: u32) -> Self {
        match number {
            0 => Self::In,
            1 => Self::NotIn,
            2 => Self::AtLeast,
            _ => Self::AtMost,
        }
    }

    /// Whether it is about a measure.
    #[inline]
    pub(crate) fn is_measured(self) -> bool {
        matches!(self, Self::AtLeast | Self::AtMost)
    }
}

/// Typical tasks, each with its share of all tasks.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Workload {
    /// The tasks. They belong to no group.
    pub tasks: TaskTable,
    /// The share of each, in proportion to the sum of all: finite, not negative, and not all of them zero.
    pub shares: Vec<f64>,
}

/// What has happened to the offers of a pool. Applied in the order of the fields.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Changes {
    /// Rows that leave the list, each by swap-remove.
    pub removed: Vec<u32>,
    /// Rows that get the values of `changed`.
    pub changed_rows: Vec<u32>,
    /// The new values of `changed_rows`.
    pub changed: OfferTable,
    /// New offers, for the end of the list.
    pub added: OfferTable,
    /// Tasks to be expected from now on, instead of those before. None: the same as before.
    pub workload: Option<Box<Workload>>,
}

impl OfferTable {
    /// Checks that the columns fit together and that every number is in its range.
    ///
    /// # Errors
    /// [`Error::TooManyRows`], [`Error::ColumnLength`] and [`Error::OutOfRange`].
    pub fn check(&self, shape: Shape) -> Result<(), Error> {
        check_rows(u64::from(self.rows))?;
        let rows = u64::from(self.rows);
        let cells = rows * u64::from(shape.dimensions);
        check_length("available", self.available.len(), cells)?;
        if !self.capacity.is_empty() {
            check_length("capacity", self.capacity.len(), cells)?;
            let over = self.available.iter().zip(&self.capacity).position(|(available, capacity)| available > capacity);
            if let Some(at) = over {
                let row = at / shape.dimensions as usize;
                return Err(out_of_range("available", row, self.available[at], 0, self.capacity[at]));
            }
        }
        check_length("attributes", self.attributes.len(), rows * u64::from(shape.attributes))?;
        if !self.measures.is_empty() {
            check_length("measures", self.measures.len(), rows * u64::from(shape.measures))?;
        }
        self.devices.check(rows)
    }

    /// What one offer has in all in each dimension.
    pub(crate) fn capacity(&self, shape: Shape, row: usize) -> &[u64] {
        let width = shape.dimensions as usize;
        let capacity = if self.capacity.is_empty() { &self.available } else { &self.capacity };
        &capacity[row * width..(row + 1) * width]
    }

    /// The thousandths of all devices of one offer.
    pub(crate) fn device_capacity(&self, row: usize) -> u64 {
        self.devices.of(row).len() as u64 * u64::from(WHOLE)
    }
}

impl TaskTable {
    /// Checks that the columns fit together and that every number is in its range.
    ///
    /// # Errors
    /// [`Error::TooManyRows`], [`Error::ColumnLength`], [`Error::OutOfRange`] and [`Error::BrokenDevices`].
    pub fn check(&self, shape: Shape) -> Result<(), Error> {
        check_rows(u64::from(self.rows))?;
        let rows = u64::from(self.rows);
        check_length("demand", self.demand.len(), rows * u64::from(shape.dimensions))?;
        if !self.devices.is_empty() {
            check_length("devices", self.devices.len(), rows)?;
        }
        if let Some(at) = self.devices.iter().position(|&asked| asked > WHOLE && asked % WHOLE != 0) {
            let cell = cell("devices", at, self.devices[at].into(), 0, (u32::MAX - u32::MAX % WHOLE).into());
            return Err(Error::BrokenDevices(cell));
        }
        self.check_requirements(shape)?;
        self.check_groups(shape)
    }

    /// Checks the requirements and preferences.
    fn check_requirements(&self, shape: Shape) -> Result<(), Error> {
        let rows = u64::from(self.rows);
        let count = self.requirement_subjects.len();
        check_offsets("requirement-offsets", &self.requirement_offsets, rows, "requirement-subjects", count)?;
        let requirements = count as u64;
        check_length("requirement-kinds", self.requirement_kinds.len(), requirements)?;
        if !self.requirement_bounds.is_empty() {
            check_length("requirement-bounds", self.requirement_bounds.len(), requirements)?;
        }
        if !self.requirement_weights.is_empty() {
            check_length("requirement-weights", self.requirement_weights.len(), requirements)?;
        }
        check_offsets("value-offsets", &self.value_offsets, requirements, "values", self.values.len())?;
        for (at, (&kind, &subject)) in self.requirement_kinds.iter().zip(&self.requirement_subjects).enumerate() {
            if kind > Kind::LAST {
                return Err(out_of_range("requirement-kinds", at, kind.into(), 0, Kind::LAST.into()));
            }
            let measured = Kind::of(kind).is_measured();
            let columns = if measured { shape.measures } else { shape.attributes };
            if subject >= columns {
                let most = columns.saturating_sub(1).into();
                return Err(out_of_range("requirement-subjects", at, subject.into(), 0, most));
            }
            if measured {
                let (minimum, maximum) = (f64::NEG_INFINITY, f64::INFINITY);
                let Some(&value) = self.requirement_bounds.get(at) else {
                    return check_length("requirement-bounds", 0, requirements);
                };
                check_number("requirement-bounds", at, value, minimum, maximum)?;
            }
        }
        for (at, &weight) in self.requirement_weights.iter().enumerate() {
            check_number("requirement-weights", at, weight, 0.0, f64::INFINITY)?;
        }
        match self.values.iter().position(|&value| value == 0) {
            Some(at) => Err(out_of_range("values", at, 0, 1, u32::MAX.into())),
            None => Ok(()),
        }
    }

    /// Checks the groups, but for the rows of occupants, which a pool knows.
    fn check_groups(&self, shape: Shape) -> Result<(), Error> {
        if !self.group_of.is_empty() {
            check_length("group-of", self.group_of.len(), self.rows.into())?;
        }
        let groups = self.groups.rows;
        match self.group_of.iter().position(|&group| group > groups) {
            Some(at) => Err(out_of_range("group-of", at, self.group_of[at].into(), 0, groups.into())),
            None => self.groups.check(shape, &self.group_of),
        }
    }

    /// The group of a task, as a row of the group table.
    #[inline]
    #[must_use]
    pub fn group(&self, row: usize) -> Option<usize> {
        (self.group_of.get(row).copied().unwrap_or(0) as usize).checked_sub(1)
    }

    /// Whether a requirement is a preference, by its position in the requirement columns.
    #[inline]
    #[must_use]
    pub fn is_preference(&self, requirement: usize) -> bool {
        self.requirement_weights.get(requirement).is_some_and(|weight| weight.is_finite())
    }

    /// The device thousandths that a task asks for.
    #[inline]
    #[must_use]
    pub fn devices(&self, row: usize) -> u32 {
        self.devices.get(row).copied().unwrap_or(0)
    }

    /// The requirements and preferences of a task, as positions in the requirement columns.
    ///
    /// # Panics
    /// Where the table has no such row.
    #[inline]
    #[must_use]
    pub fn requirements(&self, row: usize) -> Range<usize> {
        span(&self.requirement_offsets, row)
    }

    /// Whether two tasks ask the same, their groups aside.
    pub(crate) fn are_equal(&self, a: usize, b: usize, shape: Shape) -> bool {
        let width = shape.dimensions as usize;
        let demand = |row: usize| &self.demand[row * width..(row + 1) * width];
        let [of_a, of_b] = [a, b].map(|row| self.requirements(row));
        demand(a) == demand(b)
            && self.devices(a) == self.devices(b)
            && of_a.len() == of_b.len()
            && of_a.zip(of_b).all(|(a, b)| self.requirement(a) == self.requirement(b))
    }

    /// All of a requirement: two of them are equal where this is.
    pub(crate) fn requirement(&self, requirement: usize) -> (u32, u32, Option<u64>, Option<u64>, &[u32]) {
        let bits = |column: &[f64]| column.get(requirement).map(|number| number.to_bits());
        (
            self.requirement_kinds[requirement],
            self.requirement_subjects[requirement],
            bits(&self.requirement_bounds),
            bits(&self.requirement_weights),
            self.values(requirement),
        )
    }

    /// The set of values of a requirement, by its position in the requirement columns.
    ///
    /// # Panics
    /// Where the table has no such requirement.
    #[inline]
    #[must_use]
    pub fn values(&self, requirement: usize) -> &[u32] {
        &self.values[span(&self.value_offsets, requirement)]
    }
}

impl Workload {
    /// Checks a workload for pools of this shape.
    ///
    /// # Errors
    /// As [`TaskTable::check`], and [`Error::BadNumber`] for the shares.
    pub fn check(&self, shape: Shape) -> Result<(), Error> {
        self.tasks.check(shape)?;
        if let Some(at) = self.tasks.group_of.iter().position(|&group| group > 0) {
            return Err(out_of_range("group-of", at, self.tasks.group_of[at].into(), 0, 0));
        }
        check_length("shares", self.shares.len(), self.tasks.rows.into())?;
        let mut sum = 0.0;
        for (at, &share) in self.shares.iter().enumerate() {
            check_number("shares", at, share, 0.0, f64::MAX)?;
            sum += share;
        }
        match self.shares.len() {
            0 => Ok(()),
            rows => check_number("shares", rows - 1, sum, f64::MIN_POSITIVE, f64::MAX),
        }
    }
}

impl Changes {
    /// Checks the changes for a pool that has this many rows.
    ///
    /// # Errors
    /// As [`OfferTable::check`], and [`Error::RepeatedRow`].
    pub fn check(&self, shape: Shape, rows: usize) -> Result<(), Error> {
        self.changed.check(shape)?;
        self.added.check(shape)?;
        check_length("changed-rows", self.changed_rows.len(), self.changed.rows.into())?;
        check_rows(rows as u64 + u64::from(self.added.rows))?;
        for (column, named) in [("removed", &self.removed), ("changed-rows", &self.changed_rows)] {
            if let Some(at) = named.iter().position(|&row| row as usize >= rows) {
                return Err(out_of_range(column, at, named[at].into(), 0, (rows as u64).saturating_sub(1)));
            }
        }
        let mut named: Vec<u32> = self.removed.iter().chain(&self.changed_rows).copied().collect();
        named.sort_unstable();
        if let Some(pair) = named.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(Error::RepeatedRow(pair[0]));
        }
        self.workload.as_ref().map_or(Ok(()), |workload| workload.check(shape))
    }
}
