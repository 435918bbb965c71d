//! A session that follows a slot to the matcher that was promoted.
//!
//! ```text
//! call ──> is another matcher in use? ──> the session moves, with its offers as they stand ──> the call
//! ```
//!
//! The ledger says how the offers stand, so a pool can be made again in any matcher.

use std::sync::Arc;

use offermatch_core::{Changes, OfferTable, Plan, RunningTable, Shape, TaskTable};

use super::{Seat, Slot};
use crate::error::Error;
use crate::pool::answer::Answer;
use crate::pool::counts::Counts;
use crate::pool::ledger::Ledger;
use crate::pool::matcher::Matcher;
use crate::pool::matching::Matching;
use crate::pool::session::Session;
use crate::pool::standing::Standing;
use crate::table::settings::PoolSettings;

/// A session in a matcher of a slot, for whose probation its cycles count. Where it cannot move, it stays where it is, and its
/// answers say so in their remarks. Where the matcher fails on probation, the slot takes it back, and the session goes on in
/// the one before.
pub(super) struct Seated {
    slot: Slot,
    /// Where the session is.
    seat: Arc<Seat>,
    /// The seat that it went to last, or could not go to.
    followed: Arc<Seat>,
    session: Box<dyn Session>,
    standing: Standing,
    /// Why it stays where it is.
    stays: Option<String>,
}

/// Another matcher's session of the same pool, after the one in place has failed.
struct Other {
    seat: Arc<Seat>,
    session: Box<dyn Session>,
    /// What the one in place has failed with.
    error: Error,
}

impl Seated {
    /// A session in the matcher in use, or in the one before where that fails on probation.
    ///
    /// # Errors
    /// Those of [`Matching::session`].
    pub(super) fn open(slot: &Slot, shape: Shape, offers: &OfferTable, settings: &PoolSettings) -> Result<Self, Error> {
        let seat = slot.seat();
        let (session, by_it) = slot.ask(&seat, |matcher| matcher.session(shape, offers, settings))?;
        let seat = if by_it { seat } else { slot.seat() };
        let standing = Standing::new(shape, offers, settings, session.matcher());
        Ok(Self { slot: slot.clone(), followed: seat.clone(), seat, session, standing, stays: None })
    }

    /// Moves to the matcher in use, once for each that is promoted.
    fn follow(&mut self, ledger: &Ledger) {
        let current = self.slot.seat();
        if Arc::ptr_eq(&current, &self.followed) {
            return;
        }
        self.followed = current.clone();
        if current.matcher.is(self.session.matcher()) {
            self.seat = current;
            self.stays = None;
            return;
        }
        match self.standing.session(&current.matcher, ledger, false) {
            Ok(session) => self.sit(current, session),
            Err(error) => {
                let said = |matcher: &Matcher| format!("{} {}", matcher.name(), matcher.version());
                let (here, there) = (said(self.session.matcher()), said(&current.matcher));
                tracing::warn!(code = error.code(), %error, here, there, "a pool does not follow its slot");
                self.stays = Some(format!("the pool stays with {here}: {there}: {error}"));
            }
        }
    }

    /// The session in another matcher, where the one in place has failed and the slot has another.
    ///
    /// # Errors
    /// The failure, where there is no other.
    fn other(&mut self, error: Error, ledger: &Ledger) -> Result<Other, Error> {
        let Some(seat) = self.slot.instead(&self.seat, &error) else { return Err(error) };
        match self.standing.session(&seat.matcher, ledger, false) {
            Ok(session) => Ok(Other { seat, session, error }),
            Err(also) => Err(if error.is_the_matchers() { also } else { error }),
        }
    }

    /// What another matcher has answered; the pool is then there, and the slot has gone back.
    ///
    /// # Errors
    /// That of the other; where that finds the input wrong, too, that of the first.
    fn answered<T>(&mut self, other: Other, answer: Result<T, Error>) -> Result<T, Error> {
        let Other { seat, session, error } = other;
        match answer {
            Ok(answer) => {
                // What the other takes, only the new one finds wrong.
                self.slot.go_back(&self.seat, &error);
                self.sit(seat, session);
                Ok(answer)
            }
            Err(also) => {
                self.standing.sits_in(self.session.matcher());
                Err(if error.is_the_matchers() { also } else { error })
            }
        }
    }

    /// Goes on in another session.
    fn sit(&mut self, seat: Arc<Seat>, session: Box<dyn Session>) {
        self.session = session;
        self.followed = seat.clone();
        self.seat = seat;
        self.stays = None;
    }
}

impl Session for Seated {
    fn matcher(&self) -> &Matcher {
        self.session.matcher()
    }

    fn assign(&mut self, tasks: &TaskTable, ledger: &mut Ledger) -> Result<Answer, Error> {
        self.follow(ledger);
        let mut answer = match self.session.assign(tasks, ledger) {
            Ok(answer) => {
                self.slot.pass(&self.seat);
                answer
            }
            Err(error) => {
                let mut other = self.other(error, ledger)?;
                let answer = other.session.assign(tasks, ledger);
                self.answered(other, answer)?
            }
        };
        self.standing.settle(&answer.assignments.offers);
        answer.remarks.extend(self.stays.clone());
        Ok(answer)
    }

    fn update(&mut self, changes: &Changes, ledger: &mut Ledger) -> Result<(), Error> {
        self.follow(ledger);
        if let Err(error) = self.session.update(changes, ledger) {
            let mut other = self.other(error, ledger)?;
            let answer = other.session.update(changes, ledger);
            self.answered(other, answer)?;
        }
        self.standing.apply(changes);
        Ok(())
    }

    fn explain(&mut self, tasks: &TaskTable, ledger: &Ledger) -> Result<Counts, Error> {
        self.follow(ledger);
        let error = match self.session.explain(tasks, ledger) {
            Ok(counts) => return Ok(counts),
            Err(error) => error,
        };
        let mut other = self.other(error, ledger)?;
        let answer = other.session.explain(tasks, ledger);
        self.answered(other, answer)
    }

    fn preempt(
        &mut self,
        tasks: &TaskTable,
        priorities: &[i32],
        running: &RunningTable,
        ledger: &Ledger,
    ) -> Result<Plan, Error> {
        self.follow(ledger);
        let error = match self.session.preempt(tasks, priorities, running, ledger) {
            Ok(plan) => return Ok(plan),
            Err(error) => error,
        };
        let mut other = self.other(error, ledger)?;
        let answer = other.session.preempt(tasks, priorities, running, ledger);
        self.answered(other, answer)
    }
}
