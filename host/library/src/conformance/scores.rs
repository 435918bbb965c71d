//! The scores of a policy that nobody knows: those that a matcher gives when it is asked about one task and one offer alone.
//!
//! A score is a policy's, and a policy is a function of the task, of what the offer has and of the settings. So a matcher
//! itself says what every offer scores, and the plain loop of the reference, ranked by these scores, what it has to answer.
//! That is how preferences, *together* and scales that follow are checked of any policy.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use offermatch_core::{
    Demand, Leftover, Method, OfferTable, Policy, Pool, Ranking, Settings, Shape, TaskTable, Workload,
};

use super::Finding;
use super::audit::Wrong;
use super::compare::difference;
use super::generate::generated;
use super::mixed::of_the_reference;
use super::play::{Outcome, play};
use crate::pool::counts::Counts;
use crate::pool::matcher::Matcher;
use crate::recording::{Recording, Step};

/// Generated cases in which a policy may show that its scores hang on more than the task and the offer.
const TRIALS: u64 = 100;
/// Cases with a larger table are not asked: a task and an offer cost a call.
const MOST_ROWS: u32 = 40;

/// What a matcher says of one task and one offer alone, as the policy of the reference loop.
#[derive(Clone)]
struct Scores<'a>(Rc<Asking<'a>>);

/// Whom to ask, and what is known already.
struct Asking<'a> {
    matcher: &'a Matcher,
    shape: Shape,
    /// Mode, weights and parameters.
    settings: &'a Settings,
    /// The tasks that are to be expected.
    workload: RefCell<Option<Workload>>,
    known: RefCell<HashMap<Vec<u64>, f64>>,
}

impl<'a> Scores<'a> {
    /// Nothing is known yet.
    fn new(matcher: &'a Matcher, case: &'a Recording) -> Self {
        let workload = RefCell::new(case.settings.workload.clone());
        let known = RefCell::default();
        Self(Rc::new(Asking { matcher, shape: case.shape, settings: &case.settings, workload, known }))
    }

    /// Expects other tasks from now on.
    fn forget(&self, workload: &Workload) {
        *self.0.workload.borrow_mut() = Some(workload.clone());
        self.0.known.borrow_mut().clear();
    }
}

impl Asking<'_> {
    /// The score; infinite where the offer is not taken.
    fn ask(&self, scales: &[f64], demand: Demand<'_>, offer: Leftover<'_>) -> f64 {
        let mut offers = OfferTable {
            rows: 1,
            available: offer.available.to_vec(),
            capacity: offer.capacity.to_vec(),
            attributes: offer.attributes.to_vec(),
            measures: offer.measures.to_vec(),
            ..OfferTable::default()
        };
        if !offer.devices.is_empty() {
            offers.devices.push(offer.devices.iter().copied());
        }
        let devices = if demand.devices > 0 { vec![demand.devices] } else { Vec::new() };
        let tasks = TaskTable { rows: 1, demand: demand.quantities.to_vec(), devices, ..TaskTable::default() };
        let settings = Settings {
            max_score: None,
            scales: scales.iter().map(|&scale| scale as u64).collect(),
            workload: self.workload.borrow().clone(),
            ..self.settings.clone()
        };
        let steps = vec![Step::Assign { tasks, answer: Err(String::new()) }];
        let probe = Recording { shape: self.shape, settings, offers, steps, ..Recording::default() };
        match play(self.matcher, &probe).last() {
            Some(Outcome::Assigned(answer)) if answer.scores.len() == 1 => answer.scores[0],
            _ => f64::INFINITY,
        }
    }
}

impl Policy for Scores<'_> {
    const NAME: &'static str = "its own scores";

    fn score(&self, ranking: &Ranking, demand: Demand<'_>, offer: Leftover<'_>) -> f64 {
        let mut key: Vec<u64> = ranking.scales.iter().map(|scale| scale.to_bits()).collect();
        key.extend(demand.quantities.iter().chain(offer.available).chain(offer.capacity));
        key.extend(offer.measures.iter().map(|measure| measure.to_bits()));
        key.extend(
            offer.attributes.iter().chain(offer.devices).chain([&demand.devices]).map(|&number| u64::from(number)),
        );
        if let Some(&known) = self.0.known.borrow().get(&key) {
            return known;
        }
        let score = self.0.ask(&ranking.scales, demand, offer);
        self.0.known.borrow_mut().insert(key, score);
        score
    }
}

/// Whether the scores of a matcher hang on the task, the offer and the settings, and on nothing else. Those of a policy that
/// looks ahead hang on other tasks and offers, too, and only the rest of the contract is known of it.
pub(super) fn hang_on_task_and_offer(matcher: &Matcher) -> bool {
    (1..=TRIALS).all(|seed| trial(matcher, seed))
}

