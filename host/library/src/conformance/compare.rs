//! Whether answers are the recorded ones, bit for bit.

use std::collections::{BTreeMap, BTreeSet};

use offermatch_core::{Assignments, Plan};

use super::audit::{Wrong, same_column};
use super::play::Outcome;
use super::{Finding, Level};
use crate::number::shown_number;
use crate::pool::counts::{ChecksFailed, Counts};
use crate::recording::{Recording, Step};

/// The first difference between a case and what came of it.
pub(super) fn compare(case: &Recording, outcomes: &[Outcome]) -> Option<Finding> {
    let expected = case.open_error.as_deref().unwrap_or("answered");
    if outcomes[0].word() != expected {
        return Some(finding(Wrong("outcome".into(), expected.into(), outcomes[0].word().into()), None));
    }
    let steps = case.steps.iter().zip(&outcomes[1..]).enumerate();
    let mut compared = steps.map(|(at, (step, outcome))| (at, difference(step, outcome)));
    compared.find_map(|(at, different)| different.err().map(|wrong| finding(wrong, Some(at))))
}

/// A difference, as a finding about the reference.
fn finding(wrong: Wrong, step: Option<usize>) -> Finding {
    Finding { level: Level::Reference, ..wrong.at(step) }
}

/// Compares the answer that a step has with what came of it.
pub(super) fn difference(step: &Step, outcome: &Outcome) -> Result<(), Wrong> {
    match (step, outcome) {
        (Step::Assign { answer: Ok(expected), .. }, Outcome::Assigned(found)) => {
            same_places(&places(expected), &places(found))
        }
        (Step::Preempt { answer: Ok(expected), .. }, Outcome::Planned(found)) => same_plans(expected, found),
        (Step::Explain { answer: Ok(expected), .. }, Outcome::Explained(found)) => same_counts(expected, found),
        (Step::Assign { answer, .. }, outcome) => same_word(answer.as_ref().err(), outcome),
        (Step::Explain { answer, .. }, outcome) => same_word(answer.as_ref().err(), outcome),
        (Step::Update { answer, .. }, outcome) => same_word(answer.as_ref().err(), outcome),
        (Step::Preempt { answer, .. }, outcome) => same_word(answer.as_ref().err(), outcome),
    }
}

/// Compares errors. Where nothing is recorded, nothing is compared.
fn same_word(expected: Option<&String>, outcome: &Outcome) -> Result<(), Wrong> {
    let expected = expected.map_or("answered", String::as_str);
    if expected.is_empty() || expected == outcome.word() {
        return Ok(());
    }
    Err(Wrong("outcome".into(), expected.into(), outcome.word().into()))
}

/// Compares who takes what.
fn same_places(expected: &Places, found: &Places) -> Result<(), Wrong> {
    let tasks: BTreeSet<u32> = expected.keys().chain(found.keys()).copied().collect();
    match tasks.into_iter().find(|task| expected.get(task) != found.get(task)) {
        Some(task) => {
            Err(Wrong(format!("task {task}"), place(expected.get(&task).copied()), place(found.get(&task).copied())))
        }
        None => Ok(()),
    }
}

/// Compares who is to take what, and who ends for it.
fn same_plans(expected: &Plan, found: &Plan) -> Result<(), Wrong> {
    let places = |plan: &Plan| placed(&plan.tasks, &plan.offers, &plan.scores);
    same_places(&places(expected), &places(found))?;
    same_column("victim_offsets", &expected.victim_offsets, &found.victim_offsets)?;
    same_column("victims", &expected.victims, &found.victims)
}

/// Offer and score, by its bits, of each placed task.
type Places = BTreeMap<u32, (u32, u64)>;

/// The place of each placed task.
pub(super) fn places(answer: &Assignments) -> Places {
    placed(&answer.tasks, &answer.offers, &answer.scores)
}

/// The places in these columns.
fn placed(tasks: &[u32], offers: &[u32], scores: &[f64]) -> Places {
    let rows = tasks.iter().zip(offers).zip(scores);
    rows.map(|((&task, &offer), score)| (task, (offer, score.to_bits()))).collect()
}

/// A place in words.
pub(super) fn place(place: Option<(u32, u64)>) -> String {
    match place {
        Some((offer, bits)) => format!("offer {offer} at {}", shown_number(f64::from_bits(bits))),
        None => "not placed".to_owned(),
    }
}

/// Compares counts: column by column where both are of one kind, else what the score refuses and the candidates.
fn same_counts(expected: &Counts, found: &Counts) -> Result<(), Wrong> {
    match (expected, found) {
        (Counts::FirstFailures(expected), Counts::FirstFailures(found)) => {
            same_column("by_dimension", &expected.by_dimension, &found.by_dimension)?;
            same_column("by_requirement", &expected.by_requirement, &found.by_requirement)?;
            same_column("by_devices", &expected.by_devices, &found.by_devices)?;
        }
        (Counts::ByCheck(expected), Counts::ByCheck(found)) => return same_checks(expected, found),
        _ => {}
    }
    same_column("by_score", expected.by_score(), found.by_score())?;
    same_column("candidates", expected.candidates(), found.candidates())
}

/// Compares counts by check, in the order of the contract.
fn same_checks(expected: &ChecksFailed, found: &ChecksFailed) -> Result<(), Wrong> {
    same_column("dimension_fails", &expected.dimension_fails, &found.dimension_fails)?;
    same_column("dimension_alone", &expected.dimension_alone, &found.dimension_alone)?;
    same_column("dimension_missing", &expected.dimension_missing, &found.dimension_missing)?;
    same_column("requirement_fails", &expected.requirement_fails, &found.requirement_fails)?;
    same_column("requirement_alone", &expected.requirement_alone, &found.requirement_alone)?;
    same_column("requirement_missing", &shown(&expected.requirement_missing), &shown(&found.requirement_missing))?;
    same_column("devices_fails", &expected.devices_fails, &found.devices_fails)?;
    same_column("devices_alone", &expected.devices_alone, &found.devices_alone)?;
    same_column("devices_missing", &expected.devices_missing, &found.devices_missing)?;
    same_column("together_fails", &expected.together_fails, &found.together_fails)?;
    same_column("together_alone", &expected.together_alone, &found.together_alone)?;
    same_column("limit_fails", &expected.limit_fails, &found.limit_fails)?;
    same_column("limit_alone", &expected.limit_alone, &found.limit_alone)?;
    same_column("score_fails", &expected.score_fails, &found.score_fails)?;
    same_column("score_missing", &shown(&expected.score_missing), &shown(&found.score_missing))?;
    same_column("candidates", &expected.candidates, &found.candidates)?;
    same_column("capable", &expected.capable, &found.capable)?;
    same_column("members_placed", &expected.members_placed, &found.members_placed)
}

/// Doubles as text.
fn shown(column: &[f64]) -> Vec<String> {
    column.iter().copied().map(shown_number).collect()
}
