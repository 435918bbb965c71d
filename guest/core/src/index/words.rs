//! Words of 64 slots, in the order of their keys.
//!
//! A word is known by its *rank*, its place in that order, which grows when an earlier word is split; and by its *number*,
//! which stays and tells where its slots are.

use alloc::vec::Vec;

use crate::ledger::Ledger;
use crate::policy::{Bound, Policy};

use super::slots::{MIXED, Slots};

/// Slots of a word.
pub(super) const SLOTS: usize = u64::BITS as usize;

/// What is known of each word. Every column but `rank_of` is in the order of ranks.
#[derive(Debug, Clone, Default)]
pub(super) struct Words {
    /// One bit for each slot that holds an offer.
    alive: Vec<u64>,
    /// A number not above the lowered key of any slot, and not below any of the word before.
    low_keys: Vec<f64>,
    /// A number not above the place in the list of any slot's first row.
    min_positions: Vec<u32>,
    /// The shape of every slot, or [`MIXED`] where they differ.
    shapes: Vec<u64>,
    /// Whether the keys of a word's slots never fall.
    sorted: Vec<bool>,
    /// The word's number.
    numbers: Vec<u32>,
    /// The rank of each word, by number.
    rank_of: Vec<u32>,
    /// For policies that are only monotone or antitone, the corner that scores no more than any offer of a word. Otherwise
    /// empty.
    corners: Vec<Corner>,
}

/// The offer that would have the lowest score in a word, if it were there: with the least values and the largest
/// capacities for a monotone policy, the other way round for an antitone one.
#[derive(Debug, Clone, Default)]
pub(super) struct Corner {
    /// The least, or largest, value on each axis.
    pub(super) values: Vec<u64>,
    /// The largest, or least, capacity in each dimension.
    pub(super) capacity: Vec<u64>,
    /// The largest, or least, capacity of all devices together.
    pub(super) device_capacity: u64,
}

impl Corner {
    /// Moves the corner so that it scores no more than another offer too.
    fn cover(&mut self, bound: Bound, values: &[u64], capacity: &[u64], device_capacity: u64) {
        let antitone = bound == Bound::Antitone;
        let of_values = |edge: u64, value: u64| if antitone { edge.max(value) } else { edge.min(value) };
        let of_capacity = |edge: u64, value: u64| if antitone { edge.min(value) } else { edge.max(value) };
        self.values.iter_mut().zip(values).for_each(|(edge, &value)| *edge = of_values(*edge, value));
        self.capacity.iter_mut().zip(capacity).for_each(|(edge, &value)| *edge = of_capacity(*edge, value));
        self.device_capacity = of_capacity(self.device_capacity, device_capacity);
    }
}

impl Words {
    /// How many words there are.
    pub(super) fn len(&self) -> usize {
        self.alive.len()
    }

    /// The slots that hold an offer.
    pub(super) fn alive(&self) -> &[u64] {
        &self.alive
    }

    /// For each word a number not above the lowered key of any of its slots.
    pub(super) fn low_keys(&self) -> &[f64] {
        &self.low_keys
    }

    /// The rank of the first word that can hold a slot with at least this lowered key.
    pub(super) fn first(&self, least_key: f64) -> usize {
        self.low_keys.partition_point(|&low| low < least_key).saturating_sub(1)
    }

    /// A number not above the place in the list of any slot's first row.
    pub(super) fn min_position(&self, rank: usize) -> u32 {
        self.min_positions[rank]
    }

    /// The shape of every slot, or [`MIXED`] where they differ.
    pub(super) fn shape(&self, rank: usize) -> u64 {
        self.shapes[rank]
    }

    /// Whether the keys of a word's slots never fall.
    pub(super) fn is_sorted(&self, rank: usize) -> bool {
        self.sorted[rank]
    }

    /// A word's number.
    pub(super) fn number(&self, rank: usize) -> usize {
        self.numbers[rank] as usize
    }

    /// A slot of a word.
    pub(super) fn slot(&self, rank: usize, bit: u32) -> usize {
        self.numbers[rank] as usize * SLOTS + bit as usize
    }

    /// The rank and the bit of a slot.
    pub(super) fn place(&self, slot: usize) -> (usize, usize) {
        (self.rank_of[slot / SLOTS] as usize, slot % SLOTS)
    }

    /// The corner that scores no more than any offer of a word.
    pub(super) fn corner(&self, rank: usize) -> &Corner {
        &self.corners[rank]
    }

    /// Takes note of what the offer in a slot has, for policies that are not linear.
    pub(super) fn cover<P: Policy>(&mut self, slot: usize, values: &[u64], row: usize, ledger: &Ledger) {
        if P::BOUND == Bound::Linear {
            return;
        }
        let (rank, _) = self.place(slot);
        self.corners.resize(self.len(), Corner::default());
        let (capacity, device_capacity) = (ledger.capacity(row), ledger.device_capacity(row));
        let corner = &mut self.corners[rank];
        if self.alive[rank].count_ones() == 1 {
            *corner = Corner { values: values.to_vec(), capacity: capacity.to_vec(), device_capacity };
        } else {
            corner.cover(P::BOUND, values, capacity, device_capacity);
        }
    }

