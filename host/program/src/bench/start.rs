//! What starting costs: compiling, taking the compiled component from the cache, making an instance, an empty call.

use std::time::Duration;

use offermatch::{Cache, Catalog, Matcher, Offers, Settings, Task, Tasks};
use serde_json::Value;

use super::Bench;
use super::measure::{least, milliseconds, timed};
use super::report::{Report, Target, Unit, column, row, time};

/// The most that a second start may take.
const GOAL: Duration = Duration::from_millis(10);
/// Calls of one round: a call is too short to be measured alone.
const CALLS: u32 = 1000;

/// Runs the benchmark on a component that stands nowhere else in the cache.
pub(crate) fn run(bench: &Bench<'_>, component: &[u8], origin: &str) -> anyhow::Result<Report> {
    bench.say("start: compiling");
    let load = |cache: &Cache| timed(|| Ok::<_, anyhow::Error>(Matcher::from_bytes_cached(component, origin, cache)?));
    let (cold, matcher) = least(|| load(&Cache::off()))?;
    let folder = std::env::temp_dir().join(format!("offermatch-bench-{}", std::process::id()));
    let kept = Cache::at(&folder);
    let first = load(&kept);
    let second = least(|| load(&kept));
    // What could not be removed is the system's to clean up: it is a temporary folder.
    let _ = std::fs::remove_dir_all(&folder);
    let ((first, _), (second, _)) = (first?, second?);

    bench.say("start: instances and calls");
    let catalog = Catalog::new(["cpu"], [""; 0]);
    let no_offers = Offers::new(&[], &catalog)?;
    let no_tasks = Tasks::new(&[] as &[Task], &catalog)?;
    let settings = Settings::default();
    let instance = least(|| {
        timed(|| -> anyhow::Result<()> {
            for _ in 0..CALLS / 10 {
                matcher.open(&no_offers, &settings)?;
            }
            Ok(())
        })
    })?;
    let mut pool = matcher.open(&no_offers, &settings)?;
    let call = least(|| {
        timed(|| -> anyhow::Result<()> {
            for _ in 0..CALLS {
                pool.assign(&no_tasks)?;
            }
            Ok(())
        })
    })?;
    let measured = [
        ("compiled anew", "read, compiled, linked, asked what it is; no cache", cold),
        ("compiled and kept", "as above, and written to an empty cache", first),
        ("from the cache", "read, checked against its header, linked, asked what it is", second),
        ("instance", "made, an empty pool opened in it, dropped", instance.0 / (CALLS / 10)),
        ("empty call", "assign without tasks, verified", call.0 / CALLS),
    ];
    let rows = measured.map(|(name, what, time)| {
        row([("name", name.into()), ("total_ms", milliseconds(time).into()), ("what", Value::from(what))])
    });
    let what = format!("a second start within {}", time(milliseconds(GOAL)));
    Ok(Report {
        name: "start",
        title: format!("Starting: a component of {} bytes", component.len()),
        notes: Vec::new(),
        columns: vec![
            column("name", "", Unit::Text),
            column("total_ms", "time", Unit::Milliseconds),
            column("what", "", Unit::Text),
        ],
        rows: rows.into(),
        targets: vec![Target::new(what, time(milliseconds(second)), second <= GOAL)],
    })
}
