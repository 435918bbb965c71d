//! The honest matcher, and what can be overridden of it.

use alloc::borrow::ToOwned;
use alloc::vec;

use offermatch_core::{BestFit, Method, Pool};

use crate::{
    Assignments, Changes, Description, Error, Explanations, Mode, OfferTable, Plan, Rule, RunningTable, Settings,
    Shape, TaskTable,
};

/// What a call gives.
pub type Verdict<T> = Result<T, Error>;

/// A pool that does what is asked.
#[derive(Debug)]
pub struct Honest(Pool<BestFit>);

impl Honest {
    /// A pool of these offers.
    ///
    /// # Errors
    /// As the contract says.
    pub fn open(shape: Shape, offers: &OfferTable, settings: &Settings) -> Verdict<Self> {
        Ok(Self(Pool::open(BestFit, shape, offers, settings)?.with_method(Method::Reference)))
    }

    /// Places tasks.
    ///
    /// # Errors
    /// As the contract says.
    pub fn assign(&mut self, tasks: &TaskTable) -> Verdict<Assignments> {
        Ok(self.0.assign(tasks)?)
    }

    /// Applies changes.
    ///
    /// # Errors
    /// As the contract says.
    pub fn update(&mut self, changes: &Changes) -> Verdict<()> {
        Ok(self.0.update(changes)?)
    }

    /// Explains tasks.
    ///
    /// # Errors
    /// As the contract says.
    pub fn explain(&mut self, tasks: &TaskTable) -> Verdict<Explanations> {
        Ok(self.0.explain(tasks)?)
    }

    /// Plans what has to end for tasks.
    ///
    /// # Errors
    /// As the contract says.
    pub fn preempt(&mut self, tasks: &TaskTable, priorities: &[i32], running: &RunningTable) -> Verdict<Plan> {
        Ok(self.0.preempt(tasks, priorities, running)?)
    }
}

/// What an honest matcher says of itself, under a name.
pub(crate) fn description(name: &str) -> Description {
    Description {
        name: name.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        policy: "best-fit".to_owned(),
        contract: "0.3.0".to_owned(),
        modes: vec![Mode::Exclusive, Mode::Shared],
        rules: vec![Rule::Measures, Rule::Preferences, Rule::Groups, Rule::Workload],
        parameters: vec![],
    }
}

/// A matcher that is honest but for what it overrides.
pub trait Behaviour: 'static {
    /// Says what it is.
    fn describe() -> Description {
        description("hostile")
    }

    /// Opens a pool.
    ///
    /// # Errors
    /// As the contract says.
    fn open(shape: Shape, offers: OfferTable, settings: Settings) -> Verdict<Honest> {
        Honest::open(shape, &offers, &settings)
    }

    /// Places tasks.
    ///
    /// # Errors
    /// As the contract says.
    fn assign(pool: &mut Honest, tasks: TaskTable) -> Verdict<Assignments> {
        pool.assign(&tasks)
    }

    /// Applies changes.
    ///
    /// # Errors
    /// As the contract says.
    fn update(pool: &mut Honest, changes: Changes) -> Verdict<()> {
        pool.update(&changes)
    }

    /// Explains tasks.
    ///
    /// # Errors
    /// As the contract says.
    fn explain(pool: &mut Honest, tasks: TaskTable) -> Verdict<Explanations> {
        pool.explain(&tasks)
    }

    /// Plans what has to end for tasks.
    ///
    /// # Errors
    /// As the contract says.
    fn preempt(pool: &mut Honest, tasks: TaskTable, priorities: &[i32], running: RunningTable) -> Verdict<Plan> {
        pool.preempt(&tasks, priorities, &running)
    }
}
