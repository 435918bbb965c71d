//! From a behaviour to the exports of the world: every call comes by columns and by digits.

use alloc::string::String;
use alloc::vec::Vec;
use core::cell::RefCell;
use core::marker::PhantomData;

use offermatch_kit::bindings::exports::offermatch::matcher::{matching, packed, packed_preemption, preemption};

use crate::{Description, Error, Verdict, model};

/// What a component does, whichever interface is called.
pub trait Calls: 'static {
    /// A pool.
    type Pool: 'static;

    /// Says what it is.
    fn describe() -> Description;

    /// Opens a pool.
    ///
    /// # Errors
    /// As the contract says.
    fn open(shape: model::Shape, offers: model::OfferTable, settings: model::Settings) -> Verdict<Self::Pool>;

    /// Places tasks.
    ///
    /// # Errors
    /// As the contract says.
    fn assign(pool: &mut Self::Pool, tasks: model::TaskTable) -> Verdict<model::Assignments>;

    /// Applies changes.
    ///
    /// # Errors
    /// As the contract says.
    fn update(pool: &mut Self::Pool, changes: model::Changes) -> Verdict<()>;

    /// Explains tasks.
    ///
    /// # Errors
    /// As the contract says.
    fn explain(pool: &mut Self::Pool, tasks: model::TaskTable) -> Verdict<model::Explanations>;

    /// Plans what has to end for tasks.
    ///
    /// # Errors
    /// As the contract says.
    fn preempt(
        pool: &mut Self::Pool,
        tasks: model::TaskTable,
        priorities: &[i32],
        running: model::RunningTable,
    ) -> Verdict<model::Plan>;
}

/// The component of a behaviour, or of rules.
#[derive(Debug)]
pub struct Component<B>(PhantomData<B>);

/// A pool behind the shared reference that the contract's methods get.
#[derive(Debug)]
pub struct SharedPool<B: Calls>(RefCell<B::Pool>);

impl<B: Calls> SharedPool<B> {
    fn of(shape: matching::Shape, offers: model::OfferTable, settings: model::Settings) -> Verdict<matching::Pool> {
        Ok(matching::Pool::new(Self(RefCell::new(B::open(shape.into(), offers, settings)?))))
    }
}

impl<B: Calls> matching::Guest for Component<B> {
    type Pool = SharedPool<B>;

    fn describe() -> Description {
        B::describe()
    }

    fn set_traced(_: bool) {}
}

impl<B: Calls> matching::GuestPool for SharedPool<B> {
    fn open(
        shape: matching::Shape,
        offers: matching::OfferTable,
        settings: matching::Settings,
    ) -> Result<matching::Pool, Error> {
        Self::of(shape, offers.into(), settings.into())
    }

    fn assign(&self, tasks: matching::TaskTable) -> Result<matching::Assignments, Error> {
        Ok(B::assign(&mut self.0.borrow_mut(), tasks.into())?.into())
    }

    fn update(&self, changes: matching::Changes) -> Result<(), Error> {
        B::update(&mut self.0.borrow_mut(), changes.into())
    }

    fn explain(&self, tasks: matching::TaskTable) -> Result<matching::Explanations, Error> {
        Ok(B::explain(&mut self.0.borrow_mut(), tasks.into())?.into())
    }
}

impl<B: Calls> packed::Guest for Component<B> {
    fn open(
        shape: matching::Shape,
        offers: packed::PackedOffers,
        settings: packed::PackedSettings,
    ) -> Result<matching::Pool, Error> {
        SharedPool::<B>::of(shape, offers.try_into()?, settings.try_into()?)
    }

    fn assign(pool: matching::PoolBorrow<'_>, tasks: packed::PackedTasks) -> Result<packed::PackedAssignments, Error> {
        let pool = &pool.get::<SharedPool<B>>().0;
        Ok(B::assign(&mut pool.borrow_mut(), tasks.try_into()?)?.into())
    }

    fn update(pool: matching::PoolBorrow<'_>, changes: packed::PackedChanges) -> Result<(), Error> {
        let pool = &pool.get::<SharedPool<B>>().0;
        B::update(&mut pool.borrow_mut(), changes.try_into()?)
    }

    fn explain(
        pool: matching::PoolBorrow<'_>,
        tasks: packed::PackedTasks,
    ) -> Result<packed::PackedExplanations, Error> {
        let pool = &pool.get::<SharedPool<B>>().0;
        Ok(B::explain(&mut pool.borrow_mut(), tasks.try_into()?)?.into())
    }
}

impl<B: Calls> preemption::Guest for Component<B> {
    fn preempt(
        pool: matching::PoolBorrow<'_>,
        tasks: matching::TaskTable,
        priorities: Vec<i32>,
        running: preemption::RunningTable,
    ) -> Result<preemption::Plan, Error> {
        let pool = &pool.get::<SharedPool<B>>().0;
        Ok(B::preempt(&mut pool.borrow_mut(), tasks.into(), &priorities, running.into())?.into())
    }
}

impl<B: Calls> packed_preemption::Guest for Component<B> {
    fn preempt(
        pool: matching::PoolBorrow<'_>,
        tasks: packed::PackedTasks,
        priorities: String,
        running: packed_preemption::PackedRunning,
    ) -> Result<packed_preemption::PackedPlan, Error> {
        let pool = &pool.get::<SharedPool<B>>().0;
        let priorities = offermatch_kit::priorities_of(&priorities)?;
        Ok(B::preempt(&mut pool.borrow_mut(), tasks.try_into()?, &priorities, running.try_into()?)?.into())
    }
}

/// The calls of a behaviour.
#[derive(Debug)]
pub struct Behaving<B>(PhantomData<B>);

impl<B: crate::Behaviour> Calls for Behaving<B> {
    type Pool = crate::Honest;

    fn describe() -> Description {
        B::describe()
    }

    fn open(shape: model::Shape, offers: model::OfferTable, settings: model::Settings) -> Verdict<Self::Pool> {
        B::open(shape, offers, settings)
    }

    fn assign(pool: &mut Self::Pool, tasks: model::TaskTable) -> Verdict<model::Assignments> {
        B::assign(pool, tasks)
    }

    fn update(pool: &mut Self::Pool, changes: model::Changes) -> Verdict<()> {
        B::update(pool, changes)
    }

    fn explain(pool: &mut Self::Pool, tasks: model::TaskTable) -> Verdict<model::Explanations> {
        B::explain(pool, tasks)
    }

    fn preempt(
        pool: &mut Self::Pool,
        tasks: model::TaskTable,
        priorities: &[i32],
        running: model::RunningTable,
    ) -> Verdict<model::Plan> {
        B::preempt(pool, tasks, priorities, running)
    }
}

/// Makes a component of a behaviour.
#[macro_export]
macro_rules! hostile {
    ($behaviour:ty) => {
        /// The component.
        type Exported = $crate::Component<$crate::Behaving<$behaviour>>;
        $crate::kit::bindings::export!(Exported with_types_in $crate::kit::bindings);
    };
}

/// Makes a component of rules.
#[macro_export]
macro_rules! ruled {
    ($rules:ty) => {
        /// The component.
        type Exported = $crate::Component<$crate::Ruled<$rules>>;
        $crate::kit::bindings::export!(Exported with_types_in $crate::kit::bindings);
    };
}
