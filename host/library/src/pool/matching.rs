//! What a matcher, a matcher with a fallback and a slot have in common: they match.

use crate::error::Error;
use crate::pool::answer::Answer;
use crate::pool::matcher::Matcher;
use crate::table::offers::Offers;
use crate::table::settings::Settings;
use crate::table::tasks::Tasks;

/// Whatever matches tasks to offers, one cycle at a time. Threads share it.
///
/// ```
/// use offermatch::{FallbackMatcher, Matcher, Matching, Sample, Settings};
///
/// let matchers: Vec<Box<dyn Matching>> =
///     vec![Box::new(Matcher::bundled()?), Box::new(FallbackMatcher::new(Matcher::bundled()?))];
/// let (tasks, offers) = "uniform:20x10".parse::<Sample>()?.tables()?;
/// for matcher in matchers {
///     let answer = matcher.match_cycle(&tasks, &offers, &Settings::default())?;
///     assert_eq!(answer.assignments.tasks.len(), 10);
/// }
/// # Ok::<(), offermatch::Error>(())
/// ```
pub trait Matching: Send + Sync {
    /// Matches tasks to offers in a pool of their own.
    ///
    /// # Errors
    /// Those of [`Matcher::open`] and [`Pool::assign`](crate::Pool::assign), where nothing stands behind the matcher that failed.
    fn match_cycle(&self, tasks: &Tasks, offers: &Offers, settings: &Settings) -> Result<Answer, Error>;

    /// The matcher that is asked first, now: the one that pools are opened with.
    fn current(&self) -> Matcher;

    /// Hears how a call ended on a pool in a matcher that [`Matching::current`] gave: tasks were placed, or the matcher
    /// failed. A slot counts it; others have nothing to do.
    fn heard(&self, matcher: &Matcher, failed: Option<&Error>) {
        let _ = (matcher, failed);
    }
}

impl Matching for Matcher {
    fn match_cycle(&self, tasks: &Tasks, offers: &Offers, settings: &Settings) -> Result<Answer, Error> {
        self.match_tasks(tasks, offers, settings)
    }

    fn current(&self) -> Matcher {
        self.clone()
    }
}
