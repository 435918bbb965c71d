//! Scores by the shape of a task and the state of an offer, for policies of which nothing is known.
//!
//! A score is a function of what a task asks and of what an offer has. Most tasks ask what others have asked, and most offers are
//! as they were, or as another is. So each score is computed once for a shape and a state, and looked up from then on: the walk
//! over the list is that of the plain loop, in its order, and so is the answer.
//!
//! Where a policy tells what no score of a task is below, and the first offer of the list that can take the task has it, the walk ends
//! there. That offer is found by an index of its own, which ranks by the order of the list.

use alloc::vec;
use alloc::vec::Vec;

use hashbrown::HashMap;

use crate::feasible::{Standing, Task};
use crate::index::Index;
use crate::ledger::Ledger;
use crate::mode::Mode;
use crate::policy::{Bound, Demand, Leftover, Policy, Ranking};
use crate::table::TaskTable;

/// Scores that are kept at most: beyond that all are forgotten.
const MOST: usize = 1 << 24;

/// The state of a row whose state is not known.
const UNKNOWN: u32 = u32::MAX;

/// The order of the list.
struct First;

impl Policy for First {
    const NAME: &'static str = "first";
    const BOUND: Bound = Bound::Linear;

    #[inline]
    fn score(&self, _: &Ranking, _: Demand<'_>, _: Leftover<'_>) -> f64 {
        0.0
    }
}

impl First {
    /// A ranking under which every score counts.
    fn ranking(ranking: &Ranking) -> Ranking {
        let weights = vec![0.0; ranking.weights.len()];
        Ranking { max_score: f64::INFINITY, weights, ..ranking.clone() }
    }
}

/// The scores that are known.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scores {
    /// Finds the first offer that can take a task, and its ranking.
    firsts: Option<(Index, Ranking)>,
    /// The number of each state of an offer.
    states: HashMap<Vec<u64>, u32>,
    /// The potential of each state; NaN for policies that do not look ahead.
    potentials: Vec<f64>,
    /// The state of each row, or that it is not known.
    state_of: Vec<u32>,
    /// The rows whose state is another by now.
    stale: Vec<u32>,
    /// The number of each shape of a task.
    shapes: HashMap<Vec<u64>, u32>,
    /// By shape, and then by state: the score of a candidate, infinity for what is none, NaN where nobody has asked.
    scores: Vec<Vec<f64>>,
    /// How many numbers are in `scores`.
    known: usize,
    /// Room for a state or a shape.
    key: Vec<u64>,
}

impl Scores {
    /// Gets ready for tasks of which some have a score that no other is below, once they are enough for an index.
    pub(crate) fn prepare<P: Policy>(
        &mut self,
        ledger: &Ledger,
        mode: Mode,
        tasks: &TaskTable,
        policy: &P,
        (ranking, is_worth_it): (&Ranking, bool),
    ) {
        if let Some((index, ranking)) = &mut self.firsts {
            index.prepare(ledger, tasks, &First, ranking);
        } else if is_worth_it {
            let of = |row| Task::new(tasks, row, ledger.shape()).demand();
            let has_floor = (0..tasks.rows as usize).any(|row| policy.floor(of(row)) > f64::NEG_INFINITY);
            let ranking = First::ranking(ranking);
            let index = has_floor.then(|| Index::new(ledger, mode, tasks, &First, &ranking)).flatten();
            self.firsts = index.map(|index| (index, ranking));
        }
    }

    /// Forgets all scores: they are others now.
    pub(crate) fn forget(&mut self) {
        *self = Self { firsts: self.firsts.take(), ..Self::default() };
    }

    /// Takes note that a row has left the list and that another one may have moved into its place.
    pub(crate) fn unlisted(&mut self, row: usize, moved: Option<(usize, u32)>, ledger: &Ledger) {
        if let Some((index, ranking)) = &mut self.firsts {
            index.unlisted(row, moved, ledger, (&First, ranking));
        }
    }

    /// Takes note that a listed row has less than it had.
    pub(crate) fn shrunk(&mut self, row: usize, ledger: &Ledger) {
        self.changed(row);
        if let Some((index, ranking)) = &mut self.firsts {
            index.shrunk(row, ledger, &First, ranking);
        }
    }

