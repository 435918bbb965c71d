//! The contract's types as the core's, and back.

use alloc::borrow::ToOwned;

use offermatch_core as core;

use crate::bindings::exports::offermatch::matcher::matching as contract;

/// A shape.
pub(crate) fn shape(shape: contract::Shape) -> core::Shape {
    core::Shape { dimensions: shape.dimensions, attributes: shape.attributes, ..core::Shape::default() }
}

/// Settings.
pub(crate) fn settings(settings: contract::Settings) -> core::Settings {
    core::Settings {
        mode: match settings.mode {
            contract::Mode::Exclusive => core::Mode::Exclusive,
            contract::Mode::Shared => core::Mode::Shared,
        },
        max_score: Some(settings.max_score),
        weights: settings.weights,
        scales: settings.scales,
        raise_scales: false,
        ..core::Settings::default()
    }
}

/// Offers.
pub(crate) fn offers(offers: contract::OfferTable) -> core::OfferTable {
    core::OfferTable {
        rows: offers.rows,
        available: offers.available,
        capacity: offers.capacity,
        attributes: offers.attributes,
        device_offsets: offers.device_offsets,
        device_free: offers.device_free,
        ..core::OfferTable::default()
    }
}

/// Tasks.
pub(crate) fn tasks(tasks: contract::TaskTable) -> core::TaskTable {
    core::TaskTable {
        rows: tasks.rows,
        demand: tasks.demand,
        devices: tasks.devices,
        requirement_offsets: tasks.requirement_offsets,
        requirement_subjects: tasks.requirement_attributes,
        requirement_kinds: tasks.requirement_excludes.into_iter().map(u32::from).collect(),
        value_offsets: tasks.value_offsets,
        values: tasks.values,
        ..core::TaskTable::default()
    }
}

/// Changes.
pub(crate) fn changes(changes: contract::Changes) -> core::Changes {
    core::Changes {
        removed: changes.removed,
        changed_rows: changes.changed_rows,
        changed: offers(changes.changed),
        added: offers(changes.added),
        workload: None,
    }
}

/// Assignments.
pub(crate) fn assignments(answer: core::Assignments) -> contract::Assignments {
    contract::Assignments { tasks: answer.tasks, offers: answer.offers, scores: answer.scores }
}

/// Explanations.
pub(crate) fn explanations(answer: core::FirstFailures) -> contract::Explanations {
    contract::Explanations {
        by_dimension: answer.by_dimension,
        by_requirement: answer.by_requirement,
        by_devices: answer.by_devices,
        by_score: answer.by_score,
        candidates: answer.candidates,
    }
}

/// A refusal.
pub(crate) fn error(error: core::Error) -> contract::Error {
    match error.with_columns_of_0_2_0() {
        core::Error::ColumnLength { column, expected, found } => {
            contract::Error::ColumnLength(contract::ColumnLength { column: column.to_owned(), expected, found })
        }
        core::Error::OutOfRange(found) => contract::Error::OutOfRange(cell(found)),
        core::Error::BrokenDevices(found) => contract::Error::BrokenDevices(cell(found)),
        core::Error::BadSetting { setting, position, value } => {
            contract::Error::BadSetting(contract::BadSetting { setting: setting.to_owned(), position, value })
        }
        core::Error::BadNumber { column, row, value, .. } => {
            contract::Error::BadSetting(contract::BadSetting { setting: column.to_owned(), position: row, value })
        }
        core::Error::RepeatedRow(row) => contract::Error::RepeatedRow(row),
        core::Error::UnsupportedMode(core::Mode::Exclusive) => {
            contract::Error::UnsupportedMode(contract::Mode::Exclusive)
        }
        core::Error::UnsupportedMode(core::Mode::Shared) => contract::Error::UnsupportedMode(contract::Mode::Shared),
        core::Error::TooManyRows { asked, limit } => contract::Error::TooManyRows(contract::RowLimit { asked, limit }),
    }
}

/// A number that does not belong where it stands.
fn cell(cell: core::Cell) -> contract::Cell {
    contract::Cell {
        column: cell.column.to_owned(),
        row: cell.row,
        value: cell.value,
        minimum: cell.minimum,
        maximum: cell.maximum,
    }
}
