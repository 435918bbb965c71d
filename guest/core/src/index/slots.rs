//! The offers in the words: identical ones share a slot.

use alloc::vec;
use alloc::vec::Vec;

/// Slots of a word.
pub(super) const SLOTS: usize = u64::BITS as usize;
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
    /// The place in the list of each slot's first row; as large as can be where there is none.
    positions: Vec<u32>,
    /// The attributes by which offers are told apart.
    attributes: Vec<Attribute>,
    /// The group in each slot.
    group_in: Vec<u32>,
    /// The groups; a free one has no members.
    groups: Vec<Group>,
    /// The groups that are free.
    free_groups: Vec<u32>,
    /// The rows of each group side by side, as a heap by their places in the list.
    members: Vec<Member>,
    /// The places in `members` that are free.
    free_members: Vec<u32>,
    /// Where each row is.
    rows: Vec<Membership>,
    /// The next shape.
    next_shape: u64,
}

/// An attribute by which offers are told apart.
#[derive(Debug, Clone)]
struct Attribute {
    /// Which attribute.
    number: u32,
    /// Its value in the offers of each slot.
    values: Vec<u32>,
}

/// Offers that nobody can tell apart but by their place in the list.
#[derive(Debug, Clone, Copy)]
struct Group {
    /// The slot it is in.
    slot: u32,
    /// Where its rows begin in `members`.
    begin: u32,
    /// How many rows it has.
    count: u32,
}

/// A row of a group. The first in the list is the least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Member(u64);

impl Member {
    /// A row at a place in the list.
    fn new(position: u32, row: u32) -> Self {
        Self(u64::from(position) << u32::BITS | u64::from(row))
    }

    /// The place in the list.
    fn position(self) -> u32 {
        (self.0 >> u32::BITS) as u32
    }

    /// The row.
    fn row(self) -> usize {
        self.0 as u32 as usize
    }
}

/// Where a row is.
#[derive(Debug, Clone, Copy)]
struct Membership {
    /// Its group.
    group: u32,
    /// Its place in `members`.
    at: u32,
}

