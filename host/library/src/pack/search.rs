//! The search.

use std::cmp::Reverse;

use super::problem::Problem;
use crate::sample::SplitMix64;

/// What the largest capacity of a dimension counts where dimensions are added up.
const SCALE: u64 = 1 << 10;
/// The same for the order of the tasks.
const FINE: u64 = 1 << 20;
/// Offers, besides the emptied ones, that a task is tried on.
const WINDOW: usize = 64;

/// An offer in use.
#[derive(Debug, Clone)]
pub(super) struct Bin {
    pub(super) kind: usize,
    free: Vec<u64>,
    room: Vec<i64>,
    load: u64,
    pub(super) tasks: Vec<usize>,
}

/// A packing that is being improved.
pub(super) struct Search<'a> {
    problem: &'a Problem,
    random: SplitMix64,
    /// The largest capacity in each dimension, at least 1.
    most: Vec<u64>,
    shares: Vec<Vec<i64>>,
    loads: Vec<u64>,
    sizes: Vec<u128>,
    /// The kinds, the largest first.
    order: Vec<usize>,
    /// The place of each kind in `order`.
    places: Vec<usize>,
    used: Vec<usize>,
    pub(super) bins: Vec<Bin>,
    pub(super) unplaced: Vec<usize>,
}

impl<'a> Search<'a> {
    pub(super) fn new(problem: &'a Problem, seed: u64) -> Self {
        let dimensions = problem.kinds.first().map_or(0, |kind| kind.capacity.len());
        let most: Vec<u64> = (0..dimensions)
            .map(|at| problem.kinds.iter().map(|kind| kind.capacity[at]).max().unwrap_or(0).max(1))
            .collect();
        // What fits nowhere has no size: it is never placed.
        let fits =
            |task: usize| (0..problem.kinds.len()).any(|kind| problem.takes(kind, &problem.kinds[kind].capacity, task));
        let unplaced: Vec<usize> = (0..problem.demands.len()).filter(|&task| !fits(task)).collect();
        let mut shares: Vec<Vec<i64>> = Vec::new();
        let mut sizes = Vec::new();
        for (task, demand) in problem.demands.iter().enumerate() {
            let left_out = unplaced.binary_search(&task).is_ok();
            shares.push(if left_out { vec![0; dimensions] } else { scaled(demand, &most) });
            sizes.push(if left_out { 0 } else { size(demand, &most) });
        }
        let loads = shares.iter().map(|shares| shares.iter().sum::<i64>().unsigned_abs()).collect();
        let mut order: Vec<usize> = (0..problem.kinds.len()).collect();
        order.sort_by_key(|&kind| Reverse(size(&problem.kinds[kind].capacity, &most)));
        let mut places = vec![0; order.len()];
        order.iter().enumerate().for_each(|(place, &kind)| places[kind] = place);
        let used = vec![0; order.len()];
        let random = SplitMix64::new(seed);
        Self { problem, random, most, shares, loads, sizes, order, places, used, bins: Vec::new(), unplaced }
    }

    /// Places the largest first, each on the first offer in use that takes it, else on the largest offer left.
    pub(super) fn first_fit(&mut self) {
        let mut tasks: Vec<usize> =
            (0..self.sizes.len()).filter(|task| self.unplaced.binary_search(task).is_err()).collect();
        tasks.sort_by_key(|&task| Reverse(self.sizes[task]));
        for task in tasks {
            let found = self.bins.iter().position(|one| self.fits(task, one));
            let Some(at) = found.or_else(|| self.open(task)) else {
                self.unplaced.push(task);
                continue;
            };
            let mut one = std::mem::replace(
                &mut self.bins[at],
                Bin { kind: 0, free: vec![], room: vec![], load: 0, tasks: vec![] },
            );
            self.put(task, &mut one);
            self.bins[at] = one;
        }
    }

    /// Opens a new offer for a task.
    fn open(&mut self, task: usize) -> Option<usize> {
        let kind = self.order.iter().copied().find(|&kind| {
            let one = &self.problem.kinds[kind];
            one.most.is_none_or(|most| self.used[kind] < most) && self.problem.takes(kind, &one.capacity, task)
        })?;
        self.used[kind] += 1;
        let fresh = self.fresh(kind);
        self.bins.push(fresh);
        Some(self.bins.len() - 1)
    }

    /// An empty offer.
    fn fresh(&self, kind: usize) -> Bin {
        let capacity = &self.problem.kinds[kind].capacity;
        Bin { kind, free: capacity.clone(), room: scaled(capacity, &self.most), load: 0, tasks: Vec::new() }
    }

    fn fits(&self, task: usize, one: &Bin) -> bool {
        self.problem.takes(one.kind, &one.free, task)
    }

