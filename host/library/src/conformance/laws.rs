//! Laws that bind every matcher, tried on a case that it has answered: asked again it says the same, and tasks placed in
//! several calls go where they go in one.

use offermatch_core::TaskTable;

use super::Finding;
use super::audit::{self, Wrong};
use super::book::Book;
use super::compare::{place, places};
use super::play::{Outcome, ask, open, play};
use super::rules::has_groups;
use crate::pool::backend::Backend;
use crate::pool::matcher::Matcher;
use crate::recording::{Recording, Step};

/// Calls that the tasks of one step are split into, at most.
const MOST_CALLS: usize = 16;

/// The first law that a matcher breaks on a case, given how it answered before.
pub(super) fn broken(matcher: &Matcher, case: &Recording, before: &[Outcome]) -> Option<Finding> {
    // Of the tasks of a group all have to be there at once, and a ledger does not say who may be left out.
    let in_parts = || if has_groups(case) { None } else { split(matcher, case, before).err() };
    repeated(matcher, case, before).or_else(in_parts)
}

/// The same case in another instance.
fn repeated(matcher: &Matcher, case: &Recording, before: &[Outcome]) -> Option<Finding> {
    let again = play(matcher, case);
    let same = |at: usize| matches!((before.get(at), again.get(at)), (Some(one), Some(two)) if one.is_same(two));
    let at = (0..before.len().max(again.len())).find(|&at| !same(at))?;
    let wrong = Wrong("the same case again".into(), "the same answer".into(), "another answer".into());
    Some(wrong.at(at.checked_sub(1)))
}

/// The same tasks in several calls, with an explanation before each.
fn split(matcher: &Matcher, case: &Recording, before: &[Outcome]) -> Result<(), Finding> {
    let Ok(mut session) = open(matcher, case) else { return Ok(()) };
    let mut book = Book::new(case.shape, case.settings.mode, &case.offers);
    for (at, (step, outcome)) in case.steps.iter().zip(&before[1..]).enumerate() {
        if let (Step::Assign { tasks, .. }, Outcome::Assigned(_)) = (step, outcome) {
            in_parts(matcher, &mut session, &mut book, case, tasks, outcome).map_err(|wrong| wrong.at(Some(at)))?;
            continue;
        }
        let now = ask(matcher, &mut session, step);
        if !now.is_same(outcome) {
            let what = "after the same tasks in several calls";
            return Err(Wrong(what.into(), "the same answer".into(), "another answer".into()).at(Some(at)));
        }
        audit::check(&mut book, case, step, &now).map_err(|wrong| wrong.at(Some(at)))?;
    }
    Ok(())
}

/// The tasks of one step in several calls.
fn in_parts(
    matcher: &Matcher,
    session: &mut Backend,
    book: &mut Book,
    case: &Recording,
    tasks: &TaskTable,
    whole: &Outcome,
) -> Result<(), Wrong> {
    let Outcome::Assigned(whole) = whole else { return Ok(()) };
    let mut whole = places(whole);
    let rows = tasks.rows as usize;
    let size = rows.div_ceil(MOST_CALLS).max(1);
    for first in (0..rows).step_by(size) {
        let probe = part(tasks, case, first, first + 1);
        let asked = Step::Explain { tasks: probe.clone(), answer: Err(String::new()) };
        let explained = ask(matcher, session, &asked);
        let Outcome::Explained(counts) = &explained else { return Err(unanswered("explain", first, &explained)) };
        audit::count(book, case, &probe, counts).map_err(|Wrong(what, expected, found)| {
            Wrong(format!("{what} of task {first}, explained before it is placed"), expected, found)
        })?;
        let table = part(tasks, case, first, (first + size).min(rows));
        let asked = Step::Assign { tasks: table.clone(), answer: Err(String::new()) };
        let assigned = ask(matcher, session, &asked);
        let Outcome::Assigned(answer) = &assigned else { return Err(unanswered("assign", first, &assigned)) };
        let now = places(answer);
        if now.contains_key(&0) != (counts.candidates()[0] > 0) {
            let expected = match counts.candidates()[0] {
                0 => "not placed, as it is explained with no candidate".to_owned(),
                count => format!("placed, as it is explained with candidates: {count}"),
            };
            return Err(Wrong(format!("task {first}"), expected, place(now.get(&0).copied())));
        }
        for task in 0..table.rows {
            let number = first as u32 + task;
            let (before, now) = (whole.remove(&number), now.get(&task).copied());
            if before != now {
                return Err(Wrong(format!("task {number}, placed in another call"), place(before), place(now)));
            }
        }
        audit::settle(book, &table, answer, case.settings.max_score.unwrap_or(f64::MAX))?;
    }
    Ok(())
}

/// A call that should have been answered.
fn unanswered(call: &str, task: usize, outcome: &Outcome) -> Wrong {
    Wrong(format!("{call} from task {task} on"), "answered".into(), outcome.word().into())
}

/// Some rows of a checked table.
fn part(tasks: &TaskTable, case: &Recording, first: usize, end: usize) -> TaskTable {
    let width = case.shape.dimensions as usize;
    let mut table = TaskTable {
        rows: (end - first) as u32,
        demand: tasks.demand[first * width..end * width].to_vec(),
        devices: tasks.devices.get(first..end).unwrap_or_default().to_vec(),
        ..TaskTable::default()
    };
    if let Some(offsets) = tasks.requirement_offsets.get(first..=end) {
        let requirements = offsets[0] as usize..offsets[end - first] as usize;
        table.requirement_offsets = offsets.iter().map(|offset| offset - offsets[0]).collect();
        table.requirement_subjects = tasks.requirement_subjects[requirements.clone()].to_vec();
        table.requirement_kinds = tasks.requirement_kinds[requirements.clone()].to_vec();
        table.requirement_bounds = tasks.requirement_bounds.get(requirements.clone()).unwrap_or_default().to_vec();
        table.requirement_weights = tasks.requirement_weights.get(requirements.clone()).unwrap_or_default().to_vec();
        if let Some(ends) = tasks.value_offsets.get(requirements.start..=requirements.end)
            && !requirements.is_empty()
        {
            table.value_offsets = ends.iter().map(|end| end - ends[0]).collect();
            table.values = tasks.values[ends[0] as usize..ends[ends.len() - 1] as usize].to_vec();
        }
    }
    table
}
