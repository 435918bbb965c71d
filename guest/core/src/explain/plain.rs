//! The plain loop over tasks and offers, which says what is right.

use alloc::vec::Vec;

use super::Explanations;
use crate::devices;
use crate::devices::WHOLE;
use crate::feasible::Task;
use crate::ledger::Ledger;
use crate::members::Members;
use crate::policy::{Policy, Ranking};
use crate::table::TaskTable;

/// A check that an offer fails: its place among the checks of its kind, and what is missing.
#[derive(Clone, Copy)]
enum Failed {
    /// Too little in this dimension.
    Dimension(usize, u64),
    /// This requirement, as a position in the table's columns, and how far the offer is from the bound.
    Requirement(usize, f64),
    /// The devices.
    Devices(u32),
    /// Away from the members that run already, or without a value.
    Together,
    /// This limit, counted from the first one of the group.
    Limit(usize),
}

/// Explains every task of a checked table.
pub(super) fn explain<P: Policy>(ledger: &Ledger, tasks: &TaskTable, policy: &P, ranking: &Ranking) -> Explanations {
    let shape = ledger.shape();
    let mut all = Explanations::zeros(tasks, shape.dimensions as usize);
    let occupants = tasks.groups.occupants();
    let mut limit = 0;
    for row in 0..tasks.rows as usize {
        let task = Task::new(tasks, row, shape);
        let members = tasks.group(row).map(|group| Members::new(&tasks.groups, group, &occupants, ledger));
        all.score_missing[row] = f64::INFINITY;
        for &offer in ledger.list() {
            all.count(ledger, (task, limit, members.as_ref()), offer as usize, policy, ranking);
        }
        if all.score_missing[row] == f64::INFINITY {
            all.score_missing[row] = 0.0;
        }
        let capable = ledger.list().iter().filter(|&&offer| is_capable(ledger, task, offer as usize));
        all.capable[row] = capable.count() as u32;
        limit += tasks.group(row).map_or(0, |group| tasks.groups.limits(group).len());
    }
    all
}

impl Explanations {
    /// Counts an offer for a task whose limits begin at `limit`.
    fn count<P: Policy>(
        &mut self,
        ledger: &Ledger,
        (task, limit, members): (Task<'_>, usize, Option<&Members>),
        offer: usize,
        policy: &P,
        ranking: &Ranking,
    ) {
        for preference in task.preferred().filter(|&preference| !task.holds(preference, ledger, offer)) {
            self.requirement_fails[preference] += 1;
        }
        let failed = failed(ledger, task, members, offer);
        let row = task.row;
        let Some(&first) = failed.first() else {
            let score = task.total(ledger, offer, policy, ranking);
            if score < ranking.max_score {
                self.candidates[row] += 1;
            } else {
                self.score_fails[row] += 1;
                // An offer at the limit misses nothing, so that infinity stands for none so far.
                let distance = score - ranking.max_score;
                if distance < self.score_missing[row] {
                    self.score_missing[row] = distance;
                }
            }
            return;
        };
        let cell = row * task.demand.len();
        for &failed in &failed {
            *match failed {
                Failed::Dimension(at, _) => &mut self.dimension_fails[cell + at],
                Failed::Requirement(at, _) => &mut self.requirement_fails[at],
                Failed::Devices(_) => &mut self.devices_fails[row],
                Failed::Together => &mut self.together_fails[row],
                Failed::Limit(at) => &mut self.limit_fails[limit + at],
            } += 1;
        }
        if failed.len() > 1 {
            return;
        }
        *match first {
            Failed::Dimension(at, missing) => {
                lower(&mut self.dimension_missing[cell + at], missing);
                &mut self.dimension_alone[cell + at]
            }
            Failed::Requirement(at, missing) => {
                lower_distance(&mut self.requirement_missing[at], missing);
                &mut self.requirement_alone[at]
            }
            Failed::Devices(missing) => {
                lower(&mut self.devices_missing[row], missing);
                &mut self.devices_alone[row]
            }
            Failed::Together => &mut self.together_alone[row],
            Failed::Limit(at) => &mut self.limit_alone[limit + at],
        } += 1;
    }
}

/// Every check that an offer fails, but for the score.
fn failed(ledger: &Ledger, task: Task<'_>, members: Option<&Members>, offer: usize) -> Vec<Failed> {
    let mut failed = Vec::new();
    for (at, (&demand, &available)) in task.demand.iter().zip(ledger.available(offer)).enumerate() {
        if demand > available {
            failed.push(Failed::Dimension(at, demand - available));
        }
    }
    for at in task.required().filter(|&requirement| !task.holds(requirement, ledger, offer)) {
        failed.push(Failed::Requirement(at, task.distance(at, ledger, offer)));
    }
    let free = ledger.devices(offer);
    if !devices::serve(free, task.devices) {
        failed.push(Failed::Devices(devices::missing(free, task.devices)));
    }
    if let Some(members) = members {
        if !members.is_together(ledger, offer) {
            failed.push(Failed::Together);
        }
        let limits = members.limits(ledger, offer).enumerate();
        failed.extend(limits.filter(|(_, admits)| !admits).map(|(at, _)| Failed::Limit(at)));
    }
    failed
}

/// Whether an offer could serve a task if it were empty.
pub(super) fn is_capable(ledger: &Ledger, task: Task<'_>, offer: usize) -> bool {
    task.demand.iter().zip(ledger.capacity(offer)).all(|(demand, capacity)| demand <= capacity)
        && u64::from(task.devices.div_ceil(WHOLE)) <= ledger.devices(offer).len() as u64
        && task.required().all(|requirement| task.holds(requirement, ledger, offer))
}

/// Keeps the least of what is missing. Nothing is never missing, so that zero stands for none so far.
pub(super) fn lower<N: PartialOrd + Default>(least: &mut N, missing: N) {
    if *least == N::default() || missing < *least {
        *least = missing;
    }
}

/// The same for distances, of which only finite ones count.
pub(super) fn lower_distance(least: &mut f64, distance: f64) {
    if distance.is_finite() {
        lower(least, distance);
    }
}
