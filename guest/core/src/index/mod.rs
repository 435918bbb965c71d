//! The exact index: the answer of the plain loop at a fraction of its cost.
//!
//! Offers are sorted by a key that does not depend on the task and cut into *words* of 64 slots. A task walks the words
//! from the first that can hold it and stops at the first whose lower bound is above the best score found, so it sees
//! a few words instead of every offer. `DESIGN.md` tells why it looks like this and what was tried instead.
//!
//! What a search passes through: `axes` (offers and tasks as numbers to compare), `nowhere` (demands that are known to fit
//! nowhere), `rows` (bit rows that leave a superset of the feasible slots), `search` (the walk over `words` and `slots`), `bound`
//! (where it stops). `build` makes an index from a ledger.

mod axes;
mod bound;
mod build;
mod nowhere;
mod postings;
mod rows;
mod search;
mod slots;
mod words;

use alloc::vec::Vec;

use crate::feasible::Task;
use crate::ledger::Ledger;
use crate::policy::{Policy, Ranking};
use crate::settings::Mode;

use bound::KeyBound;
use nowhere::Nowhere;
use postings::Postings;
use rows::{Chosen, Rows};
use search::Search;
use slots::Slots;
use words::{SLOTS, Words};

/// The offers of a ledger's list, ready to be searched.
#[derive(Debug, Clone)]
pub(crate) struct Index {
    /// What happens to an offer that takes a task: words are built full where few offers will ever be put into one.
    mode: Mode,
    /// Lower bounds of scores.
    bound: KeyBound,
    /// The words, in the order of their keys.
    words: Words,
    /// The offers in the words.
    slots: Slots,
    /// Which slots can serve which demands and requirements.
    rows: Rows,
    /// Where to look for requirements that are too many for a bit row each.
    postings: Postings,
    /// Demands that fit no offer.
    nowhere: Nowhere,
    /// The attributes by which offers are told apart.
    attributes: Vec<u32>,
    /// How many slots hold an offer.
    occupied: usize,
    /// How many did when the index was built.
    built_slots: usize,
    /// How many words there were when the index was built.
    built_words: usize,
    /// Slots that the bit rows let through in vain since the index was built.
    wasted: usize,
    /// How many of them, for each slot of the index, are put up with until thresholds are drawn anew.
    patience: usize,
    /// What the present task asks on every axis.
    demand: Vec<u64>,
    /// What the present offer has on every axis.
    values: Vec<u64>,
    /// The bit rows that the present task has to pass.
    chosen: Chosen,
}

impl Index {
    /// The row and the score of the offer that a task gets: the answer of the reference.
    pub(crate) fn choose<P: Policy>(
        &mut self,
        ledger: &Ledger,
        task: Task<'_>,
        policy: &P,
        ranking: &Ranking,
    ) -> Option<(usize, f64)> {
        self.demand.clear();
        axes::of_task(task, &mut self.demand);
        self.rows.choose(&mut self.chosen, task, &self.demand, ledger, &self.words, &self.slots);
        if self.nowhere.covers(&self.demand, &self.chosen.requirements) {
            return None;
        }
        if !self.chosen.unfiltered.is_empty() {
            self.postings.prepare(task, &self.chosen.unfiltered, ledger);
            let most = ledger.list().len() / 8;
            if let Some(requirement) = self.postings.shortest(task, &self.chosen.unfiltered, most) {
                return self.postings.choose(requirement, ledger, task, policy, ranking);
            }
        }
        let search = Search {
            words: &self.words,
            slots: &self.slots,
            sieve: self.rows.sieve(&self.chosen, self.words.alive()),
            chosen: &self.chosen,
            demand: &self.demand,
            cost: self.bound.of_task(policy, ranking, &self.demand),
            ledger,
            task,
            policy,
            ranking,
        };
        let found = search.run();
        self.wasted += found.wasted;
        if found.fits_nowhere {
            self.nowhere.add(&self.demand, &self.chosen.requirements);
        }
        found.offer
    }

    /// Takes note that a row has left the list and that, by swap-remove, another one may have moved into its place.
    pub(crate) fn unlisted<P: Policy>(&mut self, row: usize, moved: Option<(usize, u32)>, ledger: &Ledger) {
        if let Some((moved, position)) = moved {
            let slot = self.slots.moved(moved, position);
            self.words.advanced(slot, position);
        }
        self.leave::<P>(row, ledger);
        if 2 * self.occupied < self.built_slots && self.built_slots > SLOTS {
            self.compact::<P>(ledger);
        }
    }

    /// Takes note that a listed row has less than it had.
    pub(crate) fn shrunk<P: Policy>(&mut self, row: usize, ledger: &Ledger, policy: &P, ranking: &Ranking) {
        self.leave::<P>(row, ledger);
        self.insert(row, ledger, policy, ranking);
    }

    /// Takes note that a row has new values, or is new. `listed` says whether it was in the list before.
    pub(crate) fn replaced<P: Policy>(
        &mut self,
        row: usize,
        listed: bool,
        ledger: &Ledger,
        policy: &P,
        ranking: &Ranking,
    ) {
        self.nowhere.clear();
        self.postings.add(row, ledger);
        if listed {
            self.leave::<P>(row, ledger);
        }
        self.insert(row, ledger, policy, ranking);
    }

    /// Takes a row out of its slot.
    fn leave<P: Policy>(&mut self, row: usize, ledger: &Ledger) {
        let (slot, position, empty) = self.slots.leave(row, ledger.list());
        self.words.left(slot, position, empty, &self.slots);
        if empty {
            self.words.tighten::<P>(self.words.place(slot).0, &self.slots, ledger);
        }
        self.occupied -= usize::from(empty);
    }

    /// Puts a listed row into a slot of its own, in the word of its key.
    fn insert<P: Policy>(&mut self, row: usize, ledger: &Ledger, policy: &P, ranking: &Ranking) {
        if self.words.len() > 2 * self.built_words + 8 {
            self.compact::<P>(ledger);
        }
        let Some(position) = ledger.position(row) else { return };
        self.values.clear();
        axes::of_offer(ledger, row, &mut self.values);
        let key = self.bound.of_offer(policy, ranking, &self.values);
        if self.words.len() == 0 {
            let first_slot = self.words.push(key);
            self.slots.reserve(first_slot + SLOTS);
            self.rows.push_word();
        }
        let mut rank = self.words.rank(key);
        if self.words.is_full(rank) {
            let moved = self.words.split(rank, &mut self.slots);
            self.rows.split(rank, &moved);
            self.words.tighten::<P>(rank, &self.slots, ledger);
            self.words.tighten::<P>(rank + 1, &self.slots, ledger);
            rank = self.words.rank(key);
        }
        let shape = self.slots.new_shape();
        let slot = self.words.take_slot(rank, shape, position, false);
        self.rows.set((rank, slot % SLOTS), self.slots.values(slot), &self.values, row, ledger);
        self.slots.put(slot, &self.values, key, shape, &[position], ledger.list());
        self.words.cover::<P>(slot, &self.values, row, ledger);
        self.occupied += 1;
    }
}
