//! Whose matchers may be loaded: a file of public keys, and the check of a signature before a byte is compiled.
//!
//! Signatures are those of [minisign](https://jedisct1.github.io/minisign/), ed25519 over BLAKE2b-512. docs/provenance.md
//! describes the file.

pub(crate) mod refusal;

use std::collections::BTreeSet;
use std::env;
use std::fmt;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use minisign_verify::{Error as Minisign, PublicKey, Signature};
use serde::Deserialize;

use crate::digest::{is_digest, sha256};
use crate::error::Error;
use crate::read::strict_json::{self, Object};
use crate::reading::{MOST_OF_A_DOCUMENT, read_bounded};

pub use refusal::SignatureRefusal;

/// The environment variable that names the trust file in force.
const VARIABLE: &str = "OFFERMATCH_TRUST";

/// Whose matchers may be loaded.
///
/// ```
/// use offermatch::{Limits, Matcher, Trust};
///
/// let folder = tempfile::tempdir()?;
/// let (trust, component) = (folder.path().join("trust.json"), folder.path().join("strand.wasm"));
/// std::fs::write(&trust, r#"{"keys": [{"owner": "release team", "key": "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3"}]}"#)?;
/// std::fs::write(&component, Matcher::bundled_bytes("strand")?)?;
///
/// let refused = Matcher::load_trusted(&component, &Trust::read(&trust)?, &Limits::default()).unwrap_err();
/// assert_eq!(refused.code(), "signature-missing");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Trust {
    keys: Vec<TrustedKey>,
    revoked_components: BTreeSet<String>,
    place: String,
}

/// A key whose signatures count.
struct TrustedKey {
    owner: String,
    key: PublicKey,
    revoked: bool,
}

/// The file, as JSON has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    keys: Vec<Object<KeyDocument>>,
    #[serde(default)]
    revoked_components: Vec<String>,
}

/// One key of it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyDocument {
    owner: String,
    key: String,
    #[serde(default)]
    revoked: bool,
}

impl Trust {
    /// The trust of the file that `OFFERMATCH_TRUST` names, if it names one.
    ///
    /// # Errors
    /// [`Error::TrustMalformed`].
    pub fn in_force() -> Result<Option<Self>, Error> {
        env::var_os(VARIABLE).filter(|named| !named.is_empty()).map(Self::read).transpose()
    }

    /// The trust of a file.
    ///
    /// # Errors
    /// [`Error::TrustMalformed`].
    pub fn read(path: impl AsRef<Path>) -> Result<Self, Error> {
        let place = path.as_ref().display().to_string();
        let malformed = |reason: String| Error::TrustMalformed { place: place.clone(), reason };
        let bytes = read_bounded(path.as_ref(), MOST_OF_A_DOCUMENT).map_err(|error| malformed(error.to_string()))?;
        let text = std::str::from_utf8(&bytes).map_err(|error| malformed(error.to_string()))?;
        let document: Document = strict_json::object(text).map_err(|error| malformed(error.to_string()))?;
        let mut keys = Vec::new();
        for Object(KeyDocument { owner, key, revoked }) in document.keys {
            let key = PublicKey::from_base64(&key).map_err(|error| {
                malformed(format!("the key of {owner:?} is not the second line of a minisign public key: {error}"))
            })?;
            if owner.is_empty() {
                return Err(malformed("a key has an empty owner".to_owned()));
            }
            keys.push(TrustedKey { owner, key, revoked });
        }
        if let Some(other) = document.revoked_components.iter().find(|digest| !is_digest(digest)) {
            return Err(malformed(format!("{other:?} is not sha256: and 64 lower-case hexadecimal digits")));
        }
        Ok(Self { keys, revoked_components: document.revoked_components.into_iter().collect(), place })
    }

    /// Refuses a component unless a key in use signed it, in the file beside it that ends in `.minisig`.
    ///
    /// # Errors
    /// [`Error::SignatureRefused`].
    pub(crate) fn require(&self, bytes: &[u8], component: &Path) -> Result<(), Error> {
        let origin = component.display().to_string();
        let refused = |refusal, reason: String| Error::SignatureRefused { origin: origin.clone(), refusal, reason };
        let mut beside = component.as_os_str().to_owned();
        beside.push(".minisig");
        let text = read_bounded(&PathBuf::from(beside), MOST_OF_A_DOCUMENT)
            .map_err(|error| refused(SignatureRefusal::Missing, error.to_string()))?;
        let malformed = |error: &dyn fmt::Display| refused(SignatureRefusal::Malformed, error.to_string());
        let text = std::str::from_utf8(&text).map_err(|error| malformed(&error))?;
        let signature = Signature::decode(text).map_err(|error| malformed(&error))?;
        for TrustedKey { owner, key, revoked } in &self.keys {
            match key.verify(bytes, &signature, true) {
                Err(Minisign::UnexpectedKeyId) => {}
                _ if *revoked => {
                    let reason = format!("it is signed with the key of {owner}, which {} revokes", self.place);
                    return Err(refused(SignatureRefusal::SignerRevoked, reason));
                }
                Err(error) => {
                    let reason =
                        format!("the signature with the key of {owner} is over other bytes than these: {error}");
                    return Err(refused(SignatureRefusal::Mismatch, reason));
                }
                Ok(()) => {
                    let digest = sha256(bytes);
                    if self.revoked_components.contains(&digest) {
                        let reason = format!("{} revokes {digest}, which {owner} signed", self.place);
                        return Err(refused(SignatureRefusal::ComponentRevoked, reason));
                    }
                    return Ok(());
                }
            }
        }
        let asked: Vec<_> = self.keys.iter().filter(|key| !key.revoked).map(|key| key.owner.as_str()).collect();
        let asked = if asked.is_empty() { "nobody".to_owned() } else { asked.join(", ") };
        let reason =
            format!("it is signed with the key {}, which is of none of those asked: {asked}", key_number(text));
        Err(refused(SignatureRefusal::Untrusted, reason))
    }
}

/// The number of the key in a signature, as minisign prints it: behind two bytes for the algorithm, eight, the lowest first.
fn key_number(signature: &str) -> String {
    let line = signature.lines().nth(1).and_then(|line| STANDARD.decode(line).ok()).unwrap_or_default();
    line.get(2..10).unwrap_or_default().iter().rev().map(|byte| format!("{byte:02X}")).collect()
}
