//! Two equal partitions of one cycle, matched on one thread and on two.

use std::num::NonZeroUsize;
use std::time::Duration;

use offermatch::{Catalog, Matcher, Matching, Offers, Partition, Requirement, Sample, SampleKind, Settings, Tasks};

use super::measure::{milliseconds, ratio, timed};
use super::native::check_equal;
use super::report::{Report, Target, Unit, column, row};
use super::{Bench, MODES};

/// Tasks of a partition, and offers of it.
const ROWS: u32 = 100_000;
/// Rounds, in each of which one thread and two have their turn.
const ROUNDS: usize = 9;
/// How many times quicker two threads are to be.
const GOAL: f64 = 1.7;

/// Runs the benchmark.
pub(crate) fn run(bench: &Bench<'_>, matcher: &Matcher) -> anyhow::Result<Report> {
    let (mut rows, mut targets) = (Vec::new(), Vec::new());
    for kind in [SampleKind::Uniform, SampleKind::Realistic] {
        bench.say(format!("cores: {kind}, finding the partitions"));
        let (tasks, offers) = in_two_zones(kind, bench.size(ROWS))?;
        let (finding, parts) = timed(|| anyhow::Ok(Partition::all(&tasks, &offers)))?;
        anyhow::ensure!(parts.len() == 2, "{} partitions in two zones", parts.len());
        for mode in MODES {
            bench.say(format!("cores: {kind}, {mode}"));
            let settings = Settings { mode, ..Settings::default() }.with_scales_of(&offers)?;
            let matched = |threads: usize| {
                let threads = NonZeroUsize::new(threads).expect("one or two");
                timed(|| matcher.match_partitions(&parts, &settings, threads))
            };
            let (mut alone, mut both) = (Duration::MAX, Duration::MAX);
            for _ in 0..ROUNDS {
                let (time, one) = matched(1)?;
                alone = alone.min(time);
                let (time, two) = matched(2)?;
                both = both.min(time);
                for (one, two) in one.iter().zip(&two) {
                    check_equal("two threads", &two.assignments, &one.assignments)?;
                }
            }
            let times = ratio(alone, both);
            let what = format!("{kind}, {mode}: two threads at least {GOAL} times as quick as one");
            targets.push(Target::new(what, format!("{times:.2} times"), times >= GOAL));
            rows.push(row([
                ("name", kind.to_string().into()),
                ("mode", mode.to_string().into()),
                ("tasks", tasks.len().into()),
                ("offers", offers.len().into()),
                ("finding_ms", milliseconds(finding).into()),
                ("one_ms", milliseconds(alone).into()),
                ("two_ms", milliseconds(both).into()),
                ("times", times.into()),
            ]));
        }
    }
    Ok(Report {
        name: "cores",
        title: "Two equal partitions of one cycle on one thread and on two".to_owned(),
        notes: vec![
            "finding: the partitions are found from the requirements; pools are opened, tasks assigned and answers verified"
                .to_owned(),
            "the two take turns; on a machine with one core to spare there is nothing to gain".to_owned(),
        ],
        columns: vec![
            column("name", "", Unit::Text),
            column("mode", "mode", Unit::Text),
            column("tasks", "tasks", Unit::Count),
            column("offers", "offers", Unit::Count),
            column("finding_ms", "finding", Unit::Milliseconds),
            column("one_ms", "one thread", Unit::Milliseconds),
            column("two_ms", "two threads", Unit::Milliseconds),
            column("times", "times", Unit::Times),
        ],
        rows,
        targets,
    })
}

/// The same sample in each of two zones, which every task requires.
fn in_two_zones(kind: SampleKind, rows: u32) -> anyhow::Result<(Tasks, Offers)> {
    let (tasks, offers) = Sample { kind, tasks: rows, offers: rows, seed: 1 }.rows();
    let (mut all_tasks, mut all_offers) = (Vec::new(), Vec::new());
    for zone in ["a", "b"] {
        all_tasks.extend(tasks.iter().cloned().map(|mut task| {
            task.name = format!("{zone}-{}", task.name);
            task.requirements.push(Requirement::is_in("zone", [zone]));
            task
        }));
        all_offers.extend(offers.iter().cloned().map(|mut offer| {
            offer.name = format!("{zone}-{}", offer.name);
            offer.attributes.push(("zone".to_owned(), zone.to_owned()));
            offer
        }));
    }
    let catalog = Catalog::of(&all_offers, &all_tasks);
    Ok((Tasks::new(&all_tasks, &catalog)?, Offers::new(&all_offers, &catalog)?))
}
