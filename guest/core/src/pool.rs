//! The offers a matcher holds from one cycle to the next.

use alloc::vec::Vec;

use crate::error::Error;
use crate::explain::{Explanations, explain};
use crate::feasible::Task;
use crate::ledger::Ledger;
use crate::policy::{Policy, Ranking};
use crate::reference;
use crate::settings::{Mode, Settings};
use crate::table::{Changes, OfferTable, Shape, TaskTable};

/// Who takes what: three columns of one length, in the order of the tasks.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Assignments {
    /// Task rows, rising. A task that is not named was not placed.
    pub tasks: Vec<u32>,
    /// Offer rows.
    pub offers: Vec<u32>,
    /// The score at which each was chosen.
    pub scores: Vec<f64>,
}

/// Offers, ready to take tasks.
#[derive(Debug, Clone)]
pub struct Pool<P> {
    /// How offers are ranked.
    policy: P,
    /// The width of every table.
    shape: Shape,
    /// What happens to an offer that takes a task.
    mode: Mode,
    /// Weights, scales and the maximal score.
    ranking: Ranking,
    /// The offers.
    ledger: Ledger,
}

impl<P: Policy> Pool<P> {
    /// A pool of these offers, listed in the order of their rows.
    ///
    /// # Errors
    /// Whatever is wrong with the settings or the table: every variant of [`Error`] but [`Error::BrokenDevices`] and
    /// [`Error::RepeatedRow`].
    pub fn open(policy: P, shape: Shape, offers: &OfferTable, settings: &Settings) -> Result<Self, Error> {
        settings.check(shape)?;
        offers.check(shape)?;
        let ledger = Ledger::new(shape, offers);
        let ranking = Ranking::new(settings, shape, &ledger);
        Ok(Self { policy, shape, mode: settings.mode, ranking, ledger })
    }

    /// Places the tasks, one after the other, and takes what they use out of the pool.
    ///
    /// # Errors
    /// Whatever is wrong with the table; the pool is then as it was.
    pub fn assign(&mut self, tasks: &TaskTable) -> Result<Assignments, Error> {
        tasks.check(self.shape)?;
        let mut assignments = Assignments::default();
        for row in 0..tasks.rows as usize {
            let task = Task::new(tasks, row, self.shape);
            let Some((offer, score)) = reference::choose(&self.ledger, task, &self.policy, &self.ranking) else {
                continue;
            };
            match self.mode {
                Mode::Exclusive => self.ledger.unlist(offer),
                Mode::Shared => self.ledger.take(offer, tasks, row),
            }
            assignments.tasks.push(row as u32);
            assignments.offers.push(offer as u32);
            assignments.scores.push(score);
        }
        Ok(assignments)
    }

    /// Applies what has changed. Scales stay as they were when the pool was opened.
    ///
    /// # Errors
    /// Whatever is wrong with the changes; the pool is then as it was.
    pub fn update(&mut self, changes: &Changes) -> Result<(), Error> {
        changes.check(self.shape, self.ledger.rows())?;
        for &row in &changes.removed {
            self.ledger.unlist(row as usize);
        }
        for (from, &row) in changes.changed_rows.iter().enumerate() {
            self.ledger.replace(row as usize, &changes.changed, from);
        }
        self.ledger.append(&changes.added);
        Ok(())
    }

    /// Says how the offers in the list stand to each of the tasks, each on its own.
    ///
    /// # Errors
    /// Whatever is wrong with the table.
    pub fn explain(&self, tasks: &TaskTable) -> Result<Explanations, Error> {
        tasks.check(self.shape)?;
        Ok(explain(&self.ledger, tasks, self.shape, &self.policy, &self.ranking))
    }
}
