//! Placing the members of groups: trials that leave the pool as it is.
//!
//! A trial keeps beside the pool what it has altered, which are a few offers: the search passes these over, and they are
//! looked at one by one. What a trial has found is taken from the pool when it is known to hold.

use alloc::vec;
use alloc::vec::Vec;

use hashbrown::HashMap;

use crate::devices;
use crate::feasible::{Standing, Task};
use crate::groups::Occupants;
use crate::index::{Among, Values, Want};
use crate::members::Members;
use crate::method::Method;
use crate::mode::Mode;
use crate::policy::{Bound, Leftover, Policy};
use crate::pool::{Assignments, Pool};
use crate::reference::{self, Placed};
use crate::table::TaskTable;

/// Different members, at most, for which values are put in order by what they promise.
const BOUNDED: usize = 16;

/// Wider than the roundings of any bound here.
const SLACK: f64 = 1e-9;

/// What a trial has altered.
#[derive(Debug, Default)]
struct Trial {
    /// A mark for each row of the pool, whether it is altered.
    marks: Vec<bool>,
    /// The offers that are altered.
    altered: Vec<Altered>,
    /// What is free in each of them: `altered x dimensions`.
    available: Vec<u64>,
    /// The free thousandths of the devices of all of them.
    devices: Vec<u32>,
    /// How many offers are in the list.
    listed: usize,
    /// Who gets what, in the order of placing.
    placed: Vec<Placed>,
    /// The sum of the scores.
    sum: f64,
}

/// An offer that a trial has altered.
#[derive(Debug)]
struct Altered {
    /// Its row.
    row: usize,
    /// Its place in the list, if it is there.
    position: Option<u32>,
    /// Where its devices begin.
    devices: usize,
}

impl Wants {
    /// Finds lower bounds for one value, of the sum of the scores from each member on.
    ///
    /// A member that goes to an offer which no other member has taken scores no less than its bound. An offer that others
    /// have taken is fuller by what they fill, and it could have served this one before: so its score is less than the
    /// bound by no more than that.
    fn bound_rest(&mut self, place: usize) {
        self.rest.clear();
        self.rest.resize(self.of.len() + 1, 0.0);
        if self.costs.is_empty() {
            return;
        }
        let mut filled = 0.0;
        for (rest, &want) in self.rest.iter_mut().zip(&self.of) {
            let bound = self.bounds[want][place];
            *rest = if bound == f64::INFINITY { 0.0 } else { (bound - filled * (1.0 + SLACK)).max(0.0) };
            filled += self.costs[want];
        }
        for at in (0..self.of.len()).rev() {
            self.rest[at] = (self.rest[at] + self.rest[at + 1]) * (1.0 - SLACK);
        }
    }
}

impl Trial {
    /// Begins anew, on a pool of this many rows and listed offers.
    fn begin(&mut self, rows: usize, listed: usize) {
        self.altered.iter().for_each(|altered| self.marks[altered.row] = false);
        self.marks.resize(rows, false);
        self.altered.clear();
        self.available.clear();
        self.devices.clear();
        self.placed.clear();
        self.listed = listed;
        self.sum = 0.0;
    }

    /// The number of an altered offer; what is not altered yet becomes so.
    fn alter<P>(&mut self, row: usize, pool: &Pool<P>) -> usize {
        if self.marks[row] {
            // The last ones are the likeliest.
            return self.altered.iter().rposition(|altered| altered.row == row).unwrap_or(0);
        }
        self.marks[row] = true;
        self.altered.push(Altered { row, position: pool.ledger.position(row), devices: self.devices.len() });
        self.available.extend_from_slice(pool.ledger.available(row));
        self.devices.extend_from_slice(pool.ledger.devices(row));
        self.altered.len() - 1
    }

