//! One walk over the words, for one task.

use alloc::vec::Vec;
use core::hint::select_unpredictable;

use crate::feasible::Task;
use crate::ledger::Ledger;
use crate::policy::{Bound, Demand, Leftover, Policy, Ranking};

use super::asks::Ask;
use super::axes::Axes;
use super::features::{Features, Room};
use super::rows::{Chosen, Sieve};
use super::slots::{NO_SHAPE, SLOTS, Slots};
use super::words::{WORDS, Words};

/// No slot of a word.
const NO_SLOT: usize = usize::MAX;
/// Two dimensions and nothing else.
const TWO: Axes = Axes { dimensions: 2, devices: false, measures: 0 };
/// Two dimensions and devices.
const TWO_AND_DEVICES: Axes = Axes { dimensions: 2, devices: true, measures: 0 };

/// What a walk needs to know, and what it has found so far.
pub(super) struct Search<'a, P, E> {
    /// The words.
    pub(super) words: &'a Words,
    /// What is in them.
    pub(super) slots: &'a Slots,
    /// What scores are estimated from.
    pub(super) features: &'a Features,
    /// The bit rows that the task has to pass.
    pub(super) sieve: Sieve<'a>,
    /// What the rows of requirements leave to be checked.
    pub(super) chosen: &'a Chosen,
    /// What rows of axes consist of.
    pub(super) axes: Axes,
    /// What the task asks on every axis.
    pub(super) asked: &'a [u64],
    /// What is known of that.
    pub(super) ask: Ask,
    /// The offers.
    pub(super) ledger: &'a Ledger,
    /// The task.
    pub(super) task: Task<'a>,
    /// How offers are ranked.
    pub(super) policy: &'a P,
    /// Weights, scales and the maximal score.
    pub(super) ranking: &'a Ranking,
    /// Whether every offer scores zero, and keys are places in the list.
    pub(super) is_flat: bool,
    /// What else is asked.
    pub(super) extra: E,
}

/// What a search asks beyond a demand, requirements and a policy's score.
pub(super) trait Extra {
    /// Whether slots of one shape that pass the rows have one score.
    fn keeps_shapes(&self) -> bool;

    /// The place in the list of the first offer of a slot that may be chosen; `first` is that of the first offer.
    fn admitted(&self, slots: &Slots, slot: usize, first: u32) -> Option<u32>;

    /// The score of the offer at a place in the list, whose policy's score this is.
    fn total(&self, score: f64, position: u32) -> f64;

    /// A number that no score is below which [`Extra::total`] makes of at least this one.
    fn least_total(&self, score: f64) -> f64;

    /// A number that no policy's score is above of which [`Extra::total`] makes at most this score.
    fn most_score(&self, total: f64) -> f64;
}

/// Nothing else.
pub(super) struct Nothing;

impl Extra for Nothing {
    #[inline(always)]
    fn keeps_shapes(&self) -> bool {
        true
    }

    #[inline(always)]
    fn admitted(&self, _: &Slots, _: usize, first: u32) -> Option<u32> {
        Some(first)
    }

    #[inline(always)]
    fn total(&self, score: f64, _: u32) -> f64 {
        score
    }

    #[inline(always)]
    fn least_total(&self, score: f64) -> f64 {
        score
    }

    #[inline(always)]
    fn most_score(&self, total: f64) -> f64 {
        total
    }
}

/// What a walk has found.
pub(super) struct Found {
    /// The row and the score of the offer that the task gets.
    pub(super) offer: Option<(usize, f64)>,
    /// Whether no offer can serve the task. `false` where the walk has not looked at all of them.
    pub(super) fits_nowhere: bool,
    /// How many slots the rows let through in vain.
    pub(super) wasted: usize,
    /// The place of the first block that may have an offer which serves the task, or the number of blocks. Of a walk by estimates, the
    /// cell of the word that has the best one.
    pub(super) first: usize,
}

/// A score as a whole number of the same order. Which of two is lower can then be told, and taken, without a branch, and
/// among slots of nearly the same score none could be foretold.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
pub(super) struct Ordered(pub(super) i64);

impl Ordered {
    /// The number of a score.
    #[inline]
    pub(super) fn new(score: f64) -> Self {
        // Zero has two signs, of which a sum with zero has one. Doubles below zero are ordered the other way round.
        Self(Self::turned((score + 0.0).to_bits() as i64))
    }

    /// The score.
    #[inline]
    pub(super) fn score(self) -> f64 {
        f64::from_bits(Self::turned(self.0) as u64)
    }

    /// Turns the order of what is below zero.
    #[inline]
    fn turned(bits: i64) -> i64 {
        bits ^ ((bits >> 63) as u64 >> 1) as i64
    }
}

/// The best slot so far.
#[derive(Clone, Copy)]
pub(super) struct Best {
    /// Its score; the maximal score where nothing is found.
    pub(super) score: Ordered,
    /// Its place in the list; zero where nothing is found, so that no place beats it at the maximal score.
    pub(super) position: u32,
    /// Its shape: slots of one shape have the same score.
    pub(super) shape: u64,
    /// No slot with a lowered key above this scores as little, and none with this key scores less.
    pub(super) limit: f64,
}

