//! The core, natively: opening a pool, assigning with the index and with the plain loop, a cycle of changes.
//!
//! `cargo bench --package offermatch-core` measures; `offermatch-host bench` compares with everything else.

use divan::Bencher;
use offermatch_core::{
    Assignments, BestFit, Changes, Method, Mode, OfferTable, Policy, Pool, Settings, Shape, TaskTable,
};
use offermatch_policies::{DotProduct, Exponential, FirstFit, MostAllocated, WorstFit};

/// Two dimensions, no attributes.
const SHAPE: Shape = Shape { dimensions: 2, attributes: 0, measures: 0 };
/// Tasks, and offers.
const SIZES: [u32; 2] = [200, 20_000];
/// Both modes.
const MODES: [Mode; 2] = [Mode::Exclusive, Mode::Shared];

fn main() {
    divan::main();
}

/// Numbers from 1 to `bound`, always the same ones.
fn numbers(mut state: u64, bounds: [u64; 2], rows: u32) -> Vec<u64> {
    let mut next = |bound| {
        // The generator of Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators" (2014).
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = state;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        1 + (bits ^ (bits >> 31)) % bound
    };
    (0..rows).flat_map(|_| bounds.map(&mut next)).collect()
}

/// Tasks of up to 16 cores and 64 units of memory.
fn tasks(rows: u32) -> TaskTable {
    TaskTable { rows, demand: numbers(1, [16, 64], rows), ..TaskTable::default() }
}

/// Offers of up to 48 cores and 192 units of memory.
fn offers(rows: u32) -> OfferTable {
    OfferTable { rows, available: numbers(2, [48, 192], rows), ..OfferTable::default() }
}

/// A pool.
fn pool(mode: Mode, rows: u32) -> Pool<BestFit> {
    let settings = Settings { mode, ..Settings::default() };
    Pool::open(BestFit, SHAPE, &offers(rows), &settings).expect("the table is right")
}

/// Opens a pool.
#[divan::bench(args = SIZES)]
fn open(bencher: Bencher<'_, '_>, rows: u32) {
    let offers = offers(rows);
    bencher.bench(|| Pool::open(BestFit, SHAPE, &offers, &Settings::default()));
}

/// Assigns in whatever way costs less.
#[divan::bench(args = SIZES, consts = [0, 1])]
fn assign<const MODE: usize>(bencher: Bencher<'_, '_>, rows: u32) {
    measured::<MODE>(bencher, rows, rows, Method::Automatic);
}

/// Assigns by the plain loop.
#[divan::bench(args = [200, 2000], consts = [0, 1])]
fn assign_by_loop<const MODE: usize>(bencher: Bencher<'_, '_>, rows: u32) {
    measured::<MODE>(bencher, rows, rows, Method::Reference);
}

/// Assigns by each policy, in exclusive mode.
#[divan::bench(types = [BestFit, WorstFit, FirstFit, MostAllocated, DotProduct, Exponential])]
fn assign_exclusive<P: Policy + Default>(bencher: Bencher<'_, '_>) {
    by_policy::<P>(bencher, Mode::Exclusive);
}

/// Assigns by each policy, in shared mode.
#[divan::bench(types = [BestFit, WorstFit, FirstFit, MostAllocated, DotProduct, Exponential])]
fn assign_shared<P: Policy + Default>(bencher: Bencher<'_, '_>) {
    by_policy::<P>(bencher, Mode::Shared);
}

/// Gives new values to one offer of a hundred, and assigns 200 tasks.
#[divan::bench]
fn update_and_assign(bencher: Bencher<'_, '_>) {
    let few = tasks(200);
    let changed = OfferTable { rows: 200, available: numbers(3, [48, 192], 200), ..OfferTable::default() };
    let changes = Changes { changed_rows: (0..20_000).step_by(100).collect(), changed, ..Changes::default() };
    let mut open = pool(Mode::Shared, 20_000);
    open.assign(&few).expect("the table is right");
    let cycle = |mut pool: Pool<BestFit>| -> Assignments {
        pool.update(&changes).expect("the changes are right");
        pool.assign(&few).expect("the table is right")
    };
    bencher.with_inputs(|| open.clone()).bench_values(cycle);
}

/// Measures assigning 20,000 tasks to 20,000 offers by a policy.
fn by_policy<P: Policy + Default>(bencher: Bencher<'_, '_>, mode: Mode) {
    let (tasks, offers, settings) = (tasks(20_000), offers(20_000), Settings { mode, ..Settings::default() });
    let new = || Pool::open(P::default(), SHAPE, &offers, &settings).expect("the table is right");
    bencher.with_inputs(new).bench_values(|mut pool| pool.assign(&tasks));
}

/// Measures assigning in a new pool.
fn measured<const MODE: usize>(bencher: Bencher<'_, '_>, asked: u32, offered: u32, method: Method) {
    let tasks = tasks(asked);
    let new = || pool(MODES[MODE], offered).with_method(method);
    bencher.with_inputs(new).bench_values(|mut pool| pool.assign(&tasks));
}
