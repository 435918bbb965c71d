//! What policies say of offers that does not depend on the task, to estimate scores: a few numbers for each slot, and the least of
//! each in each word, in each block and in each eight blocks. The estimate by the least numbers of a word is not above that of any of
//! its slots.

use alloc::vec::Vec;

use crate::policy::Policy;

use super::slots::SLOTS;
use super::words::{WORDS, Words, bits, mask};

/// Values of the sample by which a feature is cut into cells: one cell fewer.
const CUTS: usize = 63;
/// Offers from which cuts are drawn at most.
const SAMPLE: usize = 2048;
/// The bits of a place that fit a double.
const PLACE_BITS: usize = f64::MANTISSA_DIGITS as usize - 1;

/// The features of all slots.
#[derive(Debug, Clone, Default)]
pub(super) struct Features {
    /// How many there are of one slot.
    width: usize,
    /// For each word, by number, and each eight slots of it a line for each feature. Infinite where no offer is.
    of_slots: Vec<[f64; WORDS]>,
    /// For each block a line of the least of each feature in its words.
    of_words: Vec<[f64; WORDS]>,
    /// For each eight blocks a line of the least of each feature in each of them.
    of_blocks: Vec<[f64; WORDS]>,
    /// The values between the cells of each feature.
    cuts: Vec<[f64; CUTS]>,
}

/// What estimates for one task are made of.
pub(super) struct Estimator<'a, P> {
    /// Who estimates.
    pub(super) policy: &'a P,
    /// What is added.
    pub(super) constant: f64,
    /// The coefficient of each feature.
    pub(super) coefficients: &'a [f64],
}

impl<P: Policy> Estimator<'_, P> {
    /// Estimates for things that have these features, side by side.
    #[inline(always)]
    fn of<const N: usize>(&self, features: &[[f64; N]]) -> [f64; N] {
        self.policy.estimate(self.constant, self.coefficients, features)
    }
}

impl Features {
    /// How many there are of one slot.
    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// Begins anew with so many features. `values` has those of many offers, row by row, from which cells are cut so that each has
    /// about as many offers.
    pub(super) fn reset(&mut self, width: usize, values: &[f64]) {
        *self = Self { width, ..Self::default() };
        let rows = values.len() / width.max(1);
        let step = rows.div_ceil(SAMPLE).max(1);
        for feature in 0..width {
            let mut sample: Vec<f64> = values.iter().skip(feature).step_by(step * width).copied().collect();
            sample.sort_unstable_by(f64::total_cmp);
            // What comes again and again is one value.
            sample.dedup();
            let cut = |at: usize| sample.get((at + 1) * sample.len() / (CUTS + 1)).copied().unwrap_or(f64::INFINITY);
            self.cuts.push(core::array::from_fn(cut));
        }
    }

    /// The place of an offer on a curve through all of its features, so that offers which stand together differ little in each
    /// (G. M. Morton, 1966). The bits of the numbers of cells are interleaved, the highest first.
    pub(super) fn key(&self, features: &[f64]) -> f64 {
        const { assert!(CUTS == 63) };
        let cell = |(cuts, feature): (&[f64; CUTS], &f64)| {
            let mut cell = 0;
            for step in [32, 16, 8, 4, 2, 1] {
                cell += if cuts[cell + step - 1] <= *feature { step } else { 0 };
            }
            cell as u64
        };
        let most = PLACE_BITS / self.width.max(1);
        let mut place = 0_u64;
        for bit in (0..6).rev().take(most) {
            for pair in self.cuts.iter().zip(features) {
                place = place << 1 | cell(pair) >> bit & 1;
            }
        }
        place as f64
    }

    /// Makes room for so many words and blocks.
    fn reserve(&mut self, words: &Words) {
        self.of_slots.resize(words.len() * self.width * (SLOTS / WORDS), [f64::INFINITY; WORDS]);
        self.of_words.resize(words.block_count() * self.width, [f64::INFINITY; WORDS]);
        self.of_blocks.resize(words.block_count().div_ceil(WORDS) * self.width, [f64::INFINITY; WORDS]);
    }

    /// Sets those of a slot, whose word does not know of them yet.
    pub(super) fn put(&mut self, slot: usize, features: impl Iterator<Item = f64>, words: &Words) {
        self.reserve(words);
        let lines = &mut self.of_slots[slot / WORDS * self.width..][..self.width];
        lines.iter_mut().zip(features).for_each(|(line, feature)| line[slot % WORDS] = feature);
    }

    /// Sets those of a slot of a word.
    pub(super) fn set(&mut self, slot: usize, features: &[f64], words: &Words) {
        self.put(slot, features.iter().copied(), words);
        let (block, word) = (words.cell(slot) / WORDS, words.cell(slot) % WORDS);
        for (at, &feature) in features.iter().enumerate() {
            let of_word = &mut self.of_words[block * self.width + at][word];
            *of_word = of_word.min(feature);
            let of_block = &mut self.of_blocks[block / WORDS * self.width + at][block % WORDS];
            *of_block = of_block.min(feature);
        }
    }