/// The membership of a row that is in no slot.
const NO_MEMBER: Membership = Membership { group: NO_GROUP, at: 0 };

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
    /// Room for so many slots, and for the rows of a list in groups: `group_of` tells the group of each place in the list.
    pub(super) fn new(
        (width, attributes): (usize, &[u32]),
        slots: usize,
        rows: usize,
        list: &[u32],
        group_of: &[u32],
        groups: usize,
    ) -> Self {
        let attributes = attributes.iter().map(|&number| Attribute { number, values: Vec::new() }).collect();
        let mut new = Self { width, attributes, rows: vec![NO_MEMBER; rows], ..Self::default() };
        new.reserve(slots);
        new.groups.resize(groups, Group { slot: 0, begin: 0, count: 0 });
        group_of.iter().for_each(|&group| new.groups[group as usize].count += 1);
        let mut begin = 0;
        for group in &mut new.groups {
            group.begin = begin;
            begin += core::mem::take(&mut group.count);
        }
        // Places rise, and what rises is a heap.
        new.members.resize(list.len(), Member(0));
        for ((&row, &number), position) in list.iter().zip(group_of).zip(0..) {
            let group = &mut new.groups[number as usize];
            let at = group.begin + group.count;
            group.count += 1;
            new.members[at as usize] = Member::new(position, row);
            new.rows[row as usize] = Membership { group: number, at };
        }
        new
    }

    /// Makes room for this many slots.
    pub(super) fn reserve(&mut self, slots: usize) {
        resize(&mut self.values, slots * self.width);
        resize(&mut self.keys, slots);
        self.shapes.resize(slots, NO_SHAPE);
        self.positions.resize(slots, u32::MAX);
        self.group_in.resize(slots, NO_GROUP);
        self.attributes.iter_mut().for_each(|attribute| resize(&mut attribute.values, slots));
    }

    /// The value of an attribute, by which offers are told apart, in each slot of each word, by its number.
    pub(super) fn attribute(&self, number: u32) -> &[[u32; SLOTS]] {
        let attribute = self.attributes.iter().find(|attribute| attribute.number == number);
        attribute.map_or(&[], |attribute| attribute.values.as_chunks().0)
    }

    /// Takes note of the attributes of the offers in a slot.
    pub(super) fn set_attributes(&mut self, slot: usize, of: impl Fn(u32) -> u32) {
        self.attributes.iter_mut().for_each(|attribute| attribute.values[slot] = of(attribute.number));
    }

    /// What the offers of a slot have.
    #[inline]
    pub(super) fn values(&self, slot: usize) -> &[u64] {
        &self.values[slot * self.width..(slot + 1) * self.width]
    }

    /// The lowered key of a slot.
    pub(super) fn key(&self, slot: usize) -> f64 {
        self.keys[slot]
    }

    /// Whether a row is in a slot with this lowered key.
    pub(super) fn has(&self, row: usize, key: f64) -> bool {
        let group = self.groups.get(self.rows[row].group as usize);
        group.is_some_and(|group| self.keys[group.slot as usize] == key)
    }

    /// The slot that a row is in.
    pub(super) fn slot_of(&self, row: usize) -> usize {
        self.groups[self.rows[row].group as usize].slot as usize
    }

    /// The place in the list of the first row of a slot that a rule admits.
    pub(super) fn first_admitted(&self, slot: usize, admits: impl Fn(usize) -> bool) -> Option<u32> {
        let group = self.groups[self.group_in[slot] as usize];
        let members = &self.members[group.begin as usize..(group.begin + group.count) as usize];
        let mut first: Option<Member> = None;
        // What is below an admitted member of the heap comes behind it.
        let mut open = vec![0];
        while let Some(at) = open.pop() {
            let Some(&member) = members.get(at).filter(|&&member| first.is_none_or(|first| member < first)) else {
                continue;
            };
            if admits(member.row()) {
                first = Some(member);
            } else {
                open.extend([2 * at + 1, 2 * at + 2]);
            }
        }
        first.map(Member::position)
    }

    /// The shape of a slot.
    pub(super) fn shape(&self, slot: usize) -> u64 {
        self.shapes[slot]
    }

    /// The place in the list of a slot's first row.
    pub(super) fn position(&self, slot: usize) -> u32 {
        self.positions[slot]
    }

    /// The least place in the list of any row of a word, by its number.
    pub(super) fn first_position(&self, number: usize) -> u32 {
        self.positions.as_chunks::<SLOTS>().0[number].iter().fold(u32::MAX, |first, &position| first.min(position))
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

    /// Takes note that no new shape may be below this.
    pub(super) fn reserve_shapes(&mut self, shapes: u64) {
        self.next_shape = shapes;
    }

    /// Makes a group of one row, at a place in the list.
    pub(super) fn group_of_one(&mut self, row: usize, position: u32) -> u32 {
        let at = self.free_members.pop().unwrap_or_else(|| {
            self.members.push(Member(0));
            self.members.len() as u32 - 1
        });
        let group = Group { slot: 0, begin: at, count: 1 };
        let number = if let Some(number) = self.free_groups.pop() {
            self.groups[number as usize] = group;
            number
        } else {
            self.groups.push(group);
            self.groups.len() as u32 - 1
        };
        self.members[at as usize] = Member::new(position, row as u32);
        if row >= self.rows.len() {
            self.rows.resize(row + 1, NO_MEMBER);
        }
        self.rows[row] = Membership { group: number, at };
        number
    }

    /// Puts a group into an empty slot.
    pub(super) fn put(&mut self, slot: usize, values: &[u64], key: f64, shape: u64, group: u32) {
        let place = &mut self.values[slot * self.width..(slot + 1) * self.width];
        place.iter_mut().zip(values).for_each(|(place, value)| *place = *value);
        let in_slot = &mut self.groups[group as usize];
        in_slot.slot = slot as u32;
        self.keys[slot] = key;
        self.shapes[slot] = shape;
        self.positions[slot] = self.members[in_slot.begin as usize].position();
        self.group_in[slot] = group;
    }

    /// Moves what is in a slot to another one.
    pub(super) fn relocate(&mut self, from: usize, to: usize) {
        for axis in 0..self.width {
            self.values[to * self.width + axis] = self.values[from * self.width + axis];
        }
        self.keys[to] = self.keys[from];
        self.shapes[to] = self.shapes[from];
        self.positions[to] = core::mem::replace(&mut self.positions[from], u32::MAX);
        self.attributes.iter_mut().for_each(|attribute| attribute.values[to] = attribute.values[from]);
        self.group_in[to] = self.group_in[from];
        self.groups[self.group_in[to] as usize].slot = to as u32;
    }

    /// Lays the slots out anew: each pair is a slot and its new place, and there are `slots` places.
    pub(super) fn relay(&mut self, moves: &[(u32, u32)], slots: usize) {
        let old = Self {
            values: core::mem::take(&mut self.values),
            keys: core::mem::take(&mut self.keys),
            shapes: core::mem::take(&mut self.shapes),
            group_in: core::mem::take(&mut self.group_in),
            attributes: self.attributes.clone(),
            width: self.width,
            ..Self::default()
        };
        self.positions.clear();
        self.reserve(slots);
        for &(from, to) in moves {
            let from = from as usize;
            self.put(to as usize, old.values(from), old.keys[from], old.shapes[from], old.group_in[from]);
            for (new, old) in self.attributes.iter_mut().zip(&old.attributes) {
                new.values[to as usize] = old.values[from];
            }
        }
    }

    /// Takes note that a row stands at the place of one that is about to leave, and returns its slot.
    pub(super) fn moved(&mut self, row: usize, position: u32, leaving: usize) -> usize {
        let Membership { group, at } = self.rows[row];
        let Group { slot, begin, .. } = self.groups[group as usize];
        let left = self.rows[leaving];
        if left.group == group {
            // They change places in the heap, too: the one that leaves does so from far below, where little has to move.
            let old = self.members[at as usize];
            self.set_member(left.at, Member::new(position, row as u32));
            self.set_member(at, Member::new(old.position(), leaving as u32));
        } else if self.rise(begin, at, Member::new(position, row as u32)) == begin {
            self.positions[slot as usize] = position;
        }
        slot as usize
    }

    /// Takes a row out of its slot. Returns the slot, the place of its first row before, and whether it is empty now.
    pub(super) fn leave(&mut self, row: usize) -> (usize, u32, bool) {
        let Membership { group: number, at } = core::mem::replace(&mut self.rows[row], NO_MEMBER);
        let group = &mut self.groups[number as usize];
        group.count -= 1;
        let Group { slot, begin, count } = *group;
        let slot = slot as usize;
        let before = self.positions[slot];
        let end = begin + count;
        self.free_members.push(end);
        if count == 0 {
            self.free_groups.push(number);
            self.positions[slot] = u32::MAX;
            return (slot, before, true);
        }
        if at != end {
            // The last one takes its place, and from there goes where it belongs.
            let last = self.members[end as usize];
            let at = self.rise(begin, at, last);
            self.sink(begin, end, at);
        }
        self.positions[slot] = self.members[begin as usize].position();
        (slot, before, false)
    }

    /// Puts a member at a place in a heap, or above it, where it belongs. Returns where.
    fn rise(&mut self, begin: u32, mut at: u32, member: Member) -> u32 {
        while at > begin {
            let above = begin + (at - begin - 1) / 2;
            let other = self.members[above as usize];
            if other < member {
                break;
            }
            self.set_member(at, other);
            at = above;
        }
        self.set_member(at, member);
        at
    }

    /// Moves a member of a heap down to where it belongs.
    fn sink(&mut self, begin: u32, end: u32, mut at: u32) {
        let member = self.members[at as usize];
        loop {
            let mut below = begin + 2 * (at - begin) + 1;
            if below + 1 < end && self.members[below as usize + 1] < self.members[below as usize] {
                below += 1;
            }
            if below >= end || member < self.members[below as usize] {
                break;
            }
            self.set_member(at, self.members[below as usize]);
            at = below;
        }
        self.set_member(at, member);
    }

    /// Writes a member to a place.
    fn set_member(&mut self, at: u32, member: Member) {
        self.members[at as usize] = member;
        self.rows[member.row()].at = at;
    }
}

/// Makes room for so many numbers, new ones zero. An empty column is made anew: large ones come from the system as zeros.
fn resize<T: Copy + Default>(column: &mut Vec<T>, length: usize) {
    if column.is_empty() {
        *column = vec![T::default(); length];
    } else {
        column.resize(length, T::default());
    }
}
