//! The types of contract 0.2.0 as the core's, and back.

use alloc::borrow::ToOwned;
use alloc::vec;

use offermatch_core as core;

use crate::bindings;
use crate::bindings::exports::offermatch::matcher::matching;

/// What a matcher of this name and version says of itself.
pub(crate) fn describe<P: core::Policy>(name: &str, version: &str) -> matching::Description {
    matching::Description {
        name: name.to_owned(),
        version: version.to_owned(),
        policy: P::NAME.to_owned(),
        contract: bindings::CONTRACT.to_owned(),
        modes: vec![matching::Mode::Exclusive, matching::Mode::Shared],
    }
}

/// Why tasks find, or do not find, an offer.
pub(crate) fn explain<P: core::Policy>(
    pool: &mut core::Pool<P>,
    tasks: &core::TaskTable,
) -> Result<core::FirstFailures, core::Error> {
    pool.first_failures(tasks)
}

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
            max_score: Some(settings.max_score),
            weights: settings.weights,
            scales: settings.scales,
            // By this contract they stay as they were when the pool was opened.
            raise_scales: false,
            ..Self::default()
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
            devices: core::Devices { offsets: offers.device_offsets, free: offers.device_free },
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
            workload: None,
        }
    }
}

impl From<core::Assignments> for matching::Assignments {
    fn from(assignments: core::Assignments) -> Self {
        Self { tasks: assignments.tasks, offers: assignments.offers, scores: assignments.scores }
    }
}

impl From<core::FirstFailures> for matching::Explanations {
    fn from(explanations: core::FirstFailures) -> Self {
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
        match error.with_columns_of_0_2_0() {
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
