//! A small matcher in which every rule of `docs/semantics.md` can be overridden: a matcher that is wrong in one thing
//! overrides that one. With none overridden it is right.

mod explain;
mod gangs;
mod groups;
mod offers;
mod pool;
mod preempt;

use alloc::vec::Vec;
use core::marker::PhantomData;

use offermatch_core as model;
use offermatch_core::WHOLE;

use crate::behaviour::description;
use crate::export::Calls;
use crate::{Description, Verdict};

use pool::RulesPool;

/// The rules. Each says what is right unless it is overridden.
pub trait Rules: Clone + 'static {
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

    /// Whether a measure is at least a bound.
    fn at_least(value: f64, bound: f64) -> bool {
        value >= bound
    }

    /// A score with the penalty of a preference that does not hold.
    fn penalized(score: f64, weight: f64) -> f64 {
        score + weight
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

    /// The scale once an offer of this capacity has come.
    fn raised(scale: u64, capacity: u64) -> u64 {
        scale.max(capacity)
    }

    /// Whether a score is below the maximal one.
    fn below(score: f64, max_score: f64) -> bool {
        score < max_score
    }

    /// Whether a score is better than the best one so far, which stands earlier in the list.
    fn better(score: f64, best: f64) -> bool {
        score < best
    }

    /// Whether so many members of a group are enough.
    fn enough(members: u64, least: u64) -> bool {
        members >= least
    }

    /// Whether another member may go where so many are.
    fn admits(members: u64, most: u64) -> bool {
        members < most
    }

    /// How many occupants count.
    fn occupants(given: u32) -> u32 {
        given
    }

    /// Whether so many members on one value, at this sum of scores, are better than the best so far.
    fn better_together(placed: (usize, f64), best: (usize, f64)) -> bool {
        placed.0 > best.0 || (placed.0 == best.0 && placed.1 < best.1)
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
    fn counted(explanations: model::Explanations) -> model::Explanations {
        explanations
    }

    /// Whether a running task may be taken away for a task.
    fn is_victim(running: i32, asking: i32) -> bool {
        running < asking
    }
}

/// The calls of rules.
#[derive(Debug)]
pub struct Ruled<R>(PhantomData<R>);

impl<R: Rules> Calls for Ruled<R> {
    type Pool = RulesPool<R>;

    fn describe() -> Description {
        description(R::NAME)
    }

    fn open(shape: model::Shape, offers: model::OfferTable, settings: model::Settings) -> Verdict<Self::Pool> {
        Ok(RulesPool::open(shape, &offers, settings)?)
    }

    fn assign(pool: &mut Self::Pool, tasks: model::TaskTable) -> Verdict<model::Assignments> {
        Ok(pool.assign(&tasks)?)
    }

    fn update(pool: &mut Self::Pool, changes: model::Changes) -> Verdict<()> {
        Ok(pool.update(&changes)?)
    }

    fn explain(pool: &mut Self::Pool, tasks: model::TaskTable) -> Verdict<model::Explanations> {
        Ok(pool.explain(&tasks)?)
    }

    fn preempt(
        pool: &mut Self::Pool,
        tasks: model::TaskTable,
        priorities: &[i32],
        running: model::RunningTable,
    ) -> Verdict<model::Plan> {
        Ok(pool.preempt(&tasks, priorities, &running)?)
    }
}

/// The part of a flat column that belongs to a row.
fn span(offsets: &[u32], row: usize) -> core::ops::Range<usize> {
    match offsets.get(row..row + 2) {
        Some(ends) => ends[0] as usize..ends[1] as usize,
        None => 0..0,
    }
}
