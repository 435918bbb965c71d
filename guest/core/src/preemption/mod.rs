//! Room for what matters more: which running tasks have to end so that others find an offer.

mod items;
mod levels;
mod offers;
mod plain;
mod rows;

use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;

use crate::columns::{MAX_ROWS, check_length, check_offsets, out_of_range, span};
use crate::devices::WHOLE;
use crate::error::Error;
use crate::ledger::Ledger;
use crate::method::Method;
use crate::mode::Mode;
use crate::policy::Policy;
use crate::pool::Pool;
use crate::table::TaskTable;

/// The tasks that run on the offers of a pool and may be taken away. What they use is not in `available`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RunningTable {
    /// How many running tasks.
    pub rows: u32,
    /// The row of the offer that each runs on.
    pub offers: Vec<u32>,
    /// How much each matters: a higher number matters more.
    pub priorities: Vec<i32>,
    /// When each began, in any unit.
    pub starts: Vec<u64>,
    /// What each uses: `rows x dimensions`, row by row.
    pub demand: Vec<u64>,
    /// Where the devices of each begin in the next two columns: `rows + 1` numbers. Empty: none uses a device.
    pub device_offsets: Vec<u32>,
    /// Which device of its offer.
    pub device_numbers: Vec<u32>,
    /// How many thousandths of it.
    pub device_thousandths: Vec<u32>,
}

/// Who is to take what, once the victims have ended. In the order of the tasks; a task that is not named finds no offer even
/// so.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Plan {
    /// Task rows, rising.
    pub tasks: Vec<u32>,
    /// Offer rows.
    pub offers: Vec<u32>,
    /// The score of each once its victims have ended.
    pub scores: Vec<f64>,
    /// Where the victims of each begin in `victims`: one number more than there are tasks named.
    pub victim_offsets: Vec<u32>,
    /// Rows of running tasks, each at most once, rising for each task.
    pub victims: Vec<u32>,
}

impl RunningTable {
    /// Checks the columns, and that what runs fits into the offers of the list beside what is free.
    fn check(&self, ledger: &Ledger) -> Result<(), Error> {
        let rows = u64::from(self.rows);
        if rows > MAX_ROWS {
            return Err(Error::TooManyRows { asked: rows, limit: MAX_ROWS });
        }
        let width = ledger.shape().dimensions as usize;
        check_length("offers", self.offers.len(), rows)?;
        check_length("priorities", self.priorities.len(), rows)?;
        check_length("starts", self.starts.len(), rows)?;
        check_length("demand", self.demand.len(), rows * width as u64)?;
        let devices = self.device_numbers.len();
        check_offsets("device-offsets", &self.device_offsets, rows, "device-numbers", devices)?;
        check_length("device-thousandths", self.device_thousandths.len(), devices as u64)?;
        if let Some(at) = self.offers.iter().position(|&offer| offer as usize >= ledger.rows()) {
            let most = (ledger.rows() as u64).saturating_sub(1);
            return Err(out_of_range("offers", at, self.offers[at].into(), 0, most));
        }
        for row in 0..self.rows as usize {
            let has = ledger.devices(self.offers[row] as usize).len() as u64;
            for at in self.devices(row) {
                let number = u64::from(self.device_numbers[at]);
                if number >= has {
                    return Err(out_of_range("device-numbers", at, number, 0, has.saturating_sub(1)));
                }
            }
        }
        self.check_room(ledger)
    }

    /// Refuses more than an offer of the list can hold. What runs on other offers is not looked at.
    fn check_room(&self, ledger: &Ledger) -> Result<(), Error> {
        let width = ledger.shape().dimensions as usize;
        let mut room = Room::new(ledger);
        for row in 0..self.rows as usize {
            let offer = self.offers[row] as usize;
            if ledger.position(offer).is_none() {
                continue;
            }
            for dimension in 0..width {
                let at = row * width + dimension;
                let left = &mut room.quantities[offer * width + dimension];
                if self.demand[at] > *left {
                    return Err(out_of_range("demand", row, self.demand[at], 0, *left));
                }
                *left -= self.demand[at];
            }
            for at in self.devices(row) {
                let left = &mut room.devices[room.begins[offer] + self.device_numbers[at] as usize];
                let thousandths = self.device_thousandths[at];
                if thousandths > *left {
                    return Err(out_of_range("device-thousandths", at, thousandths.into(), 0, (*left).into()));
                }
                *left -= thousandths;
            }
        }
        Ok(())
    }

