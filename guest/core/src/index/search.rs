//! One walk over the words, for one task.

use alloc::vec::Vec;

use crate::feasible::Task;
use crate::ledger::Ledger;
use crate::policy::{Bound, Demand, Leftover, Policy, Ranking};

use super::bound::Cost;
use super::rows::{BLOCK, Chosen, Sieve};
use super::slots::{NO_SHAPE, Slots};
use super::words::Words;

/// What a walk needs to know, and what it has found so far.
pub(super) struct Search<'a, P> {
    /// The words.
    pub(super) words: &'a Words,
    /// What is in them.
    pub(super) slots: &'a Slots,
    /// The bit rows that the task has to pass.
    pub(super) sieve: Sieve<'a>,
    /// What the rows leave to be checked.
    pub(super) chosen: &'a Chosen,
    /// What the task asks on every axis.
    pub(super) demand: &'a [u64],
    /// The task's key.
    pub(super) cost: Cost,
    /// The offers.
    pub(super) ledger: &'a Ledger,
    /// The task.
    pub(super) task: Task<'a>,
    /// How offers are ranked.
    pub(super) policy: &'a P,
    /// Weights, scales and the maximal score.
    pub(super) ranking: &'a Ranking,
}

/// What a walk has found.
pub(super) struct Found {
    /// The row and the score of the offer that the task gets.
    pub(super) offer: Option<(usize, f64)>,
    /// Whether no offer can serve the task. `false` where the walk has not looked at all of them.
    pub(super) fits_nowhere: bool,
    /// How many slots the rows let through in vain.
    pub(super) wasted: usize,
}

/// The best slot so far.
#[derive(Clone, Copy)]
struct Best {
    /// Its score; the maximal score where nothing is found.
    score: f64,
    /// Its place in the list; zero where nothing is found, so that no place beats it at the maximal score.
    position: u32,
    /// Its shape: slots of one shape have the same score.
    shape: u64,
}

impl Best {
    /// Whether no offer that scores at least this, at this place or behind it, can be better.
    #[inline]
    fn beats(&self, score: f64, position: u32) -> bool {
        score > self.score || (score == self.score && position >= self.position)
    }

    /// Gives way to a better slot. Without a branch: among slots of nearly the same score none could be foretold.
    #[inline]
    fn challenge(&mut self, other: Self) {
        let better = (other.score < self.score) | ((other.score == self.score) & (other.position < self.position));
        self.score = if better { other.score } else { self.score };
        self.position = if better { other.position } else { self.position };
        self.shape = if better { other.shape } else { self.shape };
    }
}

impl<P: Policy> Search<'_, P> {
    /// Walks from the first word that can serve the task to the first that cannot have a better offer.
    pub(super) fn run(self) -> Found {
        let mut best = Best { score: self.ranking.max_score, position: 0, shape: NO_SHAPE };
        let mut found = Found { offer: None, fits_nowhere: self.chosen.unfiltered.is_empty(), wasted: 0 };
        let low_keys = self.words.low_keys();
        let mut corner = Vec::new();
        let linear = P::BOUND == Bound::Linear;
        let mut begin = if linear { self.words.first(self.cost.least_key) } else { 0 };
        'words: while begin < low_keys.len() {
            if linear && low_keys[begin] - self.cost.subtract > best.score {
                found.fits_nowhere = false;
                break;
            }
            let survivors = self.sieve.survivors(begin);
            if survivors != [0; BLOCK] {
                for (rank, survivors) in (begin..).zip(survivors).filter(|&(_, survivors)| survivors != 0) {
                    let bound =
                        if linear { low_keys[rank] - self.cost.subtract } else { self.corner_score(rank, &mut corner) };
                    if bound > best.score {
                        found.fits_nowhere = false;
                        if linear {
                            break 'words;
                        }
                        continue;
                    }
                    let first = self.words.min_position(rank);
                    if best.beats(bound, first) || (best.shape == self.words.shape(rank) && first >= best.position) {
                        found.fits_nowhere = false;
                        continue;
                    }
                    best = self.examine(rank, survivors, best, &mut found);
                }
            }
            begin += BLOCK;
        }
        if best.shape != NO_SHAPE {
            found.offer = Some((self.ledger.list()[best.position as usize] as usize, best.score));
        }
        found
    }

    /// Looks at the slots of a word that the rows have let through, and returns the best so far.
    #[inline]
    fn examine(&self, rank: usize, mut survivors: u64, mut best: Best, found: &mut Found) -> Best {
        let word = self.slots.word(self.words.number(rank));
        let sorted = self.words.is_sorted(rank);
        let checked = self.chosen.exact && self.chosen.unfiltered.is_empty();
        let mut refused_shape = NO_SHAPE;
        while survivors != 0 {
            let slot = survivors.trailing_zeros() as usize;
            survivors &= survivors - 1;
            let bound =
                if P::BOUND == Bound::Linear { word.keys[slot] - self.cost.subtract } else { f64::NEG_INFINITY };
            if bound > best.score {
                found.fits_nowhere = false;
                if sorted {
                    break;
                }
                continue;
            }
            let (shape, position) = (word.shapes[slot], word.positions[slot]);
            if !checked {
                if shape == refused_shape {
                    continue;
                }
                if !word.serves(slot, self.demand) {
                    found.wasted += 1;
                    refused_shape = shape;
                    continue;
                }
                if !self.passes_unfiltered(position) {
                    found.wasted += 1;
                    continue;
                }
            }
            found.fits_nowhere = false;
            if (shape == best.shape || bound == best.score) && position >= best.position {
                continue;
            }
            let score = if P::BOUND == Bound::Linear {
                word.score(slot, self.task, self.policy, self.ranking)
            } else {
                let row = self.ledger.list()[position as usize] as usize;
                self.task.score(self.ledger, row, self.policy, self.ranking)
            };
            best.challenge(Best { score, position, shape });
        }
        best
    }

    /// The score of the corner of a word, moved so far that it serves the task: no offer of the word that serves it scores
    /// less. `available` is room for what is left over there.
    fn corner_score(&self, rank: usize, available: &mut Vec<u64>) -> f64 {
        let corner = self.words.corner(rank);
        let demand = Demand { quantities: self.task.demand, devices: self.task.devices };
        available.clear();
        available.extend(corner.values.iter().zip(demand.quantities).map(|(least, asked)| least.max(asked)));
        let offer = Leftover {
            available,
            capacity: &corner.capacity,
            free_devices: corner.values[demand.quantities.len()].max(u64::from(demand.devices)),
            device_capacity: corner.device_capacity,
        };
        self.policy.score(self.ranking, demand, offer)
    }

    /// Whether the offer at a place in the list meets the requirements that have no bit row.
    #[inline]
    fn passes_unfiltered(&self, position: u32) -> bool {
        let holds = |&requirement: &usize| {
            let row = self.ledger.list()[position as usize] as usize;
            self.task.holds(requirement, self.ledger, row)
        };
        self.chosen.unfiltered.iter().all(holds)
    }
}
