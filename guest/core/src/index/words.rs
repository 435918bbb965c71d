//! Words of 64 slots, in the order of their keys, in blocks of eight.
//!
//! A block holds up to eight words that follow each other, and blocks are listed in the order of their keys. So a search
//! passes over eight words at once, and a new word moves no more than those behind it in its block. A word is known by its
//! *cell*, its place in a block, which changes when an earlier word is split; and by its *number*, which stays and tells
//! where its slots are.

use alloc::vec::Vec;

use crate::ledger::Ledger;
use crate::policy::{Bound, Policy};

use super::slots::{MIXED, SLOTS, Slots};

/// Words of a block.
pub(super) const WORDS: usize = 8;

/// The bits of a block's words in one row.
pub(super) type Line = [u64; WORDS];

/// What is known of each word. Columns go by cell, unless they say otherwise. A cell that is not in use has no slot and an
/// infinite key.
#[derive(Debug, Clone, Default)]
pub(super) struct Words {
    /// The blocks, in the order of their keys.
    blocks: Vec<u32>,
    /// The low key of the first word of each of them, in the same order.
    block_keys: Vec<f64>,
    /// How many words each block has, by block.
    counts: Vec<u32>,
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
    /// The cell of each word, by number.
    cells: Vec<u32>,
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

/// Where a word is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// The place of its block among the blocks.
    block: usize,
    /// Its cell.
    pub(super) cell: usize,
}

impl Words {
    /// How many words there are.
    pub(super) fn len(&self) -> usize {
        self.cells.len()
    }

    /// The blocks, in the order of their keys.
    pub(super) fn blocks(&self) -> &[u32] {
        &self.blocks
    }

    /// For each of [`Words::blocks`] a number not above the lowered key of any of its slots.
    pub(super) fn block_keys(&self) -> &[f64] {
        &self.block_keys
    }

    /// How many blocks there are room for.
    pub(super) fn block_count(&self) -> usize {
        self.counts.len()
    }

    /// The cells that are in use, in the order of their keys.
    pub(super) fn in_order(&self) -> impl Iterator<Item = usize> {
        self.blocks.iter().flat_map(|&block| {
            let first = block as usize * WORDS;
            first..first + self.counts[block as usize] as usize
        })
    }

    /// The slots that hold an offer.
    pub(super) fn alive(&self) -> &[u64] {
        &self.alive
    }

    /// A number not above the lowered key of any of a word's slots.
    pub(super) fn low_key(&self, cell: usize) -> f64 {
        self.low_keys[cell]
    }

    /// The place, among the blocks, of the first that can hold a slot with at least this lowered key.
    pub(super) fn first(&self, least_key: f64) -> usize {
        self.block_keys.partition_point(|&low| low < least_key).saturating_sub(1)
    }

    /// A number not above the place in the list of any slot's first row.
    pub(super) fn min_position(&self, cell: usize) -> u32 {
        self.min_positions[cell]
    }

    /// The shape of every slot, or [`MIXED`] where they differ.
    pub(super) fn shape(&self, cell: usize) -> u64 {
        self.shapes[cell]
    }

    /// Whether the keys of a word's slots never fall.
    pub(super) fn is_sorted(&self, cell: usize) -> bool {
        self.sorted[cell]
    }

    /// A word's number.
    pub(super) fn number(&self, cell: usize) -> usize {
        self.numbers[cell] as usize
    }

    /// A slot of a word.
    pub(super) fn slot(&self, cell: usize, bit: u32) -> usize {
        self.numbers[cell] as usize * SLOTS + bit as usize
    }

    /// The slots of a word that hold an offer.
    pub(super) fn slots(&self, cell: usize) -> impl Iterator<Item = usize> {
        let first = self.slot(cell, 0);
        bits(self.alive[cell]).map(move |bit| first + bit as usize)
    }

    /// The cell of a slot's word.
    pub(super) fn cell(&self, slot: usize) -> usize {
        self.cells[slot / SLOTS] as usize
    }

    /// The corner that scores no more than any offer of a word.
    pub(super) fn corner(&self, cell: usize) -> &Corner {
        &self.corners[cell]
    }

    /// Takes note of what the offer in a slot has, for policies that are not linear.
    pub(super) fn cover<P: Policy>(&mut self, slot: usize, values: &[u64], row: usize, ledger: &Ledger) {
        if P::BOUND == Bound::Linear || P::ESTIMATES {
            return;
        }
        let cell = self.cell(slot);
        self.corners.resize(self.alive.len(), Corner::default());
        let (capacity, device_capacity) = (ledger.capacity(row), ledger.device_capacity(row));
        let corner = &mut self.corners[cell];
        if self.alive[cell].count_ones() == 1 {
            *corner = Corner { values: values.to_vec(), capacity: capacity.to_vec(), device_capacity };
        } else {
            corner.cover(P::BOUND, values, capacity, device_capacity);
        }
    }

