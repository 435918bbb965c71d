//! The talk's table: its loop in Rust, and the component.

use std::num::NonZero;
use std::time::Duration;

use offermatch::{Matcher, Mode};
use serde_json::{Value, json};

use super::input::{Input, Kind};
use super::measure::{least, milliseconds, ratio};
use super::native::{self, components_and_core};
use super::report::{Report, Row, Target, Unit, column, row, times};
use super::scan::Rows;
use super::{Bench, replay};

/// How much faster than the talk's loop the component is to be.
const GOAL: f64 = 100.0;
/// How much longer the component may take than the same core compiled natively.
const SANDBOX: f64 = 1.3;

/// Sizes of the talk's table: tasks and offers.
const SIZES: [(u32, u32); 2] = [(10_000, 2_000), (20_000, 20_000)];

/// What one row is about.
struct Measured<'a> {
    name: String,
    /// The part of the tasks that was measured.
    fraction: f64,
    total: Duration,
    /// The fit checks, where they can be told apart.
    fit_check: Option<Duration>,
    /// The parts of the cycle, where it has parts.
    timings: Option<&'a offermatch::Timings>,
}

/// Runs the benchmark.
pub(crate) fn run(bench: &Bench<'_>, matcher: &Matcher) -> anyhow::Result<Report> {
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
    let mut rows = Vec::new();
    let mut targets = Vec::new();
    for (tasks, offers) in SIZES.map(|(tasks, offers)| (bench.size(tasks), bench.size(offers))) {
        let input = Input::new(Kind::Uniform, tasks, offers, Mode::Exclusive)?;
        bench.say(format!("talk: component, {}", input.size()));
        let ([sandboxed], native_time) = components_and_core([matcher], &input)?;

        bench.say(format!("talk: native loop, {}", input.size()));
        let items = Rows::of(&input);
        let (single, matches) = least(|| Ok(items.on_one_thread()))?;
        Rows::check(&matches, &input, &sandboxed.assignments)?;
        let (single_checks, ()) = least(|| Ok((items.fit_checks(&matches), ())))?;
        bench.say(format!("talk: native loop, {threads} threads, {}", input.size()));
        let (multi, matches) = least(|| Ok(items.on_all_threads()))?;
        Rows::check(&matches, &input, &sandboxed.assignments)?;
        let (multi_checks, ()) = least(|| Ok((items.fit_checks_on_all_threads(&matches), ())))?;

        bench.say(format!("talk: the core's plain loop, {}", input.size()));
        let looped = replay::reference(&input, &sandboxed.assignments, bench.fraction)?;

        let measured = [
            Measured {
                name: "the core's plain loop, 1 thread".to_owned(),
                fraction: looped.fraction,
                total: looped.estimate,
                fit_check: None,
                timings: None,
            },
            Measured {
                name: "native loop, 1 thread".to_owned(),
                fraction: 1.0,
                total: single,
                fit_check: Some(single_checks),
                timings: None,
            },
            Measured {
                name: format!("native loop, {threads} threads"),
                fraction: 1.0,
                total: multi,
                fit_check: Some(multi_checks),
                timings: None,
            },
            Measured {
                name: "component, from Rust".to_owned(),
                fraction: 1.0,
                total: sandboxed.total,
                fit_check: None,
                timings: Some(&sandboxed.timings),
            },
            Measured {
                name: "native core".to_owned(),
                fraction: 1.0,
                total: native_time,
                fit_check: None,
                timings: None,
            },
        ];
        let faster = ratio(single, sandboxed.total);
        let sandbox = ratio(sandboxed.matching(), native_time);
        if offers == bench.size(20_000) {
            let what = format!("{}: component at least {GOAL}x as fast as the native loop on 1 thread", input.size());
            targets.push(Target::new(what, times(faster), faster >= GOAL));
            let what = format!("{}: component at most {SANDBOX}x the time of the same core natively", input.size());
            targets.push(Target::new(what, times(sandbox), sandbox <= SANDBOX));
        }
        rows.extend(measured.iter().map(|measured| measured.row(&input, single)));
    }
    Ok(Report {
        name: "talk",
        title: "The talk's loop, natively, and the component".to_owned(),
        notes: vec![
            "total: one cycle; for the component opening a pool, assigning and verifying the answer, loading left out".to_owned(),
            "fit check: the scans of the cycle once more with nothing but the fit check; an index has none to tell apart"
                .to_owned(),
            "native loop: the talk's, two quantities of a struct; the core's plain loop knows every rule of docs/semantics.md"
                .to_owned(),
            "every row gives the same answer, bit for bit".to_owned(),
        ],
        columns: vec![
            column("name", "", Unit::Text),
            column("tasks", "tasks", Unit::Count),
            column("offers", "offers", Unit::Count),
            column("fraction", "measured", Unit::Part),
            column("total_ms", "total", Unit::Milliseconds),
            column("fit_check_ms", "fit check", Unit::Milliseconds),
            column("open_ms", "open", Unit::Milliseconds),
            column("assign_ms", "assign", Unit::Milliseconds),
            column("verify_ms", "verify", Unit::Milliseconds),
            column("times_faster", "faster", Unit::Times),
        ],
        rows,
        targets,
    })
}

impl Measured<'_> {
    /// The row, compared with the loop on one thread.
    fn row(&self, input: &Input, single: Duration) -> Row {
        let optional = |time: Option<Duration>| time.map_or(Value::Null, |time| json!(milliseconds(time)));
        row([
            ("name", self.name.clone().into()),
            ("kind", "uniform".into()),
            ("mode", native::mode(input).into()),
            ("tasks", input.tasks.len().into()),
            ("offers", input.offers.len().into()),
            ("fraction", self.fraction.into()),
            ("total_ms", milliseconds(self.total).into()),
            ("fit_check_ms", optional(self.fit_check)),
            ("open_ms", optional(self.timings.map(|timings| timings.open))),
            ("assign_ms", optional(self.timings.map(|timings| timings.assign))),
            ("verify_ms", optional(self.timings.map(|timings| timings.verify))),
            ("times_faster", ratio(single, self.total).into()),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_have_what_other_programs_read() {
        let bench = Bench { quick: true, fraction: 1.0, progress: &|_| () };
        let report = run(&bench, &Matcher::bundled("best-fit").unwrap()).unwrap();
        let document = report.document();
        let rows = document["rows"].as_array().unwrap();
        assert_eq!(rows.len(), 10);
        for row in rows {
            for key in ["tasks", "offers", "fraction", "total_ms"] {
                assert!(row[key].is_number(), "{key}: {row}");
            }
            assert!(row["name"].is_string() && row.get("fit_check_ms").is_some(), "{row}");
        }
        assert!(rows.iter().any(|row| row["name"] == "native loop, 1 thread"), "other programs compare with it");
    }
}