/// Whether the scores in an answer are those that the matcher gives alone, of offers as they were opened.
fn trial(matcher: &Matcher, seed: u64) -> bool {
    let mut case = generated(seed);
    case.settings.mode = matcher.description().modes.first().copied().unwrap_or_default();
    case.settings.max_score = None;
    case.settings.scales = vec![48; case.shape.dimensions as usize + 1];
    case.settings.raise_scales = !matcher.keeps_scales();
    case.steps.retain(|step| matches!(step, Step::Assign { .. }));
    case.steps.truncate(1);
    let Some(Step::Assign { tasks, .. }) = case.steps.first() else { return true };
    if largest_table(&case) > MOST_ROWS {
        return true;
    }
    let outcomes = play(matcher, &case);
    let Some(Outcome::Assigned(answer)) = outcomes.last() else { return false };
    let scores = Scores::new(matcher, &case);
    let scales = vec![48.0; case.settings.scales.len()];
    let mut taken = HashSet::new();
    let mut rows = answer.tasks.iter().zip(&answer.offers).zip(&answer.scores);
    rows.all(|((&task, &offer), score)| {
        if task >= tasks.rows || offer >= case.offers.rows || !taken.insert(offer) {
            return true;
        }
        let (devices, row) = (tasks.devices(task as usize), offer as usize);
        let part = |width: u32, row: u32| (row * width) as usize..((row + 1) * width) as usize;
        let (shape, offers) = (case.shape, &case.offers);
        let quantities = &tasks.demand[part(shape.dimensions, task)];
        let capacity = if offers.capacity.is_empty() { &offers.available } else { &offers.capacity };
        let mut free = offers.devices.of(row).to_vec();
        free.sort_unstable();
        let offered = Leftover {
            available: &offers.available[part(shape.dimensions, offer)],
            capacity: &capacity[part(shape.dimensions, offer)],
            free_devices: 0,
            device_capacity: 0,
            devices: &free,
            attributes: &offers.attributes[part(shape.attributes, offer)],
            measures: &[],
            model: 0,
            before: 0.0,
            after: 0.0,
        };
        scores.0.ask(&scales, Demand { quantities, devices }, offered).to_bits() == score.to_bits()
    })
}

/// The first answer to a step that is not the one of the plain loop, ranked by the matcher's own scores.
pub(super) fn audit_by_scores(matcher: &Matcher, case: &Recording, outcomes: &[Outcome]) -> Option<Finding> {
    if largest_table(case) > MOST_ROWS {
        return None;
    }
    let scores = Scores::new(matcher, case);
    let raise_scales = case.settings.raise_scales && !matcher.keeps_scales();
    // The other parameters are the matcher's affair.
    let parameters = of_the_reference(&case.settings.parameters, matcher.description());
    let settings = Settings { raise_scales, parameters, workload: None, ..case.settings.clone() };
    let pool = Pool::open(scores.clone(), case.shape, &case.offers, &settings).ok()?;
    let mut pool = pool.with_method(Method::Reference);
    let steps = case.steps.iter().zip(outcomes).enumerate();
    let answered = steps.filter(|(_, (_, outcome))| outcome.word() == "answered");
    let mut compared = answered.map(|(at, (step, outcome))| {
        let step = answered_by(&mut pool, &scores, step)?;
        let Wrong(what, expected, found) = difference(&step, outcome).err()?;
        Some(Wrong(format!("{what}, by its own scores"), expected, found).at(Some(at)))
    });
    compared.find_map(|finding| finding)
}

/// A step with its answer; none where it is refused.
fn answered_by(pool: &mut Pool<Scores<'_>>, scores: &Scores<'_>, step: &Step) -> Option<Step> {
    match step {
        Step::Assign { tasks, .. } => {
            let answer = Ok(pool.assign(tasks).ok()?);
            Some(Step::Assign { tasks: tasks.clone(), answer })
        }
        Step::Explain { tasks, .. } => {
            let answer = Ok(Counts::ByCheck(Box::new(pool.explain(tasks).ok()?)));
            Some(Step::Explain { tasks: tasks.clone(), answer })
        }
        Step::Update { changes, .. } => {
            pool.update(changes).ok()?;
            changes.workload.iter().for_each(|workload| scores.forget(workload));
            Some(Step::Update { changes: changes.clone(), answer: Ok(()) })
        }
        Step::Preempt { tasks, priorities, running, .. } => {
            let answer = Ok(pool.preempt(tasks, priorities, running).ok()?);
            let (tasks, priorities, running) = (tasks.clone(), priorities.clone(), running.clone());
            Some(Step::Preempt { tasks, priorities, running, answer })
        }
    }
}

/// The rows of the largest table of a case.
pub(super) fn largest_table(case: &Recording) -> u32 {
    let steps = case.steps.iter().map(|step| match step {
        Step::Assign { tasks, .. } | Step::Explain { tasks, .. } => tasks.rows,
        Step::Update { changes, .. } => changes.changed.rows.max(changes.added.rows),
        Step::Preempt { tasks, running, .. } => tasks.rows.max(running.rows),
    });
    steps.max().unwrap_or(0).max(case.offers.rows)
}
