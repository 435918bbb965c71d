//! The honest matcher, and what can be overridden of it.

use alloc::borrow::ToOwned;
use alloc::vec;

use offermatch_core::{BestFit, Method, Pool};

use crate::{
    Assignments, Changes, Description, Error, Explanations, Mode, OfferTable, Settings, Shape, TaskTable, conversion,
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
    pub fn open(shape: Shape, offers: OfferTable, settings: Settings) -> Verdict<Self> {
        let offers = conversion::offers(offers);
        let pool = Pool::open(BestFit, conversion::shape(shape), &offers, &conversion::settings(settings));
        Ok(Self(pool.map_err(conversion::error)?.with_method(Method::Reference)))
    }

    /// Places tasks.
    ///
    /// # Errors
    /// As the contract says.
    pub fn assign(&mut self, tasks: TaskTable) -> Verdict<Assignments> {
        let answer = self.0.assign(&conversion::tasks(tasks)).map_err(conversion::error)?;
        Ok(conversion::assignments(answer))
    }

    /// Applies changes.
    ///
    /// # Errors
    /// As the contract says.
    pub fn update(&mut self, changes: Changes) -> Verdict<()> {
        self.0.update(&conversion::changes(changes)).map_err(conversion::error)
    }

    /// Explains tasks.
    ///
    /// # Errors
    /// As the contract says.
    pub fn explain(&self, tasks: TaskTable) -> Verdict<Explanations> {
        let answer = self.0.first_failures(&conversion::tasks(tasks)).map_err(conversion::error)?;
        Ok(conversion::explanations(answer))
    }
}

/// A matcher that is honest but for what it overrides.
pub trait Behaviour: 'static {
    /// Says what it is.
    fn describe() -> Description {
        Description {
            name: "hostile".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            policy: "best-fit".to_owned(),
            contract: "0.1.0".to_owned(),
            modes: vec![Mode::Exclusive, Mode::Shared],
        }
    }

    /// Opens a pool.
    ///
    /// # Errors
    /// As the contract says.
    fn open(shape: Shape, offers: OfferTable, settings: Settings) -> Verdict<Honest> {
        Honest::open(shape, offers, settings)
    }

    /// Places tasks.
    ///
    /// # Errors
    /// As the contract says.
    fn assign(pool: &mut Honest, tasks: TaskTable) -> Verdict<Assignments> {
        pool.assign(tasks)
    }

    /// Applies changes.
    ///
    /// # Errors
    /// As the contract says.
    fn update(pool: &mut Honest, changes: Changes) -> Verdict<()> {
        pool.update(changes)
    }

    /// Explains tasks.
    ///
    /// # Errors
    /// As the contract says.
    fn explain(pool: &Honest, tasks: TaskTable) -> Verdict<Explanations> {
        pool.explain(tasks)
    }
}
