//! From a policy to the exports of the world.

use core::cell::{RefCell, RefMut};
use core::marker::PhantomData;

use offermatch_core::Policy;

use crate::bindings::exports::offermatch::matcher::matching::{
    Assignments, Changes, Description, Error, Explanations, Guest, GuestPool, OfferTable, Pool, Settings, Shape,
    TaskTable,
};
use crate::conversion;
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
        conversion::describe::<M::Policy>(M::NAME, M::VERSION)
    }

    fn set_traced(traced: bool) {
        crate::trace::set(traced);
    }
}

/// A pool behind the shared reference that the contract's methods get.
pub struct SharedPool<P>(RefCell<offermatch_core::Pool<P>>);

impl<P: Policy + Default + 'static> SharedPool<P> {
    /// A pool of these offers, as the contract hands it out.
    pub(crate) fn of(
        trace: &Trace,
        shape: Shape,
        offers: &offermatch_core::OfferTable,
        settings: &offermatch_core::Settings,
    ) -> Result<Pool, Error> {
        let open = || offermatch_core::Pool::open(P::default(), shape.into(), offers, settings);
        Ok(Pool::new(Self(RefCell::new(trace.span("index", open)?))))
    }

    /// Places tasks.
    pub(crate) fn place(
        &self,
        trace: &Trace,
        tasks: &offermatch_core::TaskTable,
    ) -> Result<offermatch_core::Assignments, offermatch_core::Error> {
        let mut pool = self.pool();
        let ready = trace.span("index", || pool.prepare(tasks))?;
        Ok(trace.span("assign", || ready.place()))
    }
}

impl<P> SharedPool<P> {
    /// The pool. No call of the contract is made during another one.
    pub(crate) fn pool(&self) -> RefMut<'_, offermatch_core::Pool<P>> {
        self.0.borrow_mut()
    }
}

impl<P: Policy + Default + 'static> GuestPool for SharedPool<P> {
    fn open(shape: Shape, offers: OfferTable, settings: Settings) -> Result<Pool, Error> {
        let trace = Trace::of_call();
        let offers = trace.span("decode", || offers.into());
        Self::of(&trace, shape, &offers, &settings.into())
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
        Ok(trace.span("index", || self.pool().update(&changes))?)
    }

    fn explain(&self, tasks: TaskTable) -> Result<Explanations, Error> {
        let trace = Trace::of_call();
        let tasks = trace.span("decode", || tasks.into());
        let explanations = trace.span("explain", || conversion::explain(&mut self.pool(), &tasks))?;
        Ok(trace.span("encode", || explanations.into()))
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
