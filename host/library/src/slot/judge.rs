//! Whether a candidate may be used: its bytes, its world, what it says of itself, and its answers.

use super::manifest::Manifest;
use crate::conformance::Suite;
use crate::digest::sha256;
use crate::error::Error;
use crate::limits::Limits;
use crate::pool::matcher::Matcher;
use crate::recording::Recording;
use crate::visible::visible_name;
use crate::wasm::component;

/// The candidate that a manifest asks for, once it has been found good. Nothing of it is compiled before its bytes are
/// known to be those that were asked for.
///
/// # Errors
/// [`Error::DigestMismatch`], [`Error::ManifestMalformed`] where it is another matcher than the manifest says, and those
/// of [`Matcher::load`] and [`conforms`].
pub(super) fn judge(manifest: &Manifest, limits: &Limits, cases: &[Recording]) -> Result<Matcher, Error> {
    let (bytes, origin) = component::read(&manifest.path, limits)?;
    check_digest(&bytes, &origin, &manifest.digest)?;
    let matcher = Matcher::from_bytes_with(&bytes, &origin, limits)?;
    let said = matcher.description();
    let claims = [
        ("matcher", &manifest.matcher, &said.name),
        ("version", &manifest.version, &said.version),
        ("policy", &manifest.policy, &said.policy),
    ];
    for (name, wanted, found) in claims {
        if wanted != found {
            let (wanted, found) = (visible_name(wanted).into_owned(), visible_name(found).into_owned());
            let reason = format!("{name} {wanted} is wanted, and the component says that it is {found}");
            return Err(Error::ManifestMalformed { origin, reason });
        }
    }
    if let Some(level) = manifest.conformance.level(&said.policy) {
        Suite::shipped()?.quick().require(&matcher, level)?;
    }
    conforms(&matcher, cases)?;
    Ok(matcher)
}

/// Refuses bytes of another digest.
///
/// # Errors
/// [`Error::DigestMismatch`].
pub(super) fn check_digest(bytes: &[u8], origin: &str, expected: &str) -> Result<(), Error> {
    let found = sha256(bytes);
    if found == expected {
        return Ok(());
    }
    Err(Error::DigestMismatch { origin: origin.to_owned(), expected: expected.to_owned(), found })
}

/// Refuses a matcher that does not answer as the conformance cases say.
///
/// # Errors
/// [`Error::ConformanceFailed`].
pub(super) fn conforms(matcher: &Matcher, cases: &[Recording]) -> Result<(), Error> {
    for (number, case) in cases.iter().enumerate() {
        let reason = match case.replay(matcher) {
            Ok(replay) => match replay.differences.first() {
                None => continue,
                Some(difference) => difference.to_string(),
            },
            Err(error) => error.to_string(),
        };
        let case =
            if case.name.is_empty() { format!("number {number}") } else { visible_name(&case.name).into_owned() };
        return Err(Error::ConformanceFailed { matcher: matcher.name(), case, reason });
    }
    Ok(())
}
