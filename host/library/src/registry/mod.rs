//! Components in OCI registries: `oci://registry/name:tag` and `oci://registry/name@sha256:...`.
//!
//! ```text
//! reference ──> manifest (by its digest) ──> one layer application/wasm ──> cache by digest ──> path of a component
//! ```
//!
//! What speaks to a registry is there with the feature `oci` only; without it a reference is refused by name.

mod reference;

#[cfg(feature = "oci")]
mod artifact;
#[cfg(feature = "oci")]
mod client;
#[cfg(feature = "oci")]
mod pull;

use std::borrow::Cow;
use std::path::Path;

use crate::error::Error;
use crate::limits::Limits;

use reference::Reference;

/// What a reference begins with.
const SCHEME: &str = "oci://";

/// Whether this names a component in a registry, not a file.
pub(crate) fn is_reference(path: &Path) -> bool {
    path.to_str().is_some_and(|text| text.starts_with(SCHEME))
}

/// The file of a component: the path itself or, of one in a registry, where it lies once it is fetched.
///
/// # Errors
/// [`Error::ReferenceMalformed`], [`Error::RegistryUnreachable`], [`Error::RegistryRefused`], [`Error::RegistryLied`],
/// [`Error::LimitExceeded`], [`Error::ComponentNotKept`] and [`Error::FeatureMissing`].
pub(crate) fn local<'a>(path: &'a Path, limits: &Limits) -> Result<Cow<'a, Path>, Error> {
    let Some(text) = path.to_str().filter(|_| is_reference(path)) else { return Ok(Cow::Borrowed(path)) };
    fetched(&Reference::parse(text)?, limits).map(Cow::Owned)
}

#[cfg(feature = "oci")]
use pull::pull as fetched;

/// Without the feature nothing is fetched.
#[cfg(not(feature = "oci"))]
fn fetched(reference: &Reference, _: &Limits) -> Result<std::path::PathBuf, Error> {
    Err(Error::FeatureMissing { feature: "oci", wanted: reference.to_string() })
}
