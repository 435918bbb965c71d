//! Small inputs, where an index could cost more than it saves.

use std::time::{Duration, Instant};

use offermatch_core::Method;

use super::input::{Input, Kind};
use super::measure::{milliseconds, ratio};
use super::native::{self, check_equal};
use super::report::{Report, Target, Unit, column, row, times};
use super::{Bench, MODES};

/// How much slower than the plain loop the automatic choice may be.
const GOAL: f64 = 1.3;
/// Tasks and offers.
const SIZES: [(u32, u32); 10] =
    [(1, 1), (1, 200), (200, 1), (10, 10), (47, 200), (48, 96), (50, 100), (100, 100), (200, 96), (200, 200)];
/// Time for one comparison.
const TIME: Duration = Duration::from_millis(30);

/// Runs the benchmark.
pub(crate) fn run(bench: &Bench<'_>) -> anyhow::Result<Report> {
    let mut rows = Vec::new();
    let mut worst = (0.0, String::new());
    for kind in Kind::ALL {
        bench.say(format!("small: {kind}"));
        for mode in MODES {
            let mut of_kind = (0.0, String::new(), Duration::ZERO, Duration::ZERO);
            for (tasks, offers) in SIZES {
                let input = Input::new(kind, tasks, offers, mode)?;
                let (automatic, looped) = compared(&input)?;
                let slower = ratio(automatic, looped);
                if slower > of_kind.0 {
                    of_kind = (slower, input.size(), automatic, looped);
                }
            }
            let (slower, size, automatic, looped) = of_kind;
            if slower > worst.0 {
                worst = (slower, format!("{kind}, {mode}, {size}"));
            }
            rows.push(row([
                ("name", kind.to_string().into()),
                ("mode", mode.to_string().into()),
                ("size", size.into()),
                ("loop_ms", milliseconds(looped).into()),
                ("core_ms", milliseconds(automatic).into()),
                ("slower", slower.into()),
            ]));
        }
    }
    let what = format!("small inputs: at most {GOAL}x the time of the plain loop; the worst is {}", worst.1);
    Ok(Report {
        name: "small",
        title: "Small inputs, up to 200 x 200: the worst size of each kind".to_owned(),
        notes: vec![
            "loop: the plain loop of the core; core: what it does when it may choose; both natively, opening included"
                .to_owned(),
        ],
        columns: vec![
            column("name", "", Unit::Text),
            column("mode", "mode", Unit::Text),
            column("size", "worst at", Unit::Text),
            column("loop_ms", "loop", Unit::Milliseconds),
            column("core_ms", "core", Unit::Milliseconds),
            column("slower", "core / loop", Unit::Times),
        ],
        rows,
        targets: vec![Target::new(what, times(worst.0), worst.0 <= GOAL)],
    })
}

/// The least times of the automatic choice and of the loop, by turns, so that both meet the same neighbours.
fn compared(input: &Input) -> anyhow::Result<(Duration, Duration)> {
    let begin = Instant::now();
    let (mut automatic, mut looped) = (Duration::MAX, Duration::MAX);
    let mut rounds = 0;
    while rounds < 5 || (begin.elapsed() < TIME && rounds < 2000) {
        let (time, answer) = native::once(input, Method::Automatic)?;
        automatic = automatic.min(time);
        let (time, expected) = native::once(input, Method::Reference)?;
        looped = looped.min(time);
        check_equal(&input.size(), &answer, &expected)?;
        rounds += 1;
    }
    Ok((automatic, looped))
}
