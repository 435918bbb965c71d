//! The session of a matcher: its answers, verified.

use std::time::Instant;

use offermatch_core::{Changes, OfferTable, Plan, RunningTable, Shape, TaskTable};

use crate::error::Error;
use crate::pool::answer::{Answer, Timings};
use crate::pool::backend::Backend;
use crate::pool::counts::Counts;
use crate::pool::ledger::Ledger;
use crate::pool::matcher::Matcher;
use crate::pool::matching::Matching;
use crate::pool::session::Session;
use crate::table::rule::Rule;
use crate::table::settings::PoolSettings;
use crate::wasm::failure::Failure;

/// A pool in a matcher. When a call fails for any reason but a refusal that can be right, the pool is lost.
struct Verified {
    matcher: Matcher,
    /// Otherwise how the pool was lost.
    backend: Result<Backend, Lost>,
    timings: Timings,
}

/// How a pool was lost: at which call, and the code and the text of its error.
struct Lost {
    call: &'static str,
    code: &'static str,
    reason: String,
}

impl Lost {
    fn at(call: &'static str, error: &Error) -> Self {
        Self { call, code: error.code(), reason: error.to_string() }
    }
}

impl Matching for Matcher {
    fn matcher(&self) -> Matcher {
        self.clone()
    }

    #[tracing::instrument(name = "open", level = "debug", skip_all, fields(matcher = self.description().name, offers = offers.rows))]
    fn session(&self, shape: Shape, offers: &OfferTable, settings: &PoolSettings) -> Result<Box<dyn Session>, Error> {
        let begin = Instant::now();
        self.check_mode(settings.columns.mode)?;
        self.check_rules(Rule::of_offers(offers).chain(Rule::of_settings(&settings.columns)))?;
        let columns = settings.of(self.description())?;
        let backend = self.backend(shape, offers, &columns).map_err(|failure| failure.error(self.name(), "open"))?;
        let timings = Timings { open: begin.elapsed(), ..Timings::default() };
        Ok(Box::new(Verified { matcher: self.clone(), backend: Ok(backend), timings }))
    }
}

impl Session for Verified {
    fn matcher(&self) -> &Matcher {
        &self.matcher
    }

    fn assign(&mut self, tasks: &TaskTable, ledger: &mut Ledger) -> Result<Answer, Error> {
        self.matcher.check_rules(Rule::of_tasks(tasks))?;
        let begin = Instant::now();
        let assignments = self.call("assign", |backend| backend.assign(tasks))?;
        self.timings.assign += begin.elapsed();
        let begin = Instant::now();
        let settled = ledger.settle(tasks, &assignments);
        self.timings.verify += begin.elapsed();
        settled.map_err(|reason| self.refuse("assign", reason))?;
        tracing::debug!(placed = assignments.tasks.len(), "assigned");
        Ok(Answer {
            assignments,
            devices: Vec::new(),
            timings: self.timings,
            matcher: self.matcher.clone(),
            fallback_reason: None,
            remarks: Vec::new(),
        })
    }

    fn update(&mut self, changes: &Changes, ledger: &mut Ledger) -> Result<(), Error> {
        let rules = Rule::of_offers(&changes.changed).chain(Rule::of_offers(&changes.added));
        let workload = changes.workload.iter().flat_map(|workload| Rule::of_workload(workload));
        self.matcher.check_rules(rules.chain(workload))?;
        self.call("update", |backend| backend.update(changes))?;
        ledger.apply(changes);
        Ok(())
    }

    fn explain(&mut self, tasks: &TaskTable, ledger: &Ledger) -> Result<Counts, Error> {
        self.matcher.check_rules(Rule::of_tasks(tasks))?;
        let counts = self.call("explain", |backend| backend.explain(tasks))?;
        ledger.check_counts(tasks, &counts).map_err(|reason| self.refuse("explain", reason))?;
        Ok(counts)
    }

    fn preempt(
        &mut self,
        tasks: &TaskTable,
        priorities: &[i32],
        running: &RunningTable,
        ledger: &Ledger,
    ) -> Result<Plan, Error> {
        self.matcher.check_rules(Rule::of_tasks(tasks).chain([Rule::Preemption]))?;
        let mut refused = None;
        let planned = self.call("preempt", |backend| match backend.preempt(tasks, priorities, running) {
            // Of what runs the host knows nothing, so that a matcher may well be right.
            Err(Failure::Refused(refusal)) => {
                refused = Some(refusal);
                Ok(Plan::default())
            }
            planned => planned,
        })?;
        if let Some(refusal) = refused {
            let hint = "correct what runs, or take another matcher".to_owned();
            return Err(Error::SettingMalformed { setting: "running".to_owned(), message: refusal.to_string(), hint });
        }
        let plan = planned;
        ledger.check_plan(tasks, priorities, running, &plan).map_err(|reason| self.refuse("preempt", reason))?;
        Ok(plan)
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
            Err(Lost { call, code, reason }) => {
                return Err(Error::PoolLost { matcher: self.matcher.name(), call, code, reason: reason.clone() });
            }
        };
        run(backend).map_err(|failure| {
            let error = failure.error(self.matcher.name(), call);
            tracing::warn!(code = error.code(), %error, "call failed");
            if error.is_fatal() {
                self.backend = Err(Lost::at(call, &error));
            }
            error
        })
    }

    /// Throws the pool away because its answer does not hold.
    fn refuse(&mut self, call: &'static str, reason: String) -> Error {
        let error = Error::AnswerRefused { matcher: self.matcher.name(), reason };
        self.backend = Err(Lost::at(call, &error));
        tracing::warn!(code = error.code(), %error, "answer refused");
        error
    }
}
