//! How columns lie beside each other, and the checks that make them safe to index.

use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;

use crate::error::{Cell, Error};

/// The most rows of a pool, and of one task table.
pub const MAX_ROWS: u64 = 1 << 24;

/// How many columns the tables of a pool have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Shape {
    /// Resource dimensions.
    pub dimensions: u32,
    /// Attributes.
    pub attributes: u32,
    /// Measures.
    pub measures: u32,
}

/// Refuses a double that is NaN or out of its range.
pub(crate) fn check_number(
    column: &'static str,
    at: usize,
    value: f64,
    minimum: f64,
    maximum: f64,
) -> Result<(), Error> {
    if value >= minimum && value <= maximum {
        return Ok(());
    }
    Err(Error::BadNumber { column, row: u32::try_from(at).unwrap_or(u32::MAX), value, minimum, maximum })
}

/// Refuses more rows than [`MAX_ROWS`].
pub(crate) fn check_rows(asked: u64) -> Result<(), Error> {
    if asked > MAX_ROWS { Err(Error::TooManyRows { asked, limit: MAX_ROWS }) } else { Ok(()) }
}

/// Refuses a column that has not the expected length.
pub(crate) fn check_length(column: &'static str, found: usize, expected: u64) -> Result<(), Error> {
    let found = found as u64;
    if found == expected { Ok(()) } else { Err(Error::ColumnLength { column, expected, found }) }
}

/// Refuses offsets that fall, begin above zero or do not end at the length of their column. No offsets at all stand for
/// rows that are all empty.
pub(crate) fn check_offsets(
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
#[inline]
pub(crate) fn span(offsets: &[u32], row: usize) -> Range<usize> {
    if offsets.is_empty() { 0..0 } else { offsets[row] as usize..offsets[row + 1] as usize }
}

/// A cell, from a position that a check of the rows has found to fit.
pub(crate) fn cell(column: &'static str, row: usize, value: u64, minimum: u64, maximum: u64) -> Cell {
    Cell { column, row: u32::try_from(row).unwrap_or(u32::MAX), value, minimum, maximum }
}

/// The error of a number out of its range.
pub(crate) fn out_of_range(column: &'static str, row: usize, value: u64, minimum: u64, maximum: u64) -> Error {
    Error::OutOfRange(cell(column, row, value, minimum, maximum))
}

/// `values` as a column, or `rows` times `default` where it is empty.
pub(crate) fn or_default<T: Clone>(values: &[T], default: T, rows: usize) -> Vec<T> {
    if values.is_empty() { vec![default; rows] } else { values.to_vec() }
}
