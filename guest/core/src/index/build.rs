//! Makes an index from a ledger.

use alloc::vec::Vec;
use core::cmp::Ordering;

use crate::ledger::Ledger;
use crate::policy::{Policy, Ranking};
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
    pub(super) fn rebuild<P: Policy>(&mut self, ledger: &Ledger, policy: &P, ranking: &Ranking) {
        let width = ledger.shape().dimensions as usize + axes::DEVICE_AXES;
        let mut values = Vec::with_capacity(ledger.list().len() * width);
        for &row in ledger.list() {
            axes::of_offer(ledger, row as usize, &mut values);
        }
        let values = |position: u32| &values[position as usize * width..(position as usize + 1) * width];
        // Keys are not negative, so their bits are in their order.
        let keyed =
            (0..ledger.list().len() as u32).map(|at| (self.bound.of_offer(policy, ranking, values(at)).to_bits(), at));
        let mut order: Vec<(u64, u32)> = keyed.collect();
        order.sort_unstable();

        self.words = Words::default();
        self.slots = Slots::new(width, ledger.rows());
        self.slots.reserve(order.len().next_multiple_of(SLOTS));
        self.occupied = 0;
        let filled = if self.mode == Mode::Exclusive { SLOTS } else { FILLED };
        let mut positions: Vec<u32> = Vec::new();
        for run in order.chunk_by_mut(|a, b| a.0 == b.0) {
            let key = f64::from_bits(run[0].0);
            let compare = |a: u32, b: u32| compare(&self.attributes, ledger, (a, values(a)), (b, values(b)));
            if run.iter().any(|&(_, position)| compare(run[0].1, position) != (Ordering::Equal, Ordering::Equal)) {
                run.sort_unstable_by(|&(_, a), &(_, b)| {
                    let (shape, attributes) = compare(a, b);
                    shape.then(attributes).then(a.cmp(&b))
                });
            }
            let mut shape = self.slots.new_shape();
            let mut before = run[0].1;
            for group in run.chunk_by(|a, b| compare(a.1, b.1) == (Ordering::Equal, Ordering::Equal)) {
                let first = group[0].1;
                if compare(before, first).0 != Ordering::Equal {
                    shape = self.slots.new_shape();
                }
                before = first;
                positions.clear();
                positions.extend(group.iter().map(|&(_, position)| position));
                if self.occupied.is_multiple_of(filled) {
                    let first_slot = self.words.push(key);
                    self.slots.reserve(first_slot + SLOTS);
                }
                let slot = self.words.take_slot(self.words.len() - 1, shape, first);
                self.slots.put(slot, values(first), key, shape, &positions, ledger.list());
                self.occupied += 1;
            }
        }
        self.rows.fill(&self.words, &self.slots);
        self.built_slots = self.occupied;
        self.built_words = self.words.len();
        self.wasted = 0;
    }
}

/// How two offers of one key compare, by what they have and by these attributes. An offer is its place in the list and its
/// row of axes.
fn compare(attributes: &[u32], ledger: &Ledger, a: (u32, &[u64]), b: (u32, &[u64])) -> (Ordering, Ordering) {
    let [one, other] = [a.0, b.0].map(|position| ledger.list()[position as usize] as usize);
    let shape = a.1.cmp(b.1).then_with(|| ledger.capacity(one).cmp(ledger.capacity(other)));
    let by_attribute =
        attributes.iter().map(|&attribute| ledger.attribute(one, attribute).cmp(&ledger.attribute(other, attribute)));
    (shape, by_attribute.fold(Ordering::Equal, Ordering::then))
}
