//! The exports of the world.

use alloc::borrow::ToOwned;
use alloc::vec;
use core::cell::RefCell;

use offermatch_core::{BestFit, Policy};

use crate::bindings;
use crate::bindings::exports::offermatch::matcher::matching::{
    Assignments, Changes, Description, Error, Explanations, Guest, GuestPool, Mode, OfferTable, Pool, PoolBorrow,
    Settings, Shape, TaskTable,
};
use crate::bindings::exports::offermatch::matcher::packed::{self, PackedAssignments, PackedOffers, PackedTasks};

/// The contract this component is built against.
const CONTRACT: &str = "0.1.0";

/// The component.
struct Matcher;

impl Guest for Matcher {
    type Pool = SharedPool;

    fn describe() -> Description {
        Description {
            name: env!("CARGO_PKG_NAME").to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            policy: BestFit::NAME.to_owned(),
            contract: CONTRACT.to_owned(),
            modes: vec![Mode::Exclusive, Mode::Shared],
        }
    }
}

/// A pool behind the shared reference that the contract's methods get.
struct SharedPool(RefCell<offermatch_core::Pool<BestFit>>);

impl SharedPool {
    /// A pool of these offers, as the contract hands it out.
    fn of(shape: Shape, offers: &offermatch_core::OfferTable, settings: Settings) -> Result<Pool, Error> {
        let pool = offermatch_core::Pool::open(BestFit, shape.into(), offers, &settings.into())?;
        Ok(Pool::new(Self(RefCell::new(pool))))
    }
}

impl GuestPool for SharedPool {
    fn open(shape: Shape, offers: OfferTable, settings: Settings) -> Result<Pool, Error> {
        Self::of(shape, &offers.into(), settings)
    }

    fn assign(&self, tasks: TaskTable) -> Result<Assignments, Error> {
        Ok(self.0.borrow_mut().assign(&tasks.into())?.into())
    }

    fn update(&self, changes: Changes) -> Result<(), Error> {
        Ok(self.0.borrow_mut().update(&changes.into())?)
    }

    fn explain(&self, tasks: TaskTable) -> Result<Explanations, Error> {
        Ok(self.0.borrow().explain(&tasks.into())?.into())
    }
}

impl packed::Guest for Matcher {
    fn open(shape: Shape, offers: PackedOffers, settings: Settings) -> Result<Pool, Error> {
        SharedPool::of(shape, &offers.try_into()?, settings)
    }

    fn assign(pool: PoolBorrow<'_>, tasks: PackedTasks) -> Result<PackedAssignments, Error> {
        Ok(pool.get::<SharedPool>().0.borrow_mut().assign(&tasks.try_into()?)?.into())
    }
}

bindings::export!(Matcher with_types_in bindings);
