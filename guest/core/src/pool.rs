//! The offers a matcher holds from one cycle to the next.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::columns::Shape;
use crate::error::Error;
use crate::explain::{self, Explanations};
use crate::feasible::Task;
use crate::first_failures::FirstFailures;
use crate::index::{Among, Index};
use crate::learner::Learner;
use crate::ledger::Ledger;
use crate::method::Method;
use crate::mode::Mode;
use crate::outlook::Outlook;
use crate::policy::{Bound, Policy, Ranking, set_parameters};
use crate::reference;
use crate::scores::Scores;
use crate::settings::Settings;
use crate::table::Workload;
use crate::table::{Changes, OfferTable, TaskTable};

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
    pub(crate) policy: P,
    /// The width of every table.
    pub(crate) shape: Shape,
    /// What happens to an offer that takes a task.
    pub(crate) mode: Mode,
    /// Weights, scales and the maximal score.
    pub(crate) ranking: Ranking,
    /// Which scales an update may raise.
    raised: Vec<bool>,
    /// The offers.
    pub(crate) ledger: Ledger,
    /// The offers of the list, ready to be searched, once there have been enough tasks.
    pub(crate) index: Option<Index>,
    /// The scores that are known, where the policy rules an index out.
    pub(crate) scores: Option<Scores>,
    /// What a policy that looks ahead has learned; none for others.
    learner: Option<Box<Learner>>,
    /// Whether what the policy knows of the offers is of now.
    outlook_holds: bool,
    /// How many tasks have been looped for, or are about to be.
    looped: u64,
    /// How offers are found.
    pub(crate) method: Method,
}

/// A pool that is ready to place tasks.
#[derive(Debug)]
pub struct Prepared<'a, P> {
    /// The pool.
    pool: &'a mut Pool<P>,
    /// The tasks, which fit the pool.
    tasks: &'a TaskTable,
}

impl<P: Policy> Prepared<'_, P> {
    /// Places the tasks, one after the other, and takes what they use out of the pool.
    #[must_use]
    pub fn place(self) -> Assignments {
        let Self { pool, tasks } = self;
        if !tasks.group_of.is_empty() {
            // Members are placed out of the order of their rows, so that the table is learned as a whole.
            (0..tasks.rows as usize).for_each(|row| pool.learn(Task::new(tasks, row, pool.shape)));
            return pool.place_groups(tasks);
        }
        let mut assignments = Assignments::default();
        for row in 0..tasks.rows as usize {
            if pool.ledger.list().is_empty() {
                break;
            }
            let task = Task::new(tasks, row, pool.shape);
            pool.learn(task);
            let Some((offer, score)) = pool.choose(task) else { continue };
            pool.take(offer, tasks, row);
            assignments.tasks.push(row as u32);
            assignments.offers.push(offer as u32);
            assignments.scores.push(score);
        }
        assignments
    }
}

/// Fewer offers than this are looped over: a search would cost as much.
const FEW_OFFERS: usize = 160;
/// So many tasks cost about as much to loop for as an index costs to make.
const TASKS_WORTH_AN_INDEX: u64 = 48;

impl<P: Policy> Pool<P> {
    /// A pool of these offers, listed in the order of their rows.
    ///
    /// # Errors
    /// Whatever is wrong with the settings or the table: every variant of [`Error`] but [`Error::BrokenDevices`] and
    /// [`Error::RepeatedRow`].
    pub fn open(mut policy: P, shape: Shape, offers: &OfferTable, settings: &Settings) -> Result<Self, Error> {
        settings.check(shape)?;
        let used_first = set_parameters(&mut policy, &settings.parameters)?;
        offers.check(shape)?;
        let ledger = Ledger::new(shape, offers);
        let ranking = Ranking { used_first, ..Ranking::new(settings, shape, &ledger) };
        let mut pool = Self {
            policy,
            shape,
            mode: settings.mode,
            ranking,
            raised: settings.raised_scales(shape),
            ledger,
            index: None,
            scores: (P::BOUND == Bound::None).then(Scores::default),
            learner: P::LOOKS_AHEAD.then(Box::default),
            outlook_holds: false,
            looped: 0,
            method: Method::Automatic,
        };
        if let Some(workload) = &settings.workload {
            pool.expect(workload);
        }
        Ok(pool)
    }

    /// Takes a workload instead of what is known of tasks to come. Policies that do not look ahead take no notice.
    fn expect(&mut self, workload: &Workload) {
        if let Some(learner) = &mut self.learner {
            learner.give(workload, self.shape);
        }
        self.outlook_holds = false;
    }

    /// The same pool, with offers found in a given way from now on.
    #[must_use]
    pub fn with_method(mut self, method: Method) -> Self {
        self.method = method;
        self.index = None;
        self.scores = (P::BOUND == Bound::None && method != Method::Reference).then(Scores::default);
        self
    }

