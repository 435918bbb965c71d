//! A small matcher in which every rule of `docs/semantics.md` can be overridden: a matcher that is wrong in one thing
//! overrides that one. With none overridden it is right.

use alloc::borrow::ToOwned;
use alloc::vec;
use alloc::vec::Vec;
use core::cell::RefCell;
use core::marker::PhantomData;

use offermatch_core as model;
use offermatch_core::table::WHOLE;

use crate::bindings::exports::offermatch::matcher::matching::{Guest, GuestPool, Pool};
use crate::{
    Assignments, Changes, Description, Error, Explanations, Mode, OfferTable, Settings, Shape, TaskTable, Verdict,
    conversion,
};

/// The rules. Each says what is right unless it is overridden.
pub trait Rules: 'static {
    /// The name that the matcher gives itself.
    const NAME: &'static str;

    /// Checks tasks.
    ///
    /// # Errors
    /// As the contract says.
    fn check(tasks: &model::TaskTable, shape: model::Shape) -> Result<(), model::Error> {
        tasks.check(shape)
    }

    /// How many of so many tasks are taken.
    fn taken(tasks: usize) -> usize {
        tasks
    }

    /// Whether a demand fits in one of the dimensions.
    fn fits(_dimension: usize, _dimensions: usize, demand: u64, available: u64) -> bool {
        demand <= available
    }

    /// Whether a value is in a set.
    fn is_in(value: u32, set: &[u32]) -> bool {
        value != 0 && set.contains(&value)
    }

    /// Whether devices serve a task.
    fn serve(free: &[u32], asked: u32) -> bool {
        match asked {
            0 => true,
            share if share < WHOLE => free.iter().any(|&free| free >= share),
            whole => free.iter().filter(|&&free| free == WHOLE).count() >= (whole / WHOLE) as usize,
        }
    }

    /// The device, among those that hold a share, that it is taken from.
    fn device(holding: &[(u32, usize)]) -> Option<usize> {
        holding.iter().min().map(|&(_, number)| number)
    }

    /// The weight that counts.
    fn weight(given: f64) -> f64 {
        given
    }

    /// Whether a score is below the maximal one.
    fn below(score: f64, max_score: f64) -> bool {
        score < max_score
    }

    /// Whether a score is better than the best one so far, which stands earlier in the list.
    fn better(score: f64, best: f64) -> bool {
        score < best
    }

    /// Takes an offer out of the list.
    fn leave(list: &mut Vec<usize>, position: usize) {
        list.swap_remove(position);
    }

    /// What is left of what was available when a demand was taken.
    fn left(available: u64, demand: u64) -> u64 {
        available.wrapping_sub(demand)
    }

    /// Whether a changed row gets its new values.
    fn changes() -> bool {
        true
    }

    /// The counts of an explanation.
    fn counted(explanations: model::FirstFailures) -> model::FirstFailures {
        explanations
    }
}

/// One offer.
#[derive(Debug, Clone)]
struct Offer {
    /// What is free in each dimension.
    available: Vec<u64>,
    /// Attribute values.
    attributes: Vec<u32>,
    /// The free thousandths of each device.
    devices: Vec<u32>,
}

/// The first check that an offer fails, or its score.
enum Standing {
    /// Too little in this dimension.
    Dimension(usize),
    /// This requirement, by its position in the table's columns.
    Requirement(usize),
    /// The devices.
    Devices,
    /// The score.
    Score,
    /// None.
    Candidate(f64),
}

/// A pool that follows rules.
#[derive(Debug)]
struct RulesPool<R> {
    shape: model::Shape,
    settings: model::Settings,
    /// The scales, the devices' last.
    scales: Vec<f64>,
    offers: Vec<Offer>,
    /// The rows that can be chosen, in order.
    list: Vec<usize>,
    rules: PhantomData<R>,
}

