//! Which offers can take a task.

use alloc::vec::Vec;

use crate::columns::Shape;
use crate::devices;
use crate::ledger::Ledger;
use crate::policy::{Bound, Demand, Leftover, Policy, Ranking, State};
use crate::settings::Settings;
use crate::table::{Kind, TaskTable};

/// One task of a checked table.
#[derive(Clone, Copy)]
pub(crate) struct Task<'a> {
    /// The table.
    pub(crate) table: &'a TaskTable,
    /// The row in it.
    pub(crate) row: usize,
    /// What it asks in each dimension.
    pub(crate) demand: &'a [u64],
    /// The device thousandths it asks.
    pub(crate) devices: u32,
    /// Whether only used offers will do, while these come first.
    pub(crate) used: bool,
}

/// How an offer stands to a task: the first check that it fails, or the score of a candidate.
pub(crate) enum Standing {
    /// Too little in this dimension.
    Dimension(usize),
    /// This requirement, as a position in the table's columns, does not hold.
    Requirement(usize),
    /// The devices do not serve.
    Devices,
    /// Nothing of it is used.
    Untouched,
    /// The score is not below the maximal score.
    Score,
    /// The offer can be chosen, at this score.
    Candidate(f64),
}

impl<'a> Task<'a> {
    /// A row of a checked table.
    #[inline]
    pub(crate) fn new(table: &'a TaskTable, row: usize, shape: Shape) -> Self {
        let width = shape.dimensions as usize;
        let demand = &table.demand[row * width..(row + 1) * width];
        Self { table, row, demand, devices: table.devices(row), used: false }
    }

    /// What is found for it where used offers come first: among these, and among all where none of them will do.
    #[inline]
    pub(crate) fn used_first<T>(self, comes_first: bool, mut find: impl FnMut(Self) -> Option<T>) -> Option<T> {
        let found = if comes_first { find(Self { used: true, ..self }) } else { None };
        found.or_else(|| find(self))
    }

    /// How an offer stands to this task.
    pub(crate) fn standing<P: Policy>(&self, ledger: &Ledger, offer: usize, policy: &P, ranking: &Ranking) -> Standing {
        self.standing_with(ledger, offer, Leftover::of(ledger, offer), ledger.devices(offer), policy, ranking)
    }

    /// How an offer would stand to this task if it had this left, and these devices.
    #[inline]
    pub(crate) fn standing_with<P: Policy>(
        &self,
        ledger: &Ledger,
        offer: usize,
        left: Leftover<'_>,
        devices: &[u32],
        policy: &P,
        ranking: &Ranking,
    ) -> Standing {
        let short = self.demand.iter().zip(left.available).position(|(demand, available)| demand > available);
        if let Some(dimension) = short {
            return Standing::Dimension(dimension);
        }
        if let Some(broken) = self.required().find(|&requirement| !self.holds(requirement, ledger, offer)) {
            return Standing::Requirement(broken);
        }
        if !devices::serve(devices, self.devices) {
            return Standing::Devices;
        }
        if self.used && !left.is_used() {
            return Standing::Untouched;
        }
        let score = self.total_with(ledger, offer, left, devices, policy, ranking);
        if score < ranking.max_score { Standing::Candidate(score) } else { Standing::Score }
    }

    /// The score of a feasible offer that has this left, and these devices, with the penalties of preferences.
    #[inline]
    pub(crate) fn total_with<P: Policy>(
        &self,
        ledger: &Ledger,
        offer: usize,
        left: Leftover<'_>,
        devices: &[u32],
        policy: &P,
        ranking: &Ranking,
    ) -> f64 {
        if P::BOUND != Bound::None {
            let left = Leftover { attributes: &[], measures: &[], ..left };
            return self.with_penalties(policy.score(ranking, self.demand(), left), ledger, offer);
        }
        let mut devices = devices.to_vec();
        devices.sort_unstable();
        let left = Leftover { devices: &devices, ..left };
        let left = if P::LOOKS_AHEAD { self.weighed(left, policy) } else { left };
        self.with_penalties(policy.score(ranking, self.demand(), left), ledger, offer)
    }

