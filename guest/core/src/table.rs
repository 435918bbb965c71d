//! Tables of offers and tasks, as columns, and the checks that make them safe to index.

use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;

use crate::error::{Cell, Error};

/// The most rows of a pool, and of one task table.
pub const MAX_ROWS: u64 = 1 << 24;
/// Thousandths of a whole device.
pub const WHOLE: u32 = 1000;

/// How many columns the tables of a pool have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Shape {
    /// Resource dimensions.
    pub dimensions: u32,
    /// Attributes.
    pub attributes: u32,
}

/// Offers, one row each. Plain columns: [`OfferTable::check`] says whether they fit together.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OfferTable {
    /// How many offers.
    pub rows: u32,
    /// What is free: `rows x dimensions`, row by row.
    pub available: Vec<u64>,
    /// What there is in all: `rows x dimensions`, row by row. Empty: the same as `available`.
    pub capacity: Vec<u64>,
    /// Interned attribute values: `rows x attributes`, row by row. Zero is unset.
    pub attributes: Vec<u32>,
    /// Where each offer's devices begin in `device_free`: `rows + 1` numbers. Empty: no offer has a device.
    pub device_offsets: Vec<u32>,
    /// The free thousandths of each device, 0 to 1000.
    pub device_free: Vec<u32>,
}

/// Tasks, one row each, in the order in which they are placed. Plain columns: [`TaskTable::check`] says whether they fit
/// together.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TaskTable {
    /// How many tasks.
    pub rows: u32,
    /// What is asked: `rows x dimensions`, row by row.
    pub demand: Vec<u64>,
    /// Device thousandths asked, one number a task: 0, a share of 1 to 999, or a multiple of 1000. Empty: no devices.
    pub devices: Vec<u32>,
    /// Where each task's requirements begin: `rows + 1` numbers. Empty: no requirements.
    pub requirement_offsets: Vec<u32>,
    /// The attribute of each requirement.
    pub requirement_attributes: Vec<u32>,
    /// Whether each requirement holds when the value is not in the set.
    pub requirement_excludes: Vec<bool>,
    /// Where each requirement's set begins in `values`: one number more than there are requirements.
    pub value_offsets: Vec<u32>,
    /// The interned values of the sets, never zero.
    pub values: Vec<u32>,
}

/// What has happened to the offers of a pool. Applied in the order of the fields.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changes {
    /// Rows that leave the list, each by swap-remove.
    pub removed: Vec<u32>,
    /// Rows that get the values of `changed`.
    pub changed_rows: Vec<u32>,
    /// The new values of `changed_rows`.
    pub changed: OfferTable,
    /// New offers, for the end of the list.
    pub added: OfferTable,
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
        check_offsets("device-offsets", &self.device_offsets, rows, "device-free", self.device_free.len())?;
        match self.device_free.iter().position(|&free| free > WHOLE) {
            Some(at) => Err(out_of_range("device-free", at, self.device_free[at].into(), 0, WHOLE.into())),
            None => Ok(()),
        }
    }

    /// The free thousandths of one offer's devices.
    pub(crate) fn devices(&self, row: usize) -> &[u32] {
        &self.device_free[span(&self.device_offsets, row)]
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
        let requirements = self.requirement_attributes.len();
        check_offsets("requirement-offsets", &self.requirement_offsets, rows, "requirement-attributes", requirements)?;
        check_length("requirement-excludes", self.requirement_excludes.len(), requirements as u64)?;
        check_offsets("value-offsets", &self.value_offsets, requirements as u64, "values", self.values.len())?;
        let known = |attribute: &u32| *attribute >= shape.attributes;
        if let Some(at) = self.requirement_attributes.iter().position(known) {
            let value = self.requirement_attributes[at].into();
            let maximum = shape.attributes.saturating_sub(1).into();
            return Err(out_of_range("requirement-attributes", at, value, 0, maximum));
        }
        match self.values.iter().position(|&value| value == 0) {
            Some(at) => Err(out_of_range("values", at, 0, 1, u32::MAX.into())),
            None => Ok(()),
        }
    }

    /// The device thousandths that a task asks for.
    pub(crate) fn devices(&self, row: usize) -> u32 {
        self.devices.get(row).copied().unwrap_or(0)
    }

    /// The requirements of a task, as positions in the requirement columns.
    pub(crate) fn requirements(&self, row: usize) -> Range<usize> {
        span(&self.requirement_offsets, row)
    }

    /// The set of values of a requirement.
    pub(crate) fn values(&self, requirement: usize) -> &[u32] {
        &self.values[span(&self.value_offsets, requirement)]
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
        match named.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(Error::RepeatedRow(pair[0])),
            None => Ok(()),
        }
    }
}

/// Refuses more rows than [`MAX_ROWS`].
fn check_rows(asked: u64) -> Result<(), Error> {
    if asked > MAX_ROWS { Err(Error::TooManyRows { asked, limit: MAX_ROWS }) } else { Ok(()) }
}

/// Refuses a column that has not the expected length.
pub(crate) fn check_length(column: &'static str, found: usize, expected: u64) -> Result<(), Error> {
    let found = found as u64;
    if found == expected { Ok(()) } else { Err(Error::ColumnLength { column, expected, found }) }
}

/// Refuses offsets that fall, begin above zero or do not end at the length of their column. No offsets at all stand for
/// rows that are all empty.
fn check_offsets(
    column: &'static str,
    offsets: &[u32],
    rows: u64,
    flat_column: &'static str,
    flat: usize,
) -> Result<(), Error> {
    if offsets.is_empty() {
        return check_length(flat_column, flat, 0);
    }
    check_length(column, offsets.len(), rows + 1)?;
    let mut least = 0;
    let mut most = 0;
    for (at, &offset) in offsets.iter().enumerate() {
        if offset < least || offset > most {
            return Err(out_of_range(column, at, offset.into(), least.into(), most.into()));
        }
        (least, most) = (offset, u32::MAX);
    }
    check_length(flat_column, flat, least.into())
}

/// The part of a flat column that belongs to a row.
fn span(offsets: &[u32], row: usize) -> Range<usize> {
    if offsets.is_empty() { 0..0 } else { offsets[row] as usize..offsets[row + 1] as usize }
}

/// A cell, from a position that a check of the rows has found to fit.
fn cell(column: &'static str, row: usize, value: u64, minimum: u64, maximum: u64) -> Cell {
    Cell { column, row: u32::try_from(row).unwrap_or(u32::MAX), value, minimum, maximum }
}

/// The error of a number out of its range.
fn out_of_range(column: &'static str, row: usize, value: u64, minimum: u64, maximum: u64) -> Error {
    Error::OutOfRange(cell(column, row, value, minimum, maximum))
}

/// `values` as a column, or `rows` times `default` where it is empty.
pub(crate) fn or_default<T: Clone>(values: &[T], default: T, rows: usize) -> Vec<T> {
    if values.is_empty() { vec![default; rows] } else { values.to_vec() }
}
