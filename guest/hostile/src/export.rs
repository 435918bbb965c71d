//! From a behaviour to the exports of the world.

use core::cell::RefCell;
use core::marker::PhantomData;

use crate::bindings::exports::offermatch::matcher::matching::{Guest, GuestPool, Pool};
use crate::{
    Assignments, Behaviour, Changes, Description, Error, Explanations, Honest, OfferTable, Settings, Shape, TaskTable,
};

/// The component of a behaviour.
#[derive(Debug)]
pub struct Component<B>(PhantomData<B>);

/// A pool behind the shared reference that the contract's methods get.
#[derive(Debug)]
pub struct SharedPool<B>(RefCell<Honest>, PhantomData<B>);

impl<B: Behaviour> Guest for Component<B> {
    type Pool = SharedPool<B>;

    fn describe() -> Description {
        B::describe()
    }
}

impl<B: Behaviour> GuestPool for SharedPool<B> {
    fn open(shape: Shape, offers: OfferTable, settings: Settings) -> Result<Pool, Error> {
        Ok(Pool::new(Self(RefCell::new(B::open(shape, offers, settings)?), PhantomData)))
    }

    fn assign(&self, tasks: TaskTable) -> Result<Assignments, Error> {
        B::assign(&mut self.0.borrow_mut(), tasks)
    }

    fn update(&self, changes: Changes) -> Result<(), Error> {
        B::update(&mut self.0.borrow_mut(), changes)
    }

    fn explain(&self, tasks: TaskTable) -> Result<Explanations, Error> {
        B::explain(&self.0.borrow(), tasks)
    }
}

/// Makes a component of a behaviour.
#[macro_export]
macro_rules! hostile {
    ($behaviour:ty) => {
        /// The component.
        type Exported = $crate::Component<$behaviour>;
        $crate::bindings::export!(Exported);
    };
}
