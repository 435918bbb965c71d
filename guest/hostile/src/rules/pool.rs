//! A pool that follows rules.

use alloc::vec;
use alloc::vec::Vec;
use core::marker::PhantomData;

use offermatch_core as model;
use offermatch_core::WHOLE;

use super::groups::Group;
use super::offers::{Offer, rows};
use super::{Rules, span};

/// A pool that follows rules.
#[derive(Debug, Clone)]
pub struct RulesPool<R> {
    pub(super) shape: model::Shape,
    pub(super) settings: model::Settings,
    /// The scales, the devices' last.
    scales: Vec<u64>,
    pub(super) offers: Vec<Offer>,
    /// The rows that can be chosen, in order.
    pub(super) list: Vec<usize>,
    rules: PhantomData<R>,
}

impl<R: Rules> RulesPool<R> {
    pub(super) fn open(
        shape: model::Shape,
        table: &model::OfferTable,
        settings: model::Settings,
    ) -> Result<Self, model::Error> {
        settings.check(shape)?;
        if !settings.parameters.is_empty() {
            let found = settings.parameters.len() as u64;
            return Err(model::Error::ColumnLength { column: "parameters", expected: 0, found });
        }
        table.check(shape)?;
        let offers = rows(shape, table);
        let scales = vec![1; shape.dimensions as usize + 1];
        let list = (0..offers.len()).collect();
        let mut pool = Self { shape, settings, scales, offers: Vec::new(), list, rules: PhantomData };
        for offer in &offers {
            pool.raise(offer, u64::max);
        }
        for (scale, &given) in pool.scales.iter_mut().zip(&pool.settings.scales) {
            *scale = if given > 0 { given } else { *scale };
        }
        pool.offers = offers;
        Ok(pool)
    }

    /// Raises the scales that are not given to what an offer has.
    fn raise(&mut self, offer: &Offer, raised: fn(u64, u64) -> u64) {
        let devices = offer.devices.len() as u64 * u64::from(WHOLE);
        for (at, &capacity) in offer.capacity.iter().chain([&devices]).enumerate() {
            if self.settings.scales.get(at).is_none_or(|&given| given == 0) {
                self.scales[at] = raised(self.scales[at], capacity);
            }
        }
    }

