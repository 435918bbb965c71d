//! Policies that look ahead, natively, beside their own plain loop: `cargo bench --package offermatch-core --bench ahead`.
//!
//! A GPU cluster of the size and variety of the public OpenB trace: 1,213 offers of 15 shapes with up to 8 devices, tasks of 151
//! shapes, few of them frequent, until more is asked than there is. `items/s` is tasks a second: its inverse is the time of a task, and
//! the ratio of two of them is what the known scores are worth.

use divan::Bencher;
use divan::counter::ItemsCount;
use offermatch_core::{Method, Mode, OfferTable, Policy, Pool, Settings, Shape, TaskTable};
use offermatch_policies::{Fragmentation, Strand};

/// Processors and memory.
const SHAPE: Shape = Shape { dimensions: 2, attributes: 0, measures: 0 };
/// Offers.
const OFFERS: u32 = 1213;
/// Shapes of offers, and of tasks.
const SHAPES: [u64; 2] = [15, 151];

fn main() {
    divan::main();
}

/// Numbers below a bound, always the same ones.
fn numbers(mut state: u64) -> impl FnMut(u64) -> u64 {
    move |bound| {
        // The generator of Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators" (2014).
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = state;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (bits ^ (bits >> 31)) % bound
    }
}

/// The cluster.
fn offers() -> OfferTable {
    let mut below = numbers(1);
    let shapes: Vec<(u64, u64, usize)> = (0..SHAPES[0])
        .map(|_| (16_000 * (1 + below(8)), 64 * (1 + below(8)), [1, 2, 4, 8][below(4) as usize]))
        .collect();
    let mut offers = OfferTable { rows: OFFERS, ..OfferTable::default() };
    for _ in 0..OFFERS {
        let (cpu, memory, devices) = shapes[below(SHAPES[0]) as usize];
        offers.available.extend([cpu, memory]);
        offers.devices.push(vec![1000; devices]);
    }
    offers
}

/// Tasks, of which some shapes are frequent.
fn tasks(rows: u32) -> TaskTable {
    let mut below = numbers(2);
    let shapes: Vec<(u64, u64, u32)> = (0..SHAPES[1])
        .map(|_| {
            let devices = match below(10) {
                0..=1 => 0,
                2..=6 => 50 * (1 + below(19) as u32),
                7..=8 => 1000,
                _ => 1000 * (2 + 2 * below(4) as u32),
            };
            (1000 * (1 + below(12)), 1 + below(48), devices)
        })
        .collect();
    let mut tasks = TaskTable { rows, ..TaskTable::default() };
    for _ in 0..rows {
        // The least of three numbers: the first shapes are the most frequent.
        let shape = (0..3).map(|_| below(SHAPES[1])).min().unwrap_or(0);
        let (cpu, memory, devices) = shapes[shape as usize];
        tasks.demand.extend([cpu, memory]);
        tasks.devices.push(devices);
    }
    tasks
}

fn measured<P: Policy + Default>(bencher: Bencher<'_, '_>, rows: u32, method: Method) {
    let (offers, tasks) = (offers(), tasks(rows));
    let settings = Settings { mode: Mode::Shared, ..Settings::default() };
    bencher.counter(ItemsCount::new(rows as usize)).bench_local(|| {
        let pool = Pool::open(P::default(), SHAPE, &offers, &settings).expect("a valid pool");
        pool.with_method(method).assign(&tasks).expect("valid tasks")
    });
}

/// With known scores, until the cluster is full.
#[divan::bench(types = [Strand, Fragmentation], sample_count = 5)]
fn known<P: Policy + Default>(bencher: Bencher<'_, '_>) {
    measured::<P>(bencher, 10_000, Method::Automatic);
}

/// By the plain loop, as far as a tenth of that.
#[divan::bench(types = [Strand, Fragmentation], sample_count = 2)]
fn by_loop<P: Policy + Default>(bencher: Bencher<'_, '_>) {
    measured::<P>(bencher, 1_000, Method::Reference);
}
