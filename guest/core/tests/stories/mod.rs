//! Random pools and what happens to them, with heavy ties: small quantities, few attribute values, weights of zero. The laws
//! and the fuzz targets share them.
#![allow(missing_docs, unreachable_pub, dead_code, reason = "a part of tests")]

use offermatch_core::{
    Changes, Devices, GroupTable, Mode, OfferTable, Policy, RunningTable, Settings, Shape, TaskTable,
};
use proptest::prelude::*;
use proptest::sample::select;

/// What a pool is opened with and what then happens to it.
#[derive(Debug, Clone)]
pub struct Story {
    pub shape: Shape,
    pub offers: OfferTable,
    pub settings: Settings,
    pub steps: Vec<Step>,
}

/// One thing that happens to a pool.
#[derive(Debug, Clone)]
pub enum Step {
    Assign(TaskTable),
    Update(Changes),
}

/// The parameters of a policy, each its default, with used offers first or not.
pub fn parameters<P: Policy>(used_first: bool) -> Vec<f64> {
    P::PARAMETERS.iter().map(|parameter| parameter.default).chain([f64::from(used_first)]).collect()
}

/// Columns of one number a cell, up to a largest value that differs from table to table, so that ties are common.
fn quantities(cells: usize) -> impl Strategy<Value = Vec<u64>> {
    select(vec![1, 2, 4, 20, 1000, 1 << 40, u64::MAX])
        .prop_flat_map(move |most| proptest::collection::vec(0..=most, cells..=cells))
}

/// Measures, or no column of them: few values, so that bounds are often met exactly, and the extremes.
fn measures(cells: usize) -> impl Strategy<Value = Vec<f64>> {
    let measure = select(vec![0.0, -0.0, 1.0, 1.5, 2.0, -3.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e-300]);
    prop_oneof![4 => proptest::collection::vec(measure, cells..=cells), 1 => Just(Vec::new())]
}

/// Offsets and the flat column they cut up, of `rows` rows with up to `most` values each.
fn ragged<T: Clone + std::fmt::Debug>(
    rows: usize,
    most: usize,
    value: impl Strategy<Value = T> + Clone,
) -> impl Strategy<Value = (Vec<u32>, Vec<T>)> {
    proptest::collection::vec(proptest::collection::vec(value, 0..=most), rows..=rows).prop_map(|rows| {
        let ends = rows.iter().scan(0, |end, row| {
            *end += row.len() as u32;
            Some(*end)
        });
        (std::iter::once(0).chain(ends).collect(), rows.concat())
    })
}

fn offers(shape: Shape, rows: impl Strategy<Value = usize>) -> impl Strategy<Value = OfferTable> {
    rows.prop_flat_map(move |rows| {
        let cells = rows * shape.dimensions as usize;
        let attributes = rows * shape.attributes as usize;
        let devices = select(vec![0_usize, 0, 4]).prop_flat_map(move |most| {
            ragged(rows, most, prop_oneof![Just(1000_u32), Just(500), Just(0), 0..=1000_u32])
        });
        (
            quantities(cells),
            quantities(cells),
            any::<bool>(),
            proptest::collection::vec(0..4_u32, attributes),
            measures(rows * shape.measures as usize),
            devices,
        )
            .prop_map(move |(available, more, same, attributes, measures, (offsets, free))| {
                let grown = available.iter().zip(&more).map(|(available, more)| available.saturating_add(more % 3));
                let capacity = if same { Vec::new() } else { grown.collect() };
                OfferTable {
                    rows: rows as u32,
                    available,
                    capacity,
                    attributes,
                    measures,
                    devices: Devices { offsets, free },
                }
            })
    })
}

/// A requirement or a preference: its kind, subject, set, bound and weight.
type Requirement = (u32, u32, Vec<u32>, f64, f64);

