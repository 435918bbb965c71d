//! The offers a matcher holds from one cycle to the next.

pub(crate) mod answer;
pub(crate) mod backend;
pub(crate) mod counts;
pub(crate) mod description;
mod groups;
pub(crate) mod ledger;
pub(crate) mod matcher;
pub(crate) mod matching;
mod plan;
pub(crate) mod remedies;
mod rows;
pub(crate) mod session;
pub(crate) mod standing;
#[cfg(test)]
mod stories;
mod verified;

use std::borrow::Cow;
use std::collections::HashSet;
use std::time::{Duration, Instant};

use offermatch_core::{Assignments, Changes, OfferTable, Plan, RunningTable, Settings as Columns, TaskTable};

use answer::{Answer, Explanations, unplaced};
use ledger::Ledger;
use matcher::Matcher;
use rows::Rows;
use session::Session;

use crate::error::{Error, Place};
use crate::meter;
use crate::table::catalog::Catalog;
use crate::table::groups::{Groups, Occupants};
use crate::table::offers::{Offers, append};
use crate::table::rows::{Offer, Task};
use crate::table::settings::workload;
use crate::table::tasks::Tasks;

/// The offers a matcher holds from one cycle to the next, made by [`Matcher::open`].
///
/// Every answer is checked against the host's own tables before it is returned. A pool whose matcher traps or whose answer
/// does not hold is lost: every later call says so, and a new one has to be opened.
///
/// ```
/// # use offermatch::{Catalog, Matcher, Offer, Offers, Settings, Task, Tasks};
/// # let servers = [Offer::new("large", [("cpu", 4000)]), Offer::new("small", [("cpu", 2000)])];
/// # let rows = [Task::new("fits", [("cpu", 1000)]), Task::new("never", [("cpu", 9000)])];
/// # let catalog = Catalog::of(&servers, &rows);
/// # let (tasks, offers) = (Tasks::new(&rows, &catalog)?, Offers::new(&servers, &catalog)?);
/// let mut pool = Matcher::bundled("best-fit")?.open(&offers, &Settings::default())?;
/// assert_eq!(pool.assign(&tasks)?.assignments.tasks, [0]);
/// assert!(!pool.is_listed("small"), "it took a task, and exclusive offers take one");
/// assert_eq!(pool.left().map(|offer| offer.name).collect::<Vec<_>>(), ["large"]);
/// # Ok::<(), offermatch::Error>(())
/// ```
pub struct Pool {
    session: Box<dyn Session>,
    ledger: Ledger,
    /// How long the ledger took to make, which is part of verification.
    ledger_made: Duration,
    catalog: Catalog,
    rows: Rows,
    /// Members of groups that run, as the offers say.
    occupants: Occupants,
}

/// What has happened to the offers of a pool since the last call. An offer is named at most once among removed and changed.
///
/// ```
/// # use offermatch::{Catalog, Matcher, Offer, Offers, Settings, Task, Tasks};
/// # let servers = [Offer::new("large", [("cpu", 4000)]), Offer::new("small", [("cpu", 2000)])];
/// # let rows = [Task::new("fits", [("cpu", 1000)]), Task::new("never", [("cpu", 9000)])];
/// # let catalog = Catalog::of(&servers, &rows);
/// # let (tasks, offers) = (Tasks::new(&rows, &catalog)?, Offers::new(&servers, &catalog)?);
/// use offermatch::Update;
///
/// let mut pool = Matcher::bundled("best-fit")?.open(&offers, &Settings::default())?;
/// let huge = Offers::new(&[Offer::new("huge", [("cpu", 64_000)])], &catalog)?;
/// pool.update(&Update { removed: vec!["large".into()], added: Some(huge), ..Update::default() })?;
/// assert_eq!(pool.assign(&tasks)?.assignments.tasks, [0, 1]);
/// # Ok::<(), offermatch::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Update {
    /// Offers that leave the list, by name. One that has left already stays away. Its name is known until its row is used
    /// again.
    pub removed: Vec<String>,
    /// Offers with new values, told by their names. One in the list keeps its place, one that had left comes back at the
    /// end.
    pub changed: Option<Offers>,
    /// Offers that are not in the list, put at its end: new ones, and such as had left.
    pub added: Option<Offers>,
    /// The tasks that are to be expected from now on, each with its share, instead of those before; none for the same.
    pub workload: Option<Vec<(Task, f64)>>,
}

