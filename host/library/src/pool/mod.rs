//! The offers a matcher holds from one cycle to the next.

pub(crate) mod answer;
pub(crate) mod description;
pub(crate) mod ledger;
pub(crate) mod matcher;
pub(crate) mod matching;
pub(crate) mod session;
pub(crate) mod standing;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use offermatch_core::{Assignments, Changes, OfferTable};

use crate::error::{Error, Overrun, Place};
use crate::pool::answer::{Explanations, Timings};
use crate::pool::ledger::Ledger;
use crate::pool::matcher::Matcher;
use crate::pool::matching::Matching;
use crate::pool::session::Session;
use crate::pool::standing::Standing;
use crate::recording::{Recording, Step};
use crate::table::catalog::Catalog;
use crate::table::names::Names;
use crate::table::offers::Offers;
use crate::table::tasks::Tasks;
use crate::wasm::conversion::Refusal;
use crate::wasm::instance::Failure;

/// The offers a matcher holds from one cycle to the next, made by [`Matcher::open`].
///
/// Every answer is checked against the host's own tables before it is returned. A pool whose matcher traps or whose answer
/// does not hold is lost: every later call says so, and a new one has to be opened.
pub struct Pool {
    /// Who matches.
    matcher: Matcher,
    /// The pool in the matcher, or the call at which it was lost.
    session: Result<Session, &'static str>,
    /// What the offers have left.
    ledger: Ledger,
    /// What the columns are called.
    catalog: Catalog,
    /// What the rows are called.
    names: Names,
    /// The row of each name; made when an update first asks for it.
    index: Option<HashMap<String, u32>>,
    /// What it takes to go on in another matcher, where that may be asked.
    standing: Option<Box<Standing>>,
    /// Who wants to hear how calls end.
    listener: Option<Arc<dyn Matching>>,
    /// Where the time went.
    timings: Timings,
    /// What was asked and answered, where that is written down.
    recording: Option<Box<Recording>>,
}

/// What has happened to the offers of a pool since the last call. An offer is named at most once among removed and changed.
#[derive(Debug, Clone, Default)]
pub struct Update {
    /// Offers that leave the list, by name. One that has left already stays away.
    pub removed: Vec<String>,
    /// Offers with new values, told by their names. One in the list keeps its place, one that had left comes back at the
    /// end.
    pub changed: Option<Offers>,
    /// New offers, put at the end of the list.
    pub added: Option<Offers>,
}

impl Pool {
    /// A pool around an open session.
    pub(crate) fn new(matcher: Matcher, session: Session, ledger: Ledger, offers: &Offers, timings: Timings) -> Self {
        Self {
            matcher,
            session: Ok(session),
            ledger,
            catalog: offers.catalog().clone(),
            names: offers.shared_names().clone(),
            index: None,
            standing: None,
            listener: None,
            timings,
            recording: None,
        }
    }

    /// Writes down from now on what is asked and answered.
    pub(crate) fn recorded(mut self, recording: Recording) -> Self {
        self.recording = Some(Box::new(recording));
        self
    }

    /// Keeps from now on what it takes to go on in another matcher.
    pub(crate) fn movable(mut self, standing: Standing) -> Self {
        self.standing = Some(Box::new(standing));
        self
    }

    /// Tells somebody from now on how calls end.
    pub(crate) fn heard_by(mut self, listener: Arc<dyn Matching>) -> Self {
        self.listener = Some(listener);
        self
    }

    /// Goes on in another matcher, with the offers as they stand. Where that fails the pool is as it was.
    ///
    /// # Errors
    /// As [`Matcher::open`].
    ///
    /// # Panics
    /// When the pool is not movable.
    pub(crate) fn move_to(&mut self, matcher: &Matcher) -> Result<(), Error> {
        let standing = self.standing.as_ref().expect("a pool that is moved was opened to be moved");
        matcher.check_mode(standing.mode())?;
        let session = standing.session(matcher, &self.ledger);
        self.session = Ok(session.map_err(|failure| failed(matcher, "open", failure))?);
        self.matcher = matcher.clone();
        Ok(())
    }

    /// Who matches.
    #[must_use]
    pub fn matcher(&self) -> &Matcher {
        &self.matcher
    }