    /// Takes note that a slot is empty now.
    pub(super) fn clear(&mut self, slot: usize, words: &Words) {
        let (block, word) = (words.cell(slot) / WORDS, words.cell(slot) % WORDS);
        for at in 0..self.width {
            let of_slot = &mut self.of_slots[slot / WORDS * self.width + at][slot % WORDS];
            let value = core::mem::replace(of_slot, f64::INFINITY);
            let least_of_word = || Self::least_of_word(&self.of_slots, self.width, slot / SLOTS, at);
            let line = &mut self.of_words[block * self.width + at];
            if value == line[word] {
                line[word] = least_of_word();
                let of_block = &mut self.of_blocks[block / WORDS * self.width + at][block % WORDS];
                if value == *of_block {
                    *of_block = least(line);
                }
            }
        }
    }

    /// Takes note that the slots of these bits have moved from one word to another.
    pub(super) fn split(&mut self, from: usize, to: usize, moved: u64, words: &Words) {
        self.reserve(words);
        for bit in bits(moved).map(|bit| bit as usize) {
            let [from, to] = [from, to].map(|number| (number * SLOTS + bit) / WORDS * self.width);
            for feature in 0..self.width {
                let value = core::mem::replace(&mut self.of_slots[from + feature][bit % WORDS], f64::INFINITY);
                self.of_slots[to + feature][bit % WORDS] = value;
            }
        }
    }

    /// Lays the slots out anew: each pair is a slot and its new place, in these new words.
    pub(super) fn relay(&mut self, moves: &[(u32, u32)], words: &Words) {
        let old = core::mem::take(&mut self.of_slots);
        self.of_words.clear();
        self.of_blocks.clear();
        let width = self.width;
        for &(from, to) in moves {
            let (from, to) = (from as usize, to as usize);
            let lines = &old[from / WORDS * width..][..width];
            self.put(to, lines.iter().map(|line| line[from % WORDS]), words);
        }
        self.refresh_all(words);
    }

    /// Finds the least of each feature anew in all words.
    pub(super) fn refresh_all(&mut self, words: &Words) {
        (0..words.block_count()).for_each(|block| self.refresh(block, words));
    }

    /// Finds the least of each feature anew in the words of a block.
    pub(super) fn refresh(&mut self, block: usize, words: &Words) {
        self.reserve(words);
        for feature in 0..self.width {
            let line = &mut self.of_words[block * self.width + feature];
            for (cell, place) in (block * WORDS..).zip(&mut *line) {
                *place = match words.number(cell) {
                    number if number < words.len() => Self::least_of_word(&self.of_slots, self.width, number, feature),
                    _ => f64::INFINITY,
                };
            }
            self.of_blocks[block / WORDS * self.width + feature][block % WORDS] = least(line);
        }
    }

    /// For each block a number that no estimate for any of its slots is below.
    pub(super) fn estimates_of_blocks<P: Policy>(&self, by: &Estimator<'_, P>, estimates: &mut Vec<f64>) {
        estimates.clear();
        self.of_blocks.chunks_exact(self.width).for_each(|blocks| estimates.extend(by.of(blocks)));
    }

    /// The same for the words of a block.
    #[inline]
    pub(super) fn estimates_of_words<P: Policy>(&self, block: usize, by: &Estimator<'_, P>) -> [f64; WORDS] {
        by.of(&self.of_words[block * self.width..][..self.width])
    }

    /// Which of these slots of a word, by its number, have an estimate up to a limit; and the estimates of these slots.
    #[inline(always)]
    pub(super) fn estimates_of_slots<P: Policy>(
        &self,
        (number, slots): (usize, u64),
        by: &Estimator<'_, P>,
        limit: f64,
        estimates: &mut [f64; SLOTS],
    ) -> u64 {
        let lines = self.of_slots[number * self.width * (SLOTS / WORDS)..].chunks_exact(self.width);
        let mut open = 0;
        for (at, (lines, to)) in lines.zip(estimates.as_chunks_mut::<WORDS>().0).enumerate() {
            if slots >> (at * WORDS) & 0xff != 0 {
                *to = by.of(lines);
                open |= mask(&*to, |estimate| *estimate <= limit) << (at * WORDS);
            }
        }
        open & slots
    }

    /// The least of a feature in a word, by its number.
    fn least_of_word(of_slots: &[[f64; WORDS]], width: usize, number: usize, feature: usize) -> f64 {
        let lines = of_slots[number * width * (SLOTS / WORDS)..].chunks_exact(width).take(SLOTS / WORDS);
        least(&lines.fold([f64::INFINITY; WORDS], |mut lowest, lines| {
            let pairs = lowest.iter_mut().zip(&lines[feature]);
            pairs.for_each(|(lowest, value)| *lowest = if *value < *lowest { *value } else { *lowest });
            lowest
        }))
    }
}

/// The least of some numbers.
#[inline]
fn least<const N: usize>(values: &[f64; N]) -> f64 {
    values.iter().fold(f64::INFINITY, |least, &value| if value < least { value } else { least })
}

/// Room for what one search computes.
#[derive(Debug, Clone, Default)]
pub(super) struct Room {
    /// The coefficient of each feature.
    pub(super) coefficients: Vec<f64>,
    /// For each block a number that no estimate for any of its slots is below.
    pub(super) estimates: Vec<f64>,
}

impl Room {
    /// Room for so many coefficients.
    pub(super) fn of(mut self, width: usize) -> Self {
        self.coefficients.clear();
        self.coefficients.resize(width, 0.0);
        self
    }
}
