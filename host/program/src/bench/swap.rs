//! Swapping the matcher under load: no call lost, none answered by a mixture, and how long the worst caller waits. And what
//! verification costs.

use std::fs::File;
use std::io::{Read as _, Seek as _};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use offermatch::{Manifest, Matcher, Matching, Mode, Offers, Sample, Settings, Slot, Tasks, answer_digest};
use serde_json::json;

use super::Bench;
use super::measure::milliseconds;
use super::report::{Report, Target, Unit, column, row};

/// Threads that call.
const CALLERS: usize = 4;
/// What a caller waits between calls, so that the threads do not stand in one another's way where there are fewer cores.
const PAUSE: Duration = Duration::from_millis(2);
/// Numbers that a thread goes through which calls no matcher: about as long as a call takes.
const SPIN: u64 = 100_000;
/// Time from one swap to the next.
const PERIOD: Duration = Duration::from_millis(50);
/// What the worst caller may wait beyond the normal p99.
const STALL: Duration = Duration::from_millis(2);
/// The part of a large call that verification may take.
const VERIFICATION: f64 = 0.10;

/// Parts in which the measurement is done: what else the machine does hits every one of them.
const ROUNDS: u32 = 6;
/// A phase without swaps lasts this part of the one with swaps.
const CONTROL: u32 = 3;

/// What goes on while threads call.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// They call nobody, and compute for as long as a call takes: what the machine does to them.
    Spinning,
    /// Nothing else goes on.
    Alone,
    /// Candidates are judged, and not promoted.
    Judging,
    /// Candidates are judged and promoted.
    Swapping,
}

/// Every phase, by its name.
const PHASES: [(&str, Phase); 4] = [
    ("no matcher", Phase::Spinning),
    ("alone", Phase::Alone),
    ("judged", Phase::Judging),
    ("swapped", Phase::Swapping),
];

/// The calls of all threads in one phase.
#[derive(Default)]
struct Calls {
    /// How long each took.
    times: Vec<Duration>,
    /// The longest, of times from which waiting for a core is taken; none where the system does not say.
    worst_running: Option<Duration>,
    /// Calls answered by each of the two matchers.
    by: [u64; 2],
    acts: u64,
}

impl Calls {
    /// Puts other calls to these.
    fn add(&mut self, other: &Self) {
        self.times.extend(&other.times);
        self.times.sort_unstable();
        self.worst_running = self.worst_running.max(other.worst_running);
        self.by = [self.by[0] + other.by[0], self.by[1] + other.by[1]];
        self.acts += other.acts;
    }

    /// The time that this part of the calls does not exceed.
    fn quantile(&self, part: f64) -> Duration {
        self.times.get((self.times.len().saturating_sub(1) as f64 * part) as usize).copied().unwrap_or_default()
    }

    /// The longest call.
    fn worst(&self) -> Duration {
        self.quantile(1.0)
    }
}

/// Two components that take turns, and what they are to answer.
struct Turns {
    /// Where their files are; removed when this is dropped.
    folder: PathBuf,
    manifests: [PathBuf; 2],
    digests: [String; 2],
    /// The digests of their answers.
    expected: [String; 2],
    tables: (Tasks, Offers),
}