    /// What was asked of the pool and answered so far, where it was opened by [`Matcher::open_recorded`].
    #[must_use]
    pub fn recording(&self) -> Option<&Recording> {
        self.recording.as_deref()
    }

    /// What the columns are called. Tasks and updates are built with it.
    #[must_use]
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// The names of the offers, by row, those that have left the list included.
    #[must_use]
    pub fn offers(&self) -> &[String] {
        self.names.as_slice()
    }

    /// How many offers are in the list.
    #[must_use]
    pub fn listed(&self) -> usize {
        self.ledger.listed()
    }

    /// Where the time went since the pool was opened.
    #[must_use]
    pub fn timings(&self) -> Timings {
        self.timings
    }

    /// Places the tasks, one after the other, and takes what they use out of the pool.
    ///
    /// # Errors
    /// [`Error::ForeignTable`], [`Error::TooManyRows`], [`Error::MatcherTrapped`], [`Error::AnswerRefused`] and
    /// [`Error::PoolLost`].
    #[tracing::instrument(level = "debug", skip_all, fields(tasks = tasks.len(), listed = self.listed()))]
    pub fn assign(&mut self, tasks: &Tasks) -> Result<Assignments, Error> {
        self.check_catalog(tasks.catalog(), "tasks")?;
        let begin = Instant::now();
        let assignments = self.call("assign", |session| session.assign(tasks.table()))?;
        self.timings.assign += begin.elapsed();
        let begin = Instant::now();
        let settled = self.ledger.settle(tasks.table(), &assignments);
        self.timings.verify += begin.elapsed();
        settled.map_err(|reason| self.refuse("assign", reason))?;
        if let Some(standing) = &mut self.standing {
            standing.settle(&assignments.offers);
        }
        tracing::debug!(placed = assignments.tasks.len(), "assigned");
        if let Some(recording) = &mut self.recording {
            let answer = Ok(assignments.clone());
            recording.steps.push(Step::Assign { tasks: tasks.table().clone(), answer });
        }
        self.tell(None);
        Ok(assignments)
    }

    /// Says how the offers in the list stand to each of the tasks, each on its own. Changes nothing.
    ///
    /// # Errors
    /// As [`Pool::assign`].
    #[tracing::instrument(level = "debug", skip_all, fields(tasks = tasks.len(), listed = self.listed()))]
    pub fn explain(&mut self, tasks: &Tasks) -> Result<Explanations, Error> {
        self.check_catalog(tasks.catalog(), "tasks")?;
        let counts = self.call("explain", |session| session.explain(tasks.table(), tasks.catalog().shape()))?;
        let checked = self.ledger.check_counts(tasks.table(), &counts);
        checked.map_err(|reason| self.refuse("explain", reason))?;
        if let Some(recording) = &mut self.recording {
            recording.steps.push(Step::Explain { tasks: tasks.table().clone(), answer: Ok(counts.clone()) });
        }
        Ok(Explanations::new(tasks.clone(), counts, self.listed()))
    }

    /// Applies what has changed. Scales stay as they were when the pool was opened.
    ///
    /// # Errors
    /// [`Error::RowUnknown`], [`Error::RowRepeated`], [`Error::DuplicateName`], and as [`Pool::assign`]. The pool is then
    /// as it was, unless it is lost.
    #[tracing::instrument(level = "debug", skip_all)]
    pub fn update(&mut self, update: &Update) -> Result<(), Error> {
        let changes = self.changes(update)?;
        self.call("update", |session| session.update(&changes))?;
        self.ledger.apply(&changes);
        if let Some(standing) = &mut self.standing {
            standing.apply(&changes);
        }
        if let Some(added) = &update.added {
            let first = u32::try_from(self.names.as_slice().len()).unwrap_or(u32::MAX);
            self.names.extend(added.shared_names());
            if let Some(index) = &mut self.index {
                index.extend(added.names().iter().cloned().zip(first..));
            }
        }
        if let Some(recording) = &mut self.recording {
            recording.steps.push(Step::Update { changes, answer: Ok(()) });
        }
        Ok(())
    }

