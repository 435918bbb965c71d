//! What names a component in a registry.

use std::fmt;

use crate::digest::is_digest;
use crate::error::Error;
use crate::visible::visible_name;

use super::SCHEME;

/// The longest tag, in characters.
const LONGEST_TAG: usize = 128;

/// What a text that begins with `oci://` names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reference {
    /// Host, and port if it has one.
    pub registry: String,
    /// The repository.
    pub name: String,
    /// Which of its artifacts.
    pub version: Version,
}

/// One artifact of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Version {
    /// The one that a tag names now.
    Tag(String),
    /// The one whose manifest has this digest, for ever.
    Digest(String),
}

impl Reference {
    /// The reference in a text. Where it has both a tag and a digest, the digest decides.
    ///
    /// # Errors
    /// [`Error::ReferenceMalformed`].
    pub(super) fn parse(text: &str) -> Result<Self, Error> {
        Self::read(text).ok_or_else(|| Error::ReferenceMalformed { text: visible_name(text).into_owned() })
    }

    /// As [`Self::parse`]; none where it names nothing.
    fn read(text: &str) -> Option<Self> {
        let (registry, rest) = text.strip_prefix(SCHEME)?.split_once('/')?;
        let (rest, digest) = rest.split_once('@').map_or((rest, None), |(rest, digest)| (rest, Some(digest)));
        let (name, tag) = rest.split_once(':').map_or((rest, None), |(name, tag)| (name, Some(tag)));
        let version = match (digest, tag) {
            (Some(digest), _) => Version::Digest(is_digest(digest).then(|| digest.to_owned())?),
            (None, Some(tag)) => Version::Tag(is_tag(tag).then(|| tag.to_owned())?),
            (None, None) => return None,
        };
        let good = is_host(registry) && name.split('/').all(is_part);
        good.then(|| Self { registry: registry.to_owned(), name: name.to_owned(), version })
    }

    /// The tag or the digest, as a registry is asked for it.
    #[cfg(feature = "oci")]
    pub(super) fn pinned(&self) -> &str {
        match &self.version {
            Version::Tag(text) | Version::Digest(text) => text,
        }
    }

    /// Whether the registry is on this machine: only then may it go without TLS, as Docker has it.
    #[cfg(feature = "oci")]
    pub(super) fn is_local(&self) -> bool {
        let host =
            self.registry.rsplit_once(':').filter(|(_, port)| is_port(port)).map_or(&*self.registry, |(host, _)| host);
        let numbers = host.strip_prefix("127.").unwrap_or_default();
        matches!(host, "localhost" | "[::1]")
            || (!numbers.is_empty() && numbers.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.'))
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mark, version) = match &self.version {
            Version::Tag(tag) => (':', tag),
            Version::Digest(digest) => ('@', digest),
        };
        write!(f, "{SCHEME}{}/{}{mark}{version}", self.registry, self.name)
    }
}

/// Whether it is a host, with a port or without.
fn is_host(text: &str) -> bool {
    let in_brackets = text.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    let (good, port) = match in_brackets {
        Some((address, rest)) => (
            filled_with(address, |byte| byte.is_ascii_hexdigit() || byte == b':'),
            rest.strip_prefix(':').or((!rest.is_empty()).then_some("")),
        ),
        None => {
            let (host, port) = text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port)));
            (filled_with(host, |byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte)), port)
        }
    };
    good && port.is_none_or(is_port)
}

/// Whether it is a number of up to five digits.
fn is_port(text: &str) -> bool {
    text.len() <= 5 && filled_with(text, |byte| byte.is_ascii_digit())
}

/// Whether it may stand between two slashes of a name: words in lower case with `.`, `_`, `__` or dashes between them.
fn is_part(text: &str) -> bool {
    let word = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let mut between = text.as_bytes().split(word).filter(|run| !run.is_empty());
    let ends_in_words = text.as_bytes().first().is_some_and(word) && text.as_bytes().last().is_some_and(word);
    ends_in_words && between.all(|run| matches!(run, b"." | b"_" | b"__") || run.iter().all(|&byte| byte == b'-'))
}

/// Whether it is a tag.
fn is_tag(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    text.len() <= LONGEST_TAG && filled_with(text, allowed) && !text.starts_with(['.', '-'])
}

/// Whether a text has a byte, and none but such.
fn filled_with(text: &str, mut allowed: impl FnMut(u8) -> bool) -> bool {
    !text.is_empty() && text.bytes().all(&mut allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A digest.
    const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    #[test]
    fn a_reference_is_read_and_written_alike() {
        for text in [
            "oci://host/name:1",
            "oci://h-1.example:5000/a/b_c/d__e/f--g:V1.0_a-b",
            "oci://[::1]:80/a:_",
            "oci://[::1]/a:b",
        ] {
            assert_eq!(Reference::parse(text).unwrap().to_string(), text);
        }
        let pinned = Reference::parse(&format!("oci://host/name:tag@{DIGEST}")).unwrap();
        assert_eq!(pinned.to_string(), format!("oci://host/name@{DIGEST}"));
    }

    #[test]
    fn what_names_nothing_is_refused() {
        let long = format!("oci://host/a:{}", "b".repeat(129));
        for text in [
            "oci://",
            "oci://host",
            "oci://host/",
            "oci://host/name",
            "oci://host/Name:1",
            "oci://host/name@sha256:12",
            "oci://h h/a:1",
            "oci://host/../a:1",
            &long,
            "oci://user@host/a:1",
            "oci://host/a:1@md5:00",
            "oci://host/a:",
            "oci://host/a:.b",
            "oci://host/a//b:1",
            "oci://host/a_:1",
            "oci://host/a._b:1",
            "oci://host/a___b:1",
            "oci://host:/a:1",
            "oci://host:123456/a:1",
            "oci://[::1]x/a:1",
            "oci://[::1]:/a:1",
            "oci://[]/a:1",
            "oci:///a:1",
        ] {
            assert_eq!(Reference::parse(text).unwrap_err().code(), "reference-malformed", "{text}");
        }
    }

    #[cfg(feature = "oci")]
    #[test]
    fn only_a_registry_of_this_machine_goes_without_tls() {
        let is_local = |registry: &str| Reference::parse(&format!("oci://{registry}/a:1")).unwrap().is_local();
        assert!(
            ["localhost", "localhost:5000", "127.0.0.1", "127.0.0.1:5000", "[::1]", "[::1]:5000"]
                .into_iter()
                .all(is_local)
        );
        assert!(!["127.example", "localhost.example", "10.0.0.1:5000", "0.0.0.0", "[::2]"].into_iter().any(is_local));
    }
}