/// What tasks of a shape may ask of attributes and measures; preferences only where there are `weights`.
fn requirement(shape: Shape, weights: bool) -> BoxedStrategy<Requirement> {
    let weight = if weights {
        select(vec![f64::INFINITY, f64::INFINITY, 0.0, 0.25, 0.5, 1.0, 7.0, 1e200, f64::MAX]).boxed()
    } else {
        Just(f64::INFINITY).boxed()
    };
    let bound = select(vec![0.0, 1.0, 1.5, 2.0, -3.0, f64::INFINITY, f64::NEG_INFINITY]);
    let set = proptest::collection::vec(1..4_u32, 0..3);
    let of_attribute = (0..2_u32, 0..shape.attributes.max(1));
    let of_measure = (2..4_u32, 0..shape.measures.max(1));
    let what = match (shape.attributes, shape.measures) {
        (_, 0) => of_attribute.boxed(),
        (0, _) => of_measure.boxed(),
        _ => prop_oneof![of_attribute, of_measure].boxed(),
    };
    (what, set, bound, weight)
        .prop_map(|((kind, subject), set, bound, weight)| (kind, subject, set, bound, weight))
        .boxed()
}

fn tasks(shape: Shape) -> impl Strategy<Value = TaskTable> {
    (0..120_usize, any::<bool>()).prop_flat_map(move |(rows, weights)| {
        let asked = prop_oneof![3 => Just(0_u32), 2 => 1..=999_u32, 2 => (1..=3_u32).prop_map(|k| k * 1000)];
        let most = if shape.attributes + shape.measures == 0 { 0 } else { 2 + 3 * usize::from(weights) };
        let devices = prop_oneof![Just(Vec::new()).boxed(), proptest::collection::vec(asked, rows..=rows).boxed()];
        let requirements = ragged(rows, most, requirement(shape, weights));
        (quantities(rows * shape.dimensions as usize), devices, requirements).prop_map(
            move |(demand, devices, (requirement_offsets, requirements))| {
                let mut table =
                    TaskTable { rows: rows as u32, demand, devices, requirement_offsets, ..TaskTable::default() };
                table.value_offsets.push(0);
                for (kind, subject, set, bound, weight) in &requirements {
                    table.requirement_kinds.push(*kind);
                    table.requirement_subjects.push(*subject);
                    table.requirement_bounds.push(*bound);
                    if weights {
                        table.requirement_weights.push(*weight);
                    }
                    if *kind < 2 {
                        table.values.extend_from_slice(set);
                    }
                    table.value_offsets.push(table.values.len() as u32);
                }
                table
            },
        )
    })
}

/// Tasks of which most belong to groups, with rules of every kind, for a pool that has at least `known` rows.
fn grouped(shape: Shape, known: usize) -> impl Strategy<Value = TaskTable> {
    (tasks(shape), 1..30_u32, any::<u64>(), 0..4_u64).prop_map(move |(mut table, groups, seed, spread)| {
        let mut below = random(seed);
        let attributes = u64::from(shape.attributes);
        // Members side by side, or all over the table.
        table.group_of = (0..u64::from(table.rows))
            .map(|row| match spread {
                0 => below(u64::from(groups) + 1) as u32,
                width => (row / (width * 4)) as u32 % (groups + 1),
            })
            .collect();
        let mut rules = GroupTable { rows: groups, limit_offsets: vec![0], ..GroupTable::default() };
        for group in 0..groups {
            let mut size = table.group_of.iter().filter(|&&of| of == group + 1).count() as u64;
            if known > 0 && below(3) == 0 {
                for _ in 0..below(4) {
                    let count = below(3);
                    size += count;
                    rules.occupant_groups.push(group);
                    rules.occupant_offers.push(below(known as u64) as u32);
                    rules.occupant_counts.push(count as u32);
                }
            }
            rules.least.push(if below(2) == 0 { below(size + 1) as u32 } else { 0 });
            rules.together.push(below(attributes + 1) as u32);
            for _ in 0..below(3) {
                rules.limit_attributes.push(below(attributes + 1) as u32);
                rules.limit_counts.push(1 + below(4) as u32);
            }
            rules.limit_offsets.push(rules.limit_attributes.len() as u32);
        }
        table.groups = rules;
        table
    })
}

