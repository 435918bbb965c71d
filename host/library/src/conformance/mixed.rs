//! Generated cases with every rule mixed: to the case of a seed come measures, preferences, groups, workloads and plans.
//!
//! The order in which numbers are drawn is part of the definition: `conformance/mixed.py` of the Python host draws the same.

use offermatch_core::{GroupTable, Kind, Mode, OfferTable, RunningTable, Shape, TaskTable, Workload};

use super::generate::{generated, pick};
use crate::pool::description::{Description, Parameter};
use crate::recording::{Recording, Step};
use crate::sample::SplitMix64;
use crate::table::rows::WHOLE;

/// What tells the numbers that are drawn here from those of the case without rules.
const APART: u64 = 0x6D_6978_6564;
/// Measures: few different numbers, so that offers tie, and the extremes.
const MEASURES: [f64; 9] = [f64::NAN, 0.0, -0.0, 1.5, -2.0, 5e-324, 1e308, f64::INFINITY, f64::NEG_INFINITY];
/// Bounds.
const BOUNDS: [f64; 8] = [0.0, -0.0, 1.5, -2.0, 5e-324, 1e308, f64::INFINITY, f64::NEG_INFINITY];
/// Weights of preferences; infinite for a requirement.
const PENALTIES: [f64; 7] = [f64::INFINITY, f64::INFINITY, 0.0, 0.25, 3.0, 5e-324, 1e308];
/// Shares of typical tasks.
const SHARES: [f64; 4] = [0.25, 1.0, 3.0, 1e-300];
/// Devices of tasks for which others may have to end.
const DEVICES: [u32; 6] = [0, 0, 300, 500, 1000, 2000];

/// The case of a seed with rules, without answers.
pub(super) fn mixed(seed: u64) -> Recording {
    let mut case = generated(seed);
    let mut random = SplitMix64::new(seed ^ APART);
    case.name = format!("mixed-{seed}");
    "mixed".clone_into(&mut case.group);
    case.settings.raise_scales = true;
    case.shape.measures = random.below(3) as u32;
    let shape = case.shape;
    if random.below(4) == 0 {
        case.settings.max_score = None;
    }
    if random.below(4) == 0 {
        case.settings.workload = Some(workload(&mut random, shape));
    }
    measure(&mut random, shape, &mut case.offers);
    let mut known = case.offers.rows;
    for step in &mut case.steps {
        match step {
            Step::Assign { tasks, .. } | Step::Explain { tasks, .. } => {
                require(&mut random, shape, tasks);
                group(&mut random, shape, tasks, known);
            }
            Step::Update { changes, .. } => {
                measure(&mut random, shape, &mut changes.changed);
                measure(&mut random, shape, &mut changes.added);
                if random.below(4) == 0 {
                    changes.workload = Some(Box::new(workload(&mut random, shape)));
                }
                known += changes.added.rows;
            }
            Step::Preempt { .. } => {}
        }
    }
    if case.settings.mode == Mode::Shared && random.below(2) == 0 {
        // What runs uses what the offers had not free when the pool was opened: more of it may be used by then, but not less.
        let capacity = case.offers.available.iter().map(|free| free.saturating_add(random.below(9)));
        case.offers.capacity = capacity.collect();
        let unchanged = case.steps.iter().take_while(|step| !matches!(step, Step::Update { .. })).count();
        let at = random.below(unchanged as u64 + 1) as usize;
        case.steps.insert(at, preempt(&mut random, shape, &case.offers));
    }
    case
}

/// Parameters for a matcher that has any, each at a quarter of its range, or none.
pub(super) fn parameters(seed: u64, description: &Description) -> Vec<f64> {
    let mut random = SplitMix64::new(seed ^ !APART);
    if description.parameters.is_empty() || random.below(2) == 0 {
        return Vec::new();
    }
    let drawn = description.parameters.iter().map(|parameter| {
        let quarters = random.below(5) as f64 / 4.0;
        let drawn = parameter.minimum + (parameter.maximum - parameter.minimum) * quarters;
        if drawn.is_finite() { drawn } else { parameter.default }
    });
    drawn.collect()
}

/// Those of a matcher's parameters that the reference has, too.
pub(super) fn of_the_reference(parameters: &[f64], description: &Description) -> Vec<f64> {
    let mut named = description.parameters.iter().zip(parameters);
    named.find(|(parameter, _)| **parameter == Parameter::used_first()).map(|(_, &value)| value).into_iter().collect()
}

/// Measures of offers.
fn measure(random: &mut SplitMix64, shape: Shape, offers: &mut OfferTable) {
    if random.below(4) > 0 {
        offers.measures = (0..offers.rows * shape.measures).map(|_| pick(random, &MEASURES)).collect();
    }
}

/// Typical tasks.
fn workload(random: &mut SplitMix64, shape: Shape) -> Workload {
    let rows = 1 + random.below(3) as u32;
    let demand = (0..rows * shape.dimensions).map(|_| random.below(5)).collect();
    let mut tasks = TaskTable { rows, demand, ..TaskTable::default() };
    require(random, shape, &mut tasks);
    Workload { tasks, shares: (0..rows).map(|_| pick(random, &SHARES)).collect() }
}

