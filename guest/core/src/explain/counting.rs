//! The counts of the plain loop, from bit rows: one row for each check that offers fail.

use alloc::vec;
use alloc::vec::Vec;

use hashbrown::HashMap;

use super::Explanations;
use super::census::{Census, asked_devices, count, of_axis, on_axis, ones, set};
use crate::devices::WHOLE;
use crate::feasible::Task;
use crate::groups::Occupants;
use crate::ledger::Ledger;
use crate::members::Members;
use crate::policy::{Bound, Demand, Leftover, Policy, Ranking};
use crate::table::{Kind, TaskTable};

/// Wider than the roundings of a bound of scores.
const SLACK: f64 = 1e-9;

/// Counts for the tasks of a table.
pub(super) struct Counting<'a, P> {
    /// The offers.
    ledger: &'a Ledger,
    /// The same, sorted and as bits.
    census: Census<'a>,
    /// The members that run already.
    occupants: Occupants,
    /// How offers are ranked.
    policy: &'a P,
    /// Weights, scales and the maximal score.
    ranking: &'a Ranking,
    /// A number that no policy's score in this pool is above; infinite where nothing is known.
    highest: f64,
    /// The checks of the present task.
    checks: Vec<Check>,
    /// The row of each check.
    rows: Vec<u64>,
    /// Offers that fail a check.
    any: Vec<u64>,
    /// Offers that fail more than one.
    many: Vec<u64>,
}

/// What is checked.
#[derive(Debug, Clone, Copy)]
enum Check {
    Dimension(usize),
    Requirement(usize),
    Devices,
    Together,
    Limit(usize),
}

impl<'a, P: Policy> Counting<'a, P> {
    /// Ready for a table.
    pub(super) fn new(ledger: &'a Ledger, tasks: &TaskTable, policy: &'a P, ranking: &'a Ranking) -> Self {
        let census = Census::new(ledger);
        let width = census.width();
        let mut counting = Self {
            ledger,
            census,
            occupants: tasks.groups.occupants(),
            policy,
            ranking,
            highest: f64::INFINITY,
            checks: Vec::new(),
            rows: Vec::new(),
            any: vec![0; width],
            many: vec![0; width],
        };
        counting.highest = counting.highest();
        counting
    }

    /// A number that no policy's score in this pool is above.
    fn highest(&self) -> f64 {
        if P::BOUND != Bound::Linear {
            return f64::INFINITY;
        }
        let list = self.ledger.list();
        let most = |of: &dyn Fn(usize) -> u64| list.iter().map(|&row| of(row as usize)).max().unwrap_or(0);
        let dimensions = 0..self.ledger.shape().dimensions as usize;
        let available: Vec<u64> = dimensions.map(|at| most(&|row| self.ledger.available(row)[at])).collect();
        let free_devices = most(&|row| self.ledger.free_devices(row));
        let nothing = vec![0; available.len()];
        let offer = Leftover {
            available: &available,
            capacity: &available,
            free_devices,
            device_capacity: free_devices,
            devices: &[],
            attributes: &[],
            measures: &[],
            model: 0,
            before: f64::NAN,
            after: f64::NAN,
        };
        let score = self.policy.score(self.ranking, Demand { quantities: &nothing, devices: 0 }, offer);
        if score.is_nan() { f64::INFINITY } else { score * (1.0 + SLACK) + f64::MIN_POSITIVE }
    }

    /// Explains every task; equal ones once.
    pub(super) fn explain(mut self, tasks: &TaskTable) -> Explanations {
        let shape = self.ledger.shape();
        let width = shape.dimensions as usize;
        let mut all = Explanations::zeros(tasks, width);
        let mut first: HashMap<Vec<u64>, (usize, usize)> = HashMap::new();
        let mut limit = 0;
        for row in 0..tasks.rows as usize {
            let task = Task::new(tasks, row, shape);
            let group = tasks.group(row);
            let limits = group.map_or(0, |group| tasks.groups.limits(group).len());
            let ruled = group.filter(|&group| limits > 0 || tasks.groups.together(group).is_some());
            let mut key = Vec::new();
            task.key(&mut key);
            key.push(ruled.map_or(0, |group| group as u64 + 1));
            if let Some(&(from, from_limit)) = first.get(&key) {
                all.copy(tasks, (from, row), width, (from_limit..from_limit + limits, limit));
            } else {
                self.count(&mut all, task, ruled, limit);
                first.insert(key, (row, limit));
            }
            limit += limits;
        }
        all
    }

