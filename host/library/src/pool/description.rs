//! What a matcher says of itself.

use offermatch_core::Mode;

use crate::table::rule::Rule;

/// What a matcher says of itself.
#[derive(Debug, Clone, PartialEq)]
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
    /// The rules that it serves, of those that may be left out.
    pub rules: Vec<Rule>,
    /// What its policy takes from the settings.
    pub parameters: Vec<Parameter>,
}

/// A number that a policy takes from the settings.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// What it is where it is not set.
    pub default: f64,
    /// The least that it may be.
    pub minimum: f64,
    /// The most that it may be.
    pub maximum: f64,
}
