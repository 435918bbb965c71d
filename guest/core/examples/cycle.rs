//! One cycle, natively: 20,000 tasks for 20,000 offers of a kind, by best-fit. To be counted, side by side with another version
//! of the core: `valgrind --tool=callgrind --callgrind-out-file=/dev/null target/release/examples/cycle uniform shared`.
//! `guest/core/benches/instructions.sh` does that for every kind.

use std::env;
use std::process::ExitCode;

use offermatch_core::{BestFit, Mode, Pool};

#[path = "../benches/kinds/mod.rs"]
mod kinds;

use kinds::{Input, KINDS};

/// Tasks, and offers.
const ROWS: u32 = 20_000;

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let (kind, mode, rows) = match words[..] {
        [kind, mode] => (kind, mode, Some(ROWS)),
        [kind, mode, rows] => (kind, mode, rows.parse().ok()),
        _ => ("", "", None),
    };
    let mode = match mode {
        "exclusive" => Some(Mode::Exclusive),
        "shared" => Some(Mode::Shared),
        _ => None,
    };
    let input = mode.zip(rows).and_then(|(mode, rows)| Input::new(kind, mode, (rows, rows)));
    let Some(Input { shape, tasks, offers, settings }) = input else {
        eprintln!("usage: cycle {} exclusive|shared [ROWS]", KINDS.join("|"));
        return ExitCode::from(2);
    };
    match cycle(shape, &tasks, &offers, &settings) {
        Ok(placed) => println!("{} placed, sum of scores {}", placed.tasks.len(), placed.scores.iter().sum::<f64>()),
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

/// What is counted.
#[unsafe(no_mangle)]
#[inline(never)]
fn cycle(
    shape: offermatch_core::Shape,
    tasks: &offermatch_core::TaskTable,
    offers: &offermatch_core::OfferTable,
    settings: &offermatch_core::Settings,
) -> Result<offermatch_core::Assignments, offermatch_core::Error> {
    Pool::open(BestFit, shape, offers, settings)?.assign(tasks)
}
