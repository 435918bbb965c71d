//! Why a task finds, or does not find, an offer.

mod census;
mod counting;
mod plain;

use alloc::vec;
use alloc::vec::Vec;

use crate::ledger::Ledger;
use crate::method::Method;
use crate::policy::{Policy, Ranking};
use crate::table::TaskTable;

use counting::Counting;

/// How the offers in the list stand to each task, each on its own beside the occupants of its group. An offer fails any number
/// of checks. Each check has the listed offers that fail it at all, those that fail it and nothing else, and the least that is
/// missing among the latter, zero where there are none.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Explanations {
    /// Offers with too little: `rows x dimensions`, row by row.
    pub dimension_fails: Vec<u32>,
    /// Those with too little of this only.
    pub dimension_alone: Vec<u32>,
    /// The least that one of those would need more.
    pub dimension_missing: Vec<u64>,
    /// Offers for which a requirement, or a preference, does not hold, in the order of the table's requirements.
    pub requirement_fails: Vec<u32>,
    /// Those that fail this only. Zero for a preference, which no offer fails.
    pub requirement_alone: Vec<u32>,
    /// The least finite distance of one of those from the bound. Zero for requirements about attributes.
    pub requirement_missing: Vec<f64>,
    /// Offers whose devices do not serve the task.
    pub devices_fails: Vec<u32>,
    /// Those that fail this only.
    pub devices_alone: Vec<u32>,
    /// The least thousandths that one of those would need more: of one device for a share, else of whole devices.
    pub devices_missing: Vec<u32>,
    /// Offers away from the occupants of a group that is to be together, or without a value.
    pub together_fails: Vec<u32>,
    /// Those that fail this only.
    pub together_alone: Vec<u32>,
    /// Offers where the occupants of a group reach a limit, or without a value: one number for each limit of each task's
    /// group, task after task.
    pub limit_fails: Vec<u32>,
    /// Those that fail this only.
    pub limit_alone: Vec<u32>,
    /// Offers that fail nothing else but whose score is not below the maximal score.
    pub score_fails: Vec<u32>,
    /// The least finite distance of one of those from it.
    pub score_missing: Vec<f64>,
    /// Offers left to choose from.
    pub candidates: Vec<u32>,
    /// Offers that meet the requirements and whose capacity and number of devices serve the task, were they empty: those of the
    /// list, and those that tasks have taken from it.
    pub capable: Vec<u32>,
    /// How many of each group's members find an offer when they are placed, before its least number is asked.
    pub members_placed: Vec<u32>,
}

impl Explanations {
    /// Zeros for every check of a checked table; nothing of members placed.
    fn zeros(tasks: &TaskTable, dimensions: usize) -> Self {
        let rows = tasks.rows as usize;
        let (cells, requirements) = (rows * dimensions, tasks.requirement_kinds.len());
        let limits = (0..rows).filter_map(|row| tasks.group(row)).map(|group| tasks.groups.limits(group).len()).sum();
        Self {
            dimension_fails: vec![0; cells],
            dimension_alone: vec![0; cells],
            dimension_missing: vec![0; cells],
            requirement_fails: vec![0; requirements],
            requirement_alone: vec![0; requirements],
            requirement_missing: vec![0.0; requirements],
            devices_fails: vec![0; rows],
            devices_alone: vec![0; rows],
            devices_missing: vec![0; rows],
            together_fails: vec![0; rows],
            together_alone: vec![0; rows],
            limit_fails: vec![0; limits],
            limit_alone: vec![0; limits],
            score_fails: vec![0; rows],
            score_missing: vec![0.0; rows],
            candidates: vec![0; rows],
            capable: vec![0; rows],
            members_placed: Vec::new(),
        }
    }
}

/// Fewer tasks than this are looped for: to sort the offers would cost as much.
const FEW_TASKS: u32 = 16;

/// Explains every task of a checked table, but for how many members of groups are placed.
pub(crate) fn explain<P: Policy>(
    ledger: &Ledger,
    tasks: &TaskTable,
    policy: &P,
    ranking: &Ranking,
    method: Method,
) -> Explanations {
    let loops = match method {
        Method::Reference => true,
        Method::Index => false,
        Method::Automatic => tasks.rows < FEW_TASKS,
    };
    if loops {
        plain::explain(ledger, tasks, policy, ranking)
    } else {
        Counting::new(ledger, tasks, policy, ranking).explain(tasks)
    }
}
