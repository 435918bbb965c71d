//! What stands behind a session: a pool in an instance of a component, or in the reference. Nothing here is verified.

use offermatch_core::{
    Assignments, BestFit, Changes, FirstFailures as Explanations, Method, OfferTable, Pool, Settings, Shape, TaskTable,
};
use wasmtime::component::ResourceAny;

use crate::limits::{Exceeded, Limit, Limits};
use crate::pool::description::Description;
use crate::wasm::component::Linked;
use crate::wasm::conversion;
use crate::wasm::exports::Exports;
use crate::wasm::failure::Failure;
use crate::wasm::instance::Instance;

/// A pool of columns that nobody has checked, and answers that nobody has verified.
pub(crate) enum Backend {
    Component(Box<Component>),
    Reference(Box<Reference>),
}

/// A pool in an instance of a component.
pub(crate) struct Component {
    instance: Instance,
    pool: ResourceAny,
    limits: Limits,
    shape: Shape,
}

/// A pool in the plain loop that says what is right, compiled into this host.
pub(crate) struct Reference(Pool<BestFit>);

impl Backend {
    /// Places tasks.
    ///
    /// # Errors
    /// [`Failure`].
    pub(crate) fn assign(&mut self, tasks: &TaskTable) -> Result<Assignments, Failure> {
        match self {
            Self::Component(component) => component.assign(tasks),
            Self::Reference(reference) => Ok(reference.0.assign(tasks)?),
        }
    }

    /// Applies changes.
    ///
    /// # Errors
    /// [`Failure`].
    pub(crate) fn update(&mut self, changes: &Changes) -> Result<(), Failure> {
        match self {
            Self::Component(component) => component.update(changes),
            Self::Reference(reference) => Ok(reference.0.update(changes)?),
        }
    }

    /// Explains tasks.
    ///
    /// # Errors
    /// [`Failure`].
    pub(crate) fn explain(&mut self, tasks: &TaskTable) -> Result<Explanations, Failure> {
        match self {
            Self::Component(component) => component.explain(tasks),
            Self::Reference(reference) => Ok(reference.0.first_failures(tasks)?),
        }
    }
}

impl Reference {
    /// A pool of these offers.
    ///
    /// # Errors
    /// [`Failure::Refused`].
    pub(crate) fn open(shape: Shape, offers: &OfferTable, settings: &Settings) -> Result<Self, Failure> {
        Ok(Self(Pool::open(BestFit, shape, offers, settings)?.with_method(Method::Reference)))
    }
}

/// Asks a component what it is.
///
/// # Errors
/// [`Failure`] when it traps, or says too much.
pub(crate) fn describe(linked: &Linked, limits: &Limits) -> Result<Description, Failure> {
    let description = Instance::new(linked, limits)?.describe()?;
    let texts = [&description.name, &description.version, &description.policy, &description.contract];
    let bytes: usize = texts.iter().map(|text| text.len()).sum::<usize>() + description.modes.len();
    check_output(Limit::OutputTextBytes, limits.output_text_bytes, bytes)?;
    Ok(conversion::description(description))
}

impl Component {
    /// A pool of these offers, in a new instance.
    ///
    /// # Errors
    /// [`Failure`].
    pub(crate) fn open(
        linked: &Linked,
        limits: &Limits,
        shape: Shape,
        offers: &OfferTable,
        settings: &Settings,
    ) -> Result<Self, Failure> {
        let mut instance = Instance::new(linked, limits)?;
        let pool = instance.call(0, |store, guest| {
            let (shape, settings) = (conversion::shape(shape), conversion::settings(settings));
            guest.call_open(store, shape, conversion::offers(offers), settings)
        })?;
        Ok(Self { instance, pool, limits: *limits, shape })
    }

    fn assign(&mut self, tasks: &TaskTable) -> Result<Assignments, Failure> {
        let pool = self.pool;
        let most = self.limits.output_rows.unwrap_or(u64::MAX).min(tasks.rows.into());
        // A task row, an offer row and a score.
        let bytes = tasks.rows as usize * 16;
        let excludes = conversion::excludes(tasks);
        let lent = conversion::tasks(tasks, &excludes);
        let ask = |store: &mut _, guest: &Exports| guest.call_assign(store, pool, lent);
        let answer = self.instance.call(bytes, ask)?;
        let rows = answer.tasks.len().max(answer.offers.len()).max(answer.scores.len());
        check_output(Limit::OutputRows, most, rows)?;
        Ok(conversion::assignments(answer))
    }

    fn update(&mut self, changes: &Changes) -> Result<(), Failure> {
        let pool = self.pool;
        self.instance.call(0, |store, guest| guest.call_update(store, pool, conversion::changes(changes)))
    }

    fn explain(&mut self, tasks: &TaskTable) -> Result<Explanations, Failure> {
        let pool = self.pool;
        let (rows, dimensions) = (tasks.rows as usize, self.shape.dimensions as usize);
        let requirements = tasks.requirement_kinds.len();
        let bytes = 4 * (rows * (dimensions + 3) + requirements);
        let excludes = conversion::excludes(tasks);
        let lent = conversion::tasks(tasks, &excludes);
        let ask = |store: &mut _, guest: &Exports| guest.call_explain(store, pool, lent);
        let answer = self.instance.call(bytes, ask)?;
        check_output(Limit::OutputRows, (rows * dimensions) as u64, answer.by_dimension.len())?;
        check_output(Limit::OutputRows, requirements as u64, answer.by_requirement.len())?;
        for column in [&answer.by_devices, &answer.by_score, &answer.candidates] {
            check_output(Limit::OutputRows, rows as u64, column.len())?;
        }
        Ok(conversion::explanations(answer))
    }
}

/// Refuses an answer that is longer than it can be.
fn check_output(limit: Limit, value: u64, found: usize) -> Result<(), Failure> {
    let asked = found as u64;
    if asked <= value { Ok(()) } else { Err(Exceeded { limit, value, asked }.into()) }
}
