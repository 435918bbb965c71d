//! The plain loop that says what is right. Every faster way has to give its answer.

use crate::feasible::{Standing, Task};
use crate::ledger::Ledger;
use crate::policy::{Policy, Ranking};

/// The row and the score of the offer that a task gets.
pub(crate) fn choose<P: Policy>(
    ledger: &Ledger,
    task: Task<'_>,
    policy: &P,
    ranking: &Ranking,
) -> Option<(usize, f64)> {
    let mut best: Option<(usize, f64)> = None;
    for &offer in ledger.list() {
        let offer = offer as usize;
        if let Standing::Candidate(score) = task.standing(ledger, offer, policy, ranking)
            && best.is_none_or(|(_, lowest)| score < lowest)
        {
            best = Some((offer, score));
        }
    }
    best
}
