//! How offers are ranked and what happens to one that takes a task.

use alloc::vec::Vec;
use core::fmt;

use crate::error::Error;
use crate::table::{Shape, TaskTable, check_length, check_number, out_of_range};

/// What happens to an offer that takes a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Mode {
    /// It leaves the list; the last offer of the list moves into its place.
    #[default]
    Exclusive,
    /// The demand is subtracted and it stays.
    Shared,
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Exclusive => "exclusive",
            Self::Shared => "shared",
        })
    }
}

/// How to rank offers. The default is exclusive mode, no limit, weights of 1.0 and scales taken from the offers.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// What happens to an offer that takes a task.
    pub mode: Mode,
    /// An offer is chosen only if its score is below this. Finite and not negative. None: any finite score will do.
    pub max_score: Option<f64>,
    /// Weights of the dimensions and, last, of the free device thousandths: `dimensions + 1` numbers, finite and not
    /// negative. Empty: 1.0 each.
    pub weights: Vec<f64>,
    /// Scales of the dimensions and, last, of the free device thousandths: `dimensions + 1` numbers, zero for the largest
    /// capacity in that dimension. Empty: zero each.
    pub scales: Vec<u64>,
    /// Whether scales taken from the offers are raised when an update brings a larger capacity. Without, they stay as they
    /// were when the pool was opened.
    pub raise_scales: bool,
    /// The policy's parameters, in the order of [`crate::Policy::PARAMETERS`]. Empty: the default of each.
    pub parameters: Vec<f64>,
    /// The tasks that are to be expected, for a policy that looks ahead. None, or no row: nothing is known of them.
    pub workload: Option<Workload>,
}

/// Typical tasks, each with its share of all tasks.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Workload {
    /// The tasks. They belong to no group.
    pub tasks: TaskTable,
    /// The share of each, in proportion to the sum of all: finite, not negative, and not all of them zero.
    pub shares: Vec<f64>,
}

impl Workload {
    /// Checks a workload for pools of this shape.
    ///
    /// # Errors
    /// As [`TaskTable::check`], and [`Error::BadNumber`] for the shares.
    pub fn check(&self, shape: Shape) -> Result<(), Error> {
        self.tasks.check(shape)?;
        if let Some(at) = self.tasks.group_of.iter().position(|&group| group > 0) {
            return Err(out_of_range("group-of", at, self.tasks.group_of[at].into(), 0, 0));
        }
        check_length("shares", self.shares.len(), self.tasks.rows.into())?;
        let mut sum = 0.0;
        for (at, &share) in self.shares.iter().enumerate() {
            check_number("shares", at, share, 0.0, f64::MAX)?;
            sum += share;
        }
        match self.shares.len() {
            0 => Ok(()),
            rows => check_number("shares", rows - 1, sum, f64::MIN_POSITIVE, f64::MAX),
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            mode: Mode::default(),
            max_score: None,
            weights: Vec::new(),
            scales: Vec::new(),
            raise_scales: true,
            parameters: Vec::new(),
            workload: None,
        }
    }
}

impl Settings {
    /// Checks the settings for a pool of this shape.
    ///
    /// # Errors
    /// [`Error::ColumnLength`] and [`Error::BadSetting`].
    pub fn check(&self, shape: Shape) -> Result<(), Error> {
        let terms = u64::from(shape.dimensions) + 1;
        let usable = |value: f64| value.is_finite() && value >= 0.0;
        if let Some(value) = self.max_score.filter(|&score| !usable(score)) {
            return Err(Error::BadSetting { setting: "max-score", position: 0, value });
        }
        if !self.weights.is_empty() {
            check_length("weights", self.weights.len(), terms)?;
        }
        if !self.scales.is_empty() {
            check_length("scales", self.scales.len(), terms)?;
        }
        if let Some((&value, position)) = self.weights.iter().zip(0..).find(|(weight, _)| !usable(**weight)) {
            return Err(Error::BadSetting { setting: "weights", position, value });
        }
        self.workload.as_ref().map_or(Ok(()), |workload| workload.check(shape))
    }

    /// Which scales, of the dimensions and last of devices, an update may raise.
    pub(crate) fn raised_scales(&self, shape: Shape) -> Vec<bool> {
        let terms = shape.dimensions as usize + 1;
        let is_taken = |at: usize| self.scales.get(at).is_none_or(|&scale| scale == 0);
        (0..terms).map(|at| self.raise_scales && is_taken(at)).collect()
    }
}
