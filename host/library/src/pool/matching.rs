//! What a matcher, a matcher with a fallback and a slot have in common: they match.

use std::cmp::Reverse;
use std::num::NonZeroUsize;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use offermatch_core::{OfferTable, Shape};
use tracing::{Span, field};

use crate::error::Error;
use crate::pool::Pool;
use crate::pool::answer::Answer;
use crate::pool::matcher::Matcher;
use crate::pool::session::Session;
use crate::table::offers::Offers;
use crate::table::partition::Partition;
use crate::table::settings::{PoolSettings, Settings};
use crate::table::tasks::Tasks;

/// What matches tasks to offers. Threads share it.
///
/// ```
/// use offermatch::{FallbackMatcher, Matcher, Matching, Sample, Settings};
///
/// let matchers: Vec<Box<dyn Matching>> =
///     vec![Box::new(Matcher::bundled("best-fit")?), Box::new(FallbackMatcher::new(Matcher::bundled("best-fit")?))];
/// let (tasks, offers) = "uniform:20x10".parse::<Sample>()?.tables()?;
/// for matcher in matchers {
///     let answer = matcher.match_tasks(&tasks, &offers, &Settings::default())?;
///     assert_eq!(answer.assignments.tasks.len(), 10);
/// }
/// # Ok::<(), offermatch::Error>(())
/// ```
pub trait Matching: Send + Sync {
    /// The matcher that is asked first.
    fn matcher(&self) -> Matcher;

    /// Opens a session over these columns.
    ///
    /// # Errors
    /// [`Error::SettingMalformed`], [`Error::RuleUnsupported`], [`Error::ParameterUnknown`], [`Error::ParameterMalformed`],
    /// [`Error::TooManyRows`], [`Error::MatcherTrapped`], [`Error::AnswerRefused`] and [`Error::InstanceUnavailable`].
    fn session(&self, shape: Shape, offers: &OfferTable, settings: &PoolSettings) -> Result<Box<dyn Session>, Error>;

    /// A pool of these offers, listed in the order of their rows.
    ///
    /// # Errors
    /// [`Error::SettingMalformed`], and those of [`Matching::session`].
    fn open(&self, offers: &Offers, settings: &Settings) -> Result<Pool, Error> {
        let settings = settings.columns(offers.catalog())?;
        let session = self.session(offers.catalog().shape(), offers.table(), &settings)?;
        Ok(Pool::new(session, offers, &settings.columns))
    }

    /// Matches tasks to offers in a pool of their own.
    ///
    /// # Errors
    /// Those of [`Matching::open`] and [`Pool::assign`].
    fn match_tasks(&self, tasks: &Tasks, offers: &Offers, settings: &Settings) -> Result<Answer, Error> {
        traced(tasks, offers, || self.open(offers, settings)?.assign(tasks), |answer| answer)
    }

    /// Matches each partition in a pool of its own, several at a time, and gives the answers in the order of the partitions.
    /// Each answer is that of [`Matching::match_tasks`], bit for bit; [`Settings::with_scales_of`] has the settings by which
    /// scores are those of all offers together. No offer may stand in two partitions.
    ///
    /// ```
    /// use std::num::NonZeroUsize;
    ///
    /// use offermatch::{Matcher, Matching, Partition, Sample, Settings};
    ///
    /// let (tasks, offers) = "constrained:200x100".parse::<Sample>()?.tables()?;
    /// let parts = Partition::all(&tasks, &offers);
    /// let settings = Settings::default().with_scales_of(&offers)?;
    /// let threads = NonZeroUsize::new(2).unwrap();
    /// let answers = Matcher::bundled("best-fit")?.match_partitions(&parts, &settings, threads)?;
    /// assert_eq!(answers.len(), parts.len());
    /// # Ok::<(), offermatch::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`Matching::match_tasks`], for the first partition that has one.
    fn match_partitions(
        &self,
        partitions: &[Partition],
        settings: &Settings,
        threads: NonZeroUsize,
    ) -> Result<Vec<Answer>, Error> {
        let mut order: Vec<usize> = (0..partitions.len()).collect();
        // The largest first, so that no thread is left with it at the end.
        order.sort_by_key(|&at| Reverse(partitions[at].tasks.len().saturating_mul(partitions[at].offers.len())));
        let next = AtomicUsize::new(0);
        let work = || {
            let mut found = Vec::new();
            while let Some(&at) = order.get(next.fetch_add(1, Ordering::Relaxed)) {
                found.push((at, self.match_tasks(&partitions[at].tasks, &partitions[at].offers, settings)));
            }
            found
        };
        let mut found: Vec<(usize, Result<Answer, Error>)> = thread::scope(|scope| {
            let others: Vec<_> = (1..threads.get().min(partitions.len())).map(|_| scope.spawn(work)).collect();
            let mine = work();
            let others = others.into_iter().flat_map(|other| other.join().unwrap_or_else(|panic| resume_unwind(panic)));
            mine.into_iter().chain(others).collect()
        });
        found.sort_by_key(|(at, _)| *at);
        found.into_iter().map(|(_, answer)| answer).collect()
    }
}

