//! The exact index: the answer of the plain loop at a fraction of its cost.
//!
//! Offers are sorted by a key that does not depend on the task and cut into *words* of 64 slots. A task walks the words
//! from the first that can hold it and stops at the first whose lower bound is above the best score found, so it sees
//! a few words instead of every offer. `DESIGN.md` tells why it looks like this and what was tried instead.
//!
//! What a search passes through: `axes` (offers and tasks as numbers to compare), `asks` (what is known of demands that came
//! before, but for `arrivals` since), `nowhere` (demands that are known to fit nowhere), `rows` (bit rows that leave a superset of the feasible slots), `search` (the walk over `words` and `slots`), `bound`
//! (where it stops). `build` makes an index from a ledger.

mod arrivals;
mod asks;
mod axes;
mod bound;
mod build;
mod estimates;
mod features;
mod nowhere;
mod postings;
mod requirements;
mod rows;
mod search;
mod shelves;
mod slots;
mod within;
mod words;

use alloc::vec::Vec;

use crate::feasible::Task;
use crate::ledger::Ledger;
use crate::mode::Mode;
use crate::policy::{Leftover, Policy, Ranking};

use arrivals::Arrivals;
use asks::{Ask, Asks};
use axes::{Axes, Measured};
use bound::KeyBound;
use features::{Features, Room};
use nowhere::Nowhere;
use postings::{Postings, RARE};
use requirements::Offers;
use rows::{Chosen, Rows};
use search::{Nothing, Search};
use slots::{SLOTS, Slots};
use words::{WORDS, Words};

pub(crate) use shelves::{Floors, SLACK, Seek, Shelves};
pub(crate) use within::{Among, Want};

/// The index is compacted when but one slot in so many holds an offer still.
const SPARSE: usize = 4;
/// So many arrivals cost about as much to look at as a block.
const ARRIVALS_WORTH_A_BLOCK: u64 = 4;

