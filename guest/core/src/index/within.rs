//! Searches that ask more than a demand and requirements: preferences, and what a group leaves to its members.
//!
//! The penalties of preferences are never below zero, so the bound of a policy's score stays a bound. It would be a weak one:
//! where the preferred offers are gone, everything that scores less than the penalty would be looked at. So a task with up to
//! [`CLASSES`] preferences walks once through the offers of each class, those which fail the same preferences, with the
//! penalty in the bound, the cheapest class first; most walks end where they begin. Further preferences are looked up in the
//! offers that are left.

use alloc::vec::Vec;

use crate::feasible::Task;
use crate::ledger::Ledger;
use crate::members::Members;
use crate::policy::{Policy, Ranking};

use super::Index;
use super::asks::Ask;
use super::postings::RARE;
use super::requirements::{Filter, Offers, RequirementOf, Trait};
use super::rows::Chosen;
use super::search::{Extra, Search};
use super::slots::Slots;

/// Preferences by which offers are put into classes, at most.
const CLASSES: usize = 3;
/// Values that a group has filled, and whose offers are passed over by bit rows, at most.
const FULL: usize = 64;

/// Which offers a member of a group may have.
pub(crate) struct Among<'a> {
    /// The group.
    pub(crate) members: &'a Members,
    /// Rows that may not be chosen, as a mark for each row.
    pub(crate) altered: &'a [bool],
    /// A score above this is of no use.
    pub(crate) ceiling: f64,
}

impl Among<'_> {
    /// Whether an offer may be chosen.
    pub(crate) fn admits(&self, ledger: &Ledger, row: usize) -> bool {
        !self.altered[row] && self.members.admit(ledger, row)
    }
}

/// What is known of a task before it is searched for, as long as the index does not change.
#[derive(Debug, Clone, Default)]
pub(crate) struct Want {
    /// Whether some offer may serve it.
    pub(super) is_possible: bool,
    /// What is known of its demand.
    pub(super) ask: Ask,
    /// What it asks on every axis.
    pub(super) asked: Vec<u64>,
    /// The rows of thresholds to pass.
    pub(super) thresholds: Vec<u32>,
    /// The rows of its requirements.
    pub(super) chosen: Chosen,
    /// The preferences.
    preferences: Vec<Preference>,
    /// The first block that is looked at.
    pub(super) start: usize,
    /// What serves it before that block.
    pub(super) arrived: Vec<u32>,
    /// Room for the filters that an offer has to pass in one search.
    filters: Vec<Filter>,
}

/// A preference of a task.
#[derive(Debug, Clone, Copy)]
struct Preference {
    /// Its position in the task table.
    requirement: usize,
    /// What it costs where it does not hold.
    weight: f64,
    /// Its filter, where offers are put into classes by it.
    filter: Option<Filter>,
    /// Whether it holds in the present class; none where each offer is asked.
    holds: Option<bool>,
}

/// The offers of one class that a group may have.
struct Class<'a> {
    /// The group.
    among: Option<&'a Among<'a>>,
    /// The preferences.
    preferences: &'a [Preference],
    /// The sum of the weights that are known.
    penalty: f64,
    /// Whether all of them are known.
    is_known: bool,
    /// The task.
    task: Task<'a>,
    /// The offers.
    ledger: &'a Ledger,
}

impl Extra for Class<'_> {
    fn keeps_shapes(&self) -> bool {
        self.is_known
    }

    fn admitted(&self, slots: &Slots, slot: usize, first: u32) -> Option<u32> {
        let Some(among) = self.among else { return Some(first) };
        // The offers of a slot have the same attributes, as far as groups ask for them.
        if !among.members.admit_attributes(self.ledger, self.ledger.list()[first as usize] as usize) {
            return None;
        }
        slots.first_admitted(slot, |row| !among.altered[row] && among.members.admit_offer(self.ledger, row))
    }

    fn total(&self, score: f64, position: u32) -> f64 {
        let row = self.ledger.list()[position as usize] as usize;
        self.preferences.iter().fold(score, |score, preference| {
            let holds = preference.holds.unwrap_or_else(|| self.task.holds(preference.requirement, self.ledger, row));
            if holds { score } else { score + preference.weight }
        })
    }

    fn least_total(&self, score: f64) -> f64 {
        // Rounded sums keep the order of their terms.
        let known = self.preferences.iter().filter(|preference| preference.holds == Some(false));
        known.fold(score, |score, preference| score + preference.weight)
    }

    fn most_score(&self, total: f64) -> f64 {
        // Each of a few sums is off by at most 2^-53 of a result that is not above the total.
        if total == f64::INFINITY { total } else { total - self.penalty + (total + self.penalty) * 1e-12 }
    }
}