    /// Finds the corner of a word anew, after slots have left it, for policies that are not linear: they take from the corner
    /// first, and a corner that stayed would promise what is gone.
    pub(super) fn tighten<P: Policy>(&mut self, cell: usize, slots: &Slots, ledger: &Ledger) {
        let (alive, first_slot) = (self.alive[cell], self.slot(cell, 0));
        let Some(corner) = self.corners.get_mut(cell).filter(|_| P::BOUND != Bound::Linear && !P::ESTIMATES) else {
            return;
        };
        for (at, bit) in bits(alive).enumerate() {
            let slot = first_slot + bit as usize;
            let row = ledger.list()[slots.position(slot) as usize] as usize;
            let (values, capacity, device_capacity) =
                (slots.values(slot), ledger.capacity(row), ledger.device_capacity(row));
            if at == 0 {
                corner.values.copy_from_slice(values);
                corner.capacity.copy_from_slice(capacity);
                corner.device_capacity = device_capacity;
            } else {
                corner.cover(P::BOUND, values, capacity, device_capacity);
            }
        }
    }

    /// Takes a slot behind all others, in a new word where the last one has `filled` slots.
    pub(super) fn append(&mut self, filled: usize, key: f64, shape: u64, position: u32) -> usize {
        let last = self.cells.last().map(|&cell| cell as usize);
        let cell = last.filter(|&cell| (self.alive[cell].count_ones() as usize) < filled);
        let cell = cell.unwrap_or_else(|| self.push(key));
        self.take_slot(cell, shape, position, true)
    }

    /// Adds an empty word behind the others, for those that are built one after the other, and returns its cell.
    pub(super) fn push(&mut self, low_key: f64) -> usize {
        let number = self.cells.len();
        if number.is_multiple_of(WORDS) {
            let block = self.push_block();
            self.blocks.push(block as u32);
            self.block_keys.push(low_key);
        }
        self.counts[number / WORDS] += 1;
        self.cells.push(number as u32);
        self.numbers[number] = number as u32;
        self.low_keys[number] = low_key;
        number
    }

    /// Adds a block without words, which is not listed yet.
    fn push_block(&mut self) -> usize {
        self.counts.push(0);
        let cells = self.counts.len() * WORDS;
        self.alive.resize(cells, 0);
        self.low_keys.resize(cells, f64::INFINITY);
        self.min_positions.resize(cells, u32::MAX);
        self.shapes.resize(cells, MIXED);
        self.sorted.resize(cells, true);
        self.numbers.resize(cells, u32::MAX);
        if !self.corners.is_empty() {
            self.corners.resize(cells, Corner::default());
        }
        self.counts.len() - 1
    }

    /// The word for a new slot with this lowered key. The first word takes whatever is below all others.
    pub(super) fn place(&self, key: f64) -> Place {
        let block = self.block_keys.partition_point(|&low| low <= key).saturating_sub(1);
        let first = self.blocks[block] as usize * WORDS;
        let below = self.low_keys[first + 1..first + WORDS].iter().filter(|&&low| low <= key).count();
        Place { block, cell: first + below }
    }

    /// Takes note that a slot with this lowered key comes into a word.
    pub(super) fn lower(&mut self, place: Place, key: f64) {
        self.low_keys[place.cell] = self.low_keys[place.cell].min(key);
        self.block_keys[place.block] = self.block_keys[place.block].min(key);
    }

    /// Whether every slot of a word holds an offer.
    pub(super) fn is_full(&self, cell: usize) -> bool {
        self.alive[cell] == u64::MAX
    }

    /// Whether no word can be added to the block of a word.
    pub(super) fn is_block_full(&self, cell: usize) -> bool {
        self.counts[cell / WORDS] as usize == WORDS
    }

    /// Moves the upper half of a full block into a new block behind it.
    pub(super) fn split_block(&mut self, place: Place) {
        let from = (place.cell / WORDS * WORDS) + WORDS / 2;
        let block = self.push_block();
        let to = block * WORDS;
        for at in 0..WORDS / 2 {
            let (from, to) = (from + at, to + at);
            self.alive.swap(from, to);
            self.low_keys.swap(from, to);
            self.min_positions.swap(from, to);
            self.shapes.swap(from, to);
            self.sorted.swap(from, to);
            self.numbers.swap(from, to);
            if !self.corners.is_empty() {
                self.corners.swap(from, to);
            }
            self.cells[self.numbers[to] as usize] = to as u32;
        }
        self.counts[from / WORDS] = WORDS as u32 / 2;
        self.counts[block] = WORDS as u32 / 2;
        self.blocks.insert(place.block + 1, block as u32);
        self.block_keys.insert(place.block + 1, self.low_keys[to]);
    }

