//! A pool that lives: all of its offers are replaced in every cycle, by others of other names.

use std::time::Duration;

use offermatch::{Catalog, Matcher, Mode, Offer, Offers, Settings, Task, Tasks, Update};

use super::Bench;
use super::measure::{memory, milliseconds, ratio, timed};
use super::report::{Report, Target, Unit, column, row};

/// Offers that are there at any time.
const OFFERS: u32 = 1000;
/// How often they are all replaced.
const CYCLES: u32 = 50_000;
/// Cycles that are measured together.
const BLOCK: u32 = 1000;
/// Tasks of a cycle.
const TASKS: u32 = 100;
/// By how much the last block may be above the second.
const GOAL: f64 = 1.05;

/// Runs the benchmark.
pub(crate) fn run(bench: &Bench<'_>, matcher: &Matcher) -> anyhow::Result<Report> {
    let catalog = Catalog::new(["cpu", "memory"], ["zone"]);
    let table = |cycle: u32| {
        let rows: Vec<Offer> = (0..OFFERS)
            .map(|at| Offer {
                attributes: vec![("zone".to_owned(), format!("z{}", at % 8))],
                // Now one device more, now one less.
                devices: vec![1000; ((at + cycle) % 4) as usize],
                ..Offer::new(format!("offer-{cycle}-{at}"), [("cpu", 64_000), ("memory", 1 << 38)])
            })
            .collect();
        Offers::new(&rows, &catalog)
    };
    let tasks: Vec<Task> = (0..TASKS)
        .map(|at| Task {
            device_share: at % 2 * 250,
            ..Task::new(format!("task-{at}"), [("cpu", 1000), ("memory", 1 << 30)])
        })
        .collect();
    let tasks = Tasks::new(&tasks, &catalog)?;
    let settings = Settings { mode: Mode::Shared, ..Settings::default() };
    let mut offers = table(0)?;
    let mut pool = matcher.open(&offers, &settings)?;
    let mut rows = Vec::new();
    let mut blocks: Vec<(Duration, u64)> = Vec::new();
    let cycles = bench.size(CYCLES);
    for begin in (0..cycles).step_by(BLOCK as usize) {
        bench.say(format!("live: cycle {begin} of {cycles}"));
        let mut spent = Duration::ZERO;
        for cycle in begin..(begin + BLOCK).min(cycles) {
            let next = table(cycle + 1)?;
            let update = Update { removed: offers.names().to_vec(), added: Some(next.clone()), ..Update::default() };
            let (time, placed) = timed(|| {
                pool.update(&update)?;
                pool.assign(&tasks)
            })?;
            anyhow::ensure!(
                placed.assignments.tasks.len() == tasks.len(),
                "every task finds an offer in cycle {cycle}"
            );
            anyhow::ensure!(pool.listed() == OFFERS as usize, "all offers are there in cycle {cycle}");
            spent += time;
            offers = next;
        }
        let held = memory().unwrap_or(0);
        rows.push(row([
            ("cycles", (begin + BLOCK).into()),
            ("block_milliseconds", milliseconds(spent).into()),
            ("memory_bytes", held.into()),
            ("rows", pool.offers().len().into()),
        ]));
        blocks.push((spent, held));
    }
    let mut targets = Vec::new();
    if let (Some((second, held)), Some((last, finally))) = (blocks.get(1), blocks.last()) {
        let (time, memory) = (ratio(*last, *second), *finally as f64 / (*held).max(1) as f64);
        let what = "the last thousand cycles within 5 % of the second thousand";
        targets.push(Target::new(format!("time: {what}"), format!("{time:.3}"), time <= GOAL));
        targets.push(Target::new(format!("memory: {what}"), format!("{memory:.3}"), memory <= GOAL));
    }
    Ok(Report {
        name: "live",
        title: format!("A pool that lives: {OFFERS} offers, all replaced in each of {cycles} cycles"),
        notes: vec![format!(
            "a cycle is one update and {TASKS} tasks; time of a thousand cycles, memory of this process after them"
        )],
        columns: vec![
            column("cycles", "cycles", Unit::Count),
            column("block_milliseconds", "last 1,000", Unit::Milliseconds),
            column("memory_bytes", "memory", Unit::Bytes),
            column("rows", "rows", Unit::Count),
        ],
        rows,
        targets,
    })
}
