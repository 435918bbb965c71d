//! What runs on the offers of a list, to be walked through.

use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;

use super::RunningTable;
use super::rows::Rows;
use crate::ledger::Ledger;

/// What runs, offer after offer, each in the order in which it is given back. Behind the last of each offer is room for one more,
/// which stands for what is free.
#[derive(Debug)]
pub(super) struct Items {
    /// The rows of the running tasks.
    pub(super) tasks: Vec<u32>,
    /// Their priorities.
    pub(super) priorities: Vec<i32>,
    /// What the offer has once a task and all behind it have ended: what it uses is the difference to the next one.
    pub(super) reach: Vec<u64>,
    /// The items of each offer.
    of: Vec<Range<usize>>,
}

impl Items {
    /// What runs on the offers of a list.
    pub(super) fn new(ledger: &Ledger, running: &RunningTable, rows: impl Rows) -> Self {
        let place = |task: u32| ledger.position(running.offers[task as usize] as usize).map(|place| place as usize);
        let mut of = vec![0..0; ledger.list().len()];
        (0..running.rows).filter_map(place).for_each(|place| of[place].end += 1);
        let mut count = 0;
        for of in &mut of {
            let begin = count;
            count += of.end + 1;
            *of = begin..begin;
        }
        let mut tasks = vec![0; count];
        for task in 0..running.rows {
            if let Some(place) = place(task) {
                tasks[of[place].end] = task;
                of[place].end += 1;
            }
        }
        let mut items = Self { tasks, priorities: vec![0; count], reach: vec![0; count * rows.width()], of };
        for (place, &offer) in ledger.list().iter().enumerate() {
            let of = items.of(place);
            items.tasks[of.clone()].sort_unstable_by(|&one, &other| running.stays_rather(one as usize, other as usize));
            of.for_each(|at| items.priorities[at] = running.priorities[items.tasks[at] as usize]);
            items.fill(place, ledger.available(offer as usize), running, rows);
        }
        items
    }

    /// The items of an offer.
    #[inline]
    pub(super) fn of(&self, place: usize) -> Range<usize> {
        self.of[place].clone()
    }

    /// Finds out what an offer has once its items have ended.
    fn fill(&mut self, place: usize, free: &[u64], running: &RunningTable, rows: impl Rows) {
        let (of, width) = (self.of(place), rows.width());
        rows.row_mut(&mut self.reach, of.end).copy_from_slice(free);
        for at in of.rev() {
            let used = rows.row(&running.demand, self.tasks[at] as usize);
            let (reach, behind) = self.reach[at * width..].split_at_mut(width);
            reach.iter_mut().zip(behind).zip(used).for_each(|((reach, behind), used)| *reach = *behind + used);
        }
    }

    /// Takes away what ends on an offer, and what a task takes.
    pub(super) fn replace(
        &mut self,
        place: usize,
        victims: &[u32],
        taken: &[u64],
        running: &RunningTable,
        rows: impl Rows,
    ) {
        let of = self.of(place);
        let mut free = rows.row(&self.reach, of.end).to_vec();
        let mut to = of.start;
        for at in of {
            let task = self.tasks[at];
            if victims.binary_search(&task).is_ok() {
                let used = rows.row(&running.demand, task as usize);
                free.iter_mut().zip(used).for_each(|(free, used)| *free += used);
            } else {
                self.tasks[to] = task;
                self.priorities[to] = self.priorities[at];
                to += 1;
            }
        }
        self.of[place].end = to;
        free.iter_mut().zip(taken).for_each(|(free, taken)| *free -= taken);
        self.fill(place, &free, running, rows);
    }
}
