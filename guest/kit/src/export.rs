//! From a policy to the exports of the world.

use alloc::borrow::ToOwned;
use alloc::vec;
use core::cell::RefCell;
use core::marker::PhantomData;

use offermatch_core::Policy;

use crate::bindings::exports::offermatch::matcher::matching::{
    Assignments, Changes, Description, Error, Explanations, Guest, GuestPool, Mode, OfferTable, Pool, PoolBorrow,
    Settings, Shape, TaskTable,
};
use crate::bindings::exports::offermatch::matcher::packed::{self, PackedAssignments, PackedOffers, PackedTasks};

/// The contract this component is built against.
const CONTRACT: &str = "0.1.0";

/// A policy, and the name under which it is exported. [`export!`](crate::export) writes it.
pub trait Matcher: 'static {
    /// How offers are ranked.
    type Policy: Policy + Default + 'static;

    /// The matcher's name.
    const NAME: &'static str;

    /// The matcher's version, a semantic version.
    const VERSION: &'static str;
}

/// The component of a matcher.
pub struct Component<M>(PhantomData<M>);

impl<M: Matcher> Guest for Component<M> {
    type Pool = SharedPool<M::Policy>;

    fn describe() -> Description {
        Description {
            name: M::NAME.to_owned(),
            version: M::VERSION.to_owned(),
            policy: M::Policy::NAME.to_owned(),
            contract: CONTRACT.to_owned(),
            modes: vec![Mode::Exclusive, Mode::Shared],
        }
    }
}

/// A pool behind the shared reference that the contract's methods get.
pub struct SharedPool<P>(RefCell<offermatch_core::Pool<P>>);

impl<P: Policy + Default + 'static> SharedPool<P> {
    /// A pool of these offers, as the contract hands it out.
    fn of(shape: Shape, offers: &offermatch_core::OfferTable, settings: Settings) -> Result<Pool, Error> {
        let pool = offermatch_core::Pool::open(P::default(), shape.into(), offers, &settings.into())?;
        Ok(Pool::new(Self(RefCell::new(pool))))
    }
}

impl<P: Policy + Default + 'static> GuestPool for SharedPool<P> {
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

impl<M: Matcher> packed::Guest for Component<M> {
    fn open(shape: Shape, offers: PackedOffers, settings: Settings) -> Result<Pool, Error> {
        SharedPool::<M::Policy>::of(shape, &offers.try_into()?, settings)
    }

    fn assign(pool: PoolBorrow<'_>, tasks: PackedTasks) -> Result<PackedAssignments, Error> {
        Ok(pool.get::<SharedPool<M::Policy>>().0.borrow_mut().assign(&tasks.try_into()?)?.into())
    }
}

/// Makes a component of a policy: `export!(MyPolicy);`. It bears the name and the version of the package that it stands in;
/// `export!(MyPolicy as "my-matcher");` gives it another name. A policy has to be [`Default`], and a component has one policy.
#[macro_export]
macro_rules! export {
    ($policy:ty) => {
        $crate::export!($policy as env!("CARGO_PKG_NAME"));
    };
    ($policy:ty as $name:expr) => {
        /// What is exported.
        enum Exported {}

        impl $crate::Matcher for Exported {
            type Policy = $policy;
            const NAME: &'static str = $name;
            const VERSION: &'static str = env!("CARGO_PKG_VERSION");
        }

        /// The component.
        type ExportedComponent = $crate::Component<Exported>;

        $crate::bindings::export!(ExportedComponent);
    };
}
