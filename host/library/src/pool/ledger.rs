//! The host's own book of what its offers have left. Every answer is checked against it before anybody sees it.
//!
//! The rules are those of `docs/semantics.md`, written here a second time on purpose: a matcher that is wrong is found out
//! by code that it does not share.

use offermatch_core::{
    Assignments, Changes, ChangingDevices, Devices, Kind, Mode, OfferTable, Settings, Shape, TaskTable,
};

use crate::pool::counts::Counts;
use crate::pool::groups;

use crate::table::catalog::UNSET;
use crate::table::rows::WHOLE;

/// What the offers of a pool have left.
///
/// A [`Session`](crate::Session) is given it to check answers with.
///
/// ```no_run
/// use offermatch::{Answer, Error, Ledger, Session, TaskTable};
///
/// /// What another session answers, and how many offers it leaves.
/// fn counted(session: &mut dyn Session, tasks: &TaskTable, ledger: &mut Ledger) -> Result<(Answer, usize), Error> {
///     Ok((session.assign(tasks, ledger)?, ledger.listed()))
/// }
/// ```
#[derive(Debug, Clone)]
pub struct Ledger {
    /// How wide the columns are.
    shape: Shape,
    /// What happens to an offer that takes a task.
    mode: Mode,
    /// Scores are below this; none for any finite score.
    max_score: Option<f64>,
    /// What is free: rows x dimensions.
    available: Vec<u64>,
    /// Attribute values: rows x attributes.
    attributes: Vec<u32>,
    /// Measures: rows x measures, NaN where unset.
    measures: Vec<f64>,
    /// The devices of each offer.
    devices: ChangingDevices,
    /// Whether each offer is in the list.
    listed: Vec<bool>,
    listed_count: usize,
    /// Which devices the tasks of the last answer have got, where they asked for any.
    given: Vec<(u32, Vec<(u32, u32)>)>,
}

impl Ledger {
    /// A book of these offers.
    pub(crate) fn new(shape: Shape, offers: &OfferTable, settings: &Settings) -> Self {
        let mut ledger = Self {
            shape,
            mode: settings.mode,
            max_score: settings.max_score,
            available: Vec::new(),
            attributes: Vec::new(),
            measures: Vec::new(),
            devices: ChangingDevices::default(),
            listed: Vec::new(),
            listed_count: 0,
            given: Vec::new(),
        };
        ledger.append(offers);
        ledger
    }

    /// How many offers are in the list.
    #[must_use]
    pub fn listed(&self) -> usize {
        self.listed_count
    }

    /// Checks who takes what, and writes down what is used.
    ///
    /// # Errors
    /// What does not hold. The book is then as it was.
    pub fn settle(&mut self, tasks: &TaskTable, answer: &Assignments) -> Result<(), String> {
        let rows = answer.tasks.len();
        if answer.offers.len() != rows || answer.scores.len() != rows {
            let (offers, scores) = (answer.offers.len(), answer.scores.len());
            return Err(format!("{rows} tasks, {offers} offers and {scores} scores are not columns of one length"));
        }
        for row in 0..rows {
            self.check_row(tasks, answer, row)?;
        }
        if !tasks.group_of.is_empty() {
            let width = self.shape.attributes as usize;
            groups::check(tasks, answer, |offer, attribute| self.attributes[offer * width + attribute])?;
        }
        // Which devices a share takes hangs on who was placed before.
        let order = groups::placing_order(tasks, answer);
        let mut before = Vec::new();
        let mut given = Vec::new();
        for (settled, &row) in order.iter().enumerate() {
            let (task, offer) = (answer.tasks[row], answer.offers[row]);
            let asked = tasks.devices(task as usize);
            if asked > 0 {
                given.push((task, self.devices_for(offer as usize, asked)));
            }
            if let Err(reason) = self.take(tasks, task as usize, offer as usize, &mut before) {
                self.give_back(tasks, answer, &order[..settled], before);
                return Err(format!("task row {task} on offer row {offer}: {reason}"));
            }
        }
        given.sort_by_key(|(task, _)| *task);
        self.given = given;
        Ok(())
    }