impl Pool {
    /// A pool of these offers around a session that has been opened with them and with these settings.
    #[must_use]
    pub fn new(session: Box<dyn Session>, offers: &Offers, settings: &Columns) -> Self {
        let begin = Instant::now();
        let ledger = Ledger::new(offers.catalog().shape(), offers.table(), settings);
        Self {
            session,
            ledger,
            ledger_made: begin.elapsed(),
            catalog: offers.catalog().clone(),
            rows: Rows::new(offers.shared_names().clone()),
            occupants: offers.occupants().clone(),
        }
    }

    /// The matcher that answers now.
    #[must_use]
    pub fn matcher(&self) -> &Matcher {
        self.session.matcher()
    }

    /// What the columns are called. Tasks and updates are built with it.
    #[must_use]
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// The names of the offers, by row, those that have left the list included until their rows are used again.
    #[must_use]
    pub fn offers(&self) -> &[String] {
        self.rows.names()
    }

    /// Whether an offer stands in the list: it was neither removed nor, in exclusive mode, taken.
    pub fn is_listed(&mut self, name: &str) -> bool {
        self.rows.index().get(name).is_some_and(|&row| self.ledger.is_listed(row as usize))
    }

    /// What is left of each offer in the list, and of its devices, in the order of the rows.
    ///
    /// ```
    /// use offermatch::{Catalog, Matcher, Mode, Offer, Offers, Settings, Task, Tasks};
    ///
    /// let catalog = Catalog::new(["cpu"], [""; 0]);
    /// let offer = Offer { devices: vec![1000, 1000], ..Offer::new("a", [("cpu", 4000)]) };
    /// let settings = Settings { mode: Mode::Shared, ..Settings::default() };
    /// let mut pool = Matcher::bundled("best-fit")?.open(&Offers::new(&[offer], &catalog)?, &settings)?;
    /// let task = Task { device_share: 300, ..Task::new("first", [("cpu", 3000)]) };
    /// let answer = pool.assign(&Tasks::new(&[task], &catalog)?)?;
    ///
    /// let left: Vec<Offer> = pool.left().collect();
    /// assert_eq!((left[0].available[0].1, left[0].devices.as_slice()), (1000, [700, 1000].as_slice()));
    /// assert_eq!(answer.devices, [(0, vec![(0, 300)])]);
    /// # Ok::<(), offermatch::Error>(())
    /// ```
    pub fn left(&self) -> impl Iterator<Item = Offer> {
        let names = self.rows.names().iter().enumerate().filter(|(row, _)| self.ledger.is_listed(*row));
        names.map(|(row, name)| {
            let (available, devices) = self.ledger.left(row);
            let dimensions = self.catalog.dimensions().iter().map(String::as_str);
            Offer { devices: devices.to_vec(), ..Offer::new(name.as_str(), dimensions.zip(available.iter().copied())) }
        })
    }

    /// How many offers are in the list.
    #[must_use]
    pub fn listed(&self) -> usize {
        self.ledger.listed()
    }

    /// Places the tasks, one after the other, and takes what they use out of the pool. The answer says who gave it, and where
    /// the time has gone since the pool was opened.
    ///
    /// Members of groups that run already are those that the offers have ([`Offer::occupants`](crate::Offer::occupants)); a
    /// pool does not remember the members that it places, so an update of their offers tells of them.
    ///
    /// # Errors
    /// [`Error::ForeignTable`], [`Error::GroupMalformed`], [`Error::RuleUnsupported`], [`Error::TooManyRows`], [`Error::MatcherTrapped`], [`Error::LimitExceeded`],
    /// [`Error::AnswerRefused`] and [`Error::PoolLost`].
    ///
    /// ```
    /// use offermatch::{Catalog, Matcher, Offer, Offers, Settings, Task, Tasks, Update};
    ///
    /// let catalog = Catalog::new(["cpu"], [""; 0]);
    /// let offers = Offers::new(&[Offer::new("a", [("cpu", 4000)])], &catalog)?;
    /// let mut pool = Matcher::bundled("best-fit")?.open(&offers, &Settings::default())?;
    ///
    /// let tasks = Tasks::new(&[Task::new("first", [("cpu", 3000)]), Task::new("second", [("cpu", 3000)])], &catalog)?;
    /// let answer = pool.assign(&tasks)?;
    /// assert_eq!((answer.assignments.tasks, pool.listed()), (vec![0], 0));
    ///
    /// let added = Some(Offers::new(&[Offer::new("b", [("cpu", 8000)])], &catalog)?);
    /// pool.update(&Update { added, ..Update::default() })?;
    /// assert_eq!(pool.assign(&tasks.select(&[1]))?.assignments.offers, [1]);
    /// # Ok::<(), offermatch::Error>(())
    /// ```
    #[tracing::instrument(level = "debug", skip_all, fields(tasks = tasks.len(), listed = self.listed()))]
    pub fn assign(&mut self, tasks: &Tasks) -> Result<Answer, Error> {
        self.check_catalog(tasks.catalog(), "tasks")?;
        let begin = Instant::now();
        let table = occupied(tasks, &self.occupants)?;
        let mut answer = self.session.assign(&table, &mut self.ledger)?;
        meter::answered(&answer.matcher, tasks.len(), answer.assignments.tasks.len(), begin.elapsed());
        answer.timings.verify += self.ledger_made;
        answer.devices = self.ledger.given();
        answer.remarks.splice(0..0, tasks.remarks());
        Ok(answer)
    }

