//! A walk for policies that estimate scores from features of offers. No order of offers is the right one for every task, so that the
//! estimates of all blocks are compared with the best score so far, and then those of the words and slots that may have a better one.

use core::hint::select_unpredictable;

use crate::policy::Policy;

use super::features::{Estimator, Room};
use super::search::{Best, Extra, Found, Ordered, Search};
use super::slots::{NO_SHAPE, SLOTS};
use super::words::{WORDS, bits};

/// The estimate of a block that is looked at already.
const LOOKED_AT: f64 = f64::INFINITY;
/// Blocks that are looked at, the likeliest first, before all others are compared with what is found.
const LIKELY: usize = 4;

impl<P: Policy, E: Extra> Search<'_, P, E> {
    /// Finds what is better than this score, or has it at an earlier place in the list, beginning with the word of a cell that may be a likely one.
    #[inline(never)]
    pub(super) fn run_by_estimates(&self, likely: u32, room: &mut Room, (score, position): (f64, u32)) -> Found {
        let score = Ordered::new(score);
        let mut best = Best { score, position, shape: NO_SHAPE, limit: self.level(score) };
        let mut found =
            Found { offer: None, fits_nowhere: self.chosen.unfiltered.is_empty(), wasted: 0, first: likely as usize };
        let Room { coefficients, estimates } = room;
        let line = self.policy.line(self.ranking, self.demand(), coefficients);
        let (by, flat) = (Estimator { policy: self.policy, constant: line.constant, coefficients }, line.flat);
        self.features.estimates_of_blocks(&by, estimates);
        estimates.truncate(self.words.block_count());
        // What served the same demand before may do so again. Then the most promising blocks, until one serves it.
        if (likely as usize) < WORDS * estimates.len() {
            let (cell, survivors) =
                (likely as usize, self.sieve.left(likely as usize / WORDS)[likely as usize % WORDS]);
            if survivors != 0 {
                best = self.examine_by_estimates(cell, survivors, &by, best, &mut found);
            }
        }
        for _ in 0..LIKELY {
            if best.shape != NO_SHAPE || flat {
                break;
            }
            let Some(block) = least(estimates) else { break };
            best = self.look_by_estimates(block, &by, flat, best, &mut found);
            estimates[block] = LOOKED_AT;
        }
        for (block, &estimate) in estimates.iter().enumerate() {
            if estimate > best.limit {
                found.fits_nowhere = false;
            } else {
                best = self.look_by_estimates(block, &by, flat, best, &mut found);
            }
        }
        if best.shape != NO_SHAPE {
            found.offer = Some((self.ledger.list()[best.position as usize] as usize, best.score.score()));
        }
        found
    }

    /// The level above which an estimate leaves no score as low as this.
    #[inline]
    fn level(&self, score: Ordered) -> f64 {
        self.policy.level(self.extra.most_score(score.score()))
    }

    /// Looks at the words of a block, and returns the best so far.
    #[inline]
    fn look_by_estimates(
        &self,
        block: usize,
        by: &Estimator<'_, P>,
        flat: bool,
        mut best: Best,
        found: &mut Found,
    ) -> Best {
        let left = self.sieve.left(block);
        if left == [0; WORDS] {
            return best;
        }
        let estimates = self.features.estimates_of_words(block, by);
        for ((cell, survivors), estimate) in (block * WORDS..).zip(left).zip(estimates) {
            if survivors == 0 {
                continue;
            }
            let tied = best.shape != NO_SHAPE && (flat || best.shape == self.words.shape(cell));
            let ties = tied && self.extra.keeps_shapes() && self.words.min_position(cell) >= best.position;
            if ties || estimate > best.limit {
                found.fits_nowhere = false;
                continue;
            }
            best = self.examine_by_estimates(cell, survivors, by, best, found);
        }
        best
    }

    /// Looks at the slots of a word that the rows have let through, and returns the best so far.
    #[inline]
    fn examine_by_estimates(
        &self,
        cell: usize,
        survivors: u64,
        by: &Estimator<'_, P>,
        best: Best,
        found: &mut Found,
    ) -> Best {
        let before = best.position;
        let checked = self.ask.exact && self.chosen.unfiltered.is_empty();
        let best = if checked {
            self.examine_estimated::<true>(cell, survivors, by, best, found)
        } else {
            self.examine_estimated::<false>(cell, survivors, by, best, found)
        };
        if best.position != before {
            found.first = cell;
        }
        best
    }

    /// The same; `CHECKED` says that the rows let through only what serves the task.
    #[inline(never)]
    fn examine_estimated<const CHECKED: bool>(
        &self,
        cell: usize,
        survivors: u64,
        by: &Estimator<'_, P>,
        mut best: Best,
        found: &mut Found,
    ) -> Best {
        let number = self.words.number(cell);
        let word = self.slots.word(number, self.axes.width());
        let mut estimates = [0.0; SLOTS];
        let mut open = self.features.estimates_of_slots((number, survivors), by, best.limit, &mut estimates);
        let mut fits = CHECKED || open != survivors;
        // The likeliest comes first: fewer of the others have to be scored.
        let mut next = bits(open).min_by(|&a, &b| estimates[a as usize].total_cmp(&estimates[b as usize]));
        while let Some(bit) = next {
            let slot = bit as usize;
            open &= !(1 << bit);
            next = (open != 0).then(|| open.trailing_zeros());
            let place = word.positions[slot];
            let ties = word.shapes[slot] == best.shape && self.extra.keeps_shapes() && place >= best.position;
            if ties || estimates[slot] > best.limit {
                fits = true;
                continue;
            }
            if !(CHECKED || word.serves(slot, self.asked) && self.passes_unfiltered(place)) {
                found.wasted += 1;
                continue;
            }
            fits = true;
            let Some(place) = self.extra.admitted(self.slots, number * SLOTS + slot, place) else { continue };
            let other = Ordered::new(self.extra.total(self.score(self.axes, word.values(slot), place), place));
            let better = (other < best.score) | ((other == best.score) & (place < best.position));
            best.score = Ordered(select_unpredictable(better, other.0, best.score.0));
            best.position = select_unpredictable(better, place, best.position);
            best.shape = select_unpredictable(better, word.shapes[slot], best.shape);
            best.limit = self.level(best.score);
        }
        found.fits_nowhere &= !fits;
        best
    }
}

/// The place of the least of some numbers that are not infinite.
fn least(estimates: &[f64]) -> Option<usize> {
    let finite = estimates.iter().enumerate().filter(|(_, bound)| **bound < f64::INFINITY);
    finite.min_by(|(_, a), (_, b)| a.total_cmp(b)).map(|(at, _)| at)
}