/// Numbers below a bound, always the same ones for a seed.
fn random(mut state: u64) -> impl FnMut(u64) -> u64 {
    move |bound| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % bound
    }
}

/// Changes of some of the first `rows` rows, in any order, and up to five new ones.
fn changes(shape: Shape, rows: usize) -> impl Strategy<Value = Changes> {
    let all: Vec<u32> = (0..rows as u32).collect();
    let named = proptest::sample::subsequence(all, 0..=rows.min(40)).prop_shuffle();
    (named, any::<proptest::sample::Index>()).prop_flat_map(move |(named, cut)| {
        let cut = cut.index(named.len() + 1);
        let (removed, changed_rows) = (named[..cut].to_vec(), named[cut..].to_vec());
        (offers(shape, Just(changed_rows.len())), offers(shape, 0..5_usize)).prop_map(move |(changed, added)| Changes {
            removed: removed.clone(),
            changed_rows: changed_rows.clone(),
            changed,
            added,
            workload: None,
        })
    })
}

fn settings(shape: Shape) -> impl Strategy<Value = Settings> {
    let terms = shape.dimensions as usize + 1;
    let drawn = proptest::collection::vec(select(vec![0.0, 0.1, 1.0, 3.7, 1e-250]), terms..=terms);
    // Where nothing has a weight, the order of the list decides alone.
    let weights = prop_oneof![4 => drawn, 1 => Just(vec![0.0; terms])];
    let scales = proptest::collection::vec(select(vec![0_u64, 1, 3, 48, 1 << 39]), terms..=terms);
    let max_score = select(vec![Some(31.0), Some(0.5), Some(0.0), Some(1e300), Some(f64::MAX), None]);
    (any::<[bool; 4]>(), max_score, weights, scales).prop_map(
        |([shared, weighted, scaled, raise_scales], max_score, weights, scales)| Settings {
            mode: if shared { Mode::Shared } else { Mode::Exclusive },
            max_score,
            weights: if weighted { weights } else { Vec::new() },
            scales: if scaled { scales } else { Vec::new() },
            raise_scales,
            ..Settings::default()
        },
    )
}

pub fn story() -> impl Strategy<Value = Story> {
    (0..4_u32, 0..3_u32, 0..3_u32, 0..260_usize).prop_flat_map(|(dimensions, attributes, measures, rows)| {
        let shape = Shape { dimensions, attributes, measures };
        let step = prop_oneof![
            2 => tasks(shape).prop_map(Step::Assign),
            2 => grouped(shape, rows).prop_map(Step::Assign),
            1 => changes(shape, rows).prop_map(Step::Update),
        ];
        (offers(shape, Just(rows)), settings(shape), proptest::collection::vec(step, 1..4))
            .prop_map(move |(offers, settings, steps)| Story { shape, offers, settings, steps })
    })
}

/// Tasks that are each bound to some offers by an attribute with few or hundreds of values, small or large: a few offers of
/// each, or more than are looked at one by one, and more values than have a bit row.
pub fn bound_tasks() -> impl Strategy<Value = Story> {
    let values = (select(vec![1, 3, 40]), select(vec![1, 70_001]));
    (260..420_usize, 300..500_usize, any::<bool>(), values).prop_flat_map(|(rows, asking, shared, (each, apart))| {
        let value = move |row: u32| (1 + row / each) * apart;
        let shape = Shape { dimensions: 1, attributes: 1, measures: 0 };
        let step = (
            quantities(asking),
            proptest::collection::vec((0..8_u32, proptest::collection::vec(0..rows as u32, 1..7)), asking..=asking),
        );
        (quantities(rows), step, changes(shape, rows)).prop_map(move |(available, (demand, sets), changes)| {
            let attributes = (0..rows as u32).map(value).collect();
            let offers = OfferTable { rows: rows as u32, available, attributes, ..OfferTable::default() };
            let mut tasks = TaskTable { rows: asking as u32, demand, ..TaskTable::default() };
            tasks.requirement_offsets = (0..=asking as u32).collect();
            tasks.requirement_subjects = vec![0; asking];
            tasks.requirement_kinds = sets.iter().map(|(dice, _)| u32::from(*dice == 0)).collect();
            tasks.value_offsets.push(0);
            for (_, set) in &sets {
                tasks.values.extend(set.iter().map(|&row| value(row)));
                tasks.value_offsets.push(tasks.values.len() as u32);
            }
            let mode = if shared { Mode::Shared } else { Mode::Exclusive };
            let steps = vec![Step::Assign(tasks.clone()), Step::Update(changes), Step::Assign(tasks)];
            Story { shape, offers, settings: Settings { mode, ..Settings::default() }, steps }
        })
    })
}