    /// Says how the offers in the list stand to each of the tasks, each on its own. Changes nothing. A task of a group is
    /// explained beside the members that run already, not beside others of the table.
    ///
    /// # Errors
    /// As [`Pool::assign`].
    #[tracing::instrument(level = "debug", skip_all, fields(tasks = tasks.len(), listed = self.listed()))]
    pub fn explain(&mut self, tasks: &Tasks) -> Result<Explanations, Error> {
        self.check_catalog(tasks.catalog(), "tasks")?;
        let table = occupied(tasks, &self.occupants)?;
        self.explained(tasks, &table)
    }

    /// Says of each task that an answer of this pool has not placed how the offers in the list now stand to it. The members of
    /// its group that the answer has placed count as those that run.
    ///
    /// # Errors
    /// As [`Pool::assign`].
    ///
    /// ```
    /// use offermatch::{Catalog, Group, Matcher, Mode, OFFER, Offer, Offers, Settings, Task, Tasks};
    ///
    /// let apart = Group { at_most: vec![(OFFER.into(), 1)], ..Group::new("web") };
    /// let member = |name: &str| Task { group: Some(apart.clone()), ..Task::new(name, [("cpu", 1000)]) };
    /// let (offers, tasks) = ([Offer::new("a", [("cpu", 4000)])], [member("web-1"), member("web-2")]);
    /// let catalog = Catalog::of(&offers, &tasks);
    /// let tasks = Tasks::new(&tasks, &catalog)?;
    /// let settings = Settings { mode: Mode::Shared, ..Settings::default() };
    /// let mut pool = Matcher::reference().open(&Offers::new(&offers, &catalog)?, &settings)?;
    ///
    /// let answer = pool.assign(&tasks)?;
    /// let why = pool.explain_unplaced(&tasks, &answer.assignments)?;
    /// let second = why.iter().next().expect("one task was not placed");
    /// assert_eq!((second.task, second.by_limit[0].fails), ("web-2", 1));
    /// # Ok::<(), offermatch::Error>(())
    /// ```
    pub fn explain_unplaced(&mut self, tasks: &Tasks, answer: &Assignments) -> Result<Explanations, Error> {
        self.check_catalog(tasks.catalog(), "tasks")?;
        let rows = unplaced(answer, tasks.len());
        let selected = tasks.select(&rows);
        if tasks.groups().is_empty() {
            return self.explain(&selected);
        }
        let mut occupants = self.occupants.clone();
        for (&task, &offer) in answer.tasks.iter().zip(&answer.offers) {
            if let Some(group) = tasks.table().group(task as usize) {
                occupants.add(offer, &tasks.groups().names()[group], 1);
            }
        }
        let mut table = selected.table().clone();
        // Some members are elsewhere in the answer.
        Groups::drop_least(&mut table);
        selected.groups().with_occupants(&mut table, &occupants)?;
        self.explained(&selected, &table)
    }

