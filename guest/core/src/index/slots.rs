//! The offers in the words: identical ones share a slot.

use alloc::collections::BinaryHeap;
use alloc::vec;
use alloc::vec::Vec;
use core::cmp::Reverse;

use super::words::SLOTS;

/// The shape of no slot.
pub(super) const NO_SHAPE: u64 = u64::MAX;
/// The shape of a word whose slots differ in shape.
pub(super) const MIXED: u64 = u64::MAX - 1;
/// The group of a row that is in no slot.
const NO_GROUP: u32 = u32::MAX;

/// The offers in the slots.
#[derive(Debug, Clone, Default)]
pub(super) struct Slots {
    /// Numbers of a row of axes.
    width: usize,
    /// What the offers of each slot have: `slots x axes`.
    values: Vec<u64>,
    /// The lowered key of each slot's offers.
    keys: Vec<f64>,
    /// Slots of one shape have equal values, and so equal scores.
    shapes: Vec<u64>,
    /// The place in the list of each slot's first row.
    positions: Vec<u32>,
    /// The group in each slot.
    group_in: Vec<u32>,
    /// The groups; a free one has no members.
    groups: Vec<Group>,
    /// The groups that are free.
    free_groups: Vec<u32>,
    /// The group of each row.
    group_of: Vec<u32>,
    /// The next shape.
    next_shape: u64,
}

/// Offers that nobody can tell apart but by their place in the list.
#[derive(Debug, Clone, Default)]
struct Group {
    /// The slot it is in.
    slot: usize,
    /// How many rows it has.
    members: u32,
    /// The places of its rows in the list, and some where they stood before. Empty for a group that has had one row only.
    positions: BinaryHeap<Reverse<u32>>,
}

impl Group {
    /// Drops places where no row of the group stands any more, and returns the first of the others.
    fn first(&mut self, group: u32, group_of: &[u32], list: &[u32]) -> u32 {
        while let Some(&Reverse(position)) = self.positions.peek() {
            if list.get(position as usize).is_some_and(|&row| group_of[row as usize] == group) {
                return position;
            }
            self.positions.pop();
        }
        u32::MAX
    }
}

/// The slots of one word, at hand for a search.
pub(super) struct Word<'a> {
    /// The lowered key of each slot.
    pub(super) keys: &'a [f64; SLOTS],
    /// The shape of each slot.
    pub(super) shapes: &'a [u64; SLOTS],
    /// The place in the list of each slot's first row.
    pub(super) positions: &'a [u32; SLOTS],
    /// What the offers of each slot have.
    values: &'a [u64],
    /// Numbers of a row of axes.
    width: usize,
}

impl Word<'_> {
    /// What the offers of a slot have.
    #[inline]
    pub(super) fn values(&self, slot: usize) -> &[u64] {
        &self.values[slot * self.width..][..self.width]
    }

    /// Whether a slot's offers have what is asked, requirements aside.
    #[inline]
    pub(super) fn serves(&self, slot: usize, demand: &[u64]) -> bool {
        self.values(slot).iter().zip(demand).all(|(has, asked)| asked <= has)
    }
}

impl Slots {
    /// No slots, for a ledger of this many rows.
    pub(super) fn new(width: usize, rows: usize) -> Self {
        Self { width, group_of: vec![NO_GROUP; rows], ..Self::default() }
    }

    /// Makes room for this many slots.
    pub(super) fn reserve(&mut self, slots: usize) {
        self.values.resize(slots * self.width, 0);
        self.keys.resize(slots, 0.0);
        self.shapes.resize(slots, NO_SHAPE);
        self.positions.resize(slots, u32::MAX);
        self.group_in.resize(slots, NO_GROUP);
    }

    /// What the offers of a slot have.
    pub(super) fn values(&self, slot: usize) -> &[u64] {
        &self.values[slot * self.width..(slot + 1) * self.width]
    }

    /// The lowered key of a slot.
    pub(super) fn key(&self, slot: usize) -> f64 {
        self.keys[slot]
    }

    /// The shape of a slot.
    pub(super) fn shape(&self, slot: usize) -> u64 {
        self.shapes[slot]
    }

    /// The place in the list of a slot's first row.
    pub(super) fn position(&self, slot: usize) -> u32 {
        self.positions[slot]
    }

