//! What happens to an offer that takes a task.

use core::fmt;

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