/// Many tasks of few demands for offers that differ: words and blocks split, demands come again long after, and the last tasks
/// find little room. Requirements of some tasks, and an update in between.
pub fn crowded() -> impl Strategy<Value = Story> {
    let demands = proptest::collection::vec((0..12_u64, 0..40_u64), 2..14);
    let weights = prop_oneof![2 => Just(vec![]), 1 => Just(vec![0.0; 3])];
    (demands, 200..600_usize, 400..1500_usize, any::<bool>(), (any::<u64>(), weights)).prop_flat_map(
        |(demands, rows, asking, shared, (seed, weights))| {
            let shape = Shape { dimensions: 2, attributes: 1, measures: 0 };
            changes(shape, rows).prop_map(move |changes| {
                let mut below = random(seed);
                let available = (0..rows).flat_map(|_| [below(30), below(100)]).collect();
                let attributes = (0..rows).map(|_| below(3) as u32).collect();
                let offers = OfferTable { rows: rows as u32, available, attributes, ..OfferTable::default() };
                let mut tasks = TaskTable { rows: asking as u32, requirement_offsets: vec![0], ..TaskTable::default() };
                for _ in 0..asking {
                    let (first, second) = demands[below(demands.len() as u64) as usize];
                    tasks.demand.extend([first, second]);
                    if below(8) == 0 {
                        tasks.requirement_subjects.push(0);
                        tasks.requirement_kinds.push(below(2) as u32);
                        tasks.values.push(1 + below(2) as u32);
                    }
                    tasks.requirement_offsets.push(tasks.values.len() as u32);
                }
                tasks.value_offsets = (0..=tasks.values.len() as u32).collect();
                let mode = if shared { Mode::Shared } else { Mode::Exclusive };
                let steps = vec![Step::Assign(tasks.clone()), Step::Update(changes), Step::Assign(tasks)];
                let settings = Settings { mode, weights: weights.clone(), ..Settings::default() };
                Story { shape, offers, settings, steps }
            })
        },
    )
}

