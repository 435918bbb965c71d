//! Which matcher is wanted: a file that both hosts follow.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::conformance::Level;
use crate::error::{Error, shortened};

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
    /// The component.
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
    path: PathBuf,
    digest: String,
    #[serde(default)]
    conformance: Wanted,
    #[serde(default)]
    shadow_cycles: u64,
    #[serde(default = "probation")]
    probation_cycles: u64,
}

/// The level of conformance that is wanted.
#[derive(Default, Deserialize)]
#[serde(rename_all = "lowercase")]
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
        let path = Self::file(path.as_ref());
        let text = std::fs::read_to_string(&path).map_err(|error| {
            let (origin, reason) = (path.display().to_string(), format!("it cannot be read: {error}"));
            Error::ManifestMalformed { origin, reason }
        })?;
        Self::parse(&text, &path)
    }

    /// The manifest in a text. The component's path is relative to the manifest's `file`.
    ///
    /// # Errors
    /// [`Error::ManifestMalformed`].
    pub fn parse(text: &str, file: &Path) -> Result<Self, Error> {
        let malformed = |reason: String| Error::ManifestMalformed { origin: file.display().to_string(), reason };
        let document: Document = serde_json::from_str(text).map_err(|error| malformed(error.to_string()))?;
        let digits = document.digest.strip_prefix("sha256:").unwrap_or_default();
        if digits.len() != 64 || !digits.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f')) {
            let digest = shortened(&document.digest);
            return Err(malformed(format!("digest {digest:?} is not sha256: and 64 lower-case hexadecimal digits")));
        }
        let conformance = match document.conformance {
            Wanted::Claimed => Some(Level::claimed(&document.policy)),
            Wanted::None => None,
            Wanted::Contract => Some(Level::Contract),
            Wanted::Reference => Some(Level::Reference),
        };
        Ok(Self {
            conformance,
            matcher: document.matcher,
            version: document.version,
            policy: document.policy,
            path: file.parent().unwrap_or(Path::new("")).join(document.path),
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
