//! Two components side by side, such as one built with simd128 and one without.

use offermatch::Matcher;

use super::input::{Input, Kind};
use super::measure::{milliseconds, ratio};
use super::native::{check_equal, component};
use super::report::{Report, Unit, column, row};
use super::{Bench, MODES};

/// Tasks, and offers.
const SIZE: u32 = 20_000;

/// Runs the benchmark.
pub(crate) fn run(bench: &Bench<'_>, first: (&str, &Matcher), second: (&str, &Matcher)) -> anyhow::Result<Report> {
    let mut rows = Vec::new();
    for kind in
        [Kind::Uniform, Kind::Realistic, Kind::Ties, Kind::NothingFitsNarrowly, Kind::Constrained, Kind::Devices]
    {
        for mode in MODES {
            bench.say(format!("simd: {kind}, {mode}"));
            let input = Input::new(kind, bench.size(SIZE), bench.size(SIZE), mode)?;
            let found = component(first.1, &input)?;
            let other = component(second.1, &input)?;
            check_equal(&kind.to_string(), &found.assignments, &other.assignments)?;
            rows.push(row([
                ("name", kind.to_string().into()),
                ("mode", mode.to_string().into()),
                ("tasks", input.tasks.len().into()),
                ("offers", input.offers.len().into()),
                ("first_ms", milliseconds(found.matching()).into()),
                ("second_ms", milliseconds(other.matching()).into()),
                ("faster", ratio(other.matching(), found.matching()).into()),
            ]));
        }
    }
    Ok(Report {
        name: "simd",
        title: "Two components side by side".to_owned(),
        notes: vec![
            format!("first: {} ({} bytes)", first.0, first.1.size().unwrap_or(0)),
            format!("second: {} ({} bytes)", second.0, second.1.size().unwrap_or(0)),
            "opening a pool and assigning, without verifying; faster: second / first".to_owned(),
        ],
        columns: vec![
            column("name", "", Unit::Text),
            column("mode", "mode", Unit::Text),
            column("tasks", "tasks", Unit::Count),
            column("offers", "offers", Unit::Count),
            column("first_ms", "first", Unit::Milliseconds),
            column("second_ms", "second", Unit::Milliseconds),
            column("faster", "faster", Unit::Times),
        ],
        rows,
        targets: Vec::new(),
    })
}