/// The span of a cycle's matching.
const MATCHING: &str = "match_tasks_to_offers";

/// Does what matches in the span `match_tasks_to_offers`, unless it is in one already, and says on it what was asked and who
/// answered. [`Matching::match_tasks`] does so itself; this is for whoever opens a pool.
///
/// ```
/// use offermatch::{Matcher, Sample, Settings, traced};
///
/// let (tasks, offers) = "uniform:20x10".parse::<Sample>()?.tables()?;
/// let work = || {
///     let mut pool = Matcher::bundled("best-fit")?.open(&offers, &Settings::default())?;
///     let answer = pool.assign(&tasks)?;
///     Ok((pool, answer))
/// };
/// let (pool, answer) = traced(&tasks, &offers, work, |(_, answer)| answer)?;
/// assert_eq!(pool.listed() + answer.assignments.tasks.len(), 10);
/// # Ok::<(), offermatch::Error>(())
/// ```
///
/// # Errors
/// Those of the work.
pub fn traced<T>(
    tasks: &Tasks,
    offers: &Offers,
    work: impl FnOnce() -> Result<T, Error>,
    answer: impl FnOnce(&T) -> &Answer,
) -> Result<T, Error> {
    if Span::current().metadata().is_some_and(|metadata| metadata.name() == MATCHING) {
        return work();
    }
    let span = tracing::debug_span!(
        MATCHING,
        offermatch.tasks = tasks.len() as i64,
        offermatch.offers = offers.len() as i64,
        offermatch.placed = field::Empty,
        offermatch.matcher = field::Empty,
        offermatch.policy = field::Empty,
        offermatch.matcher.digest = field::Empty,
        fallback_reason = field::Empty,
    );
    let found = span.in_scope(work)?;
    if !span.is_disabled() {
        let answer = answer(&found);
        let said = answer.matcher.description();
        span.record("offermatch.placed", answer.assignments.tasks.len() as i64);
        span.record("offermatch.matcher", format!("{} {}", said.name, said.version));
        span.record("offermatch.policy", &said.policy);
        span.record("offermatch.matcher.digest", answer.matcher.digest().unwrap_or_default());
    }
    Ok(found)
}

/// The same as of every [`Matching`], without an import of the trait.
impl Matcher {
    /// As [`Matching::open`].
    ///
    /// # Errors
    /// As [`Matching::open`].
    pub fn open(&self, offers: &Offers, settings: &Settings) -> Result<Pool, Error> {
        Matching::open(self, offers, settings)
    }

    /// As [`Matching::match_tasks`].
    ///
    /// # Errors
    /// As [`Matching::match_tasks`].
    pub fn match_tasks(&self, tasks: &Tasks, offers: &Offers, settings: &Settings) -> Result<Answer, Error> {
        Matching::match_tasks(self, tasks, offers, settings)
    }
}