    /// The same for a feasible offer as it is.
    pub(crate) fn total<P: Policy>(&self, ledger: &Ledger, offer: usize, policy: &P, ranking: &Ranking) -> f64 {
        self.total_with(ledger, offer, Leftover::of(ledger, offer), ledger.devices(offer), policy, ranking)
    }

    /// The same with the potentials of the offer before and after; that of before is kept where it is known.
    fn weighed<'l, P: Policy>(&self, left: Leftover<'l>, policy: &P) -> Leftover<'l> {
        let Leftover { available, capacity, devices, model, .. } = left;
        let as_it_is = State { available, capacity, devices, model };
        let mut devices = devices.to_vec();
        let before = if left.before.is_nan() { policy.potential(as_it_is) } else { left.before };
        let available: Vec<u64> = left.available.iter().zip(self.demand).map(|(free, asked)| free - asked).collect();
        devices::take(&mut devices, self.devices);
        devices.sort_unstable();
        let taken = State { available: &available, capacity, devices: &devices, model };
        Leftover { before, after: policy.potential(taken), ..left }
    }

    /// A policy's potential of an offer as it is.
    pub(crate) fn potential<P: Policy>(ledger: &Ledger, offer: usize, policy: &P) -> f64 {
        let mut devices = ledger.devices(offer).to_vec();
        devices.sort_unstable();
        let (available, capacity) = (ledger.available(offer), ledger.capacity(offer));
        policy.potential(State { available, capacity, devices: &devices, model: ledger.model(offer) })
    }

    /// Writes down all that decides how offers stand to it.
    pub(crate) fn key(&self, key: &mut Vec<u64>) {
        key.clear();
        key.extend_from_slice(self.demand);
        key.push(u64::from(self.devices) << 1 | u64::from(self.used));
        for at in self.table.requirements(self.row) {
            let kind = self.table.requirement_kinds[at];
            key.push(u64::from(kind) << 32 | u64::from(self.table.requirement_subjects[at]));
            key.push(self.table.requirement_weights.get(at).map_or(f64::INFINITY, |&weight| weight).to_bits());
            if Kind::of(kind).is_measured() {
                key.push(self.table.requirement_bounds[at].to_bits());
            } else {
                let values = self.table.values(at);
                key.push(values.len() as u64);
                key.extend(values.iter().copied().map(u64::from));
            }
        }
    }

    /// What it asks, for a policy.
    #[inline]
    pub(crate) fn demand(&self) -> Demand<'a> {
        Demand { quantities: self.demand, devices: self.devices }
    }

    /// The requirements, as positions in the table's columns.
    #[inline]
    pub(crate) fn required(&self) -> impl Iterator<Item = usize> {
        self.table.requirements(self.row).filter(|&requirement| !self.table.is_preference(requirement))
    }

    /// The preferences, in the same way.
    #[inline]
    pub(crate) fn preferred(&self) -> impl Iterator<Item = usize> {
        // A table without weights has no preference: nothing to look for.
        let all = self.table.requirements(self.row);
        let any = if self.table.requirement_weights.is_empty() { all.end..all.end } else { all };
        any.filter(|&requirement| self.table.is_preference(requirement))
    }

    /// Whether a requirement, or a preference, holds for an offer.
    pub(crate) fn holds(&self, requirement: usize, ledger: &Ledger, offer: usize) -> bool {
        let subject = self.table.requirement_subjects[requirement];
        // An unset value is zero, and zero is in no set; an unset measure is NaN, and NaN is neither more nor less.
        match Kind::of(self.table.requirement_kinds[requirement]) {
            Kind::In => self.table.values(requirement).contains(&ledger.attribute(offer, subject)),
            Kind::NotIn => !self.table.values(requirement).contains(&ledger.attribute(offer, subject)),
            Kind::AtLeast => ledger.measure(offer, subject) >= self.table.requirement_bounds[requirement],
            Kind::AtMost => ledger.measure(offer, subject) <= self.table.requirement_bounds[requirement],
        }
    }

    /// How far a requirement's bound is from the measure of an offer for which it does not hold; infinite or NaN where the
    /// requirement is about an attribute, or one of the two is no finite number.
    pub(crate) fn distance(&self, requirement: usize, ledger: &Ledger, offer: usize) -> f64 {
        let kind = Kind::of(self.table.requirement_kinds[requirement]);
        if !kind.is_measured() {
            return f64::NAN;
        }
        let bound = self.table.requirement_bounds[requirement];
        let value = ledger.measure(offer, self.table.requirement_subjects[requirement]);
        if kind == Kind::AtLeast { bound - value } else { value - bound }
    }

    /// A policy's score and, in order, the weight of each preference that does not hold.
    #[inline]
    pub(crate) fn with_penalties(&self, score: f64, ledger: &Ledger, offer: usize) -> f64 {
        let broken = self.preferred().filter(|&preference| !self.holds(preference, ledger, offer));
        broken.fold(score, |score, preference| score + self.table.requirement_weights[preference])
    }

    /// The score of a feasible offer by the policy alone.
    pub(crate) fn score<P: Policy>(&self, ledger: &Ledger, offer: usize, policy: &P, ranking: &Ranking) -> f64 {
        policy.score(ranking, self.demand(), Leftover::of(ledger, offer))
    }
}