    /// An update as columns, checked.
    fn changes(&mut self, update: &Update) -> Result<Changes, Error> {
        for offers in update.changed.iter().chain(&update.added) {
            self.check_catalog(offers.catalog(), "offers")?;
        }
        let index = self.index.get_or_insert_with(|| self.names.index());
        let row = |name: &String| index.get(name).copied().ok_or_else(|| Error::RowUnknown { name: name.clone() });
        let changed_names = update.changed.as_ref().map_or(&[][..], Offers::names);
        let mut named = std::collections::HashSet::new();
        if let Some(name) = update.removed.iter().chain(changed_names).find(|name| !named.insert(*name)) {
            return Err(Error::RowRepeated { name: name.clone() });
        }
        if let Some(added) = &update.added
            && let Some(at) = added.names().iter().position(|name| index.contains_key(name))
        {
            let name = added.names()[at].clone();
            let place =
                Place { source: "added".into(), row: Some(at), name: Some(name.clone()), column: "name".into() };
            return Err(Error::DuplicateName { place: Box::new(place), first: index[&name] as usize });
        }
        let table = |offers: &Option<Offers>| offers.as_ref().map_or_else(OfferTable::default, |o| o.table().clone());
        Ok(Changes {
            removed: update.removed.iter().map(row).collect::<Result<_, _>>()?,
            changed_rows: changed_names.iter().map(row).collect::<Result<_, _>>()?,
            changed: table(&update.changed),
            added: table(&update.added),
        })
    }

    /// Refuses a table that was built for another pool.
    fn check_catalog(&self, catalog: &Catalog, table: &'static str) -> Result<(), Error> {
        if self.catalog.is(catalog) { Ok(()) } else { Err(Error::ForeignTable { table }) }
    }

    /// Calls the matcher. The pool is lost when that fails for any reason but a refusal that can be right.
    fn call<T>(
        &mut self,
        call: &'static str,
        run: impl FnOnce(&mut Session) -> Result<T, Failure>,
    ) -> Result<T, Error> {
        let session = match &mut self.session {
            Ok(session) => session,
            Err(call) => return Err(Error::PoolLost { matcher: self.matcher.name(), call }),
        };
        run(session).map_err(|failure| {
            let error = failed(&self.matcher, call, failure);
            tracing::warn!(code = error.code(), %error, "call failed");
            if error.is_fatal() {
                self.session = Err(call);
                self.tell(Some(&error));
            }
            error
        })
    }

    /// Throws the pool away because its answer does not hold.
    fn refuse(&mut self, call: &'static str, reason: String) -> Error {
        self.session = Err(call);
        let error = Error::AnswerRefused { matcher: self.matcher.name(), reason };
        tracing::warn!(code = error.code(), %error, "answer refused");
        self.tell(Some(&error));
        error
    }

    /// Tells whoever wants to hear it that tasks were placed, or that the pool is lost.
    fn tell(&self, failed: Option<&Error>) {
        if let Some(listener) = &self.listener {
            listener.heard(&self.matcher, failed);
        }
    }
}

/// The error of a call that failed.
pub(crate) fn failed(matcher: &Matcher, call: &'static str, failure: Failure) -> Error {
    let matcher = matcher.name();
    match failure {
        Failure::Unavailable(reason) => Error::InstanceUnavailable { matcher, reason },
        Failure::Exceeded { exceeded, printed } => {
            Error::LimitExceeded(Box::new(Overrun { matcher, call, exceeded, printed }))
        }
        Failure::Trapped(reason) => Error::MatcherTrapped { matcher, call, reason },
        Failure::Refused(Refusal::TooManyRows { asked, limit }) => Error::TooManyRows { asked, limit },
        Failure::Refused(Refusal::UnsupportedMode(mode)) => Error::SettingMalformed {
            setting: "mode".to_owned(),
            value: mode.to_string(),
            reason: format!("matcher {matcher} does not have this mode"),
        },
        Failure::Refused(Refusal::Unfounded { reason, .. }) => {
            let reason = format!("it refused columns that the host has found right: {reason}");
            Error::AnswerRefused { matcher, reason }
        }
    }
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool")
            .field("matcher", &self.matcher)
            .field("offers", &self.names.as_slice().len())
            .field("listed", &self.listed())
            .finish_non_exhaustive()
    }
}