    /// Takes note that a row has new values, or is new. `listed` says whether it was in the list before.
    pub(crate) fn replaced(&mut self, row: usize, listed: bool, ledger: &Ledger) {
        self.changed(row);
        self.firsts.take_if(|(index, _)| !index.can_hold(row, ledger));
        if let Some((index, ranking)) = &mut self.firsts {
            index.replaced(row, listed, ledger, &First, ranking);
        }
    }

    /// Takes note that a row has other values.
    fn changed(&mut self, row: usize) {
        if let Some(state) = self.state_of.get_mut(row).filter(|state| **state != UNKNOWN) {
            *state = UNKNOWN;
            self.stale.push(row as u32);
        }
    }

    /// The row and the score of the offer that a task gets.
    pub(crate) fn choose<P: Policy>(
        &mut self,
        ledger: &Ledger,
        task: Task<'_>,
        policy: &P,
        ranking: &Ranking,
    ) -> Option<(usize, f64)> {
        let floor = policy.floor(task.demand());
        if let Some((index, order)) = &mut self.firsts
            && floor > f64::NEG_INFINITY
            && task.preferred().next().is_none()
        {
            let (first, _) = index.choose(ledger, task, &First, order)?;
            if let Standing::Candidate(score) = task.standing(ledger, first, policy, ranking)
                && score <= floor
            {
                return Some((first, score));
            }
        }
        self.choose_among(ledger, task, policy, ranking, |_| true)
    }

    /// The same among the offers that a rule admits.
    pub(crate) fn choose_among<P: Policy>(
        &mut self,
        ledger: &Ledger,
        task: Task<'_>,
        policy: &P,
        ranking: &Ranking,
        admits: impl Fn(usize) -> bool,
    ) -> Option<(usize, f64)> {
        if self.known > MOST {
            self.forget();
        }
        while self.state_of.len() < ledger.rows() {
            self.stale.push(self.state_of.len() as u32);
            self.state_of.push(UNKNOWN);
        }
        let shape = self.shape(task);
        for row in core::mem::take(&mut self.stale) {
            let state = self.state(ledger, row as usize, policy);
            self.state_of[row as usize] = state;
        }
        let scores = &mut self.scores[shape];
        self.known -= scores.len();
        let floor = policy.floor(task.demand());
        let mut best: Option<usize> = None;
        let mut lowest = f64::INFINITY;
        for &row in ledger.list() {
            let state = self.state_of[row as usize] as usize;
            if state >= scores.len() {
                scores.resize(state + 1, f64::NAN);
            }
            let mut score = scores[state];
            if score.is_nan() {
                let left = Leftover { before: self.potentials[state], ..Leftover::of(ledger, row as usize) };
                let devices = ledger.devices(row as usize);
                score = match task.standing_with(ledger, row as usize, left, devices, policy, ranking) {
                    Standing::Candidate(score) => score,
                    _ => f64::INFINITY,
                };
                scores[state] = score;
            }
            if score < lowest && admits(row as usize) {
                (best, lowest) = (Some(row as usize), score);
                if score <= floor {
                    // Nothing is better, and what ties stands later.
                    break;
                }
            }
        }
        self.known += scores.len();
        best.map(|row| (row, lowest))
    }

    /// The number of a task's shape.
    fn shape(&mut self, task: Task<'_>) -> usize {
        let mut key = core::mem::take(&mut self.key);
        task.key(&mut key);
        let shape = match self.shapes.get(&key) {
            Some(&shape) => shape as usize,
            None => {
                self.shapes.insert(key.clone(), self.scores.len() as u32);
                self.scores.push(vec![]);
                self.scores.len() - 1
            }
        };
        self.key = key;
        shape
    }

    /// The number of the state of a row.
    fn state<P: Policy>(&mut self, ledger: &Ledger, row: usize, policy: &P) -> u32 {
        let mut key = core::mem::take(&mut self.key);
        ledger.key(row, &mut key);
        let next = self.states.len() as u32;
        let state = match self.states.get(&key) {
            Some(&state) => state,
            None => {
                self.states.insert(key.clone(), next);
                self.potentials.push(if P::LOOKS_AHEAD { Task::potential(ledger, row, policy) } else { f64::NAN });
                next
            }
        };
        self.key = key;
        state
    }
}