impl<'a> Leftover<'a> {
    /// What an offer has.
    #[inline]
    pub(crate) fn of(ledger: &'a Ledger, offer: usize) -> Self {
        Self {
            available: ledger.available(offer),
            capacity: ledger.capacity(offer),
            free_devices: ledger.free_devices(offer),
            device_capacity: ledger.device_capacity(offer),
            devices: &[],
            attributes: ledger.attributes(offer),
            measures: ledger.measures(offer),
            model: ledger.model(offer),
            before: f64::NAN,
            after: f64::NAN,
        }
    }

    /// Whether anything of the offer is used.
    pub(crate) fn is_used(&self) -> bool {
        self.available != self.capacity || self.free_devices < self.device_capacity
    }
}

impl Ranking {
    /// The ranking of a pool that is opened with these offers.
    pub(crate) fn new(settings: &Settings, shape: Shape, ledger: &Ledger) -> Self {
        let terms = shape.dimensions as usize + 1;
        let mut largest = alloc::vec![1_u64; shape.dimensions as usize];
        for capacity in ledger.capacity_of_all().chunks_exact(largest.len().max(1)) {
            largest.iter_mut().zip(capacity).for_each(|(largest, &capacity)| *largest = capacity.max(*largest));
        }
        let of_devices = (0..ledger.rows()).map(|row| ledger.device_capacity(row));
        largest.push(if ledger.has_devices() { of_devices.max().unwrap_or(0).max(1) } else { 1 });
        let given = settings.scales.iter().zip(&mut largest).filter(|(given, _)| **given > 0);
        given.for_each(|(given, scale)| *scale = *given);
        Self {
            // What is below this is finite.
            max_score: settings.max_score.unwrap_or(f64::INFINITY),
            weights: crate::columns::or_default(&settings.weights, 1.0, terms),
            scales: largest.into_iter().map(|scale| scale as f64).collect(),
            used_first: false,
        }
    }

    /// Raises those scales which may be to the capacities of an offer. Says whether any is higher now.
    pub(crate) fn raise(&mut self, may_be: &[bool], capacity: &[u64], device_capacity: u64) -> bool {
        let capacities = capacity.iter().copied().chain([device_capacity]);
        let mut raised = false;
        for ((scale, may_be), capacity) in self.scales.iter_mut().zip(may_be).zip(capacities) {
            if *may_be && capacity as f64 > *scale {
                *scale = capacity as f64;
                raised = true;
            }
        }
        raised
    }
}
