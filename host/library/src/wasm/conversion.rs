//! The one place that maps the contract to the model and back. Columns are lent, never copied.

use offermatch_core::{
    Assignments, Changes, FirstFailures as Explanations, Kind, Mode, OfferTable, Settings, Shape, TaskTable,
};

use crate::pool::description::Description;
use crate::wasm::bindings::exports::offermatch::matcher::matching as contract;

/// A shape for the contract.
pub(crate) fn shape(shape: Shape) -> contract::Shape {
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
pub(crate) fn settings(settings: &Settings) -> contract::Settings<'_> {
    contract::Settings {
        mode: mode(settings.mode),
        max_score: settings.max_score.unwrap_or(f64::MAX),
        weights: &settings.weights,
        scales: &settings.scales,
    }
}

/// Offers for the contract.
pub(crate) fn offers(table: &OfferTable) -> contract::OfferTable<'_> {
    contract::OfferTable {
        rows: table.rows,
        available: &table.available,
        capacity: &table.capacity,
        attributes: &table.attributes,
        device_offsets: &table.device_offsets,
        device_free: &table.device_free,
    }
}

/// Whether each requirement of a table excludes its set, for [`tasks`].
pub(crate) fn excludes(table: &TaskTable) -> Vec<bool> {
    table.requirement_kinds.iter().map(|&kind| kind == Kind::NotIn as u32).collect()
}

/// Tasks for the contract; `excludes` are the table's.
pub(crate) fn tasks<'a>(table: &'a TaskTable, excludes: &'a [bool]) -> contract::TaskTable<'a> {
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
pub(crate) fn changes(changes: &Changes) -> contract::Changes<'_> {
    contract::Changes {
        removed: &changes.removed,
        changed_rows: &changes.changed_rows,
        changed: offers(&changes.changed),
        added: offers(&changes.added),
    }
}

/// Assignments of the contract.
pub(crate) fn assignments(answer: contract::Assignments) -> Assignments {
    Assignments { tasks: answer.tasks, offers: answer.offers, scores: answer.scores }
}

/// Explanations of the contract.
pub(crate) fn explanations(answer: contract::Explanations) -> Explanations {
    Explanations {
        by_dimension: answer.by_dimension,
        by_requirement: answer.by_requirement,
        by_devices: answer.by_devices,
        by_score: answer.by_score,
        candidates: answer.candidates,
    }
}

/// A description of the contract.
pub(crate) fn description(description: contract::Description) -> Description {
    Description {
        name: description.name,
        version: description.version,
        policy: description.policy,
        contract: description.contract,
        modes: description.modes.into_iter().map(model_mode).collect(),
    }
}

/// Why a matcher refuses a call. The host has checked its tables, so most refusals say more about the matcher than about
/// the tables.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Refusal {
    /// More rows than the matcher takes.
    TooManyRows {
        /// How many there would be.
        asked: u64,
        /// How many there may be.
        limit: u64,
    },
    /// A mode that the matcher does not have.
    UnsupportedMode(Mode),
    /// It finds something wrong with tables that the host has found right.
    Unfounded {
        /// The contract's name of the error.
        case: &'static str,
        /// What the matcher says.
        reason: String,
    },
}

impl Refusal {
    /// The contract's name of the error.
    pub(crate) fn case(&self) -> &'static str {
        match self {
            Self::TooManyRows { .. } => "too-many-rows",
            Self::UnsupportedMode(_) => "unsupported-mode",
            Self::Unfounded { case, .. } => case,
        }
    }
}

impl From<contract::Error> for Refusal {
    fn from(error: contract::Error) -> Self {
        match error {
            contract::Error::TooManyRows(rows) => Self::TooManyRows { asked: rows.asked, limit: rows.limit },
            contract::Error::UnsupportedMode(mode) => Self::UnsupportedMode(model_mode(mode)),
            other => {
                let case = match &other {
                    contract::Error::ColumnLength(_) => "column-length",
                    contract::Error::OutOfRange(_) => "out-of-range",
                    contract::Error::BrokenDevices(_) => "broken-devices",
                    contract::Error::BadSetting(_) => "bad-setting",
                    _ => "repeated-row",
                };
                Self::Unfounded { case, reason: other.to_string() }
            }
        }
    }
}

impl From<offermatch_core::Error> for Refusal {
    fn from(error: offermatch_core::Error) -> Self {
        match error.with_columns_of_0_2_0() {
            offermatch_core::Error::TooManyRows { asked, limit } => Self::TooManyRows { asked, limit },
            offermatch_core::Error::UnsupportedMode(mode) => Self::UnsupportedMode(mode),
            other => {
                let case = match &other {
                    offermatch_core::Error::ColumnLength { .. } => "column-length",
                    offermatch_core::Error::OutOfRange(_) => "out-of-range",
                    offermatch_core::Error::BrokenDevices(_) => "broken-devices",
                    offermatch_core::Error::BadSetting { .. } => "bad-setting",
                    offermatch_core::Error::BadNumber { .. } => "bad-number",
                    _ => "repeated-row",
                };
                Self::Unfounded { case, reason: other.to_string() }
            }
        }
    }
}
