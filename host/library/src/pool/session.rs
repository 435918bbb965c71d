//! The session protocol: one open pool, over row numbers.

use offermatch_core::{Changes, Plan, RunningTable, TaskTable};

use crate::error::Error;
use crate::pool::answer::Answer;
use crate::pool::counts::Counts;
use crate::pool::ledger::Ledger;
use crate::pool::matcher::Matcher;

/// One open pool, over row numbers. Every answer has been verified against the ledger that comes with the call.
///
/// A component and the reference have one; a recording, a fallback and a slot wrap one. Dropping it closes the pool.
///
/// Example: [`Ledger`].
pub trait Session: Send {
    /// The matcher that answers now.
    fn matcher(&self) -> &Matcher;

    /// Places tasks, and takes what they use out of the ledger.
    ///
    /// # Errors
    /// Those of [`Pool::assign`](crate::Pool::assign), but for the names of rows. The ledger is then as it was.
    fn assign(&mut self, tasks: &TaskTable, ledger: &mut Ledger) -> Result<Answer, Error>;

    /// Applies changes, to the ledger as well.
    ///
    /// # Errors
    /// Those of [`Pool::update`](crate::Pool::update), but for the names of rows. The ledger is then as it was.
    fn update(&mut self, changes: &Changes, ledger: &mut Ledger) -> Result<(), Error>;

    /// Counts how the offers stand to each task.
    ///
    /// # Errors
    /// Those of [`Pool::explain`](crate::Pool::explain), but for the names of rows.
    fn explain(&mut self, tasks: &TaskTable, ledger: &Ledger) -> Result<Counts, Error>;

    /// Plans which running tasks have to end so that tasks find an offer; nothing changes. `priorities` has one number a task.
    ///
    /// # Errors
    /// Those of [`Pool::preempt`](crate::Pool::preempt).
    fn preempt(
        &mut self,
        tasks: &TaskTable,
        priorities: &[i32],
        running: &RunningTable,
        ledger: &Ledger,
    ) -> Result<Plan, Error>;
}
