//! How offers are ranked and what happens to one that takes a task.

use alloc::vec::Vec;
use core::fmt;

use crate::error::Error;
use crate::table::{Shape, check_length};

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

/// How to rank offers. The default is exclusive mode, weights of 1.0 and scales taken from the offers.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// What happens to an offer that takes a task.
    pub mode: Mode,
    /// An offer is chosen only if its score is below this. Finite and not negative.
    pub max_score: f64,
    /// Weights of the dimensions and, last, of the free device thousandths: `dimensions + 1` numbers, finite and not
    /// negative. Empty: 1.0 each.
    pub weights: Vec<f64>,
    /// Scales of the dimensions and, last, of the free device thousandths: `dimensions + 1` numbers, zero for the largest
    /// capacity in that dimension. Empty: zero each.
    pub scales: Vec<u64>,
    /// Whether scales taken from the offers are raised when an update brings a larger capacity. Without, they stay as they
    /// were when the pool was opened.
    pub raise_scales: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            mode: Mode::default(),
            max_score: Self::MAX_SCORE,
            weights: Vec::new(),
            scales: Vec::new(),
            raise_scales: false,
        }
    }
}

impl Settings {
    /// The maximal score unless another is set.
    pub const MAX_SCORE: f64 = 31.0;

    /// Checks the settings for a pool of this shape.
    ///
    /// # Errors
    /// [`Error::ColumnLength`] and [`Error::BadSetting`].
    pub fn check(&self, shape: Shape) -> Result<(), Error> {
        let terms = u64::from(shape.dimensions) + 1;
        let usable = |value: f64| value.is_finite() && value >= 0.0;
        if !usable(self.max_score) {
            return Err(Error::BadSetting { setting: "max-score", position: 0, value: self.max_score });
        }
        if !self.weights.is_empty() {
            check_length("weights", self.weights.len(), terms)?;
        }
        if !self.scales.is_empty() {
            check_length("scales", self.scales.len(), terms)?;
        }
        match self.weights.iter().zip(0..).find(|(weight, _)| !usable(**weight)) {
            Some((&value, position)) => Err(Error::BadSetting { setting: "weights", position, value }),
            None => Ok(()),
        }
    }

    /// Which scales, of the dimensions and last of devices, an update may raise.
    pub(crate) fn raised_scales(&self, shape: Shape) -> Vec<bool> {
        let terms = shape.dimensions as usize + 1;
        let is_taken = |at: usize| self.scales.get(at).is_none_or(|&scale| scale == 0);
        (0..terms).map(|at| self.raise_scales && is_taken(at)).collect()
    }
}
