//! Scores by the shape of a task and the state of an offer, for policies of which nothing is known.
//!
//! A score is a function of what a task asks and of what an offer has. Most tasks ask what others have asked, and most offers are
//! as they were, or as another is. So each score is computed once for a shape and a state, and looked up from then on: the walk
//! over the list is that of the plain loop, in its order, and so is the answer.

use alloc::vec;
use alloc::vec::Vec;

use hashbrown::HashMap;

use crate::feasible::{Standing, Task};
use crate::ledger::Ledger;
use crate::policy::{Leftover, Policy, Ranking};

/// Scores that are kept at most: beyond that all are forgotten.
const MOST: usize = 1 << 24;

/// The scores that are known.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scores {
    /// The number of each state of an offer.
    states: HashMap<Vec<u64>, u32>,
    /// The potential of each state; NaN for policies that do not look ahead.
    potentials: Vec<f64>,
    /// The state of each row.
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
    /// Takes note that a row has other values.
    pub(crate) fn changed(&mut self, row: usize) {
        if row < self.state_of.len() {
            self.stale.push(row as u32);
        }
    }

    /// The row and the score of the offer that a task gets, among those that a rule admits.
    pub(crate) fn choose<P: Policy>(
        &mut self,
        ledger: &Ledger,
        task: Task<'_>,
        policy: &P,
        ranking: &Ranking,
        admits: impl Fn(usize) -> bool,
    ) -> Option<(usize, f64)> {
        if self.known > MOST {
            *self = Self::default();
        }
        while self.state_of.len() < ledger.rows() {
            self.stale.push(self.state_of.len() as u32);
            self.state_of.push(u32::MAX);
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
