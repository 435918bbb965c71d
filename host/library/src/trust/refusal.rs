//! Why a component is refused for its signature.

/// Why the signature of a component was not good enough.
///
/// ```
/// use offermatch::{Error, SignatureRefusal};
///
/// /// Whether somebody has to look at it, rather than fetch it again.
/// fn is_suspicious(error: &Error) -> bool {
///     use SignatureRefusal::{ComponentRevoked, SignerRevoked, Untrusted};
///     matches!(error, Error::SignatureRefused { refusal: ComponentRevoked | SignerRevoked | Untrusted, .. })
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignatureRefusal {
    /// There is none.
    Missing,
    /// The file is none, or is cut short.
    Malformed,
    /// It is over other bytes.
    Mismatch,
    /// The trust file does not name its key.
    Untrusted,
    /// The trust file revokes its key.
    SignerRevoked,
    /// The trust file revokes the component.
    ComponentRevoked,
}

impl SignatureRefusal {
    /// The code of docs/errors.md.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Missing => "signature-missing",
            Self::Malformed => "signature-malformed",
            Self::Mismatch => "signature-mismatch",
            Self::Untrusted => "signer-untrusted",
            Self::SignerRevoked => "signer-revoked",
            Self::ComponentRevoked => "component-revoked",
        }
    }

    /// What to do about it.
    pub(crate) fn hint(self) -> &'static str {
        match self {
            Self::Missing => "`offermatch sign` writes it, for whoever holds a key that the trust file names",
            Self::Malformed => "fetch it again, or sign the component anew",
            Self::Mismatch => "one of the two files was changed or cut short: fetch both again",
            Self::Untrusted => "have one of them sign it, or add the key to the trust file",
            Self::SignerRevoked => "sign it with a key that is in use",
            Self::ComponentRevoked => "fetch a later version",
        }
    }
}