    /// The devices that a task gets on an offer which serves it, each with the thousandths that it gets there.
    fn devices_for(&self, offer: usize, asked: u32) -> Vec<(u32, u32)> {
        let before = self.devices.of(offer);
        if !serve(before, asked) {
            return Vec::new();
        }
        let mut after = before.to_vec();
        take_devices(&mut after, asked);
        let taken = before.iter().zip(&after).map(|(before, after)| before - after);
        (0..).zip(taken).filter(|(_, taken)| *taken > 0).collect()
    }

    /// Which devices the tasks of the last answer have got, where they asked for any.
    pub(super) fn given(&mut self) -> Vec<(u32, Vec<(u32, u32)>)> {
        std::mem::take(&mut self.given)
    }

    /// What an offer has left in each dimension, and of each device.
    pub(super) fn left(&self, offer: usize) -> (&[u64], &[u32]) {
        let width = self.shape.dimensions as usize;
        (&self.available[offer * width..(offer + 1) * width], self.devices.of(offer))
    }

    /// How wide the columns are.
    pub(crate) fn shape(&self) -> Shape {
        self.shape
    }

    /// Checks the numbers in one row of an answer.
    fn check_row(&self, tasks: &TaskTable, answer: &Assignments, row: usize) -> Result<(), String> {
        let least = if row == 0 { 0 } else { answer.tasks[row - 1] + 1 };
        let (task, offer, score) = (answer.tasks[row], answer.offers[row], answer.scores[row]);
        if task >= tasks.rows {
            return Err(format!("task row {task} is not below {}", tasks.rows));
        }
        if task < least {
            return Err(format!("task row {task} comes twice, or too late"));
        }
        self.check_score(task, score)?;
        if offer as usize >= self.listed.len() {
            let rows = self.listed.len();
            return Err(format!("task row {task} on offer row {offer}: the offer row is not below {rows}"));
        }
        Ok(())
    }

    /// Checks a score.
    pub(super) fn check_score(&self, task: u32, score: f64) -> Result<(), String> {
        match self.max_score {
            Some(most) if !(score.is_finite() && score < most) => {
                Err(format!("task row {task} is placed at score {score}, not below {most}"))
            }
            None if !score.is_finite() => {
                Err(format!("task row {task} is placed at score {score}, which is not finite"))
            }
            _ => Ok(()),
        }
    }

    /// Whether an offer is in the list.
    pub(super) fn is_listed(&self, offer: usize) -> bool {
        self.listed.get(offer).is_some_and(|listed| *listed)
    }

    /// What an offer has free in each dimension, and of each device.
    pub(super) fn free(&mut self, offer: usize) -> (&mut [u64], &mut [u32]) {
        let width = self.shape.dimensions as usize;
        (&mut self.available[offer * width..(offer + 1) * width], self.devices.of_mut(offer))
    }

    /// Takes rows of an answer back, the last first. `before` is what [`Ledger::take`] has put there.
    fn give_back(&mut self, tasks: &TaskTable, answer: &Assignments, rows: &[usize], mut before: Vec<u32>) {
        let width = self.shape.dimensions as usize;
        for &row in rows.iter().rev() {
            let (task, offer) = (answer.tasks[row] as usize, answer.offers[row] as usize);
            if self.mode == Mode::Exclusive {
                self.list(offer);
                continue;
            }
            let demand = &tasks.demand[task * width..(task + 1) * width];
            let available = &mut self.available[offer * width..(offer + 1) * width];
            available.iter_mut().zip(demand).for_each(|(available, demand)| *available += demand);
            if tasks.devices(task) > 0 {
                let devices = self.devices.of_mut(offer);
                devices.copy_from_slice(&before.split_off(before.len() - devices.len()));
            }
        }
    }

