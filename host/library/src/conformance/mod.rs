//! Conformance: the cases of `tests/conformance`, a matcher's answers to them, and the level it reaches
//! (`docs/conformance.md`).
//!
//! ```text
//! Suite (cases as data, generated cases) ──> answers ──> audit (the contract) ──> comparison (the reference) ──> Report
//! ```

mod audit;
mod book;
mod cases;
mod compare;
mod endurance;
mod generate;
mod junit;
mod laws;
mod mixed;
mod play;
mod report;
mod rules;
mod scores;
mod skip;
mod suite;

pub use report::{Failure, GroupReport, Report, SkippedCase, SuiteReport, Verdict};
pub use skip::Skips;
pub use suite::{CaseGroup, Suite, Trial};

use serde::Serialize;

/// What a matcher may be found to conform to. The higher one includes the lower one.
///
/// ```
/// use offermatch::Level;
///
/// assert_eq!(Level::claimed("best-fit"), Level::Reference);
/// assert_eq!(Level::claimed("strand"), Level::Contract);
/// assert!(Level::Contract < Level::Reference);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Level {
    /// Every answer is valid whatever the policy: feasible, nothing left out, ties to the first of equal offers, exact
    /// counts, typed errors, the same answer when asked again.
    Contract,
    /// Every answer is the one of best-fit, bit for bit.
    Reference,
}

impl Level {
    /// The level that a matcher of this policy claims by its name.
    #[must_use]
    pub fn claimed(policy: &str) -> Self {
        if policy == <offermatch_core::BestFit as offermatch_core::Policy>::NAME {
            Self::Reference
        } else {
            Self::Contract
        }
    }

    /// The level's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Contract => "contract",
            Self::Reference => "reference",
        }
    }
}

/// One thing that is not as it should be.
///
/// Example: [`Failure`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// The level that is missed because of it.
    pub level: Level,
    /// The step of the case, counted from 0; none for opening.
    pub step: Option<usize>,
    /// What it is about.
    pub what: String,
    /// What was expected.
    pub expected: String,
    /// What was found.
    pub found: String,
}
