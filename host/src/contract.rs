//! Which versions of the contract this host serves.

/// The interface that a matcher exports, without its version.
pub(crate) const INTERFACE: &str = "offermatch:matcher/matching";
/// The world of a matcher.
pub(crate) const WORLD: &str = "offermatch:matcher/matcher";
/// The contract that this host is built against.
pub const CONTRACT: &str = "0.1.0";
/// The contract versions that this host serves, for people.
pub(crate) const SERVED: &str = "0.1.x";

/// The version in an extern name such as `offermatch:matcher/matching@0.1.0`, where it is the matching interface.
pub(crate) fn interface_version(name: &str) -> Option<&str> {
    name.strip_prefix(INTERFACE)?.strip_prefix('@')
}

/// Whether this host serves a contract version. A patch may add to a contract, never change it.
pub(crate) fn is_served(version: &str) -> bool {
    let mut parts = version.splitn(3, '.');
    let (major, minor, patch) = (parts.next(), parts.next(), parts.next());
    let numeric = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    (major, minor) == (Some("0"), Some("1")) && patch.is_some_and(numeric)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patches_of_one_contract_are_served() {
        assert!(is_served(CONTRACT) && is_served("0.1.12"));
        for other in ["0.2.0", "1.1.0", "0.1", "0.1.0-rc1", "0.10.0", ""] {
            assert!(!is_served(other), "{other}");
        }
    }

    #[test]
    fn versions_stand_behind_the_interface() {
        assert_eq!(interface_version("offermatch:matcher/matching@0.1.0"), Some("0.1.0"));
        assert_eq!(interface_version("offermatch:matcher/matching-more@0.1.0"), None);
        assert_eq!(interface_version("wasi:io/streams@0.2.0"), None);
    }
}