    /// Checks that an offer can take a task.
    pub(super) fn check_fit(&self, tasks: &TaskTable, task: usize, offer: usize) -> Result<(), String> {
        if !self.is_listed(offer) {
            return Err("the offer is not in the list".to_owned());
        }
        let width = self.shape.dimensions as usize;
        let demand = &tasks.demand[task * width..(task + 1) * width];
        let available = &self.available[offer * width..(offer + 1) * width];
        if let Some(at) = demand.iter().zip(available).position(|(demand, available)| demand > available) {
            return Err(format!("{} asked of {} available in dimension {at}", demand[at], available[at]));
        }
        let (wide, measured) = (self.shape.attributes as usize, self.shape.measures as usize);
        let attributes = &self.attributes[offer * wide..(offer + 1) * wide];
        check_requirements(tasks, task, attributes, &self.measures[offer * measured..(offer + 1) * measured])?;
        let asked = tasks.devices(task);
        let free = self.devices.of(offer);
        if !serve(free, asked) {
            return Err(format!("{asked} device thousandths asked of devices with {free:?} free"));
        }
        Ok(())
    }

    /// Gives a task to an offer, if the offer can take it. What it takes devices of goes to `before`, as it was.
    pub(super) fn take(
        &mut self,
        tasks: &TaskTable,
        task: usize,
        offer: usize,
        before: &mut Vec<u32>,
    ) -> Result<(), String> {
        self.check_fit(tasks, task, offer)?;
        let width = self.shape.dimensions as usize;
        let demand = &tasks.demand[task * width..(task + 1) * width];
        let asked = tasks.devices(task);
        match self.mode {
            Mode::Exclusive => self.unlist(offer),
            Mode::Shared => {
                let (available, free) = self.free(offer);
                available.iter_mut().zip(demand).for_each(|(available, demand)| *available -= demand);
                if asked > 0 {
                    before.extend_from_slice(free);
                    take_devices(free, asked);
                }
            }
        }
        Ok(())
    }

    /// Writes down changes that have been checked.
    pub fn apply(&mut self, changes: &Changes) {
        for &row in &changes.removed {
            self.unlist(row as usize);
        }
        for (from, &row) in changes.changed_rows.iter().enumerate() {
            self.replace(row as usize, &changes.changed, from);
        }
        self.append(&changes.added);
    }

    /// The offers of these rows as they stand, with the capacities of all rows.
    pub(crate) fn offers(&self, rows: &[u32], capacity: &[u64]) -> OfferTable {
        let mut table = OfferTable {
            rows: rows.len() as u32,
            devices: Devices { offsets: vec![0], free: Vec::new() },
            ..OfferTable::default()
        };
        for row in rows.iter().map(|&row| row as usize) {
            let width = self.shape.dimensions as usize;
            table.available.extend_from_slice(&self.available[row * width..(row + 1) * width]);
            table.capacity.extend_from_slice(&capacity[row * width..(row + 1) * width]);
            let width = self.shape.attributes as usize;
            table.attributes.extend_from_slice(&self.attributes[row * width..(row + 1) * width]);
            let width = self.shape.measures as usize;
            table.measures.extend_from_slice(&self.measures[row * width..(row + 1) * width]);
            table.devices.push(self.devices.of(row).iter().copied());
        }
        table
    }

    /// Checks that counts have the right shape and can be: they add up to the length of the list where each offer is
    /// counted once, and stay within it where it is counted at every check.
    ///
    /// # Errors
    /// What does not hold.
    pub fn check_counts(&self, tasks: &TaskTable, answer: &Counts) -> Result<(), String> {
        answer.check(tasks, self.shape, self.listed_count)
    }

    /// Takes an offer off the list, if it is there.
    fn unlist(&mut self, row: usize) {
        self.listed_count -= usize::from(std::mem::replace(&mut self.listed[row], false));
    }

    /// Puts an offer on the list, if it is not there.
    fn list(&mut self, row: usize) {
        self.listed_count += usize::from(!std::mem::replace(&mut self.listed[row], true));
    }

    /// Gives an offer the values of row `from`.
    fn replace(&mut self, row: usize, offers: &OfferTable, from: usize) {
        let width = self.shape.dimensions as usize;
        self.available[row * width..(row + 1) * width]
            .copy_from_slice(&offers.available[from * width..(from + 1) * width]);
        let width = self.shape.attributes as usize;
        self.attributes[row * width..(row + 1) * width]
            .copy_from_slice(&offers.attributes[from * width..(from + 1) * width]);
        let width = self.shape.measures as usize;
        let measures = &mut self.measures[row * width..(row + 1) * width];
        match offers.measures.get(from * width..(from + 1) * width) {
            Some(new) => measures.copy_from_slice(new),
            None => measures.fill(f64::NAN),
        }
        self.devices.replace(row, offers.devices.of(from));
        self.list(row);
    }