impl<R: Rules> RulesPool<R> {
    fn open(shape: model::Shape, table: &model::OfferTable, settings: model::Settings) -> Result<Self, model::Error> {
        settings.check(shape)?;
        table.check(shape)?;
        let offers = rows(shape, table);
        let width = shape.dimensions as usize;
        let capacity = if table.capacity.is_empty() { &table.available } else { &table.capacity };
        let mut scales = vec![0; width + 1];
        for (at, &capacity) in capacity.iter().enumerate() {
            scales[at % width] = capacity.max(scales[at % width]);
        }
        let most = offers.iter().map(|offer| offer.devices.len()).max().unwrap_or(0);
        scales[width] = most as u64 * u64::from(WHOLE);
        for (scale, &given) in scales.iter_mut().zip(&settings.scales) {
            *scale = if given > 0 { given } else { *scale };
        }
        let scales = scales.into_iter().map(|scale| scale.max(1) as f64).collect();
        let list = (0..offers.len()).collect();
        Ok(Self { shape, settings, scales, offers, list, rules: PhantomData })
    }

    fn demand<'a>(&self, tasks: &'a model::TaskTable, task: usize) -> &'a [u64] {
        let width = self.shape.dimensions as usize;
        &tasks.demand[task * width..(task + 1) * width]
    }

    fn standing(&self, tasks: &model::TaskTable, task: usize, row: usize) -> Standing {
        let offer = &self.offers[row];
        let demand = self.demand(tasks, task);
        for (at, (&demanded, &available)) in demand.iter().zip(&offer.available).enumerate() {
            if !R::fits(at, demand.len(), demanded, available) {
                return Standing::Dimension(at);
            }
        }
        for requirement in requirements(tasks, task) {
            let value = offer.attributes[tasks.requirement_subjects[requirement] as usize];
            let set = tasks.value_offsets[requirement] as usize..tasks.value_offsets[requirement + 1] as usize;
            if R::is_in(value, &tasks.values[set])
                == (tasks.requirement_kinds[requirement] == model::Kind::NotIn as u32)
            {
                return Standing::Requirement(requirement);
            }
        }
        let asked = tasks.devices.get(task).copied().unwrap_or(0);
        if !R::serve(&offer.devices, asked) {
            return Standing::Devices;
        }
        let free: u64 = offer.devices.iter().copied().map(u64::from).sum();
        let left = offer.available.iter().zip(demand).map(|(available, demand)| available.wrapping_sub(*demand));
        let mut score = 0.0;
        for (at, left) in left.chain([free.saturating_sub(asked.into())]).enumerate() {
            let weight = R::weight(self.settings.weights.get(at).copied().unwrap_or(1.0));
            score += weight * left as f64 / self.scales[at];
        }
        if R::below(score, self.settings.max_score.unwrap_or(f64::INFINITY)) {
            Standing::Candidate(score)
        } else {
            Standing::Score
        }
    }

    fn assign(&mut self, tasks: &model::TaskTable) -> Result<model::Assignments, model::Error> {
        R::check(tasks, self.shape)?;
        let mut answer = model::Assignments::default();
        for task in 0..R::taken(tasks.rows as usize) {
            let mut best: Option<(usize, f64)> = None;
            for (position, &row) in self.list.iter().enumerate() {
                if let Standing::Candidate(score) = self.standing(tasks, task, row)
                    && best.is_none_or(|(_, lowest)| R::better(score, lowest))
                {
                    best = Some((position, score));
                    // Nothing is better than 0.0, and most of a huge list need not be looked at.
                    if score == 0.0 && !R::better(0.0, 0.0) {
                        break;
                    }
                }
            }
            let Some((position, score)) = best else { continue };
            answer.tasks.push(task as u32);
            answer.offers.push(self.list[position] as u32);
            answer.scores.push(score);
            self.take(tasks, task, position);
        }
        Ok(answer)
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
        if asked >= WHOLE {
            let whole = offer.devices.iter_mut().filter(|free| **free == WHOLE);
            whole.take((asked / WHOLE) as usize).for_each(|free| *free = 0);
        } else if asked > 0 {
            let numbered = offer.devices.iter().copied().zip(0..);
            let holding: Vec<(u32, usize)> = numbered.filter(|&(free, _)| free >= asked).collect();
            if let Some(number) = R::device(&holding) {
                offer.devices[number] -= asked;
            }
        }
    }

    fn update(&mut self, changes: &model::Changes) -> Result<(), model::Error> {
        changes.check(self.shape, self.offers.len())?;
        for &row in &changes.removed {
            if let Some(position) = self.list.iter().position(|&listed| listed == row as usize) {
                R::leave(&mut self.list, position);
            }
        }
        for (&row, offer) in changes.changed_rows.iter().zip(rows(self.shape, &changes.changed)) {
            let row = row as usize;
            if R::changes() {
                self.offers[row] = offer;
            }
            if !self.list.contains(&row) {
                self.list.push(row);
            }
        }
        for offer in rows(self.shape, &changes.added) {
            self.list.push(self.offers.len());
            self.offers.push(offer);
        }
        Ok(())
    }

    fn explain(&self, tasks: &model::TaskTable) -> Result<model::FirstFailures, model::Error> {
        R::check(tasks, self.shape)?;
        let (rows, width) = (tasks.rows as usize, self.shape.dimensions as usize);
        let mut counts = model::FirstFailures {
            by_dimension: vec![0; rows * width],
            by_requirement: vec![0; tasks.requirement_subjects.len()],
            by_devices: vec![0; rows],
            by_score: vec![0; rows],
            candidates: vec![0; rows],
        };
        for task in 0..rows {
            for &row in &self.list {
                match self.standing(tasks, task, row) {
                    Standing::Dimension(at) => counts.by_dimension[task * width + at] += 1,
                    Standing::Requirement(at) => counts.by_requirement[at] += 1,
                    Standing::Devices => counts.by_devices[task] += 1,
                    Standing::Score => counts.by_score[task] += 1,
                    Standing::Candidate(_) => counts.candidates[task] += 1,
                }
            }
        }
        Ok(R::counted(counts))
    }
}

