//! How offers are ranked.

use alloc::vec::Vec;

use crate::columns::{Shape, check_length};
use crate::error::Error;
use crate::mode::Mode;
use crate::table::Workload;

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
    /// The policy's parameters, in the order of [`crate::Policy::PARAMETERS`], and last [`crate::Parameter::USED_FIRST`].
    /// Empty: the default of each.
    pub parameters: Vec<f64>,
    /// The tasks that are to be expected, for a policy that looks ahead. None, or no row: nothing is known of them.
    pub workload: Option<Workload>,
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
