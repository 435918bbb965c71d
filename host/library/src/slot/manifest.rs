//! Which matcher is wanted: a file that both hosts follow.

use std::io;
use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::ser::{PrettyFormatter, Serializer};

use crate::conformance::Level;
use crate::digest::is_digest;
use crate::error::Error;
use crate::limits::Limits;
use crate::pool::matcher::Matcher;
use crate::read::strict_json;
use crate::reading::{self, MOST_OF_A_DOCUMENT};
use crate::registry;
use crate::remedy;
use crate::visible::visible_name;
use crate::writing::write_whole;

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
    /// What it has to reach before it is used.
    pub conformance: WantedLevel,
    /// Live cycles that it is to answer in shadow before it is promoted.
    pub shadow_cycles: u64,
    /// Cycles within which a failure takes the slot back.
    pub probation_cycles: u64,
}

/// A manifest as JSON has it.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Document {
    matcher: String,
    version: String,
    policy: String,
    path: String,
    digest: String,
    #[serde(default)]
    shadow_cycles: u64,
    #[serde(default = "probation")]
    probation_cycles: u64,
    #[serde(default)]
    conformance: WantedLevel,
}

/// The level of conformance that a manifest asks for.
///
/// ```
/// use offermatch::{Level, WantedLevel};
///
/// assert_eq!(WantedLevel::Claimed.level("strand"), Some(Level::Contract));
/// assert_eq!(WantedLevel::None.level("strand"), None);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "&'static str")]
pub enum WantedLevel {
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

impl WantedLevel {
    /// The level that a matcher of this policy has to reach; none where the cases are not asked.
    #[must_use]
    pub fn level(self, policy: &str) -> Option<Level> {
        match self {
            Self::Claimed => Some(Level::claimed(policy)),
            Self::None => None,
            Self::Contract => Some(Level::Contract),
            Self::Reference => Some(Level::Reference),
        }
    }
}

impl From<WantedLevel> for &'static str {
    fn from(wanted: WantedLevel) -> Self {
        match wanted {
            WantedLevel::Claimed => "claimed",
            WantedLevel::None => "none",
            WantedLevel::Contract => "contract",
            WantedLevel::Reference => "reference",
        }
    }
}

// By way of text: a derived enum would also take `{"none": null}`.
impl TryFrom<String> for WantedLevel {
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
    /// The manifest that asks for a component, as it is now and as it describes itself: promoted at once, on probation for
    /// ten cycles, at the level of conformance that it claims.
    ///
    /// # Errors
    /// Those of [`Matcher::load_with`].
    pub fn of(path: impl AsRef<Path>, limits: &Limits) -> Result<Self, Error> {
        let matcher = Matcher::load_with(&path, limits)?;
        let said = matcher.description();
        Ok(Self {
            matcher: said.name.clone(),
            version: said.version.clone(),
            policy: said.policy.clone(),
            path: path.as_ref().to_owned(),
            digest: matcher.digest().unwrap_or_default().to_owned(),
            conformance: WantedLevel::Claimed,
            shadow_cycles: 0,
            probation_cycles: probation(),
        })
    }

    /// The content of the file at a place, which the path of the component is relative to.
    ///
    /// # Errors
    /// [`Error::ManifestMalformed`], where it would not be read as it is: a component without a name, a path that is no text.
    pub fn text(&self, file: &Path) -> Result<String, Error> {
        let path = if registry::is_reference(&self.path) { self.path.clone() } else { relative(&self.path, file) };
        let Some(path) = path.to_str() else {
            return Err(malformed(file, format!("{} is no text: no file can name it", path.display())));
        };
        let document = Document {
            matcher: self.matcher.clone(),
            version: self.version.clone(),
            policy: self.policy.clone(),
            path: path.to_owned(),
            digest: self.digest.clone(),
            shadow_cycles: self.shadow_cycles,
            probation_cycles: self.probation_cycles,
            conformance: self.conformance,
        };
        let mut text = Vec::new();
        let mut written = Serializer::with_formatter(&mut text, PrettyFormatter::with_indent(b" "));
        document.serialize(&mut written).map_err(|error| malformed(file, error.to_string()))?;
        text.push(b'\n');
        Self::of_bytes(&text, file)?;
        String::from_utf8(text).map_err(|error| malformed(file, error.to_string()))
    }

    /// Writes it to a file, whole and at once, so that nobody reads a half.
    ///
    /// # Errors
    /// [`Error::FileUnwritable`], and those of [`Manifest::text`].
    pub fn write(&self, file: impl AsRef<Path>) -> Result<(), Error> {
        let file = file.as_ref();
        write_whole(file, self.text(file)?.as_bytes())
    }

    /// The manifest in a file, or in the file `manifest.json` of a directory.
    ///
    /// # Errors
    /// [`Error::ManifestMalformed`], also where there is none.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, Error> {
        let file = Self::file(path.as_ref());
        let bytes = reading::read_bounded(&file, MOST_OF_A_DOCUMENT).map_err(|error| match error.kind() {
            io::ErrorKind::InvalidData => malformed(&file, error.to_string()),
            _ => Error::ManifestMalformed {
                origin: file.display().to_string(),
                reason: error.to_string(),
                hint: remedy::CHECK_PATH,
            },
        })?;
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
        let path = PathBuf::from(document.path);
        let path = if registry::is_reference(&path) { path } else { file.parent().unwrap_or(Path::new("")).join(path) };
        Ok(Self {
            conformance: document.conformance,
            matcher: document.matcher,
            version: document.version,
            policy: document.policy,
            path,
            digest: document.digest,
            shadow_cycles: document.shadow_cycles,
            probation_cycles: document.probation_cycles,
        })
    }

    /// The file that a path means: itself, or `manifest.json` in it where it is a directory.
    #[must_use]
    pub fn file(path: &Path) -> PathBuf {
        if path.is_dir() { path.join(FILE) } else { path.to_owned() }
    }
}

/// A path as seen from a file, by names alone; as it is where nothing leads from one to the other.
fn relative(path: &Path, file: &Path) -> PathBuf {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let (Some(path_parts), Some(folder_parts)) = (parts(path), parts(folder)) else { return path.to_owned() };
    let (to, from): (Vec<_>, Vec<_>) = (path_parts.components().collect(), folder_parts.components().collect());
    let common = to.iter().zip(&from).take_while(|(one, other)| one == other).count();
    if common == 0 {
        return path.to_owned();
    }
    let up = from[common..].iter().map(|_| Component::ParentDir);
    up.chain(to[common..].iter().copied()).collect()
}

/// An absolute path without `.` and `..`.
fn parts(path: &Path) -> Option<PathBuf> {
    let mut found = PathBuf::new();
    for part in std::path::absolute(path).ok()?.components() {
        match part {
            Component::ParentDir => {
                found.pop();
            }
            part => found.push(part),
        }
    }
    Some(found)
}

/// The error for a manifest that is none.
fn malformed(file: &Path, reason: String) -> Error {
    let hint = "docs/trust.md shows a manifest; write it to another name and rename it";
    Error::ManifestMalformed { origin: file.display().to_string(), reason, hint }
}
