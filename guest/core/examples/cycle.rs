//! One cycle, natively: 20,000 tasks for 20,000 offers, in one of two kinds and modes. To be counted, side by side with
//! another version of the core: `valgrind --tool=callgrind --callgrind-out-file=/dev/null target/release/examples/cycle uniform shared`.

use std::env;
use std::process::ExitCode;

use offermatch_core::{BestFit, Mode, OfferTable, Pool, Settings, Shape, TaskTable};

/// Tasks, and offers.
const ROWS: u32 = 20_000;

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let (kind, mode) = match words[..] {
        [kind @ ("uniform" | "realistic"), "exclusive"] => (kind, Mode::Exclusive),
        [kind @ ("uniform" | "realistic"), "shared"] => (kind, Mode::Shared),
        _ => {
            eprintln!("usage: cycle uniform|realistic exclusive|shared");
            return ExitCode::from(2);
        }
    };
    let mut state = 7_u64;
    // The generator of Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators" (2014).
    let mut below = |bound: u64| {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = state;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (bits ^ (bits >> 31)) % bound
    };
    let mut table = |bounds: [u64; 2], types: u64| -> Vec<u64> {
        if kind == "uniform" {
            return (0..ROWS).flat_map(|_| bounds.map(|bound| 1 + below(bound))).collect();
        }
        let types: Vec<[u64; 2]> = (0..types).map(|_| bounds.map(|bound| 1 + below(bound))).collect();
        (0..ROWS).flat_map(|_| types[below(types.len() as u64) as usize]).collect()
    };
    let tasks = TaskTable { rows: ROWS, demand: table([16, 64], 200), ..TaskTable::default() };
    let offers = OfferTable { rows: ROWS, available: table([48, 192], 40), ..OfferTable::default() };
    let shape = Shape { dimensions: 2, ..Shape::default() };
    let settings = Settings { mode, ..Settings::default() };
    let placed = Pool::open(BestFit, shape, &offers, &settings).and_then(|mut pool| pool.assign(&tasks));
    match placed {
        Ok(placed) => println!("{} placed, sum of scores {}", placed.tasks.len(), placed.scores.iter().sum::<f64>()),
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
