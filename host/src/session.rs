//! One open pool behind the contract: in an instance of a component, or in the native reference.

use offermatch_core::{Assignments, BestFit, Changes, Explanations, Method, OfferTable, Settings, Shape, TaskTable};
use wasmtime::component::ResourceAny;
use wasmtime::{Store, Trap};

use crate::bindings::exports::offermatch::matcher::matching as contract;
use crate::bindings::{Matcher as Bindings, MatcherPre};
use crate::conversion::{self, Refusal};
use crate::description::Description;
use crate::engine::{self, HostState};

/// Why a call has no answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Failure {
    /// No instance could be made.
    Unavailable(String),
    /// The instance trapped and is of no more use.
    Trapped(String),
    /// The matcher refused the call and is as it was.
    Refused(Refusal),
}

impl From<wasmtime::Error> for Failure {
    fn from(error: wasmtime::Error) -> Self {
        let reason = match error.downcast_ref::<Trap>() {
            Some(trap) => trap.to_string(),
            None => error.root_cause().to_string(),
        };
        Self::Trapped(reason)
    }
}

impl From<contract::Error> for Failure {
    fn from(error: contract::Error) -> Self {
        Self::Refused(error.into())
    }
}

impl From<offermatch_core::Error> for Failure {
    fn from(error: offermatch_core::Error) -> Self {
        Self::Refused(error.into())
    }
}

/// One open pool.
pub(crate) enum Session {
    /// In an instance of a component.
    Component(Box<Instance>),
    /// In the native reference.
    Native(Box<offermatch_core::Pool<BestFit>>),
}

/// An instance of a component with one pool in it. Dropped as a whole, with its memory.
pub(crate) struct Instance {
    /// What the instance lives in.
    store: Store<HostState>,
    /// Its exports.
    bindings: Bindings,
    /// The pool.
    pool: ResourceAny,
}

/// Makes an instance of a component.
fn instantiate(pre: &MatcherPre<HostState>) -> Result<(Store<HostState>, Bindings), Failure> {
    let mut store = engine::store();
    let bindings = pre.instantiate(&mut store).map_err(|error| match error.downcast_ref::<Trap>() {
        Some(trap) => Failure::Trapped(trap.to_string()),
        None => Failure::Unavailable(error.root_cause().to_string()),
    })?;
    Ok((store, bindings))
}

/// Asks a component what it is.
///
/// # Errors
/// [`Failure`] when it traps.
pub(crate) fn describe(pre: &MatcherPre<HostState>) -> Result<Description, Failure> {
    let (mut store, bindings) = instantiate(pre)?;
    let description = bindings.offermatch_matcher_matching().call_describe(&mut store)?;
    Ok(conversion::description(description))
}

impl Session {
    /// Opens a pool in a new instance of a component.
    ///
    /// # Errors
    /// [`Failure`].
    pub(crate) fn open_component(
        pre: &MatcherPre<HostState>,
        shape: Shape,
        offers: &OfferTable,
        settings: &Settings,
    ) -> Result<Self, Failure> {
        let (mut store, bindings) = instantiate(pre)?;
        let guest = bindings.offermatch_matcher_matching().pool();
        let pool = guest.call_open(
            &mut store,
            conversion::shape(shape),
            conversion::offers(offers),
            conversion::settings(settings),
        )??;
        Ok(Self::Component(Box::new(Instance { store, bindings, pool })))
    }

    /// Opens a pool in the native reference.
    ///
    /// # Errors
    /// [`Failure::Refused`].
    pub(crate) fn open_native(shape: Shape, offers: &OfferTable, settings: &Settings) -> Result<Self, Failure> {
        let pool = offermatch_core::Pool::open(BestFit, shape, offers, settings)?;
        Ok(Self::Native(Box::new(pool.with_method(Method::Reference))))
    }

    /// Places tasks.
    ///
    /// # Errors
    /// [`Failure`].
    pub(crate) fn assign(&mut self, tasks: &TaskTable) -> Result<Assignments, Failure> {
        match self {
            Self::Native(pool) => Ok(pool.assign(tasks)?),
            Self::Component(instance) => {
                let Instance { store, bindings, pool } = &mut **instance;
                let guest = bindings.offermatch_matcher_matching().pool();
                Ok(conversion::assignments(guest.call_assign(store, *pool, conversion::tasks(tasks))??))
            }
        }
    }

    /// Applies changes.
    ///
    /// # Errors
    /// [`Failure`].
    pub(crate) fn update(&mut self, changes: &Changes) -> Result<(), Failure> {
        match self {
            Self::Native(pool) => Ok(pool.update(changes)?),
            Self::Component(instance) => {
                let Instance { store, bindings, pool } = &mut **instance;
                let guest = bindings.offermatch_matcher_matching().pool();
                Ok(guest.call_update(store, *pool, conversion::changes(changes))??)
            }
        }
    }

    /// Explains tasks.
    ///
    /// # Errors
    /// [`Failure`].
    pub(crate) fn explain(&mut self, tasks: &TaskTable) -> Result<Explanations, Failure> {
        match self {
            Self::Native(pool) => Ok(pool.explain(tasks)?),
            Self::Component(instance) => {
                let Instance { store, bindings, pool } = &mut **instance;
                let guest = bindings.offermatch_matcher_matching().pool();
                Ok(conversion::explanations(guest.call_explain(store, *pool, conversion::tasks(tasks))??))
            }
        }
    }
}
