//! Whether a plan that takes running tasks away holds, told from the ledger's own tables.

use offermatch_core::{Plan, RunningTable, TaskTable};

use super::ledger::Ledger;

/// A column of the wrong length: its name, how long it should be, and how long it is.
type WrongLength = (&'static str, usize, usize);

impl Ledger {
    /// Checks that the columns of running tasks fit the tasks and one another.
    ///
    /// # Errors
    /// The first column that has not the length it should have.
    pub(crate) fn check_running(
        &self,
        tasks: &TaskTable,
        priorities: &[i32],
        running: &RunningTable,
    ) -> Result<(), WrongLength> {
        let rows = running.rows as usize;
        let devices = running.device_offsets.last().copied().unwrap_or(0) as usize;
        let offsets = if running.device_offsets.is_empty() { 0 } else { rows + 1 };
        let columns = [
            ("priorities", tasks.rows as usize, priorities.len()),
            ("offers", rows, running.offers.len()),
            ("priorities", rows, running.priorities.len()),
            ("starts", rows, running.starts.len()),
            ("demand", rows * self.shape().dimensions as usize, running.demand.len()),
            ("device-offsets", offsets, running.device_offsets.len()),
            ("device-numbers", devices, running.device_numbers.len()),
            ("device-thousandths", devices, running.device_thousandths.len()),
        ];
        columns.into_iter().find(|(_, expected, found)| expected != found).map_or(Ok(()), Err)
    }

    /// Checks a plan: every victim is of lower priority than the task and runs on its offer, nobody is a victim twice, the
    /// offer holds the task once the victims have ended, and not while any one of them still runs.
    ///
    /// # Errors
    /// What does not hold.
    pub fn check_plan(
        &self,
        tasks: &TaskTable,
        priorities: &[i32],
        running: &RunningTable,
        plan: &Plan,
    ) -> Result<(), String> {
        let rows = plan.tasks.len();
        if plan.offers.len() != rows || plan.scores.len() != rows || plan.victim_offsets.len() != rows + 1 {
            return Err(format!("{rows} tasks have columns of other lengths"));
        }
        let rising = plan.victim_offsets.windows(2).all(|ends| ends[0] <= ends[1]);
        let ends = plan.victim_offsets.last().copied().unwrap_or(0) as usize;
        if !rising || plan.victim_offsets[0] != 0 || ends != plan.victims.len() {
            return Err("the offsets of victims do not rise to their number".to_owned());
        }
        let mut after = self.clone();
        let mut gone = vec![false; running.rows as usize];
        let mut least = 0;
        for (row, (&task, &offer)) in plan.tasks.iter().zip(&plan.offers).enumerate() {
            if task < least || task >= tasks.rows {
                return Err(format!("task row {task} comes twice, too late, or is not below {}", tasks.rows));
            }
            least = task + 1;
            self.check_score(task, plan.scores[row])?;
            let victims = &plan.victims[plan.victim_offsets[row] as usize..plan.victim_offsets[row + 1] as usize];
            let (task, offer) = (task as usize, offer as usize);
            let mut planned = || -> Result<(), String> {
                if !self.is_listed(offer) {
                    return Err("the offer is not in the list".to_owned());
                }
                let mut before = None;
                for &victim in victims {
                    let number = victim as usize;
                    if number >= gone.len() || before.is_some_and(|before| victim <= before) {
                        return Err(format!("victim {victim} is out of range, or not rising"));
                    }
                    before = Some(victim);
                    if gone[number] || running.offers[number] as usize != offer {
                        return Err(format!("victim {victim} has gone before, or runs elsewhere"));
                    }
                    if running.priorities[number] >= priorities[task] {
                        return Err(format!("victim {victim} matters as much as the task"));
                    }
                    gone[number] = true;
                    after.end(running, number);
                }
                after.check_fit(tasks, task, offer)?;
                for &victim in victims {
                    after.resume(running, victim as usize);
                    let in_vain = after.check_fit(tasks, task, offer).is_ok();
                    after.end(running, victim as usize);
                    if in_vain {
                        return Err(format!("victim {victim} ends in vain"));
                    }
                }
                after.take(tasks, task, offer, &mut Vec::new())
            };
            planned().map_err(|reason| format!("task row {task} on offer row {offer}: {reason}"))?;
        }
        Ok(())
    }
}

impl Ledger {
    /// Gives an offer back what a running task uses.
    fn end(&mut self, running: &RunningTable, row: usize) {
        self.shift(running, row, u64::wrapping_add, u32::wrapping_add);
    }

    /// Takes from an offer again what a running task uses.
    fn resume(&mut self, running: &RunningTable, row: usize) {
        self.shift(running, row, u64::wrapping_sub, u32::wrapping_sub);
    }

    /// Changes what is free of an offer by what a running task uses. The matcher has refused more than an offer can hold.
    fn shift(
        &mut self,
        running: &RunningTable,
        row: usize,
        quantity: fn(u64, u64) -> u64,
        thousandths: fn(u32, u32) -> u32,
    ) {
        let width = self.shape().dimensions as usize;
        let (available, free) = self.free(running.offers[row] as usize);
        let demand = &running.demand[row * width..(row + 1) * width];
        available.iter_mut().zip(demand).for_each(|(available, used)| *available = quantity(*available, *used));
        let devices = running.device_offsets.get(row..row + 2).map_or(0..0, |ends| ends[0] as usize..ends[1] as usize);
        let numbers = running.device_numbers.get(devices.clone()).unwrap_or_default();
        let used = running.device_thousandths.get(devices).unwrap_or_default();
        for (&number, &used) in numbers.iter().zip(used) {
            if let Some(free) = free.get_mut(number as usize) {
                *free = thousandths(*free, used);
            }
        }
    }
}
