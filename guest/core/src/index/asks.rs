//! What a search has to know of a task's demand, kept for the tasks that ask the same.
//!
//! Most tables have far fewer demands than tasks. A demand has one place, by its hash, and gives way to any other that has
//! the same: so this costs the same however many there are.

use alloc::vec;
use alloc::vec::Vec;

use crate::feasible::Task;

use super::axes::{Axes, Measured};
use super::bound::Cost;
use super::nowhere::Nowhere;
use super::requirements::Filter;

/// Demands that are kept at most.
const MOST: usize = 1 << 12;
/// The device thousandths of a place that is free: no task can ask so many.
const FREE: u32 = u32::MAX;

/// The demands that are kept.
#[derive(Debug, Clone, Default)]
pub(super) struct Asks {
    /// What rows of axes consist of.
    axes: Axes,
    /// Numbers of a row of them.
    width: usize,
    /// Rows of thresholds that a demand passes at most.
    most_rows: usize,
    /// What is known, by place.
    asks: Vec<Ask>,
    /// What is asked on every axis, by place.
    asked: Vec<u64>,
    /// The rows of thresholds to pass, by place.
    rows: Vec<u32>,
}

/// What is known of a demand.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Ask {
    /// The device thousandths that are asked.
    devices: u32,
    /// How many rows of thresholds there are to pass.
    pub(super) rows: u32,
    /// Whether they let through only what serves the demand.
    pub(super) exact: bool,
    /// Its key.
    pub(super) cost: Cost,
    /// No slot with a lowered key below this serves the demand, but for offers that have come since.
    pub(super) least_key: f64,
    /// How many had come then.
    pub(super) seen: u64,
    /// The cell of a word that may have the best offer, where that is found by estimates.
    pub(super) likely: u32,
    /// No offer served the demand when offers had last grown this often.
    pub(super) refused: u64,
    /// When the demand was last compared with those that fit nowhere.
    pub(super) passed: u64,
}

impl Asks {
    /// Forgets all demands, and makes room for those of so many tasks.
    pub(super) fn reset(&mut self, axes: Axes, most_rows: usize, tasks: usize) {
        let places = tasks.clamp(1, MOST).next_power_of_two().max(self.asks.len());
        let free = Ask { devices: FREE, likely: u32::MAX, ..Ask::default() };
        *self = Self {
            axes,
            width: axes.width(),
            most_rows,
            asks: vec![free; places],
            asked: vec![0; places * axes.width()],
            rows: vec![0; places * most_rows],
        };
    }

    /// Whether there is room for the demands of so many tasks.
    pub(super) fn has_room(&self, tasks: usize) -> bool {
        self.asks.len() >= tasks.min(MOST)
    }

    /// The place of a task's demand.
    #[inline(always)]
    pub(super) fn place(&self, measured: &[Measured], task: Task<'_>) -> usize {
        Axes::hash_of(measured, task) as usize & (self.asks.len() - 1)
    }

    /// Whether the demand at a place is that of a task.
    #[inline(always)]
    pub(super) fn is(&self, place: usize, measured: &[Measured], task: Task<'_>) -> bool {
        let asked = &self.asked[place * self.width..][..self.width];
        self.asks[place].devices == task.devices && self.axes.is_of(measured, asked, task)
    }

    /// Keeps the demand of a task at its place. `know` finds the rows of thresholds, how many there are, whether they are
    /// exact, and the key; `seen` says how many offers have come.
    pub(super) fn keep(
        &mut self,
        place: usize,
        (measured, task): (&[Measured], Task<'_>),
        seen: u64,
        know: impl FnOnce(&[u64], &mut [u32]) -> (usize, bool, Cost),
    ) {
        let width = self.width;
        let asked = &mut self.asked[place * width..(place + 1) * width];
        self.axes.of_task(measured, task, asked);
        let rows = &mut self.rows[place * self.most_rows..(place + 1) * self.most_rows];
        let (rows, exact, cost) = know(asked, rows);
        self.asks[place] = Ask {
            devices: task.devices,
            rows: rows as u32,
            exact,
            cost,
            least_key: cost.least_key,
            seen,
            likely: u32::MAX,
            refused: 0,
            passed: 0,
        };
    }

    /// What is known of the demand at a place.
    #[inline]
    pub(super) fn ask(&mut self, place: usize) -> &mut Ask {
        &mut self.asks[place]
    }

    /// Whether the demand at a place is known to fit nowhere.
    #[inline]
    pub(super) fn is_refused(&mut self, place: usize, filters: &[Filter], nowhere: &Nowhere) -> bool {
        let asked = &self.asked[place * self.width..(place + 1) * self.width];
        nowhere.covers(asked, filters, &mut self.asks[place].passed)
    }

    /// What the demand at a place asks on every axis, and the rows of thresholds that it has to pass.
    #[inline(always)]
    pub(super) fn columns(&self, place: usize) -> (&[u64], &[u32]) {
        let width = self.width;
        let rows = &self.rows[place * self.most_rows..][..self.asks[place].rows as usize];
        (&self.asked[place * width..][..width], rows)
    }
}
