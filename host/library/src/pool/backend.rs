//! What stands behind a session: a pool in an instance of a component, or in the reference. Nothing here is verified.

use offermatch_core::{
    Assignments, BestFit, Changes, Method, OfferTable, Plan, Pool, RunningTable, Settings, Shape, TaskTable,
};
use wasmtime::component::ResourceAny;

use crate::limit::{Exceeded, Limit};
use crate::limits::Limits;
use crate::pool::counts::{Counts, FirstFailures};
use crate::pool::description::Description;
use crate::wasm::component::Linked;
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
pub(crate) struct Reference {
    pool: Pool<BestFit>,
    /// Whether it answers by contract 0.2.0.
    is_before: bool,
}

impl Backend {
    /// Places tasks.
    ///
    /// # Errors
    /// [`Failure`].
    pub(crate) fn assign(&mut self, tasks: &TaskTable) -> Result<Assignments, Failure> {
        match self {
            Self::Component(component) => component.assign(tasks),
            Self::Reference(reference) => Ok(reference.pool.assign(tasks)?),
        }
    }

    /// Applies changes.
    ///
    /// # Errors
    /// [`Failure`].
    pub(crate) fn update(&mut self, changes: &Changes) -> Result<(), Failure> {
        match self {
            Self::Component(component) => component.update(changes),
            Self::Reference(reference) => Ok(reference.pool.update(changes)?),
        }
    }

    /// Explains tasks.
    ///
    /// # Errors
    /// [`Failure`].
    pub(crate) fn explain(&mut self, tasks: &TaskTable) -> Result<Counts, Failure> {
        match self {
            Self::Component(component) => component.explain(tasks),
            Self::Reference(reference) if reference.is_before => {
                Ok(Counts::FirstFailures(reference.pool.first_failures(tasks)?))
            }
            Self::Reference(reference) => Ok(Counts::ByCheck(Box::new(reference.pool.explain(tasks)?))),
        }
    }

    /// Plans which running tasks have to end so that tasks find an offer. `priorities` has one number a task.
    ///
    /// # Errors
    /// [`Failure`].
    pub(crate) fn preempt(
        &mut self,
        tasks: &TaskTable,
        priorities: &[i32],
        running: &RunningTable,
    ) -> Result<Plan, Failure> {
        match self {
            Self::Component(component) => component.preempt(tasks, priorities, running),
            Self::Reference(reference) => Ok(reference.pool.preempt(tasks, priorities, running)?),
        }
    }
}

impl Backend {
    /// Asks the component behind the pool what it is; the reference is not asked.
    ///
    /// # Errors
    /// [`Failure`].
    pub(crate) fn describe(&mut self) -> Result<Option<Description>, Failure> {
        match self {
            Self::Component(component) => component.instance.describe().map(Some),
            Self::Reference(_) => Ok(None),
        }
    }
}

impl Reference {
    /// A pool of these offers, by contract 0.2.0 or by the current one.
    ///
    /// # Errors
    /// [`Failure::Refused`].
    pub(crate) fn open(
        shape: Shape,
        offers: &OfferTable,
        settings: &Settings,
        is_before: bool,
    ) -> Result<Self, Failure> {
        let settings = Settings { raise_scales: settings.raise_scales && !is_before, ..settings.clone() };
        let pool = Pool::open(BestFit, shape, offers, &settings)?.with_method(Method::Reference);
        Ok(Self { pool, is_before })
    }
}

