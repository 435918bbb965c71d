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
        let settings = settings.columns(offers.catalog())?;
        let shape = offers.catalog().shape();
        let session = matcher.session(shape, offers.table(), &settings)?;
        let recording = begun(session.matcher(), shape, offers.table().clone(), &settings)?;
        let columns = recording.settings.clone();
        let recorder = Self(Arc::new(Mutex::new(recording)));
        let session = Box::new(Recorded { session, recorder: recorder.clone() });
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

/// A session whose answers are written down.
struct Recorded {
    session: Box<dyn Session>,
    recorder: Recorder,
}

impl Session for Recorded {
    fn matcher(&self) -> &Matcher {
        self.session.matcher()
    }

    fn assign(&mut self, tasks: &TaskTable, ledger: &mut Ledger) -> Result<Answer, Error> {
        let answer = self.session.assign(tasks, ledger)?;
        let step = Step::Assign { tasks: tasks.clone(), answer: Ok(answer.assignments.clone()) };
        self.recorder.locked().steps.push(step);
        Ok(answer)
    }

    fn update(&mut self, changes: &Changes, ledger: &mut Ledger) -> Result<(), Error> {
        self.session.update(changes, ledger)?;
        self.recorder.locked().steps.push(Step::Update { changes: changes.clone(), answer: Ok(()) });
        Ok(())
    }

    fn explain(&mut self, tasks: &TaskTable, ledger: &Ledger) -> Result<Counts, Error> {
        let counts = self.session.explain(tasks, ledger)?;
        self.recorder.locked().steps.push(Step::Explain { tasks: tasks.clone(), answer: Ok(counts.clone()) });
        Ok(counts)
    }

    fn preempt(
        &mut self,
        tasks: &TaskTable,
        priorities: &[i32],
        running: &RunningTable,
        ledger: &Ledger,
    ) -> Result<Plan, Error> {
        self.session.preempt(tasks, priorities, running, ledger)
    }
}
