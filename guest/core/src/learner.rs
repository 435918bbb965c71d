//! Typical tasks: learned from those that a pool has seen, or given.

use alloc::vec::Vec;

use hashbrown::HashMap;

use crate::columns::Shape;
use crate::feasible::Task;
use crate::outlook::{Allowed, TypicalTask};
use crate::table::Workload;
use crate::table::{Kind, TaskTable};

/// The share of the tasks seen that the typical ones make up, the most frequent kinds first.
const TYPICAL: f64 = 0.95;

/// Learns typical tasks from those that a pool has seen.
///
/// The kinds are counted task by task, and looked at anew whenever the number of tasks has doubled. So what is known for a task
/// depends on the tasks before it and on itself, and not on how they were cut into calls.
#[derive(Debug, Clone, Default)]
pub(crate) struct Learner {
    /// How often each kind was seen, in the order of the first of each.
    counts: Vec<u64>,
    /// The kinds: demand, devices, requirements.
    kinds: Vec<(Vec<u64>, u32, Vec<Allowed>)>,
    /// The number of each kind, by the bits of what it asks.
    numbers: HashMap<Vec<u64>, usize>,
    /// How many tasks there were.
    seen: u64,
    /// The typical tasks that were given: then none are learned.
    given: Option<Vec<TypicalTask>>,
    /// Room for what a task asks.
    key: Vec<u64>,
}

impl Learner {
    /// Takes a checked workload instead of what was seen; one without a row says nothing.
    pub(crate) fn give(&mut self, workload: &Workload, shape: Shape) {
        let Workload { tasks, shares } = workload;
        if shares.is_empty() {
            self.given = None;
            return;
        }
        let mut order: Vec<usize> = (0..shares.len()).filter(|&row| shares[row] > 0.0).collect();
        order.sort_by(|&one, &other| shares[other].total_cmp(&shares[one]).then(one.cmp(&other)));
        let all: f64 = order.iter().map(|&row| shares[row]).sum();
        let mut sum = 0.0;
        let mut chosen = Vec::new();
        for row in order {
            if sum >= TYPICAL * all {
                break;
            }
            sum += shares[row];
            chosen.push(row);
        }
        let of = |row: usize| {
            let task = Task::new(tasks, row, shape);
            TypicalTask {
                demand: task.demand.to_vec(),
                devices: task.devices,
                allowed: allowed(task),
                share: shares[row] / sum,
            }
        };
        self.given = Some(chosen.into_iter().map(of).collect());
    }

    /// Counts a task. Says whether the number of tasks is a power of two now, so that typical tasks are to be looked at anew.
    pub(crate) fn see(&mut self, task: Task<'_>) -> bool {
        if self.given.is_some() {
            return false;
        }
        let mut key = core::mem::take(&mut self.key);
        task.key(&mut key);
        let is_due = self.count(task, &key);
        self.key = key;
        is_due
    }

    fn count(&mut self, task: Task<'_>, key: &[u64]) -> bool {
        let number = match self.numbers.get(key) {
            Some(&number) => number,
            None => {
                self.numbers.insert(key.to_vec(), self.kinds.len());
                self.kinds.push((task.demand.to_vec(), task.devices, allowed(task)));
                self.counts.push(0);
                self.kinds.len() - 1
            }
        };
        self.counts[number] += 1;
        self.seen += 1;
        self.seen.is_power_of_two()
    }

    /// The typical tasks: the most frequent kinds, the first seen of equally frequent ones, until they make up
    /// [`TYPICAL`] of the tasks.
    pub(crate) fn typical(&self) -> Vec<TypicalTask> {
        if let Some(given) = &self.given {
            return given.clone();
        }
        let mut order: Vec<usize> = (0..self.kinds.len()).collect();
        order.sort_by_key(|&number| (core::cmp::Reverse(self.counts[number]), number));
        let enough = TYPICAL * self.seen as f64;
        let mut sum = 0_u64;
        let mut chosen = Vec::new();
        for number in order {
            if sum as f64 >= enough {
                break;
            }
            sum += self.counts[number];
            chosen.push(number);
        }
        let of = |number: usize| {
            let (demand, devices, allowed) = self.kinds[number].clone();
            TypicalTask { demand, devices, allowed, share: self.counts[number] as f64 / sum as f64 }
        };
        chosen.into_iter().map(of).collect()
    }
}

/// A task's requirements on attributes, in their order.
fn allowed(task: Task<'_>) -> Vec<Allowed> {
    let table: &TaskTable = task.table;
    let of = |requirement: usize| {
        let excludes = match Kind::of(table.requirement_kinds[requirement]) {
            Kind::In => false,
            Kind::NotIn => true,
            Kind::AtLeast | Kind::AtMost => return None,
        };
        let mut values = table.values(requirement).to_vec();
        values.sort_unstable();
        values.dedup();
        Some(Allowed { attribute: table.requirement_subjects[requirement], excludes, values })
    };
    task.required().filter_map(of).collect()
}
