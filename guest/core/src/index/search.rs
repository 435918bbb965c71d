//! One walk over the words, for one task.

use alloc::vec::Vec;

use crate::feasible::Task;
use crate::ledger::Ledger;
use crate::policy::{Bound, Demand, Leftover, Policy, Ranking};

use super::axes::{self, DEVICE_AXES};
use super::bound::Cost;
use super::rows::{Chosen, Sieve};
use super::slots::{NO_SHAPE, Slots};
use super::words::Words;

/// Words after which a walk looks whether it has come too far.
const STRETCH: usize = 64;

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
    #[inline(never)]
    pub(super) fn run(self) -> Found {
        let mut best = Best { score: self.ranking.max_score, position: 0, shape: NO_SHAPE };
        let mut found = Found { offer: None, fits_nowhere: self.chosen.unfiltered.is_empty(), wasted: 0 };
        let low_keys = self.words.low_keys();
        let mut corner = Vec::new();
        let linear = P::BOUND == Bound::Linear;
        let mut rank = if linear { self.words.first(self.cost.least_key) } else { 0 };
        while rank < low_keys.len() {
            if linear && low_keys[rank] - self.cost.subtract > best.score {
                found.fits_nowhere = false;
                break;
            }
            let stop = low_keys.len().min(rank + STRETCH);
            let Some((next, survivors)) = self.sieve.next(rank..stop) else {
                rank = stop;
                continue;
            };
            rank = next + 1;
            let bound = if linear { low_keys[next] - self.cost.subtract } else { self.corner_score(next, &mut corner) };
            if bound > best.score {
                found.fits_nowhere = false;
                continue;
            }
            let first = self.words.min_position(next);
            if best.beats(bound, first) || (best.shape == self.words.shape(next) && first >= best.position) {
                found.fits_nowhere = false;
                continue;
            }
            best = self.examine(next, survivors, best, &mut found);
        }
        if best.shape != NO_SHAPE {
            found.offer = Some((self.ledger.list()[best.position as usize] as usize, best.score));
        }
        found
    }

    /// Looks at the slots of a word that the rows have let through, and returns the best so far.
    #[inline]
    fn examine(&self, rank: usize, survivors: u64, best: Best, found: &mut Found) -> Best {
        // Two dimensions are what most clusters have. With their number known, the compiler unrolls the score, and natively
        // divides both dimensions at once.
        let checked = self.chosen.exact && self.chosen.unfiltered.is_empty();
        match (self.task.demand.len(), checked) {
            (2, true) => self.examine_two::<true>(rank, survivors, best, found),
            (2, false) => self.examine_two::<false>(rank, survivors, best, found),
            _ => self.examine_any(rank, survivors, best, found),
        }
    }

    /// The same, where there are two dimensions. A function of its own, like the next, so that the loop has the registers for
    /// itself: inlined into the walk, WebAssembly keeps most of what it needs on the stack.
    #[inline(never)]
    fn examine_two<const CHECKED: bool>(&self, rank: usize, survivors: u64, best: Best, found: &mut Found) -> Best {
        self.examine_in::<CHECKED>(2, rank, survivors, best, found)
    }

    /// The same, for any number of dimensions.
    #[inline(never)]
    fn examine_any(&self, rank: usize, survivors: u64, best: Best, found: &mut Found) -> Best {
        self.examine_in::<false>(self.task.demand.len(), rank, survivors, best, found)
    }

    /// The same, where there are so many dimensions; `CHECKED` says that the rows let through only what serves the task.
    #[inline(always)]
    fn examine_in<const CHECKED: bool>(
        &self,
        dimensions: usize,
        rank: usize,
        mut survivors: u64,
        mut best: Best,
        found: &mut Found,
    ) -> Best {
        let word = self.slots.word(self.words.number(rank), dimensions + DEVICE_AXES);
        let demand = Demand { quantities: &self.task.demand[..dimensions], devices: self.task.devices };
        let subtract = self.cost.subtract;
        let mut refused_shape = NO_SHAPE;
        while survivors != 0 {
            let slot = survivors.trailing_zeros() as usize;
            survivors &= survivors - 1;
            let bound = if P::BOUND == Bound::Linear { word.keys[slot] - subtract } else { f64::NEG_INFINITY };
            if bound > best.score {
                found.fits_nowhere = false;
                if self.words.is_sorted(rank) {
                    break;
                }
                continue;
            }
            let (shape, position) = (word.shapes[slot], word.positions[slot]);
            if !CHECKED {
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
            if (shape == best.shape || bound == best.score) && position >= best.position {
                found.fits_nowhere = false;
                continue;
            }
            let score = if P::BOUND == Bound::Linear {
                self.policy.score(self.ranking, demand, axes::as_leftover(word.values(slot)))
            } else {
                let row = self.ledger.list()[position as usize] as usize;
                self.task.score(self.ledger, row, self.policy, self.ranking)
            };
            found.fits_nowhere = false;
            best.challenge(Best { score, position, shape });
        }
        best
    }

    /// The score of the corner of a word, moved so far that it serves the task: no offer of the word that serves it scores
    /// less. (An antitone policy's corner has the most of each axis: it serves the task where any offer of the word does.) `available` is room for what is left over there.
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
