//! What is to be packed.

use std::collections::HashMap;

use crate::error::Error;
use crate::table::offers::Offers;
use crate::table::requirements::Values;
use crate::table::rows::WHOLE;
use crate::table::tasks::Tasks;

/// Offers that are alike.
///
/// Example: [`Problem`].
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
///
/// ```
/// use offermatch::{Kind, Packing, Problem};
///
/// let server = Kind { capacity: vec![10], most: None, rows: vec![0] };
/// let problem = Problem { demands: vec![vec![6], vec![5], vec![5], vec![4]], kinds: vec![server], allowed: vec![vec![]; 4] };
/// assert_eq!(Packing::of(&problem, 1, |_| false).offers.len(), 2);
/// ```
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
        if let Some(row) = (0..tasks.len()).find(|&row| asked.group(row).is_some()) {
            return Err(Error::GroupUnpacked { place: tasks.place(row, "group") });
        }
        let share = asked.devices.iter().position(|&devices| devices % WHOLE != 0);
        if let Some(row) = share {
            return Err(Error::DevicesMalformed {
                place: tasks.place(row, "device_share"),
                reason: "shares of a device are not packed offline".to_owned(),
                hint: "leave tasks that share a device to a matcher, or ask for a whole one",
            });
        }
        let mut demands: Vec<Vec<u64>> =
            (0..tasks.len()).map(|row| asked.demand[row * dimensions..(row + 1) * dimensions].to_vec()).collect();
        for (demand, &devices) in demands.iter_mut().zip(&asked.devices) {
            demand.push(u64::from(devices / WHOLE));
        }
        let mut kinds: Vec<Kind> = Vec::new();
        let measures = tasks.catalog().measures().len();
        let mut values: Vec<Values> = Vec::new();
        let mut numbers: HashMap<(Vec<u64>, Values), usize> = HashMap::new();
        for row in 0..offers.len() {
            let mut capacity = offered.available[row * dimensions..(row + 1) * dimensions].to_vec();
            if !asked.devices.is_empty() {
                capacity.push(offered.devices.of(row).iter().filter(|&&free| free == WHOLE).count() as u64);
            }
            let has = Values::of(offered, row, attributes, measures);
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
                if asked.requirements(row).is_empty() {
                    return Vec::new();
                }
                values.iter().map(|has| has.serve(asked, row)).collect()
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
