//! The contract's types as the core's, and back. Columns move; nothing is copied.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::vec;

use offermatch_core as core;

use crate::bindings;
use crate::bindings::exports::offermatch::matcher::matching;

/// What a matcher of this name and version says of itself.
pub(crate) fn describe<P: core::Policy>(name: &str, version: &str) -> matching::Description {
    let parameter = |parameter: &core::Parameter| matching::Parameter {
        name: parameter.name.to_owned(),
        default: parameter.default,
        minimum: parameter.minimum,
        maximum: parameter.maximum,
    };
    use matching::Rule::{Groups, Measures, Preferences, Workload};
    matching::Description {
        name: name.to_owned(),
        version: version.to_owned(),
        policy: P::NAME.to_owned(),
        contract: bindings::CONTRACT.to_owned(),
        modes: vec![matching::Mode::Exclusive, matching::Mode::Shared],
        rules: vec![Measures, Preferences, Groups, Workload],
        parameters: P::PARAMETERS.iter().chain([&core::Parameter::USED_FIRST]).map(parameter).collect(),
    }
}

/// Why tasks find, or do not find, an offer.
pub(crate) fn explain<P: core::Policy>(
    pool: &mut core::Pool<P>,
    tasks: &core::TaskTable,
) -> Result<core::Explanations, core::Error> {
    pool.explain(tasks)
}

impl From<matching::Shape> for core::Shape {
    fn from(shape: matching::Shape) -> Self {
        Self { dimensions: shape.dimensions, attributes: shape.attributes, measures: shape.measures }
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
            raise_scales: true,
            parameters: settings.parameters,
            workload: settings.workload.map(Into::into),
        }
    }
}

impl From<matching::Workload> for core::Workload {
    fn from(workload: matching::Workload) -> Self {
        Self { tasks: workload.tasks.into(), shares: workload.shares }
    }
}

impl From<matching::OfferTable> for core::OfferTable {
    fn from(offers: matching::OfferTable) -> Self {
        Self {
            rows: offers.rows,
            available: offers.available,
            capacity: offers.capacity,
            attributes: offers.attributes,
            measures: offers.measures,
            devices: core::Devices { offsets: offers.device_offsets, free: offers.device_free },
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
            requirement_kinds: tasks.requirement_kinds,
            requirement_subjects: tasks.requirement_subjects,
            requirement_bounds: tasks.requirement_bounds,
            requirement_weights: tasks.requirement_weights,
            value_offsets: tasks.value_offsets,
            values: tasks.values,
            group_of: tasks.group_of,
            groups: tasks.groups.into(),
        }
    }
}

impl From<matching::GroupTable> for core::GroupTable {
    fn from(groups: matching::GroupTable) -> Self {
        Self {
            rows: groups.rows,
            least: groups.least,
            together: groups.together,
            limit_offsets: groups.limit_offsets,
            limit_attributes: groups.limit_attributes,
            limit_counts: groups.limit_counts,
            occupant_groups: groups.occupant_groups,
            occupant_offers: groups.occupant_offers,
            occupant_counts: groups.occupant_counts,
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
            workload: changes.workload.map(|workload| Box::new(workload.into())),
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
            dimension_fails: explanations.dimension_fails,
            dimension_alone: explanations.dimension_alone,
            dimension_missing: explanations.dimension_missing,
            requirement_fails: explanations.requirement_fails,
            requirement_alone: explanations.requirement_alone,
            requirement_missing: explanations.requirement_missing,
            devices_fails: explanations.devices_fails,
            devices_alone: explanations.devices_alone,
            devices_missing: explanations.devices_missing,
            together_fails: explanations.together_fails,
            together_alone: explanations.together_alone,
            limit_fails: explanations.limit_fails,
            limit_alone: explanations.limit_alone,
            score_fails: explanations.score_fails,
            score_missing: explanations.score_missing,
            candidates: explanations.candidates,
            capable: explanations.capable,
            members_placed: explanations.members_placed,
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
            core::Error::BadNumber { column, row, value, minimum, maximum } => {
                Self::BadNumber(matching::Number { column: column.to_owned(), row, value, minimum, maximum })
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
