//! Contract 0.3.0 and the model: the one place that maps one to the other. Columns are lent, never copied.

use offermatch_core::{
    Assignments, Changes, Explanations, GroupTable, Mode, OfferTable, Plan, RunningTable, Settings, Shape, TaskTable,
    Workload,
};

use crate::pool::description::{Description, Parameter};
use crate::table::rule::Rule;
use crate::wasm::bindings::current::exports::offermatch::matcher::{matching as contract, preemption};
use crate::wasm::refusal::{Refusal, Refused};

/// A shape for the contract.
pub(super) fn shape(shape: Shape) -> contract::Shape {
    contract::Shape { dimensions: shape.dimensions, attributes: shape.attributes, measures: shape.measures }
}

/// A mode of the contract.
fn model_mode(mode: contract::Mode) -> Mode {
    match mode {
        contract::Mode::Exclusive => Mode::Exclusive,
        contract::Mode::Shared => Mode::Shared,
    }
}

/// A rule of the contract.
fn model_rule(rule: contract::Rule) -> Rule {
    match rule {
        contract::Rule::Measures => Rule::Measures,
        contract::Rule::Preferences => Rule::Preferences,
        contract::Rule::Groups => Rule::Groups,
        contract::Rule::Workload => Rule::Workload,
    }
}

/// Settings for the contract.
pub(super) fn settings(settings: &Settings) -> contract::Settings<'_> {
    contract::Settings {
        mode: match settings.mode {
            Mode::Exclusive => contract::Mode::Exclusive,
            Mode::Shared => contract::Mode::Shared,
        },
        max_score: settings.max_score,
        weights: &settings.weights,
        scales: &settings.scales,
        parameters: &settings.parameters,
        workload: settings.workload.as_ref().map(workload),
    }
}

/// A workload for the contract.
fn workload(workload: &Workload) -> contract::Workload<'_> {
    contract::Workload { tasks: tasks(&workload.tasks), shares: &workload.shares }
}

/// Offers for the contract.
pub(super) fn offers(table: &OfferTable) -> contract::OfferTable<'_> {
    contract::OfferTable {
        rows: table.rows,
        available: &table.available,
        capacity: &table.capacity,
        attributes: &table.attributes,
        measures: &table.measures,
        device_offsets: &table.devices.offsets,
        device_free: &table.devices.free,
    }
}

/// Tasks for the contract.
pub(super) fn tasks(table: &TaskTable) -> contract::TaskTable<'_> {
    contract::TaskTable {
        rows: table.rows,
        demand: &table.demand,
        devices: &table.devices,
        requirement_offsets: &table.requirement_offsets,
        requirement_kinds: &table.requirement_kinds,
        requirement_subjects: &table.requirement_subjects,
        requirement_bounds: &table.requirement_bounds,
        requirement_weights: &table.requirement_weights,
        value_offsets: &table.value_offsets,
        values: &table.values,
        group_of: &table.group_of,
        groups: groups(&table.groups),
    }
}

/// Groups for the contract.
fn groups(table: &GroupTable) -> contract::GroupTable<'_> {
    contract::GroupTable {
        rows: table.rows,
        least: &table.least,
        together: &table.together,
        limit_offsets: &table.limit_offsets,
        limit_attributes: &table.limit_attributes,
        limit_counts: &table.limit_counts,
        occupant_groups: &table.occupant_groups,
        occupant_offers: &table.occupant_offers,
        occupant_counts: &table.occupant_counts,
    }
}

/// Changes for the contract.
pub(super) fn changes(changes: &Changes) -> contract::Changes<'_> {
    contract::Changes {
        removed: &changes.removed,
        changed_rows: &changes.changed_rows,
        changed: offers(&changes.changed),
        added: offers(&changes.added),
        workload: changes.workload.as_deref().map(workload),
    }
}

/// Running tasks for the contract.
pub(super) fn running(table: &RunningTable) -> preemption::RunningTable<'_> {
    preemption::RunningTable {
        rows: table.rows,
        offers: &table.offers,
        priorities: &table.priorities,
        starts: &table.starts,
        demand: &table.demand,
        device_offsets: &table.device_offsets,
        device_numbers: &table.device_numbers,
        device_thousandths: &table.device_thousandths,
    }
}

/// A plan of the contract.
pub(super) fn plan(plan: preemption::Plan) -> Plan {
    Plan {
        tasks: plan.tasks,
        offers: plan.offers,
        scores: plan.scores,
        victim_offsets: plan.victim_offsets,
        victims: plan.victims,
    }
}

/// Assignments of the contract.
pub(super) fn assignments(answer: contract::Assignments) -> Assignments {
    Assignments { tasks: answer.tasks, offers: answer.offers, scores: answer.scores }
}

/// Explanations of the contract.
pub(super) fn explanations(answer: contract::Explanations) -> Explanations {
    Explanations {
        dimension_fails: answer.dimension_fails,
        dimension_alone: answer.dimension_alone,
        dimension_missing: answer.dimension_missing,
        requirement_fails: answer.requirement_fails,
        requirement_alone: answer.requirement_alone,
        requirement_missing: answer.requirement_missing,
        devices_fails: answer.devices_fails,
        devices_alone: answer.devices_alone,
        devices_missing: answer.devices_missing,
        together_fails: answer.together_fails,
        together_alone: answer.together_alone,
        limit_fails: answer.limit_fails,
        limit_alone: answer.limit_alone,
        score_fails: answer.score_fails,
        score_missing: answer.score_missing,
        candidates: answer.candidates,
        capable: answer.capable,
        members_placed: answer.members_placed,
    }
}

/// A description of the contract.
pub(super) fn description(description: contract::Description, preempts: bool) -> Description {
    let parameter = |parameter: contract::Parameter| Parameter {
        name: parameter.name,
        default: parameter.default,
        minimum: parameter.minimum,
        maximum: parameter.maximum,
    };
    let mut rules: Vec<Rule> = description.rules.into_iter().map(model_rule).collect();
    rules.extend(preempts.then_some(Rule::Preemption));
    Description {
        name: description.name,
        version: description.version,
        policy: description.policy,
        contract: description.contract,
        modes: description.modes.into_iter().map(model_mode).collect(),
        rules,
        parameters: description.parameters.into_iter().map(parameter).collect(),
    }
}

impl From<contract::Error> for Refused {
    fn from(error: contract::Error) -> Self {
        let (case, text_bytes) = match &error {
            contract::Error::TooManyRows(rows) => {
                return Self::new(Refusal::TooManyRows { asked: rows.asked, limit: rows.limit });
            }
            contract::Error::UnsupportedMode(mode) => return Self::new(Refusal::UnsupportedMode(model_mode(*mode))),
            contract::Error::UnsupportedRule(rule) => return Self::new(Refusal::UnsupportedRule(model_rule(*rule))),
            contract::Error::ColumnLength(length) => ("column-length", length.column.len()),
            contract::Error::OutOfRange(cell) => ("out-of-range", cell.column.len()),
            contract::Error::BrokenDevices(cell) => ("broken-devices", cell.column.len()),
            contract::Error::BadSetting(setting) => ("bad-setting", setting.setting.len()),
            contract::Error::BadNumber(number) => ("bad-number", number.column.len()),
            contract::Error::RepeatedRow(_) => ("repeated-row", 0),
        };
        Self { refusal: Refusal::Unfounded { case, reason: error.to_string() }, text_bytes }
    }
}