/// Requirements and preferences of every kind, or those that tasks have.
fn require(random: &mut SplitMix64, shape: Shape, tasks: &mut TaskTable) {
    if shape.attributes + shape.measures == 0 || random.below(4) == 0 {
        return;
    }
    let measured = Kind::AtLeast as u32;
    let first = if shape.attributes > 0 { 0 } else { measured };
    let many = if shape.measures > 0 { 4 - first } else { measured };
    let mut table = TaskTable { requirement_offsets: vec![0], value_offsets: vec![0], ..TaskTable::default() };
    for _ in 0..tasks.rows {
        for _ in 0..random.below(4) {
            let kind = first + random.below(many.into()) as u32;
            let subjects = if kind < measured { shape.attributes } else { shape.measures };
            table.requirement_kinds.push(kind);
            table.requirement_subjects.push(random.below(subjects.into()) as u32);
            table.requirement_bounds.push(pick(random, &BOUNDS));
            table.requirement_weights.push(pick(random, &PENALTIES));
            for _ in 0..if kind < measured { random.below(3) } else { 0 } {
                table.values.push(1 + random.below(3) as u32);
            }
            table.value_offsets.push(table.values.len() as u32);
        }
        table.requirement_offsets.push(table.requirement_kinds.len() as u32);
    }
    let (rows, demand, devices) = (tasks.rows, std::mem::take(&mut tasks.demand), std::mem::take(&mut tasks.devices));
    *tasks = TaskTable { rows, demand, devices, ..table };
}

/// Groups of some of the tasks, with every rule.
fn group(random: &mut SplitMix64, shape: Shape, tasks: &mut TaskTable, known: u32) {
    if random.below(3) == 0 {
        return;
    }
    let rows = 1 + random.below(3) as u32;
    let attributes = u64::from(shape.attributes) + 1;
    tasks.group_of = (0..tasks.rows).map(|_| random.below(u64::from(rows) + 1) as u32).collect();
    let mut groups = GroupTable { rows, limit_offsets: vec![0], ..GroupTable::default() };
    for group in 0..rows {
        let mut size = tasks.group_of.iter().filter(|&&of| of == group + 1).count() as u64;
        for _ in 0..if known > 0 { random.below(3) } else { 0 } {
            let count = random.below(3);
            groups.occupant_groups.push(group);
            groups.occupant_offers.push(random.below(known.into()) as u32);
            groups.occupant_counts.push(count as u32);
            size += count;
        }
        groups.least.push(random.below(size + 1) as u32);
        groups.together.push(random.below(attributes) as u32);
        for _ in 0..random.below(3) {
            groups.limit_attributes.push(random.below(attributes) as u32);
            groups.limit_counts.push(1 + random.below(3) as u32);
        }
        groups.limit_offsets.push(groups.limit_attributes.len() as u32);
    }
    tasks.groups = groups;
}

/// A plan for tasks of which each would fit an offer if nothing ran there.
fn preempt(random: &mut SplitMix64, shape: Shape, offers: &OfferTable) -> Step {
    let (width, known) = (shape.dimensions as usize, u64::from(offers.rows));
    let rows = if known > 0 { 1 + random.below(8) as u32 } else { 0 };
    let mut tasks = TaskTable { rows, ..TaskTable::default() };
    for _ in 0..rows {
        let first = random.below(known) as usize * width;
        for at in first..first + width {
            let free = offers.available[at];
            tasks.demand.push(free + random.below(offers.capacity[at] - free + 1));
        }
    }
    if random.below(2) == 0 {
        tasks.devices = (0..rows).map(|_| pick(random, &DEVICES)).collect();
    }
    if random.below(2) == 0 {
        require(random, shape, &mut tasks);
    }
    let priorities = (0..rows).map(|_| random.below(4) as i32).collect();
    let running = running(random, width, offers);
    Step::Preempt { tasks, priorities, running, answer: Err(String::new()) }
}

/// What runs on offers, within what they have not free.
fn running(random: &mut SplitMix64, width: usize, offers: &OfferTable) -> RunningTable {
    let mut table = RunningTable { device_offsets: vec![0], ..RunningTable::default() };
    let mut room: Vec<u64> = offers.capacity.iter().zip(&offers.available).map(|(has, free)| has - free).collect();
    for offer in 0..offers.rows as usize {
        let mut devices: Vec<u32> = offers.devices.of(offer).iter().map(|free| WHOLE - free).collect();
        for _ in 0..1 + random.below(3) {
            table.rows += 1;
            table.offers.push(offer as u32);
            table.priorities.push(random.below(4) as i32 - 2);
            table.starts.push(random.below(3));
            for left in &mut room[offer * width..(offer + 1) * width] {
                let used = random.below(*left + 1);
                *left -= used;
                table.demand.push(used);
            }
            for (number, left) in (0..).zip(&mut devices) {
                if random.below(2) == 0 {
                    let used = random.below(u64::from(*left) + 1) as u32;
                    *left -= used;
                    table.device_numbers.push(number);
                    table.device_thousandths.push(used);
                }
            }
            table.device_offsets.push(table.device_numbers.len() as u32);
        }
    }
    table
}
