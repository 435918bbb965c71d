//! Generated cases, the same in every host: small pools with many ties, and among them large ones.
//!
//! The order in which numbers are drawn is part of the definition: `conformance/generate.py` of the Python host draws the same.

use offermatch_core::{Changes, Mode, OfferTable, Settings, Shape, TaskTable};

use crate::recording::{Recording, Step};
use crate::sample::SplitMix64;
use crate::table::rows::WHOLE;

/// Largest quantities of a table: small ones make ties.
const MOSTS: [u64; 7] = [1, 2, 4, 20, 1000, 1 << 40, u64::MAX];
/// Maximal scores.
const MAX_SCORES: [f64; 8] = [31.0, 31.0, 1e300, 1e300, 1e300, 0.5, 0.0, 2.0];
/// Weights.
const WEIGHTS: [f64; 5] = [0.0, 0.1, 1.0, 3.7, 1e-250];
/// Scales.
const SCALES: [u64; 5] = [0, 1, 3, 48, 1 << 39];

/// The case of a seed, without answers.
pub(super) fn generated(seed: u64) -> Recording {
    let mut random = SplitMix64::new(seed);
    let large = random.below(100) == 0;
    let shape = Shape { dimensions: random.below(4) as u32, attributes: random.below(3) as u32, ..Shape::default() };
    let settings = settings(&mut random, shape);
    let rows = if large { 160 + random.below(100) } else { random.below(9) };
    let most = pick(&mut random, &MOSTS);
    let offers = offers(&mut random, shape, rows as u32, most);
    let mut known = offers.rows;
    let mut steps = Vec::new();
    // The last step places tasks.
    for left in (0..=random.below(3)).rev() {
        let nothing = String::new();
        if left > 0 && random.below(4) == 0 {
            let changes = changes(&mut random, shape, known);
            known += changes.added.rows;
            steps.push(Step::Update { changes, answer: Err(nothing) });
            continue;
        }
        let explain = left > 0 && random.below(5) == 0;
        let rows = if large { 48 + random.below(50) } else { random.below(9) };
        let tasks = tasks(&mut random, shape, rows as u32, most);
        steps.push(if explain {
            Step::Explain { tasks, answer: Err(nothing) }
        } else {
            Step::Assign { tasks, answer: Err(nothing) }
        });
    }
    let name = format!("generated-{seed}");
    Recording { name, group: "generated".to_owned(), shape, settings, offers, steps, ..Recording::default() }
}

/// One of several.
pub(super) fn pick<T: Copy>(random: &mut SplitMix64, from: &[T]) -> T {
    from[random.below(from.len() as u64) as usize]
}

/// How to rank.
fn settings(random: &mut SplitMix64, shape: Shape) -> Settings {
    let mode = if random.below(2) == 0 { Mode::Exclusive } else { Mode::Shared };
    let max_score = pick(random, &MAX_SCORES);
    let mut settings = Settings { mode, max_score: Some(max_score), raise_scales: false, ..Settings::default() };
    if random.below(3) == 0 {
        settings.weights = (0..=shape.dimensions).map(|_| pick(random, &WEIGHTS)).collect();
    }
    if random.below(3) == 0 {
        settings.scales = (0..=shape.dimensions).map(|_| pick(random, &SCALES)).collect();
    }
    settings
}

/// Quantities up to a largest one; up to the largest of all, those at the ends of their range.
fn quantities(random: &mut SplitMix64, count: u32, most: u64) -> Vec<u64> {
    let extreme = |random: &mut SplitMix64| match random.below(4) {
        0 => u64::MAX - random.below(3),
        1 => random.next(),
        2 => (1 << 63) + random.below(2),
        _ => random.below(5),
    };
    (0..count).map(|_| if most == u64::MAX { extreme(random) } else { random.below(most + 1) }).collect()
}

/// Offers.
fn offers(random: &mut SplitMix64, shape: Shape, rows: u32, most: u64) -> OfferTable {
    let available = quantities(random, rows * shape.dimensions, most);
    let mut table = OfferTable { rows, ..OfferTable::default() };
    if random.below(2) == 0 {
        table.capacity = available.iter().map(|available| available.saturating_add(random.below(3))).collect();
    }
    table.available = available;
    table.attributes = (0..rows * shape.attributes).map(|_| random.below(4) as u32).collect();
    if random.below(3) == 0 {
        for _ in 0..rows {
            let devices = random.below(4);
            table.devices.push((0..devices).map(|_| match random.below(4) {
                0 => WHOLE,
                1 => WHOLE / 2,
                2 => 0,
                _ => random.below(1001) as u32,
            }));
        }
    }
    table
}

/// Tasks that ask for no more than the largest offers may have.
fn tasks(random: &mut SplitMix64, shape: Shape, rows: u32, most: u64) -> TaskTable {
    let most = pick(random, &MOSTS).min(most);
    let demand = quantities(random, rows * shape.dimensions, most);
    let mut table = TaskTable { rows, demand, ..TaskTable::default() };
    if random.below(3) == 0 {
        let devices = (0..rows).map(|_| match random.below(7) {
            0..=2 => 0,
            3 | 4 => 1 + random.below(999) as u32,
            _ => WHOLE * (1 + random.below(3) as u32),
        });
        table.devices = devices.collect();
    }
    if shape.attributes > 0 && random.below(2) == 0 {
        table.requirement_offsets.push(0);
        table.value_offsets.push(0);
        for _ in 0..rows {
            for _ in 0..random.below(3) {
                table.requirement_subjects.push(random.below(shape.attributes.into()) as u32);
                table.requirement_kinds.push(random.below(2) as u32);
                for _ in 0..random.below(3) {
                    table.values.push(1 + random.below(3) as u32);
                }
                table.value_offsets.push(table.values.len() as u32);
            }
            table.requirement_offsets.push(table.requirement_subjects.len() as u32);
        }
    }
    table
}

/// Changes of some of the rows, and up to two new ones.
fn changes(random: &mut SplitMix64, shape: Shape, rows: u32) -> Changes {
    let mut changes = Changes::default();
    for row in 0..rows {
        match random.below(8) {
            0 => changes.removed.push(row),
            1 => changes.changed_rows.push(row),
            _ => {}
        }
    }
    if random.below(2) == 1 {
        changes.removed.reverse();
        changes.changed_rows.reverse();
    }
    let most = pick(random, &MOSTS);
    changes.changed = offers(random, shape, changes.changed_rows.len() as u32, most);
    let (added, most) = (random.below(3) as u32, pick(random, &MOSTS));
    changes.added = offers(random, shape, added, most);
    changes
}
