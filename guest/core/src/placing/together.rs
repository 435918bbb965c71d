//! Placing members that are to be together: trials with each value of an attribute.
//!
//! All of these trials are begun with the first member, and the most promising are gone on with first: a sum of scores, none
//! of which is negative, is not below the first of them.

use alloc::vec::Vec;

use crate::feasible::Task;
use crate::index::{Among, Floors, Shelves};
use crate::members::Members;
use crate::mode::Mode;
use crate::policy::{Bound, Policy};
use crate::pool::Pool;
use crate::reference::Placed;
use crate::trial::Trial;

use super::{Best, Gang, Wants};

/// The values of an attribute.
pub(super) struct Values {
    /// Which attribute.
    attribute: u32,
    /// The values, in the order in which they first came in the list.
    values: Vec<u32>,
    /// The offers with each of them.
    pub(super) shelves: Option<Shelves>,
    /// What is known of scores there, in exclusive mode.
    floors: Floors,
}

/// Trials with one value that are begun.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Begun {
    /// The place of the value.
    pub(super) place: usize,
    /// A number that the sum of all scores is not below; infinite where a member finds no offer.
    least: f64,
    /// What the first member has found, if it has been looked for.
    first: Option<Option<(usize, f64)>>,
}

impl<P: Policy> Pool<P> {
    /// Who of a group gets which offer, in the order of placing, where all members are to be on offers with one value.
    pub(super) fn find_together(
        &mut self,
        gang: Gang<'_>,
        mut members: Members,
        values: &mut Values,
        (trial, wants): (&mut Trial, &mut Wants),
    ) -> Vec<Placed> {
        if gang.rows.is_empty() {
            return Vec::new();
        }
        let allowed = core::mem::take(&mut members.values);
        let Values { attribute, values, shelves, floors } = values;
        let shelf = |place: usize| shelves.as_ref().map(|shelves| (shelves, place));
        let mut begun: Vec<Begun> = Vec::with_capacity(values.len());
        for (place, value) in values.iter().enumerate() {
            // In exclusive mode no two members are on one offer.
            let is_short = |(shelves, place): (&Shelves, usize)| shelves.count(place) < gang.least;
            let is_short = self.mode == Mode::Exclusive && shelf(place).is_some_and(is_short);
            if !is_short && (allowed.is_empty() || allowed.contains(value)) {
                begun.push(Begun { place, ..Begun::default() });
            }
        }
        if begun.is_empty() {
            return Vec::new();
        }
        trial.begin(self.ledger.rows(), self.ledger.list().len());
        if shelves.is_none() {
            self.want(gang, wants);
        } else {
            self.seek(gang, wants);
        }
        let mut best = Best::default();
        if let Some(shelves) = shelves.as_ref()
            && self.is_alike(gang, &members, wants)
        {
            self.find_alike(gang, (shelves, &wants.seeks[0]), (*attribute, values), &mut begun, &mut best);
        }
        let has_floors =
            self.mode == Mode::Exclusive && shelves.is_some() && !self.ranking.used_first && !begun.is_empty();
        if has_floors {
            wants.floors.clear();
            let firsts = (0..gang.rows.len()).filter(|&at| at == 0 || wants.of[at - 1] != wants.of[at]);
            let task = |at: usize| Task::new(gang.tasks, gang.rows[at], self.shape);
            wants.floors.extend(firsts.map(|at| floors.of(task(at), values.len())));
        }
        for begun in &mut begun {
            if let Some(shelf) = shelf(begun.place).filter(|_| has_floors) {
                begun.least = self.sum_of_floors(gang, shelf, (trial, wants), floors, None);
                continue;
            }
            members.have_to_have(values[begun.place]);
            let found = self.find_member((gang, 0), &members, shelf(begun.place), (trial, wants), f64::INFINITY);
            (begun.least, begun.first) = (found.map_or(f64::INFINITY, |(_, score)| score), Some(found));
        }
        begun.sort_unstable_by(|a, b| a.least.total_cmp(&b.least).then(a.place.cmp(&b.place)));

        for Begun { place, mut least, first } in begun {
            let is_complete = P::BOUND == Bound::Linear && best.placed.len() == gang.rows.len();
            let most = gang.rows.len() - usize::from(least == f64::INFINITY);
            if most < gang.least.max(best.placed.len()) || is_complete && least > best.sum {
                break;
            }
            trial.begin(self.ledger.rows(), self.ledger.list().len());
            if let Some(shelf) = shelf(place).filter(|_| has_floors && is_complete) {
                least = self.sum_of_floors(gang, shelf, (trial, wants), floors, Some(best.sum));
                if least > best.sum {
                    continue;
                }
            }
            let value = values[place];
            members.have_to_have(value);
            if let Some(found) = first.flatten() {
                self.place((gang, 0), found, &mut members, trial);
            }
            let from = usize::from(first.is_some());
            let is_done = self.go_on((gang, from), &mut members, shelf(place), (trial, wants), &best);
            trial.placed.iter().for_each(|&(_, offer, _)| members.remove(&self.ledger, offer));
            if is_done && self.is_better((trial.placed.len(), trial.sum), (*attribute, value, place), &best) {
                core::mem::swap(&mut best.placed, &mut trial.placed);
                (best.sum, best.value, best.place) = (trial.sum, value, place);
            }
        }
        if best.placed.len() < gang.least { Vec::new() } else { best.placed }
    }