    /// Counts for one task, whose limits begin at `limit`.
    fn count(&mut self, all: &mut Explanations, task: Task<'_>, group: Option<usize>, limit: usize) {
        self.look(task, group);
        let width = self.census.width();
        let (row, cell) = (task.row, task.row * task.demand.len());
        let mut alone = vec![0; width];
        for (at, &check) in self.checks.iter().enumerate() {
            let fails = &self.rows[at * width..(at + 1) * width];
            let mut failing = 0;
            let words = fails.iter().zip(&self.many).zip(&self.census.listed);
            for (alone, ((fails, many), listed)) in alone.iter_mut().zip(words) {
                failing += (fails & listed).count_ones();
                *alone = fails & listed & !many;
            }
            let only = count(alone.iter().copied());
            let (all_fails, all_alone) = match check {
                Check::Dimension(at) => {
                    if only > 0 {
                        let bound = task.demand[at];
                        let most = self.census.available[at].largest_below(bound, &alone, only);
                        all.dimension_missing[cell + at] = most.map_or(0, |most| bound - most);
                    }
                    (&mut all.dimension_fails[cell + at], &mut all.dimension_alone[cell + at])
                }
                Check::Requirement(at) => {
                    if only > 0 {
                        all.requirement_missing[at] = nearest(&mut self.census, task.table, at, &alone, only);
                    }
                    (&mut all.requirement_fails[at], &mut all.requirement_alone[at])
                }
                Check::Devices => {
                    if only > 0 {
                        all.devices_missing[row] = missing_devices(&self.census, task, &alone, only);
                    }
                    (&mut all.devices_fails[row], &mut all.devices_alone[row])
                }
                Check::Together => (&mut all.together_fails[row], &mut all.together_alone[row]),
                Check::Limit(at) => (&mut all.limit_fails[limit + at], &mut all.limit_alone[limit + at]),
            };
            (*all_fails, *all_alone) = (failing, only);
        }
        self.score(all, task);
        all.capable[row] = self.capable(task);
        let mut fails = vec![0; width];
        for preference in task.preferred() {
            self.census.failing(task.table, preference, &mut fails);
            let listed = fails.iter().zip(&self.census.listed).map(|(fails, listed)| fails & listed);
            all.requirement_fails[preference] = count(listed);
        }
    }

    /// Finds the checks of a task and the offers that fail each of them.
    fn look(&mut self, task: Task<'_>, group: Option<usize>) {
        self.checks.clear();
        self.any.fill(0);
        self.many.fill(0);
        for (at, &demand) in task.demand.iter().enumerate().filter(|&(_, &demand)| demand > 0) {
            self.check(Check::Dimension(at), |census, row| census.available[at].below(demand, row));
        }
        for at in task.required() {
            self.check(Check::Requirement(at), |census, row| census.failing(task.table, at, row));
        }
        if task.devices > 0 {
            self.check(Check::Devices, |census, row| {
                let (axis, asked, _) = asked_devices(task);
                match &census.devices {
                    Some(axes) => axes[axis].below(asked, row),
                    None => row.copy_from_slice(&census.listed),
                }
            });
        }
        let Some(group) = group else { return };
        let members = Members::new(&task.table.groups, group, &self.occupants, self.ledger);
        if let Some(attribute) = members.together() {
            self.check(Check::Together, |census, row| {
                row.fill(0);
                if members.values.is_empty() {
                    census.with_value(attribute, 0).iter().for_each(|&offer| set(row, offer as usize));
                    return;
                }
                for &value in &members.values {
                    census.with_value(attribute, value).iter().for_each(|&offer| set(row, offer as usize));
                }
                row.iter_mut().for_each(|word| *word = !*word);
                census.trim(row);
            });
        }
        for (at, (attribute, full)) in members.full_by_limit().enumerate() {
            self.check(Check::Limit(at), |census, row| {
                row.fill(0);
                let Some(attribute) = attribute else {
                    full.iter().filter_map(|&value| census.offer(value)).for_each(|offer| set(row, offer));
                    return;
                };
                for &value in full.iter().chain(&[0]) {
                    census.with_value(attribute, value).iter().for_each(|&offer| set(row, offer as usize));
                }
            });
        }
    }

