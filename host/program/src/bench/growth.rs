//! How cost grows when tasks and offers double.

use std::time::Duration;

use offermatch::{Matcher, Mode};
use serde_json::Value;

use super::input::{Input, Kind};
use super::measure::{milliseconds, ratio};
use super::native::component;
use super::report::{Report, Target, Unit, column, row, time, times};
use super::{Bench, MODES};

/// What doubling tasks and offers may cost.
const GOAL: f64 = 2.4;
/// Below this, a doubling is mostly noise and fixed cost, and is shown but not judged.
const JUDGED: Duration = Duration::from_millis(1);
/// The largest inputs: a million tasks for ten times fewer offers, and as many tasks as offers.
const LARGEST: [(u32, u32); 2] = [(1_000_000, 100_000), (100_000, 100_000)];
/// Doublings that lead to a largest input.
const DOUBLINGS: [u32; 2] = [10, 6];
/// Seconds within which the largest input is to be matched, by mode.
const SECONDS: [(Mode, f64); 2] = [(Mode::Exclusive, 0.6), (Mode::Shared, 3.0)];

/// Runs the benchmark.
pub(crate) fn run(bench: &Bench<'_>, matcher: &Matcher) -> anyhow::Result<Report> {
    let mut rows = Vec::new();
    let mut targets = Vec::new();
    let mut worst = (0.0, String::new());
    for kind in [Kind::Uniform, Kind::Realistic] {
        for (largest, doublings) in LARGEST.into_iter().zip(DOUBLINGS) {
            let largest = (bench.size(largest.0), bench.size(largest.1));
            // By mode: the time before the last doubling.
            let mut before = [None; 2];
            for step in (0..=doublings).rev() {
                // At least 1,000 tasks and 100 offers: smaller inputs are another benchmark.
                let (tasks, offers) = (largest.0 >> step, largest.1 >> step);
                let either = Input::new(kind, tasks, offers, Mode::Exclusive)?;
                for (before, mode) in before.iter_mut().zip(MODES) {
                    let input = either.in_mode(mode);
                    bench.say(format!("growth: {kind}, {mode}, {}", input.size()));
                    let found = component(matcher, &input)?;
                    let factor = before.map(|before| ratio(found.total, before));
                    let judged = before.is_some_and(|before| before >= JUDGED);
                    if let Some(factor) = factor
                        && judged
                        && factor > worst.0
                    {
                        worst = (factor, format!("{kind}, {mode}, to {}", input.size()));
                    }
                    *before = Some(found.total);
                    rows.push(row([
                        ("name", kind.to_string().into()),
                        ("mode", mode.to_string().into()),
                        ("tasks", tasks.into()),
                        ("offers", offers.into()),
                        ("fraction", 1.0.into()),
                        ("total_ms", milliseconds(found.total).into()),
                        ("open_ms", milliseconds(found.timings.open).into()),
                        ("assign_ms", milliseconds(found.timings.assign).into()),
                        ("verify_ms", milliseconds(found.timings.verify).into()),
                        ("doubling", factor.map_or(Value::Null, Value::from)),
                        ("judged", judged.into()),
                    ]));
                    if (tasks, offers) == LARGEST[0] {
                        targets.push(largest_target(&format!("{kind}, {mode}"), mode, found.total));
                    }
                }
            }
        }
    }
    let what = format!("doubling tasks and offers costs at most {GOAL}x; the most is {}", worst.1);
    targets.insert(0, Target::new(what, times(worst.0), worst.0 <= GOAL));
    Ok(Report {
        name: "growth",
        title: "How cost grows: the component, from Rust".to_owned(),
        notes: vec![
            "total: opening a pool, assigning, verifying; doubling: of the total, over the row with half of both"
                .to_owned(),
            format!("doublings are judged from {} on", time(milliseconds(JUDGED))),
        ],
        columns: vec![
            column("name", "", Unit::Text),
            column("mode", "mode", Unit::Text),
            column("tasks", "tasks", Unit::Count),
            column("offers", "offers", Unit::Count),
            column("total_ms", "total", Unit::Milliseconds),
            column("open_ms", "open", Unit::Milliseconds),
            column("assign_ms", "assign", Unit::Milliseconds),
            column("verify_ms", "verify", Unit::Milliseconds),
            column("doubling", "doubling", Unit::Times),
        ],
        rows,
        targets,
    })
}

/// The target of the largest input.
fn largest_target(name: &str, mode: Mode, total: Duration) -> Target {
    let seconds = SECONDS.iter().find(|(of, _)| *of == mode).map_or(f64::MAX, |(_, seconds)| *seconds);
    let what = format!("{name}, 1,000,000 x 100,000: within {seconds} s");
    Target::new(what, time(milliseconds(total)), total.as_secs_f64() <= seconds)
}