    fn put(&self, task: usize, one: &mut Bin) {
        one.free.iter_mut().zip(&self.problem.demands[task]).for_each(|(free, asked)| *free -= asked);
        one.room.iter_mut().zip(&self.shares[task]).for_each(|(room, share)| *room -= share);
        one.load += self.loads[task];
        one.tasks.push(task);
    }

    /// How much room a task would leave on an offer.
    fn left(&self, task: usize, one: &Bin) -> i64 {
        one.room.iter().zip(&self.shares[task]).map(|(room, share)| (room - share) * (room - share)).sum()
    }

    /// Empties a few offers, and places what they held again.
    pub(super) fn round(&mut self) {
        let emptied = self.chosen();
        let kept: Vec<usize> = (0..self.bins.len()).filter(|at| !emptied.contains(at)).collect();
        let begin = if kept.is_empty() { 0 } else { self.random.below(kept.len() as u64) as usize };
        let window: Vec<usize> = (0..WINDOW.min(kept.len())).map(|at| kept[(begin + at) % kept.len()]).collect();
        let mut places: Vec<Bin> = window.iter().map(|&at| self.bins[at].clone()).collect();
        let mut tasks: Vec<(u128, usize)> = Vec::new();
        for &at in &emptied {
            for task in 0..self.bins[at].tasks.len() {
                let task = self.bins[at].tasks[task];
                tasks.push((self.sizes[task] * u128::from(192 + self.random.below(129)), task));
            }
        }
        tasks.sort_by_key(|&(weighed, task)| (Reverse(weighed), task));
        let mut spare: Vec<usize> = emptied.iter().map(|&at| self.bins[at].kind).collect();
        spare.sort_by_key(|&kind| self.places[kind]);
        for (_, task) in tasks {
            let mut best: Option<(i64, usize)> = None;
            for (at, place) in places.iter().enumerate() {
                if self.fits(task, place) {
                    let left = self.left(task, place);
                    if best.is_none_or(|(least, _)| left < least) {
                        best = Some((left, at));
                    }
                }
            }
            let at = match best {
                Some((_, at)) => at,
                None => {
                    let takes = |&kind: &usize| self.problem.takes(kind, &self.problem.kinds[kind].capacity, task);
                    let Some(at) = spare.iter().position(takes) else { return };
                    places.push(self.fresh(spare.remove(at)));
                    places.len() - 1
                }
            };
            let mut place =
                std::mem::replace(&mut places[at], Bin { kind: 0, free: vec![], room: vec![], load: 0, tasks: vec![] });
            self.put(task, &mut place);
            places[at] = place;
        }
        let uneven =
            |loads: &mut dyn Iterator<Item = u64>| loads.map(|load| u128::from(load) * u128::from(load)).sum::<u128>();
        let before = emptied.len() + window.len();
        let as_it_was = uneven(&mut emptied.iter().chain(&window).map(|&at| self.bins[at].load));
        if places.len() > before || places.len() == before && uneven(&mut places.iter().map(|one| one.load)) < as_it_was
        {
            return;
        }
        spare.iter().for_each(|&kind| self.used[kind] -= 1);
        let fresh = places.split_off(window.len());
        for (&at, place) in window.iter().zip(places) {
            self.bins[at] = place;
        }
        let mut at = 0;
        self.bins.retain(|_| {
            at += 1;
            !emptied.contains(&(at - 1))
        });
        self.bins.extend(fresh);
    }

    /// Which offers to empty: two to four, often the one that is filled least.
    fn chosen(&mut self) -> Vec<usize> {
        let all = self.bins.len() as u64;
        let count = (2 + self.random.below(3)).min(all) as usize;
        let mut first = self.random.below(all) as usize;
        if self.random.below(2) == 0 {
            first = (0..self.bins.len()).min_by_key(|&at| self.bins[at].load).unwrap_or(first);
        }
        let mut found = vec![first];
        while found.len() < count {
            let other = self.random.below(all) as usize;
            if !found.contains(&other) {
                found.push(other);
            }
        }
        found
    }
}

/// A vector, each dimension in shares of the largest capacity.
fn scaled(vector: &[u64], most: &[u64]) -> Vec<i64> {
    let share = |(&one, &top): (&u64, &u64)| (u128::from(one) * u128::from(SCALE) / u128::from(top)) as i64;
    vector.iter().zip(most).map(share).collect()
}

/// The square of the length of a vector, each dimension in shares of the largest capacity.
fn size(vector: &[u64], most: &[u64]) -> u128 {
    let square = |(&one, &top): (&u64, &u64)| (u128::from(one) * u128::from(FINE) / u128::from(top)).pow(2);
    vector.iter().zip(most).map(square).sum()
}
