//! Thousands of calls of one pool: the memory of a few dozen has to do for them, and a matcher says the same of itself
//! before and after.

use offermatch_core::{Changes, OfferTable, Settings, Shape, TaskTable};

use super::Finding;
use super::audit::Wrong;
use super::play::ask;
use crate::limits::Limits;
use crate::pool::matcher::Matcher;
use crate::recording::{Recording, Step};

/// The memory that is tried, in MiB, until some of it does for [`FEW`] rounds of calls.
const MEMORY: [u64; 17] = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 512];
/// Rounds in which a matcher shows how much memory it needs.
const FEW: u64 = 30;
/// Tasks of a round, of which none is placed.
const TASKS: u32 = 300;

/// The names of the cases, and why they are there.
const CASES: [(&str, &str); 2] = [
    ("description", "One instance says the same of itself, before it is called and after."),
    ("memory", "Half as much memory again as a few dozen calls need has to do for thousands."),
];

/// The cases: one pool, and what is asked of it in each round.
pub(super) fn cases(matcher: &Matcher) -> Vec<Recording> {
    let shape = Shape { dimensions: 1, ..Shape::default() };
    let offers = OfferTable { rows: 1, available: vec![0], ..OfferTable::default() };
    let tasks = |rows: u32| TaskTable { rows, demand: vec![1; rows as usize], ..TaskTable::default() };
    let changes = Changes { changed_rows: vec![0], changed: offers.clone(), ..Changes::default() };
    let nothing = String::new;
    let steps = vec![
        Step::Assign { tasks: tasks(TASKS), answer: Err(nothing()) },
        Step::Explain { tasks: tasks(1), answer: Err(nothing()) },
        Step::Update { changes, answer: Err(nothing()) },
    ];
    let settings = Settings {
        mode: matcher.description().modes.first().copied().unwrap_or_default(),
        raise_scales: !matcher.keeps_scales(),
        ..Settings::default()
    };
    let case = |(name, about): (&str, &str)| Recording {
        name: name.to_owned(),
        about: about.to_owned(),
        group: "endurance".to_owned(),
        shape,
        settings: settings.clone(),
        offers: offers.clone(),
        steps: steps.clone(),
        ..Recording::default()
    };
    CASES.map(case).to_vec()
}

/// What is found in a case; `rounds` are made in the memory of [`FEW`].
pub(super) fn endure(matcher: &Matcher, case: &Recording, rounds: u64) -> Option<Finding> {
    let found = if case.name == CASES[0].0 { description(matcher, case) } else { memory(matcher, case, rounds) };
    found.err().map(|wrong| wrong.at(Some(0)))
}

/// Asks an instance what it is, before it is called and after.
fn description(matcher: &Matcher, case: &Recording) -> Result<(), Wrong> {
    let failed = || Wrong("description".into(), "answered".into(), "failed".into());
    let mut session = matcher.backend(case.shape, &case.offers, &case.settings).map_err(|_| failed())?;
    for _ in 0..2 {
        let said = session.describe().map_err(|_| failed())?;
        if case.steps.iter().any(|step| ask(matcher, &mut session, step).word() != "answered") {
            return Err(failed());
        }
        if said.is_some_and(|said| said != *matcher.description()) {
            return Err(Wrong("description".into(), "the same description".into(), "another description".into()));
        }
    }
    Ok(())
}

/// Makes thousands of calls in little more memory than a few dozen need.
fn memory(matcher: &Matcher, case: &Recording, rounds: u64) -> Result<(), Wrong> {
    let most = matcher.limits().memory_bytes;
    let sizes = MEMORY.into_iter().map(|size| size << 20).filter(|&size| size < most).chain([most]);
    let mut enough = sizes.skip_while(|&bytes| !lasts(matcher, case, bytes, FEW));
    let Some(needed) = enough.next() else {
        return Err(Wrong("a few dozen calls".into(), "answered".into(), "failed".into()));
    };
    if lasts(matcher, case, most.min(needed + needed / 2), rounds) {
        return Ok(());
    }
    Err(Wrong("thousands of calls".into(), "answered in the memory of a few dozen".into(), "failed".into()))
}

/// Whether a matcher with so much memory answers so many rounds of calls.
fn lasts(matcher: &Matcher, case: &Recording, memory_bytes: u64, rounds: u64) -> bool {
    let limits = Limits { memory_bytes, ..*matcher.limits() };
    let Ok(mut session) = matcher.backend_within(&limits, case.shape, &case.offers, &case.settings) else {
        return false;
    };
    (0..rounds).all(|_| case.steps.iter().all(|step| ask(matcher, &mut session, step).word() == "answered"))
}
