//! Which running tasks have to end so that others find an offer.

use alloc::vec::Vec;
use core::cmp::Reverse;

use offermatch_core as model;

use super::offers::Offer;
use super::pool::{RulesPool, take_devices};
use super::{Rules, span};

/// What a plan costs: the highest priority of a victim, how many victims, the score, the place in the list.
type Cost = (Option<i32>, usize, f64, usize);

impl<R: Rules> RulesPool<R> {
    pub(super) fn preempt(
        &self,
        tasks: &model::TaskTable,
        priorities: &[i32],
        running: &model::RunningTable,
    ) -> Result<model::Plan, model::Error> {
        if self.settings.mode == model::Mode::Exclusive {
            return Err(model::Error::UnsupportedMode(model::Mode::Exclusive));
        }
        self.check(tasks)?;
        if let Some(row) = tasks.group_of.iter().position(|&group| group > 0) {
            return Err(out_of_range("group-of", row, tasks.group_of[row].into(), 0));
        }
        if priorities.len() != tasks.rows as usize {
            let (expected, found) = (tasks.rows.into(), priorities.len() as u64);
            return Err(model::Error::ColumnLength { column: "priorities", expected, found });
        }
        self.check_running(running)?;
        let mut pool = self.clone();
        let mut left: Vec<usize> = (0..running.rows as usize).collect();
        left.sort_by_key(|&row| (Reverse(running.priorities[row]), running.starts[row], row));
        let mut plan = model::Plan { victim_offsets: [0].into(), ..model::Plan::default() };
        for (task, &priority) in priorities.iter().enumerate() {
            let mut best: Option<(Cost, usize, Offer, Vec<usize>)> = None;
            for (position, &row) in pool.list.iter().enumerate() {
                let here = left.iter().copied().filter(|&at| running.offers[at] as usize == row);
                let lower: Vec<usize> = here.filter(|&at| R::is_victim(running.priorities[at], priority)).collect();
                let Some((offer, victims)) = pool.free(tasks, task, &pool.offers[row], running, &lower) else {
                    continue;
                };
                let score = pool.score(tasks, task, &offer);
                let highest = victims.iter().map(|&at| running.priorities[at]).max();
                let cost = (highest, victims.len(), score, position);
                if pool.is_low(score) && best.as_ref().is_none_or(|(least, ..)| cost < *least) {
                    best = Some((cost, row, offer, victims));
                }
            }
            let Some((cost, row, mut offer, mut victims)) = best else { continue };
            for (free, &asked) in offer.available.iter_mut().zip(pool.demand(tasks, task)) {
                *free = R::left(*free, asked);
            }
            take_devices::<R>(&mut offer.devices, tasks.devices.get(task).copied().unwrap_or(0));
            pool.offers[row] = offer;
            left.retain(|at| !victims.contains(at));
            victims.sort_unstable();
            plan.tasks.push(task as u32);
            plan.offers.push(row as u32);
            plan.scores.push(cost.2);
            plan.victims.extend(victims.iter().map(|&at| at as u32));
            plan.victim_offsets.push(plan.victims.len() as u32);
        }
        Ok(plan)
    }

    /// Checks that what runs has room beside what the offers of the list have free.
    fn check_running(&self, running: &model::RunningTable) -> Result<(), model::Error> {
        let width = self.shape.dimensions as usize;
        let (devices, named) =
            (running.device_offsets.last().map_or(0, |&end| end.into()), running.device_numbers.len());
        if devices != named as u64 {
            return Err(model::Error::ColumnLength {
                column: "device-numbers",
                expected: devices,
                found: named as u64,
            });
        }
        let used = |offer: &Offer| offer.capacity.iter().zip(&offer.available).map(|(has, free)| has - free).collect();
        let mut room: Vec<Vec<u64>> = self.offers.iter().map(used).collect();
        let taken = |offer: &Offer| offer.devices.iter().map(|free| 1000 - free).collect();
        let mut busy: Vec<Vec<u32>> = self.offers.iter().map(taken).collect();
        for (row, &offer) in running.offers.iter().enumerate() {
            let (Some(room), Some(busy)) = (room.get_mut(offer as usize), busy.get_mut(offer as usize)) else {
                let most = (self.offers.len() as u64).saturating_sub(1);
                return Err(out_of_range("offers", row, offer.into(), most));
            };
            let mine = span(&running.device_offsets, row);
            if let Some(at) = mine.clone().find(|&at| running.device_numbers[at] as usize >= busy.len()) {
                let most = (busy.len() as u64).saturating_sub(1);
                return Err(out_of_range("device-numbers", at, running.device_numbers[at].into(), most));
            }
            if !self.list.contains(&(offer as usize)) {
                continue;
            }
            for (left, &used) in room.iter_mut().zip(&running.demand[row * width..]) {
                *left = left.checked_sub(used).ok_or_else(|| out_of_range("demand", row, used, *left))?;
            }
            for at in mine {
                let (left, used) = (&mut busy[running.device_numbers[at] as usize], running.device_thousandths[at]);
                let above = out_of_range("device-thousandths", at, used.into(), (*left).into());
                *left = left.checked_sub(used).ok_or(above)?;
            }
        }
        Ok(())
    }

    /// An offer without those of the running tasks that have to end, and who they are, if it then serves a task.
    fn free(
        &self,
        tasks: &model::TaskTable,
        task: usize,
        offer: &Offer,
        running: &model::RunningTable,
        lower: &[usize],
    ) -> Option<(Offer, Vec<usize>)> {
        let width = self.shape.dimensions as usize;
        let change = |offer: &mut Offer, row: usize, change: fn(u64, u64) -> u64| {
            let used = &running.demand[row * width..(row + 1) * width];
            offer.available.iter_mut().zip(used).for_each(|(free, &used)| *free = change(*free, used));
            for at in span(&running.device_offsets, row) {
                let free = &mut offer.devices[running.device_numbers[at] as usize];
                *free = change((*free).into(), running.device_thousandths[at].into()) as u32;
            }
        };
        let mut freed = offer.clone();
        lower.iter().for_each(|&row| change(&mut freed, row, |free, used| free + used));
        if !self.is_feasible(tasks, task, &freed) {
            return None;
        }
        let mut victims = Vec::new();
        for &row in lower {
            let mut with = freed.clone();
            change(&mut with, row, |free, used| free - used);
            if self.is_feasible(tasks, task, &with) {
                freed = with;
            } else {
                victims.push(row);
            }
        }
        Some((freed, victims))
    }
}

/// A number that is above the most that may stand there.
fn out_of_range(column: &'static str, row: usize, value: u64, maximum: u64) -> model::Error {
    model::Error::OutOfRange(model::Cell { column, row: row as u32, value, minimum: 0, maximum })
}
