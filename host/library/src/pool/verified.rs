//! The session of a matcher: its answers, verified.

use std::time::Instant;

use offermatch_core::{Changes, FirstFailures as Explanations, OfferTable, Settings as Columns, Shape, TaskTable};

use crate::error::Error;
use crate::pool::answer::{Answer, Timings};
use crate::pool::backend::Backend;
use crate::pool::ledger::Ledger;
use crate::pool::matcher::Matcher;
use crate::pool::matching::Matching;
use crate::pool::session::Session;
use crate::wasm::failure::Failure;

/// A pool in a matcher. When a call fails for any reason but a refusal that can be right, the pool is lost.
struct Verified {
    matcher: Matcher,
    /// Otherwise the call at which the pool was lost.
    backend: Result<Backend, &'static str>,
    timings: Timings,
}

impl Matching for Matcher {
    #[tracing::instrument(name = "open", level = "debug", skip_all, fields(matcher = self.description().name, offers = offers.rows))]
    fn session(&self, shape: Shape, offers: &OfferTable, settings: &Columns) -> Result<Box<dyn Session>, Error> {
        let begin = Instant::now();
        self.check_mode(settings.mode)?;
        let backend = self.backend(shape, offers, settings).map_err(|failure| failure.error(self.name(), "open"))?;
        let timings = Timings { open: begin.elapsed(), ..Timings::default() };
        Ok(Box::new(Verified { matcher: self.clone(), backend: Ok(backend), timings }))
    }
}

impl Session for Verified {
    fn matcher(&self) -> &Matcher {
        &self.matcher
    }

    fn assign(&mut self, tasks: &TaskTable, ledger: &mut Ledger) -> Result<Answer, Error> {
        let begin = Instant::now();
        let assignments = self.call("assign", |backend| backend.assign(tasks))?;
        self.timings.assign += begin.elapsed();
        let begin = Instant::now();
        let settled = ledger.settle(tasks, &assignments);
        self.timings.verify += begin.elapsed();
        settled.map_err(|reason| self.refuse("assign", reason))?;
        tracing::debug!(placed = assignments.tasks.len(), "assigned");
        Ok(Answer { assignments, timings: self.timings, matcher: self.matcher.clone(), fallback_reason: None })
    }

    fn update(&mut self, changes: &Changes, ledger: &mut Ledger) -> Result<(), Error> {
        self.call("update", |backend| backend.update(changes))?;
        ledger.apply(changes);
        Ok(())
    }

    fn explain(&mut self, tasks: &TaskTable, ledger: &Ledger) -> Result<Explanations, Error> {
        let counts = self.call("explain", |backend| backend.explain(tasks))?;
        ledger.check_counts(tasks, &counts).map_err(|reason| self.refuse("explain", reason))?;
        Ok(counts)
    }
}

impl Verified {
    fn call<T>(
        &mut self,
        call: &'static str,
        run: impl FnOnce(&mut Backend) -> Result<T, Failure>,
    ) -> Result<T, Error> {
        let backend = match &mut self.backend {
            Ok(backend) => backend,
            Err(call) => return Err(Error::PoolLost { matcher: self.matcher.name(), call }),
        };
        run(backend).map_err(|failure| {
            let error = failure.error(self.matcher.name(), call);
            tracing::warn!(code = error.code(), %error, "call failed");
            if error.is_fatal() {
                self.backend = Err(call);
            }
            error
        })
    }

    /// Throws the pool away because its answer does not hold.
    fn refuse(&mut self, call: &'static str, reason: String) -> Error {
        self.backend = Err(call);
        let error = Error::AnswerRefused { matcher: self.matcher.name(), reason };
        tracing::warn!(code = error.code(), %error, "answer refused");
        error
    }
}
