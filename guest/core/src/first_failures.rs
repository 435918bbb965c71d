//! The first check that each offer fails, as contract 0.2.0 counts them.

use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;

use crate::columns::Shape;
use crate::feasible::{Standing, Task};
use crate::ledger::Ledger;
use crate::policy::{Policy, Ranking};
use crate::table::TaskTable;

/// How the offers in the list stand to each task. Each offer is counted once, at the first check it fails, so the counts of
/// a task add up to the length of the list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FirstFailures {
    /// Offers with too little: `rows x dimensions`, row by row.
    pub by_dimension: Vec<u32>,
    /// Offers refused by each requirement, in the order of the table's requirements.
    pub by_requirement: Vec<u32>,
    /// Offers whose devices do not serve the task.
    pub by_devices: Vec<u32>,
    /// Offers whose score is not below the maximal score.
    pub by_score: Vec<u32>,
    /// Offers left to choose from.
    pub candidates: Vec<u32>,
}

impl FirstFailures {
    /// Counts for every task of a checked table. Equal tasks are counted for once.
    pub(crate) fn of<P: Policy>(
        ledger: &Ledger,
        tasks: &TaskTable,
        shape: Shape,
        policy: &P,
        ranking: &Ranking,
    ) -> Self {
        let rows = tasks.rows as usize;
        let dimensions = shape.dimensions as usize;
        let mut counts = Self {
            by_dimension: vec![0; rows * dimensions],
            by_requirement: vec![0; tasks.requirement_kinds.len()],
            by_devices: vec![0; rows],
            by_score: vec![0; rows],
            candidates: vec![0; rows],
        };
        let mut counted = BTreeMap::new();
        for row in 0..rows {
            let task = Task::new(tasks, row, shape);
            let requirements = tasks.requirements(row);
            let sets = requirements.clone().map(|requirement| tasks.requirement(requirement));
            let key = (task.demand, task.devices, sets.collect::<Vec<_>>());
            let first = *counted.entry(key).or_insert(row);
            if first == row {
                counts.count(ledger, task, policy, ranking);
            } else {
                counts.copy(first, row, dimensions);
                let from = tasks.requirements(first);
                counts.by_requirement.copy_within(from, requirements.start);
            }
        }
        counts
    }

    /// Counts the offers of the list for one task.
    fn count<P: Policy>(&mut self, ledger: &Ledger, task: Task<'_>, policy: &P, ranking: &Ranking) {
        for &offer in ledger.list() {
            let count = match task.standing(ledger, offer as usize, policy, ranking) {
                Standing::Dimension(dimension) => &mut self.by_dimension[task.row * task.demand.len() + dimension],
                Standing::Requirement(requirement) => &mut self.by_requirement[requirement],
                Standing::Devices => &mut self.by_devices[task.row],
                Standing::Untouched | Standing::Score => &mut self.by_score[task.row],
                Standing::Candidate(_) => &mut self.candidates[task.row],
            };
            *count += 1;
        }
    }

    /// Gives a task the counts of an equal one, all but those of its requirements.
    fn copy(&mut self, from: usize, to: usize, dimensions: usize) {
        self.by_dimension.copy_within(from * dimensions..(from + 1) * dimensions, to * dimensions);
        for counts in [&mut self.by_devices, &mut self.by_score, &mut self.candidates] {
            counts[to] = counts[from];
        }
    }
}