/// Gangs, spread and preferences on offers that differ, in racks and zones: what clusters ask. More offers than the plain loop
/// is used for, and groups larger than a trial looks at one by one.
pub fn clusters() -> impl Strategy<Value = Story> {
    (160..400_usize, 60..300_u32, 1..25_u32, 2..30_u64, any::<bool>(), any::<u64>()).prop_map(
        |(rows, asking, size, racks, shared, seed)| {
            let shape = Shape { dimensions: 2, attributes: 2, measures: 1 };
            let mut below = random(seed);
            let offers = OfferTable {
                rows: rows as u32,
                available: (0..rows).flat_map(|_| [below(30), below(100)]).collect(),
                attributes: (0..rows).flat_map(|_| [below(racks + 1) as u32, below(4) as u32]).collect(),
                measures: (0..rows).map(|_| below(50) as f64).collect(),
                ..OfferTable::default()
            };
            let mut table = |spare: u64| {
                let mut tasks = TaskTable { rows: asking, requirement_offsets: vec![0], ..TaskTable::default() };
                for _ in 0..asking {
                    tasks.demand.extend([below(8), below(30)]);
                    for _ in 0..below(5) {
                        let kind = below(4) as u32;
                        tasks.requirement_kinds.push(kind);
                        tasks.requirement_subjects.push(if kind < 2 { below(2) as u32 } else { 0 });
                        tasks.requirement_bounds.push(below(50) as f64);
                        let preferred = below(8) > 0;
                        tasks.requirement_weights.push(if preferred { below(3) as f64 / 2.0 } else { f64::INFINITY });
                        if kind < 2 {
                            tasks.values.push(1 + below(racks) as u32);
                        }
                        tasks.value_offsets.push(tasks.values.len() as u32);
                    }
                    tasks.requirement_offsets.push(tasks.requirement_kinds.len() as u32);
                }
                tasks.value_offsets.insert(0, 0);
                let groups = asking.div_ceil(size);
                tasks.group_of = (0..asking).map(|row| if below(9) == 0 { 0 } else { 1 + row / size }).collect();
                let mut rules = GroupTable { rows: groups, limit_offsets: vec![0], ..GroupTable::default() };
                for group in 1..=groups {
                    let members = tasks.group_of.iter().filter(|&&of| of == group).count() as u64;
                    rules.least.push(members.saturating_sub(below(spare + 1)) as u32);
                    rules.together.push(below(3) as u32);
                    for _ in 0..below(2) {
                        rules.limit_attributes.push(below(3) as u32);
                        rules.limit_counts.push(1 + below(u64::from(size)) as u32);
                    }
                    rules.limit_offsets.push(rules.limit_attributes.len() as u32);
                }
                tasks.groups = rules;
                tasks
            };
            let steps = vec![Step::Assign(table(0)), Step::Assign(table(3)), Step::Assign(table(1 << 20))];
            let mode = if shared { Mode::Shared } else { Mode::Exclusive };
            Story { shape, offers, settings: Settings { mode, ..Settings::default() }, steps }
        },
    )
}

/// Gangs that are to be together on racks of which many are alike, so that sums of scores are tied: few sizes of offers, at
/// times with devices, and weights of zero. The last gangs find little room.
pub fn racks() -> impl Strategy<Value = Story> {
    let weights = select(vec![vec![], vec![1.0, 0.0, 0.5], vec![0.0; 3]]);
    let racks = (select(vec![1_u64, 3, 12, 40]), select(vec![1_u64, 2, 100]), select(vec![1_u32, 70_001]));
    // What a preference costs; the sum of a few may be more than a double holds.
    let penalty = select(vec![None, Some(0.5), Some(f64::MAX)]);
    (170..300_usize, 1..7_u32, racks, weights, penalty, any::<[bool; 3]>(), any::<u64>()).prop_map(
        |(rows, size, (racks, kinds, apart), weights, penalty, [shared, with_devices, mixed], seed)| {
            let shape = Shape { dimensions: 2, attributes: 2, measures: 0 };
            let mut below = random(seed);
            let mut offers = OfferTable { rows: rows as u32, ..OfferTable::default() };
            for row in 0..rows as u64 {
                let kind = if below(9) == 0 { below(kinds) } else { row / racks % kinds };
                offers.available.extend([kind * 7 % 13 + 2, kind * 5 % 11 + 4]);
                let rack = if below(20) == 0 { 0 } else { (1 + row % racks) as u32 * apart };
                offers.attributes.extend([rack, below(3) as u32]);
            }
            if with_devices {
                offers.devices.offsets = (0..=rows as u32).map(|row| row * 2).collect();
                offers.devices.free = (0..rows * 2).map(|_| [0, 500, 1000, 1000][below(4) as usize]).collect();
            }
            let mut table = || {
                let groups = 40;
                let mut tasks = TaskTable { rows: groups * size, ..TaskTable::default() };
                let mut demand = [0, 0];
                for row in 0..tasks.rows {
                    if mixed || row % size == 0 {
                        demand = [below(6), below(6)];
                    }
                    tasks.demand.extend(demand);
                    tasks.devices.push(if with_devices { [0, 0, 250, 1000][below(4) as usize] } else { 0 });
                }
                if let Some(penalty) = penalty {
                    let count = tasks.rows as usize;
                    tasks.requirement_offsets = (0..=tasks.rows).collect();
                    tasks.requirement_kinds = vec![0; count];
                    tasks.requirement_subjects = vec![1; count];
                    tasks.requirement_weights = vec![penalty; count];
                    tasks.value_offsets = (0..=tasks.rows).collect();
                    tasks.values = vec![1; count];
                }
                tasks.group_of = (0..tasks.rows).map(|row| if below(20) == 0 { 0 } else { 1 + row / size }).collect();
                let mut rules = GroupTable { rows: groups, limit_offsets: vec![0], ..GroupTable::default() };
                for group in 0..groups {
                    let members = tasks.group_of.iter().filter(|&&of| of == group + 1).count() as u64;
                    rules.least.push(members.saturating_sub(below(3)) as u32);
                    rules.together.push(1 + u32::from(below(8) == 0));
                    if below(6) == 0 {
                        rules.limit_attributes.push(below(3) as u32);
                        rules.limit_counts.push(1 + below(2) as u32);
                    }
                    rules.limit_offsets.push(rules.limit_attributes.len() as u32);
                    if below(12) == 0 {
                        rules.occupant_groups.push(group);
                        rules.occupant_offers.push(below(rows as u64) as u32);
                        rules.occupant_counts.push(1);
                    }
                }
                tasks.groups = rules;
                tasks
            };
            let steps = (0..3).map(|_| Step::Assign(table())).collect();
            let mode = if shared { Mode::Shared } else { Mode::Exclusive };
            Story { shape, offers, settings: Settings { mode, weights, ..Settings::default() }, steps }
        },
    )
}

