//! Whether what groups of tasks ask holds in an answer, told from the tables alone.

use std::collections::HashMap;
use std::ops::Range;

use offermatch_core::{Assignments, TaskTable};

use crate::table::catalog::UNSET;

/// The rows of an answer in the order in which a matcher places tasks: the members of a group at the turn of the first one.
pub(super) fn placing_order(tasks: &TaskTable, answer: &Assignments) -> Vec<usize> {
    let mut first: HashMap<usize, u32> = HashMap::new();
    for row in 0..tasks.rows {
        if let Some(group) = tasks.group(row as usize) {
            first.entry(group).or_insert(row);
        }
    }
    let turn = |row: &usize| {
        let task = answer.tasks[*row];
        (tasks.group(task as usize).map_or(task, |group| first[&group]), task)
    };
    let mut rows: Vec<usize> = (0..answer.tasks.len()).collect();
    if !first.is_empty() {
        rows.sort_by_key(turn);
    }
    rows
}

/// Checks that every group of an answer, whose rows are all known to be in range, has what it asks. `value` is the value of an
/// attribute of an offer.
///
/// # Errors
/// What does not hold.
pub(super) fn check(
    tasks: &TaskTable,
    answer: &Assignments,
    value: impl Fn(usize, usize) -> u32,
) -> Result<(), String> {
    let mut placed: Vec<Vec<usize>> = vec![Vec::new(); tasks.groups.rows as usize];
    for (&task, &offer) in answer.tasks.iter().zip(&answer.offers) {
        if let Some(group) = tasks.group(task as usize) {
            placed[group].push(offer as usize);
        }
    }
    let mut occupants: HashMap<usize, Vec<(usize, u64)>> = HashMap::new();
    let columns = (&tasks.groups.occupant_groups, &tasks.groups.occupant_offers, &tasks.groups.occupant_counts);
    for ((&group, &offer), &count) in columns.0.iter().zip(columns.1).zip(columns.2).filter(|(_, count)| **count > 0) {
        occupants.entry(group as usize).or_default().push((offer as usize, count.into()));
    }
    let held = placed.iter().enumerate().filter(|(_, offers)| !offers.is_empty());
    for (group, offers) in held {
        let occupants = occupants.get(&group).map_or(&[][..], Vec::as_slice);
        check_group(tasks, group, offers, occupants, &value)
            .map_err(|reason| format!("group row {group}: {reason}"))?;
    }
    Ok(())
}

/// Checks one group, some members of which are placed.
fn check_group(
    tasks: &TaskTable,
    group: usize,
    offers: &[usize],
    occupants: &[(usize, u64)],
    value: impl Fn(usize, usize) -> u32,
) -> Result<(), String> {
    let groups = &tasks.groups;
    let least = u64::from(groups.least.get(group).copied().unwrap_or(0));
    let there = offers.len() as u64 + occupants.iter().map(|(_, count)| count).sum::<u64>();
    if there < least {
        return Err(format!("{there} members have an offer, and {least} is the least"));
    }
    if let Some(attribute) = groups.together.get(group).and_then(|attribute| attribute.checked_sub(1)) {
        let attribute = attribute as usize;
        let first = value(offers[0], attribute);
        if first == UNSET || offers.iter().any(|&offer| value(offer, attribute) != first) {
            return Err(format!("its members are not together on one value of attribute {attribute}"));
        }
        let bound: Vec<u32> = occupants.iter().map(|&(offer, _)| value(offer, attribute)).collect();
        if bound.iter().any(|&value| value != UNSET) && !bound.contains(&first) {
            return Err(format!("its members are away from those that run, by attribute {attribute}"));
        }
    }
    for limit in limits_of(tasks, group) {
        let most = u64::from(groups.limit_counts[limit]);
        // An offer itself counts as its row; an unset value counts as none.
        let counted = |offer: usize| match groups.limit_attributes[limit].checked_sub(1) {
            None => Some(offer),
            Some(attribute) => Some(value(offer, attribute as usize) as usize).filter(|&value| value != UNSET as usize),
        };
        let mut counts: HashMap<usize, u64> = HashMap::new();
        for &(offer, count) in occupants {
            if let Some(value) = counted(offer) {
                *counts.entry(value).or_default() += count;
            }
        }
        for &offer in offers {
            let Some(value) = counted(offer) else {
                return Err(format!("offer row {offer} has no value for limit {limit}"));
            };
            let count = counts.entry(value).or_default();
            *count += 1;
            if *count > most {
                return Err(format!("{count} members where limit {limit} is {most}, with that of offer row {offer}"));
            }
        }
    }
    Ok(())
}

/// The limits of the group of a task, as positions in the columns.
pub(super) fn limits(tasks: &TaskTable, task: usize) -> Range<usize> {
    tasks.group(task).map_or(0..0, |group| limits_of(tasks, group))
}

/// The limits of a group, as positions in the columns.
fn limits_of(tasks: &TaskTable, group: usize) -> Range<usize> {
    match tasks.groups.limit_offsets.get(group..group + 2) {
        Some(ends) => ends[0] as usize..ends[1] as usize,
        None => 0..0,
    }
}
