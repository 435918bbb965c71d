//! A cycle that sends what has changed, against one that sends the world.

use offermatch::{Matcher, Offer, Offers, Pool, Update};

use super::input::{Input, Kind};
use super::measure::{least, milliseconds, ratio, timed};
use super::native::check_equal;
use super::report::{Report, Target, Unit, column, row};
use super::{Bench, MODES};

/// Offers of the pool.
const OFFERS: u32 = 20_000;
/// One offer of so many changes in a cycle.
const CHANGED: usize = 100;
/// Tasks of a cycle.
const TASKS: u32 = 200;
/// The most that the cycle may take, of a full rebuild and assign.
const GOAL: f64 = 0.05;

/// Runs the benchmark.
pub(crate) fn run(bench: &Bench<'_>, matcher: &Matcher) -> anyhow::Result<Report> {
    let mut rows = Vec::new();
    let mut targets = Vec::new();
    for kind in [Kind::Uniform, Kind::Realistic] {
        for mode in MODES {
            bench.say(format!("update: {kind}, {mode}"));
            let input = Input::new(kind, bench.size(OFFERS), bench.size(OFFERS), mode)?;
            let few = (0..TASKS.min(input.tasks.len() as u32)).collect::<Vec<_>>();
            let few = Input {
                tasks: input.tasks.select(&few),
                offers: input.offers.clone(),
                settings: input.settings.clone(),
            };
            let (rebuilt, answer) = least(|| cycle(matcher, &few))?;
            let (full, _) = least(|| cycle(matcher, &input))?;

            // What the tasks took comes back, so that rounds are alike; other offers become smaller and larger by turns.
            let mut pool = matcher.open(&few.offers, &few.settings)?;
            let taken = pool.assign(&few.tasks)?.assignments;
            check_equal("a new pool", &taken, &answer)?;
            let updates = [changes(&input, &pool, &taken.offers, true)?, changes(&input, &pool, &taken.offers, false)?];
            let mut rounds = 0;
            let mut round = || {
                rounds += 1;
                timed(|| {
                    let (changing, ()) = timed(|| pool.update(&updates[rounds % 2]))?;
                    Ok((changing, pool.assign(&few.tasks)?))
                })
            };
            // The first update looks up every name, once for all.
            round()?;
            let (updated, (changing, _)) = least(round)?;
            let share = ratio(updated, rebuilt);
            let what = format!("{kind}, {mode}: at most {:.0} % of a full rebuild and the same tasks", GOAL * 100.0);
            targets.push(Target::new(what, format!("{:.1} %", share * 100.0), share <= GOAL));
            rows.push(row([
                ("name", kind.to_string().into()),
                ("mode", mode.to_string().into()),
                ("offers", input.offers.len().into()),
                ("changed", (input.offers.len() / CHANGED).into()),
                ("update_ms", milliseconds(changing).into()),
                ("total_ms", milliseconds(updated).into()),
                ("rebuild_few_ms", milliseconds(rebuilt).into()),
                ("rebuild_ms", milliseconds(full).into()),
                ("share_few", share.into()),
                ("share", ratio(updated, full).into()),
            ]));
        }
    }
    Ok(Report {
        name: "update",
        title: format!("A cycle of changes: 1 % of the offers, then {TASKS} tasks"),
        notes: vec![
            "update: changes given to an open pool; cycle: that, and the tasks assigned and verified".to_owned(),
            format!(
                "new, {TASKS}: a pool opened with all offers and the same {TASKS} tasks; new, all: and as many tasks as offers"
            ),
        ],
        columns: vec![
            column("name", "", Unit::Text),
            column("mode", "mode", Unit::Text),
            column("offers", "offers", Unit::Count),
            column("changed", "changed", Unit::Count),
            column("update_ms", "update", Unit::Milliseconds),
            column("total_ms", "cycle", Unit::Milliseconds),
            column("rebuild_few_ms", "new, 200", Unit::Milliseconds),
            column("share_few", "of it", Unit::Part),
            column("rebuild_ms", "new, all", Unit::Milliseconds),
            column("share", "of it", Unit::Part),
        ],
        rows,
        targets,
    })
}

/// A new pool and its answer.
fn cycle(matcher: &Matcher, input: &Input) -> anyhow::Result<(std::time::Duration, offermatch::Assignments)> {
    timed(|| Ok(matcher.open(&input.offers, &input.settings)?.assign(&input.tasks)?.assignments))
}

/// New values for one offer of [`CHANGED`]: as they were for those that were taken, and, for others, smaller or as they were.
fn changes(input: &Input, pool: &Pool, taken: &[u32], smaller: bool) -> anyhow::Result<Update> {
    let others = (0..input.offers.len() as u32).step_by(CHANGED / 2).filter(|row| !taken.contains(row));
    let mut changed = taken.to_vec();
    changed.sort_unstable();
    changed.dedup();
    changed.extend(others);
    changed.truncate(input.offers.len() / CHANGED);
    let table = input.offers.table();
    let dimensions = input.offers.catalog().dimensions();
    let rows = changed.iter().map(|&row| {
        let name = input.offers.names()[row as usize].clone();
        let values = table.available.iter().skip(row as usize * dimensions.len());
        let shrink = |value: &u64| if smaller && !taken.contains(&row) { value / 4 * 3 } else { *value };
        Offer::new(name, dimensions.iter().cloned().zip(values.map(shrink)))
    });
    let changed = Offers::new(&rows.collect::<Vec<_>>(), pool.catalog())?;
    Ok(Update { changed: Some(changed), ..Update::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_updated_pool_answers_as_a_new_one_does() {
        let matcher = Matcher::bundled("best-fit").unwrap();
        for mode in MODES {
            let input = Input::new(Kind::Uniform, 5, 1000, mode).unwrap();
            let mut pool = matcher.open(&input.offers, &input.settings).unwrap();
            let first = pool.assign(&input.tasks).unwrap().assignments;
            let update = changes(&input, &pool, &first.offers, false).unwrap();
            assert_eq!(update.changed.as_ref().map(Offers::len), Some(10));
            pool.update(&update).unwrap();
            let again = pool.assign(&input.tasks).unwrap().assignments;
            // Those that had left came back at the end of the list, so that ties may fall otherwise.
            assert_eq!((first.tasks, first.scores), (again.tasks, again.scores), "{mode}");
        }
    }
}
