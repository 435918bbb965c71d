//! Why a matcher refuses a call, whichever contract it speaks.

use std::fmt;

use offermatch_core::Mode;

use crate::table::rule::Rule;

/// Why a matcher refuses a call. The host has checked its tables, so most refusals say more about the matcher than about
/// the tables.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Refusal {
    /// More rows than the matcher takes.
    TooManyRows {
        /// How many there would be.
        asked: u64,
        /// How many there may be.
        limit: u64,
    },
    /// A mode that the matcher does not have.
    UnsupportedMode(Mode),
    /// A rule that the matcher does not serve.
    UnsupportedRule(Rule),
    /// It finds something wrong with tables that the host has found right.
    Unfounded {
        /// The contract's name of the error.
        case: &'static str,
        /// What the matcher says.
        reason: String,
    },
}

impl Refusal {
    /// The contract's name of the error.
    pub(crate) fn case(&self) -> &'static str {
        match self {
            Self::TooManyRows { .. } => "too-many-rows",
            Self::UnsupportedMode(_) => "unsupported-mode",
            Self::UnsupportedRule(_) => "unsupported-rule",
            Self::Unfounded { case, .. } => case,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooManyRows { asked, limit } => write!(f, "{asked} rows are above the limit of {limit}"),
            Self::UnsupportedMode(mode) => write!(f, "there is no {mode} mode for it"),
            Self::UnsupportedRule(rule) => write!(f, "the rule {rule} is not served"),
            Self::Unfounded { reason, .. } => f.write_str(reason),
        }
    }
}

/// A refusal, and how many bytes of text the matcher put into it.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) refusal: Refusal,
    pub(crate) text_bytes: usize,
}

impl Refused {
    /// A refusal without text.
    pub(super) fn new(refusal: Refusal) -> Self {
        Self { refusal, text_bytes: 0 }
    }
}

impl From<offermatch_core::Error> for Refusal {
    fn from(error: offermatch_core::Error) -> Self {
        match error {
            offermatch_core::Error::TooManyRows { asked, limit } => Self::TooManyRows { asked, limit },
            offermatch_core::Error::UnsupportedMode(mode) => Self::UnsupportedMode(mode),
            other => {
                let case = match &other {
                    offermatch_core::Error::ColumnLength { .. } => "column-length",
                    offermatch_core::Error::OutOfRange(_) => "out-of-range",
                    offermatch_core::Error::BrokenDevices(_) => "broken-devices",
                    offermatch_core::Error::BadSetting { .. } => "bad-setting",
                    offermatch_core::Error::BadNumber { .. } => "bad-number",
                    _ => "repeated-row",
                };
                Self::Unfounded { case, reason: other.to_string() }
            }
        }
    }
}
