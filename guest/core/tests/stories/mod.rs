//! Random pools and what happens to them, with heavy ties: small quantities, few attribute values, weights of zero. The laws
//! and the fuzz targets share them.
#![allow(missing_docs, unreachable_pub, reason = "a part of tests")]

use offermatch_core::{Changes, Mode, OfferTable, Settings, Shape, TaskTable};
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

/// Columns of one number a cell, up to a largest value that differs from table to table, so that ties are common.
fn quantities(cells: usize) -> impl Strategy<Value = Vec<u64>> {
    select(vec![1, 2, 4, 20, 1000, 1 << 40, u64::MAX])
        .prop_flat_map(move |most| proptest::collection::vec(0..=most, cells..=cells))
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
        (quantities(cells), quantities(cells), any::<bool>(), proptest::collection::vec(0..4_u32, attributes), devices)
            .prop_map(move |(available, more, same, attributes, (device_offsets, device_free))| {
                let grown = available.iter().zip(&more).map(|(available, more)| available.saturating_add(more % 3));
                let capacity = if same { Vec::new() } else { grown.collect() };
                OfferTable { rows: rows as u32, available, capacity, attributes, device_offsets, device_free }
            })
    })
}

fn tasks(shape: Shape) -> impl Strategy<Value = TaskTable> {
    (0..120_usize).prop_flat_map(move |rows| {
        let asked = prop_oneof![3 => Just(0_u32), 2 => 1..=999_u32, 2 => (1..=3_u32).prop_map(|k| k * 1000)];
        let most = if shape.attributes == 0 { 0 } else { 2 };
        let requirement = (0..shape.attributes.max(1), any::<bool>(), proptest::collection::vec(1..4_u32, 0..3));
        let devices = prop_oneof![Just(Vec::new()).boxed(), proptest::collection::vec(asked, rows..=rows).boxed()];
        (quantities(rows * shape.dimensions as usize), devices, ragged(rows, most, requirement)).prop_map(
            move |(demand, devices, (requirement_offsets, requirements))| {
                let mut value_offsets = vec![0];
                let mut values = Vec::new();
                for (_, _, set) in &requirements {
                    values.extend_from_slice(set);
                    value_offsets.push(values.len() as u32);
                }
                TaskTable {
                    rows: rows as u32,
                    demand,
                    devices,
                    requirement_offsets,
                    requirement_attributes: requirements.iter().map(|requirement| requirement.0).collect(),
                    requirement_excludes: requirements.iter().map(|requirement| requirement.1).collect(),
                    value_offsets,
                    values,
                }
            },
        )
    })
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
        })
    })
}

fn settings(shape: Shape) -> impl Strategy<Value = Settings> {
    let terms = shape.dimensions as usize + 1;
    let weights = proptest::collection::vec(select(vec![0.0, 0.1, 1.0, 3.7, 1e-250]), terms..=terms);
    let scales = proptest::collection::vec(select(vec![0_u64, 1, 3, 48, 1 << 39]), terms..=terms);
    (any::<bool>(), select(vec![31.0, 0.5, 0.0, 1e300]), weights, scales, any::<bool>(), any::<bool>()).prop_map(
        |(shared, max_score, weights, scales, weighted, scaled)| Settings {
            mode: if shared { Mode::Shared } else { Mode::Exclusive },
            max_score,
            weights: if weighted { weights } else { Vec::new() },
            scales: if scaled { scales } else { Vec::new() },
        },
    )
}

pub fn story() -> impl Strategy<Value = Story> {
    (0..4_u32, 0..3_u32, 0..260_usize).prop_flat_map(|(dimensions, attributes, rows)| {
        let shape = Shape { dimensions, attributes };
        let step = prop_oneof![
            3 => tasks(shape).prop_map(Step::Assign),
            1 => changes(shape, rows).prop_map(Step::Update),
        ];
        (offers(shape, Just(rows)), settings(shape), proptest::collection::vec(step, 1..4))
            .prop_map(move |(offers, settings, steps)| Story { shape, offers, settings, steps })
    })
}

/// Tasks that are each bound to a few offers by an attribute with hundreds of values: more requirements than have a bit
/// row of their own.
pub fn bound_tasks() -> impl Strategy<Value = Story> {
    (260..420_usize, 300..500_usize, any::<bool>()).prop_flat_map(|(rows, asking, shared)| {
        let shape = Shape { dimensions: 1, attributes: 1 };
        let step = (
            quantities(asking),
            proptest::collection::vec((0..8_u32, proptest::collection::vec(1..=rows as u32, 1..3)), asking..=asking),
        );
        (quantities(rows), step, changes(shape, rows)).prop_map(move |(available, (demand, sets), changes)| {
            let attributes = (0..rows as u32).map(|row| 1 + row / 3).collect();
            let offers = OfferTable { rows: rows as u32, available, attributes, ..OfferTable::default() };
            let mut tasks = TaskTable { rows: asking as u32, demand, ..TaskTable::default() };
            tasks.requirement_offsets = (0..=asking as u32).collect();
            tasks.requirement_attributes = vec![0; asking];
            tasks.requirement_excludes = sets.iter().map(|(dice, _)| *dice == 0).collect();
            tasks.value_offsets.push(0);
            for (_, set) in &sets {
                tasks.values.extend(set.iter().map(|value| 1 + value / 3));
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
    (demands, 200..600_usize, 400..1500_usize, any::<bool>(), any::<u64>()).prop_flat_map(
        |(demands, rows, asking, shared, seed)| {
            let shape = Shape { dimensions: 2, attributes: 1 };
            changes(shape, rows).prop_map(move |changes| {
                let mut random = seed;
                let mut below = |bound: u64| {
                    random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    (random >> 33) % bound
                };
                let available = (0..rows).flat_map(|_| [below(30), below(100)]).collect();
                let attributes = (0..rows).map(|_| below(3) as u32).collect();
                let offers = OfferTable { rows: rows as u32, available, attributes, ..OfferTable::default() };
                let mut tasks = TaskTable { rows: asking as u32, requirement_offsets: vec![0], ..TaskTable::default() };
                for _ in 0..asking {
                    let (first, second) = demands[below(demands.len() as u64) as usize];
                    tasks.demand.extend([first, second]);
                    if below(8) == 0 {
                        tasks.requirement_attributes.push(0);
                        tasks.requirement_excludes.push(below(2) == 0);
                        tasks.values.push(1 + below(2) as u32);
                    }
                    tasks.requirement_offsets.push(tasks.values.len() as u32);
                }
                tasks.value_offsets = (0..=tasks.values.len() as u32).collect();
                let mode = if shared { Mode::Shared } else { Mode::Exclusive };
                let steps = vec![Step::Assign(tasks.clone()), Step::Update(changes), Step::Assign(tasks)];
                Story { shape, offers, settings: Settings { mode, ..Settings::default() }, steps }
            })
        },
    )
}
