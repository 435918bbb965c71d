//! The matcher and the limits that arguments name.

use std::path::Path;

use offermatch::{DEFAULT_POLICY, Error, Limits, Matcher};

/// The matcher of this name.
pub(super) fn load(name: &Path, limits: &Limits) -> Result<Matcher, Error> {
    match name.to_str() {
        Some("bundled") => Matcher::bundled_with(DEFAULT_POLICY, limits),
        Some("reference") => Ok(Matcher::reference()),
        // A file that is called as a policy is named with its folder.
        Some(policy) if Matcher::policies().any(|known| known == policy) => Matcher::bundled_with(policy, limits),
        _ => Matcher::load_with(name, limits),
    }
}

/// The limits in this file, or those in force.
pub(super) fn limits(file: Option<&Path>) -> Result<Limits, Error> {
    file.map_or_else(Limits::in_force, Limits::from_file_and_environment)
}