    /// The values of an attribute.
    pub(super) fn values(&self, attribute: u32) -> Values {
        let mut seen = hashbrown::HashSet::new();
        let all = self.ledger.list().iter().map(|&row| self.ledger.attribute(row as usize, attribute));
        let values: Vec<u32> = all.filter(|&value| value != 0 && seen.insert(value)).collect();
        let shelves = self.index.as_ref().and_then(|index| index.shelves::<P>((attribute, &values), &self.ledger));
        Values { attribute, values, shelves, floors: Floors::default() }
    }

    /// Finds out what is known of the members of a group that are looked for on shelves.
    fn seek(&mut self, gang: Gang<'_>, wants: &mut Wants) {
        let Some(index) = &self.index else { return };
        let Wants { of, seeks, .. } = wants;
        gang.know(of, seeks, self.shape, |seek, task| index.seek(seek, task, &self.policy, &self.ranking));
    }

    /// Whether so many members with such a sum of scores, on offers with a value, are better than the best so far.
    pub(super) fn is_better(
        &self,
        (count, sum): (usize, f64),
        (attribute, value, place): (u32, u32, usize),
        best: &Best,
    ) -> bool {
        // The list keeps its order in shared mode, and the values found in it theirs.
        let comes_first = || match self.mode {
            Mode::Shared => place < best.place,
            Mode::Exclusive => self.comes_first((attribute, value), best.value),
        };
        count > best.placed.len()
            || count > 0 && count == best.placed.len() && (sum < best.sum || sum == best.sum && comes_first())
    }

    /// Whether, of two values of an attribute, the first one comes first in the list.
    fn comes_first(&self, (attribute, value): (u32, u32), other: u32) -> bool {
        let values = self.ledger.list().iter().map(|&row| self.ledger.attribute(row as usize, attribute));
        values.into_iter().find(|&found| found == value || found == other) == Some(value)
    }

    /// A number that no sum of the scores of all members on a shelf is below, in exclusive mode. Floors that are not known are
    /// found, and so are those that do not hold any more, as long as the number is not above a ceiling.
    fn sum_of_floors(
        &self,
        gang: Gang<'_>,
        (shelves, place): (&Shelves, usize),
        (trial, wants): (&Trial, &Wants),
        floors: &mut Floors,
        ceiling: Option<f64>,
    ) -> f64 {
        let sum = |floors: &Floors| floors.sum(wants.of.iter().map(|&of| wants.floors[of]), place);
        let mut least = sum(floors);
        if least.is_some_and(|least| ceiling.is_none_or(|ceiling| least > ceiling)) {
            return least.unwrap_or(0.0);
        }
        for (at, &of) in wants.of.iter().enumerate() {
            let holds = match floors.floor(wants.floors[of], place) {
                None => false,
                Some((_, row)) => row.is_none_or(|row| self.ledger.position(row).is_some()),
            };
            if holds || at > 0 && wants.of[at - 1] == of {
                continue;
            }
            let task = Task::new(gang.tasks, gang.rows[at], self.shape);
            let among = Among { members: &Members::default(), altered: &trial.marks, ceiling: f64::INFINITY };
            let score_by = (&self.policy, &self.ranking);
            let found = shelves.find(place, &wants.seeks[of], (task, &self.ledger), score_by, &among);
            let floor = found.map_or((f64::INFINITY, None), |(row, score)| (score, Some(row)));
            floors.set(wants.floors[of], place, floor);
            least = sum(floors);
            if least.zip(ceiling).is_some_and(|(least, ceiling)| least > ceiling) {
                break;
            }
        }
        least.unwrap_or(0.0)
    }
}
