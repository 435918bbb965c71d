//! Swapping the matcher under load: no call lost, none answered by a mixture, and how long the worst caller waits. And what
//! verification costs.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{bail, ensure};
use offermatch::{Matcher, Matching, Mode, Offers, Sample, Settings, Slot, Tasks, answer_digest};

use super::Bench;
use super::measure::milliseconds;
use super::report::{Report, Target, Unit, column, row};

/// Threads that call.
const CALLERS: usize = 4;
/// What a caller waits between calls, so that the threads do not stand in one another's way where there are fewer cores.
const PAUSE: Duration = Duration::from_millis(2);
/// Time from one swap to the next.
const PERIOD: Duration = Duration::from_millis(50);
/// What the worst caller may wait beyond the normal p99.
const STALL: Duration = Duration::from_millis(2);
/// The part of a large call that verification may take.
const VERIFICATION: f64 = 0.10;

/// The calls of all threads.
struct Calls {
    /// How long each took, sorted.
    times: Vec<Duration>,
    /// Calls answered by each of the two matchers.
    by: [u64; 2],
}

impl Calls {
    /// The time that this part of the calls does not exceed.
    fn quantile(&self, part: f64) -> Duration {
        self.times[((self.times.len() - 1) as f64 * part) as usize]
    }

    /// The longest call.
    fn worst(&self) -> Duration {
        self.quantile(1.0)
    }
}

/// Runs the benchmark for so many seconds with swaps, and as long without. `other` is the matcher that takes turns.
pub(crate) fn run(bench: &Bench<'_>, matcher: &Matcher, other: &Matcher, seconds: u64) -> anyhow::Result<Report> {
    let time = if bench.quick { Duration::from_secs(1) } else { Duration::from_secs(seconds) };
    let (tasks, offers) = "uniform:200x200:3".parse::<Sample>()?.tables()?;
    let matchers = [matcher, other];
    let expected = [expect(matcher, &tasks, &offers)?, expect(other, &tasks, &offers)?];
    let slot = Slot::new(matcher.clone());
    bench.say("swap: callers alone");
    let (normal, _) = called(&slot, &matchers, &expected, (&tasks, &offers), time, false)?;
    bench.say("swap: callers while the matcher is swapped");
    let (swapped, swaps) = called(&slot, &matchers, &expected, (&tasks, &offers), time, true)?;
    let stall = swapped.worst().saturating_sub(normal.quantile(0.99));
    let ordinary = normal.worst().saturating_sub(normal.quantile(0.99));
    bench.say("swap: verification");
    let share = verification(bench, matcher)?;
    let rows = [("alone", &normal, 0), ("swapped", &swapped, swaps)].map(|(name, calls, swaps)| {
        row([
            ("name", name.into()),
            ("calls", calls.times.len().into()),
            ("swaps", swaps.into()),
            ("first", calls.by[0].into()),
            ("second", calls.by[1].into()),
            ("median_ms", milliseconds(calls.quantile(0.5)).into()),
            ("p99_ms", milliseconds(calls.quantile(0.99)).into()),
            ("p999_ms", milliseconds(calls.quantile(0.999)).into()),
            ("worst_ms", milliseconds(calls.worst()).into()),
        ])
    });
    Ok(Report {
        name: "swap",
        title: format!("A swap every {} ms under {CALLERS} calling threads, {} s", PERIOD.as_millis(), time.as_secs()),
        notes: vec![
            "every answer is compared with that of the matcher which gave it; a call that fails, or is answered otherwise, ends the benchmark".to_owned(),
            format!("without any swap the worst caller waits {:.2} ms beyond the p99", milliseconds(ordinary)),
        ],
        columns: vec![
            column("name", "", Unit::Text),
            column("calls", "calls", Unit::Count),
            column("swaps", "swaps", Unit::Count),
            column("first", "by the one", Unit::Count),
            column("second", "by the other", Unit::Count),
            column("median_ms", "median", Unit::Milliseconds),
            column("p99_ms", "p99", Unit::Milliseconds),
            column("p999_ms", "p99.9", Unit::Milliseconds),
            column("worst_ms", "worst", Unit::Milliseconds),
        ],
        rows: rows.into(),
        targets: vec![
            Target::new(
                "no call lost, none answered by a mixture, every answer right",
                format!("{} calls", swapped.times.len()),
                true,
            ),
            Target::new(
                format!("worst caller at most {} ms beyond the normal p99", STALL.as_millis()),
                format!("{:.2} ms", milliseconds(stall)),
                stall <= STALL,
            ),
            Target::new(
                format!("verification at most {:.0} % of a 20,000 x 20,000 call", VERIFICATION * 100.0),
                format!("{:.1} %", share * 100.0),
                share <= VERIFICATION,
            ),
        ],
        charts: Vec::new(),
    })
}

