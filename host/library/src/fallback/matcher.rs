//! A matcher made of two.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use offermatch_core::{OfferTable, Shape};

use super::breaker::{Breaker, Circuit};
use super::guarded::{Guarded, Inner};
use crate::error::Error;
use crate::pool::Pool;
use crate::pool::answer::Answer;
use crate::pool::matcher::Matcher;
use crate::pool::matching::{Matching, traced};
use crate::pool::session::Session;
use crate::table::offers::Offers;
use crate::table::settings::{PoolSettings, Settings};
use crate::table::tasks::Tasks;

/// A matcher made of a primary and a fallback. An [`Answer`] says which of them gave it, and why. A clone is the same matcher.
///
/// ```
/// use offermatch::{FallbackMatcher, Limits, Matcher, Matching, Sample, Settings};
///
/// // A primary that gets no time at all.
/// let hurried = Limits { fuel: Some(20_000), ..Limits::default() };
/// let matcher = FallbackMatcher::new(Matcher::bundled_with("best-fit", &hurried)?);
/// let (tasks, offers) = "uniform:200x100".parse::<Sample>()?.tables()?;
/// let answer = matcher.match_tasks(&tasks, &offers, &Settings::default())?;
/// assert_eq!(answer.matcher.description().name, "offermatch-reference");
/// assert_eq!(answer.fallback_reason.unwrap().code, "limit-fuel");
/// assert_eq!(matcher.fallbacks()["limit-fuel"], 1);
///
/// // A pool outlives its primary: the fallback goes on with the offers as they stand.
/// let mut pool = matcher.open(&offers, &Settings::default())?;
/// assert_eq!(pool.assign(&tasks)?.fallback_reason.unwrap().code, "limit-fuel");
/// # Ok::<(), offermatch::Error>(())
/// ```
#[derive(Clone)]
pub struct FallbackMatcher {
    inner: Arc<Inner>,
}

impl FallbackMatcher {
    /// A matcher behind which the reference stands, by the contract of the primary.
    #[must_use]
    pub fn new(primary: impl Matching + 'static) -> Self {
        let reference = Matcher::reference_of(&primary.matcher().description().contract);
        Self::with(primary, reference, Breaker::default())
    }

    /// A matcher of this primary, fallback and circuit breaker.
    #[must_use]
    pub fn with(primary: impl Matching + 'static, fallback: impl Matching + 'static, breaker: Breaker) -> Self {
        let (primary, fallback) = (Box::new(primary), Box::new(fallback));
        Self { inner: Arc::new(Inner { primary, fallback, circuit: Circuit::new(breaker) }) }
    }

    /// How often the fallback answered, by the code of the reason; `breaker-open` where the primary was not asked.
    #[must_use]
    pub fn fallbacks(&self) -> BTreeMap<&'static str, u64> {
        self.inner.circuit.fallbacks()
    }

    /// Whether the breaker is open: the primary is left alone.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.inner.circuit.is_open()
    }
}

impl Matching for FallbackMatcher {
    fn matcher(&self) -> Matcher {
        self.inner.primary.matcher()
    }

    fn match_tasks(&self, tasks: &Tasks, offers: &Offers, settings: &Settings) -> Result<Answer, Error> {
        traced(tasks, offers, || self.match_guarded(tasks, offers, settings), |answer| answer)
    }

    fn session(&self, shape: Shape, offers: &OfferTable, settings: &PoolSettings) -> Result<Box<dyn Session>, Error> {
        Ok(Box::new(Guarded::open(self.inner.clone(), shape, offers, settings)?))
    }
}

impl FallbackMatcher {
    /// Matches tasks to offers by the primary or, where that fails or is left alone, by the fallback.
    fn match_guarded(&self, tasks: &Tasks, offers: &Offers, settings: &Settings) -> Result<Answer, Error> {
        let Inner { primary, fallback, circuit } = &*self.inner;
        let reason = match circuit.admit() {
            Err(reason) => reason,
            Ok(()) => match primary.match_tasks(tasks, offers, settings) {
                Ok(answer) => {
                    circuit.succeeded();
                    return Ok(answer);
                }
                Err(error) if error.is_the_matchers() => circuit.failed(&error),
                // A mistake in the input is nobody's failure, if the fallback makes the same of it.
                Err(error) => {
                    return match match_leniently(&**fallback, tasks, offers, settings) {
                        Ok(answer) => {
                            let reason = circuit.failed(&error);
                            circuit.note(&reason);
                            Ok(Answer { fallback_reason: Some(reason), ..answer })
                        }
                        Err(_) => {
                            circuit.abandoned();
                            Err(error)
                        }
                    };
                }
            },
        };
        circuit.note(&reason);
        let answer = match_leniently(&**fallback, tasks, offers, settings)?;
        Ok(Answer { fallback_reason: Some(reason), ..answer })
    }
}

/// Matches in a pool of its own, without the parameters that the matcher does not have.
fn match_leniently(
    matcher: &dyn Matching,
    tasks: &Tasks,
    offers: &Offers,
    settings: &Settings,
) -> Result<Answer, Error> {
    if settings.parameters.is_empty() {
        return matcher.match_tasks(tasks, offers, settings);
    }
    let settings = settings.columns(offers.catalog())?.lenient();
    let session = matcher.session(offers.catalog().shape(), offers.table(), &settings)?;
    Pool::new(session, offers, &settings.columns).assign(tasks)
}

impl fmt::Debug for FallbackMatcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FallbackMatcher").field("circuit", &self.inner.circuit).finish_non_exhaustive()
    }
}
