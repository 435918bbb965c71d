//! Places the members of a group together.

use alloc::vec;
use alloc::vec::Vec;

use offermatch_core as model;

use super::Rules;
use super::groups::Group;
use super::pool::RulesPool;

impl<R: Rules> RulesPool<R> {
    /// Places the members of a group, or none of them.
    pub(super) fn place_group(&mut self, tasks: &model::TaskTable, group: usize) -> Vec<(usize, usize, f64)> {
        let (after, placed) = self.try_group(tasks, group);
        let occupants = Group::<R>::new(&self.offers, &tasks.groups, group).occupants;
        let least = tasks.groups.least.get(group).copied().unwrap_or(0);
        if !R::enough(placed.len() as u64 + occupants, least.into()) {
            return Vec::new();
        }
        *self = after;
        placed
    }

    /// The pool with as many members as find an offer, and who they are.
    pub(super) fn try_group(&self, tasks: &model::TaskTable, group: usize) -> (Self, Vec<(usize, usize, f64)>) {
        let of = Group::new(&self.offers, &tasks.groups, group);
        let Some(attribute) = of.together else { return self.try_members(tasks, group, of) };
        let mut best = (self.clone(), Vec::new());
        let mut best_sum = f64::INFINITY;
        let mut tried = vec![0];
        for &row in &self.list {
            let value = self.offers[row].attributes[attribute];
            if tried.contains(&value) || !of.is_together(&self.offers[row]) {
                continue;
            }
            tried.push(value);
            let found = self.try_members(tasks, group, of.clone().of_value(value));
            let sum = found.1.iter().fold(0.0, |sum, (_, _, score)| sum + score);
            if R::better_together((found.1.len(), sum), (best.1.len(), best_sum)) {
                (best, best_sum) = (found, sum);
            }
        }
        best
    }

    /// The same where a group may have no other value.
    fn try_members(
        &self,
        tasks: &model::TaskTable,
        group: usize,
        mut of: Group<R>,
    ) -> (Self, Vec<(usize, usize, f64)>) {
        let mut pool = self.clone();
        let mut placed = Vec::new();
        let members = tasks.group_of.iter().enumerate().filter(|&(_, &number)| number as usize == group + 1);
        for (task, _) in members {
            if let Some(found) = pool.place(tasks, task, Some(&of)) {
                of.add(found.1, &pool.offers[found.1], 1);
                placed.push(found);
            }
        }
        (pool, placed)
    }
}
