//! A session that goes on in the fallback when the primary fails, and comes back.

use std::sync::Arc;

use offermatch_core::{Changes, OfferTable, Plan, RunningTable, Shape, TaskTable};

use super::breaker::Circuit;
use crate::error::Error;
use crate::pool::answer::{Answer, FallbackReason};
use crate::pool::counts::Counts;
use crate::pool::ledger::Ledger;
use crate::pool::matcher::Matcher;
use crate::pool::matching::Matching;
use crate::pool::session::Session;
use crate::pool::standing::Standing;
use crate::table::settings::PoolSettings;

/// What all clones of a matcher with a fallback share.
pub(super) struct Inner {
    pub(super) primary: Box<dyn Matching>,
    pub(super) fallback: Box<dyn Matching>,
    pub(super) circuit: Circuit,
}

/// A session in the primary or in the fallback. The ledger says how the offers stand, whoever matches: when the primary fails,
/// the fallback goes on from there, and so does the primary once the circuit breaker lets it.
pub(super) struct Guarded {
    guard: Arc<Inner>,
    session: Box<dyn Session>,
    in_primary: bool,
    standing: Standing,
}

impl Guarded {
    /// A session of these offers, which any failure of the primary leaves as it was.
    ///
    /// # Errors
    /// Those of the primary, where the fallback has them too.
    #[tracing::instrument(name = "guarded_open", level = "debug", skip_all, fields(fallback_reason))]
    pub(super) fn open(
        guard: Arc<Inner>,
        shape: Shape,
        offers: &OfferTable,
        settings: &PoolSettings,
    ) -> Result<Self, Error> {
        let Inner { primary, fallback, circuit } = &*guard;
        let in_fallback = || fallback.session(shape, offers, &settings.lenient());
        // The breaker counts cycles, and this is the beginning of one.
        let (session, in_primary) = if circuit.is_open() {
            (in_fallback()?, false)
        } else {
            match primary.session(shape, offers, settings) {
                Ok(session) => (session, true),
                Err(error) => match in_fallback() {
                    Ok(session) => {
                        circuit.note(&circuit.failed(&error));
                        (session, false)
                    }
                    Err(also) => return Err(if error.is_the_matchers() { also } else { error }),
                },
            }
        };
        let standing = Standing::new(shape, offers, settings, session.matcher());
        Ok(Self { session, in_primary, standing, guard })
    }

    /// Goes where a cycle is to be matched: to the primary, if the breaker lets it; otherwise why not.
    ///
    /// # Errors
    /// Those of the fallback.
    fn seat(&mut self, ledger: &Ledger) -> Result<Option<FallbackReason>, Error> {
        let guard = self.guard.clone();
        let reason = match guard.circuit.admit() {
            Ok(()) if self.in_primary => return Ok(None),
            Ok(()) => match self.move_to(&*guard.primary, true, ledger) {
                Ok(()) => return Ok(None),
                Err(error) => guard.circuit.failed(&error),
            },
            Err(reason) => reason,
        };
        if self.in_primary {
            self.move_to(&*guard.fallback, false, ledger)?;
        }
        guard.circuit.note(&reason);
        Ok(Some(reason))
    }

    /// Goes on in another matcher, with the offers as they stand. Where that fails the session is as it was.
    fn move_to(&mut self, matcher: &dyn Matching, is_primary: bool, ledger: &Ledger) -> Result<(), Error> {
        self.session = self.standing.session(matcher, ledger, !is_primary)?;
        self.in_primary = is_primary;
        Ok(())
    }

    /// Whether the fallback is to be asked what the primary has failed at; it is then in place.
    ///
    /// # Errors
    /// A mistake in the input, and those of the fallback.
    fn fall_back(&mut self, error: Error, ledger: &Ledger) -> Result<Error, Error> {
        if !(self.in_primary && error.may_be_the_matchers()) {
            return Err(error);
        }
        let guard = self.guard.clone();
        self.move_to(&*guard.fallback, false, ledger)?;
        Ok(error)
    }

    /// What the fallback has answered after the primary failed, and why it was asked.
    fn answered<T>(&self, error: Error, answer: Result<T, Error>) -> Result<(T, FallbackReason), Error> {
        match answer {
            Ok(answer) => {
                let reason = self.guard.circuit.failed(&error);
                self.guard.circuit.note(&reason);
                Ok((answer, reason))
            }
            Err(also) => Err(if error.is_the_matchers() { also } else { error }),
        }
    }

    /// Places tasks in the matcher that is in place, then in the fallback.
    fn place(&mut self, tasks: &TaskTable, ledger: &mut Ledger) -> Result<Answer, Error> {
        let error = match self.session.assign(tasks, ledger) {
            Ok(answer) => return Ok(answer),
            Err(error) => self.fall_back(error, ledger)?,
        };
        let answer = self.session.assign(tasks, ledger);
        let (answer, reason) = self.answered(error, answer)?;
        Ok(Answer { fallback_reason: Some(reason), ..answer })
    }
}

impl Session for Guarded {
    fn matcher(&self) -> &Matcher {
        self.session.matcher()
    }

    #[tracing::instrument(name = "guarded_assign", level = "debug", skip_all, fields(fallback_reason))]
    fn assign(&mut self, tasks: &TaskTable, ledger: &mut Ledger) -> Result<Answer, Error> {
        let seated = self.seat(ledger)?;
        let answer = self.place(tasks, ledger).inspect_err(|_| self.guard.circuit.abandoned())?;
        if self.in_primary {
            self.guard.circuit.succeeded();
        }
        self.standing.settle(&answer.assignments.offers);
        Ok(Answer { fallback_reason: answer.fallback_reason.or(seated), ..answer })
    }

    #[tracing::instrument(name = "guarded_update", level = "debug", skip_all, fields(fallback_reason))]
    fn update(&mut self, changes: &Changes, ledger: &mut Ledger) -> Result<(), Error> {
        if let Err(error) = self.session.update(changes, ledger) {
            let error = self.fall_back(error, ledger)?;
            let answer = self.session.update(changes, ledger);
            self.answered(error, answer)?;
        }
        self.standing.apply(changes);
        Ok(())
    }

    #[tracing::instrument(name = "guarded_explain", level = "debug", skip_all, fields(fallback_reason))]
    fn explain(&mut self, tasks: &TaskTable, ledger: &Ledger) -> Result<Counts, Error> {
        let error = match self.session.explain(tasks, ledger) {
            Ok(counts) => return Ok(counts),
            Err(error) => self.fall_back(error, ledger)?,
        };
        let answer = self.session.explain(tasks, ledger);
        Ok(self.answered(error, answer)?.0)
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