    /// Gives an offer to a task.
    fn take<P>(&mut self, row: usize, task: Task<'_>, pool: &Pool<P>) {
        let number = self.alter(row, pool);
        match pool.mode {
            Mode::Exclusive => {
                // By swap-remove, as the ledger does it.
                self.listed -= 1;
                let (place, last) = (self.altered[number].position.take(), self.listed as u32);
                if place != Some(last) {
                    let at_last = self.altered.iter().position(|altered| altered.position == Some(last));
                    let moved = at_last.unwrap_or_else(|| self.alter(pool.ledger.list()[last as usize] as usize, pool));
                    self.altered[moved].position = place;
                }
            }
            Mode::Shared => {
                let width = task.demand.len();
                let available = &mut self.available[number * width..(number + 1) * width];
                available.iter_mut().zip(task.demand).for_each(|(available, asked)| *available -= asked);
                let begin = self.altered[number].devices;
                devices::take(&mut self.devices[begin..begin + pool.ledger.devices(row).len()], task.devices);
            }
        }
    }

    /// The best of the altered offers and the one that is found without them.
    fn better<P: Policy>(
        &self,
        found: Option<(usize, f64)>,
        task: Task<'_>,
        members: &Members,
        pool: &Pool<P>,
    ) -> Option<(usize, f64)> {
        let place = |(row, score): (usize, f64)| (score, pool.ledger.position(row).unwrap_or(u32::MAX), row);
        let mut best = found.map(place);
        let width = task.demand.len();
        for (number, altered) in self.altered.iter().enumerate() {
            let Some(position) = altered.position else { continue };
            let ledger = &pool.ledger;
            let devices = &self.devices[altered.devices..altered.devices + ledger.devices(altered.row).len()];
            let left = Leftover {
                available: &self.available[number * width..(number + 1) * width],
                free_devices: devices.iter().copied().map(u64::from).sum(),
                ..Leftover::of(ledger, altered.row)
            };
            let standing = task.standing_with(ledger, altered.row, left, devices, &pool.policy, &pool.ranking);
            if let Standing::Candidate(score) = standing
                && best.is_none_or(|(lowest, first, _)| (score, position) < (lowest, first))
                && members.admit(ledger, altered.row)
            {
                best = Some((score, position, altered.row));
            }
        }
        best.map(|(score, _, row)| (row, score))
    }
}

/// The rows of the members of each group.
struct Rows {
    /// Where the rows of each group begin.
    offsets: Vec<u32>,
    /// The rows, group after group.
    rows: Vec<usize>,
}

impl Rows {
    /// The members in a task table.
    fn of(tasks: &TaskTable) -> Self {
        let mut offsets = vec![0; tasks.groups.rows as usize + 1];
        tasks.group_of.iter().filter(|&&group| group > 0).for_each(|&group| offsets[group as usize] += 1);
        for at in 1..offsets.len() {
            offsets[at] += offsets[at - 1];
        }
        let mut rows = vec![0; offsets.last().copied().unwrap_or(0) as usize];
        let mut next = offsets.clone();
        for (row, group) in tasks.group_of.iter().enumerate().filter(|(_, group)| **group > 0) {
            let next = &mut next[*group as usize - 1];
            rows[*next as usize] = row;
            *next += 1;
        }
        Self { offsets, rows }
    }

    /// Those of a group.
    fn members(&self, group: usize) -> &[usize] {
        &self.rows[self.offsets[group] as usize..self.offsets[group + 1] as usize]
    }
}

/// What the groups of one table need while they are placed.
pub(crate) struct Groups {
    /// Their members.
    rows: Rows,
    /// Those that run already.
    occupants: Occupants,
    /// The values of attributes of which members are to have one, in the order in which they first come in the list.
    values: HashMap<u32, Values>,
    /// The present trial.
    trial: Trial,
    /// What is known of the members of the present group.
    wants: Wants,
}

