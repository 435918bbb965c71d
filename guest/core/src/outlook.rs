//! What policies that look ahead know: typical tasks, and the devices of the pool by what distinguishes its offers.

use alloc::vec;
use alloc::vec::Vec;

use hashbrown::HashMap;

use crate::feasible::Task;
use crate::ledger::Ledger;
use crate::table::{Kind, Shape, TaskTable};

/// The share of the tasks seen that the typical ones make up, the most frequent kinds first.
const TYPICAL: f64 = 0.95;

/// A requirement on an attribute that typical tasks have.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Allowed {
    /// The attribute.
    pub attribute: u32,
    /// Whether the value must not be one of these.
    pub excludes: bool,
    /// Interned values, rising.
    pub values: Vec<u32>,
}

/// One kind of task, and how frequent it is.
#[derive(Debug, Clone, PartialEq)]
pub struct TypicalTask {
    /// What it asks in each dimension.
    pub demand: Vec<u64>,
    /// The device thousandths it asks.
    pub devices: u32,
    /// Its requirements on attributes. Those on measures are left out.
    pub allowed: Vec<Allowed>,
    /// Its share of the tasks, above 0. All shares sum to 1.
    pub share: f64,
}

/// Offers that have the same values of all attributes that typical tasks ask about.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Model {
    /// The values, in the order of [`Outlook::attributes`]; zero is unset.
    pub values: Vec<u32>,
    /// How many devices the listed offers of this model have.
    pub devices: u64,
}

/// What a policy may know of the tasks to come and of the pool.
#[derive(Debug, Clone, Default)]
pub struct Outlook {
    /// Typical tasks, the most frequent first.
    pub tasks: Vec<TypicalTask>,
    /// The attributes that they ask about, rising.
    pub attributes: Vec<u32>,
    /// The models of the pool's offers, in the order of the first row of each.
    pub models: Vec<Model>,
}

impl TypicalTask {
    /// Whether its requirements hold for a model.
    #[must_use]
    pub fn allows(&self, outlook: &Outlook, model: &Model) -> bool {
        self.allowed.iter().all(|allowed| {
            let at = outlook.attributes.partition_point(|&attribute| attribute < allowed.attribute);
            allowed.values.contains(&model.values[at]) != allowed.excludes
        })
    }
}

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
    /// Takes a workload instead of what was seen: one row a kind, and the share of each, none negative.
    pub(crate) fn give(&mut self, tasks: &TaskTable, shares: &[f64], shape: Shape) {
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

impl Outlook {
    /// What is known of these tasks and of the offers of a pool, with the model of each row.
    pub(crate) fn new(tasks: Vec<TypicalTask>, ledger: &Ledger) -> (Self, Vec<u32>) {
        let mut attributes: Vec<u32> =
            tasks.iter().flat_map(|task| &task.allowed).map(|allowed| allowed.attribute).collect();
        attributes.sort_unstable();
        attributes.dedup();
        let mut models: Vec<Model> = Vec::new();
        let mut numbers: HashMap<Vec<u32>, u32> = HashMap::new();
        let mut of_rows = vec![0; ledger.rows()];
        for (row, model) in of_rows.iter_mut().enumerate() {
            let values: Vec<u32> = attributes.iter().map(|&attribute| ledger.attribute(row, attribute)).collect();
            let number = *numbers.entry(values).or_insert_with_key(|values| {
                models.push(Model { values: values.clone(), devices: 0 });
                models.len() as u32 - 1
            });
            if ledger.position(row).is_some() {
                models[number as usize].devices += ledger.devices(row).len() as u64;
            }
            *model = number;
        }
        (Self { tasks, attributes, models }, of_rows)
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
