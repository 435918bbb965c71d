//! Every kind of input in both modes: the plain loop, the native core, the component.

use offermatch::Matcher;

use super::input::{Input, Kind};
use super::measure::{milliseconds, ratio};
use super::native::{self, components_and_core};
use super::report::{Report, Target, Unit, column, row, times};
use super::{Bench, MODES, replay};

/// How much faster than the plain loop the component is to be on every kind.
const GOAL: f64 = 15.0;
/// How much faster it is to be where more is asked: kind, mode by its place in [`MODES`], times.
const GOALS: [(Kind, usize, f64); 4] =
    [(Kind::Uniform, 0, 100.0), (Kind::Uniform, 1, 100.0), (Kind::Realistic, 0, 60.0), (Kind::Realistic, 1, 100.0)];
/// Tasks, and offers.
const SIZE: u32 = 20_000;

/// What the sandbox may cost.
const SANDBOX: f64 = 1.3;

/// Runs the benchmark. `untimed` is the same matcher without a limit of time.
pub(crate) fn run(bench: &Bench<'_>, matcher: &Matcher, untimed: &Matcher) -> anyhow::Result<Report> {
    let mut rows = Vec::new();
    let mut targets = Vec::new();
    let mut least: Option<(f64, String)> = None;
    let mut dearest = [const { (0.0, String::new()) }; 2];
    for kind in Kind::ALL {
        let size = bench.size(SIZE);
        let either = Input::new(kind, size, size, MODES[0])?;
        for (at, mode) in MODES.into_iter().enumerate() {
            let input = either.in_mode(mode);
            let name = format!("{kind}, {mode}");
            bench.say(format!("kinds: {name}"));
            let (components, native_time) = components_and_core([matcher, untimed], &input)?;
            let sandbox = components.each_ref().map(|component| ratio(component.matching(), native_time));
            for (dearest, &sandbox) in dearest.iter_mut().zip(&sandbox) {
                if sandbox > dearest.0 {
                    *dearest = (sandbox, name.clone());
                }
            }
            let [sandboxed, _] = components;
            let looped = replay::reference(&input, &sandboxed.assignments, bench.fraction)?;
            let faster = ratio(looped.estimate, sandboxed.total);
            if least.as_ref().is_none_or(|(least, _)| faster < *least) {
                least = Some((faster, name.clone()));
            }
            for (_, _, goal) in GOALS.iter().filter(|(goal_kind, goal_mode, _)| (*goal_kind, *goal_mode) == (kind, at))
            {
                let what = format!("{name}: at least {goal}x as fast as the plain loop");
                targets.push(Target::new(what, times(faster), faster >= *goal));
            }
            rows.push(row([
                ("name", kind.to_string().into()),
                ("mode", native::mode(&input).into()),
                ("tasks", input.tasks.len().into()),
                ("offers", input.offers.len().into()),
                ("placed", sandboxed.assignments.tasks.len().into()),
                ("fraction", looped.fraction.into()),
                ("loop_ms", milliseconds(looped.estimate).into()),
                ("core_ms", milliseconds(native_time).into()),
                ("total_ms", milliseconds(sandboxed.total).into()),
                ("verify_ms", milliseconds(sandboxed.timings.verify).into()),
                ("times_faster", faster.into()),
                ("sandbox", sandbox[0].into()),
                ("untimed", sandbox[1].into()),
            ]));
        }
    }
    if let Some((faster, name)) = least {
        let what = format!("every kind: at least {GOAL}x as fast as the plain loop; the least is {name}");
        targets.insert(0, Target::new(what, times(faster), faster >= GOAL));
    }
    for ((most, name), what) in dearest.into_iter().zip(["", ", without a limit of time"]) {
        let what = format!("the component at most {SANDBOX}x the time of the native core{what}; the most is {name}");
        targets.push(Target::new(what, times(most), most <= SANDBOX));
    }
    Ok(Report {
        name: "kinds",
        title: format!("Every kind of input, {} x {0}", super::report::grouped(f64::from(bench.size(SIZE)))),
        notes: vec![
            "loop: the plain loop of the core, natively, on the part of the tasks that is shown, spread over the cycle"
                .to_owned(),
            "core: the index, natively; component: opening a pool, assigning, verifying".to_owned(),
            "faster: loop / component; sandbox: component without verifying / core; untimed: the same without a limit of time"
                .to_owned(),
        ],
        columns: vec![
            column("name", "", Unit::Text),
            column("mode", "mode", Unit::Text),
            column("placed", "placed", Unit::Count),
            column("fraction", "looped", Unit::Part),
            column("loop_ms", "loop", Unit::Milliseconds),
            column("core_ms", "core", Unit::Milliseconds),
            column("total_ms", "component", Unit::Milliseconds),
            column("verify_ms", "verify", Unit::Milliseconds),
            column("times_faster", "faster", Unit::Times),
            column("sandbox", "sandbox", Unit::Times),
            column("untimed", "untimed", Unit::Times),
        ],
        rows,
        targets,
    })
}
