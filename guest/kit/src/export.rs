//! From a policy to the exports of the world.

use alloc::borrow::ToOwned;
use alloc::vec;
use core::cell::RefCell;
use core::marker::PhantomData;

use offermatch_core::Policy;

use crate::bindings;
use crate::bindings::exports::offermatch::matcher::matching::{
    Assignments, Changes, Description, Error, Explanations, Guest, GuestPool, Mode, OfferTable, Pool, PoolBorrow,
    Settings, Shape, TaskTable,
};
use crate::bindings::exports::offermatch::matcher::packed::{self, PackedAssignments, PackedOffers, PackedTasks};
use crate::trace::Trace;

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
            contract: bindings::CONTRACT.to_owned(),
            modes: vec![Mode::Exclusive, Mode::Shared],
        }
    }

    #[cfg(not(feature = "contract-0-1-0"))]
    fn set_traced(traced: bool) {
        crate::trace::set(traced);
    }
}

/// A pool behind the shared reference that the contract's methods get.
pub struct SharedPool<P>(RefCell<offermatch_core::Pool<P>>);

impl<P: Policy + Default + 'static> SharedPool<P> {
    /// A pool of these offers, as the contract hands it out.
    fn of(
        trace: &Trace,
        shape: Shape,
        offers: &offermatch_core::OfferTable,
        settings: Settings,
    ) -> Result<Pool, Error> {
        let open = || offermatch_core::Pool::open(P::default(), shape.into(), offers, &settings.into());
        Ok(Pool::new(Self(RefCell::new(trace.span("index", open)?))))
    }

    /// Places tasks.
    fn place(
        &self,
        trace: &Trace,
        tasks: &offermatch_core::TaskTable,
    ) -> Result<offermatch_core::Assignments, offermatch_core::Error> {
        let mut pool = self.0.borrow_mut();
        let ready = trace.span("index", || pool.prepare(tasks))?;
        Ok(trace.span("assign", || ready.place()))
    }
}

impl<P: Policy + Default + 'static> GuestPool for SharedPool<P> {
    fn open(shape: Shape, offers: OfferTable, settings: Settings) -> Result<Pool, Error> {
        let trace = Trace::of_call();
        let offers = trace.span("decode", || offers.into());
        Self::of(&trace, shape, &offers, settings)
    }

    fn assign(&self, tasks: TaskTable) -> Result<Assignments, Error> {
        let trace = Trace::of_call();
        let tasks = trace.span("decode", || tasks.into());
        let assignments = self.place(&trace, &tasks)?;
        Ok(trace.span("encode", || assignments.into()))
    }

    fn update(&self, changes: Changes) -> Result<(), Error> {
        let trace = Trace::of_call();
        let changes = trace.span("decode", || changes.into());
        Ok(trace.span("index", || self.0.borrow_mut().update(&changes))?)
    }

    fn explain(&self, tasks: TaskTable) -> Result<Explanations, Error> {
        let trace = Trace::of_call();
        let tasks = trace.span("decode", || tasks.into());
        let explanations = trace.span("explain", || self.0.borrow().explain(&tasks))?;
        Ok(trace.span("encode", || explanations.into()))
    }
}

impl<M: Matcher> packed::Guest for Component<M> {
    fn open(shape: Shape, offers: PackedOffers, settings: Settings) -> Result<Pool, Error> {
        let trace = Trace::of_call();
        let offers = trace.span("decode", || offers.try_into())?;
        SharedPool::<M::Policy>::of(&trace, shape, &offers, settings)
    }

    fn assign(pool: PoolBorrow<'_>, tasks: PackedTasks) -> Result<PackedAssignments, Error> {
        let trace = Trace::of_call();
        let tasks = trace.span("decode", || tasks.try_into())?;
        let assignments = pool.get::<SharedPool<M::Policy>>().place(&trace, &tasks)?;
        Ok(trace.span("encode", || assignments.into()))
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
