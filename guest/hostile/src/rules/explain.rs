//! Why tasks find, or do not find, an offer.

use alloc::vec;
use alloc::vec::Vec;

use offermatch_core as model;
use offermatch_core::WHOLE;

use super::groups::Group;
use super::offers::Offer;
use super::pool::RulesPool;
use super::{Rules, span};

/// A check: where it is counted, and what is missing as a double and, for quantities, as an integer.
enum Check {
    Dimension(usize, u64),
    Requirement(usize, f64),
    Devices(u32),
    Together,
    Limit(usize),
}

impl<R: Rules> RulesPool<R> {
    pub(super) fn explain(&self, tasks: &model::TaskTable) -> Result<model::Explanations, model::Error> {
        self.check(tasks)?;
        let (rows, width) = (tasks.rows as usize, self.shape.dimensions as usize);
        let (cells, requirements) = (rows * width, tasks.requirement_subjects.len());
        let mut counts = model::Explanations {
            dimension_fails: vec![0; cells],
            dimension_alone: vec![0; cells],
            dimension_missing: vec![0; cells],
            requirement_fails: vec![0; requirements],
            requirement_alone: vec![0; requirements],
            requirement_missing: vec![0.0; requirements],
            devices_fails: vec![0; rows],
            devices_alone: vec![0; rows],
            devices_missing: vec![0; rows],
            together_fails: vec![0; rows],
            together_alone: vec![0; rows],
            score_fails: vec![0; rows],
            score_missing: vec![0.0; rows],
            candidates: vec![0; rows],
            ..model::Explanations::default()
        };
        for task in 0..rows {
            let group = tasks.group_of.get(task).copied().unwrap_or(0).checked_sub(1);
            let group = group.map(|group| (Group::new(&self.offers, &tasks.groups, group as usize), group as usize));
            let limits = group.as_ref().map_or(0..0, |(_, group)| span(&tasks.groups.limit_offsets, *group));
            let first_limit = counts.limit_fails.len();
            counts.limit_fails.resize(first_limit + limits.len(), 0);
            counts.limit_alone.resize(first_limit + limits.len(), 0);
            let mut lowest = f64::INFINITY;
            for &row in &self.list {
                let offer = &self.offers[row];
                for at in span(&tasks.requirement_offsets, task) {
                    if Self::weight(tasks, at) < f64::INFINITY && !Self::holds(tasks, at, offer) {
                        counts.requirement_fails[at] += 1;
                    }
                }
                let failed = self.failed(tasks, task, group.as_ref().map(|(group, _)| group), row);
                if failed.is_empty() {
                    let score = self.score(tasks, task, offer);
                    if self.is_low(score) {
                        counts.candidates[task] += 1;
                    } else {
                        counts.score_fails[task] += 1;
                        let distance = score - self.settings.max_score.unwrap_or(f64::INFINITY);
                        lowest = if distance < lowest { distance } else { lowest };
                    }
                }
                let alone = failed.len() == 1;
                for check in failed {
                    count(&mut counts, (task, width, first_limit), &check, alone);
                }
            }
            counts.score_missing[task] = if lowest < f64::INFINITY { lowest } else { 0.0 };
            let capable = self.list.iter().filter(|&&row| self.is_capable(tasks, task, &self.offers[row])).count();
            counts.capable.push(capable as u32);
        }
        counts.members_placed =
            (0..tasks.groups.rows as usize).map(|group| self.try_group(tasks, group).1.len() as u32).collect();
        Ok(R::counted(counts))
    }

    /// The checks that an offer fails, but for the score.
    fn failed(&self, tasks: &model::TaskTable, task: usize, group: Option<&Group<R>>, row: usize) -> Vec<Check> {
        let offer = &self.offers[row];
        let demand = self.demand(tasks, task);
        let mut failed = Vec::new();
        for (at, (&asked, &free)) in demand.iter().zip(&offer.available).enumerate() {
            if !R::fits(at, demand.len(), asked, free) {
                failed.push(Check::Dimension(at, asked.saturating_sub(free)));
            }
        }
        for at in span(&tasks.requirement_offsets, task) {
            if Self::weight(tasks, at) == f64::INFINITY && !Self::holds(tasks, at, offer) {
                failed.push(Check::Requirement(at, Self::distance(tasks, at, offer)));
            }
        }
        let asked = tasks.devices.get(task).copied().unwrap_or(0);
        if !R::serve(&offer.devices, asked) {
            let most = offer.devices.iter().copied().max().unwrap_or(0);
            let whole = offer.devices.iter().filter(|&&free| free == WHOLE).count() as u32 * WHOLE;
            failed.push(Check::Devices(asked.saturating_sub(if asked < WHOLE { most } else { whole })));
        }
        if let Some(group) = group {
            if !group.is_together(offer) {
                failed.push(Check::Together);
            }
            let limits = group.limits(row, offer).into_iter().enumerate();
            failed.extend(limits.filter(|(_, admits)| !admits).map(|(at, _)| Check::Limit(at)));
        }
        failed
    }

    /// Whether an offer could serve a task if it were empty.
    fn is_capable(&self, tasks: &model::TaskTable, task: usize, offer: &Offer) -> bool {
        let demand = self.demand(tasks, task);
        let mut fits = demand.iter().zip(&offer.capacity).enumerate();
        let required = |at: &usize| Self::weight(tasks, *at) == f64::INFINITY;
        let devices = tasks.devices.get(task).copied().unwrap_or(0).div_ceil(WHOLE);
        fits.all(|(at, (&asked, &capacity))| R::fits(at, demand.len(), asked, capacity))
            && span(&tasks.requirement_offsets, task).filter(required).all(|at| Self::holds(tasks, at, offer))
            && devices as usize <= offer.devices.len()
    }
}

/// Counts a check that an offer fails.
fn count(
    counts: &mut model::Explanations,
    (task, width, first_limit): (usize, usize, usize),
    check: &Check,
    alone: bool,
) {
    let (fails, only) = match *check {
        Check::Dimension(at, missing) => {
            let cell = task * width + at;
            if alone {
                lower(&mut counts.dimension_missing[cell], missing);
            }
            (&mut counts.dimension_fails[cell], &mut counts.dimension_alone[cell])
        }
        Check::Requirement(at, missing) => {
            if alone && missing.is_finite() {
                lower(&mut counts.requirement_missing[at], missing);
            }
            (&mut counts.requirement_fails[at], &mut counts.requirement_alone[at])
        }
        Check::Devices(missing) => {
            if alone {
                lower(&mut counts.devices_missing[task], missing);
            }
            (&mut counts.devices_fails[task], &mut counts.devices_alone[task])
        }
        Check::Together => (&mut counts.together_fails[task], &mut counts.together_alone[task]),
        Check::Limit(at) => (&mut counts.limit_fails[first_limit + at], &mut counts.limit_alone[first_limit + at]),
    };
    *fails += 1;
    *only += u32::from(alone);
}

/// Keeps the least of what is missing, of which zero stands for none so far.
fn lower<N: PartialOrd + Default>(least: &mut N, missing: N) {
    if *least == N::default() || missing < *least {
        *least = missing;
    }
}
