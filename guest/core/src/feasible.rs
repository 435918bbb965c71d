//! Which offers can take a task.

use crate::devices;
use crate::ledger::Ledger;
use crate::policy::{Demand, Leftover, Policy, Ranking};
use crate::settings::Settings;
use crate::table::{Shape, TaskTable};

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
}

/// How an offer stands to a task: the first check that it fails, or the score of a candidate.
pub(crate) enum Standing {
    /// Too little in this dimension.
    Dimension(usize),
    /// This requirement, as a position in the table's columns, does not hold.
    Requirement(usize),
    /// The devices do not serve.
    Devices,
    /// The score is not below the maximal score.
    Score,
    /// The offer can be chosen, at this score.
    Candidate(f64),
}

impl<'a> Task<'a> {
    /// A row of a checked table.
    pub(crate) fn new(table: &'a TaskTable, row: usize, shape: Shape) -> Self {
        let width = shape.dimensions as usize;
        Self { table, row, demand: &table.demand[row * width..(row + 1) * width], devices: table.devices(row) }
    }

    /// How an offer stands to this task.
    pub(crate) fn standing<P: Policy>(&self, ledger: &Ledger, offer: usize, policy: &P, ranking: &Ranking) -> Standing {
        let available = ledger.available(offer);
        if let Some(dimension) = self.demand.iter().zip(available).position(|(demand, available)| demand > available) {
            return Standing::Dimension(dimension);
        }
        let mut requirements = self.table.requirements(self.row);
        if let Some(broken) = requirements.find(|&requirement| !self.holds(requirement, ledger, offer)) {
            return Standing::Requirement(broken);
        }
        if !devices::serve(ledger.devices(offer), self.devices) {
            return Standing::Devices;
        }
        let score = self.score(ledger, offer, policy, ranking);
        if score < ranking.max_score { Standing::Candidate(score) } else { Standing::Score }
    }

    /// Whether a requirement holds for an offer.
    pub(crate) fn holds(&self, requirement: usize, ledger: &Ledger, offer: usize) -> bool {
        let value = ledger.attribute(offer, self.table.requirement_attributes[requirement]);
        // An unset value is zero, and zero is in no set.
        self.table.values(requirement).contains(&value) != self.table.requirement_excludes[requirement]
    }

    /// The score of a feasible offer.
    pub(crate) fn score<P: Policy>(&self, ledger: &Ledger, offer: usize, policy: &P, ranking: &Ranking) -> f64 {
        let demand = Demand { quantities: self.demand, devices: self.devices };
        let offer = Leftover {
            available: ledger.available(offer),
            capacity: ledger.capacity(offer),
            free_devices: ledger.free_devices(offer),
            device_capacity: ledger.device_capacity(offer),
        };
        policy.score(ranking, demand, offer)
    }
}

impl Ranking {
    /// The ranking of a pool that is opened with these offers.
    pub(crate) fn new(settings: &Settings, shape: Shape, ledger: &Ledger) -> Self {
        let terms = shape.dimensions as usize + 1;
        let mut largest = alloc::vec![1_u64; terms];
        for row in 0..ledger.rows() {
            let capacities = ledger.capacity(row).iter().copied().chain([ledger.device_capacity(row)]);
            for (largest, capacity) in largest.iter_mut().zip(capacities) {
                *largest = capacity.max(*largest);
            }
        }
        let given = settings.scales.iter().zip(&mut largest).filter(|(given, _)| **given > 0);
        given.for_each(|(given, scale)| *scale = *given);
        Self {
            max_score: settings.max_score,
            weights: crate::table::or_default(&settings.weights, 1.0, terms),
            scales: largest.into_iter().map(|scale| scale as f64).collect(),
        }
    }
}
