//! One open pool behind the contract: in an instance of a component, or in the native reference.

use offermatch_core::{Assignments, BestFit, Changes, Explanations, Method, OfferTable, Settings, Shape, TaskTable};

use crate::limits::{Exceeded, Limit, Limits};
use crate::pool::description::Description;
use crate::wasm::component::Linked;
use crate::wasm::conversion;
use crate::wasm::instance::{Failure, Instance, OpenPool};

impl From<offermatch_core::Error> for Failure {
    fn from(error: offermatch_core::Error) -> Self {
        Self::Refused(error.into())
    }
}

/// One open pool.
pub(crate) enum Session {
    /// In an instance of a component.
    Component(Box<OpenPool>, Limits),
    /// In the native reference.
    Native(Box<offermatch_core::Pool<BestFit>>),
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

impl Session {
    /// Opens a pool in a new instance of a component.
    ///
    /// # Errors
    /// [`Failure`].
    pub(crate) fn open_component(
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
        Ok(Self::Component(Box::new(OpenPool { instance, pool }), *limits))
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
            Self::Component(open, limits) => {
                let OpenPool { instance, pool } = &mut **open;
                let most = limits.output_rows.unwrap_or(u64::MAX).min(tasks.rows.into());
                // A task row, an offer row and a score.
                let bytes = tasks.rows as usize * 16;
                let answer =
                    instance.call(bytes, |store, guest| guest.call_assign(store, *pool, conversion::tasks(tasks)))?;
                let rows = answer.tasks.len().max(answer.offers.len()).max(answer.scores.len());
                check_output(Limit::OutputRows, most, rows)?;
                Ok(conversion::assignments(answer))
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
            Self::Component(open, _) => {
                let OpenPool { instance, pool } = &mut **open;
                instance.call(0, |store, guest| guest.call_update(store, *pool, conversion::changes(changes)))
            }
        }
    }

    /// Explains tasks.
    ///
    /// # Errors
    /// [`Failure`].
    pub(crate) fn explain(&mut self, tasks: &TaskTable, shape: Shape) -> Result<Explanations, Failure> {
        match self {
            Self::Native(pool) => Ok(pool.explain(tasks)?),
            Self::Component(open, _) => {
                let OpenPool { instance, pool } = &mut **open;
                let (rows, dimensions) = (tasks.rows as usize, shape.dimensions as usize);
                let bytes = 4 * (rows * (dimensions + 3) + tasks.requirement_attributes.len());
                let answer =
                    instance.call(bytes, |store, guest| guest.call_explain(store, *pool, conversion::tasks(tasks)))?;
                let requirements = tasks.requirement_attributes.len();
                check_output(Limit::OutputRows, (rows * dimensions) as u64, answer.by_dimension.len())?;
                check_output(Limit::OutputRows, requirements as u64, answer.by_requirement.len())?;
                for column in [&answer.by_devices, &answer.by_score, &answer.candidates] {
                    check_output(Limit::OutputRows, rows as u64, column.len())?;
                }
                Ok(conversion::explanations(answer))
            }
        }
    }
}

/// Refuses an answer that is longer than it can be.
fn check_output(limit: Limit, value: u64, found: usize) -> Result<(), Failure> {
    let asked = found as u64;
    if asked <= value { Ok(()) } else { Err(Exceeded { limit, value, asked }.into()) }
}