    /// The devices that a running task uses, as positions in the columns.
    fn devices(&self, row: usize) -> Range<usize> {
        span(&self.device_offsets, row)
    }

    /// What a running task uses in each dimension.
    fn demand(&self, row: usize, width: usize) -> &[u64] {
        &self.demand[row * width..(row + 1) * width]
    }

    /// Whether, of two tasks that run on one offer, the first is given back before the other.
    fn stays_rather(&self, one: usize, other: usize) -> core::cmp::Ordering {
        let key = |row: usize| (core::cmp::Reverse(self.priorities[row]), self.starts[row], row);
        key(one).cmp(&key(other))
    }
}

/// What offers have that is neither free nor used by a running task that has been looked at.
struct Room {
    /// In each dimension: `rows x dimensions`.
    quantities: Vec<u64>,
    /// Thousandths of each device.
    devices: Vec<u32>,
    /// Where the devices of each row begin.
    begins: Vec<usize>,
}

impl Room {
    fn new(ledger: &Ledger) -> Self {
        let mut room = Self { quantities: Vec::new(), devices: Vec::new(), begins: Vec::new() };
        for row in 0..ledger.rows() {
            let used = ledger.capacity(row).iter().zip(ledger.available(row));
            room.quantities.extend(used.map(|(capacity, available)| capacity - available));
            room.begins.push(room.devices.len());
            room.devices.extend(ledger.devices(row).iter().map(|free| WHOLE - free));
        }
        room
    }
}

/// Where a task goes, and what that costs. The least of these is chosen.
#[derive(Debug, Clone, PartialEq)]
struct Move {
    /// The offer.
    offer: usize,
    /// Its place in the list.
    position: u32,
    /// The highest priority of a victim; less than any where there is no victim.
    highest: i64,
    /// The score of the offer once the victims have ended.
    score: f64,
    /// The victims, rising.
    victims: Vec<u32>,
}

/// Less than every priority.
const NO_VICTIM: i64 = i64::MIN;

impl Move {
    /// Whether it costs less than another one.
    fn is_better(&self, other: &Self) -> bool {
        let key = |of: &Self| (of.highest, of.victims.len());
        match key(self).cmp(&key(other)) {
            core::cmp::Ordering::Equal => (self.score, self.position) < (other.score, other.position),
            order => order.is_lt(),
        }
    }
}

impl Plan {
    /// A plan of nothing.
    fn new() -> Self {
        Self { victim_offsets: vec![0], ..Self::default() }
    }

    /// Adds what is found for the next task.
    fn push(&mut self, task: usize, found: Move) {
        self.tasks.push(task as u32);
        self.offers.push(found.offer as u32);
        self.scores.push(found.score);
        self.victims.extend(found.victims);
        self.victim_offsets.push(self.victims.len() as u32);
    }
}

impl<P: Policy> Pool<P> {
    /// Plans for the tasks, one after the other, each as if the plans before had come true. `priorities` has one number a task;
    /// only running tasks of lower priority are victims. No offer changes.
    ///
    /// # Errors
    /// Whatever is wrong with the tables; [`Error::UnsupportedMode`] for a pool in exclusive mode, in which there is nothing to
    /// share; [`Error::OutOfRange`] for tasks that belong to a group.
    pub fn preempt(&mut self, tasks: &TaskTable, priorities: &[i32], running: &RunningTable) -> Result<Plan, Error> {
        if self.mode == Mode::Exclusive {
            return Err(Error::UnsupportedMode(Mode::Exclusive));
        }
        self.check(tasks)?;
        if let Some(at) = tasks.group_of.iter().position(|&group| group > 0) {
            return Err(out_of_range("group-of", at, tasks.group_of[at].into(), 0, 0));
        }
        check_length("priorities", priorities.len(), tasks.rows.into())?;
        running.check(&self.ledger)?;
        self.glance();
        let asked = (tasks, priorities);
        Ok(match self.method {
            Method::Reference => plain::plan(&self.ledger, asked, running, &self.policy, &self.ranking),
            _ => levels::plan(&self.ledger, asked, running, &self.policy, &self.ranking),
        })
    }
}
