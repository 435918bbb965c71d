//! What a matcher says of itself.

use offermatch_core::Mode;

/// What a matcher says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// Its name.
    pub name: String,
    /// Its version, a semantic version.
    pub version: String,
    /// The policy that ranks the offers.
    pub policy: String,
    /// The contract it was built against, a semantic version.
    pub contract: String,
    /// The modes it has.
    pub modes: Vec<Mode>,
}
