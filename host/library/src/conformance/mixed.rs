//! Generated cases with every rule mixed: to the case of a seed come measures, preferences, groups and workloads.
//!
//! The order in which numbers are drawn is part of the definition: `conformance/mixed.py` of the Python host draws the same.

use offermatch_core::{GroupTable, Kind, OfferTable, Shape, TaskTable, Workload};

use super::generate::{generated, pick};
use crate::pool::description::{Description, Parameter};
use crate::recording::{Recording, Step};
use crate::sample::SplitMix64;

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
        }
    }
    case
}

/// Draws parameters, each at a quarter of its range, where a matcher has any.
pub(super) fn draw_parameters(case: &mut Recording, seed: u64, description: &Description) {
    let mut random = SplitMix64::new(seed ^ !APART);
    if description.parameters.is_empty() || random.below(2) == 0 {
        return;
    }
    let drawn = description.parameters.iter().map(|parameter| {
        let quarters = random.below(5) as f64 / 4.0;
        let drawn = parameter.minimum + (parameter.maximum - parameter.minimum) * quarters;
        // Of used offers first the expected answers know nothing.
        let is_drawn = drawn.is_finite() && *parameter != Parameter::used_first();
        if is_drawn { drawn } else { parameter.default }
    });
    case.settings.parameters = drawn.collect();
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
