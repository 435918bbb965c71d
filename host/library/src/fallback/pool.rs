//! A pool that goes on in the fallback when the primary fails, and comes back.

use super::FallbackMatcher;
use crate::error::Error;
use crate::pool::answer::{Answer, Explanations, FallbackReason};
use crate::pool::{Pool, Update};
use crate::table::offers::Offers;
use crate::table::settings::Settings;
use crate::table::tasks::Tasks;

/// A pool made by [`FallbackMatcher::open`]. The host's own tables say how the offers stand, whoever matches: when the
/// primary fails, the fallback goes on from there, and so does the primary once the circuit breaker lets it.
///
/// ```
/// use offermatch::{FallbackMatcher, Limits, Matcher, Sample, Settings};
///
/// // A primary that gets no time at all.
/// let hurried = Limits { fuel: Some(20_000), ..Limits::default() };
/// let matcher = FallbackMatcher::new(Matcher::bundled_with(&hurried)?);
/// let (tasks, offers) = "uniform:200x400".parse::<Sample>()?.tables()?;
/// let mut pool = matcher.open(&offers, &Settings::default())?;
/// let answer = pool.assign(&tasks)?;
/// assert_eq!(answer.fallback_reason.unwrap().code, "limit-fuel");
/// assert_eq!(pool.as_pool().listed(), 400 - answer.assignments.tasks.len());
/// # Ok::<(), offermatch::Error>(())
/// ```
#[derive(Debug)]
pub struct FallbackPool {
    /// Who may match.
    matcher: FallbackMatcher,
    /// The pool, in the matcher that has it now.
    pool: Pool,
    /// Whether that is the primary.
    in_primary: bool,
}

impl FallbackMatcher {
    /// A pool of these offers, which any failure of the primary leaves as it was.
    ///
    /// # Errors
    /// Those of [`Matcher::open`](crate::Matcher::open), where the fallback has them too.
    #[tracing::instrument(level = "debug", skip_all, fields(fallback_reason))]
    pub fn open(&self, offers: &Offers, settings: &Settings) -> Result<FallbackPool, Error> {
        let matcher = self.clone();
        let heard = |pool: Pool| pool.heard_by(self.inner.primary.clone());
        let in_fallback = || self.inner.fallback.current().open_movable(offers, settings).map(heard);
        // The breaker counts cycles, and this is the beginning of one.
        if self.is_open() {
            return Ok(FallbackPool { matcher, pool: in_fallback()?, in_primary: false });
        }
        match self.inner.primary.current().open_movable(offers, settings).map(heard) {
            Ok(pool) => Ok(FallbackPool { matcher, pool, in_primary: true }),
            Err(error) => match in_fallback() {
                Ok(pool) => {
                    self.note(&self.failed(&error));
                    Ok(FallbackPool { matcher, pool, in_primary: false })
                }
                Err(also) => Err(if error.is_the_matchers() { also } else { error }),
            },
        }
    }
}

impl FallbackPool {
    /// The pool as it stands, in the matcher that has it now.
    #[must_use]
    pub fn as_pool(&self) -> &Pool {
        &self.pool
    }

    /// Places the tasks, one after the other, and takes what they use out of the pool. The answer says who gave it.
    ///
    /// # Errors
    /// Those of [`Pool::assign`], where the fallback has them too.
    #[tracing::instrument(level = "debug", skip_all, fields(fallback_reason))]
    pub fn assign(&mut self, tasks: &Tasks) -> Result<Answer, Error> {
        let seated = self.seat()?;
        let asked = self.ask(|pool| pool.assign(tasks));
        let (assignments, failed) = asked.inspect_err(|_| self.matcher.abandoned())?;
        if self.in_primary {
            self.matcher.succeeded();
        }
        let (matcher, timings) = (self.pool.matcher().clone(), self.pool.timings());
        Ok(Answer { assignments, timings, matcher, fallback_reason: failed.or(seated) })
    }

    /// As [`Pool::update`].
    ///
    /// # Errors
    /// Those of [`Pool::update`], where the fallback has them too.
    #[tracing::instrument(level = "debug", skip_all, fields(fallback_reason))]
    pub fn update(&mut self, update: &Update) -> Result<(), Error> {
        self.ask(|pool| pool.update(update)).map(|((), _)| ())
    }

    /// As [`Pool::explain`].
    ///
    /// # Errors
    /// Those of [`Pool::explain`], where the fallback has them too.
    #[tracing::instrument(level = "debug", skip_all, fields(fallback_reason))]
    pub fn explain(&mut self, tasks: &Tasks) -> Result<Explanations, Error> {
        Ok(self.ask(|pool| pool.explain(tasks))?.0)
    }

    /// Puts the pool where a cycle is to be matched: in the primary, if the breaker lets it; otherwise why not.
    ///
    /// # Errors
    /// Those of the fallback.
    fn seat(&mut self) -> Result<Option<FallbackReason>, Error> {
        let reason = match self.matcher.admit() {
            Ok(()) if self.in_primary => return Ok(None),
            Ok(()) => match self.pool.move_to(&self.matcher.inner.primary.current()) {
                Ok(()) => {
                    self.in_primary = true;
                    return Ok(None);
                }
                Err(error) => self.matcher.failed(&error),
            },
            Err(reason) => reason,
        };
        if self.in_primary {
            self.fall_back()?;
        }
        self.matcher.note(&reason);
        Ok(Some(reason))
    }

    /// Asks whoever has the pool, and then the fallback where the primary fails; the answer, and why it is not the
    /// primary's.
    ///
    /// # Errors
    /// A mistake in the input, and those of the fallback.
    fn ask<T>(&mut self, run: impl Fn(&mut Pool) -> Result<T, Error>) -> Result<(T, Option<FallbackReason>), Error> {
        let error = match run(&mut self.pool) {
            Ok(answer) => return Ok((answer, None)),
            Err(error) if self.in_primary && error.may_be_the_matchers() => error,
            Err(error) => return Err(error),
        };
        self.fall_back()?;
        match run(&mut self.pool) {
            Ok(answer) => {
                let reason = self.matcher.failed(&error);
                self.matcher.note(&reason);
                Ok((answer, Some(reason)))
            }
            Err(also) => Err(if error.is_the_matchers() { also } else { error }),
        }
    }

    /// Moves the pool to the fallback.
    fn fall_back(&mut self) -> Result<(), Error> {
        self.pool.move_to(&self.matcher.inner.fallback.current())?;
        self.in_primary = false;
        Ok(())
    }
}
