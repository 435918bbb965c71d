//! What is to be packed.

use std::collections::HashMap;

use crate::error::{Error, Place};
use crate::table::offers::Offers;
use crate::table::tasks::{Tasks, WHOLE};

/// Offers that are alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kind {
    /// What one of them has in each dimension.
    pub capacity: Vec<u64>,
    /// How many of them may be used; none for any number.
    pub most: Option<usize>,
    /// Their rows, in order.
    pub rows: Vec<usize>,
}

/// What is to be packed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What each task asks in each dimension.
    pub demands: Vec<Vec<u64>>,
    /// The offers.
    pub kinds: Vec<Kind>,
    /// For each task, which kinds it may run on; empty where it may run on all of them.
    pub allowed: Vec<Vec<bool>>,
}

impl Problem {
    /// The tasks and offers of two tables. Whole devices are one more dimension, where any are asked.
    pub(super) fn of(tasks: &Tasks, offers: &Offers, is_unlimited: bool) -> Result<Self, Error> {
        let (asked, offered) = (tasks.table(), offers.table());
        let dimensions = tasks.catalog().dimensions().len();
        let attributes = tasks.catalog().attributes().len();
        let share = asked.devices.iter().position(|&devices| devices % WHOLE != 0);
        if let Some(row) = share {
            return Err(Error::DevicesMalformed {
                place: Box::new(Place {
                    source: "tasks".to_owned(),
                    row: Some(row),
                    name: Some(tasks.names()[row].clone()),
                    column: "device_share".to_owned(),
                }),
                value: asked.devices[row].to_string(),
                reason: "shares of a device are not packed offline",
            });
        }
        let mut demands: Vec<Vec<u64>> =
            (0..tasks.len()).map(|row| asked.demand[row * dimensions..(row + 1) * dimensions].to_vec()).collect();
        for (demand, &devices) in demands.iter_mut().zip(&asked.devices) {
            demand.push(u64::from(devices / WHOLE));
        }
        let mut kinds: Vec<Kind> = Vec::new();
        let mut values: Vec<Vec<u32>> = Vec::new();
        let mut numbers: HashMap<(Vec<u64>, Vec<u32>), usize> = HashMap::new();
        for row in 0..offers.len() {
            let mut capacity = offered.available[row * dimensions..(row + 1) * dimensions].to_vec();
            if !asked.devices.is_empty() {
                let ends =
                    offered.device_offsets.get(row..row + 2).map_or(0..0, |ends| ends[0] as usize..ends[1] as usize);
                capacity.push(offered.device_free[ends].iter().filter(|&&free| free == WHOLE).count() as u64);
            }
            let has = offered.attributes.get(row * attributes..(row + 1) * attributes).unwrap_or_default().to_vec();
            let number = *numbers.entry((capacity, has)).or_insert_with_key(|(capacity, has)| {
                kinds.push(Kind { capacity: capacity.clone(), most: None, rows: Vec::new() });
                values.push(has.clone());
                kinds.len() - 1
            });
            kinds[number].rows.push(row);
        }
        if !is_unlimited {
            kinds.iter_mut().for_each(|kind| kind.most = Some(kind.rows.len()));
        }
        let allowed = (0..tasks.len())
            .map(|row| {
                let Some(ends) = asked.requirement_offsets.get(row..row + 2).filter(|ends| ends[0] < ends[1]) else {
                    return Vec::new();
                };
                let holds = |at: usize, has: &[u32]| {
                    let range = asked.value_offsets[at] as usize..asked.value_offsets[at + 1] as usize;
                    let value = has.get(asked.requirement_subjects[at] as usize).copied().unwrap_or(0);
                    // By the contract 0 is in a set and 1 is not in it.
                    asked.values[range].contains(&value) != (asked.requirement_kinds[at] == 1)
                };
                values.iter().map(|has| (ends[0] as usize..ends[1] as usize).all(|at| holds(at, has))).collect()
            })
            .collect();
        Ok(Self { demands, kinds, allowed })
    }

    /// Whether an offer of a kind with so much free takes a task.
    pub(super) fn takes(&self, kind: usize, free: &[u64], task: usize) -> bool {
        self.allowed[task].get(kind).copied().unwrap_or(true)
            && self.demands[task].iter().zip(free).all(|(asked, free)| asked <= free)
    }
}