/// Runs the benchmark for so many seconds with swaps, and beside them without. `other` is the component that takes turns.
pub(crate) fn run(
    bench: &Bench<'_>,
    matcher: &Matcher,
    components: [&[u8]; 2],
    seconds: u64,
) -> anyhow::Result<Report> {
    let time = if bench.quick { Duration::from_secs(1) } else { Duration::from_secs(seconds) };
    let turns = Turns::new(components)?;
    let slot = Slot::new(matcher.clone());
    let mut measured: [Calls; 4] = Default::default();
    for round in 1..=ROUNDS {
        for ((name, phase), calls) in PHASES.into_iter().zip(&mut measured) {
            bench.say(format!("swap: round {round} of {ROUNDS}, {name}"));
            let part = if phase == Phase::Swapping { time / ROUNDS } else { time / ROUNDS / CONTROL };
            calls.add(&turns.called(&slot, phase, part)?);
        }
    }
    bench.say("swap: verification");
    let share = verification(bench, matcher)?;
    let [spinning, alone, judging, swapped] = &measured;
    let beyond = |calls: &Calls, normal: &Calls| milliseconds(calls.worst().saturating_sub(normal.quantile(0.99)));
    let stall = swapped.worst().saturating_sub(alone.quantile(0.99));
    let rows = PHASES.iter().zip(&measured).map(|((name, _), calls)| {
        row([
            ("name", (*name).into()),
            ("calls", calls.times.len().into()),
            ("acts", calls.acts.into()),
            ("first", calls.by[0].into()),
            ("second", calls.by[1].into()),
            ("median_ms", milliseconds(calls.quantile(0.5)).into()),
            ("p99_ms", milliseconds(calls.quantile(0.99)).into()),
            ("p999_ms", milliseconds(calls.quantile(0.999)).into()),
            ("worst_ms", milliseconds(calls.worst()).into()),
            ("running_ms", calls.worst_running.map(milliseconds).into()),
        ])
    });
    let mut notes = vec![
        "every answer is compared with that of the matcher which gave it; a call that fails, or is answered otherwise, ends the benchmark".to_owned(),
        "a swap is a whole one: manifest, digest, component (its machine code from the cache), world, description; no conformance cases".to_owned(),
        format!(
            "the worst caller waits, beyond the p99 of callers alone: {:.2} ms alone, {:.2} ms while candidates are judged, {:.2} ms while they are promoted, too; one that calls no matcher {:.2} ms beyond its own",
            beyond(alone, alone), beyond(judging, alone), beyond(swapped, alone), beyond(spinning, spinning),
        ),
    ];
    if let Some(running) = swapped.worst_running {
        let running = milliseconds(running.saturating_sub(alone.quantile(0.99)));
        notes.push(format!(
            "without the time in which a caller was ready and had no core, {running:.2} ms while they are promoted"
        ));
    }
    Ok(Report {
        name: "swap",
        title: format!("A swap every {} ms under {CALLERS} calling threads, {} s", PERIOD.as_millis(), time.as_secs()),
        notes,
        columns: vec![
            column("name", "", Unit::Text),
            column("calls", "calls", Unit::Count),
            column("acts", "judged", Unit::Count),
            column("first", "by the one", Unit::Count),
            column("second", "by the other", Unit::Count),
            column("median_ms", "median", Unit::Milliseconds),
            column("p99_ms", "p99", Unit::Milliseconds),
            column("p999_ms", "p99.9", Unit::Milliseconds),
            column("worst_ms", "worst", Unit::Milliseconds),
            column("running_ms", "worst, running", Unit::Milliseconds),
        ],
        rows: rows.collect(),
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
    })
}

impl Turns {
    /// Writes the files of two components.
    fn new(components: [&[u8]; 2]) -> anyhow::Result<Self> {
        let folder = std::env::temp_dir().join(format!("offermatch-bench-swap-{}", std::process::id()));
        let tables = "uniform:200x200:3".parse::<Sample>()?.tables()?;
        let mut turns = Self {
            manifests: ["first", "second"].map(|name| folder.join(format!("{name}.json"))),
            folder,
            digests: Default::default(),
            expected: Default::default(),
            tables,
        };
        std::fs::create_dir_all(&turns.folder)?;
        for (which, bytes) in components.into_iter().enumerate() {
            let path = turns.manifests[which].with_extension("wasm");
            std::fs::write(&path, bytes)?;
            let matcher = Matcher::load(&path)?;
            let (said, digest) = (matcher.description(), matcher.digest().context("a component has a digest")?);
            let manifest = json!({
                "matcher": said.name, "version": said.version, "policy": said.policy,
                "path": path, "digest": digest, "conformance": "none",
            });
            std::fs::write(&turns.manifests[which], manifest.to_string())?;
            digest.clone_into(&mut turns.digests[which]);
            let answer = matcher.match_tasks(&turns.tables.0, &turns.tables.1, &Settings::default())?;
            turns.expected[which] = answer_digest(&answer.assignments);
        }
        Ok(turns)
    }