/// The digest of a matcher's answer.
fn expect(matcher: &Matcher, tasks: &Tasks, offers: &Offers) -> anyhow::Result<String> {
    Ok(answer_digest(&matcher.match_tasks(tasks, offers, &Settings::default())?.assignments))
}

/// Calls a slot from several threads, and swaps its matcher meanwhile where that is asked; the number of swaps.
fn called(
    slot: &Slot,
    matchers: &[&Matcher; 2],
    expected: &[String; 2],
    (tasks, offers): (&Tasks, &Offers),
    time: Duration,
    swapping: bool,
) -> anyhow::Result<(Calls, u64)> {
    let over = AtomicBool::new(false);
    let caller = || -> anyhow::Result<(Vec<Duration>, [u64; 2])> {
        let (mut times, mut by) = (Vec::new(), [0, 0]);
        while !over.load(Ordering::Relaxed) {
            let begin = Instant::now();
            let answer = slot.match_cycle(tasks, offers, &Settings::default())?;
            times.push(begin.elapsed());
            let Some(who) = matchers.iter().position(|matcher| matcher.digest() == answer.matcher.digest()) else {
                bail!("an answer of a matcher that was never in use");
            };
            ensure!(answer_digest(&answer.assignments) == expected[who], "an answer that is not its matcher's");
            by[who] += 1;
            std::thread::sleep(PAUSE);
        }
        Ok((times, by))
    };
    let mut swaps = 0;
    let results = std::thread::scope(|scope| {
        let callers: Vec<_> = (0..CALLERS).map(|_| scope.spawn(caller)).collect();
        let begin = Instant::now();
        while begin.elapsed() < time && callers.iter().all(|caller| !caller.is_finished()) {
            std::thread::sleep(PERIOD);
            if swapping {
                swaps += 1;
                slot.promote(matchers[swaps as usize % 2].clone(), 10);
            }
        }
        over.store(true, Ordering::Relaxed);
        callers.into_iter().map(|caller| caller.join().expect("a caller does not panic")).collect::<Vec<_>>()
    });
    let mut calls = Calls { times: Vec::new(), by: [0, 0] };
    for result in results {
        let (times, by) = result?;
        calls.times.extend(times);
        calls.by = [calls.by[0] + by[0], calls.by[1] + by[1]];
    }
    ensure!(!calls.times.is_empty(), "no call ended in time");
    calls.times.sort_unstable();
    Ok((calls, swaps))
}

/// The part of a large call that verification takes: the worse of the two modes, the least of several rounds.
fn verification(bench: &Bench<'_>, matcher: &Matcher) -> anyhow::Result<f64> {
    let size = bench.size(20_000);
    let (tasks, offers) = format!("uniform:{size}x{size}:1").parse::<Sample>()?.tables()?;
    let mut worst = 0.0_f64;
    for mode in super::MODES {
        let mut shares = Vec::new();
        for _ in 0..7 {
            shares.push(share(matcher, &tasks, &offers, mode)?);
        }
        worst = worst.max(shares.into_iter().fold(f64::INFINITY, f64::min));
    }
    Ok(worst)
}

/// The part of one call that verification takes.
fn share(matcher: &Matcher, tasks: &Tasks, offers: &Offers, mode: Mode) -> anyhow::Result<f64> {
    let begin = Instant::now();
    let answer = matcher.match_tasks(tasks, offers, &Settings { mode, ..Settings::default() })?;
    let all = begin.elapsed();
    Ok(answer.timings.verify.as_secs_f64() / all.as_secs_f64())
}
