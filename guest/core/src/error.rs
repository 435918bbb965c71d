//! Why a call is refused.

use core::fmt;

use crate::mode::Mode;

/// A number that does not belong where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell {
    /// The column, by its name in the contract.
    pub column: &'static str,
    /// The row, or the position in a flat column.
    pub row: u32,
    /// What was found.
    pub value: u64,
    /// The least that may stand there.
    pub minimum: u64,
    /// The most that may stand there.
    pub maximum: u64,
}

/// Why a call is refused. A refused call leaves the pool as it was.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Error {
    /// A column has not the length that the table's rows and the pool's shape ask for.
    ColumnLength {
        /// The column, by its name in the contract.
        column: &'static str,
        /// How many numbers it should have.
        expected: u64,
        /// How many it has.
        found: u64,
    },
    /// A number is out of its range.
    OutOfRange(Cell),
    /// A task asks for more than one device but not for whole ones.
    BrokenDevices(Cell),
    /// A weight or the maximal score is not finite or is negative.
    BadSetting {
        /// The setting, by its name in the contract.
        setting: &'static str,
        /// The position in the setting, 0 where it is a single number.
        position: u32,
        /// What was found.
        value: f64,
    },
    /// A bound, the weight of a preference, a share or a parameter is out of its range.
    BadNumber {
        /// The column, by its name in the contract.
        column: &'static str,
        /// The position in the column.
        row: u32,
        /// What was found.
        value: f64,
        /// The least that may stand there.
        minimum: f64,
        /// The most that may stand there.
        maximum: f64,
    },
    /// A row is named twice in one update.
    RepeatedRow(u32),
    /// The policy does not have this mode.
    UnsupportedMode(Mode),
    /// More rows than a pool or a task table takes.
    TooManyRows {
        /// How many rows there would be.
        asked: u64,
        /// How many there may be.
        limit: u64,
    },
}

impl Error {
    /// The same error for contract 0.2.0, which has the attribute of each requirement and whether it excludes.
    #[must_use]
    pub fn with_columns_of_0_2_0(self) -> Self {
        let renamed = |column| match column {
            "requirement-subjects" => "requirement-attributes",
            "requirement-kinds" => "requirement-excludes",
            other => other,
        };
        match self {
            Self::ColumnLength { column, expected, found } => {
                Self::ColumnLength { column: renamed(column), expected, found }
            }
            Self::OutOfRange(cell) => Self::OutOfRange(Cell { column: renamed(cell.column), ..cell }),
            other => other,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ColumnLength { column, expected, found } => {
                write!(f, "column {column} has {found} numbers, not {expected}")
            }
            Self::OutOfRange(Cell { column, row, value, minimum, maximum }) => {
                write!(f, "column {column}, row {row}: {value} is not within {minimum}..={maximum}")
            }
            Self::BrokenDevices(Cell { row, value, .. }) => write!(
                f,
                "task {row} asks for {value} thousandths of a device: a share is 1 to 999, whole devices a multiple of 1000"
            ),
            Self::BadSetting { setting, position, value } => {
                write!(f, "setting {setting}[{position}] is {value}, not finite or below zero")
            }
            Self::BadNumber { column, row, value, minimum, maximum } => {
                write!(f, "column {column}, row {row}: {value} is not within {minimum}..={maximum}")
            }
            Self::RepeatedRow(row) => write!(f, "row {row} is named twice in one update"),
            Self::UnsupportedMode(mode) => write!(f, "this policy has no {mode} mode"),
            Self::TooManyRows { asked, limit } => write!(f, "{asked} rows are more than the limit of {limit}"),
        }
    }
}

impl core::error::Error for Error {}