/// What is known of the members of a group. Equal members that follow each other share it.
#[derive(Debug, Default)]
struct Wants {
    /// The place of each member's in `wants`.
    of: Vec<usize>,
    /// What is known.
    wants: Vec<Want>,
    /// How many of these are in use.
    count: usize,
    /// Where the members begin that share each of them.
    firsts: Vec<usize>,
    /// Lower bounds of the score, of each of them and for each value; none where they are not known.
    bounds: Vec<Vec<f64>>,
    /// How much each of them fills of an offer.
    costs: Vec<f64>,
    /// For the value that is tried, a lower bound of the sum of the scores of all members from each one on.
    rest: Vec<f64>,
    /// Values, the most promising first: how many members find no offer, a bound of the sum of scores, and the value's place.
    order: Vec<(usize, f64, usize)>,
}

impl Groups {
    /// The groups of a checked table.
    pub(crate) fn new(tasks: &TaskTable) -> Self {
        Self {
            rows: Rows::of(tasks),
            occupants: tasks.groups.occupants(),
            values: HashMap::new(),
            trial: Trial::default(),
            wants: Wants::default(),
        }
    }
}

impl<P: Policy> Pool<P> {
    /// Places tasks of which some belong to groups.
    pub(crate) fn place_groups(&mut self, tasks: &TaskTable) -> Assignments {
        let mut groups = Groups::new(tasks);
        let mut done = vec![false; tasks.groups.rows as usize];
        let mut placed: Vec<Placed> = Vec::new();
        for row in 0..tasks.rows as usize {
            if self.ledger.list().is_empty() {
                break;
            }
            let Some(group) = tasks.group(row) else {
                let task = Task::new(tasks, row, self.shape);
                if let Some((offer, score)) = self.choose(task) {
                    self.take(offer, tasks, row);
                    placed.push((row, offer, score));
                }
                continue;
            };
            if !core::mem::replace(&mut done[group], true) {
                self.place_group(tasks, group, &mut groups, &mut placed);
            }
        }
        placed.sort_unstable_by_key(|&(row, _, _)| row);
        let mut assignments = Assignments::default();
        for (row, offer, score) in placed {
            assignments.tasks.push(row as u32);
            assignments.offers.push(offer as u32);
            assignments.scores.push(score);
        }
        assignments
    }

    /// Places the members of a group.
    fn place_group(&mut self, tasks: &TaskTable, group: usize, groups: &mut Groups, placed: &mut Vec<Placed>) {
        let members = Members::new(&tasks.groups, group, &groups.occupants, &self.ledger);
        let least = tasks.groups.least(group).saturating_sub(members.occupants);
        if self.method != Method::Reference && members.together().is_none() && least <= 1 {
            // Nothing is altered beside the pool.
            groups.trial.begin(self.ledger.rows(), 0);
            self.place_one_by_one(tasks, groups.rows.members(group), members, &groups.trial.marks, placed);
            return;
        }
        let found = self.find_group(tasks, group, groups, true);
        for &(row, offer, score) in &found {
            self.take(offer, tasks, row);
            placed.push((row, offer, score));
        }
    }

    /// Places the members of a group that asks for nothing which could be undone.
    fn place_one_by_one(
        &mut self,
        tasks: &TaskTable,
        rows: &[usize],
        mut members: Members,
        altered: &[bool],
        placed: &mut Vec<Placed>,
    ) {
        for &row in rows {
            let task = Task::new(tasks, row, self.shape);
            let chosen = if members.admit_all() {
                self.choose(task)
            } else {
                let among = Among { members: &members, altered, ceiling: f64::INFINITY };
                self.choose_among(task, &among)
            };
            let Some((offer, score)) = chosen else { continue };
            members.add(&self.ledger, offer);
            self.take(offer, tasks, row);
            placed.push((row, offer, score));
        }
    }

