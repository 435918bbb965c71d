//! Makes an index from a ledger.

use alloc::vec;
use alloc::vec::Vec;

use crate::columns::MAX_ROWS;
use crate::ledger::Ledger;
use crate::mode::Mode;
use crate::policy::{Bound, Leftover, Policy, Ranking};
use crate::table::{Kind, TaskTable};

use super::axes::{Axes, Measured};
use super::bound::KeyBound;
use super::rows::Rows;
use super::slots::{SLOTS, Slots};
use super::words::Words;
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
        let axes = Axes::of(ledger);
        let mut index = Self {
            mode,
            axes,
            bound: KeyBound::new::<P>(ranking, axes)?,
            words: Words::default(),
            slots: Slots::default(),
            features: super::Features::default(),
            room: super::Room::default(),
            present: Vec::new(),
            rows: Rows::default(),
            postings: super::Postings::default(),
            nowhere: super::Nowhere::default(),
            asks: super::Asks::default(),
            arrivals: super::Arrivals::new(axes.width()),
            arrived: Vec::new(),
            grown: 1,
            attributes: Vec::new(),
            measured: Vec::new(),
            want: super::Want::default(),
            occupied: 0,
            built_slots: 0,
            built_words: 0,
            wasted: 0,
            patience: PATIENCE,
            values: Vec::new(),
            chosen: super::Chosen::default(),
        };
        index.note_attributes(tasks);
        if index.note_measures(tasks, ranking) {
            index.widen();
        }
        index.draw(tasks, ledger);
        index.rebuild(ledger, policy, ranking);
        Some(index)
    }

    /// Gets ready for the tasks of a new table: draws new thresholds where the old ones let too much through, and tells
    /// offers apart by attributes that no task has asked for before.
    pub(crate) fn prepare<P: Policy>(&mut self, ledger: &Ledger, tasks: &TaskTable, policy: &P, ranking: &Ranking) {
        let new_axes = self.note_measures(tasks, ranking);
        let new_columns = self.note_attributes(tasks) || new_axes;
        let worn = self.wasted > self.patience * self.built_slots.max(SLOTS);
        if new_axes {
            self.widen();
            self.draw(tasks, ledger);
        } else if worn {
            // Twice as patient each time, lest tasks that no thresholds suit have the index made again and again.
            self.patience *= 2;
            self.draw(tasks, ledger);
        } else if !self.asks.has_room(tasks.rows as usize) {
            self.asks.reset(self.axes, self.rows.axes(), tasks.rows as usize);
        }
        if worn || new_columns {
            self.rebuild(ledger, policy, ranking);
        }
    }

    /// Forgets what is known by axes: there are more now.
    fn widen(&mut self) {
        self.arrivals = super::Arrivals::new(self.axes.width());
        self.nowhere.clear();
    }

    /// Draws thresholds from the tasks. All that is known of demands is about the old ones.
    fn draw(&mut self, tasks: &TaskTable, ledger: &Ledger) {
        self.rows.draw(tasks, self.axes, &self.measured, ledger);
        self.asks.reset(self.axes, self.rows.axes(), tasks.rows as usize);
    }

    /// Takes note of the attributes that tasks ask for, and says whether one is new.
    fn note_attributes(&mut self, tasks: &TaskTable) -> bool {
        let known = self.attributes.len();
        let asked = tasks.requirement_kinds.iter().zip(&tasks.requirement_subjects);
        let asked = asked.filter(|&(&kind, _)| !Kind::of(kind).is_measured()).map(|(_, &attribute)| attribute);
        for attribute in asked.chain(tasks.groups.attributes()) {
            if !self.attributes.contains(&attribute) {
                self.attributes.push(attribute);
            }
        }
        self.attributes.len() > known
    }

    /// Takes note of the measures that tasks ask for, and says whether one is new: the index has then to be made anew, with
    /// an axis for it.
    fn note_measures(&mut self, tasks: &TaskTable, ranking: &Ranking) -> bool {
        let known = self.measured.len();
        if ranking.used_first && known == 0 {
            self.measured.push(Measured::USED);
        }
        for requirement in 0..tasks.requirement_kinds.len() {
            if let Some(measure) = Measured::of(tasks, requirement).filter(|axis| !self.measured.contains(axis)) {
                self.measured.push(measure);
            }
        }
        self.axes.measures = self.measured.len();
        self.measured.len() > known
    }

    /// Makes words and rows anew from the list, with the thresholds there are.
    fn rebuild<P: Policy>(&mut self, ledger: &Ledger, policy: &P, ranking: &Ranking) {
        let list = ledger.list();
        let width = self.axes.width();
        // Few pools have anything but quantities, and a pool that is opened lists its rows in their order.
        let is_plain = !self.axes.devices && self.measured.is_empty();
        let values = if is_plain && list.len() == ledger.rows() && list.iter().zip(0..).all(|(&row, at)| row == at) {
            ledger.available_of_all().to_vec()
        } else {
            let mut values = Vec::with_capacity(list.len() * width);
            list.iter().for_each(|&row| self.axes.of_offer(&self.measured, ledger, row as usize, &mut values));
            values
        };
        let values = |position: u32| &values[position as usize * width..(position as usize + 1) * width];
        let row = |position: u32| list[position as usize] as usize;
        let attributes =
            |position: u32| self.attributes.iter().map(move |&at| u64::from(ledger.attribute(row(position), at)));

        // Shapes are offers of one score, groups are those of a shape that nobody can tell apart: both numbered as they come
        // in the list. Capacities do not count for a linear policy.
        let same_capacity = |a: usize, b: usize| {
            P::BOUND == Bound::Linear
                || axes::equal(ledger.capacity(a), ledger.capacity(b))
                    && ledger.device_capacity(a) == ledger.device_capacity(b)
        };
        // Where places in the list are keys, no two are the same.
        let is_flat = self.bound.is_flat;
        let shapes = if is_flat {
            Numbered::each(list.len())
        } else {
            Numbered::new(
                list.len(),
                |position| axes::hash(values(position).iter().copied()),
                |a, b| axes::equal(values(a), values(b)) && same_capacity(row(a), row(b)),
            )
        };
        let told_apart = (!self.attributes.is_empty() && !is_flat).then(|| {
            let shape = |position: u32| shapes.of[position as usize];
            Numbered::new(
                list.len(),
                |position| axes::hash(attributes(position).chain([shape(position).into()])),
                |a, b| shape(a) == shape(b) && attributes(a).eq(attributes(b)),
            )
        });
        let groups = told_apart.as_ref().unwrap_or(&shapes);

        // Slots of one key stand in the order of the list, those of one shape side by side, so that whole words can be passed
        // over in a tie.
        let mut features = Vec::new();
        let keys: Vec<f64> = if !P::ESTIMATES {
            shapes.firsts.iter().map(|&first| self.bound.of_offer(policy, ranking, values(first), first)).collect()
        } else {
            // One that is always zero, where a policy has none to go by.
            let feature_count = policy.feature_count(self.axes.dimensions, self.axes.devices).max(1);
            features.resize(shapes.firsts.len() * feature_count, 0.0);
            for (&first, features) in shapes.firsts.iter().zip(features.chunks_exact_mut(feature_count)) {
                policy.features(ranking, Leftover::of(ledger, row(first)), features);
            }
            self.features.reset(feature_count, &features);
            features.chunks_exact(feature_count).map(|features| self.features.key(features)).collect()
        };
        let order = in_order(&keys);

        self.words = Words::default();
        let filled = self.filled();
        let slots = groups.firsts.len().div_ceil(filled) * SLOTS;
        let told_by = (width, &self.attributes[..]);
        self.slots = Slots::new(told_by, slots, ledger.rows(), list, &groups.of, groups.firsts.len());
        self.slots.reserve_shapes(shapes.firsts.len() as u64);
        let mut add = |key: f64, shape: u64, group: u32| {
            let first = groups.firsts[group as usize];
            let slot = self.words.append(filled, key, shape, first);
            self.slots.put(slot, values(first), key, shape, group);
            self.slots.set_attributes(slot, |attribute| ledger.attribute(row(first), attribute));
            if !P::ESTIMATES {
                self.words.cover::<P>(slot, values(first), row(first), ledger);
            } else {
                let width = self.features.width();
                let features = &features[shape as usize * width..(shape as usize + 1) * width];
                self.features.put(slot, features.iter().copied(), &self.words);
            }
        };
        if told_apart.is_none() {
            order.iter().for_each(|&shape| add(keys[shape as usize], shape.into(), shape));
        } else {
            // The groups of each shape side by side, in their order: by counting sort.
            let shape = |first: u32| shapes.of[first as usize] as usize;
            let mut begins = vec![0; shapes.firsts.len() + 1];
            groups.firsts.iter().for_each(|&first| begins[shape(first) + 1] += 1);
            for at in 1..begins.len() {
                begins[at] += begins[at - 1];
            }
            let (mut of_shape, mut next) = (vec![0; groups.firsts.len()], begins.clone());
            for (&first, group) in groups.firsts.iter().zip(0..) {
                let next: &mut usize = &mut next[shape(first)];
                of_shape[*next] = group;
                *next += 1;
            }
            for &shape in &order {
                let of_shape = &of_shape[begins[shape as usize]..begins[shape as usize + 1]];
                of_shape.iter().for_each(|&group| add(keys[shape as usize], shape.into(), group));
            }
        }
        if P::ESTIMATES {
            self.features.refresh_all(&self.words);
        }
        self.fill_rows();
    }

    /// Makes words and rows anew from the slots that hold an offer.
    pub(super) fn compact<P: Policy>(&mut self, ledger: &Ledger) {
        let mut words = Words::default();
        let mut moves = Vec::with_capacity(self.occupied);
        let mut slots = Vec::with_capacity(SLOTS);
        for cell in self.words.in_order() {
            slots.clear();
            slots.extend(self.words.slots(cell));
            if !self.words.is_sorted(cell) {
                slots.sort_unstable_by(|&a, &b| self.slots.key(a).total_cmp(&self.slots.key(b)));
            }
            moves.extend(slots.iter().map(|&from| {
                let (key, shape, position) = (self.slots.key(from), self.slots.shape(from), self.slots.position(from));
                let to = words.append(self.filled(), key, shape, position);
                words.cover::<P>(to, self.slots.values(from), ledger.list()[position as usize] as usize, ledger);
                (from as u32, to as u32)
            }));
        }
        self.slots.relay(&moves, words.len() * SLOTS);
        if P::ESTIMATES {
            self.features.relay(&moves, &words);
        }
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

/// The bits of a number of a key.
const NUMBER: u32 = 24;

/// The numbers of keys, which are not negative, in the order of the keys; equal ones in the order of their numbers.
fn in_order(keys: &[f64]) -> Vec<u32> {
    const { assert!(MAX_ROWS <= 1 << NUMBER) };
    let number = |entry: u64| entry & ((1 << NUMBER) - 1);
    let high = |entry: u64| entry >> NUMBER;
    // The bits of what is not negative are in its order. Most of them and the number, as one number, sort in half the time
    // that a key and a number take. Then those that agree in the high bits are sorted by the others.
    let mut order: Vec<u64> = keys.iter().zip(0..).map(|(key, at)| high(key.to_bits()) << NUMBER | at).collect();
    order.sort_unstable();
    for run in order.chunk_by_mut(|&a, &b| high(a) == high(b)).filter(|run| run.len() > 1) {
        for entry in &mut *run {
            let at = number(*entry);
            *entry = number(keys[at as usize].to_bits()) << NUMBER | at;
        }
        run.sort_unstable();
    }
    order.iter().map(|&entry| number(entry) as u32).collect()
}

/// Places at which an equal thing is looked for: more of them would let hashes that collide cost the square of their number.
const TRIES: usize = 16;

/// Things, numbered so that equal ones have one number but for a few whose hashes collide, in the order in which they first come.
struct Numbered {
    /// The number of each.
    of: Vec<u32>,
    /// The first of each number.
    firsts: Vec<u32>,
}

impl Numbered {
    /// So many things of which no two are equal.
    fn each(count: usize) -> Self {
        let all: Vec<u32> = (0..count as u32).collect();
        Self { of: all.clone(), firsts: all }
    }

    /// Numbers so many things.
    fn new(count: usize, hash: impl Fn(u32) -> u64, same: impl Fn(u32, u32) -> bool) -> Self {
        const FREE: u32 = u32::MAX;
        let mut numbers = vec![FREE; (2 * count).next_power_of_two()];
        let last = numbers.len() - 1;
        let mut firsts: Vec<u32> = Vec::new();
        let of = (0..count as u32).map(|thing| {
            let mut place = hash(thing) as usize & last;
            for _ in 0..TRIES {
                let number = numbers[place];
                if number == FREE {
                    numbers[place] = firsts.len() as u32;
                    break;
                }
                if same(firsts[number as usize], thing) {
                    return number;
                }
                place = (place + 1) & last;
            }
            firsts.push(thing);
            firsts.len() as u32 - 1
        });
        Self { of: of.collect(), firsts }
    }
}