impl Index {
    /// The row and the score of the offer that a task with preferences, or a member of a group, gets among the offers that it
    /// may have.
    pub(crate) fn choose_within<P: Policy>(
        &mut self,
        ledger: &Ledger,
        task: Task<'_>,
        policy: &P,
        ranking: &Ranking,
        among: Option<&Among<'_>>,
    ) -> Option<(usize, f64)> {
        let mut want = core::mem::take(&mut self.want);
        self.want(&mut want, ledger, task, policy, ranking);
        let found = self.find(&mut want, ledger, task, policy, ranking, among);
        self.want = want;
        found
    }

    /// Finds out what is known of a task.
    pub(crate) fn want<P: Policy>(
        &mut self,
        want: &mut Want,
        ledger: &Ledger,
        task: Task<'_>,
        policy: &P,
        ranking: &Ranking,
    ) {
        want.is_possible = false;
        let Some(place) = self.know(ledger, task, policy, ranking) else { return };
        if self.asks.is_refused(place, &self.chosen.requirements, &self.nowhere) {
            self.refuse(place);
            return;
        }
        want.is_possible = true;
        want.ask = *self.asks.ask(place);
        let (asked, thresholds) = self.asks.columns(place);
        want.asked.clear();
        want.asked.extend_from_slice(asked);
        want.thresholds.clear();
        want.thresholds.extend_from_slice(thresholds);
        want.chosen.clone_from(&self.chosen);
        want.arrived.clear();
        want.start = if !P::ESTIMATES { self.start(want.ask, asked, &mut want.arrived) } else { 0 };
        let Self { rows, words, slots, measured, axes, .. } = self;
        let offers = Offers { words, slots, ledger, measures: axes.quantities() };
        want.preferences.clear();
        let mut known = 0;
        for requirement in task.preferred() {
            let weight = task.table.requirement_weights[requirement];
            let is_known = weight > 0.0 && known < CLASSES;
            let of = is_known.then(|| RequirementOf::new(task.table, requirement, measured));
            let filter = of.and_then(|of| rows.requirements.filter(&of, &offers));
            known += usize::from(filter.is_some());
            want.preferences.push(Preference { requirement, weight, filter, holds: None });
        }
    }