    /// The slots of a word, by its number. `width` is the numbers of a row of axes, for a caller that knows it when it is compiled.
    #[inline]
    pub(super) fn word(&self, number: usize, width: usize) -> Word<'_> {
        Word {
            keys: &self.keys.as_chunks().0[number],
            shapes: &self.shapes.as_chunks().0[number],
            positions: &self.positions.as_chunks().0[number],
            values: &self.values[number * SLOTS * width..(number + 1) * SLOTS * width],
            width,
        }
    }

    /// A shape that no slot has.
    pub(super) fn new_shape(&mut self) -> u64 {
        self.next_shape += 1;
        self.next_shape
    }

    /// Puts rows that nobody can tell apart into an empty slot. `positions` are their places in the list, rising.
    pub(super) fn put(&mut self, slot: usize, values: &[u64], key: f64, shape: u64, positions: &[u32], list: &[u32]) {
        self.values[slot * self.width..(slot + 1) * self.width].copy_from_slice(values);
        let group = self.free_groups.pop().unwrap_or_else(|| {
            self.groups.push(Group::default());
            self.groups.len() as u32 - 1
        });
        self.keys[slot] = key;
        self.shapes[slot] = shape;
        self.positions[slot] = positions[0];
        self.group_in[slot] = group;
        let new = &mut self.groups[group as usize];
        new.slot = slot;
        new.members = positions.len() as u32;
        if positions.len() > 1 {
            new.positions.extend(positions.iter().copied().map(Reverse));
        }
        for &position in positions {
            let row = list[position as usize] as usize;
            if row >= self.group_of.len() {
                self.group_of.resize(row + 1, NO_GROUP);
            }
            self.group_of[row] = group;
        }
    }

    /// Moves what is in a slot to another one.
    pub(super) fn relocate(&mut self, from: usize, to: usize) {
        self.values.copy_within(from * self.width..(from + 1) * self.width, to * self.width);
        self.keys[to] = self.keys[from];
        self.shapes[to] = self.shapes[from];
        self.positions[to] = self.positions[from];
        self.group_in[to] = self.group_in[from];
        self.groups[self.group_in[to] as usize].slot = to;
    }

    /// Lays the slots out anew: each pair is a slot and its new place, and there are `slots` places.
    pub(super) fn relay(&mut self, moves: &[(usize, usize)], slots: usize) {
        let width = self.width;
        let old = Self {
            values: core::mem::take(&mut self.values),
            keys: core::mem::take(&mut self.keys),
            shapes: core::mem::take(&mut self.shapes),
            positions: core::mem::take(&mut self.positions),
            group_in: core::mem::take(&mut self.group_in),
            ..Self::default()
        };
        self.reserve(slots);
        for &(from, to) in moves {
            self.values[to * width..(to + 1) * width].copy_from_slice(&old.values[from * width..(from + 1) * width]);
            self.keys[to] = old.keys[from];
            self.shapes[to] = old.shapes[from];
            self.positions[to] = old.positions[from];
            self.group_in[to] = old.group_in[from];
            self.groups[self.group_in[to] as usize].slot = to;
        }
    }

    /// Takes note that a row stands at an earlier place now, and returns its slot.
    pub(super) fn moved(&mut self, row: usize, position: u32) -> usize {
        let group = &mut self.groups[self.group_of[row] as usize];
        let first = &mut self.positions[group.slot];
        if group.members == 1 && group.positions.is_empty() {
            *first = position;
        } else {
            if group.positions.peek() != Some(&Reverse(position)) {
                group.positions.push(Reverse(position));
            }
            *first = position.min(*first);
        }
        group.slot
    }

    /// Takes a row out of its slot, after the list has been brought up to date. Returns the slot, the place of its first
    /// row before, and whether it is empty now.
    pub(super) fn leave(&mut self, row: usize, list: &[u32]) -> (usize, u32, bool) {
        let group_number = core::mem::replace(&mut self.group_of[row], NO_GROUP);
        let group = &mut self.groups[group_number as usize];
        let first = &mut self.positions[group.slot];
        let before = *first;
        group.members -= 1;
        if group.members == 0 {
            group.positions.clear();
            self.free_groups.push(group_number);
        } else {
            *first = group.first(group_number, &self.group_of, list);
        }
        (group.slot, before, group.members == 0)
    }
}