/// The offers of a checked table.
fn rows(shape: model::Shape, table: &model::OfferTable) -> Vec<Offer> {
    let (width, attributes) = (shape.dimensions as usize, shape.attributes as usize);
    let devices = |row: usize| match table.device_offsets.get(row..row + 2) {
        Some(ends) => table.device_free[ends[0] as usize..ends[1] as usize].to_vec(),
        None => Vec::new(),
    };
    let offers = (0..table.rows as usize).map(|row| Offer {
        available: table.available[row * width..(row + 1) * width].to_vec(),
        attributes: table.attributes[row * attributes..(row + 1) * attributes].to_vec(),
        devices: devices(row),
    });
    offers.collect()
}

/// The requirements of a task, as positions in the table's columns.
fn requirements(tasks: &model::TaskTable, task: usize) -> core::ops::Range<usize> {
    match tasks.requirement_offsets.get(task..task + 2) {
        Some(ends) => ends[0] as usize..ends[1] as usize,
        None => 0..0,
    }
}

/// The component of rules.
#[derive(Debug)]
pub struct Ruled<R>(PhantomData<R>);

/// A pool behind the shared reference that the contract's methods get.
#[derive(Debug)]
pub struct SharedRules<R>(RefCell<RulesPool<R>>);

impl<R: Rules> Guest for Ruled<R> {
    type Pool = SharedRules<R>;

    fn describe() -> Description {
        Description {
            name: R::NAME.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            policy: "best-fit".to_owned(),
            contract: "0.1.0".to_owned(),
            modes: vec![Mode::Exclusive, Mode::Shared],
        }
    }
}

impl<R: Rules> GuestPool for SharedRules<R> {
    fn open(shape: Shape, offers: OfferTable, settings: Settings) -> Result<Pool, Error> {
        let (shape, settings) = (conversion::shape(shape), conversion::settings(settings));
        let pool = RulesPool::<R>::open(shape, &conversion::offers(offers), settings).map_err(conversion::error)?;
        Ok(Pool::new(Self(RefCell::new(pool))))
    }

    fn assign(&self, tasks: TaskTable) -> Verdict<Assignments> {
        let answer = self.0.borrow_mut().assign(&conversion::tasks(tasks)).map_err(conversion::error)?;
        Ok(conversion::assignments(answer))
    }

    fn update(&self, changes: Changes) -> Verdict<()> {
        self.0.borrow_mut().update(&conversion::changes(changes)).map_err(conversion::error)
    }

    fn explain(&self, tasks: TaskTable) -> Verdict<Explanations> {
        let answer = self.0.borrow().explain(&conversion::tasks(tasks)).map_err(conversion::error)?;
        Ok(conversion::explanations(answer))
    }
}

/// Makes a component of rules.
#[macro_export]
macro_rules! ruled {
    ($rules:ty) => {
        /// The component.
        type Exported = $crate::Ruled<$rules>;
        $crate::bindings::export!(Exported);
    };
}
