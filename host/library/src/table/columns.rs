//! Checks of columns that somebody else has built.

use offermatch_core::{Cell, Error as Refusal};

use crate::error::{Error, Place};
use crate::remedy;

/// Refuses a column that has not the expected length.
pub(crate) fn check_length(column: &str, found: usize, expected: usize) -> Result<(), Error> {
    if found == expected {
        return Ok(());
    }
    Err(Error::ColumnLength { column: column.to_owned(), expected: expected as u64, found: found as u64 })
}

/// Refuses names that are not one for each row.
pub(crate) fn check_names(names: &[String], rows: u32) -> Result<(), Error> {
    check_length("name", names.len(), rows as usize)
}

/// Why columns from `source` are refused.
pub(crate) fn refused(refusal: Refusal, source: &str) -> Error {
    let place = |cell: &Cell| {
        let column = cell.column.to_owned();
        Box::new(Place { source: source.to_owned(), row: Some(cell.row as usize), name: None, column })
    };
    let refusal = refusal.with_columns_of_0_2_0();
    match &refusal {
        Refusal::ColumnLength { column, expected, found } => {
            Error::ColumnLength { column: (*column).to_owned(), expected: *expected, found: *found }
        }
        Refusal::OutOfRange(cell) if cell.column == "available" => {
            Error::CapacityExceeded { place: place(cell), available: cell.value, capacity: cell.maximum }
        }
        Refusal::OutOfRange(cell) if cell.column == "device-free" => Error::DevicesMalformed {
            place: place(cell),
            reason: format!("{} free thousandths cannot be", cell.value),
            hint: remedy::FREE_THOUSANDTHS,
        },
        Refusal::BrokenDevices(cell) => Error::DevicesMalformed {
            place: place(cell),
            reason: format!("{} thousandths cannot be", cell.value),
            hint: "a share is 1 to 999 thousandths, whole devices are a multiple of 1000",
        },
        Refusal::OutOfRange(cell) => Error::ValueOutOfRange {
            place: place(cell),
            value: cell.value,
            minimum: cell.minimum,
            maximum: cell.maximum,
        },
        Refusal::TooManyRows { asked, limit } => Error::TooManyRows { asked: *asked, limit: *limit },
        other => Error::SettingMalformed {
            setting: source.to_owned(),
            message: other.to_string(),
            hint: "use a matcher that serves it".to_owned(),
        },
    }
}