    /// Places the tasks, one after the other, and takes what they use out of the pool.
    ///
    /// # Errors
    /// Whatever is wrong with the table; the pool is then as it was.
    pub fn assign(&mut self, tasks: &TaskTable) -> Result<Assignments, Error> {
        Ok(self.prepare(tasks)?.place())
    }

    /// Makes the pool ready to place these tasks: the first of the two halves of [`Pool::assign`], for those who look at
    /// each of them.
    ///
    /// # Errors
    /// Whatever is wrong with the table; the pool is then as it was.
    pub fn prepare<'a>(&'a mut self, tasks: &'a TaskTable) -> Result<Prepared<'a, P>, Error> {
        self.check(tasks)?;
        self.choose_method(tasks);
        Ok(Prepared { pool: self, tasks })
    }

    /// Checks tasks for this pool.
    pub(crate) fn check(&self, tasks: &TaskTable) -> Result<(), Error> {
        tasks.check(self.shape)?;
        tasks.groups.check_occupants(self.ledger.rows())
    }

    /// The row and the score of the offer that a task gets.
    #[inline]
    pub(crate) fn choose(&mut self, task: Task<'_>) -> Option<(usize, f64)> {
        if self.ranking.used_first { self.choose_used_first(task) } else { self.choose_any(task) }
    }

    /// The same where used offers come first. A function of its own: most pools do not ask for it.
    #[cold]
    #[inline(never)]
    fn choose_used_first(&mut self, task: Task<'_>) -> Option<(usize, f64)> {
        task.used_first(true, |task| self.choose_any(task))
    }

    /// The same, whether used offers come first or not.
    #[inline]
    fn choose_any(&mut self, task: Task<'_>) -> Option<(usize, f64)> {
        match (&mut self.index, Self::known(&mut self.scores)) {
            (Some(index), _) => index.choose(&self.ledger, task, &self.policy, &self.ranking),
            (None, Some(scores)) => scores.choose(&self.ledger, task, &self.policy, &self.ranking),
            (None, None) => reference::choose(&self.ledger, task, &self.policy, &self.ranking),
        }
    }

    /// The scores that are known. What is compiled for a policy with a bound has nothing to do with them.
    #[inline(always)]
    fn known(scores: &mut Option<Scores>) -> Option<&mut Scores> {
        if P::BOUND == Bound::None { scores.as_mut() } else { None }
    }

    /// Lets a policy that looks ahead know of a task that is about to be placed.
    #[inline]
    pub(crate) fn learn(&mut self, task: Task<'_>) {
        if !P::LOOKS_AHEAD {
            return;
        }
        let Some(learner) = &mut self.learner else { return };
        if learner.see(task) {
            self.outlook_holds = false;
        }
        self.refresh_outlook();
    }

    /// Lets a policy that looks ahead know of the pool and of typical tasks as they are now.
    pub(crate) fn refresh_outlook(&mut self) {
        let Some(learner) = self.learner.as_ref().filter(|_| !self.outlook_holds) else { return };
        let (outlook, models) = Outlook::new(learner.typical(), &self.ledger);
        self.ledger.set_models(models);
        self.policy.look_ahead(&outlook);
        self.outlook_holds = true;
        Self::known(&mut self.scores).into_iter().for_each(Scores::forget);
    }

    /// The same for a call that changes nothing: what was due before it is due after it, once the next task is known.
    pub(crate) fn glance(&mut self) {
        let holds = self.outlook_holds;
        self.refresh_outlook();
        self.outlook_holds = holds;
    }

    /// The same for a member of a group, among the offers that it may have.
    pub(crate) fn choose_among(&mut self, task: Task<'_>, among: &Among<'_>) -> Option<(usize, f64)> {
        task.used_first(self.ranking.used_first, |task| self.choose_once(task, among))
    }

    /// The same, whether used offers come first or not.
    pub(crate) fn choose_once(&mut self, task: Task<'_>, among: &Among<'_>) -> Option<(usize, f64)> {
        let Self { ledger, policy, ranking, .. } = self;
        match (&mut self.index, Self::known(&mut self.scores)) {
            (Some(index), _) => index.choose_within(ledger, task, policy, ranking, Some(among)),
            (None, Some(scores)) => scores.choose_among(ledger, task, policy, ranking, |row| among.admits(ledger, row)),
            (None, None) => reference::choose_among(ledger, task, policy, ranking, |row| among.admits(ledger, row)),
        }
    }

