//! Why a call has no answer.

use crate::error::{Error, Overrun};
use crate::limit::Exceeded;
use crate::wasm::refusal::Refusal;

/// Why a call has no answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Failure {
    /// No instance could be made.
    Unavailable(String),
    /// The instance trapped and is of no more use.
    Trapped(String),
    /// The instance wanted more than it may have and is of no more use.
    Exceeded {
        /// What it wanted.
        exceeded: Exceeded,
        /// What it printed, for the error.
        printed: String,
    },
    /// What it says of itself does not hold, and why.
    Misdescribed(String),
    /// The matcher refused the call and is as it was.
    Refused(Refusal),
}

impl From<Exceeded> for Failure {
    fn from(exceeded: Exceeded) -> Self {
        Self::Exceeded { exceeded, printed: String::new() }
    }
}

impl From<offermatch_core::Error> for Failure {
    fn from(error: offermatch_core::Error) -> Self {
        Self::Refused(error.into())
    }
}

impl Failure {
    /// The error of a call of a matcher of this name.
    pub(crate) fn error(self, matcher: String, call: &'static str) -> Error {
        match self {
            Self::Unavailable(reason) => Error::InstanceUnavailable { matcher, reason },
            Self::Exceeded { exceeded, printed } => {
                Error::LimitExceeded(Box::new(Overrun { matcher, call, exceeded, printed }))
            }
            Self::Trapped(reason) => Error::MatcherTrapped { matcher, call, reason },
            Self::Misdescribed(reason) => {
                Error::AnswerRefused { matcher, reason: format!("its description: {reason}") }
            }
            Self::Refused(Refusal::TooManyRows { asked, limit }) => Error::TooManyRows { asked, limit },
            Self::Refused(Refusal::UnsupportedMode(mode)) => Error::SettingMalformed {
                setting: "mode".to_owned(),
                message: format!("matcher {matcher} does not have the mode {mode}"),
                hint: "use another mode".to_owned(),
            },
            Self::Refused(Refusal::UnsupportedRule(rule)) => Error::RuleUnsupported { matcher, rule },
            Self::Refused(Refusal::Unfounded { reason, .. }) => {
                let reason = format!("it refused columns that the host has found right: {reason}");
                Error::AnswerRefused { matcher, reason }
            }
        }
    }
}