/// The offers of a ledger's list, ready to be searched.
#[derive(Debug, Clone)]
pub(crate) struct Index {
    /// What happens to an offer that takes a task: words are built full where few offers will ever be put into one.
    mode: Mode,
    /// What rows of axes consist of.
    axes: Axes,
    /// Lower bounds of scores.
    bound: KeyBound,
    /// The words, in the order of their keys.
    words: Words,
    /// The offers in the words.
    slots: Slots,
    /// What scores are estimated from, where a policy does that.
    features: Features,
    /// Room for a walk by estimates.
    room: Room,
    /// Those of the present offer.
    present: Vec<f64>,
    /// Which slots can serve which demands and requirements.
    rows: Rows,
    /// Where to look for requirements that are too many for a bit row each.
    postings: Postings,
    /// Demands that fit no offer.
    nowhere: Nowhere,
    /// What is known of demands.
    asks: Asks,
    /// The offers that have come of late.
    arrivals: Arrivals,
    /// Those of them that serve the present task.
    arrived: Vec<u32>,
    /// Grows whenever an offer has grown or has come.
    grown: u64,
    /// The attributes by which offers are told apart.
    attributes: Vec<u32>,
    /// The measures that have an axis.
    measured: Vec<Measured>,
    /// Room for what is known of one task.
    want: Want,
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
    /// What the present offer has on every axis.
    values: Vec<u64>,
    /// The bit rows of the present task's requirements.
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
        if !task.table.requirement_weights.is_empty() && task.preferred().next().is_some() {
            return self.choose_within(ledger, task, policy, ranking, None);
        }
        let place = self.know(ledger, task, policy, ranking)?;
        if self.asks.is_refused(place, &self.chosen.requirements, &self.nowhere) {
            self.refuse(place);
            return None;
        }
        let ask = *self.asks.ask(place);
        let (asked, rows) = self.asks.columns(place);
        if !self.chosen.unfiltered.is_empty() {
            self.postings.prepare(task, &self.chosen.unfiltered, ledger);
            let most = (ledger.list().len() / 8).max(RARE);
            if let Some(requirement) = self.postings.shortest(task, &self.chosen.unfiltered, most) {
                return self.postings.choose(requirement, ledger, task, policy, ranking);
            }
        }
        let search = Search {
            words: &self.words,
            slots: &self.slots,
            features: &self.features,
            sieve: self.rows.sieve(rows, &self.chosen.requirements, self.words.alive()),
            chosen: &self.chosen,
            axes: self.axes,
            asked,
            ask,
            ledger,
            task,
            policy,
            ranking,
            is_flat: self.bound.is_flat,
            extra: Nothing,
        };
        let mut arrived = core::mem::take(&mut self.arrived);
        let start = if !P::ESTIMATES { self.start(ask, asked, &mut arrived) } else { 0 };
        let mut room = Room::default();
        if P::ESTIMATES {
            room = core::mem::take(&mut self.room).of(self.features.width());
        }
        let found = search.run(start, &arrived, (ranking.max_score, 0), &mut room);
        self.wasted += found.wasted;
        // An offer comes to be used while nothing grows.
        if found.fits_nowhere && !task.used {
            self.nowhere.add(asked, &self.chosen.requirements);
        }
        if P::ESTIMATES {
            self.room = room;
            self.asks.ask(place).likely = found.first as u32;
            return found.offer;
        }
        // What has come and serves the demand, and is not taken now, has to be found again.
        let is_taken = |row: &u32| found.offer.is_some_and(|(taken, _)| taken == *row as usize);
        if self.chosen.requirements.is_empty() && arrived.iter().all(is_taken) {
            let ask = self.asks.ask(place);
            ask.least_key = self.words.block_keys().get(found.first).copied().unwrap_or(f64::INFINITY);
            ask.seen = self.arrivals.count();
        }
        self.arrived = arrived;
        found.offer
    }

    /// Finds out what is known of a task's demand, and the rows of its requirements. The place of the demand, or none where it
    /// is known that no offer serves it.
    #[inline(always)]
    fn know<P: Policy>(&mut self, ledger: &Ledger, task: Task<'_>, policy: &P, ranking: &Ranking) -> Option<usize> {
        if task.devices > 0 && !self.axes.devices {
            return None;
        }
        let place = self.asks.place(&self.measured, task);
        if !self.asks.is(place, &self.measured, task) {
            let Self { asks, rows, bound, arrivals, measured, .. } = self;
            asks.keep(place, (measured, task), arrivals.count(), |asked, chosen| {
                let (count, exact) = rows.of_demand(asked, chosen);
                (count, exact, bound.of_task(policy, ranking, asked))
            });
        }
        if self.asks.ask(place).refused == self.grown {
            return None;
        }
        self.chosen.requirements.clear();
        self.chosen.unfiltered.clear();
        if !task.table.requirements(task.row).is_empty() {
            let Self { rows, chosen, postings, words, slots, axes, .. } = self;
            let offers = Offers { words, slots, ledger, measures: axes.quantities() };
            let chosen = (&mut chosen.requirements, &mut chosen.unfiltered);
            rows.requirements.of_task(chosen, task, postings, &offers);
        }
        Some(place)
    }

    /// Takes note that no offer serves the demand at a place.
    fn refuse(&mut self, place: usize) {
        if self.chosen.requirements.is_empty() {
            self.asks.ask(place).refused = self.grown;
        }
    }

    /// The place of a block before which nothing serves a demand but these rows, which have `arrived` of late.
    fn start(&self, ask: Ask, asked: &[u64], arrived: &mut Vec<u32>) -> usize {
        arrived.clear();
        let possible = self.words.first(ask.cost.least_key);
        if ask.least_key <= ask.cost.least_key {
            return possible;
        }
        let learned = self.words.first(ask.least_key);
        // Where few blocks are to be passed over, looking at what has come since would cost more.
        if learned.saturating_sub(possible) as u64 <= self.arrivals.since(ask.seen) / ARRIVALS_WORTH_A_BLOCK {
            return possible;
        }
        let is_known = self.arrivals.serving(ask.seen, ask.least_key, asked, &self.slots, arrived);
        if is_known { learned } else { possible }
    }

    /// Takes note that a row has left the list and that, by swap-remove, another one may have moved into its place.
    pub(crate) fn unlisted<P: Policy>(
        &mut self,
        row: usize,
        moved: Option<(usize, u32)>,
        ledger: &Ledger,
        (policy, ranking): (&P, &Ranking),
    ) {
        if let Some((moved, position)) = moved.filter(|_| !self.bound.is_flat) {
            let slot = self.slots.moved(moved, position, row);
            self.words.advanced(slot, position);
        }
        self.leave::<P>(row, ledger);
        if let Some((moved, _)) = moved.filter(|_| self.bound.is_flat) {
            // It has another key.
            self.leave::<P>(moved, ledger);
            self.insert(moved, ledger, policy, ranking);
        }
        if SPARSE * self.occupied < self.built_slots && self.built_slots > SLOTS {
            self.compact::<P>(ledger);
        }
    }

    /// Takes note that a listed row has less than it had.
    pub(crate) fn shrunk<P: Policy>(&mut self, row: usize, ledger: &Ledger, policy: &P, ranking: &Ranking) {
        self.leave::<P>(row, ledger);
        self.insert(row, ledger, policy, ranking);
    }

    /// Whether a row can be put into the index: one with devices comes into an index that has no axes for them only when it
    /// is made anew.
    pub(crate) fn can_hold(&self, row: usize, ledger: &Ledger) -> bool {
        self.axes.devices || ledger.devices(row).is_empty()
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
        self.grown += 1;
        self.postings.add(row, ledger);
        if listed {
            self.leave::<P>(row, ledger);
        }
        self.insert(row, ledger, policy, ranking);
    }

    /// Takes a row out of its slot.
    fn leave<P: Policy>(&mut self, row: usize, ledger: &Ledger) {
        let (slot, position, empty) = self.slots.leave(row);
        self.words.left(slot, position, empty, &self.slots);
        if empty {
            if P::ESTIMATES {
                self.features.clear(slot, &self.words);
            }
            self.words.tighten::<P>(self.words.cell(slot), &self.slots, ledger);
        }
        self.occupied -= usize::from(empty);
    }

    /// Puts a listed row into a slot of its own, in the word of its key.
    fn insert<P: Policy>(&mut self, row: usize, ledger: &Ledger, policy: &P, ranking: &Ranking) {
        if self.words.len() > 2 * self.built_words + WORDS {
            self.compact::<P>(ledger);
        }
        let Some(position) = ledger.position(row) else { return };
        self.values.clear();
        self.axes.of_offer(&self.measured, ledger, row, &mut self.values);
        let key = self.key((row, position), ledger, policy, ranking);
        if self.words.len() == 0 {
            self.words.push(key);
            self.slots.reserve(SLOTS);
            self.rows.push_block();
        }
        let mut place = self.words.place(key);
        if self.words.is_full(place.cell) {
            if self.words.is_block_full(place.cell) {
                self.words.split_block(place);
                self.rows.split_block(place.cell / WORDS);
                if P::ESTIMATES {
                    self.features.refresh(self.words.block_count() - 1, &self.words);
                    self.features.refresh(place.cell / WORDS, &self.words);
                }
                place = self.words.place(key);
            }
            let moved = self.words.split(place.cell, &mut self.slots);
            self.rows.split(place.cell, moved);
            if P::ESTIMATES {
                self.features.split(self.words.number(place.cell), self.words.len() - 1, moved, &self.words);
                self.features.refresh(place.cell / WORDS, &self.words);
            }
            self.words.tighten::<P>(place.cell, &self.slots, ledger);
            self.words.tighten::<P>(place.cell + 1, &self.slots, ledger);
            place = self.words.place(key);
        }
        self.words.lower(place, key);
        self.arrivals.add(row, key, &self.values);
        let shape = self.slots.new_shape();
        let in_order = self.bound.is_flat && self.words.is_in_order(place.cell, key, &self.slots);
        let slot = self.words.take_slot(place.cell, shape, position, in_order);
        let bit = 1 << (slot % SLOTS);
        let offers = Offers { words: &self.words, slots: &self.slots, ledger, measures: self.axes.quantities() };
        self.rows.set(slot, (place.cell, bit), row, &self.values, &offers);
        let group = self.slots.group_of_one(row, position);
        self.slots.put(slot, &self.values, key, shape, group);
        self.slots.set_attributes(slot, |attribute| ledger.attribute(row, attribute));
        if !P::ESTIMATES {
            self.words.cover::<P>(slot, &self.values, row, ledger);
        } else {
            self.features.set(slot, &self.present, &self.words);
        }
        self.occupied += 1;
    }

    /// The key of a row, whose values are at hand, and its features.
    fn key<P: Policy>(&mut self, (row, position): (usize, u32), ledger: &Ledger, policy: &P, ranking: &Ranking) -> f64 {
        if !P::ESTIMATES {
            return self.bound.of_offer(policy, ranking, &self.values, position);
        }
        self.present.clear();
        self.present.resize(self.features.width(), 0.0);
        policy.features(ranking, Leftover::of(ledger, row), &mut self.present);
        self.features.key(&self.present)
    }
}
