//! The circuit breaker: when a primary that fails is left alone, and when it is asked again.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::error::Error;
use crate::meter;
use crate::pool::answer::FallbackReason;

/// When the circuit breaker opens, and for how long.
///
/// ```
/// use offermatch::{Breaker, FallbackMatcher, Matcher};
///
/// let patient = Breaker { failures: 10, ..Breaker::default() };
/// let matcher = FallbackMatcher::with(Matcher::bundled("best-fit")?, Matcher::reference(), patient);
/// assert!(!matcher.is_open());
/// # Ok::<(), offermatch::Error>(())
/// ```
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

/// A breaker, and how the primary has done.
#[derive(Debug, Default)]
pub(super) struct Circuit {
    breaker: Breaker,
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

impl Circuit {
    /// A circuit that is closed.
    pub(super) fn new(breaker: Breaker) -> Self {
        Self { breaker, state: Mutex::default() }
    }

    /// How often the fallback answered, by the code of the reason; `breaker-open` where the primary was not asked.
    pub(super) fn fallbacks(&self) -> BTreeMap<&'static str, u64> {
        self.state().fallbacks.clone()
    }

    /// Whether the breaker is open: the primary is left alone.
    pub(super) fn is_open(&self) -> bool {
        self.state().cooldown.is_some()
    }

    /// The state. A thread that panicked has left it whole: every change is one assignment.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the primary is to be asked; otherwise why not.
    pub(super) fn admit(&self) -> Result<(), FallbackReason> {
        let mut state = self.state();
        match &mut state.cooldown {
            None => Ok(()),
            Some(0) => {
                // One cycle probes; until it is through, the others keep away.
                state.cooldown = Some(self.breaker.cooldown_cycles);
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
    pub(super) fn succeeded(&self) {
        let mut state = self.state();
        state.failures = 0;
        state.last = None;
        if state.cooldown.take().is_some() {
            tracing::info!("the primary matcher answers again");
        }
    }

    /// Lets another cycle probe: the one that did says nothing about the primary.
    pub(super) fn abandoned(&self) {
        if let Some(left) = &mut self.state().cooldown {
            *left = 0;
        }
    }

    /// Writes down that the primary failed.
    pub(super) fn failed(&self, error: &Error) -> FallbackReason {
        let reason = FallbackReason { code: error.code(), message: error.to_string() };
        let mut state = self.state();
        state.failures = state.failures.saturating_add(1);
        state.last = Some(reason.clone());
        if state.failures >= self.breaker.failures {
            if state.cooldown.is_none() {
                tracing::warn!(failures = state.failures, "the primary matcher is left alone");
            }
            state.cooldown = Some(self.breaker.cooldown_cycles);
        }
        reason
    }

    /// Tells that the fallback answers, and why.
    pub(super) fn note(&self, reason: &FallbackReason) {
        tracing::Span::current().record("fallback_reason", reason.code);
        tracing::warn!(code = reason.code, reason = reason.message, "the fallback answers");
        meter::fell_back(reason.code);
        *self.state().fallbacks.entry(reason.code).or_default() += 1;
    }
}
