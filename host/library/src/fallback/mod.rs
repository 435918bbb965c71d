//! A matcher that something stands behind: whatever goes wrong in it, the cycle ends with a valid answer.

mod pool;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use pool::FallbackPool;

use crate::error::Error;
use crate::pool::answer::{Answer, FallbackReason};
use crate::pool::matcher::Matcher;
use crate::pool::matching::Matching;
use crate::table::offers::Offers;
use crate::table::settings::Settings;
use crate::table::tasks::Tasks;

/// When the circuit breaker opens, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Breaker {
    /// It opens after this many failures in a row.
    pub failures: u32,
    /// It leaves the primary alone for this many cycles, and then one cycle probes it.
    pub cooldown_cycles: u32,
}

impl Default for Breaker {
    fn default() -> Self {
        Self { failures: 3, cooldown_cycles: 100 }
    }
}

/// A matcher made of a primary and a fallback. An [`Answer`] says which of them gave it, and why. A clone is the same matcher.
///
/// ```
/// use offermatch::{FallbackMatcher, Limits, Matcher, Matching, Sample, Settings};
///
/// // A primary that gets no time at all.
/// let hurried = Limits { fuel: Some(20_000), ..Limits::default() };
/// let matcher = FallbackMatcher::new(Matcher::bundled_with(&hurried)?);
/// let (tasks, offers) = "uniform:200x100".parse::<Sample>()?.tables()?;
/// let answer = matcher.match_cycle(&tasks, &offers, &Settings::default())?;
/// assert_eq!(answer.matcher.description().name, "native");
/// assert_eq!(answer.fallback_reason.unwrap().code, "limit-fuel");
/// assert_eq!(matcher.fallbacks()["limit-fuel"], 1);
/// # Ok::<(), offermatch::Error>(())
/// ```
#[derive(Clone)]
pub struct FallbackMatcher {
    /// What all clones share.
    inner: Arc<Inner>,
}

/// What all clones of a matcher with a fallback share.
struct Inner {
    /// Asked first.
    primary: Arc<dyn Matching>,
    /// Asked when the primary fails, or is left alone.
    fallback: Arc<dyn Matching>,
    /// When the primary is left alone.
    breaker: Breaker,
    /// How the primary has done.
    state: Mutex<State>,
}

/// How the primary has done.
#[derive(Debug, Default)]
struct State {
    /// Failures since the last success.
    failures: u32,
    /// Cycles until the next probe, while the breaker is open.
    cooldown: Option<u32>,
    /// How often the fallback answered, by the code of the reason.
    fallbacks: BTreeMap<&'static str, u64>,
    /// Why the breaker is open.
    last: Option<FallbackReason>,
}

/// The code of a cycle in which the breaker was open.
const BREAKER_OPEN: &str = "breaker-open";

impl FallbackMatcher {
    /// A matcher behind which the native reference stands.
    #[must_use]
    pub fn new(primary: impl Matching + 'static) -> Self {
        Self::with(primary, Matcher::native(), Breaker::default())
    }

    /// A matcher of this primary, fallback and circuit breaker.
    #[must_use]
    pub fn with(primary: impl Matching + 'static, fallback: impl Matching + 'static, breaker: Breaker) -> Self {
        let (primary, fallback) = (Arc::new(primary), Arc::new(fallback));
        Self { inner: Arc::new(Inner { primary, fallback, breaker, state: Mutex::default() }) }
    }

    /// How often the fallback answered, by the code of the reason; `breaker-open` where the primary was not asked.
    #[must_use]
    pub fn fallbacks(&self) -> BTreeMap<&'static str, u64> {
        self.state().fallbacks.clone()
    }

    /// Whether the breaker is open: the primary is left alone.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.state().cooldown.is_some()
    }

    /// The state. A thread that panicked has left it whole: every change is one assignment.
    fn state(&self) -> MutexGuard<'_, State> {
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the primary is to be asked; otherwise why not.
    fn admit(&self) -> Result<(), FallbackReason> {
        let mut state = self.state();
        match &mut state.cooldown {
            None => Ok(()),
            Some(0) => {
                // One cycle probes; until it is through, the others keep away.
                state.cooldown = Some(self.inner.breaker.cooldown_cycles);
                Ok(())
            }
            Some(left) => {
                *left -= 1;
                let last = state.last.as_ref().map_or("", |last| &last.message);
                let message = format!("the circuit breaker is open, after: {last}");
                Err(FallbackReason { code: BREAKER_OPEN, message })
            }
        }
    }

    /// Writes down that the primary answered.
    fn succeeded(&self) {
        let mut state = self.state();
        state.failures = 0;
        state.last = None;
        if state.cooldown.take().is_some() {
            tracing::info!("the primary matcher answers again");
        }
    }

    /// Lets another cycle probe: the one that did says nothing about the primary.
    fn abandoned(&self) {
        if let Some(left) = &mut self.state().cooldown {
            *left = 0;
        }
    }

    /// Writes down that the primary failed.
    fn failed(&self, error: &Error) -> FallbackReason {
        let reason = FallbackReason { code: error.code(), message: error.to_string() };
        let mut state = self.state();
        state.failures = state.failures.saturating_add(1);
        state.last = Some(reason.clone());
        if state.failures >= self.inner.breaker.failures {
            if state.cooldown.is_none() {
                tracing::warn!(failures = state.failures, "the primary matcher is left alone");
            }
            state.cooldown = Some(self.inner.breaker.cooldown_cycles);
        }
        reason
    }

    /// Tells that the fallback answers, and why.
    fn note(&self, reason: &FallbackReason) {
        tracing::Span::current().record("fallback_reason", reason.code);
        tracing::warn!(code = reason.code, reason = reason.message, "the fallback answers");
        *self.state().fallbacks.entry(reason.code).or_default() += 1;
    }
}

impl Matching for FallbackMatcher {
    #[tracing::instrument(level = "debug", skip_all, fields(fallback_reason))]
    fn match_cycle(&self, tasks: &Tasks, offers: &Offers, settings: &Settings) -> Result<Answer, Error> {
        let Inner { primary, fallback, .. } = &*self.inner;
        let reason = match self.admit() {
            Err(reason) => reason,
            Ok(()) => match primary.match_cycle(tasks, offers, settings) {
                Ok(answer) => {
                    self.succeeded();
                    return Ok(answer);
                }
                Err(error) if error.is_the_matchers() => self.failed(&error),
                // A mistake in the input is nobody's failure, if the fallback makes the same of it.
                Err(error) => {
                    return match fallback.match_cycle(tasks, offers, settings) {
                        Ok(answer) => {
                            let reason = self.failed(&error);
                            self.note(&reason);
                            Ok(Answer { fallback_reason: Some(reason), ..answer })
                        }
                        Err(_) => {
                            self.abandoned();
                            Err(error)
                        }
                    };
                }
            },
        };
        self.note(&reason);
        let answer = fallback.match_cycle(tasks, offers, settings)?;
        Ok(Answer { fallback_reason: Some(reason), ..answer })
    }

    fn current(&self) -> Matcher {
        self.inner.primary.current()
    }
}

impl fmt::Debug for FallbackMatcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (breaker, state) = (self.inner.breaker, self.state());
        f.debug_struct("FallbackMatcher").field("breaker", &breaker).field("state", &*state).finish_non_exhaustive()
    }
}