impl Best {
    /// Whether an offer with at least this key, at this place in the list or behind it, cannot be better.
    #[inline]
    fn beats(&self, key: f64, position: u32) -> bool {
        key >= self.limit && (key > self.limit || position >= self.position)
    }
}

impl<P: Policy, E: Extra> Search<'_, P, E> {
    /// Walks from a block, before which nothing serves the task but perhaps the rows that have `arrived`, to the first that
    /// cannot have a better offer. What is found is better than this score, or has it at an earlier place in the list.
    #[inline(never)]
    pub(super) fn run(&self, start: usize, arrived: &[u32], (score, position): (f64, u32), room: &mut Room) -> Found {
        if P::ESTIMATES {
            return self.run_by_estimates(self.ask.likely, room, (score, position));
        }
        let (blocks, keys) = (self.words.blocks(), self.words.block_keys());
        let score = Ordered::new(score);
        let mut best = Best { score, position, shape: NO_SHAPE, limit: self.limit(score, position) };
        let mut found =
            Found { offer: None, fits_nowhere: self.chosen.unfiltered.is_empty(), wasted: 0, first: blocks.len() };
        let mut corner = Vec::new();
        for &row in arrived {
            let slot = self.slots.slot_of(row as usize);
            let cell = self.words.cell(slot);
            let survivors = self.sieve.left(cell / WORDS)[cell % WORDS] & 1 << (slot % SLOTS);
            best = self.examine(cell, survivors, best, &mut found);
        }
        let mut at = start;
        loop {
            at += self.sieve.empty(&blocks[at..], &keys[at..], best.limit);
            let Some(&block) = blocks.get(at) else { break };
            if keys[at] > best.limit {
                found.fits_nowhere = false;
            } else {
                best = self.look(block as usize, best, &mut corner, &mut found);
            }
            if !found.fits_nowhere {
                found.first = found.first.min(at);
            }
            if keys[at] > best.limit {
                break;
            }
            at += 1;
        }
        if best.shape != NO_SHAPE {
            found.offer = Some((self.ledger.list()[best.position as usize] as usize, best.score.score()));
        }
        found
    }

    /// The limit of keys at the best score so far, which the offer at a place in the list has: what is above it leaves more than
    /// that, whatever the task takes.
    #[inline]
    fn limit(&self, score: Ordered, position: u32) -> f64 {
        // Rounded up.
        const UP: f64 = 1.0 + 2.0 * f64::EPSILON;
        if P::BOUND == Bound::Linear && self.is_flat {
            // Unless another may score less, only what stands before it is better.
            if Ordered::new(self.extra.least_total(0.0)) < score { f64::INFINITY } else { position.into() }
        } else if P::BOUND == Bound::Linear {
            (self.extra.most_score(score.score()) + self.ask.cost.subtract) * UP
        } else {
            f64::INFINITY
        }
    }

    /// Looks at the words of a block, and returns the best so far. `corner` is room for what is left over in one.
    #[inline]
    fn look(&self, block: usize, mut best: Best, corner: &mut Vec<u64>, found: &mut Found) -> Best {
        let left = self.sieve.left(block);
        for (cell, survivors) in (block * WORDS..).zip(left).filter(|&(_, survivors)| survivors != 0) {
            let first = self.words.min_position(cell);
            if best.beats(self.words.low_key(cell), first)
                || (best.shape == self.words.shape(cell) && first >= best.position && self.extra.keeps_shapes())
                || (P::BOUND != Bound::Linear && self.beats_corner(best, cell, first, corner))
            {
                found.fits_nowhere = false;
                continue;
            }
            best = self.examine(cell, survivors, best, found);
        }
        best
    }

    /// Looks at the slots of a word that the rows have let through, and returns the best so far.
    #[inline]
    fn examine(&self, cell: usize, survivors: u64, best: Best, found: &mut Found) -> Best {
        // Two dimensions and no devices are what most clusters have. With their number known, the compiler unrolls the score,
        // and natively divides both dimensions at once.
        let checked = self.ask.exact && self.chosen.unfiltered.is_empty();
        match (self.axes, checked) {
            (TWO, true) => self.examine_two::<true>(cell, survivors, best, found),
            (TWO, false) => self.examine_two::<false>(cell, survivors, best, found),
            (TWO_AND_DEVICES, true) => self.examine_two_and_devices(cell, survivors, best, found),
            (_, true) => self.examine_any::<true>(cell, survivors, best, found),
            (_, false) => self.examine_any::<false>(cell, survivors, best, found),
        }
    }

    /// The same, where there are two dimensions and nothing else. A function of its own, like the next, so that the loop has the
    /// registers for itself: inlined into the walk, WebAssembly keeps most of what it needs on the stack.
    #[inline(never)]
    fn examine_two<const CHECKED: bool>(&self, cell: usize, survivors: u64, best: Best, found: &mut Found) -> Best {
        self.examine_in::<CHECKED>(TWO, cell, survivors, best, found)
    }

    /// The same, where there are two dimensions and devices, and rows that let through only what serves the task.
    #[inline(never)]
    fn examine_two_and_devices(&self, cell: usize, survivors: u64, best: Best, found: &mut Found) -> Best {
        self.examine_in::<true>(TWO_AND_DEVICES, cell, survivors, best, found)
    }

    /// The same, for any axes.
    #[inline(never)]
    fn examine_any<const CHECKED: bool>(&self, cell: usize, survivors: u64, best: Best, found: &mut Found) -> Best {
        self.examine_in::<CHECKED>(self.axes, cell, survivors, best, found)
    }

    /// The same, for these axes; `CHECKED` says that the rows let through only what serves the task.
    #[inline(always)]
    fn examine_in<const CHECKED: bool>(
        &self,
        axes: Axes,
        cell: usize,
        mut survivors: u64,
        best: Best,
        found: &mut Found,
    ) -> Best {
        let word = self.slots.word(self.words.number(cell), axes.width());
        let sorted = self.words.is_sorted(cell);
        // Known before the loop, this needs no check in it.
        assert!(self.ranking.weights.len() > axes.dimensions && self.ranking.scales.len() > axes.dimensions);
        let Best { mut score, mut position, mut limit, .. } = best;
        let mut best_slot = NO_SLOT;
        let mut fits = CHECKED && survivors != 0;
        while survivors != 0 {
            let slot = survivors.trailing_zeros() as usize;
            survivors &= survivors - 1;
            let place = word.positions[slot];
            if word.keys[slot] >= limit && (word.keys[slot] > limit || place >= position) {
                fits = true;
                if word.keys[slot] > limit && sorted {
                    break;
                }
                continue;
            }
            if !(CHECKED || word.serves(slot, self.asked) && self.passes_unfiltered(place)) {
                found.wasted += 1;
                continue;
            }
            fits = true;
            let number = self.words.number(cell) * SLOTS + slot;
            let Some(place) = self.extra.admitted(self.slots, number, place) else { continue };
            let other = Ordered::new(self.extra.total(self.score(axes, word.values(slot), place), place));
            let lower = other < score;
            let better = lower | ((other == score) & (place < position));
            score = Ordered(select_unpredictable(better, other.0, score.0));
            position = select_unpredictable(better, place, position);
            best_slot = select_unpredictable(better, slot, best_slot);
            // Most are tied with the best one, and leave the limit as it is.
            if lower || self.is_flat {
                limit = self.limit(score, position);
            }
        }
        found.fits_nowhere &= !fits;
        let shape = if best_slot == NO_SLOT { best.shape } else { word.shapes[best_slot] };
        Best { score, position, shape, limit }
    }

    /// The score of the offer at a place in the list, with these values.
    #[inline]
    pub(super) fn score(&self, axes: Axes, values: &[u64], position: u32) -> f64 {
        if P::BOUND == Bound::Linear {
            let demand = Demand { quantities: &self.task.demand[..axes.dimensions], devices: self.task.devices };
            self.policy.score(self.ranking, demand, axes.as_leftover(values))
        } else {
            let row = self.ledger.list()[position as usize] as usize;
            self.task.score(self.ledger, row, self.policy, self.ranking)
        }
    }

    /// Whether no offer of a word, whose first one stands at this place in the list, can be better than the best so far, for
    /// policies that are not linear.
    fn beats_corner(&self, best: Best, cell: usize, first: u32, corner: &mut Vec<u64>) -> bool {
        let score = Ordered::new(self.extra.least_total(self.corner_score(cell, corner)));
        score > best.score || (score == best.score && first >= best.position)
    }

    /// The score of the corner of a word, moved so far that it serves the task: no offer of the word that serves it scores
    /// less. (An antitone policy's corner has the most of each axis: it serves the task where any offer of the word does.) `available` is room for what is left over there.
    fn corner_score(&self, cell: usize, available: &mut Vec<u64>) -> f64 {
        let corner = self.words.corner(cell);
        let demand = self.demand();
        available.clear();
        available.extend(corner.values.iter().zip(demand.quantities).map(|(least, asked)| least.max(asked)));
        let offer = Leftover {
            available,
            capacity: &corner.capacity,
            free_devices: self.axes.as_leftover(&corner.values).free_devices.max(u64::from(demand.devices)),
            device_capacity: corner.device_capacity,
            ..self.axes.as_leftover(&corner.values)
        };
        self.policy.score(self.ranking, demand, offer)
    }

    /// What the task asks, for a policy.
    #[inline]
    pub(super) fn demand(&self) -> Demand<'_> {
        Demand { quantities: self.task.demand, devices: self.task.devices }
    }

    /// Whether the offer at a place in the list meets the requirements that have no bit row.
    #[inline]
    pub(super) fn passes_unfiltered(&self, position: u32) -> bool {
        let holds = |&requirement: &usize| {
            let row = self.ledger.list()[position as usize] as usize;
            self.task.holds(requirement, self.ledger, row)
        };
        self.chosen.unfiltered.iter().all(holds)
    }
}
