//! Cases of rules that a matcher may leave out: who is asked them, or what is left of them, and how answers are checked.
//!
//! The book knows neither groups nor plans. The host's own ledger does, which refuses answers that break their rules.

use offermatch_core::GroupTable;

use super::Finding;
use super::audit::{Wrong, check_word};
use super::play::Outcome;
use crate::pool::ledger::Ledger;
use crate::pool::matcher::Matcher;
use crate::recording::{Recording, Step};
use crate::table::rule::Rule;

/// Why a matcher is not asked a case: it speaks an older contract, or serves not all that the case uses.
pub(super) fn why_not_asked(case: &Recording, matcher: &Matcher) -> Option<String> {
    if !case.settings.raise_scales {
        return None;
    }
    let description = matcher.description();
    if matcher.keeps_scales() {
        return Some(format!("contract {}", description.contract));
    }
    let used = used(case);
    let unserved = Rule::ALL.into_iter().filter(|rule| used.contains(rule) && !description.rules.contains(rule));
    let unserved: Vec<&str> = unserved.map(Rule::name).collect();
    (!unserved.is_empty()).then(|| format!("does not serve {}", unserved.join(", ")))
}

/// A generated case without the groups, the workloads and the plans that a matcher does not serve: it is asked the rest.
pub(super) fn served(mut case: Recording, matcher: &Matcher) -> Recording {
    let serves = |rule| matcher.description().rules.contains(&rule);
    let (groups, workload, plans) = (serves(Rule::Groups), serves(Rule::Workload), serves(Rule::Preemption));
    case.settings.workload = case.settings.workload.filter(|_| workload);
    case.steps.retain(|step| plans || !matches!(step, Step::Preempt { .. }));
    for step in &mut case.steps {
        match step {
            Step::Assign { tasks, .. } | Step::Explain { tasks, .. } if !groups => {
                tasks.group_of.clear();
                tasks.groups = GroupTable::default();
            }
            Step::Update { changes, .. } if !workload => changes.workload = None,
            _ => {}
        }
    }
    case
}

/// Whether a case uses groups, which the book does not know.
pub(super) fn has_groups(case: &Recording) -> bool {
    used(case).contains(&Rule::Groups)
}

/// Whether a case asks for plans, which the book passes over.
pub(super) fn has_plans(case: &Recording) -> bool {
    used(case).contains(&Rule::Preemption)
}

/// The rules that a case uses.
fn used(case: &Recording) -> Vec<Rule> {
    let mut used: Vec<Rule> = Rule::of_settings(&case.settings).collect();
    used.extend((case.shape.measures > 0).then_some(Rule::Measures));
    for step in &case.steps {
        match step {
            Step::Assign { tasks, .. } | Step::Explain { tasks, .. } => used.extend(Rule::of_tasks(tasks)),
            Step::Update { changes, .. } => {
                if let Some(workload) = &changes.workload {
                    used.push(Rule::Workload);
                    used.extend(Rule::of_tasks(&workload.tasks));
                }
            }
            Step::Preempt { tasks, .. } => used.extend(Rule::of_tasks(tasks).chain([Rule::Preemption])),
        }
    }
    used
}

/// The first outcome of a case's steps that a host would refuse.
pub(super) fn audit_by_ledger(case: &Recording, outcomes: &[Outcome]) -> Option<Finding> {
    let mut ledger = Ledger::new(case.shape, &case.offers, &case.settings);
    let steps = case.steps.iter().zip(outcomes).enumerate();
    steps
        .map(|(at, (step, outcome))| (at, check(&mut ledger, step, outcome)))
        .find_map(|(at, checked)| checked.err().map(|wrong| wrong.at(Some(at))))
}

/// Checks what came of a step, and follows it in the ledger.
fn check(ledger: &mut Ledger, step: &Step, outcome: &Outcome) -> Result<(), Wrong> {
    check_word(step, outcome)?;
    let held = match (step, outcome) {
        (Step::Assign { tasks, .. }, Outcome::Assigned(answer)) => ledger.settle(tasks, answer),
        (Step::Explain { tasks, .. }, Outcome::Explained(answer)) => ledger.check_counts(tasks, answer),
        (Step::Update { changes, .. }, Outcome::Done) => {
            ledger.apply(changes);
            Ok(())
        }
        (Step::Preempt { tasks, priorities, running, .. }, Outcome::Planned(plan)) => {
            ledger.check_plan(tasks, priorities, running, plan)
        }
        _ => Ok(()),
    };
    held.map_err(|reason| {
        tracing::info!("{reason}");
        Wrong("answer".into(), "an answer that breaks no rule".into(), "answer-refused".into())
    })
}