/// A pool, tasks with priorities, and what runs on the pool's offers: quantities small enough for ties, few priorities, and
/// devices of which parts are used. Offers are nearly full, and what runs fits.
pub fn preemptions() -> impl Strategy<Value = (Story, TaskTable, Vec<i32>, RunningTable)> {
    let shape = (0..4_u32, 0..3_u32, 0..3_u32).prop_map(|(dimensions, attributes, measures)| Shape {
        dimensions,
        attributes,
        measures,
    });
    (shape, any::<u64>()).prop_flat_map(|(shape, seed)| {
        (offers(shape, 0..120_usize), settings(shape), tasks(shape)).prop_map(move |(mut offers, settings, tasks)| {
            let mut below = random(seed);
            let most = [1, 2, 8, 1 << 40][below(4) as usize];
            let levels = [1, 2, 5, 1 << 20][below(4) as usize];
            let mut running = RunningTable { device_offsets: vec![0], ..RunningTable::default() };
            if offers.capacity.is_empty() {
                offers.capacity = offers.available.clone();
            }
            let width = shape.dimensions as usize;
            for offer in 0..offers.rows {
                for _ in 0..below(6) {
                    running.rows += 1;
                    running.offers.push(offer);
                    running.priorities.push(below(levels) as i32 - (levels / 2) as i32);
                    running.starts.push(below(4));
                    for dimension in 0..width {
                        let capacity = &mut offers.capacity[offer as usize * width + dimension];
                        // What is there was free; what runs comes on top.
                        let used = below(most + 1).min(u64::MAX - *capacity);
                        *capacity += used;
                        running.demand.push(used);
                    }
                    let devices = match offers.devices.offsets.get(offer as usize..offer as usize + 2) {
                        Some(ends) => ends[0]..ends[1],
                        None => 0..0,
                    };
                    for (number, at) in devices.enumerate() {
                        let free = &mut offers.devices.free[at as usize];
                        if below(3) == 0 {
                            let used = [*free, *free / 2, below(u64::from(*free) + 1) as u32][below(3) as usize];
                            *free -= used;
                            running.device_numbers.push(number as u32);
                            running.device_thousandths.push(used);
                        }
                    }
                    running.device_offsets.push(running.device_numbers.len() as u32);
                }
            }
            let priorities = (0..tasks.rows).map(|_| below(levels + 2) as i32 - (levels / 2) as i32).collect();
            // What is free shrinks at times, so that something has to end.
            for available in &mut offers.available {
                *available = if below(2) == 0 { 0 } else { *available };
            }
            let settings = Settings { mode: Mode::Shared, ..settings };
            (Story { shape, offers, settings, steps: Vec::new() }, tasks, priorities, running)
        })
    })
}
