//! The border alone: columns into the component, the answer back, with next to nothing to decide in between.

use offermatch::{Matcher, Mode, Offer, Offers, Tasks};
use offermatch_core::Method;

use super::input::{Input, Kind};
use super::measure::{least, milliseconds, timed};
use super::report::{Report, Target, Unit, column, row, time};
use super::{Bench, native};

/// Tasks, and offers.
const SIZE: u32 = 20_000;
/// The most milliseconds that the border may add to the same calls.
const GOAL: f64 = 1.0;

/// Runs the benchmark.
pub(crate) fn run(bench: &Bench<'_>, matcher: &Matcher) -> anyhow::Result<Report> {
    bench.say("border");
    let input = Input::new(Kind::Uniform, bench.size(SIZE), bench.size(SIZE), Mode::Shared)?;
    let catalog = input.offers.catalog();
    let (no_offers, no_tasks) = (Offers::new(&[], catalog)?, Tasks::new(&[], catalog)?);
    let (empty, _) = least(|| timed(|| Ok(matcher.open(&no_offers, &input.settings)?)))?;
    let (open, (verify_offers, _)) = least(|| {
        let timings = matcher.open(&input.offers, &input.settings)?.assign(&no_tasks)?.timings;
        Ok((timings.open, (timings.verify, ())))
    })?;
    // One offer that holds all tasks: every task is placed, so that the answer is as long as it gets.
    let (giant, giant_offer) = (giant(&input.tasks)?, "giant");
    let (assign, verify_tasks) = least(|| {
        let mut pool = matcher.open(&giant, &input.settings)?;
        let answer = pool.assign(&input.tasks)?;
        let placed = answer.assignments.tasks.len();
        anyhow::ensure!(placed == input.tasks.len(), "the {giant_offer} holds every task");
        Ok((answer.timings.assign, answer.timings.verify))
    })?;
    // The same calls without a border: what the core does in them.
    let (native_open, _) = least(|| timed(|| native::open(&input, Method::Automatic)))?;
    let of_giant = Input { tasks: input.tasks.clone(), offers: giant.clone(), settings: input.settings.clone() };
    let (native_assign, _) = least(|| {
        let mut pool = native::open(&of_giant, Method::Automatic)?;
        timed(|| Ok(pool.assign(input.tasks.table())?))
    })?;
    let added = milliseconds(open + assign) - milliseconds(native_open + native_assign);
    let rows = [
        ("instance", "made, an empty pool opened", empty),
        ("offers in", "an instance made, all offers copied in and the pool's books made", open),
        ("tasks in, answer out", "all tasks copied in and given to one giant offer, the answer copied out", assign),
        ("without a border", "the core's part of offers in, natively", native_open),
        ("without a border", "the core's part of tasks in, answer out, natively", native_assign),
        ("verify", "both tables and the answer, by the host", verify_offers + verify_tasks),
    ];
    let rows = rows.map(|(name, what, time)| {
        row([("name", name.into()), ("total_ms", milliseconds(time).into()), ("what", what.into())])
    });
    Ok(Report {
        name: "border",
        title: format!("The border: {} tasks and offers, from Rust", input.size()),
        notes: vec![
            "each the least of its own rounds".to_owned(),
            "the border is what the calls take beyond the native ones; that the core runs slower in the sandbox is in it"
                .to_owned(),
        ],
        columns: vec![
            column("name", "", Unit::Text),
            column("total_ms", "time", Unit::Milliseconds),
            column("what", "", Unit::Text),
        ],
        rows: rows.into(),
        targets: vec![Target::new(
            format!("the border adds at most {GOAL} ms to the same calls on the native core"),
            time(added),
            added <= GOAL,
        )],
    })
}

/// One offer that holds all of the tasks.
fn giant(tasks: &Tasks) -> anyhow::Result<Offers> {
    let dimensions = tasks.catalog().dimensions();
    let sums = (0..dimensions.len()).map(|at| tasks.table().demand.iter().skip(at).step_by(dimensions.len()).sum());
    let offer = Offer::new("giant", dimensions.iter().cloned().zip(sums));
    Ok(Offers::new(&[offer], tasks.catalog())?)
}