    /// Puts offers at the end.
    fn append(&mut self, offers: &OfferTable) {
        self.available.extend_from_slice(&offers.available);
        self.attributes.extend_from_slice(&offers.attributes);
        let measured = self.measures.len() + offers.rows as usize * self.shape.measures as usize;
        self.measures.extend_from_slice(&offers.measures);
        self.measures.resize(measured, f64::NAN);
        self.devices.append(&offers.devices, 0..offers.rows as usize);
        self.listed.resize(self.listed.len() + offers.rows as usize, true);
        self.listed_count += offers.rows as usize;
    }
}

/// Checks that an offer with these attribute values and measures meets every requirement of a task.
fn check_requirements(tasks: &TaskTable, task: usize, attributes: &[u32], measures: &[f64]) -> Result<(), String> {
    for (number, requirement) in tasks.requirements(task).enumerate() {
        let (subject, kind) = (tasks.requirement_subjects[requirement] as usize, tasks.requirement_kinds[requirement]);
        // An unset measure is NaN, which is not at least, and not at most, any bound.
        let holds = if kind == Kind::AtLeast as u32 {
            measures[subject] >= tasks.requirement_bounds[requirement]
        } else if kind == Kind::AtMost as u32 {
            measures[subject] <= tasks.requirement_bounds[requirement]
        } else {
            let value = attributes[subject];
            let is_in = value != UNSET && tasks.values(requirement).contains(&value);
            is_in == (kind == Kind::In as u32)
        };
        if !holds && !tasks.is_preference(requirement) {
            return Err(format!("requirement {number} does not hold"));
        }
    }
    Ok(())
}

/// Whether devices with these free thousandths serve a task.
fn serve(free: &[u32], asked: u32) -> bool {
    if asked < WHOLE {
        asked == 0 || free.iter().any(|&free| free >= asked)
    } else {
        free.iter().filter(|&&free| free == WHOLE).count() >= (asked / WHOLE) as usize
    }
}

/// Takes a share from the tightest device that holds it, or whole devices from the lowest numbers.
fn take_devices(free: &mut [u32], asked: u32) {
    if asked >= WHOLE {
        let whole = free.iter_mut().filter(|free| **free == WHOLE);
        whole.take((asked / WHOLE) as usize).for_each(|free| *free = 0);
    } else if let Some(tightest) = free.iter_mut().filter(|free| **free >= asked).min_by_key(|free| **free) {
        *tightest -= asked;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_does_not_hold_leaves_the_book_as_it_was() {
        let shape = Shape { dimensions: 1, attributes: 0, ..Shape::default() };
        let offers = OfferTable {
            rows: 2,
            available: vec![10, 10],
            devices: Devices { offsets: vec![0, 2, 4], free: vec![1000, 700, 1000, 1000] },
            ..OfferTable::default()
        };
        let tasks =
            TaskTable { rows: 4, demand: vec![3, 3, 3, 9], devices: vec![600, 1000, 300, 0], ..TaskTable::default() };
        for mode in [Mode::Exclusive, Mode::Shared] {
            let settings = Settings { mode, ..Settings::default() };
            let mut ledger = Ledger::new(shape, &offers, &settings);
            let before = ledger.offers(&[0, 1], &[10, 10]);
            let lie = Assignments { tasks: vec![0, 1, 2, 3], offers: vec![0, 1, 1, 1], scores: vec![0.5; 4] };
            ledger.settle(&tasks, &lie).unwrap_err();
            assert_eq!((ledger.offers(&[0, 1], &[10, 10]), ledger.listed()), (before, 2), "{mode}");
            let truth = Assignments { tasks: vec![0, 1], offers: vec![0, 1], scores: vec![0.5; 2] };
            ledger.settle(&tasks, &truth).unwrap();
        }
    }
}
