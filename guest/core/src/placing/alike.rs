//! Placing equal members that are to be together, without a trial for each value.
//!
//! The first member gets the offer with the least score. The next one gets the same offer, as long as that has enough: its score has
//! but fallen. Then the least score among the offers that no member has is the next. So one look at the offers of a value says
//! who gets what.

use alloc::vec::Vec;

use crate::feasible::Task;
use crate::index::{Seek, Shelves};
use crate::members::Members;
use crate::mode::Mode;
use crate::policy::{Leftover, Policy};
use crate::pool::Pool;

use super::together::Begun;
use super::{Best, Gang, Wants};

/// What equal tasks get, one after the other.
#[derive(Debug, Default)]
struct Picks {
    /// Offers and scores.
    picks: Vec<(usize, f64)>,
    /// The sum of the scores.
    sum: f64,
    /// The offers that are the best for one task: scores, positions and rows.
    firsts: Vec<(f64, u32, usize)>,
    /// What is left of an offer.
    left: Vec<u64>,
}

impl Picks {
    /// Adds one.
    fn push(&mut self, row: usize, score: f64) {
        self.picks.push((row, score));
        self.sum += score;
    }
}

impl<P: Policy> Pool<P> {
    /// Whether the members of a gang differ in nothing that is not seen in what is free, and no rule but *together* holds.
    pub(super) fn is_alike(&self, gang: Gang<'_>, members: &Members, wants: &Wants) -> bool {
        let is_one = wants.of.last() == Some(&0) && gang.tasks.devices(gang.rows[0]) == 0;
        is_one && members.have_no_limits() && !self.ranking.used_first
    }

    /// The best of the values with which trials are begun, for members that are alike. Values that are not judged are left.
    pub(super) fn find_alike(
        &self,
        gang: Gang<'_>,
        (shelves, seek): (&Shelves, &Seek),
        (attribute, values): (u32, &[u32]),
        begun: &mut Vec<Begun>,
        best: &mut Best,
    ) {
        let (list, count) = (self.ledger.list(), gang.rows.len());
        // In exclusive mode, these move in the list while others leave it.
        let movable = if self.mode == Mode::Exclusive { &list[list.len().saturating_sub(count)..] } else { &[] };
        let movable: Vec<usize> = movable.iter().filter_map(|&row| shelves.place(row as usize)).collect();
        let task = Task::new(gang.tasks, gang.rows[0], self.shape);
        let mut picks = Picks::default();
        begun.retain(|&Begun { place, .. }| {
            if movable.contains(&place) {
                return true;
            }
            let ceiling = if best.placed.len() == count { best.sum } else { f64::INFINITY };
            self.pick((task, count), (shelves, place, seek), ceiling, &mut picks);
            let value = values[place];
            if self.is_better((picks.picks.len(), picks.sum), (attribute, value, place), best) {
                let placed = gang.rows.iter().zip(&picks.picks);
                best.placed = placed.map(|(&task, &(row, score))| (task, row, score)).collect();
                (best.sum, best.value, best.place) = (picks.sum, value, place);
            }
            false
        });
    }

    /// What so many tasks like this one get on offers with the value at a place, without offers at which the sum of the scores
    /// is above a ceiling.
    fn pick(
        &self,
        (task, count): (Task<'_>, usize),
        (shelves, place, seek): (&Shelves, usize, &Seek),
        ceiling: f64,
        picks: &mut Picks,
    ) {
        let (ledger, policy, ranking) = (&self.ledger, &self.policy, &self.ranking);
        let mut firsts = core::mem::take(&mut picks.firsts);
        shelves.firsts((place, seek), (task, ledger), (policy, ranking), (count, ceiling), &mut firsts);
        picks.picks.clear();
        picks.sum = 0.0;
        for &(score, _, row) in &firsts {
            if picks.picks.len() == count {
                break;
            }
            picks.push(row, score);
            if self.mode == Mode::Exclusive {
                continue;
            }
            picks.left.clear();
            picks.left.extend_from_slice(ledger.available(row));
            while picks.picks.len() < count {
                picks.left.iter_mut().zip(task.demand).for_each(|(left, asked)| *left -= asked);
                if picks.left.iter().zip(task.demand).any(|(left, asked)| left < asked) {
                    break;
                }
                let left = Leftover { available: &picks.left, ..Leftover::of(ledger, row) };
                let score = task.total_with(ledger, row, left, ledger.devices(row), policy, ranking);
                picks.push(row, score);
            }
        }
        picks.firsts = firsts;
    }
}
