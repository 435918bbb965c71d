//! The kinds of input that `offermatch-host bench kinds` measures, as the core's own tables: for counting instructions and for
//! the policies. The numbers are those of the samples of `docs/formats.md`.
#![allow(missing_docs, unreachable_pub, dead_code, reason = "a part of measurements")]

use offermatch_core::{Mode, OfferTable, Settings, Shape, TaskTable};

/// 2^30 bytes.
const GIB: u64 = 1 << 30;
/// The requirement of an attribute to be in a set, and that not to be.
const IN: u32 = 0;
const NOT_IN: u32 = 1;

/// The names of the kinds.
pub const KINDS: [&str; 13] = [
    "uniform",
    "realistic",
    "ties",
    "ties-apart",
    "zero-weights",
    "nothing-fits",
    "nothing-fits-narrowly",
    "opposed",
    "outlier",
    "constrained",
    "never-meet",
    "bound",
    "devices",
];

/// What is matched, and how.
pub struct Input {
    pub shape: Shape,
    pub tasks: TaskTable,
    pub offers: OfferTable,
    pub settings: Settings,
}

/// A requirement: attribute, kind, set.
type Requirement = (u32, u32, Vec<u32>);

/// A task: its demand, its device thousandths, its requirements.
#[derive(Clone, Default)]
struct Task {
    demand: [u64; 2],
    devices: u32,
    requirements: Vec<Requirement>,
}

/// An offer: what is free, its two attributes, its devices.
#[derive(Clone, Default)]
struct Offer {
    available: [u64; 2],
    attributes: [u32; 2],
    devices: usize,
}

impl Input {
    /// So many tasks and offers of a kind; none where there is no such kind.
    pub fn new(kind: &str, mode: Mode, (task_rows, offer_rows): (u32, u32)) -> Option<Self> {
        if !KINDS.contains(&kind) {
            return None;
        }
        let mut below = random(1);
        let realistic = kind == "realistic";
        let mut shapes: Vec<[u64; 2]> = Vec::new();
        let mut draw = |at: u64| match kind {
            "realistic" if at < 200 => [250 * (1 + below(64)), (1 << 28) * (1 + below(256))],
            "realistic" => [below(200), 0],
            "ties" | "ties-apart" => [1000, GIB],
            "nothing-fits" => [1000 * (49 + below(16)), GIB * (1 + below(64))],
            _ => [1000 * (1 + below(16)), GIB * (1 + below(64))],
        };
        if realistic {
            shapes.extend((0..200).map(&mut draw));
        }
        let mut tasks = Vec::new();
        for _ in 0..task_rows {
            let drawn = draw(200);
            let demand = if realistic { shapes[drawn[0] as usize] } else { drawn };
            tasks.push(Task { demand, ..Task::default() });
        }
        // The samples draw a task's requirements and devices right behind its demand.
        let mut below = random(1);
        if kind == "constrained" || kind == "devices" {
            for task in &mut tasks {
                task.demand = [1000 * (1 + below(16)), GIB * (1 + below(64))];
                ask(kind, task, &mut below);
            }
        } else {
            let skipped = if realistic { 400 + u64::from(task_rows) } else { 2 * u64::from(task_rows) };
            (0..if kind.starts_with("ties") { 0 } else { skipped }).for_each(|_| _ = below(2));
        }
        let types: Vec<[u64; 2]> = (0..if realistic { 40 } else { 0 })
            .map(|_| [1000 * (8 + 4 * below(23)), GIB * (16 + 8 * below(47))])
            .collect();
        let mut offers = Vec::new();
        for _ in 0..offer_rows {
            let available = match kind {
                "realistic" => types[below(40) as usize],
                "ties" | "ties-apart" => [16_000, 64 * GIB],
                _ => [1000 * (1 + below(48)), GIB * (1 + below(192))],
            };
            let mut offer = Offer { available, ..Offer::default() };
            if kind == "constrained" {
                offer.attributes[0] = 1 + below(8) as u32;
                offer.attributes[1] = if below(2) == 0 { 1 + below(4) as u32 } else { 0 };
            } else if kind == "devices" && below(2) == 0 {
                offer.devices = 1 + below(8) as usize;
            }
            offers.push(offer);
        }
        adapt(kind, &mut tasks, &mut offers);
        let weights = if kind == "zero-weights" { vec![0.0, 0.0, 1.0] } else { Vec::new() };
        Some(Self {
            // Hosts give every table at least one attribute.
            shape: Shape { dimensions: 2, attributes: 2, ..Shape::default() },
            tasks: task_table(&tasks),
            offers: offer_table(&offers),
            settings: Settings { mode, weights, ..Settings::default() },
        })
    }
}