    /// Who of a group gets which offer, in the order of placing. The pool stays as it is. `least` says whether the group's
    /// least number is asked.
    pub(crate) fn find_group(
        &mut self,
        tasks: &TaskTable,
        group: usize,
        groups: &mut Groups,
        least: bool,
    ) -> Vec<Placed> {
        let rows = groups.rows.members(group);
        // A trial is cut short by bounds of scores, and nothing is known of these.
        if self.method == Method::Reference || P::BOUND == Bound::None {
            let (group, score_by) = ((group, rows), (&self.policy, &self.ranking));
            let occupants = &groups.occupants;
            return reference::place_group(&self.ledger, self.mode, tasks, group, occupants, score_by, least);
        }
        let mut members = Members::new(&tasks.groups, group, &groups.occupants, &self.ledger);
        let least = if least { tasks.groups.least(group).saturating_sub(members.occupants) as usize } else { 0 };
        let mut best = Best::default();
        let Groups { trial, wants, values: known, .. } = groups;
        let Some(attribute) = members.together() else {
            self.want(tasks, rows, wants);
            self.attempt(tasks, rows, members, (trial, wants), least, &best);
            return if trial.placed.len() < least { Vec::new() } else { core::mem::take(&mut trial.placed) };
        };
        let bound = core::mem::take(&mut members.values);
        // The list keeps its order in shared mode, and the values found in it theirs.
        let is_in_order = self.mode == Mode::Shared && bound.is_empty();
        let bound = Values::new(bound);
        let values = if bound.values.is_empty() {
            known.entry(attribute).or_insert_with(|| Values::new(self.values(attribute)))
        } else {
            &bound
        };
        self.want(tasks, rows, wants);
        self.order(tasks, rows, (attribute, values), wants);
        for at in 0..wants.order.len() {
            let (unserved, lowest, place) = wants.order[at];
            let most = rows.len() - unserved;
            if most < best.placed.len() || best.placed.len() == rows.len() && lowest > best.sum {
                break;
            }
            let value = values.values[place];
            let mut here = members.clone();
            here.values.push(value);
            wants.bound_rest(place);
            self.attempt(tasks, rows, here, (trial, wants), least, &best);
            let (count, sum) = (trial.placed.len(), trial.sum);
            let comes_first = || {
                if is_in_order { place < best.place } else { self.comes_first((attribute, value), best.value) }
            };
            let better = count > best.placed.len()
                || count > 0 && count == best.placed.len() && (sum < best.sum || sum == best.sum && comes_first());
            if better {
                core::mem::swap(&mut best.placed, &mut trial.placed);
                (best.sum, best.value, best.place) = (sum, value, place);
            }
        }
        if best.placed.len() < least { Vec::new() } else { best.placed }
    }

    /// How many members of each group find an offer when they are placed, each group on its own in the pool as it is.
    pub(crate) fn members_placed(&mut self, tasks: &TaskTable) -> Vec<u32> {
        let mut groups = Groups::new(tasks);
        (0..tasks.groups.rows as usize)
            .map(|group| self.find_group(tasks, group, &mut groups, false).len() as u32)
            .collect()
    }

    /// Finds out what is known of the members of a group.
    fn want(&mut self, tasks: &TaskTable, rows: &[usize], wants: &mut Wants) {
        wants.of.clear();
        wants.firsts.clear();
        wants.rest.clear();
        wants.count = 0;
        let Some(index) = &mut self.index else { return };
        for (at, &row) in rows.iter().enumerate() {
            if at == 0 || !tasks.are_equal(rows[at - 1], row, self.shape) {
                wants.count += 1;
                wants.firsts.push(at);
                if wants.wants.len() < wants.count {
                    wants.wants.push(Want::default());
                }
                let task = Task::new(tasks, row, self.shape);
                index.want(&mut wants.wants[wants.count - 1], &self.ledger, task, &self.policy, &self.ranking);
            }
            wants.of.push(wants.count - 1);
        }
    }