    /// Finds the corner of a word anew, after slots have left it, for policies that are not linear: they take from the corner
    /// first, and a corner that stayed would promise what is gone.
    pub(super) fn tighten<P: Policy>(&mut self, rank: usize, slots: &Slots, ledger: &Ledger) {
        let Some(corner) = self.corners.get_mut(rank).filter(|_| P::BOUND != Bound::Linear) else { return };
        let mut alive = self.alive[rank];
        let mut first = true;
        while alive != 0 {
            let slot = self.numbers[rank] as usize * SLOTS + alive.trailing_zeros() as usize;
            alive &= alive - 1;
            let row = ledger.list()[slots.position(slot) as usize] as usize;
            let (values, capacity, device_capacity) =
                (slots.values(slot), ledger.capacity(row), ledger.device_capacity(row));
            if first {
                corner.values.copy_from_slice(values);
                corner.capacity.copy_from_slice(capacity);
                corner.device_capacity = device_capacity;
                first = false;
            } else {
                corner.cover(P::BOUND, values, capacity, device_capacity);
            }
        }
    }

    /// Adds an empty word behind the others and returns its first slot.
    pub(super) fn push(&mut self, low_key: f64) -> usize {
        let rank = self.len();
        self.insert(rank, low_key)
    }

    /// Takes a slot behind all others, in a new word where the last one has `filled` slots.
    pub(super) fn append(&mut self, filled: usize, key: f64, shape: u64, position: u32) -> usize {
        if self.alive.last().is_none_or(|alive| alive.count_ones() as usize >= filled) {
            self.push(key);
        }
        self.take_slot(self.len() - 1, shape, position, true)
    }

    /// Adds an empty word at a rank and returns its first slot.
    fn insert(&mut self, rank: usize, low_key: f64) -> usize {
        let number = self.rank_of.len();
        self.alive.insert(rank, 0);
        self.low_keys.insert(rank, low_key);
        self.min_positions.insert(rank, u32::MAX);
        self.shapes.insert(rank, MIXED);
        self.sorted.insert(rank, true);
        self.numbers.insert(rank, number as u32);
        if rank > 0 && rank <= self.corners.len() {
            // The new word takes offers from the one before.
            self.corners.insert(rank, self.corners[rank - 1].clone());
        }
        self.rank_of.push(rank as u32);
        for &number in &self.numbers[rank + 1..] {
            self.rank_of[number as usize] += 1;
        }
        number * SLOTS
    }

    /// The rank of the word for a new slot with this lowered key. The first word takes whatever is below all others.
    pub(super) fn rank(&mut self, key: f64) -> usize {
        self.low_keys[0] = self.low_keys[0].min(key);
        self.low_keys.partition_point(|&low| low <= key) - 1
    }

    /// Whether every slot of a word holds an offer.
    pub(super) fn is_full(&self, rank: usize) -> bool {
        self.alive[rank] == u64::MAX
    }

    /// Moves the upper half of a full word into a new word behind it. Says which bits moved, in the order of their new
    /// places, so that bit rows can follow.
    pub(super) fn split(&mut self, rank: usize, slots: &mut Slots) -> [usize; SLOTS / 2] {
        let first = self.slot(rank, 0);
        let mut bits: [usize; SLOTS] = core::array::from_fn(|bit| bit);
        bits.sort_unstable_by(|&a, &b| slots.key(first + a).total_cmp(&slots.key(first + b)));
        let moved: [usize; SLOTS / 2] = core::array::from_fn(|at| bits[SLOTS / 2 + at]);

        let new_first = self.insert(rank + 1, slots.key(first + moved[0]));
        slots.reserve(new_first + SLOTS);
        for (at, bit) in moved.into_iter().enumerate() {
            slots.relocate(first + bit, new_first + at);
            self.alive[rank] &= !(1 << bit);
        }
        self.alive[rank + 1] = u64::MAX >> (SLOTS / 2);
        self.shapes[rank + 1] = self.shapes[rank];
        self.refresh(rank, slots);
        self.refresh(rank + 1, slots);
        moved
    }

    /// The first free slot of a word that is not full, now taken by an offer of this shape and place in the list.
    /// `in_order` says that its key is not below that of the slots before it, and that it is the last.
    pub(super) fn take_slot(&mut self, rank: usize, shape: u64, position: u32, in_order: bool) -> usize {
        let bit = self.alive[rank].trailing_ones();
        self.shapes[rank] = if self.alive[rank] == 0 || self.shapes[rank] == shape { shape } else { MIXED };
        self.sorted[rank] &= in_order;
        self.alive[rank] |= 1 << bit;
        self.min_positions[rank] = self.min_positions[rank].min(position);
        self.slot(rank, bit)
    }

    /// Takes note that the first row of a slot stands at an earlier place now.
    pub(super) fn advanced(&mut self, slot: usize, position: u32) {
        let (rank, _) = self.place(slot);
        self.min_positions[rank] = self.min_positions[rank].min(position);
    }

    /// Takes note that the first row of a slot, which stood at `position`, has left it, and, with `empty`, that it was the
    /// only one.
    pub(super) fn left(&mut self, slot: usize, position: u32, empty: bool, slots: &Slots) {
        let (rank, bit) = self.place(slot);
        if empty {
            self.alive[rank] &= !(1 << bit);
        }
        if self.min_positions[rank] >= position {
            self.refresh(rank, slots);
        }
    }

    /// Finds the least place in the list anew.
    fn refresh(&mut self, rank: usize, slots: &Slots) {
        let mut least = u32::MAX;
        let mut alive = self.alive[rank];
        while alive != 0 {
            least = least.min(slots.position(self.slot(rank, alive.trailing_zeros())));
            alive &= alive - 1;
        }
        self.min_positions[rank] = least;
    }
}