/// What a task asks beyond its demand.
fn ask(kind: &str, task: &mut Task, below: &mut impl FnMut(u64) -> u64) {
    if kind == "devices" {
        task.devices = match below(8) {
            0..=3 => 0,
            4 | 5 => 50 * (1 + below(19) as u32),
            _ => 1000 * (1 + below(4) as u32),
        };
    } else if below(4) == 0 {
        let mut zones = vec![1 + below(8) as u32, 1 + below(8) as u32];
        zones.dedup();
        task.requirements.push((0, IN, zones));
        if below(2) == 0 {
            task.requirements.push((1, NOT_IN, vec![1 + below(4) as u32]));
        }
    }
}

/// Makes a sample into a kind.
fn adapt(kind: &str, tasks: &mut [Task], offers: &mut [Offer]) {
    // The less cpu, the more memory: the two are worth the same in sum.
    let memory_beside = |cpu: u64| 200 * GIB - cpu * (GIB / 1000 * 4);
    let count = offers.len();
    for (at, offer) in offers.iter_mut().enumerate() {
        match kind {
            "ties-apart" => offer.attributes = [1 + at as u32, 1 + at as u32 % 100],
            "nothing-fits-narrowly" => offer.available[1] = memory_beside(offer.available[0]),
            "opposed" => {
                offer.available[0] += at as u64 % 1000;
                offer.available[1] = memory_beside(offer.available[0]);
            }
            "outlier" if at + 1 == count => offer.available = [1 << 42, 1 << 62],
            "never-meet" => offer.attributes = [1 + at as u32 % 8; 2],
            "bound" => offer.attributes = [1 + at as u32, 0],
            _ => {}
        }
    }
    for (at, task) in tasks.iter_mut().enumerate() {
        let one = |attribute, value: usize| (attribute, IN, vec![1 + value as u32]);
        match kind {
            "ties-apart" if at % 4 == 0 => task.requirements = vec![one(1, at % 100)],
            "nothing-fits-narrowly" => {
                let cpu = 3 * task.demand[0];
                task.demand = [cpu + 1, memory_beside(cpu) + 1];
            }
            "outlier" if at == 0 => task.demand = [1 << 40, 1 << 60],
            "never-meet" => task.requirements = vec![one(0, at % 8), one(1, (at + 1 + at / 8 % 7) % 8)],
            "bound" => task.requirements = vec![one(0, at * 7919 % count.max(1))],
            _ => {}
        }
    }
}

/// The columns of tasks.
fn task_table(tasks: &[Task]) -> TaskTable {
    let mut table = TaskTable {
        rows: tasks.len() as u32,
        demand: tasks.iter().flat_map(|task| task.demand).collect(),
        ..TaskTable::default()
    };
    if tasks.iter().any(|task| task.devices > 0) {
        table.devices = tasks.iter().map(|task| task.devices).collect();
    }
    if tasks.iter().any(|task| !task.requirements.is_empty()) {
        table.requirement_offsets.push(0);
        table.value_offsets.push(0);
        for (attribute, kind, values) in tasks.iter().flat_map(|task| &task.requirements) {
            table.requirement_subjects.push(*attribute);
            table.requirement_kinds.push(*kind);
            table.values.extend_from_slice(values);
            table.value_offsets.push(table.values.len() as u32);
        }
        let mut end = 0;
        for task in tasks {
            end += task.requirements.len() as u32;
            table.requirement_offsets.push(end);
        }
    }
    table
}

/// The columns of offers.
fn offer_table(offers: &[Offer]) -> OfferTable {
    let mut table = OfferTable {
        rows: offers.len() as u32,
        available: offers.iter().flat_map(|offer| offer.available).collect(),
        attributes: offers.iter().flat_map(|offer| offer.attributes).collect(),
        ..OfferTable::default()
    };
    if offers.iter().any(|offer| offer.devices > 0) {
        for offer in offers {
            table.devices.push(std::iter::repeat_n(1000, offer.devices));
        }
    }
    table
}

/// Numbers below a bound: SplitMix64 (Steele, Lea, Flood: "Fast Splittable Pseudorandom Number Generators", 2014), the high
/// bits of the product.
fn random(mut state: u64) -> impl FnMut(u64) -> u64 {
    move |bound| {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = state;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^= bits >> 31;
        ((u128::from(bits) * u128::from(bound)) >> 64) as u64
    }
}