    pub(super) fn demand<'a>(&self, tasks: &'a model::TaskTable, task: usize) -> &'a [u64] {
        let width = self.shape.dimensions as usize;
        &tasks.demand[task * width..(task + 1) * width]
    }

    /// Whether a requirement, or a preference, holds.
    pub(super) fn holds(tasks: &model::TaskTable, requirement: usize, offer: &Offer) -> bool {
        let subject = tasks.requirement_subjects[requirement] as usize;
        let set = || &tasks.values[span(&tasks.value_offsets, requirement)];
        match tasks.requirement_kinds[requirement] {
            0 => R::is_in(offer.attributes[subject], set()),
            1 => !R::is_in(offer.attributes[subject], set()),
            2 => R::at_least(offer.measures[subject], tasks.requirement_bounds[requirement]),
            _ => offer.measures[subject] <= tasks.requirement_bounds[requirement],
        }
    }

    /// How far a measure is from a bound; not finite where there is none.
    pub(super) fn distance(tasks: &model::TaskTable, requirement: usize, offer: &Offer) -> f64 {
        let subject = tasks.requirement_subjects[requirement] as usize;
        match tasks.requirement_kinds[requirement] {
            2 => tasks.requirement_bounds[requirement] - offer.measures[subject],
            3 => offer.measures[subject] - tasks.requirement_bounds[requirement],
            _ => f64::NAN,
        }
    }

    /// The weight of a requirement.
    pub(super) fn weight(tasks: &model::TaskTable, requirement: usize) -> f64 {
        tasks.requirement_weights.get(requirement).copied().unwrap_or(f64::INFINITY)
    }

    /// Whether an offer has what a task asks, its group aside.
    pub(super) fn is_feasible(&self, tasks: &model::TaskTable, task: usize, offer: &Offer) -> bool {
        let demand = self.demand(tasks, task);
        let mut fits = demand.iter().zip(&offer.available).enumerate();
        let required = |requirement: &usize| Self::weight(tasks, *requirement) == f64::INFINITY;
        fits.all(|(at, (&demanded, &available))| R::fits(at, demand.len(), demanded, available))
            && span(&tasks.requirement_offsets, task).filter(required).all(|at| Self::holds(tasks, at, offer))
            && R::serve(&offer.devices, tasks.devices.get(task).copied().unwrap_or(0))
    }

    /// The score of a feasible offer.
    pub(super) fn score(&self, tasks: &model::TaskTable, task: usize, offer: &Offer) -> f64 {
        let demand = self.demand(tasks, task);
        let asked = tasks.devices.get(task).copied().unwrap_or(0);
        let free: u64 = offer.devices.iter().copied().map(u64::from).sum();
        let left = offer.available.iter().zip(demand).map(|(available, demand)| available.wrapping_sub(*demand));
        let mut score = 0.0;
        for (at, left) in left.chain([free.saturating_sub(asked.into())]).enumerate() {
            let weight = R::weight(self.settings.weights.get(at).copied().unwrap_or(1.0));
            score += weight * left as f64 / self.scales[at] as f64;
        }
        for at in span(&tasks.requirement_offsets, task) {
            let weight = Self::weight(tasks, at);
            if weight < f64::INFINITY && !Self::holds(tasks, at, offer) {
                score = R::penalized(score, weight);
            }
        }
        score
    }

    /// Whether a score may be chosen.
    pub(super) fn is_low(&self, score: f64) -> bool {
        R::below(score, self.settings.max_score.unwrap_or(f64::INFINITY))
    }

    pub(super) fn assign(&mut self, tasks: &model::TaskTable) -> Result<model::Assignments, model::Error> {
        self.check(tasks)?;
        let mut placed = Vec::new();
        let mut done = vec![false; tasks.groups.rows as usize];
        for task in 0..R::taken(tasks.rows as usize) {
            match tasks.group_of.get(task).copied().unwrap_or(0) {
                0 => placed.extend(self.place(tasks, task, None)),
                group if !core::mem::replace(&mut done[group as usize - 1], true) => {
                    placed.extend(self.place_group(tasks, group as usize - 1));
                }
                _ => {}
            }
        }
        placed.sort_unstable_by_key(|&(task, _, _)| task);
        let mut answer = model::Assignments::default();
        for (task, offer, score) in placed {
            answer.tasks.push(task as u32);
            answer.offers.push(offer as u32);
            answer.scores.push(score);
        }
        Ok(answer)
    }

    /// Checks tasks for this pool.
    pub(super) fn check(&self, tasks: &model::TaskTable) -> Result<(), model::Error> {
        R::check(tasks, self.shape)?;
        let rows = self.offers.len() as u64;
        match tasks.groups.occupant_offers.iter().position(|&row| u64::from(row) >= rows) {
            None => Ok(()),
            Some(at) => Err(model::Error::OutOfRange(model::Cell {
                column: "occupant-offers",
                row: at as u32,
                value: tasks.groups.occupant_offers[at].into(),
                minimum: 0,
                maximum: rows.saturating_sub(1),
            })),
        }
    }

    /// Gives a task the best offer that its group admits: the task, the offer and the score.
    pub(super) fn place(
        &mut self,
        tasks: &model::TaskTable,
        task: usize,
        group: Option<&Group<R>>,
    ) -> Option<(usize, usize, f64)> {
        let mut best: Option<(usize, f64)> = None;
        for (position, &row) in self.list.iter().enumerate() {
            let offer = &self.offers[row];
            if !self.is_feasible(tasks, task, offer) || group.is_some_and(|group| !group.admits(row, offer)) {
                continue;
            }
            let score = self.score(tasks, task, offer);
            if self.is_low(score) && best.is_none_or(|(_, lowest)| R::better(score, lowest)) {
                best = Some((position, score));
                // Nothing is better than 0.0, and most of a huge list need not be looked at.
                if score == 0.0 && !R::better(0.0, 0.0) {
                    break;
                }
            }
        }
        let (position, score) = best?;
        let row = self.list[position];
        self.take(tasks, task, position);
        Some((task, row, score))
    }

    fn take(&mut self, tasks: &model::TaskTable, task: usize, position: usize) {
        if self.settings.mode == model::Mode::Exclusive {
            R::leave(&mut self.list, position);
            return;
        }
        let demand = self.demand(tasks, task);
        let asked = tasks.devices.get(task).copied().unwrap_or(0);
        let offer = &mut self.offers[self.list[position]];
        for (available, &demand) in offer.available.iter_mut().zip(demand) {
            *available = R::left(*available, demand);
        }
        take_devices::<R>(&mut offer.devices, asked);
    }

    pub(super) fn update(&mut self, changes: &model::Changes) -> Result<(), model::Error> {
        changes.check(self.shape, self.offers.len())?;
        for &row in &changes.removed {
            let row = row as usize;
            if let Some(position) = self.list.iter().position(|&listed| listed == row) {
                R::leave(&mut self.list, position);
            }
        }
        for (&row, offer) in changes.changed_rows.iter().zip(rows(self.shape, &changes.changed)) {
            let row = row as usize;
            self.raise(&offer, R::raised);
            if R::changes() {
                self.offers[row] = offer;
            }
            if !self.list.contains(&row) {
                self.list.push(row);
            }
        }
        for offer in rows(self.shape, &changes.added) {
            self.raise(&offer, R::raised);
            self.list.push(self.offers.len());
            self.offers.push(offer);
        }
        Ok(())
    }
}

/// Takes the devices that a task asks for.
pub(super) fn take_devices<R: Rules>(free: &mut [u32], asked: u32) {
    if asked >= WHOLE {
        let whole = free.iter_mut().filter(|free| **free == WHOLE);
        whole.take((asked / WHOLE) as usize).for_each(|free| *free = 0);
    } else if asked > 0 {
        let numbered = free.iter().copied().zip(0..);
        let holding: Vec<(u32, usize)> = numbered.filter(|&(free, _)| free >= asked).collect();
        if let Some(number) = R::device(&holding) {
            free[number] -= asked;
        }
    }
}
