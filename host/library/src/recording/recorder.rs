//! A pool whose calls are written down.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use offermatch_core::{Changes, OfferTable, Plan, RunningTable, Settings as Columns, Shape, TaskTable};

use super::{Recording, Step};
use crate::error::Error;
use crate::pool::Pool;
use crate::pool::answer::Answer;
use crate::pool::counts::Counts;
use crate::pool::ledger::Ledger;
use crate::pool::matcher::Matcher;
use crate::pool::matching::Matching;
use crate::pool::session::Session;
use crate::table::offers::Offers;
use crate::table::settings::{PoolSettings, Settings};

/// Writes down what is asked of a pool and answered. A clone is the same recorder.
///
/// ```
/// use offermatch::{Matcher, Recorder, Recording, Sample, Settings};
///
/// let (tasks, offers) = "uniform:20x10:3".parse::<Sample>()?.tables()?;
/// let (mut pool, recorder) = Recorder::open(&Matcher::bundled("best-fit")?, &offers, &Settings::default())?;
/// pool.assign(&tasks)?;
///
/// let again = Recording::parse(&recorder.recording().to_json(), "text")?;
/// assert!(again.replay(&Matcher::reference())?.is_same());
/// # Ok::<(), offermatch::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Recorder(Arc<Mutex<Recording>>);

impl Recorder {
    /// A pool of these offers, and the recorder of what is asked of it.
    ///
    /// # Errors
    /// As [`Matching::open`].
    pub fn open(
        matcher: &(impl Matching + ?Sized),
        offers: &Offers,
        settings: &Settings,
    ) -> Result<(Pool, Self), Error> {
        let (session, recording, _) = opened(matcher, offers, settings)?;
        let columns = recording.settings.clone();
        let recorder = Self(Arc::new(Mutex::new(recording)));
        let session = Box::new(Recorded { session, notes: recorder.clone() });
        Ok((Pool::new(session, offers, &columns), recorder))
    }

    /// What has been asked and answered so far.
    #[must_use]
    pub fn recording(&self) -> Recording {
        self.locked().clone()
    }

    /// The recording. A thread that panicked has left it whole: a step is written down in one push.
    fn locked(&self) -> MutexGuard<'_, Recording> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The recording of a pool that has just been opened in a matcher.
///
/// # Errors
/// [`Error::ParameterMalformed`].
pub(super) fn begun(
    matcher: &Matcher,
    shape: Shape,
    offers: OfferTable,
    settings: &PoolSettings,
) -> Result<Recording, Error> {
    let columns = PoolSettings { is_lenient: true, ..settings.clone() }.of(matcher.description())?;
    Ok(Recording {
        matcher: Some(matcher.into()),
        shape,
        settings: Columns { raise_scales: !matcher.keeps_scales(), ..columns },
        offers,
        ..Recording::default()
    })
}

/// A session that has just been opened in a matcher, its recording, and its settings.
///
/// # Errors
/// As [`Matching::open`].
pub(super) fn opened(
    matcher: &(impl Matching + ?Sized),
    offers: &Offers,
    settings: &Settings,
) -> Result<(Box<dyn Session>, Recording, PoolSettings), Error> {
    let settings = settings.columns(offers.catalog())?;
    let shape = offers.catalog().shape();
    let session = matcher.session(shape, offers.table(), &settings)?;
    let recording = begun(session.matcher(), shape, offers.table().clone(), &settings)?;
    Ok((session, recording, settings))
}

/// Where the steps of a session are written down.
pub(super) trait Notes: Send {
    /// Writes down a step, as the matcher has answered it.
    fn note(&mut self, step: Step, matcher: &Matcher, ledger: &Ledger);
}

impl Notes for Recorder {
    fn note(&mut self, step: Step, _: &Matcher, _: &Ledger) {
        self.locked().steps.push(step);
    }
}

/// A session whose answers are written down.
pub(super) struct Recorded<N> {
    pub(super) session: Box<dyn Session>,
    pub(super) notes: N,
}

impl<N: Notes> Recorded<N> {
    /// Writes down a step.
    fn note(&mut self, step: Step, ledger: &Ledger) {
        self.notes.note(step, self.session.matcher(), ledger);
    }
}

impl<N: Notes> Session for Recorded<N> {
    fn matcher(&self) -> &Matcher {
        self.session.matcher()
    }

    fn assign(&mut self, tasks: &TaskTable, ledger: &mut Ledger) -> Result<Answer, Error> {
        let answer = self.session.assign(tasks, ledger)?;
        self.note(Step::Assign { tasks: tasks.clone(), answer: Ok(answer.assignments.clone()) }, ledger);
        Ok(answer)
    }

    fn update(&mut self, changes: &Changes, ledger: &mut Ledger) -> Result<(), Error> {
        self.session.update(changes, ledger)?;
        self.note(Step::Update { changes: changes.clone(), answer: Ok(()) }, ledger);
        Ok(())
    }

    fn explain(&mut self, tasks: &TaskTable, ledger: &Ledger) -> Result<Counts, Error> {
        let counts = self.session.explain(tasks, ledger)?;
        self.note(Step::Explain { tasks: tasks.clone(), answer: Ok(counts.clone()) }, ledger);
        Ok(counts)
    }

    fn preempt(
        &mut self,
        tasks: &TaskTable,
        priorities: &[i32],
        running: &RunningTable,
        ledger: &Ledger,
    ) -> Result<Plan, Error> {
        let plan = self.session.preempt(tasks, priorities, running, ledger)?;
        let (tasks, priorities, running) = (tasks.clone(), priorities.to_vec(), running.clone());
        self.note(Step::Preempt { tasks, priorities, running, answer: Ok(plan.clone()) }, ledger);
        Ok(plan)
    }
}
