//! Makes an index from a ledger.

use alloc::vec::Vec;

use crate::ledger::Ledger;
use crate::policy::{Bound, Policy, Ranking};
use crate::settings::Mode;
use crate::table::TaskTable;

use super::bound::KeyBound;
use super::rows::Rows;
use super::slots::Slots;
use super::words::{SLOTS, Words};
use super::{Index, axes};

/// Slots that are taken in each new word where offers will move: the rest is room for those that come.
const FILLED: usize = 48;
/// Slots let through in vain, for each slot of the index, that cost about as much as making the index anew.
const PATIENCE: usize = 32;

impl Index {
    /// An index of the offers in the list, for tasks like these; or none where scores cannot be bounded.
    pub(crate) fn new<P: Policy>(
        ledger: &Ledger,
        mode: Mode,
        tasks: &TaskTable,
        policy: &P,
        ranking: &Ranking,
    ) -> Option<Self> {
        let mut index = Self {
            mode,
            bound: KeyBound::new(ranking)?,
            words: Words::default(),
            slots: Slots::default(),
            rows: Rows::default(),
            postings: super::Postings::default(),
            nowhere: super::Nowhere::default(),
            attributes: Vec::new(),
            occupied: 0,
            built_slots: 0,
            built_words: 0,
            wasted: 0,
            patience: PATIENCE,
            demand: Vec::new(),
            values: Vec::new(),
            chosen: super::Chosen::default(),
        };
        index.note_attributes(tasks);
        index.rows.draw(tasks, ledger);
        index.rebuild(ledger, policy, ranking);
        Some(index)
    }

    /// Gets ready for the tasks of a new table: draws new thresholds where the old ones let too much through, and tells
    /// offers apart by attributes that no task has asked for before.
    pub(crate) fn prepare<P: Policy>(&mut self, ledger: &Ledger, tasks: &TaskTable, policy: &P, ranking: &Ranking) {
        let new_attributes = self.note_attributes(tasks);
        let worn = self.wasted > self.patience * self.built_slots.max(SLOTS);
        if worn {
            // Twice as patient each time, lest tasks that no thresholds suit have the index made again and again.
            self.patience *= 2;
            self.rows.draw(tasks, ledger);
        }
        if worn || new_attributes {
            self.rebuild(ledger, policy, ranking);
        }
    }

    /// Takes note of the attributes that tasks ask for, and says whether one is new.
    fn note_attributes(&mut self, tasks: &TaskTable) -> bool {
        let known = self.attributes.len();
        for &attribute in &tasks.requirement_attributes {
            if !self.attributes.contains(&attribute) {
                self.attributes.push(attribute);
            }
        }
        self.attributes.len() > known
    }