    /// Makes an index, or makes it ready for these tasks, once the plain loop would cost more.
    fn choose_method(&mut self, tasks: &TaskTable) {
        let Self { policy, ranking, ledger, index, scores, .. } = self;
        if let Some(index) = index {
            index.prepare(ledger, tasks, policy, ranking);
            return;
        }
        let asked = u64::from(tasks.rows);
        let is_few = self.method == Method::Reference || ledger.list().len() < FEW_OFFERS;
        self.looped += if is_few { 0 } else { asked };
        let is_worth_it = !is_few && (self.method == Method::Index || self.looped >= TASKS_WORTH_AN_INDEX);
        if let Some(scores) = Self::known(scores) {
            scores.prepare(ledger, self.mode, tasks, policy, (ranking, is_worth_it));
        } else if P::BOUND != Bound::None && is_worth_it {
            *index = Index::new(ledger, self.mode, tasks, policy, ranking);
        }
    }

    /// Takes what a task uses out of the pool.
    pub(crate) fn take(&mut self, offer: usize, tasks: &TaskTable, task: usize) {
        match self.mode {
            Mode::Exclusive => self.unlist(offer),
            Mode::Shared => {
                self.ledger.take(offer, tasks, task);
                if let Some(scores) = Self::known(&mut self.scores) {
                    scores.shrunk(offer, &self.ledger);
                }
                if let Some(index) = &mut self.index {
                    index.shrunk(offer, &self.ledger, &self.policy, &self.ranking);
                }
            }
        }
    }

    /// Takes a listed offer out of the list.
    fn unlist(&mut self, offer: usize) {
        let moved = self.ledger.unlist(offer);
        if let Some(index) = &mut self.index {
            index.unlisted(offer, moved, &self.ledger, (&self.policy, &self.ranking));
        }
        if let Some(scores) = Self::known(&mut self.scores) {
            scores.unlisted(offer, moved, &self.ledger);
        }
    }

    /// Applies what has changed.
    ///
    /// # Errors
    /// Whatever is wrong with the changes; the pool is then as it was.
    pub fn update(&mut self, changes: &Changes) -> Result<(), Error> {
        changes.check(self.shape, self.ledger.rows())?;
        self.raise_scales(changes);
        for &row in &changes.removed {
            if self.ledger.position(row as usize).is_some() {
                self.unlist(row as usize);
            }
        }
        for (from, &row) in changes.changed_rows.iter().enumerate() {
            let listed = self.ledger.position(row as usize).is_some();
            self.ledger.replace(row as usize, &changes.changed, from);
            self.index_replaced(row as usize, listed);
        }
        for from in 0..changes.added.rows as usize {
            self.ledger.append(&changes.added, from..from + 1);
            self.index_replaced(self.ledger.rows() - 1, false);
        }
        if let Some(workload) = &changes.workload {
            self.expect(workload);
        }
        Ok(())
    }

    /// Raises scales to the capacities of new offers. Scores are others then, so that an index is made
    /// anew when tasks come.
    fn raise_scales(&mut self, changes: &Changes) {
        if !self.raised.contains(&true) {
            return;
        }
        let mut raised = false;
        for table in [&changes.changed, &changes.added] {
            for row in 0..table.rows as usize {
                raised |= self.ranking.raise(&self.raised, table.capacity(self.shape, row), table.device_capacity(row));
            }
        }
        if raised {
            self.index = None;
            Self::known(&mut self.scores).into_iter().for_each(Scores::forget);
        }
    }

    /// Tells the index of a row that is new or has new values.
    fn index_replaced(&mut self, row: usize, listed: bool) {
        self.outlook_holds = false;
        if let Some(scores) = Self::known(&mut self.scores) {
            scores.replaced(row, listed, &self.ledger);
        }
        // Without an index, one is made when tasks come.
        self.index.take_if(|index| !index.can_hold(row, &self.ledger));
        if let Some(index) = &mut self.index {
            index.replaced(row, listed, &self.ledger, &self.policy, &self.ranking);
        }
    }

    /// Says how the offers in the list stand to each of the tasks, each on its own. Changes nothing that an answer shows.
    ///
    /// # Errors
    /// Whatever is wrong with the table.
    pub fn explain(&mut self, tasks: &TaskTable) -> Result<Explanations, Error> {
        self.check(tasks)?;
        self.glance();
        let mut explanations = explain::explain(&self.ledger, tasks, &self.policy, &self.ranking, self.method);
        if tasks.groups.rows > 0 {
            self.choose_method(tasks);
            explanations.members_placed = self.members_placed(tasks);
        }
        Ok(explanations)
    }

    /// Counts each offer of the list once for each task, at the first check it fails: what contract 0.2.0 asks.
    ///
    /// # Errors
    /// Whatever is wrong with the table.
    pub fn first_failures(&self, tasks: &TaskTable) -> Result<FirstFailures, Error> {
        self.check(tasks)?;
        Ok(FirstFailures::of(&self.ledger, tasks, self.shape, &self.policy, &self.ranking))
    }
}
