//! The case that Netflix published for its scheduler Fenzo: hosts of 8 cores are filled by batches of 200 tasks, a fifth of
//! the cores by tasks of 1 core, two fifths by tasks of half a host, two fifths by tasks of three quarters.

use std::time::Duration;

use offermatch::{Catalog, Matcher, Mode, Offer, Offers, Settings, Task, Tasks};
use offermatch_core::Method;

use super::Bench;
use super::input::Input;
use super::measure::{milliseconds, ratio, timed};
use super::native::{self, check_equal};
use super::report::{Report, Row, Target, Unit, column, row, time};

/// Hosts.
const HOSTS: u32 = 10_000;
/// Cores of a host.
const CORES: u64 = 8;
/// Bytes for each core.
const BYTES: u64 = 1_000_000_000;
/// Tasks of a batch.
const BATCH: usize = 200;
/// Milliseconds of a batch in Fenzo's own note, without its shortcut of taking what is good enough, and the part of the cores
/// in use at the end.
const PUBLISHED: (f64, f64) = (246.0, 0.9711);
/// The most milliseconds of a batch, and the least part of the cores in use at the end.
const GOAL: (f64, f64) = (2.0, 0.971);

/// Runs the benchmark.
pub(crate) fn run(bench: &Bench<'_>, matcher: &Matcher) -> anyhow::Result<Report> {
    let input = input(u64::from(bench.size(HOSTS)))?;
    let cores = input.offers.table().available.iter().step_by(2).sum::<u64>();
    bench.say("fenzo: component");
    let mut pool = matcher.open(&input.offers, &input.settings)?;
    let batches = batches(&input);
    let mut sandboxed = Vec::new();
    let mut answers = Vec::new();
    for batch in &batches {
        let (time, answer) = timed(|| pool.assign(batch))?;
        sandboxed.push(time);
        answers.push(answer.assignments);
    }
    bench.say("fenzo: plain loop");
    let mut pool = native::open(&input, Method::Reference)?;
    let mut looped = Vec::new();
    let mut used = 0;
    for (batch, answer) in batches.iter().zip(&answers) {
        let (time, expected) = timed(|| pool.assign(batch.table()))?;
        check_equal("fenzo", answer, &expected)?;
        looped.push(time);
        used += answer.tasks.iter().map(|&task| batch.table().demand[2 * task as usize]).sum::<u64>();
    }
    let utilisation = used as f64 / cores as f64;
    let mean = |times: &[Duration]| times.iter().sum::<Duration>() / times.len().max(1) as u32;
    let found = milliseconds(mean(&sandboxed));
    let faster = PUBLISHED.0 / found;
    let batches = batches.len();
    let row_of = |name: &str, times: &[Duration]| -> Row {
        row([
            ("name", name.into()),
            ("tasks", BATCH.into()),
            ("offers", input.offers.len().into()),
            ("batches", batches.into()),
            ("total_ms", milliseconds(mean(times)).into()),
            ("most_ms", milliseconds(times.iter().copied().max().unwrap_or_default()).into()),
            ("utilisation", utilisation.into()),
        ])
    };
    Ok(Report {
        name: "fenzo",
        title: format!("Netflix Fenzo's case: {BATCH} tasks a batch until {} hosts are full", input.offers.len()),
        notes: vec![
            format!(
                "Fenzo's own note: {:.0} ms a batch at {:.2} % on a machine of 2015 ({faster:.0} times as long)",
                PUBLISHED.0,
                PUBLISHED.1 * 100.0
            ),
            format!(
                "component: assigned and verified, in one pool from the first batch to the last; the loop takes {:.0} times as long",
                ratio(mean(&looped), mean(&sandboxed))
            ),
        ],
        columns: vec![
            column("name", "", Unit::Text),
            column("tasks", "tasks", Unit::Count),
            column("offers", "hosts", Unit::Count),
            column("batches", "batches", Unit::Count),
            column("total_ms", "a batch", Unit::Milliseconds),
            column("most_ms", "longest", Unit::Milliseconds),
            column("utilisation", "cores in use", Unit::Part),
        ],
        rows: vec![row_of("component", &sandboxed), row_of("plain loop, natively", &looped)],
        targets: vec![
            Target::new(format!("at most {} ms a batch", GOAL.0), time(found), found <= GOAL.0),
            Target::new(
                format!("at least {} % of the cores in use", GOAL.1 * 100.0),
                format!("{:.2} %", utilisation * 100.0),
                utilisation >= GOAL.1,
            ),
        ],
    })
}

/// Tasks that ask for as many cores as there are, in the mixed order of Fenzo's test, and the hosts.
fn input(hosts: u64) -> anyhow::Result<Input> {
    let cores = hosts * CORES;
    let (half, most) = (CORES / 2, CORES * 3 / 4);
    let (singles, halves, mosts) = (cores / 5, (cores * 2 / 5).div_ceil(half), (cores * 2 / 5).div_ceil(most));
    let rest = cores.saturating_sub(singles + halves * half + mosts * most);
    let sizes = [(1, singles), (half, halves), (most, mosts), (1, rest)];
    let sizes = sizes.into_iter().flat_map(|(cores, count)| (0..count).map(move |_| cores)).collect();
    let quantities = |cores: u64| [("cpu", 1000 * cores), ("memory", BYTES * cores)];
    let tasks: Vec<Task> =
        mixed(sizes).iter().zip(0..).map(|(&cores, at)| Task::new(format!("task-{at}"), quantities(cores))).collect();
    let offers: Vec<Offer> = (0..hosts).map(|at| Offer::new(format!("host-{at}"), quantities(CORES))).collect();
    let catalog = Catalog::of(&offers, &tasks);
    Ok(Input {
        tasks: Tasks::new(&tasks, &catalog)?,
        offers: Offers::new(&offers, &catalog)?,
        settings: Settings { mode: Mode::Shared, ..Settings::default() },
    })
}

/// Twenty times a coin is tossed for each task that is left, and heads go next: as Fenzo's test mixes its tasks.
fn mixed(mut left: Vec<u64>) -> Vec<u64> {
    let mut coins = 1_u64;
    let mut heads = || {
        // A linear congruential generator; its highest bit is its best.
        coins = coins.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        coins >> 63 == 1
    };
    let mut mixed = Vec::new();
    for _ in 0..20 {
        let (next, rest) = left.into_iter().partition::<Vec<u64>, _>(|_| heads());
        mixed.extend(next);
        left = rest;
    }
    mixed.extend(left);
    mixed
}

/// The tasks by batches.
fn batches(input: &Input) -> Vec<Tasks> {
    let rows: Vec<u32> = (0..).take(input.tasks.len()).collect();
    rows.chunks(BATCH).map(|rows| input.tasks.select(rows)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_ask_for_every_core_and_no_more() {
        let input = input(500).unwrap();
        let asked = input.tasks.table().demand.iter().step_by(2).sum::<u64>();
        let there = input.offers.table().available.iter().step_by(2).sum::<u64>();
        assert!(asked >= there && asked <= there + 16_000, "{asked} of {there}");
    }
}