    /// Finds the row and the score of the offer that a task gets, of which this is known.
    pub(crate) fn find<P: Policy>(
        &mut self,
        want: &mut Want,
        ledger: &Ledger,
        task: Task<'_>,
        policy: &P,
        ranking: &Ranking,
        among: Option<&Among<'_>>,
    ) -> Option<(usize, f64)> {
        if !want.is_possible {
            return None;
        }
        let in_one_place = self.filter(want, ledger, among.map(|among| among.members));
        let admits = |row: usize| among.is_none_or(|among| among.admits(ledger, row));
        if let Some((attribute, value)) = in_one_place {
            self.postings.prepare_attribute(attribute, ledger);
            return self.postings.choose_with((attribute, value), ledger, task, policy, ranking, admits);
        }
        if !want.chosen.unfiltered.is_empty() {
            self.postings.prepare(task, &want.chosen.unfiltered, ledger);
            let most = (ledger.list().len() / 8).max(RARE);
            if let Some(requirement) = self.postings.shortest(task, &want.chosen.unfiltered, most) {
                return self.postings.choose_among(requirement, ledger, task, policy, ranking, admits);
            }
        }

        let Want { ask, asked, thresholds, chosen, preferences, start, arrived, filters, .. } = want;
        let classes = Classes::of(preferences);
        let mut room = core::mem::take(&mut self.room).of(self.features.width());
        let passed_by_all = filters.len();
        // The least double above the ceiling: what is as high as that may still be chosen.
        let ceiling = among.map_or(f64::INFINITY, |among| among.ceiling.next_up());
        let mut best = (None, (ranking.max_score.min(ceiling), 0));
        let (mut wasted, mut fits_nowhere) = (0, true);
        for &(class, penalty) in classes.iter() {
            filters.truncate(passed_by_all);
            let known =
                preferences.iter_mut().filter_map(|preference| Some((preference.filter?, &mut preference.holds)));
            for (at, (filter, holds)) in known.enumerate() {
                let fails = class >> at & 1 == 1;
                *holds = Some(!fails);
                filters.push(if fails { filter.reversed() } else { filter });
            }
            let is_known = preferences.iter().all(|preference| preference.holds.is_some());
            let search = Search {
                words: &self.words,
                slots: &self.slots,
                features: &self.features,
                sieve: self.rows.sieve(thresholds, filters, self.words.alive()),
                chosen,
                axes: self.axes,
                asked,
                ask: *ask,
                ledger,
                task,
                policy,
                ranking,
                is_flat: self.bound.is_flat,
                extra: Class { among, preferences, penalty, is_known, task, ledger },
            };
            let found = search.run(*start, arrived, best.1, &mut room);
            wasted += found.wasted;
            fits_nowhere &= found.fits_nowhere;
            if let Some((row, score)) = found.offer {
                best = (Some((row, score)), (score, ledger.position(row).unwrap_or(0)));
            }
        }
        if fits_nowhere && among.is_none() && !task.used {
            self.nowhere.add(asked, &chosen.requirements);
        }
        self.room = room;
        self.wasted += wasted;
        best.0
    }

    /// Finds the filters that a search has to pass, but for preferences. Where members have to have one value, which has no row,
    /// that is returned instead.
    fn filter(&mut self, want: &mut Want, ledger: &Ledger, members: Option<&Members>) -> Option<(u32, u32)> {
        let Want { filters, chosen, .. } = want;
        filters.clear();
        filters.extend_from_slice(&chosen.requirements);
        let members = members?;
        let Self { rows, words, slots, axes, .. } = self;
        let offers = Offers { words, slots, ledger, measures: axes.quantities() };
        let mut filter = |what: RequirementOf<'_>| rows.requirements.filter(&what, &offers);
        let mut in_one_place = None;
        if let Some(attribute) = members.together().filter(|_| !members.values.is_empty()) {
            match filter(RequirementOf { what: Trait::In(attribute), values: &members.values }) {
                Some(filter) => filters.push(filter),
                None if members.values.len() == 1 => in_one_place = Some((attribute, members.values[0])),
                None => {}
            }
        }
        for attribute in members.counted_by() {
            filters.extend(filter(RequirementOf { what: Trait::NotIn(attribute), values: &[0] }));
        }
        for (attribute, value) in members.full().take(FULL) {
            filters.extend(filter(RequirementOf { what: Trait::NotIn(attribute), values: &[value] }));
        }
        in_one_place
    }
}

/// The classes of offers: which of the known preferences fail, one bit each, and what that costs; the cheapest first.
struct Classes {
    /// The classes.
    classes: [(usize, f64); 1 << CLASSES],
    /// How many there are.
    count: usize,
}

impl Classes {
    /// The classes of a task's preferences.
    fn of(preferences: &[Preference]) -> Self {
        let mut known = [0.0; CLASSES];
        let mut count = 0;
        for preference in preferences.iter().filter(|preference| preference.filter.is_some()) {
            known[count] = preference.weight;
            count += 1;
        }
        let mut classes = [(0, 0.0); 1 << CLASSES];
        for (class, (bits, penalty)) in classes.iter_mut().enumerate() {
            *bits = class;
            *penalty = known.iter().enumerate().filter(|(at, _)| class >> at & 1 == 1).map(|(_, weight)| weight).sum();
        }
        let count = 1 << count;
        classes[..count].sort_by(|a, b| a.1.total_cmp(&b.1));
        Self { classes, count }
    }

    /// One after the other.
    fn iter(&self) -> impl Iterator<Item = &(usize, f64)> {
        self.classes[..self.count].iter()
    }
}
