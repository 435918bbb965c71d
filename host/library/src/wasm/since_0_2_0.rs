//! Contract 0.2.0 and the model: the adapter of matchers that were built before 0.3.0. They serve
//! no rule, so that a host gives them tables without any; no limit of score is the largest double there is. Columns are
//! lent, never copied, but for what 0.3.0 writes in another way.

use offermatch_core::{Assignments, Changes, FirstFailures, Kind, Mode, OfferTable, Settings, Shape, TaskTable};

use crate::pool::description::Description;
use crate::wasm::bindings::since_0_2_0::exports::offermatch::matcher::matching as contract;
use crate::wasm::refusal::{Refusal, Refused};

/// A shape for the contract.
pub(super) fn shape(shape: Shape) -> contract::Shape {
    contract::Shape { dimensions: shape.dimensions, attributes: shape.attributes }
}

/// A mode for the contract.
fn mode(mode: Mode) -> contract::Mode {
    match mode {
        Mode::Exclusive => contract::Mode::Exclusive,
        Mode::Shared => contract::Mode::Shared,
    }
}

/// A mode of the contract.
fn model_mode(mode: contract::Mode) -> Mode {
    match mode {
        contract::Mode::Exclusive => Mode::Exclusive,
        contract::Mode::Shared => Mode::Shared,
    }
}

/// Settings for the contract.
pub(super) fn settings(settings: &Settings) -> contract::Settings<'_> {
    contract::Settings {
        mode: mode(settings.mode),
        max_score: settings.max_score.unwrap_or(f64::MAX),
        weights: &settings.weights,
        scales: &settings.scales,
    }
}

/// Offers for the contract.
pub(super) fn offers(table: &OfferTable) -> contract::OfferTable<'_> {
    contract::OfferTable {
        rows: table.rows,
        available: &table.available,
        capacity: &table.capacity,
        attributes: &table.attributes,
        device_offsets: &table.devices.offsets,
        device_free: &table.devices.free,
    }
}

/// Whether each requirement of a table excludes its set, for [`tasks`].
pub(super) fn excludes(table: &TaskTable) -> Vec<bool> {
    table.requirement_kinds.iter().map(|&kind| kind == Kind::NotIn as u32).collect()
}

/// Tasks for the contract; `excludes` are the table's.
pub(super) fn tasks<'a>(table: &'a TaskTable, excludes: &'a [bool]) -> contract::TaskTable<'a> {
    contract::TaskTable {
        rows: table.rows,
        demand: &table.demand,
        devices: &table.devices,
        requirement_offsets: &table.requirement_offsets,
        requirement_attributes: &table.requirement_subjects,
        requirement_excludes: excludes,
        value_offsets: &table.value_offsets,
        values: &table.values,
    }
}

/// Changes for the contract.
pub(super) fn changes(changes: &Changes) -> contract::Changes<'_> {
    contract::Changes {
        removed: &changes.removed,
        changed_rows: &changes.changed_rows,
        changed: offers(&changes.changed),
        added: offers(&changes.added),
    }
}

/// Assignments of the contract.
pub(super) fn assignments(answer: contract::Assignments) -> Assignments {
    Assignments { tasks: answer.tasks, offers: answer.offers, scores: answer.scores }
}

/// Explanations of the contract.
pub(super) fn explanations(answer: contract::Explanations) -> FirstFailures {
    FirstFailures {
        by_dimension: answer.by_dimension,
        by_requirement: answer.by_requirement,
        by_devices: answer.by_devices,
        by_score: answer.by_score,
        candidates: answer.candidates,
    }
}

/// A description of the contract.
pub(super) fn description(description: contract::Description) -> Description {
    Description {
        name: description.name,
        version: description.version,
        policy: description.policy,
        contract: description.contract,
        modes: description.modes.into_iter().map(model_mode).collect(),
        rules: Vec::new(),
        parameters: Vec::new(),
    }
}

impl From<contract::Error> for Refused {
    fn from(error: contract::Error) -> Self {
        let (case, text_bytes) = match &error {
            contract::Error::TooManyRows(rows) => {
                return Self::new(Refusal::TooManyRows { asked: rows.asked, limit: rows.limit });
            }
            contract::Error::UnsupportedMode(mode) => return Self::new(Refusal::UnsupportedMode(model_mode(*mode))),
            contract::Error::ColumnLength(length) => ("column-length", length.column.len()),
            contract::Error::OutOfRange(cell) => ("out-of-range", cell.column.len()),
            contract::Error::BrokenDevices(cell) => ("broken-devices", cell.column.len()),
            contract::Error::BadSetting(setting) => ("bad-setting", setting.setting.len()),
            contract::Error::RepeatedRow(_) => ("repeated-row", 0),
        };
        Self { refusal: Refusal::Unfounded { case, reason: error.to_string() }, text_bytes }
    }
}