    /// Calls a slot from several threads for some time.
    fn called(&self, slot: &Slot, phase: Phase, time: Duration) -> anyhow::Result<Calls> {
        let over = AtomicBool::new(false);
        let (mut acts, mut acted) = (0, Ok(()));
        let results = std::thread::scope(|scope| {
            let callers: Vec<_> = (0..CALLERS).map(|_| scope.spawn(|| self.call(slot, phase, &over))).collect();
            let begin = Instant::now();
            while begin.elapsed() < time && acted.is_ok() && callers.iter().all(|caller| !caller.is_finished()) {
                std::thread::sleep(PERIOD);
                let manifest = &self.manifests[acts as usize % 2];
                acted = match phase {
                    Phase::Spinning | Phase::Alone => continue,
                    Phase::Judging => Manifest::read(manifest).and_then(|manifest| slot.judge(&manifest)).map(drop),
                    Phase::Swapping => slot.swap(manifest),
                };
                acts += 1;
            }
            over.store(true, Ordering::Relaxed);
            callers.into_iter().map(|caller| caller.join().expect("a caller does not panic")).collect::<Vec<_>>()
        });
        acted?;
        let mut calls = Calls { acts, ..Calls::default() };
        results.into_iter().try_for_each(|result| result.map(|result| calls.add(&result)))?;
        ensure!(!calls.times.is_empty(), "no call ended in time");
        Ok(calls)
    }

    /// Calls a slot until it is over.
    fn call(&self, slot: &Slot, phase: Phase, over: &AtomicBool) -> anyhow::Result<Calls> {
        let mut calls = Calls::default();
        let clock = Waited::new();
        while !over.load(Ordering::Relaxed) {
            let (waited, begin) = (clock.read(), Instant::now());
            let answer = if phase == Phase::Spinning {
                std::hint::black_box((0..SPIN).fold(0_u64, |sum, number| std::hint::black_box(sum ^ number)));
                None
            } else {
                Some(slot.match_tasks(&self.tables.0, &self.tables.1, &Settings::default())?)
            };
            let time = begin.elapsed();
            let running = waited.zip(clock.read()).map(|(before, after)| time.saturating_sub(after - before));
            calls.times.push(time);
            calls.worst_running = calls.worst_running.max(running);
            if let Some(answer) = answer {
                let Some(who) = self.digests.iter().position(|digest| answer.matcher.digest() == Some(digest)) else {
                    bail!("an answer of a matcher that was never in use");
                };
                ensure!(
                    answer_digest(&answer.assignments) == self.expected[who],
                    "an answer that is not its matcher's"
                );
                calls.by[who] += 1;
            }
            std::thread::sleep(PAUSE);
        }
        Ok(calls)
    }
}

impl Drop for Turns {
    fn drop(&mut self) {
        // What is left in the folder of temporary files does no harm.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// How long a thread has been ready to run and had no core, where the system counts that.
struct Waited(Option<File>);

impl Waited {
    /// That of this thread.
    fn new() -> Self {
        Self(File::open("/proc/thread-self/schedstat").ok())
    }

    /// The time until now.
    fn read(&self) -> Option<Duration> {
        let mut text = String::new();
        let mut file = self.0.as_ref()?;
        file.rewind().ok()?;
        file.read_to_string(&mut text).ok()?;
        // Nanoseconds on a core, nanoseconds waited for one, turns.
        text.split(' ').nth(1)?.parse().ok().map(Duration::from_nanos)
    }
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
