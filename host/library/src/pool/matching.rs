//! What a matcher, a matcher with a fallback and a slot have in common: they match.

use offermatch_core::{OfferTable, Shape};

use crate::error::Error;
use crate::pool::Pool;
use crate::pool::answer::Answer;
use crate::pool::matcher::Matcher;
use crate::pool::session::Session;
use crate::table::offers::Offers;
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
        let span = tracing::debug_span!("match_tasks_to_offers");
        span.in_scope(|| self.open(offers, settings)?.assign(tasks))
    }
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