    /// Says how many members of a group run on which offers, instead of what was said of the group before.
    ///
    /// # Errors
    /// [`Error::RowUnknown`].
    ///
    /// ```
    /// # use offermatch::{Catalog, Matcher, Offer, Offers, Settings};
    /// # let catalog = Catalog::new(["cpu"], [""; 0]);
    /// # let offers = Offers::new(&[Offer::new("a", [("cpu", 4000)])], &catalog)?;
    /// # let mut pool = Matcher::reference().open(&offers, &Settings::default())?;
    /// pool.set_occupants("train", &[("a", 3)])?;
    /// # Ok::<(), offermatch::Error>(())
    /// ```
    pub fn set_occupants(&mut self, group: &str, counts: &[(&str, u32)]) -> Result<(), Error> {
        let index = self.rows.index();
        let row = |name: &str| index.get(name).copied().ok_or_else(|| Error::RowUnknown { name: name.to_owned() });
        let counts = counts.iter().map(|&(offer, count)| Ok((row(offer)?, count)));
        let counts = counts.collect::<Result<Vec<_>, Error>>()?;
        self.occupants.forget(group);
        counts.into_iter().for_each(|(row, count)| self.occupants.add(row, group, count));
        Ok(())
    }

    /// The explanations of tasks whose table has all that is known of their groups.
    fn explained(&mut self, tasks: &Tasks, table: &TaskTable) -> Result<Explanations, Error> {
        let counts = self.session.explain(table, &self.ledger)?;
        Ok(Explanations::new(tasks.clone(), counts, self.listed(), running(table)))
    }

    /// Plans which running tasks have to end so that tasks find an offer, one task after the other, each as if the plans before
    /// had come true. Only running tasks of lower priority end; `priorities` has one number a task. What runs is not part of
    /// what the offers have available. Nothing changes. Only in shared mode.
    ///
    /// # Errors
    /// [`Error::RuleUnsupported`] by a matcher that plans nothing, and as [`Pool::assign`]. Columns of running tasks that do
    /// not fit the pool are [`Error::ColumnLength`] and [`Error::SettingMalformed`].
    pub fn preempt(&mut self, tasks: &Tasks, priorities: &[i32], running: &RunningTable) -> Result<Plan, Error> {
        self.check_catalog(tasks.catalog(), "tasks")?;
        self.ledger.check_running(tasks.table(), priorities, running).map_err(|(column, expected, found)| {
            Error::ColumnLength { column: column.to_owned(), expected: expected as u64, found: found as u64 }
        })?;
        self.session.preempt(tasks.table(), priorities, running, &self.ledger)
    }

    /// Applies what has changed. A capacity that is larger than all before raises a scale that is not set. Rows of offers that
    /// were removed are used again for those that are added, so that time and memory follow the offers that are there.
    ///
    /// # Errors
    /// [`Error::RowUnknown`], [`Error::RowRepeated`], [`Error::DuplicateName`], and as [`Pool::assign`]. The pool is then
    /// as it was, unless it is lost.
    #[tracing::instrument(level = "debug", skip_all)]
    pub fn update(&mut self, update: &Update) -> Result<(), Error> {
        let named = self.named(update)?;
        let added = update.added.as_ref();
        let names = added.map_or(&[][..], Offers::names);
        let taken = self.rows.again(names, &named.removed.iter().chain(&named.changed).copied().collect());
        let changes = self.changes(update, &named, &taken)?;
        self.session.update(&changes, &mut self.ledger)?;
        let first = u32::try_from(self.rows.names().len()).unwrap_or(u32::MAX);
        named.removed.iter().for_each(|&row| self.occupants.replace(row, None));
        for (from, &row) in (0..).zip(&named.changed) {
            self.occupants.replace(row, update.changed.as_ref().and_then(|changed| changed.occupants().on(from)));
        }
        for (from, row) in (0..names.len() as u32).zip(taken.iter().copied().chain(first..)) {
            self.occupants.replace(row, added.and_then(|added| added.occupants().on(from)));
        }
        self.rows.updated(&named.removed, &named.changed, &taken, names);
        Ok(())
    }

    /// Gives offers new values: those in the list keep their place, all others are put at its end.
    ///
    /// # Errors
    /// As [`Pool::update`].
    ///
    /// ```
    /// use offermatch::{Catalog, Matcher, Offer, Offers, Settings};
    ///
    /// let catalog = Catalog::new(["cpu"], [""; 0]);
    /// let offers = |names: &[&str]| {
    ///     let rows: Vec<Offer> = names.iter().map(|name| Offer::new(*name, [("cpu", 4000)])).collect();
    ///     Offers::new(&rows, &catalog)
    /// };
    /// let mut pool = Matcher::reference().open(&offers(&["a", "b"])?, &Settings::default())?;
    /// pool.upsert(&offers(&["b", "c"])?)?;
    /// assert_eq!((pool.listed(), pool.is_listed("c")), (3, true));
    /// # Ok::<(), offermatch::Error>(())
    /// ```
    pub fn upsert(&mut self, offers: &Offers) -> Result<(), Error> {
        let (listed, others): (Vec<u32>, Vec<u32>) =
            (0..offers.table().rows).partition(|&row| self.is_listed(&offers.names()[row as usize]));
        let (changed, added) = (Some(offers.select(&listed)), Some(offers.select(&others)));
        self.update(&Update { changed, added, ..Update::default() })
    }