/// Asks a component what it is, twice.
///
/// # Errors
/// [`Failure`] when it traps, says too much, or what does not hold.
pub(crate) fn describe(linked: &Linked, limits: &Limits) -> Result<Description, Failure> {
    let mut instance = Instance::new(linked, limits)?;
    let description = instance.describe()?;
    let texts = [&description.name, &description.version, &description.policy, &description.contract];
    let names = description.parameters.iter().map(|parameter| parameter.name.len());
    let bytes: usize = texts.iter().map(|text| text.len()).chain(names).sum::<usize>() + description.modes.len();
    let bytes = bytes + description.rules.len() + description.parameters.len();
    check_output(Limit::OutputTextBytes, limits.output_text_bytes, bytes)?;
    description.check().map_err(Failure::Misdescribed)?;
    if instance.describe()? != description {
        return Err(Failure::Misdescribed("it is another one when it is asked again".to_owned()));
    }
    Ok(description)
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
        let pool = instance.call(0, |store, guest| guest.call_open(store, shape, offers, settings))?;
        Ok(Self { instance, pool, limits: *limits, shape })
    }

    fn assign(&mut self, tasks: &TaskTable) -> Result<Assignments, Failure> {
        let pool = self.pool;
        let most = self.limits.output_rows.unwrap_or(u64::MAX).min(tasks.rows.into());
        // A task row, an offer row and a score.
        let bytes = tasks.rows as usize * 16;
        let ask = |store: &mut _, guest: &Exports| guest.call_assign(store, pool, tasks);
        let answer = self.instance.call(bytes, ask)?;
        let rows = answer.tasks.len().max(answer.offers.len()).max(answer.scores.len());
        check_output(Limit::OutputRows, most, rows)?;
        Ok(answer)
    }

    fn update(&mut self, changes: &Changes) -> Result<(), Failure> {
        let pool = self.pool;
        self.instance.call(0, |store, guest| guest.call_update(store, pool, changes))
    }

    fn explain(&mut self, tasks: &TaskTable) -> Result<Counts, Failure> {
        let pool = self.pool;
        let widths = Widths::of(tasks, self.shape);
        let bytes =
            16 * widths.cells + 16 * widths.requirements + 8 * widths.limits + 40 * widths.rows + 4 * widths.groups;
        let ask = |store: &mut _, guest: &Exports| guest.call_explain(store, pool, tasks);
        let answer = self.instance.call(bytes, ask)?;
        for (_, found, expected) in lengths(&answer, &widths) {
            check_output(Limit::OutputRows, expected as u64, found)?;
        }
        Ok(answer)
    }

    fn preempt(&mut self, tasks: &TaskTable, priorities: &[i32], running: &RunningTable) -> Result<Plan, Failure> {
        let pool = self.pool;
        let (rows, victims) = (tasks.rows as usize, running.rows as usize);
        let ask = |store: &mut _, guest: &Exports| guest.call_preempt(store, pool, (tasks, priorities), running);
        let plan = self.instance.call(24 * rows + 4 * victims, ask)?;
        for column in
            [plan.tasks.len(), plan.offers.len(), plan.scores.len(), plan.victim_offsets.len().saturating_sub(1)]
        {
            check_output(Limit::OutputRows, rows as u64, column)?;
        }
        check_output(Limit::OutputRows, victims as u64, plan.victims.len())?;
        Ok(plan)
    }
}

/// How long the columns of counts of a table are.
pub(crate) struct Widths {
    pub(crate) rows: usize,
    /// `rows x dimensions`
    pub(crate) cells: usize,
    pub(crate) requirements: usize,
    /// The limits of each task's group, task after task.
    pub(crate) limits: usize,
    pub(crate) groups: usize,
}

impl Widths {
    /// Those of a checked table.
    pub(crate) fn of(tasks: &TaskTable, shape: Shape) -> Self {
        let offsets = &tasks.groups.limit_offsets;
        let limits = tasks.group_of.iter().filter(|&&group| group > 0).map(|&group| group as usize);
        let limits = limits.filter_map(|group| offsets.get(group - 1..=group)).map(|ends| (ends[1] - ends[0]) as usize);
        Self {
            rows: tasks.rows as usize,
            cells: tasks.rows as usize * shape.dimensions as usize,
            requirements: tasks.requirement_subjects.len(),
            limits: limits.sum(),
            groups: tasks.groups.rows as usize,
        }
    }
}

/// The columns of counts: name, length, and how long each is to be.
pub(crate) fn lengths(counts: &Counts, widths: &Widths) -> Vec<(&'static str, usize, usize)> {
    let Widths { rows, cells, requirements, limits, groups } = *widths;
    match counts {
        Counts::FirstFailures(FirstFailures { by_dimension, by_requirement, by_devices, by_score, candidates }) => {
            vec![
                ("by-dimension", by_dimension.len(), cells),
                ("by-requirement", by_requirement.len(), requirements),
                ("by-devices", by_devices.len(), rows),
                ("by-score", by_score.len(), rows),
                ("candidates", candidates.len(), rows),
            ]
        }
        Counts::ByCheck(counts) => {
            vec![
                ("dimension-fails", counts.dimension_fails.len(), cells),
                ("dimension-alone", counts.dimension_alone.len(), cells),
                ("dimension-missing", counts.dimension_missing.len(), cells),
                ("requirement-fails", counts.requirement_fails.len(), requirements),
                ("requirement-alone", counts.requirement_alone.len(), requirements),
                ("requirement-missing", counts.requirement_missing.len(), requirements),
                ("devices-fails", counts.devices_fails.len(), rows),
                ("devices-alone", counts.devices_alone.len(), rows),
                ("devices-missing", counts.devices_missing.len(), rows),
                ("together-fails", counts.together_fails.len(), rows),
                ("together-alone", counts.together_alone.len(), rows),
                ("limit-fails", counts.limit_fails.len(), limits),
                ("limit-alone", counts.limit_alone.len(), limits),
                ("score-fails", counts.score_fails.len(), rows),
                ("score-missing", counts.score_missing.len(), rows),
                ("candidates", counts.candidates.len(), rows),
                ("capable", counts.capable.len(), rows),
                ("members-placed", counts.members_placed.len(), groups),
            ]
        }
    }
}

/// Refuses an answer that is longer than it can be.
fn check_output(limit: Limit, value: u64, found: usize) -> Result<(), Failure> {
    let asked = found as u64;
    if asked <= value { Ok(()) } else { Err(Exceeded { limit, value, asked }.into()) }
}
