//! Which matcher is wanted: a file that both hosts follow.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::conformance::Level;
use crate::digest::is_digest;
use crate::error::Error;
use crate::read::strict_json;
use crate::reading::{self, MOST_OF_A_DOCUMENT};
use crate::registry;
use crate::visible::visible_name;

/// The name of a manifest in a directory.
const FILE: &str = "manifest.json";

/// Which matcher is wanted, as `docs/trust.md` has it.
///
/// ```
/// let text = r#"{"matcher": "best", "version": "1.0.0", "policy": "best-fit", "path": "best.wasm", "digest": "sha256:00"}"#;
/// let error = offermatch::Manifest::parse(text, "manifest.json".as_ref()).unwrap_err();
/// assert_eq!(error.code(), "manifest-malformed");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// The name that the matcher gives itself.
    pub matcher: String,
    /// Its version.
    pub version: String,
    /// Its policy.
    pub policy: String,
    /// The component: a file, or `oci://...` in a registry.
    pub path: PathBuf,
    /// The SHA-256 of its bytes, as `sha256:` and 64 hexadecimal digits.
    pub digest: String,
    /// The level of conformance that it has to reach before it is used; none where the cases are not asked.
    pub conformance: Option<Level>,
    /// Live cycles that it is to answer in shadow before it is promoted.
    pub shadow_cycles: u64,
    /// Cycles within which a failure takes the slot back.
    pub probation_cycles: u64,
}

/// A manifest as JSON has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    matcher: String,
    version: String,
    policy: String,
    path: String,
    digest: String,
    #[serde(default)]
    conformance: Wanted,
    #[serde(default)]
    shadow_cycles: u64,
    #[serde(default = "probation")]
    probation_cycles: u64,
}

/// The level of conformance that is wanted: text, where a derived enum would also take `{"none": null}`.
#[derive(Default, Deserialize)]
#[serde(try_from = "String")]
enum Wanted {
    /// The one that the policy claims.
    #[default]
    Claimed,
    /// None: the cases are not asked.
    None,
    /// That of every policy.
    Contract,
    /// That of best-fit.
    Reference,
}

impl TryFrom<String> for Wanted {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.as_str() {
            "claimed" => Ok(Self::Claimed),
            "none" => Ok(Self::None),
            "contract" => Ok(Self::Contract),
            "reference" => Ok(Self::Reference),
            _ => Err(format!("conformance is {:?}, not claimed, none, contract or reference", visible_name(&text))),
        }
    }
}

/// The probation unless another is asked for.
fn probation() -> u64 {
    super::PROBATION_CYCLES
}

impl Manifest {
    /// The manifest in a file, or in the file `manifest.json` of a directory.
    ///
    /// # Errors
    /// [`Error::ManifestMalformed`], also where there is none.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, Error> {
        let file = Self::file(path.as_ref());
        let bytes = reading::read_bounded(&file, MOST_OF_A_DOCUMENT)
            .map_err(|error| malformed(&file, format!("it cannot be read: {error}")))?;
        Self::of_bytes(&bytes, &file)
    }

    /// The manifest in these bytes of a file.
    pub(super) fn of_bytes(bytes: &[u8], file: &Path) -> Result<Self, Error> {
        if bytes.len() as u64 > MOST_OF_A_DOCUMENT {
            return Err(malformed(file, format!("it is longer than {MOST_OF_A_DOCUMENT} bytes")));
        }
        let text = std::str::from_utf8(bytes).map_err(|error| malformed(file, format!("not UTF-8: {error}")))?;
        Self::parse(text, file)
    }

    /// The manifest in a text. The component's path is relative to the manifest's `file`.
    ///
    /// # Errors
    /// [`Error::ManifestMalformed`].
    pub fn parse(text: &str, file: &Path) -> Result<Self, Error> {
        let malformed = |reason| malformed(file, reason);
        let document: Document = strict_json::object(text).map_err(|error| malformed(error.to_string()))?;
        for (key, text) in [
            ("matcher", &document.matcher),
            ("version", &document.version),
            ("policy", &document.policy),
            ("path", &document.path),
        ] {
            if text.is_empty() {
                return Err(malformed(format!("{key} is empty")));
            }
        }
        if document.path.contains('\0') {
            return Err(malformed("path has a zero byte, which no file's name has".to_owned()));
        }
        if !is_digest(&document.digest) {
            let digest = visible_name(&document.digest).into_owned();
            return Err(malformed(format!("digest {digest:?} is not sha256: and 64 lower-case hexadecimal digits")));
        }
        let conformance = match document.conformance {
            Wanted::Claimed => Some(Level::claimed(&document.policy)),
            Wanted::None => None,
            Wanted::Contract => Some(Level::Contract),
            Wanted::Reference => Some(Level::Reference),
        };
        let path = PathBuf::from(document.path);
        let path = if registry::is_reference(&path) { path } else { file.parent().unwrap_or(Path::new("")).join(path) };
        Ok(Self {
            conformance,
            matcher: document.matcher,
            version: document.version,
            policy: document.policy,
            path,
            digest: document.digest,
            shadow_cycles: document.shadow_cycles,
            probation_cycles: document.probation_cycles,
        })
    }

    /// The file of a manifest that is named by it or by its directory.
    pub(super) fn file(path: &Path) -> PathBuf {
        if path.is_dir() { path.join(FILE) } else { path.to_owned() }
    }
}

/// The error for a manifest that is none.
fn malformed(file: &Path, reason: String) -> Error {
    Error::ManifestMalformed { origin: file.display().to_string(), reason }
}