    /// Takes note of a check and of the offers that fail it.
    fn check(&mut self, check: Check, fill: impl FnOnce(&mut Census<'a>, &mut [u64])) {
        let width = self.census.width();
        let begin = self.checks.len() * width;
        if self.rows.len() < begin + width {
            self.rows.resize(begin + width, 0);
        }
        let row = &mut self.rows[begin..begin + width];
        fill(&mut self.census, row);
        for ((fails, any), many) in row.iter().zip(&mut self.any).zip(&mut self.many) {
            *many |= *any & fails;
            *any |= fails;
        }
        self.checks.push(check);
    }

    /// Counts the offers that fail no check but, perhaps, the score.
    fn score(&self, all: &mut Explanations, task: Task<'_>) {
        let left: Vec<u64> = self.census.listed.iter().zip(&self.any).map(|(listed, any)| listed & !any).collect();
        let penalties: f64 = task.preferred().map(|at| task.table.requirement_weights[at]).sum();
        let row = task.row;
        if (self.highest + penalties) * (1.0 + SLACK) < self.ranking.max_score {
            all.candidates[row] = count(left);
            return;
        }
        let mut lowest = f64::INFINITY;
        for offer in ones(&left) {
            let offer = self.census.offers[offer] as usize;
            let score = task.total(self.ledger, offer, self.policy, self.ranking);
            if score < self.ranking.max_score {
                all.candidates[row] += 1;
                continue;
            }
            all.score_fails[row] += 1;
            let distance = score - self.ranking.max_score;
            if distance < lowest {
                lowest = distance;
            }
        }
        all.score_missing[row] = if lowest < f64::INFINITY { lowest } else { 0.0 };
    }

    /// How many offers could serve a task if they were empty.
    fn capable(&mut self, task: Task<'_>) -> u32 {
        let width = self.census.width();
        let mut unable = vec![0; width];
        let mut row = vec![0; width];
        let mut add = |row: &[u64]| unable.iter_mut().zip(row).for_each(|(unable, fails)| *unable |= fails);
        for (at, &demand) in task.demand.iter().enumerate().filter(|&(_, &demand)| demand > 0) {
            self.census.capacity[at].below(demand, &mut row);
            add(&row);
        }
        for (at, check) in self.checks.iter().enumerate() {
            if matches!(check, Check::Requirement(_)) {
                add(&self.rows[at * width..(at + 1) * width]);
            }
        }
        if task.devices > 0 {
            let Some([_, _, devices]) = &self.census.devices else { return 0 };
            devices.below(asked_devices(task).2, &mut row);
            add(&row);
        }
        self.census.offers.len() as u32 - count(unable)
    }
}

/// The least finite distance from the bound of a requirement, among the offers of a row.
fn nearest(census: &mut Census<'_>, table: &TaskTable, requirement: usize, alone: &[u64], only: u32) -> f64 {
    let kind = Kind::of(table.requirement_kinds[requirement]);
    if !kind.is_measured() {
        return 0.0;
    }
    let bound = table.requirement_bounds[requirement];
    let axis = census.measure(table.requirement_subjects[requirement], kind);
    let Some(nearest) = axis.largest_below(on_axis(bound, kind), alone, only) else { return 0.0 };
    // Rounded differences keep the order of the measures: where this one is not finite, none is.
    let value = of_axis(nearest, kind);
    let distance = if kind == Kind::AtLeast { bound - value } else { value - bound };
    if distance.is_finite() { distance } else { 0.0 }
}

/// The least thousandths that devices of the offers of a row would need more.
fn missing_devices(census: &Census<'_>, task: Task<'_>, alone: &[u64], only: u32) -> u32 {
    let (axis, asked, _) = asked_devices(task);
    let most = match &census.devices {
        Some(axes) => axes[axis].largest_below(asked, alone, only).unwrap_or(0),
        None => 0,
    };
    (asked - most) as u32 * if axis == 0 { 1 } else { WHOLE }
}

impl Explanations {
    /// Gives a task all that was found for an equal one.
    fn copy(
        &mut self,
        tasks: &TaskTable,
        (from, to): (usize, usize),
        width: usize,
        (limits, limit): (core::ops::Range<usize>, usize),
    ) {
        let cells = from * width..(from + 1) * width;
        self.dimension_fails.copy_within(cells.clone(), to * width);
        self.dimension_alone.copy_within(cells.clone(), to * width);
        self.dimension_missing.copy_within(cells, to * width);
        let (requirements, start) = (tasks.requirements(from), tasks.requirements(to).start);
        self.requirement_fails.copy_within(requirements.clone(), start);
        self.requirement_alone.copy_within(requirements.clone(), start);
        self.requirement_missing.copy_within(requirements, start);
        self.limit_fails.copy_within(limits.clone(), limit);
        self.limit_alone.copy_within(limits, limit);
        for counts in [
            &mut self.devices_fails,
            &mut self.devices_alone,
            &mut self.devices_missing,
            &mut self.together_fails,
            &mut self.together_alone,
            &mut self.score_fails,
            &mut self.candidates,
            &mut self.capable,
        ] {
            counts[to] = counts[from];
        }
        self.score_missing[to] = self.score_missing[from];
    }
}
