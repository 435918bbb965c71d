//! Placing the members of groups: trials that leave the pool as it is.
//!
//! A trial keeps beside the pool what it has altered, which are a few offers: the search passes these over, and they are
//! looked at one by one. What a trial has found is taken from the pool when it is known to hold.

mod alike;
mod together;

use alloc::vec;
use alloc::vec::Vec;

use hashbrown::HashMap;

use crate::columns::Shape;
use crate::feasible::Task;
use crate::groups::Occupants;
use crate::index::{Among, SLACK, Seek, Shelves, Want};
use crate::members::Members;
use crate::method::Method;
use crate::mode::Mode;
use crate::policy::{Bound, Policy};
use crate::pool::{Assignments, Pool};
use crate::reference::{self, Placed};
use crate::table::TaskTable;
use crate::trial::Trial;

use together::Values;

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
    /// The place of each member's in the next two columns.
    of: Vec<usize>,
    /// What is known of members that are looked for among the words.
    wants: Vec<Want>,
    /// What is known of those that are looked for on shelves.
    seeks: Vec<Seek>,
    /// The places of their floors.
    floors: Vec<usize>,
}

/// The members of a group that are placed.
#[derive(Clone, Copy)]
struct Gang<'a> {
    /// All tasks.
    tasks: &'a TaskTable,
    /// The rows of the members.
    rows: &'a [usize],
    /// How many of them have to be placed.
    least: usize,
}