    /// The rows that an update names, checked.
    fn named(&mut self, update: &Update) -> Result<Named, Error> {
        for offers in update.changed.iter().chain(&update.added) {
            self.check_catalog(offers.catalog(), "offers")?;
        }
        let index = self.rows.index();
        let row = |name: &String| index.get(name).copied().ok_or_else(|| Error::RowUnknown { name: name.clone() });
        let changed_names = update.changed.as_ref().map_or(&[][..], Offers::names);
        let mut named = HashSet::new();
        if let Some(name) = update.removed.iter().chain(changed_names).find(|name| !named.insert(*name)) {
            return Err(Error::RowRepeated { name: name.clone() });
        }
        let removed: Vec<u32> = update.removed.iter().map(row).collect::<Result<_, _>>()?;
        let changed: Vec<u32> = changed_names.iter().map(row).collect::<Result<_, _>>()?;
        let leaving: HashSet<u32> = removed.iter().copied().collect();
        let staying: HashSet<u32> = changed.iter().copied().collect();
        for (at, name) in update.added.as_ref().map_or(&[][..], Offers::names).iter().enumerate() {
            let Some(&row) = index.get(name).filter(|row| !leaving.contains(row)) else { continue };
            if staying.contains(&row) || self.ledger.is_listed(row as usize) {
                let name = name.clone();
                let place = Place { source: "added".into(), row: Some(at), name: Some(name), column: "name".into() };
                return Err(Error::DuplicateName { place: Box::new(place), first: row as usize });
            }
        }
        Ok(Named { removed, changed })
    }

    /// An update as columns; the first of the added offers take rows that others have left.
    fn changes(&self, update: &Update, named: &Named, taken: &[u32]) -> Result<Changes, Error> {
        let shape = self.catalog.shape();
        let table = |offers: &Option<Offers>| offers.as_ref().map_or_else(OfferTable::default, |o| o.table().clone());
        let (mut changed, mut added) = (table(&update.changed), table(&update.added));
        if !taken.is_empty() {
            let (mut both, mut new) = (OfferTable::default(), OfferTable::default());
            append(&mut both, &changed, 0..changed.rows as usize, shape);
            append(&mut both, &added, 0..taken.len(), shape);
            append(&mut new, &added, taken.len()..added.rows as usize, shape);
            (changed, added) = (both, new);
        }
        let workload = update.workload.as_ref().map(|given| workload(given, &self.catalog)).transpose()?;
        Ok(Changes {
            removed: named.removed.clone(),
            changed_rows: named.changed.iter().chain(taken).copied().collect(),
            changed,
            added,
            workload: workload.map(Box::new),
        })
    }

    /// Refuses a table that was built for another pool.
    fn check_catalog(&self, catalog: &Catalog, table: &'static str) -> Result<(), Error> {
        if self.catalog.is(catalog) { Ok(()) } else { Err(Error::ForeignTable { table }) }
    }
}

/// How many members of each group of a table run already.
fn running(table: &TaskTable) -> Vec<u64> {
    let mut running = vec![0; table.groups.rows as usize];
    for (&group, &count) in table.groups.occupant_groups.iter().zip(&table.groups.occupant_counts) {
        running[group as usize] += u64::from(count);
    }
    running
}

/// The rows that an update names.
struct Named {
    removed: Vec<u32>,
    changed: Vec<u32>,
}

/// The columns of tasks with those who run already; as they are where no task is in a group that has a name.
fn occupied<'t>(tasks: &'t Tasks, occupants: &Occupants) -> Result<Cow<'t, TaskTable>, Error> {
    if tasks.groups().is_empty() {
        return Ok(Cow::Borrowed(tasks.table()));
    }
    let mut table = tasks.table().clone();
    tasks.groups().with_occupants(&mut table, occupants)?;
    Ok(Cow::Owned(table))
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool")
            .field("matcher", self.matcher())
            .field("offers", &self.rows.names().len())
            .field("listed", &self.listed())
            .finish_non_exhaustive()
    }
}