    /// Moves the upper half of a full word, whose block is not full, into a new word behind it, where slots keep their bits.
    /// Says which bits have moved.
    pub(super) fn split(&mut self, cell: usize, slots: &mut Slots) -> u64 {
        let first = self.slot(cell, 0);
        let mut bits: [usize; SLOTS] = core::array::from_fn(|bit| bit);
        bits.sort_unstable_by(|&a, &b| slots.key(first + a).total_cmp(&slots.key(first + b)));
        let upper = &bits[SLOTS / 2..];
        let moved = upper.iter().fold(0, |moved, bit| moved | 1 << bit);

        let number = self.cells.len();
        let (new, end) = (cell + 1, cell / WORDS * WORDS + WORDS);
        self.alive[new..end].rotate_right(1);
        self.low_keys[new..end].rotate_right(1);
        self.min_positions[new..end].rotate_right(1);
        self.shapes[new..end].rotate_right(1);
        self.sorted[new..end].rotate_right(1);
        self.numbers[new..end].rotate_right(1);
        if !self.corners.is_empty() {
            self.corners[new..end].rotate_right(1);
            self.corners[new] = self.corners[cell].clone();
        }
        self.alive[new] = moved;
        self.alive[cell] &= !moved;
        self.low_keys[new] = slots.key(first + upper[0]);
        self.shapes[new] = self.shapes[cell];
        self.sorted[new] = self.sorted[cell];
        self.numbers[new] = number as u32;
        self.counts[cell / WORDS] += 1;
        self.cells.push(new as u32);
        for cell in new + 1..cell / WORDS * WORDS + self.counts[cell / WORDS] as usize {
            self.cells[self.numbers[cell] as usize] = cell as u32;
        }
        slots.reserve((number + 1) * SLOTS);
        upper.iter().for_each(|bit| slots.relocate(first + bit, number * SLOTS + bit));
        self.refresh(cell, slots);
        self.refresh(new, slots);
        moved
    }

    /// Whether a key, put into the first free slot of a word that is not full, leaves the keys of its slots in order.
    pub(super) fn is_in_order(&self, cell: usize, key: f64, slots: &Slots) -> bool {
        let alive = self.alive[cell];
        let bit = alive.trailing_ones();
        let above = alive.checked_shr(bit + 1).unwrap_or(0);
        let key_of = |bit: u32| slots.key(self.slot(cell, bit));
        (bit == 0 || key_of(bit - 1) <= key) && (above == 0 || key <= key_of(bit + 1 + above.trailing_zeros()))
    }

    /// The first free slot of a word that is not full, now taken by an offer of this shape and place in the list.
    /// `in_order` says that its key is not below that of the slots before it, and that it is the last.
    pub(super) fn take_slot(&mut self, cell: usize, shape: u64, position: u32, in_order: bool) -> usize {
        let bit = self.alive[cell].trailing_ones();
        self.shapes[cell] = if self.alive[cell] == 0 || self.shapes[cell] == shape { shape } else { MIXED };
        self.sorted[cell] &= in_order;
        self.alive[cell] |= 1 << bit;
        self.min_positions[cell] = self.min_positions[cell].min(position);
        self.slot(cell, bit)
    }

    /// Takes note that the first row of a slot stands at an earlier place now.
    pub(super) fn advanced(&mut self, slot: usize, position: u32) {
        let cell = self.cell(slot);
        self.min_positions[cell] = self.min_positions[cell].min(position);
    }

    /// Takes note that the first row of a slot, which stood at `position`, has left it, and, with `empty`, that it was the
    /// only one.
    pub(super) fn left(&mut self, slot: usize, position: u32, empty: bool, slots: &Slots) {
        let cell = self.cell(slot);
        if empty {
            self.alive[cell] &= !(1 << (slot % SLOTS));
        }
        if self.min_positions[cell] >= position {
            self.refresh(cell, slots);
        }
    }

    /// Finds the least place in the list anew.
    fn refresh(&mut self, cell: usize, slots: &Slots) {
        self.min_positions[cell] = slots.first_position(self.number(cell));
    }
}

/// One bit for each thing, set where it holds. Without a branch: what could not be foretold costs no more than what could.
#[inline]
pub(super) fn mask<T>(things: &[T], holds: impl Fn(&T) -> bool) -> u64 {
    things.iter().zip(0..).fold(0, |mask, (thing, bit): (_, u32)| mask | u64::from(holds(thing)) << (bit % u64::BITS))
}

/// The bits that are set, the lowest first.
#[inline]
pub(super) fn bits(mut word: u64) -> impl Iterator<Item = u32> {
    core::iter::from_fn(move || {
        (word != 0).then(|| {
            let bit = word.trailing_zeros();
            word &= word - 1;
            bit
        })
    })
}
