//! The contract's types as the core's, and back. Columns move; nothing is copied.

use alloc::borrow::ToOwned;
use alloc::vec::Vec;

use offermatch_core as core;

use crate::bindings::exports::offermatch::matcher::{matching, packed};
use crate::digits::{decode, encode};

impl From<matching::Shape> for core::Shape {
    fn from(shape: matching::Shape) -> Self {
        Self { dimensions: shape.dimensions, attributes: shape.attributes, ..Self::default() }
    }
}

impl From<matching::Mode> for core::Mode {
    fn from(mode: matching::Mode) -> Self {
        match mode {
            matching::Mode::Exclusive => Self::Exclusive,
            matching::Mode::Shared => Self::Shared,
        }
    }
}

impl From<core::Mode> for matching::Mode {
    fn from(mode: core::Mode) -> Self {
        match mode {
            core::Mode::Exclusive => Self::Exclusive,
            core::Mode::Shared => Self::Shared,
        }
    }
}

impl From<matching::Settings> for core::Settings {
    fn from(settings: matching::Settings) -> Self {
        Self {
            mode: settings.mode.into(),
            max_score: settings.max_score,
            weights: settings.weights,
            scales: settings.scales,
            // By this contract they stay as they were when the pool was opened.
            raise_scales: false,
        }
    }
}

impl From<matching::OfferTable> for core::OfferTable {
    fn from(offers: matching::OfferTable) -> Self {
        Self {
            rows: offers.rows,
            available: offers.available,
            capacity: offers.capacity,
            attributes: offers.attributes,
            device_offsets: offers.device_offsets,
            device_free: offers.device_free,
            ..Self::default()
        }
    }
}

impl From<matching::TaskTable> for core::TaskTable {
    fn from(tasks: matching::TaskTable) -> Self {
        Self {
            rows: tasks.rows,
            demand: tasks.demand,
            devices: tasks.devices,
            requirement_offsets: tasks.requirement_offsets,
            requirement_subjects: tasks.requirement_attributes,
            requirement_kinds: tasks.requirement_excludes.into_iter().map(u32::from).collect(),
            value_offsets: tasks.value_offsets,
            values: tasks.values,
            ..Self::default()
        }
    }
}

impl From<matching::Changes> for core::Changes {
    fn from(changes: matching::Changes) -> Self {
        Self {
            removed: changes.removed,
            changed_rows: changes.changed_rows,
            changed: changes.changed.into(),
            added: changes.added.into(),
        }
    }
}

impl From<core::Assignments> for matching::Assignments {
    fn from(assignments: core::Assignments) -> Self {
        Self { tasks: assignments.tasks, offers: assignments.offers, scores: assignments.scores }
    }
}

impl From<core::Explanations> for matching::Explanations {
    fn from(explanations: core::Explanations) -> Self {
        Self {
            by_dimension: explanations.by_dimension,
            by_requirement: explanations.by_requirement,
            by_devices: explanations.by_devices,
            by_score: explanations.by_score,
            candidates: explanations.candidates,
        }
    }
}

impl From<core::Error> for matching::Error {
    fn from(error: core::Error) -> Self {
        match error {
            core::Error::ColumnLength { column, expected, found } => {
                Self::ColumnLength(matching::ColumnLength { column: column.to_owned(), expected, found })
            }
            core::Error::OutOfRange(cell) => Self::OutOfRange(cell.into()),
            core::Error::BrokenDevices(cell) => Self::BrokenDevices(cell.into()),
            core::Error::BadSetting { setting, position, value } => {
                Self::BadSetting(matching::BadSetting { setting: setting.to_owned(), position, value })
            }
            // Without measures, preferences and parameters there is none.
            core::Error::BadNumber { column, row, value, .. } => {
                Self::BadSetting(matching::BadSetting { setting: column.to_owned(), position: row, value })
            }
            core::Error::RepeatedRow(row) => Self::RepeatedRow(row),
            core::Error::UnsupportedMode(mode) => Self::UnsupportedMode(mode.into()),
            core::Error::TooManyRows { asked, limit } => Self::TooManyRows(matching::RowLimit { asked, limit }),
        }
    }
}

impl From<core::Cell> for matching::Cell {
    fn from(cell: core::Cell) -> Self {
        Self {
            column: cell.column.to_owned(),
            row: cell.row,
            value: cell.value,
            minimum: cell.minimum,
            maximum: cell.maximum,
        }
    }
}

impl TryFrom<packed::PackedOffers> for core::OfferTable {
    type Error = core::Error;

    fn try_from(offers: packed::PackedOffers) -> Result<Self, core::Error> {
        Ok(Self {
            rows: offers.rows,
            available: decode("available", &offers.available)?,
            capacity: decode("capacity", &offers.capacity)?,
            attributes: decode("attributes", &offers.attributes)?,
            device_offsets: decode("device-offsets", &offers.device_offsets)?,
            device_free: decode("device-free", &offers.device_free)?,
            ..Self::default()
        })
    }
}

impl TryFrom<packed::PackedTasks> for core::TaskTable {
    type Error = core::Error;

    fn try_from(tasks: packed::PackedTasks) -> Result<Self, core::Error> {
        Ok(Self {
            rows: tasks.rows,
            demand: decode("demand", &tasks.demand)?,
            devices: decode("devices", &tasks.devices)?,
            requirement_offsets: decode("requirement-offsets", &tasks.requirement_offsets)?,
            requirement_subjects: decode("requirement-attributes", &tasks.requirement_attributes)?,
            requirement_kinds: booleans("requirement-excludes", &tasks.requirement_excludes)?,
            value_offsets: decode("value-offsets", &tasks.value_offsets)?,
            values: decode("values", &tasks.values)?,
            ..Self::default()
        })
    }
}

/// A column of numbers that are 0 or 1.
fn booleans(column: &'static str, digits: &str) -> Result<Vec<u32>, core::Error> {
    let numbers: Vec<u32> = decode(column, digits)?;
    match numbers.iter().position(|&number| number > 1) {
        Some(at) => {
            let (row, value) = (at as u32, numbers[at].into());
            Err(core::Error::OutOfRange(core::Cell { column, row, value, minimum: 0, maximum: 1 }))
        }
        None => Ok(numbers),
    }
}

impl From<core::Assignments> for packed::PackedAssignments {
    fn from(assignments: core::Assignments) -> Self {
        let bits: Vec<u64> = assignments.scores.iter().map(|score| score.to_bits()).collect();
        Self { tasks: encode(&assignments.tasks), offers: encode(&assignments.offers), scores: encode(&bits) }
    }
}