    /// Makes words and rows anew from the list, with the thresholds there are.
    fn rebuild<P: Policy>(&mut self, ledger: &Ledger, policy: &P, ranking: &Ranking) {
        let list = ledger.list();
        let width = ledger.shape().dimensions as usize + axes::DEVICE_AXES;
        let mut values = Vec::with_capacity(list.len() * width);
        for &row in list {
            axes::of_offer(ledger, row as usize, &mut values);
        }
        let values = |position: u32| &values[position as usize * width..(position as usize + 1) * width];
        let attributes = |position: u32| {
            self.attributes.iter().map(move |&at| ledger.attribute(list[position as usize] as usize, at))
        };

        // Offers in the order of their keys, equal ones side by side. Keys are not negative, so their bits are in their
        // order. Hashes that collide may part equal offers: they then share less, nothing else.
        let mut order: Vec<u128> = (0..list.len() as u32)
            .map(|position| {
                let key = self.bound.of_offer(policy, ranking, values(position)).to_bits();
                let shape = hash(values(position).iter().copied());
                let attributes = hash(attributes(position).map(u64::from));
                u128::from(key) << 64 | u128::from(shape) << 48 | u128::from(attributes) << 32 | u128::from(position)
            })
            .collect();
        order.sort_unstable();
        let position = |entry: u128| entry as u32;
        let row = |entry: u128| list[position(entry) as usize] as usize;
        // Capacities do not count for a linear policy.
        let same_capacity = |a: usize, b: usize| {
            P::BOUND == Bound::Linear
                || axes::equal(ledger.capacity(a), ledger.capacity(b))
                    && ledger.device_capacity(a) == ledger.device_capacity(b)
        };
        let same_shape = |a: u128, b: u128| {
            a >> 48 == b >> 48 && axes::equal(values(position(a)), values(position(b))) && same_capacity(row(a), row(b))
        };
        let same = |a: u128, b: u128| {
            a >> 32 == b >> 32 && same_shape(a, b) && attributes(position(a)).eq(attributes(position(b)))
        };

        self.words = Words::default();
        self.slots = Slots::new(width, ledger.rows());
        let filled = self.filled();
        let mut positions = Vec::new();
        let mut groups = Vec::new();
        for run in order.chunk_by(|&a, &b| a >> 64 == b >> 64) {
            let key = f64::from_bits((run[0] >> 64) as u64);
            // Slots of one key stand in the order of the list, those of one shape side by side, so that whole words can be
            // passed over in a tie.
            groups.clear();
            for offers in run.chunk_by(|&a, &b| same_shape(a, b)) {
                let shape = self.slots.new_shape();
                let first = offers.iter().map(|&entry| position(entry)).min();
                groups.extend(
                    offers.chunk_by(|&a, &b| same(a, b)).map(|group| (first, position(group[0]), shape, group)),
                );
            }
            groups.sort_unstable_by_key(|&(first_of_shape, first, ..)| (first_of_shape, first));
            for &(_, first, shape, group) in &groups {
                positions.clear();
                positions.extend(group.iter().map(|&entry| position(entry)));
                let slot = self.words.append(filled, key, shape, first);
                self.slots.reserve(self.words.len() * SLOTS);
                self.slots.put(slot, values(first), key, shape, &positions, list);
                self.words.cover::<P>(slot, values(first), list[first as usize] as usize, ledger);
            }
        }
        self.fill_rows();
    }

    /// Makes words and rows anew from the slots that hold an offer.
    pub(super) fn compact<P: Policy>(&mut self, ledger: &Ledger) {
        let mut words = Words::default();
        let mut moves = Vec::with_capacity(self.occupied);
        let mut slots = Vec::with_capacity(SLOTS);
        for rank in 0..self.words.len() {
            slots.clear();
            let bits = (0..SLOTS as u32).filter(|bit| self.words.alive()[rank] >> bit & 1 == 1);
            slots.extend(bits.map(|bit| self.words.slot(rank, bit)));
            if !self.words.is_sorted(rank) {
                slots.sort_unstable_by(|&a, &b| self.slots.key(a).total_cmp(&self.slots.key(b)));
            }
            moves.extend(slots.iter().map(|&from| {
                let (key, shape, position) = (self.slots.key(from), self.slots.shape(from), self.slots.position(from));
                let to = words.append(self.filled(), key, shape, position);
                words.cover::<P>(to, self.slots.values(from), ledger.list()[position as usize] as usize, ledger);
                (from, to)
            }));
        }
        self.slots.relay(&moves, words.len() * SLOTS);
        self.words = words;
        self.fill_rows();
    }

    /// How many slots of a new word are taken.
    fn filled(&self) -> usize {
        if self.mode == Mode::Exclusive { SLOTS } else { FILLED }
    }

    /// Fills the rows for new words.
    fn fill_rows(&mut self) {
        self.rows.fill(&self.words, &self.slots);
        self.occupied = self.words.alive().iter().map(|alive| alive.count_ones() as usize).sum();
        self.built_slots = self.occupied;
        self.built_words = self.words.len();
        self.wasted = 0;
    }
}

/// A number that is the same for equal columns, and mostly another one for others.
fn hash(column: impl Iterator<Item = u64>) -> u16 {
    // The multiplier of SplitMix64: odd, with its bits well spread.
    let mixed = column.fold(1, |hash: u64, value| (hash ^ value).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29));
    (mixed >> 48) as u16
}