    /// Puts the values of an attribute in order, the most promising first, with lower bounds of the sum of scores.
    fn order(&self, tasks: &TaskTable, rows: &[usize], (attribute, values): (u32, &Values), wants: &mut Wants) {
        wants.order.clear();
        wants.order.extend((0..values.values.len()).map(|place| (0, 0.0, place)));
        wants.costs.clear();
        let Some(index) = self.index.as_ref().filter(|_| wants.count <= BOUNDED) else { return };
        for number in 0..wants.count {
            if wants.bounds.len() == number {
                wants.bounds.push(Vec::new());
            }
            let task = Task::new(tasks, rows[wants.firsts[number]], self.shape);
            let (want, bounds) = (&wants.wants[number], &mut wants.bounds[number]);
            let score_by = (&self.policy, &self.ranking);
            let cost = index.bounds_by_value(want, task, score_by, (attribute, values), bounds);
            let Some(cost) = cost else {
                wants.costs.clear();
                return;
            };
            // In exclusive mode no two members are on one offer.
            wants.costs.push(if self.mode == Mode::Shared { cost } else { 0.0 });
        }
        for place in 0..values.values.len() {
            let unserved = wants.of.iter().filter(|&&want| wants.bounds[want][place] == f64::INFINITY).count();
            wants.bound_rest(place);
            wants.order[place] = (unserved, wants.rest.first().copied().unwrap_or(0.0), place);
        }
        wants.order.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.cmp(&b.2)));
    }

    /// Whether, of two values of an attribute, the first one comes first in the list.
    fn comes_first(&self, (attribute, value): (u32, u32), other: u32) -> bool {
        let values = self.ledger.list().iter().map(|&row| self.ledger.attribute(row as usize, attribute));
        values.into_iter().find(|&found| found == value || found == other) == Some(value)
    }

    /// The values of an attribute, in the order in which they first come in the list.
    fn values(&self, attribute: u32) -> Vec<u32> {
        let mut seen = hashbrown::HashSet::new();
        let all = self.ledger.list().iter().map(|&row| self.ledger.attribute(row as usize, attribute));
        all.filter(|&value| value != 0 && seen.insert(value)).collect()
    }

    /// Places members beside the pool. Ends early where fewer than `least` would be placed, or the best so far is better.
    fn attempt(
        &mut self,
        tasks: &TaskTable,
        rows: &[usize],
        mut members: Members,
        (trial, wants): (&mut Trial, &mut Wants),
        least: usize,
        best: &Best,
    ) {
        trial.begin(self.ledger.rows(), self.ledger.list().len());
        let needed = least.max(best.placed.len());
        for (at, &row) in rows.iter().enumerate() {
            if trial.placed.len() + rows.len() - at < needed {
                trial.placed.clear();
                return;
            }
            let task = Task::new(tasks, row, self.shape);
            // A value that places everybody is beaten by a lower sum only. Scores of a linear policy are not below zero.
            // Where used offers come first, one of them may be taken for a higher score than another would have.
            let used_first = self.ranking.used_first;
            let is_complete = P::BOUND == Bound::Linear && best.placed.len() == rows.len() && !used_first;
            let ceiling = if is_complete {
                let rest = wants.rest.get(at + 1).copied().unwrap_or(0.0);
                best.sum - trial.sum - rest + (best.sum + trial.sum) * SLACK
            } else {
                f64::INFINITY
            };
            let among = Among { members: &members, altered: &trial.marks, ceiling };
            let chosen = task.used_first(used_first, |task| {
                let found = match (&mut self.index, wants.of.get(at)) {
                    (Some(index), Some(&want)) if !used_first => {
                        let (policy, ranking) = (&self.policy, &self.ranking);
                        index.find(&mut wants.wants[want], &self.ledger, task, policy, ranking, Some(&among))
                    }
                    _ => self.choose_once(task, &among),
                };
                trial.better(found, task, &members, self)
            });
            let Some((offer, score)) = chosen else { continue };
            members.add(&self.ledger, offer);
            trial.take(offer, task, self);
            trial.placed.push((row, offer, score));
            trial.sum += score;
        }
    }
}

/// The best trial so far.
#[derive(Debug, Default)]
struct Best {
    /// Who gets what.
    placed: Vec<Placed>,
    /// The sum of the scores.
    sum: f64,
    /// The value that all offers have.
    value: u32,
    /// Its place among the values.
    place: usize,
}
