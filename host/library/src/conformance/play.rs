//! A case, asked of a matcher.

use offermatch_core::{Assignments, Plan};

use crate::pool::backend::Backend;
use crate::pool::counts::Counts;
use crate::pool::matcher::Matcher;
use crate::recording::{Recording, Step};
use crate::wasm::failure::Failure;

/// What came of one call.
#[derive(Debug, Clone)]
pub(super) enum Outcome {
    /// Opened, or updated.
    Done,
    /// Tasks were placed.
    Assigned(Assignments),
    /// Tasks were explained.
    Explained(Counts),
    /// It was planned which running tasks have to end.
    Planned(Plan),
    /// Refused with this error of the contract.
    Refused(String),
    /// The matcher trapped or ran into a limit.
    Failed,
}

impl Outcome {
    /// The outcome in a word.
    pub(super) fn word(&self) -> &str {
        match self {
            Self::Refused(error) => error,
            Self::Failed => "failed",
            _ => "answered",
        }
    }

    /// Whether two outcomes are the same, scores by their bits.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Assigned(one), Self::Assigned(two)) => {
                one.tasks == two.tasks && one.offers == two.offers && bits(&one.scores) == bits(&two.scores)
            }
            (Self::Planned(one), Self::Planned(two)) => {
                let rows =
                    |plan: &Plan| [&plan.tasks, &plan.offers, &plan.victim_offsets, &plan.victims].map(Vec::clone);
                rows(one) == rows(two) && bits(&one.scores) == bits(&two.scores)
            }
            (Self::Explained(one), Self::Explained(two)) => one == two,
            _ => self.word() == other.word(),
        }
    }
}

/// Scores by their bits.
fn bits(scores: &[f64]) -> Vec<u64> {
    scores.iter().map(|score| score.to_bits()).collect()
}

/// Opens what a case begins with.
pub(super) fn open(matcher: &Matcher, case: &Recording) -> Result<Backend, Outcome> {
    let opened = matcher.backend(case.shape, &case.offers, &case.settings_of(matcher));
    opened.map_err(|failure| refused(matcher, "open", failure))
}

/// Asks one step.
pub(super) fn ask(matcher: &Matcher, session: &mut Backend, step: &Step) -> Outcome {
    let (call, answer) = match step {
        Step::Assign { tasks, .. } => ("assign", session.assign(tasks).map(Outcome::Assigned)),
        Step::Update { changes, .. } => ("update", session.update(changes).map(|()| Outcome::Done)),
        Step::Explain { tasks, .. } => ("explain", session.explain(tasks).map(Outcome::Explained)),
        Step::Preempt { tasks, priorities, running, .. } => {
            ("preempt", session.preempt(tasks, priorities, running).map(Outcome::Planned))
        }
    };
    answer.unwrap_or_else(|failure| refused(matcher, call, failure))
}

/// Asks everything, as far as the matcher gets: what came of opening, then of each step.
pub(super) fn play(matcher: &Matcher, case: &Recording) -> Vec<Outcome> {
    let mut session = match open(matcher, case) {
        Ok(session) => session,
        Err(outcome) => return vec![outcome],
    };
    let mut outcomes = vec![Outcome::Done];
    for step in &case.steps {
        outcomes.push(ask(matcher, &mut session, step));
        if matches!(outcomes.last(), Some(Outcome::Failed)) {
            break;
        }
    }
    outcomes
}

/// A refusal, or a failure, which is written to the log.
fn refused(matcher: &Matcher, call: &'static str, failure: Failure) -> Outcome {
    match failure {
        Failure::Refused(refusal) => Outcome::Refused(refusal.case().to_owned()),
        failure => {
            tracing::info!("{}", failure.error(matcher.name(), call));
            Outcome::Failed
        }
    }
}