impl Gang<'_> {
    /// Finds out what has to be known of each member, once for equal ones that follow each other.
    fn know<T: Default>(
        self,
        of: &mut Vec<usize>,
        known: &mut Vec<T>,
        shape: Shape,
        mut know: impl FnMut(&mut T, Task<'_>),
    ) {
        of.clear();
        let mut count = 0;
        for (at, &row) in self.rows.iter().enumerate() {
            if at == 0 || !self.tasks.are_equal(self.rows[at - 1], row, shape) {
                count += 1;
                if known.len() < count {
                    known.push(T::default());
                }
                know(&mut known[count - 1], Task::new(self.tasks, row, shape));
            }
            of.push(count - 1);
        }
    }
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
                    self.take_in(offer, task, &mut groups.values);
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
            self.place_one_by_one(tasks, group, members, groups, placed);
            return;
        }
        let found = self.find_group(tasks, group, groups, true);
        for &(row, offer, score) in &found {
            self.take_in(offer, Task::new(tasks, row, self.shape), &mut groups.values);
            placed.push((row, offer, score));
        }
    }

    /// Places the members of a group that asks for nothing which could be undone.
    fn place_one_by_one(
        &mut self,
        tasks: &TaskTable,
        group: usize,
        mut members: Members,
        Groups { rows, trial, values, .. }: &mut Groups,
        placed: &mut Vec<Placed>,
    ) {
        for &row in rows.members(group) {
            let task = Task::new(tasks, row, self.shape);
            let chosen = if members.admit_all() {
                self.choose(task)
            } else {
                let among = Among { members: &members, altered: &trial.marks, ceiling: f64::INFINITY };
                self.choose_among(task, &among)
            };
            let Some((offer, score)) = chosen else { continue };
            members.add(&self.ledger, offer);
            self.take_in(offer, task, values);
            placed.push((row, offer, score));
        }
    }

    /// Takes what a task uses out of the pool, and off the shelves.
    fn take_in(&mut self, offer: usize, task: Task<'_>, values: &mut HashMap<u32, Values>) {
        let position = self.ledger.position(offer);
        self.take(offer, task.table, task.row);
        let Some(index) = &self.index else { return };
        for shelves in values.values_mut().filter_map(|values| values.shelves.as_mut()) {
            match self.mode {
                Mode::Shared => shelves.shrunk(offer, index, &self.ledger),
                Mode::Exclusive => {
                    let moved = position.and_then(|position| self.ledger.list().get(position as usize));
                    shelves.unlisted(offer, moved.map(|&row| row as usize), index, &self.ledger);
                }
            }
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
        let gang = Gang { tasks, rows, least };
        if let Some(attribute) = members.together() {
            let values = groups.values.entry(attribute).or_insert_with(|| self.values(attribute));
            return self.find_together(gang, members, values, (&mut groups.trial, &mut groups.wants));
        }
        let Groups { trial, wants, .. } = groups;
        self.want(gang, wants);
        trial.begin(self.ledger.rows(), self.ledger.list().len());
        let is_done = self.go_on((gang, 0), &mut members, None, (trial, wants), &Best::default());
        if is_done { core::mem::take(&mut trial.placed) } else { Vec::new() }
    }

    /// How many members of each group find an offer when they are placed, each group on its own in the pool as it is.
    pub(crate) fn members_placed(&mut self, tasks: &TaskTable) -> Vec<u32> {
        let mut groups = Groups::new(tasks);
        (0..tasks.groups.rows as usize)
            .map(|group| self.find_group(tasks, group, &mut groups, false).len() as u32)
            .collect()
    }

    /// Finds out what is known of the members of a group that are looked for among the words.
    fn want(&mut self, gang: Gang<'_>, wants: &mut Wants) {
        let Some(index) = &mut self.index else { return };
        let (ledger, policy, ranking, shape) = (&self.ledger, &self.policy, &self.ranking, self.shape);
        let Wants { of, wants, .. } = wants;
        gang.know(of, wants, shape, |want, task| index.want(want, ledger, task, policy, ranking));
    }

    /// Finds offers for the other members in a trial. Ends early, and says so, where fewer than have to be would be placed, or
    /// the best trial so far is better.
    fn go_on(
        &mut self,
        (gang, from): (Gang<'_>, usize),
        members: &mut Members,
        shelf: Option<(&Shelves, usize)>,
        (trial, wants): (&mut Trial, &mut Wants),
        best: &Best,
    ) -> bool {
        let needed = gang.least.max(best.placed.len());
        // A value that places everybody is beaten by a lower sum only. Scores of a linear policy are not below zero. Where used
        // offers come first, one of them may be taken for a higher score than another would have.
        let is_complete = P::BOUND == Bound::Linear && best.placed.len() == gang.rows.len() && !self.ranking.used_first;
        for at in from..gang.rows.len() {
            if trial.placed.len() + gang.rows.len() - at < needed {
                return false;
            }
            let room = best.sum - trial.sum + (best.sum + trial.sum) * SLACK;
            let ceiling = if is_complete { room } else { f64::INFINITY };
            if let Some(found) = self.find_member((gang, at), members, shelf, (trial, wants), ceiling) {
                self.place((gang, at), found, members, trial);
            }
        }
        trial.placed.len() >= needed
    }

    /// Gives an offer to a member in a trial.
    fn place(&self, (gang, at): (Gang<'_>, usize), found: (usize, f64), members: &mut Members, trial: &mut Trial) {
        let row = gang.rows[at];
        members.add(&self.ledger, found.0);
        trial.place(row, found);
        if at + 1 < gang.rows.len() {
            trial.take(found.0, Task::new(gang.tasks, row, self.shape), self);
        }
    }

    /// The offer and the score that a member gets in a trial, unless the score is above a ceiling.
    fn find_member(
        &mut self,
        (gang, at): (Gang<'_>, usize),
        members: &Members,
        shelf: Option<(&Shelves, usize)>,
        (trial, wants): (&mut Trial, &mut Wants),
        ceiling: f64,
    ) -> Option<(usize, f64)> {
        let among = Among { members, altered: &trial.marks, ceiling };
        let used_first = self.ranking.used_first;
        Task::new(gang.tasks, gang.rows[at], self.shape).used_first(used_first, |task| {
            let (policy, ranking) = (&self.policy, &self.ranking);
            let found = match (&mut self.index, shelf) {
                (Some(index), Some((shelves, place))) => {
                    let seek = &mut wants.seeks[wants.of[at]];
                    if used_first {
                        index.seek(seek, task, policy, ranking);
                    }
                    shelves.find(place, seek, (task, &self.ledger), (policy, ranking), &among)
                }
                (Some(index), None) if !used_first => {
                    let want = &mut wants.wants[wants.of[at]];
                    index.find(want, &self.ledger, task, policy, ranking, Some(&among))
                }
                _ => self.choose_once(task, &among),
            };
            trial.better(found, task, members, self)
        })
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
