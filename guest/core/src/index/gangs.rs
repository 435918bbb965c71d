//! Lower bounds for members of a group that are to be on offers with one value: which values to try first, and which not at
//! all.
//!
//! One walk over the words, in the order of their keys, meets the best offers of every value. It ends when each value has been
//! met, or when it has looked at a few offers for each; what it has not met has at least the key where it ended.

use alloc::vec::Vec;

use crate::feasible::Task;
use crate::policy::{Bound, Policy, Ranking};

use super::Index;
use super::slots::SLOTS;
use super::within::Want;
use super::words::{WORDS, bits};

/// Offers that are looked at for each value, at most.
const OFFERS_A_VALUE: usize = 8;
/// Wider than the roundings of any bound here.
const SLACK: f64 = 1e-9;

/// The values of an attribute, by number.
#[derive(Debug, Clone, Default)]
pub(crate) struct Values {
    /// The values, in the order in which they first come in the list.
    pub(crate) values: Vec<u32>,
    /// The place of each value in `values`, by value; as large as can be where it is none of them.
    places: Vec<u32>,
}

impl Values {
    /// Values that can be looked up, unless they are too large for that.
    pub(crate) fn new(values: Vec<u32>) -> Self {
        const LARGEST: u32 = 1 << 20;
        let largest = values.iter().copied().max().unwrap_or(0);
        let mut places = Vec::new();
        if largest <= LARGEST {
            places.resize(largest as usize + 1, u32::MAX);
            values.iter().zip(0..).for_each(|(&value, place)| places[value as usize] = place);
        }
        Self { values, places }
    }

    /// The place of a value.
    fn place(&self, value: u32) -> Option<usize> {
        self.places.get(value as usize).filter(|&&place| place != u32::MAX).map(|&place| place as usize)
    }
}

impl Index {
    /// For each value a number that no score of this task is below on an offer with it, infinite where no offer with it serves
    /// the task; or nothing, where there is no such bound. And the least by which the task fills an offer.
    pub(crate) fn bounds_by_value<P: Policy>(
        &self,
        want: &Want,
        task: Task<'_>,
        (policy, ranking): (&P, &Ranking),
        (attribute, values): (u32, &Values),
        bounds: &mut Vec<f64>,
    ) -> Option<f64> {
        bounds.clear();
        if P::BOUND != Bound::Linear || values.places.is_empty() {
            return None;
        }
        bounds.resize(values.values.len(), f64::INFINITY);
        if !want.is_possible {
            return Some(0.0);
        }
        let by_word = self.slots.attribute(attribute);
        let sieve = self.rows.sieve(&want.thresholds, &want.chosen.requirements, self.words.alive());
        // Where keys are places in the list, scores are zero.
        let key = |key: f64| if self.bound.is_flat { 0.0 } else { key };
        let (mut unmet, mut looked) = (bounds.len(), 0);
        let mut look = |cell: usize, survivors: u64| {
            let number = self.words.number(cell);
            let word = self.slots.word(number, self.axes.width());
            for slot in bits(survivors).map(|bit| bit as usize) {
                looked += 1;
                let Some(place) = values.place(by_word[number][slot]) else { continue };
                if key(word.keys[slot]) - want.ask.cost.subtract >= bounds[place] {
                    continue;
                }
                if want.ask.exact || word.serves(slot, &want.asked) {
                    let left = self.axes.as_leftover(word.values(slot));
                    let score = policy.score(ranking, task.demand(), left);
                    unmet -= usize::from(bounds[place] == f64::INFINITY);
                    bounds[place] = bounds[place].min(score.min(f64::MAX));
                }
            }
            unmet > 0 && looked < OFFERS_A_VALUE * values.values.len()
        };
        for &row in &want.arrived {
            let slot = self.slots.slot_of(row as usize);
            let cell = self.words.cell(slot);
            look(cell, sieve.left(cell / WORDS)[cell % WORDS] & 1 << (slot % SLOTS));
        }
        let mut end = f64::INFINITY;
        'walk: for &block in &self.words.blocks()[want.start..] {
            let cells = block as usize * WORDS..;
            for (cell, survivors) in cells.zip(sieve.left(block as usize)).filter(|&(_, survivors)| survivors != 0) {
                if !look(cell, survivors) {
                    // Words that follow have no lower keys.
                    end = key(self.words.low_key(cell));
                    break 'walk;
                }
            }
        }
        let cost = want.ask.cost.subtract;
        let least = end - cost - (end + cost) * SLACK;
        if end < f64::INFINITY {
            bounds.iter_mut().for_each(|bound| *bound = bound.min(least));
        }
        bounds.iter_mut().for_each(|bound| *bound = bound.max(0.0) * (1.0 - SLACK));
        Some(cost)
    }
}
