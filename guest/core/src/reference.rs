//! The plain loops that say what is right. Every faster way has to give their answer.

use alloc::vec::Vec;

use crate::feasible::{Standing, Task};
use crate::groups::Occupants;
use crate::ledger::Ledger;
use crate::members::Members;
use crate::mode::Mode;
use crate::policy::{Leftover, Policy, Ranking};
use crate::table::TaskTable;

/// The row and the score of the offer that a task gets.
pub(crate) fn choose<P: Policy>(
    ledger: &Ledger,
    task: Task<'_>,
    policy: &P,
    ranking: &Ranking,
) -> Option<(usize, f64)> {
    choose_among(ledger, task, policy, ranking, |_| true)
}

/// The same, among the offers that a rule admits.
pub(crate) fn choose_among<P: Policy>(
    ledger: &Ledger,
    task: Task<'_>,
    policy: &P,
    ranking: &Ranking,
    admits: impl Fn(usize) -> bool,
) -> Option<(usize, f64)> {
    let mut best: Option<(usize, (bool, f64))> = None;
    for &offer in ledger.list() {
        let offer = offer as usize;
        if let Standing::Candidate(score) = task.standing(ledger, offer, policy, ranking) {
            let rank = (ranking.used_first && !Leftover::of(ledger, offer).is_used(), score);
            if best.is_none_or(|(_, lowest)| rank < lowest) && admits(offer) {
                best = Some((offer, rank));
            }
        }
    }
    best.map(|(offer, (_, score))| (offer, score))
}

/// A task, the offer it gets, and the score.
pub(crate) type Placed = (usize, usize, f64);

/// Who of a group gets which offer, in the order of placing: on copies of the ledger, which stays as it is. `least` says
/// whether the group's least number is asked.
pub(crate) fn place_group<P: Policy>(
    ledger: &Ledger,
    mode: Mode,
    tasks: &TaskTable,
    (group, rows): (usize, &[usize]),
    occupants: &Occupants,
    (policy, ranking): (&P, &Ranking),
    least: bool,
) -> Vec<Placed> {
    let members = Members::new(&tasks.groups, group, occupants, ledger);
    let mut best: Vec<Placed> = Vec::new();
    if let Some(attribute) = members.together() {
        let mut tried = Vec::new();
        let mut lowest = f64::INFINITY;
        for &offer in ledger.list() {
            let value = ledger.attribute(offer as usize, attribute);
            if tried.contains(&value) || !members.is_together(ledger, offer as usize) {
                continue;
            }
            tried.push(value);
            let mut here = members.clone();
            here.values = alloc::vec![value];
            let placed = place_members(ledger, mode, tasks, rows, here, policy, ranking);
            let sum = placed.iter().fold(0.0, |sum, (_, _, score)| sum + score);
            if placed.len() > best.len() || (placed.len() == best.len() && sum < lowest) {
                (best, lowest) = (placed, sum);
            }
        }
    } else {
        best = place_members(ledger, mode, tasks, rows, members.clone(), policy, ranking);
    }
    if least && best.len() as u64 + members.occupants < tasks.groups.least(group) {
        best.clear();
    }
    best
}

/// Places the members of a group, one after the other, on a copy of the ledger.
fn place_members<P: Policy>(
    ledger: &Ledger,
    mode: Mode,
    tasks: &TaskTable,
    rows: &[usize],
    mut members: Members,
    policy: &P,
    ranking: &Ranking,
) -> Vec<Placed> {
    let mut ledger = ledger.clone();
    let mut placed = Vec::new();
    for &row in rows {
        let task = Task::new(tasks, row, ledger.shape());
        let admits = |offer: usize| members.admit(&ledger, offer);
        let Some((offer, score)) = choose_among(&ledger, task, policy, ranking, admits) else { continue };
        match mode {
            Mode::Exclusive => {
                ledger.unlist(offer);
            }
            Mode::Shared => ledger.take(offer, tasks, row),
        }
        members.add(&ledger, offer);
        placed.push((row, offer, score));
    }
    placed
}
