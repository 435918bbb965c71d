//! Answers for programs.

use offermatch::{BadRow, Check, DEVICES, Explanation, Explanations, Missing, answer_digest, shown_number};
use serde::Serialize;
use serde::ser::Serializer;

use super::cycle::{Cycle, Stages};
use super::numbers::to_json;

/// An answer as `docs/formats.md` has it.
#[derive(Serialize)]
struct Document<'a> {
    /// Who matched.
    matcher: Matcher<'a>,
    /// What happened to offers that took a task.
    mode: String,
    /// How many tasks.
    tasks: usize,
    /// How many offers.
    offers: usize,
    /// How many tasks were placed.
    placed: usize,
    /// Who takes what.
    assignments: Vec<Assignment<'a>>,
    /// How many of the others found only offers whose score is not below the maximal one.
    unplaced_by_score: usize,
    /// What no answer is above, where that was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    bound: Option<UpperBound>,
    /// The rows that were left out, if any were.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    left_out: Vec<LeftOut<'a>>,
    /// Why the others found no offer, where that was asked.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "unplaced")]
    unplaced: Option<(&'a Cycle, &'a Explanations)>,
    /// The digest of who takes what.
    answer_digest: String,
    /// Where the time went, where that was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    timings_ms: Option<serde_json::Map<String, serde_json::Value>>,
}

/// What no answer is above.
#[derive(Serialize)]
struct UpperBound {
    /// How many tasks could be placed.
    tasks: usize,
    /// How much of each dimension they could use, in the smallest unit, and of the devices in thousandths.
    #[serde(serialize_with = "in_order")]
    used: Vec<(String, serde_json::Value)>,
}

impl UpperBound {
    /// That of a cycle.
    fn of(cycle: &Cycle) -> Option<Self> {
        let bound = cycle.bound.as_ref()?;
        let names = cycle.tasks.catalog().dimensions().iter().map(String::as_str);
        let used = names.zip(bound.used.iter().copied()).chain(bound.devices.map(|used| (DEVICES, used)));
        // JSON's numbers end where those of 64 bits do, and so does what a table can hold of most things.
        let used = used.map(|(name, used)| {
            (name.to_owned(), u64::try_from(used).map_or_else(|_| used.to_string().into(), Into::into))
        });
        Some(Self { tasks: bound.tasks, used: used.collect() })
    }
}

/// Who matched.
#[derive(Serialize)]
struct Matcher<'a> {
    /// Its name.
    name: &'a str,
    /// Its version.
    version: &'a str,
    /// Its policy.
    policy: &'a str,
    /// Its contract.
    contract: &'a str,
    /// The digest of its bytes; null for the reference.
    digest: Option<&'a str>,
}

/// Who takes what.
#[derive(Serialize)]
struct Assignment<'a> {
    /// The task.
    task: &'a str,
    /// Its offer.
    offer: &'a str,
    /// Its score there.
    score: f64,
}

/// A row that was left out.
#[derive(Serialize)]
struct LeftOut<'a> {
    /// What the table is called.
    table: &'a str,
    /// The row in the table as it was given.
    row: usize,
    /// Its name; empty where it has none.
    name: &'a str,
    /// The code of why.
    code: &'static str,
    /// Why.
    message: String,
}

/// Why a task found no offer.
#[derive(Serialize)]
struct Unplaced<'a> {
    /// The task.
    task: &'a str,
    /// How many offers are left in the list.
    offers: usize,
    /// Offers with too little, by dimension.
    #[serde(serialize_with = "map")]
    by_dimension: Vec<(&'a str, u32)>,
    /// Offers refused by each requirement.
    by_requirement: Vec<u32>,
    /// Offers whose devices do not serve the task.
    by_devices: u32,
    /// Offers whose score is too high.
    by_score: u32,
    /// Offers left to choose from.
    candidates: u32,
    /// Each check by its name, where the matcher says how many offers fail nothing else.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "checks")]
    checks: Option<Vec<(String, Check<Missing>)>>,
    /// Offers of the list that could hold it if they were empty, likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    capable: Option<u32>,
    /// How its group stands, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    members: Option<Members>,
    /// What would help, in sentences.
    #[serde(skip_serializing_if = "Option::is_none")]
    remedies: Option<Vec<String>>,
}

/// How a group stands.
#[derive(Serialize)]
struct Members {
    /// Members that find offers, of those that were not placed.
    placed: u32,
    /// Members that run, those that were placed included.
    running: u64,
    /// How many it needs.
    least: u32,
}

/// How many offers fail a check.
#[derive(Serialize)]
struct Counted {
    /// At all.
    fails: u32,
    /// And nothing else.
    alone: u32,
    /// The least that is missing among the latter.
    missing: serde_json::Value,
}

