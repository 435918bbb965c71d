//! The memory that the largest input takes.

use offermatch::{Matcher, Mode};

use super::input::{Input, Kind};
use super::measure::{memory, peak_memory, reset_peak_memory};
use super::report::{Report, Target, Unit, column, row};
use super::{Bench, MODES};

/// The most memory of this process, in bytes.
const GOAL: u64 = 1 << 30;

/// Runs the benchmark.
pub(crate) fn run(bench: &Bench<'_>, matcher: &Matcher) -> anyhow::Result<Report> {
    let mut rows = Vec::new();
    let mut targets = Vec::new();
    for kind in [Kind::Uniform, Kind::Realistic] {
        let either = Input::new(kind, bench.size(1_000_000), bench.size(100_000), Mode::Exclusive)?;
        for mode in MODES {
            let input = either.in_mode(mode);
            bench.say(format!("memory: {kind}, {mode}, {}", input.size()));
            let (before, can_reset) = (memory(), reset_peak_memory());
            matcher.match_tasks(&input.tasks, &input.offers, &input.settings)?;
            let peak = peak_memory();
            if let Some(peak) = peak {
                let what = format!("{kind}, {mode}, {}: the whole process below 1 GiB", input.size());
                targets.push(Target::new(what, format!("{} MiB", peak >> 20), peak < GOAL));
            }
            rows.push(row([
                ("name", kind.to_string().into()),
                ("mode", mode.to_string().into()),
                ("tasks", input.tasks.len().into()),
                ("offers", input.offers.len().into()),
                ("before_bytes", before.into()),
                ("peak_bytes", peak.into()),
                ("own_peak", can_reset.into()),
            ]));
        }
    }
    Ok(Report {
        name: "memory",
        title: "Memory: the largest input".to_owned(),
        notes: vec![
            "resident memory of this process; before: with the input's columns and names; peak: while it matches"
                .to_owned(),
        ],
        columns: vec![
            column("name", "", Unit::Text),
            column("mode", "mode", Unit::Text),
            column("tasks", "tasks", Unit::Count),
            column("offers", "offers", Unit::Count),
            column("before_bytes", "before", Unit::Bytes),
            column("peak_bytes", "peak", Unit::Bytes),
        ],
        rows,
        targets,
    })
}
