//! What policies that look ahead know: typical tasks, and the devices of the pool by what distinguishes its offers.

use alloc::vec;
use alloc::vec::Vec;

use hashbrown::HashMap;

use crate::ledger::Ledger;

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

impl Outlook {
    /// What is known of these tasks and of the offers of a pool, with the model of each row.
    pub(crate) fn new(tasks: Vec<TypicalTask>, ledger: &Ledger) -> (Self, Vec<u32>) {
        let mut attributes: Vec<u32> =
            tasks.iter().flat_map(|task| &task.allowed).map(|allowed| allowed.attribute).collect();
        attributes.sort_unstable();
        attributes.dedup();
        if attributes.is_empty() && ledger.rows() > 0 {
            // Nobody asks what offers are like: they are of one model.
            let listed = if ledger.has_devices() { ledger.list() } else { &[] };
            let devices = listed.iter().map(|&row| ledger.devices(row as usize).len() as u64).sum();
            let models = vec![Model { values: Vec::new(), devices }];
            return (Self { tasks, attributes, models }, vec![0; ledger.rows()]);
        }
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