impl<'a> Unplaced<'a> {
    /// What is found of a task of a cycle.
    fn of(cycle: &Cycle, found: Explanation<'a>) -> Self {
        let checks = found.checks();
        let remedies = checks
            .is_some()
            .then(|| cycle.task_rows.get(found.task).map_or_else(Vec::new, |task| found.remedies(task, &cycle.units)));
        let least = |members: &offermatch::Members<'_>| members.group.map_or(0, |group| group.least);
        Self {
            checks,
            capable: found.capable,
            members: found.members.map(|members| Members {
                placed: members.placed,
                running: members.running,
                least: least(&members),
            }),
            remedies,
            task: found.task,
            offers: found.offers,
            by_dimension: found.by_dimension.into_iter().map(|(name, check)| (name, check.fails)).collect(),
            by_requirement: found.by_requirement.into_iter().map(|check| check.fails).collect(),
            by_devices: found.by_devices.fails,
            by_score: found.by_score.fails,
            candidates: found.candidates,
        }
    }
}

/// Writes explanations one by one, without a list of them all.
fn unplaced<S: Serializer>(found: &Option<(&Cycle, &Explanations)>, serializer: S) -> Result<S::Ok, S::Error> {
    let each = found.iter().flat_map(|(cycle, found)| found.iter().map(|found| Unplaced::of(cycle, found)));
    serializer.collect_seq(each)
}

/// Writes checks as an object.
fn checks<S: Serializer>(found: &Option<Vec<(String, Check<Missing>)>>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(found.iter().flatten().map(|(name, check)| {
        let missing = match check.missing.unwrap_or(Missing::Nothing) {
            Missing::Whole(missing) => missing.into(),
            Missing::Real(missing) => missing.into(),
            Missing::Nothing => 0.into(),
        };
        (name, Counted { fails: check.fails, alone: check.alone.unwrap_or(0), missing })
    }))
}

/// Writes pairs as an object.
fn map<S: Serializer>(pairs: &[(&str, u32)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(pairs.iter().copied())
}

/// Writes pairs as an object whose keys stay in their order.
fn in_order<S: Serializer>(pairs: &[(String, serde_json::Value)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(pairs.iter().map(|(key, value)| (key, value)))
}

/// Milliseconds by stage, as `docs/formats.md` names them.
fn timings_ms(stages: &Stages) -> serde_json::Map<String, serde_json::Value> {
    let Stages { read, columns, load, pool, explain, relax } = stages;
    let named = [
        ("read", read),
        ("columns", columns),
        ("load", load),
        ("open", &pool.open),
        ("assign", &pool.assign),
        ("verify", &pool.verify),
        ("explain", explain),
        ("bound", relax),
    ];
    named.map(|(name, time)| (name.to_owned(), (time.as_secs_f64() * 1000.0).into())).into_iter().collect()
}

/// The answer as one JSON object.
pub(super) fn json(cycle: &Cycle, timings: bool) -> anyhow::Result<Vec<u8>> {
    let description = cycle.matcher.description();
    let document = Document {
        matcher: Matcher {
            name: &description.name,
            version: &description.version,
            policy: &description.policy,
            contract: &description.contract,
            digest: cycle.matcher.digest(),
        },
        mode: cycle.mode.to_string(),
        tasks: cycle.tasks.len(),
        offers: cycle.offers.len(),
        placed: cycle.assignments.tasks.len(),
        assignments: assignments(cycle).collect(),
        unplaced_by_score: cycle.by_score,
        bound: UpperBound::of(cycle),
        left_out: cycle.left_out.iter().map(left_out).collect(),
        unplaced: cycle.unplaced.as_ref().map(|found| (cycle, found)),
        answer_digest: answer_digest(&cycle.assignments),
        timings_ms: timings.then(|| timings_ms(&cycle.stages)),
    };
    let mut text = to_json(&document)?;
    text.push(b'\n');
    Ok(text)
}

/// The assignments as CSV.
pub(super) fn csv(cycle: &Cycle) -> anyhow::Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(["task", "offer", "score"])?;
    for Assignment { task, offer, score } in assignments(cycle) {
        writer.write_record([task, offer, &shown_number(score)])?;
    }
    Ok(writer.into_inner()?)
}

/// A row that was left out, as the output has it.
fn left_out(bad: &BadRow) -> LeftOut<'_> {
    let BadRow { table, row, name, error, .. } = bad;
    LeftOut { table, row: *row, name, code: error.code(), message: error.to_string() }
}

/// Who takes what, by name.
fn assignments(cycle: &Cycle) -> impl Iterator<Item = Assignment<'_>> {
    let (tasks, offers) = (cycle.tasks.names(), cycle.offers.names());
    let rows = cycle.assignments.tasks.iter().zip(&cycle.assignments.offers).zip(&cycle.assignments.scores);
    rows.map(|((&task, &offer), &score)| Assignment {
        task: &tasks[task as usize],
        offer: &offers[offer as usize],
        score,
    })
}
