//! The session protocol: one open pool, over row numbers.

use offermatch_core::{Changes, FirstFailures as Explanations, TaskTable};

use crate::error::Error;
use crate::pool::answer::Answer;
use crate::pool::ledger::Ledger;
use crate::pool::matcher::Matcher;

/// One open pool, over row numbers. Every answer has been verified against the ledger that comes with the call.
///
/// A component and the reference have one; a recording, a fallback and a slot wrap one. Dropping it closes the pool.
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
    fn explain(&mut self, tasks: &TaskTable, ledger: &Ledger) -> Result<Explanations, Error>;
}
